"""What a register holds, told without its random ids, so that two registers with the same signals tell the same."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neo4j import ManagedTransaction

from api.wiring import Workplace
from graph import records
from graph.connection import Graph
from graph.labels import LINKS
from register.ids import SignalId
from register.interfaces import DeliveryKey
from register.narrative import read
from register.sealed import SealedSignal
from register.signals import NewSignal, canonical
from register.unstated import UNSTATED

Place = tuple[str, int]
"""A subject as one signal states it: the signal's reference and the place there."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many nodes there are by label, and how many relationships by type."""

    nodes: Mapping[str, int]
    relationships: Mapping[str, int]

    @property
    def links(self) -> int:
        return sum(self.relationships.get(kind, 0) for kind in LINKS)


def counts(graph: Graph) -> Counts:
    """Count everything in the database."""

    def work(tx: ManagedTransaction) -> Counts:
        nodes = tx.run("MATCH (n) UNWIND labels(n) AS name RETURN name, count(*) AS n").values()
        relationships = tx.run("MATCH ()-[r]->() RETURN type(r) AS name, count(*) AS n").values()
        return Counts(nodes=dict(nodes), relationships=dict(relationships))

    return graph.read(work)


@dataclass(frozen=True, kw_only=True)
class Telling:
    """All that is stored of some signals; a subject is told as the first place that names it, an identifier too.

    Attributes:
        signals: by reference: dates, handling, markings, harbours; subjects by place, with what each carries; links.
        carries: which subject carries which identifier.
        pending: references whose delivery is not done.
        duplicates: how many more signal nodes there are than deliveries.
    """

    signals: Mapping[str, Any]
    carries: frozenset[tuple[Place, Place]]
    pending: tuple[str, ...]
    duplicates: int


def telling(
    opened: Workplace, contributor: str, handed_in: Sequence[NewSignal], stored: Sequence[SealedSignal]
) -> Telling:
    """Tell what of `stored`, all signals there are, is what `contributor` handed in, found by the references."""
    keys = {DeliveryKey(contributor=contributor, reference=one.reference): canonical(one) for one in handed_in}
    known = opened.lookup.deliveries(keys)
    assert all(one.same for one in known.values())
    references = {one.signal: key.reference for key, one in known.items()}
    held = [one for one in stored if one.facts.id in references]
    subjects = _first(
        (mention.facts.subject, (references[one.facts.id], mention.facts.place))
        for one in held
        for mention in one.mentions
    )
    identifiers = _first(
        (identifier, (references[one.facts.id], mention.facts.place))
        for one in held
        for mention in one.mentions
        for identifier in mention.facts.identifiers
    )
    removed = _removal_dates(opened.graph)
    carries = {(subjects[a], identifiers[b]) for a, b in _carries(opened.graph) if a in subjects and b in identifiers}
    return Telling(
        signals={references[one.facts.id]: _told(one, subjects, identifiers, removed) for one in held},
        carries=frozenset(carries),
        pending=tuple(key.reference for key, one in known.items() if not one.done),
        duplicates=len(stored) - len(known),
    )


def sealed_signals(graph: Graph) -> list[SealedSignal]:
    """Return every signal with all its mentions and links, past what any reader may see."""
    links = "|".join(LINKS)
    query = f"""
        MATCH (g:Signal)
        RETURN g {{.*}} AS signal,
          COLLECT {{ MATCH (g)-[m:MENTIONS]->(s:Subject) RETURN m {{.*, signal: g.id, subject: s.id}} }} AS mentions,
          COLLECT {{
            MATCH (g)-[:MENTIONS]->(a:Subject) WITH DISTINCT a, g
            MATCH (a)-[r:{links}]->(b) WHERE r.signal = g.id
            RETURN r {{.*, type: type(r), from_: a.id, to: coalesce(b.id, b.code), to_port: b:Port}}
          }} AS links
    """

    def work(tx: ManagedTransaction) -> list[SealedSignal]:
        return [records.signal(row["signal"], row["mentions"], row["links"]) for row in tx.run(query)]

    return graph.read(work)


def texts(opened: Workplace, signal: SealedSignal) -> dict[str, str]:
    """Return the texts of a signal as a reader sees them who may see everything, with its reference."""
    shown = opened.sealer.open_signal(signal, with_source=True)
    labels = {one.facts.place: one.labels for one in shown.mentions}
    return {"reference": shown.reference} | {
        name: read(text, labels) for name, text in shown.texts.items() if name != UNSTATED
    }


def texts_of(signal: NewSignal) -> dict[str, str]:
    """Return the texts of a signal as it was handed in."""
    stated = {
        "reference": signal.reference,
        "narrative": signal.narrative,
        "necessity": signal.necessity,
        "obtained": signal.source.obtained,
        "source_description": signal.source.description,
        "conditions": signal.handling.conditions,
    }
    return {name: text for name, text in stated.items() if text is not None}


def _told(
    one: SealedSignal, subjects: Mapping[str, Place], identifiers: Mapping[str, Place], removed: Mapping[str, Any]
) -> Any:
    facts = one.facts
    assert len(one.mentions) == len(facts.mentions)
    assert len(one.links) == len(facts.links)
    mentions = tuple(
        (
            mention.facts.place,
            subjects[mention.facts.subject],
            removed[mention.facts.subject],
            tuple(sorted(identifiers[identifier] for identifier in mention.facts.identifiers)),
            tuple(sorted(mention.sealed)),
        )
        for mention in one.mentions
    )
    links = Counter(
        (str(link.facts.kind), subjects[link.facts.from_], subjects.get(link.facts.to, link.facts.to), link.facts.basis)
        for link in one.links
    )
    return (facts.received_on, facts.handling, facts.markings, facts.ports, tuple(sorted(one.sealed)), mentions, links)


def _first(stated: Iterable[tuple[str, Place]]) -> dict[str, Place]:
    first: dict[str, Place] = {}
    for name, place in stated:
        first[name] = min(place, first.get(name, place))
    return first


def _removal_dates(graph: Graph) -> dict[str, Any]:
    return dict(graph.read(lambda tx: tx.run("MATCH (s:Subject) RETURN s.id, s.remove_by").values()))


def _carries(graph: Graph) -> list[list[str]]:
    return graph.read(lambda tx: tx.run("MATCH (s)-[:CARRIES]->(i) RETURN s.id, i.id").values())


def ids(graph: Graph, label: str) -> frozenset[str]:
    """Return the ids of all nodes with this label."""
    found = graph.read(lambda tx: tx.run(f"MATCH (n:{label}) RETURN n.id").values())
    return frozenset(SignalId(one) for (one,) in found)

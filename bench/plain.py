"""The peer's graph: the same signals in clear text, written by the bare driver with UNWIND of 1,000.

Who is who is reckoned beforehand by the register's own composer, so that both graphs have the same shape; the peer only
writes. It keeps what a reader sees: every fact and every text, and a subject's name on the subject itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import partial
from typing import Any, Final

import neo4j

from api.policies import BUILT_IN
from register.acceptance import Composer, Ids, Known
from register.accepted import AcceptedBatch, AcceptedMention
from register.grading import SubjectKind
from register.ids import SubjectId
from register.sealed import LinkFacts, MentionFacts, SignalFacts, SubjectFacts
from register.signals import NewSignal, canonical
from retention.policy import shipped
from retention.terms import deadline, review_terms

CHUNK: Final = 1000
"""Signals in one transaction, each statement of which gets all their rows at once."""

WRITING: Final[Mapping[str, str]] = {
    "subjects": "UNWIND $rows AS row CREATE (s:Subject:$(row.label)) SET s = row.properties",
    "identifiers": "UNWIND $rows AS row CREATE (i:Identifier) SET i = row",
    "ports": "UNWIND $rows AS row CREATE (p:Port) SET p = row",
    "signals": "UNWIND $rows AS row CREATE (g:Signal) SET g = row",
    "at": """
        UNWIND $rows AS row MATCH (g:Signal {id: row.signal}) MATCH (p:Port {code: row.port}) CREATE (g)-[:AT]->(p)
    """,
    "mentions": """
        UNWIND $rows AS row MATCH (g:Signal {id: row.signal}) MATCH (s:Subject {id: row.subject})
        CREATE (g)-[m:MENTIONS]->(s) SET m = row.properties
    """,
    "carries": """
        UNWIND $rows AS row MATCH (s:Subject {id: row.subject}) MATCH (i:Identifier {id: row.identifier})
        CREATE (s)-[:CARRIES]->(i)
    """,
    "links": """
        UNWIND $rows AS row MATCH (a:Subject {id: row.from}) MATCH (b:Subject {id: row.to})
        CREATE (a)-[r:$(row.type)]->(b) SET r = row.properties
    """,
    "port_links": """
        UNWIND $rows AS row MATCH (a:Subject {id: row.from}) MATCH (b:Port {code: row.to})
        CREATE (a)-[r:$(row.type)]->(b) SET r = row.properties
    """,
}
"""The statements of one chunk, in order, by the name of their rows."""

Chunk = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A graph in clear text, ready to be written, and what it was composed from."""

    batch: AcceptedBatch
    chunks: tuple[Chunk, ...]


def plain(signals: Sequence[NewSignal], now: datetime, *, chunk: int = CHUNK) -> Plain:
    """Return the graph that the register would make of `signals` handed in at `now` (aware, UTC), in chunks."""
    nothing = Known(identifiers={}, gone=frozenset(), held=frozenset(), carriers={}, subjects={})
    composer = Composer(
        known=nothing,
        deadline=partial(deadline, shipped(BUILT_IN)),
        review=review_terms(shipped(BUILT_IN)),
        now=now,
        contributor="desk",
    )
    for signal in signals:
        composer.add(signal, Ids.minted(), canonical(signal))
    batch = composer.batch()
    return Plain(batch=batch, chunks=tuple(_Rows(batch, chunk).chunks(signals)))


def write(driver: neo4j.Driver, chunks: Iterable[Chunk]) -> None:
    """Write chunks of a graph, a transaction each."""
    with driver.session() as session:
        for chunk in chunks:
            session.execute_write(_write, chunk)


def _write(tx: neo4j.ManagedTransaction, chunk: Chunk) -> None:
    for name, statement in WRITING.items():
        if chunk[name]:
            tx.run(statement, rows=chunk[name]).consume()


@dataclass(slots=True)
class _Rows:
    """Rows by chunk; a subject, identifier or harbour stands in the chunk that needs it first."""

    batch: AcceptedBatch
    size: int
    _seen: set[str] = field(default_factory=set)

    def chunks(self, signals: Sequence[NewSignal]) -> Iterator[Chunk]:
        subjects = {one.id: one for one in self.batch.created}
        kinds = {str(id_): str(one.kind) for one, id_ in self.batch.identifiers.items()}
        for start in range(0, len(signals), self.size):
            chunk: Chunk = {name: [] for name in WRITING}
            pairs = zip(signals[start : start + self.size], self.batch.signals[start : start + self.size], strict=True)
            for said, accepted in pairs:
                chunk["signals"].append(_properties(accepted.facts) | _texts(said))
                for code in accepted.facts.ports:
                    chunk["at"].append({"signal": accepted.facts.id, "port": code})
                    if self._first(code):
                        chunk["ports"].append({"code": code})
                for mention in accepted.mentions:
                    self._mention(chunk, mention, subjects, kinds)
                for link in accepted.links:
                    row = {"from": link.from_, "to": link.to, "type": link.kind.relationship}
                    chunk["port_links" if link.to_port else "links"].append(row | {"properties": _properties(link)})
            yield chunk

    def _mention(
        self,
        chunk: Chunk,
        mention: AcceptedMention,
        subjects: Mapping[SubjectId, SubjectFacts],
        kinds: Mapping[str, str],
    ) -> None:
        facts = mention.facts
        stated = {
            "names": list(mention.names),
            "born_on": mention.born_on,
            "stated": [f"{one.kind}:{one.value}" for one in mention.identifiers],
        }
        row = {"signal": facts.signal, "subject": facts.subject, "properties": _properties(facts) | stated}
        chunk["mentions"].append(row)
        if self._first(facts.subject):
            subject = subjects[facts.subject]
            label = "Person" if subject.kind is SubjectKind.PERSON else "Organisation"
            named = _properties(subject) | {"name": mention.names[0]}
            chunk["subjects"].append({"label": label, "properties": named})
        for identifier in facts.identifiers:
            if self._first(identifier):
                chunk["identifiers"].append({"id": identifier, "kind": kinds[identifier]})
            if self._first(f"{facts.subject} {identifier}"):
                chunk["carries"].append({"subject": facts.subject, "identifier": identifier})

    def _first(self, key: str) -> bool:
        new = key not in self._seen
        self._seen.add(key)
        return new


_ENDS: Final = {
    MentionFacts: {"signal", "subject"},
    LinkFacts: {"kind", "from_", "to", "to_port"},
    SignalFacts: set[str](),
    SubjectFacts: set[str](),
}


def _properties(facts: SubjectFacts | SignalFacts | MentionFacts | LinkFacts) -> dict[str, Any]:
    """Return the facts as properties; what the graph says by its shape is left out, and an instant is microseconds."""
    ends = _ENDS[type(facts)]
    values = {one.name: getattr(facts, one.name) for one in fields(facts) if one.name not in ends}
    return {name: _value(value) for name, value in values.items() if value is not None and value != ()}


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return int(value.timestamp() * 1_000_000) if isinstance(value, datetime) else value


def _texts(signal: NewSignal) -> dict[str, Any]:
    source = signal.source
    texts = {
        "reference": signal.reference,
        "narrative": signal.narrative,
        "necessity": signal.necessity,
        "obtained": source.obtained,
        "source_description": source.description,
        "conditions": signal.handling.conditions,
    }
    return {name: text for name, text in texts.items() if text is not None}

"""Sealed signals in the graph: intake writes them, readers open them, the table of names is fed from them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import chain
from typing import Final

from neo4j import ManagedTransaction, Record

from graph import queries, records, run_queries
from graph.connection import Graph
from graph.labels import Label
from graph.sight import sight
from graph.trail import disclose, write_entries, write_new_entries
from register.access import Grant
from register.audit import Entry
from register.errors import Conflict
from register.grading import HandlingCode, SubjectKind
from register.ids import IdentifierId, MentionId, SignalId, SubjectId
from register.sealed import SealedBatch, SealedSignal
from register.stores import HarbourNode, RosterRow, Seen, Witnessed

PAGE: Final = 2000
_KIND_LABEL: Final = {SubjectKind.PERSON: Label.PERSON, SubjectKind.ORGANISATION: Label.ORGANISATION}


@dataclass(frozen=True, slots=True)
class Signals:
    """Keeps sealed signals and streams sealed names."""

    graph: Graph

    def seen(
        self,
        *,
        identifiers: Collection[IdentifierId],
        subjects: Collection[SubjectId],
        signals: Collection[SignalId],
    ) -> Seen:
        """Return what the graph holds of these ids, in one read; a subject that is distrusted, or leaving, is absent.

        Raises:
            Unavailable: nothing is known.
        """

        def work(tx: ManagedTransaction) -> Seen:
            carriers = {
                IdentifierId(row["id"]): tuple(sorted(map(SubjectId, row["subjects"])))
                for row in _rows(tx, queries.CARRIERS_PRESENT, identifiers)
            }
            wanted = {*subjects, *chain.from_iterable(carriers.values())}
            found = [records.subject(row["subject"]) for row in _rows(tx, queries.SUBJECTS_TRUSTED, wanted)]
            asked = sorted({*identifiers, *subjects, *signals})
            return Seen(
                carriers=carriers,
                subjects={one.facts.id: one for one in found},
                signals=frozenset(map(SignalId, _ids(tx, queries.SIGNALS_PRESENT, signals))),
                gone=frozenset(_ids(tx, queries.GONE, asked)),
            )

        return self.graph.read(work)

    def record(self, batch: SealedBatch, harbours: Collection[HarbourNode], entries: Sequence[Entry]) -> None:
        """Write everything of `batch` and the audit entries in one transaction; nothing where it ran before.

        Raises:
            Conflict: code `graph.moved`: something changed, came or went since it was seen; nothing was written.
            Unavailable: nothing was written, or everything; running it again is safe.
        """
        try:
            self.graph.write(lambda tx: _record(tx, batch, harbours, entries))
        except Conflict as conflict:
            # Somebody else created the same signal, subject or identifier first.
            raise (_moved() if conflict.code == "graph.constraint" else conflict) from None

    def open(self, grant: Grant, signal: SignalId, witnessed: Witnessed) -> SealedSignal | None:
        """Return the signal with its visible mentions and links, or None (absent or hidden).

        The facts of the signal name hidden mentions and links too, since its MAC covers them: they are not to be shown.

        Raises:
            Unavailable: nothing may be released.
        """

        def work(tx: ManagedTransaction) -> tuple[SealedSignal | None, Entry]:
            row = tx.run(queries.OPEN_SIGNAL, id=signal, **sight(grant)).single()
            found = records.signal(row["signal"], row["mentions"], row["links"]) if row else None
            return found, witnessed([signal] if found else [], int(found is not None))

        return disclose(self.graph, work)

    def distrust(self, ids: Collection[str], *, on: date, entry: Entry) -> None:
        """Hide subjects and signals that do not verify, with what these signals state; `entry` is written with it.

        Unlike that of a run (`graph.erasure`), this needs no lease: hiding harms no purge.

        Raises:
            Unavailable: nothing was changed.
        """

        def work(tx: ManagedTransaction) -> None:
            for query in run_queries.DISTRUST:
                tx.run(query, ids=sorted(ids), on=on).consume()
            write_entries(tx, [entry])

        self.graph.write(work)

    def roster(self, *, since: datetime | None) -> Iterator[RosterRow]:
        """Yield the mentions of signals entered or marked anew at or after `since` (all when None), page by page.

        Raises:
            Unavailable: while iterating; what was yielded is right but not everything.
        """
        if since is None:
            yield from self._roster(queries.ROSTER, since=None)
            return
        instant = records.microseconds(since)
        for query in (queries.ROSTER_SINCE, queries.ROSTER_MARKED):
            yield from self._roster(query, since=instant)

    def _roster(self, query: str, *, since: int | None) -> Iterator[RosterRow]:
        after = ""
        while True:
            page = self.graph.read(partial(_roster_page, query=query, since=since, after=after))
            for row in page:
                for mention, subject, names, handling, markings in row["mentions"]:
                    yield RosterRow(
                        mention=MentionId(mention),
                        subject=SubjectId(subject),
                        names=records.sealed(names),
                        handling=HandlingCode(handling),
                        markings=frozenset(markings),
                    )
            if len(page) < PAGE:
                return
            after = page[-1]["signal"]


def _roster_page(tx: ManagedTransaction, *, query: str, since: int | None, after: str) -> list[Record]:
    return list(tx.run(query, since=since, after=after, page=PAGE))


def _moved() -> Conflict:
    return Conflict("graph.moved", "the graph changed since it was seen; nothing was written")


def _ids(tx: ManagedTransaction, query: str, ids: Collection[str]) -> list[str]:
    return [row["id"] for row in _rows(tx, query, ids)]


def _rows(tx: ManagedTransaction, query: str, ids: Collection[str]) -> list[Record]:
    return list(tx.run(query, ids=sorted(ids))) if ids else []


def _must(done: object, wanted: object) -> None:
    if done != wanted:
        raise _moved()


def _record(
    tx: ManagedTransaction, batch: SealedBatch, harbours: Collection[HarbourNode], entries: Sequence[Entry]
) -> None:
    ids = [signal.facts.id for signal in batch.signals]
    # One is there: if all are, this very call ran before. Another one: its creation meets the constraint. Either way,
    # where another intake was faster with some of them, see again.
    if _ids(tx, queries.SIGNALS_PRESENT, ids[:1]):
        _must(len(_ids(tx, queries.SIGNALS_PRESENT, ids)), len(ids))
        return
    _must(tx.run(queries.RECORD, _parameters(batch, harbours)).single(strict=True).data(), _expected(batch))
    write_new_entries(tx, entries)


def _expected(batch: SealedBatch) -> dict[str, int]:
    """Return how much of each sort there is when everything that `batch` builds upon is as it was seen."""
    signals = batch.signals
    links = [link.facts.to_port for signal in signals for link in signal.links]
    return {
        "moved": len(batch.moved),
        "held": len(_held(batch)),
        "placed": sum(len(signal.facts.ports) for signal in signals),
        "named": sum(len(signal.mentions) for signal in signals),
        "carried": len(_carried(batch)),
        "linked": links.count(False),
        "moored": links.count(True),
        "gone": 0,
    }


def _parameters(batch: SealedBatch, harbours: Collection[HarbourNode]) -> dict[str, records.Rows | list[str]]:
    moved = records.Rows(records.properties(one.facts, one.mac) for one in batch.moved)
    moved.sort(key=lambda row: str(row["id"]))
    created = [*(one.facts.id for one in batch.signals), *(one.facts.id for one in batch.created)]
    return {
        "moved": moved,
        "held": _held(batch),
        "created": records.Rows(
            {"label": _KIND_LABEL[one.facts.kind], "properties": records.properties(one.facts, one.mac)}
            for one in batch.created
        ),
        "new_identifiers": records.Rows({"id": id_, "kind": kind} for id_, kind in batch.identifiers),
        "harbours": records.Rows(records.harbour_properties(one) for one in harbours),
        "signals": records.Rows(map(_signal_row, batch.signals)),
        "carries": records.Rows(
            {"subject": subject, "identifier": identifier} for subject, identifier in _carried(batch)
        ),
        "links": _link_rows(batch.signals, to_port=False),
        "port_links": _link_rows(batch.signals, to_port=True),
        "ids": [*created, *(id_ for id_, _ in batch.identifiers)],
    }


def _held(batch: SealedBatch) -> list[str]:
    """Return the identifiers stated that the graph has to hold already, in the order in which they are locked."""
    stated = {id_ for signal in batch.signals for mention in signal.mentions for id_ in mention.facts.identifiers}
    return sorted(stated.difference(id_ for id_, _ in batch.identifiers))


def _carried(batch: SealedBatch) -> list[tuple[SubjectId, IdentifierId]]:
    pairs = {
        (mention.facts.subject, identifier)
        for signal in batch.signals
        for mention in signal.mentions
        for identifier in mention.facts.identifiers
    }
    return sorted(pairs)


def _signal_row(signal: SealedSignal) -> records.Properties:
    mentions = [
        {"subject": one.facts.subject, "properties": records.properties(one.facts, one.mac, one.sealed)}
        for one in signal.mentions
    ]
    return {"properties": records.properties(signal.facts, signal.mac, signal.sealed), "mentions": mentions}


def _link_rows(signals: Sequence[SealedSignal], *, to_port: bool) -> records.Rows:
    return records.Rows(
        {
            "from_": link.facts.from_,
            "to": link.facts.to,
            "type": link.facts.kind.relationship,
            "properties": records.properties(link.facts, link.mac),
        }
        for signal in signals
        for link in signal.links
        if link.facts.to_port is to_port
    )

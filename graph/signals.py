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
from graph.trail import disclose, write_entries
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
        """Return what the graph holds of these ids, in one read; a subject that is distrusted counts as absent.

        Raises:
            Unavailable: nothing is known.
        """

        def work(tx: ManagedTransaction) -> Seen:
            carriers = {
                IdentifierId(row["id"]): tuple(sorted(map(SubjectId, row["subjects"])))
                for row in tx.run(queries.CARRIERS_PRESENT, ids=sorted(identifiers))
            }
            wanted = sorted({*subjects, *chain.from_iterable(carriers.values())})
            found = [records.subject(row["subject"]) for row in tx.run(queries.SUBJECTS_TRUSTED, ids=wanted)]
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
    return [row["id"] for row in tx.run(query, ids=sorted(ids))] if ids else []


def _must(done: int, wanted: int) -> None:
    if done != wanted:
        raise _moved()


def _record(
    tx: ManagedTransaction, batch: SealedBatch, harbours: Collection[HarbourNode], entries: Sequence[Entry]
) -> None:
    ids = [signal.facts.id for signal in batch.signals]
    if present := _ids(tx, queries.SIGNALS_PRESENT, ids):
        # All of them: this very call ran before. Some: another intake was faster with those, so see again.
        _must(len(present), len(ids))
        return
    _write_nodes(tx, batch, harbours)
    _write_signals(tx, batch.signals)
    _write_links(tx, batch.signals)
    # Last: a purge that deleted one of these ids before its creation here has committed its marker by now.
    created = [*ids, *(one.facts.id for one in batch.created), *(id_ for id_, _ in batch.identifiers)]
    _must(len(_ids(tx, queries.GONE, created)), 0)
    write_entries(tx, entries)


def _write_nodes(tx: ManagedTransaction, batch: SealedBatch, harbours: Collection[HarbourNode]) -> None:
    if batch.moved:
        rows = records.Rows(records.properties(one.facts, one.mac) for one in batch.moved)
        rows.sort(key=lambda row: str(row["id"]))
        _must(tx.run(queries.MOVE_SUBJECTS, rows=rows).single(strict=True).value(), len(rows))
    new = {id_ for id_, _ in batch.identifiers}
    stated = {id_ for signal in batch.signals for mention in signal.mentions for id_ in mention.facts.identifiers}
    if held := sorted(stated - new):
        _must(tx.run(queries.HOLD_IDENTIFIERS, ids=held).single(strict=True).value(), len(held))
    if batch.created:
        rows = records.Rows(
            {"label": _KIND_LABEL[one.facts.kind], "properties": records.properties(one.facts, one.mac)}
            for one in batch.created
        )
        tx.run(queries.CREATE_SUBJECTS, rows=rows).consume()
    if batch.identifiers:
        rows = records.Rows({"id": id_, "kind": kind} for id_, kind in batch.identifiers)
        tx.run(queries.CREATE_IDENTIFIERS, rows=rows).consume()
    if harbours:
        rows = records.Rows(records.harbour_properties(one) for one in harbours)
        tx.run(queries.MERGE_PORTS, rows=rows).consume()


def _write_signals(tx: ManagedTransaction, signals: Sequence[SealedSignal]) -> None:
    rows = records.Rows(
        {
            "properties": records.properties(signal.facts, signal.mac, signal.sealed),
            "mentions": [
                {
                    "subject": mention.facts.subject,
                    "properties": records.properties(mention.facts, mention.mac, mention.sealed),
                }
                for mention in signal.mentions
            ],
        }
        for signal in signals
    )
    wanted = sum(len(signal.facts.ports) + len(signal.mentions) for signal in signals)
    _must(tx.run(queries.CREATE_SIGNALS, rows=rows).consume().counters.relationships_created, wanted)
    pairs = {
        (mention.facts.subject, identifier)
        for signal in signals
        for mention in signal.mentions
        for identifier in mention.facts.identifiers
    }
    if pairs:
        carries = records.Rows({"subject": subject, "identifier": identifier} for subject, identifier in sorted(pairs))
        _must(tx.run(queries.MERGE_CARRIES, rows=carries).single(strict=True).value(), len(pairs))


def _write_links(tx: ManagedTransaction, signals: Sequence[SealedSignal]) -> None:
    links = [link for signal in signals for link in signal.links]
    for query, to_port in ((queries.CREATE_LINKS, False), (queries.CREATE_PORT_LINKS, True)):
        rows = records.Rows(
            {
                "from_": link.facts.from_,
                "to": link.facts.to,
                "type": link.facts.kind.relationship,
                "properties": records.properties(link.facts, link.mac),
            }
            for link in links
            if link.facts.to_port is to_port
        )
        if rows:
            _must(tx.run(query, rows=rows).consume().counters.relationships_created, len(rows))

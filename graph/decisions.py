"""Decisions in the graph: what is due for review, what waits for the desk or a second person, and what was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from neo4j import ManagedTransaction, Record

from graph import decision_queries as queries
from graph import records
from graph.connection import Graph
from graph.queries import MOVE_SUBJECTS
from graph.renewal_queries import RESEAL_MENTIONS
from graph.run_queries import FILE_ORDER
from graph.runs import order_properties
from graph.sight import sight
from graph.trail import write_entries
from register.access import Grant
from register.audit import Entry
from register.decision_stores import Accepted, Change, WholeSubject
from register.decisions import DossierState
from register.errors import Conflict, Tampered
from register.ids import DossierId, SignalId, SubjectId
from register.runs import SubjectRecord
from register.sealed import SealedDossier, SealedSignal
from register.stores import Node, Witnessed

_BEGINNING: Final = (date.min, "")


@dataclass(frozen=True, slots=True)
class Decisions:
    """Fills `register.decision_stores.DecisionStore`. All verbs raise Unavailable: nothing is then known or written."""

    graph: Graph

    def due(
        self, grant: Grant, *, until: date, after: tuple[date, SubjectId] | None, limit: int, witnessed: Witnessed
    ) -> tuple[Node, ...]:
        """Return subjects to be looked at by `until`, wholly visible ones only, with their newest mention."""
        after_on, after_id = after or _BEGINNING

        def work(tx: ManagedTransaction) -> tuple[Node, ...]:
            rows = tx.run(
                queries.REVIEWS_DUE, until=until, after_on=after_on, after_id=after_id, limit=limit, **sight(grant)
            )
            nodes = tuple(records.node(row["subject"], row["mention"]) for row in rows)
            write_entries(tx, [witnessed([node.subject.facts.id for node in nodes], len(nodes))])
            return nodes

        return self.graph.write(work)

    def subject(self, grant: Grant, subject: SubjectId, witnessed: Witnessed | None) -> WholeSubject | None:
        """Return a subject with everything about it, or None."""

        def work(tx: ManagedTransaction) -> WholeSubject | None:
            row = tx.run(queries.WHOLE_SUBJECT, id=subject, **sight(grant)).single()
            found = _whole(row) if row else None
            if witnessed is not None:
                write_entries(tx, [witnessed([subject] if found else [], int(found is not None))])
            return found

        return self.graph.read(work) if witnessed is None else self.graph.write(work)

    def signal(self, signal: SignalId) -> tuple[SealedSignal, tuple[SubjectRecord, ...]] | None:
        """Return a signal's facts and parts, and its subjects with the dates of their *other* signals."""
        row = self.graph.read(lambda tx: tx.run(queries.SIGNAL_WITH_SUBJECTS, id=signal).single())
        if row is None:
            return None
        subjects = (
            SubjectRecord(
                subject=records.subject(one["subject"]),
                signals=tuple(sorted(_must_date(*pair) for pair in one["signals"])),
            )
            for one in row["subjects"]
        )
        return records.signal(row["signal"], row["mentions"], row["links"]), tuple(subjects)

    def partial(
        self, grant: Grant, *, after: tuple[date, SignalId] | None, limit: int, witnessed: Witnessed
    ) -> tuple[SealedSignal, ...]:
        """Return visible signals that wait for the desk, with their visible mentions."""
        after_on, after_id = after or _BEGINNING

        def work(tx: ManagedTransaction) -> tuple[SealedSignal, ...]:
            eyes = sight(grant)
            rows = tx.run(
                queries.PARTIAL_SIGNALS,
                after_on=after_on,
                after_id=after_id,
                limit=limit,
                handling=eyes["handling"],
                markings=eyes["markings"],
            )
            found = tuple(records.signal(row["signal"], row["mentions"], []) for row in rows)
            write_entries(tx, [witnessed([one.facts.id for one in found], len(found))])
            return found

        return self.graph.write(work)

    def change(self, change: Change, entries: Sequence[Entry]) -> None:
        """Write `change` and its entries in one transaction.

        Raises:
            Conflict: code `graph.moved`: something changed or went since it was seen; nothing was written.
        """

        def work(tx: ManagedTransaction) -> None:
            if change.created and _present(tx, [one.facts.id for one in change.created]):
                return  # this very call ran before
            # Without an entry a log is replayed: nobody is served then, so no table of names has to hear of it.
            _write(tx, change, at=records.microseconds(entries[0].at) if entries else 0)
            write_entries(tx, entries)

        try:
            self.graph.write(work)
        except Conflict as conflict:
            raise (_moved() if conflict.code == "graph.constraint" else conflict) from None

    def dossier(self, dossier: DossierId) -> SealedDossier | None:
        """Return a dossier, or None."""
        row = self.graph.read(lambda tx: tx.run(queries.DOSSIERS, ids=[dossier]).single())
        return None if row is None else records.dossier(row["dossier"])

    def over(self, today: date) -> tuple[SealedDossier, ...]:
        """Return the dossiers whose text is kept no longer from civil date `today` on."""
        rows = self.graph.read(lambda tx: list(tx.run(queries.TEXTS_OVER, today=today)))
        return tuple(records.dossier(row["dossier"]) for row in rows)

    def proposed(self) -> tuple[SealedDossier, ...]:
        """Return the proposals that wait for a second person."""
        rows = self.graph.read(lambda tx: list(tx.run(queries.PROPOSED, state=DossierState.PROPOSED)))
        return tuple(records.dossier(row["dossier"]) for row in rows)


def _whole(row: Record) -> WholeSubject:
    signals = []
    for signal, received_on, entered_at in row["signals"]:
        received, accepted = _must_date(received_on, entered_at)
        signals.append(Accepted(signal=SignalId(signal), received_on=received, accepted_on=accepted))
    return WholeSubject(
        subject=records.subject(row["subject"]),
        signals=tuple(sorted(signals, key=lambda one: (one.accepted_on, one.signal))),
        mentions=tuple(sorted(map(records.mention, row["mentions"]), key=lambda one: one.facts.id)),
        links=tuple(sorted(map(records.link, row["links"]), key=lambda one: one.facts.id)),
    )


def _must_date(received_on: object, entered_at: object) -> tuple[date, date]:
    """Return a signal's dates. Raises Tampered: nobody decides on dates that cannot be read."""
    dates = records.dates(received_on, entered_at)
    if dates is None:
        raise Tampered
    return dates


def _moved() -> Conflict:
    return Conflict("graph.moved", "the graph changed since it was seen; nothing was written")


def _present(tx: ManagedTransaction, dossiers: Sequence[str]) -> bool:
    return tx.run(queries.DOSSIERS, ids=list(dossiers)).peek() is not None


def _write(tx: ManagedTransaction, change: Change, *, at: int) -> None:
    rows = records.Rows(records.properties(one.facts, one.mac) for one in change.subjects)
    rows.sort(key=lambda row: str(row["id"]))
    _must(tx, MOVE_SUBJECTS, rows)
    signals = (records.properties(one.facts, one.mac, one.sealed) for one in change.signals)
    _must(tx, queries.CHANGE_SIGNALS, records.Rows(signals))
    _must(tx, RESEAL_MENTIONS, records.Rows(records.resealing(one) for one in change.resealed))
    mentions = [one for signal in change.signals for one in signal.mentions]
    links = [one for signal in change.signals for one in signal.links]
    _must(
        tx,
        queries.MARK_MENTIONS,
        records.Rows(
            {
                "id": one.facts.id,
                "signal": one.facts.signal,
                "markings": list(one.facts.markings),
                "mac": one.mac,
                "at": at,
            }
            for one in mentions
        ),
    )
    _must(
        tx,
        queries.MARK_LINKS,
        records.Rows(
            {"id": one.facts.id, "from_": one.facts.from_, "markings": list(one.facts.markings), "mac": one.mac}
            for one in links
        ),
    )
    _must(tx, queries.CHANGE_STUBS, records.Rows(records.properties(one.facts, one.mac) for one in change.stubs))
    settled = (records.properties(one.facts, one.mac, one.sealed) for one in change.settled)
    _must(tx, queries.CHANGE_DOSSIERS, records.Rows(settled))
    if change.created:
        created = records.Rows(records.properties(one.facts, one.mac, one.sealed) for one in change.created)
        tx.run(queries.CREATE_DOSSIERS, rows=created).consume()
    if change.order is not None:
        tx.run(FILE_ORDER, order=order_properties(change.order)).consume()


def _must(tx: ManagedTransaction, query: str, rows: records.Rows) -> None:
    if rows and tx.run(query, rows=rows).single(strict=True).value() != len(rows):
        raise _moved()

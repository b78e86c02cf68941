"""What a retention run needs of the graph: every live record's facts, deleting in journalled batches, reading back."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from neo4j import ManagedTransaction

from graph import fence, pages, records, runs
from graph import run_queries as queries
from graph.connection import Graph
from graph.purge import cut, erase_part
from graph.trail import write_entries
from register.audit import Entry
from register.ids import RunId, SignalId, SubjectId
from register.runs import (
    FINISHED,
    Approval,
    Canary,
    Changed,
    Erased,
    ErasureBatch,
    Lease,
    Naming,
    Order,
    Run,
    RunState,
    SubjectRecord,
)
from register.sealed import SealedSignal, SealedStub


@dataclass(frozen=True, slots=True)
class Purging:
    """Carries removals out in the graph and keeps the runs' own records.

    Every write of a run asserts its lease first, and is one transaction. All verbs raise Unavailable, those with a
    lease also when somebody took it since (`lease.lost`); what reads orders, runs or journal lines raises Tampered
    where they are not what was written.
    """

    graph: Graph

    def accept(self, lease: Lease) -> int:
        """Let nobody but this keeper write from now on; return the highest fence seen, this lease's if it counts."""
        return self.graph.write(lambda tx: fence.accept(tx, lease))

    def subjects(self, ids: Collection[str] | None = None) -> Iterator[SubjectRecord]:
        """Stream every subject, or those of `ids` that are there, by id, with the dates of the signals that mention it.

        Dates that cannot be read are left out: `signals` yields that signal as one that does not verify.
        """
        every = pages.every(self.graph, queries.SUBJECT_PAGE)
        for subject, signals in every if ids is None else pages.some(self.graph, queries.SUBJECTS_BY_ID, ids):
            dates = (read for pair in signals if (read := records.dates(*pair)))
            yield SubjectRecord(subject=records.subject(subject), signals=tuple(sorted(dates)))

    def signals(self, ids: Collection[str] | None = None) -> Iterator[SealedSignal]:
        """Stream every signal, or those of `ids` that are there, by id, with facts and MACs of mentions and links.

        Nothing sealed is read.
        """
        every = pages.every(self.graph, queries.SIGNAL_PAGE)
        for row in every if ids is None else pages.some(self.graph, queries.SIGNALS_BY_ID, ids):
            yield records.signal(*row)

    def naming(self, subjects: Collection[SubjectId]) -> Iterator[Naming]:
        """Stream whom the signals name that mention one of `subjects`, each signal once; nothing is checked."""
        for row in pages.some(self.graph, queries.NAMED, pages.naming(self.graph, subjects)):
            yield records.naming(*row)

    def mentioning(self, subjects: Collection[SubjectId]) -> Iterator[SealedSignal]:
        """Stream the signals that mention one of `subjects`, by id, in the form of `signals`."""
        return self.signals(pages.naming(self.graph, subjects))

    def about(self, subjects: Collection[SubjectId], signals: Collection[SignalId]) -> Iterator[SealedSignal]:
        """Stream the signals that mention one of `subjects`, and `signals`, by id, in the form of `contents`."""
        return self.contents(pages.naming(self.graph, subjects) | set(signals), subjects)

    def contents(self, signals: Collection[SignalId], subjects: Collection[SubjectId]) -> Iterator[SealedSignal]:
        """Stream those of `signals` that are there, by id, with what is sealed of them and of mentions of `subjects`.

        Of other mentions only the facts.
        """
        for row in pages.some(self.graph, queries.CONTENTS, signals, going=sorted(subjects)):
            yield records.signal(*row)

    def stubs(self, ids: Collection[str] | None = None) -> Iterator[SealedStub]:
        """Stream every stub of an archived record, or those of `ids` that are there, by id."""
        every = pages.every(self.graph, queries.STUB_PAGE)
        rows = every if ids is None else pages.some(self.graph, queries.STUBS_BY_ID, ids)
        return (records.stub(row) for (row,) in rows)

    def bring_back(self, stubs: Iterable[SealedStub]) -> None:
        """Write stubs of archived records that a restored graph does not know."""
        rows = records.Rows(records.properties(one.facts, one.mac) for one in stubs)
        self.graph.write(lambda tx: tx.run(queries.CREATE_STUBS, rows=rows).consume())

    def canary(self) -> Canary | None:
        """Return the made-up record of this installation, or None before the first."""
        return self.graph.read(runs.canary)

    def plant(self, canary: Canary, lease: Lease) -> None:
        """Take the made-up record away that is there, and put this one in its place."""
        self._fenced(lease, partial(runs.plant, canary=canary), [])

    def distrust(self, ids: Collection[str], *, on: date, lease: Lease, entry: Entry) -> None:
        """Hide subjects and signals that do not verify, with what these signals state, from now on.

        `on` is kept as the day of discovery of those that have none yet; `entry` is written with it.
        """

        def work(tx: ManagedTransaction) -> None:
            for query in queries.DISTRUST:
                tx.run(query, ids=sorted(ids), on=on).consume()

        self._fenced(lease, work, [entry])

    def distrusted(self) -> Mapping[str, date]:
        """Return the ids that are distrusted and still there, each with the day on which that was discovered."""
        return self.graph.read(
            lambda tx: {row["id"]: row["on"].to_native() for query in queries.DISTRUSTED_IDS for row in tx.run(query)}
        )

    def file_order(self, order: Order, entry: Entry) -> None:
        """File an order for the keeper; one of that id that is there already is left as it is."""

        def work(tx: ManagedTransaction) -> None:
            tx.run(queries.FILE_ORDER, order=runs.order_properties(order)).consume()
            write_entries(tx, [entry])

        self.graph.write(work)

    def orders(self) -> tuple[Order, ...]:
        """Return the orders not yet begun, oldest first."""
        return self.graph.read(
            lambda tx: tuple(records.intact(runs.order, row["order"]) for row in tx.run(queries.ORDERS))
        )

    def begin(self, run: Run, lease: Lease, entry: Entry) -> None:
        """Write the run durably, taking the order of the same id away; does nothing if the run is there already."""

        def work(tx: ManagedTransaction) -> None:
            fence.hold(tx, lease)
            if tx.run(queries.BEGIN_RUN, run=runs.run_properties(run)).single() is not None:
                tx.run(queries.DELETE_ORDER, id=run.id).consume()
                write_entries(tx, [entry])

        self.graph.write(work)

    def approve(self, run: RunId, digest: str, approval: Approval, entry: Entry) -> None:
        """Record an approval of this plan digest; a run that is `planned` becomes `approved`.

        Raises:
            Conflict: other digest, or not `planned`.
            NotFound: no such run.
        """

        def work(tx: ManagedTransaction) -> None:
            runs.approve(tx, run, digest, approval)
            write_entries(tx, [entry])

        self.graph.write(work)

    def runs(self, *, unfinished: bool = False) -> tuple[Run, ...]:
        """Return the runs, newest first; only those in no state of FINISHED when `unfinished`."""
        every = self.graph.read(lambda tx: [records.intact(runs.run, row["run"]) for row in tx.run(queries.RUNS)])
        return tuple(run for run in every if not (unfinished and run.state in FINISHED))

    def advance(self, run: RunId, state: RunState, lease: Lease, *, detail: str, entries: Sequence[Entry] = ()) -> None:
        """Set the run's state and detail (JSON), with audit entries, in one transaction. Raises NotFound."""
        self._fenced(lease, lambda tx: runs.change(tx, run, {"state": state, "detail": detail}), entries)

    def erase(
        self,
        run: RunId,
        batch: ErasureBatch,
        renew: Callable[[], Lease],
        entry: Entry,
        kept: Sequence[Entry] = (),
    ) -> Erased | Changed:
        """Delete one batch, journalled in the transaction that deletes; `renew` gives the lease of each transaction.

        All or nothing: where something is not there in the revision given, or the holds are others than those given,
        nothing is deleted or journalled. A number whose line is in the journal whole returns that line and does
        nothing. `entry` is completed with the subjects and signals deleted, and with the number of all elements.

        A batch of more than `purge.SIGNALS` signals goes in several transactions, for the server holds what one changes
        in memory. Each takes its signals' mentions and links of the subjects that go, redacts or deletes these signals,
        and has its part of the journal line and its own audit entry; the first creates the stubs with their entries
        `kept`, and lets nobody change the subjects any more; the last takes these. Interrupted, the line says what was
        done, and what is left can be composed anew.
        """
        for part in cut(batch):
            work = partial(erase_part, run=run, batch=batch, part=part, lease=renew(), entry=entry, kept=kept)
            answer = self.graph.write(work)
            if answer is not None:
                return answer
        raise AssertionError("the last part always answers")

    def journal(self, run: RunId) -> tuple[Erased, ...]:
        """Return the journal lines of a run, one a batch, in order; also of a batch that was interrupted."""
        rows = self.graph.read(lambda tx: [row["line"] for row in tx.run(queries.JOURNAL, run=run)])
        return records.intact(runs.lines, rows)

    def there(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of `ids` that a subject, signal or identifier has: by their indexes, unlike `remains`."""
        return pages.there(self.graph, ids)

    def remains(self, ids: Collection[str]) -> tuple[str, ...]:
        """Return what is still there of `ids`, in every label, relationship type and list property, as `label:id`.

        The runs' own records and audit entries are no remains.
        """
        wanted = sorted(ids)

        def work(tx: ManagedTransaction) -> set[str]:
            return {f"{row['name']}:{row['id']}" for query in queries.REMAINS for row in tx.run(query, ids=wanted)}

        return tuple(sorted(self.graph.read(work))) if wanted else ()

    def witness(self, run: RunId, lease: Lease, entries: Sequence[Entry]) -> None:
        """Write audit entries for a run that is `forgotten`, as its one keeper. Raises Conflict: it is not."""
        self._fenced(lease, lambda tx: runs.in_state(tx, run, RunState.FORGOTTEN), entries)

    def close(self, run: RunId, state: RunState, lease: Lease, *, detail: str, entries: Sequence[Entry]) -> None:
        """Set the run's last state; take away its journal lines, markers of gone ids and planned items.

        Raises:
            NotFound: no such run.
        """

        def work(tx: ManagedTransaction) -> None:
            runs.change(tx, run, {"state": state, "detail": detail, **runs.NOTHING_DUE})
            tx.run(queries.DELETE_JOURNAL, run=run).consume()
            tx.run(queries.DELETE_GONE, run=run).consume()

        self._fenced(lease, work, entries)

    def _fenced(self, lease: Lease, work: Callable[[ManagedTransaction], None], entries: Sequence[Entry]) -> None:
        def fenced(tx: ManagedTransaction) -> None:
            fence.hold(tx, lease)
            work(tx)
            write_entries(tx, entries)

        self.graph.write(fenced)

"""Deleting in batches: each reads anew what it touches, and is journalled in the transaction that deletes.

What is removed is archived before, durably; while the graph deletes one batch, what it does not touch of the next is
read and archived. A batch that finds something changed deletes nothing; what changed is left out, with its reason, and
it is tried again.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from register.archived import ArchivedFacts
from register.audit import Act, Entry
from register.clock import Clock
from register.errors import Unavailable
from register.ids import ArchiveId
from register.runs import Changed, Erased, ErasureBatch, Fate, Lease, Run, Skip
from register.sealed import SealedStub, SignalFacts
from retention.composing import Composer, Composing, Work
from retention.detail import Detail
from retention.interfaces import Archive, Erasure, FactsCheck, Holds
from retention.planned import Planned
from retention.steps import Point, Progress, Step, own_entry

TRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A batch that is being erased: as it was composed, what it comes to, and how many items are done with it."""

    made: Composing
    batch: ErasureBatch
    erasing: Future[Erased | Changed]
    done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Deletes what a run has planned and its journal does not say is dealt with.

    Attributes:
        renew: gives the lease, renewed where it is time for that, or raises Unavailable when it is lost; two threads
            ask.
        size: items of one batch.
    """

    erasure: Erasure
    holds: Holds
    archive: Archive
    check: FactsCheck
    clock: Clock
    renew: Callable[[], Lease]
    progress: Progress
    size: int

    def erase(self, run: Run) -> None:
        """Delete batch after batch until every planned item is dealt with. Safe to begin again at any point."""
        planned = Detail.read(run.detail).planned
        self._settle(run, last=False)
        journal = self.erasure.journal(run.id)
        dealt = {item for line in journal for item in (*line.subjects, *line.signals, *line.destroyed)}
        dealt.update(item for line in journal for item, _ in line.skipped)
        works = tuple(self._works(run, planned, dealt))
        done = _of(run) - sum(len(work.items) for work in works)
        composer = Composer(
            run=run,
            planned=planned,
            ended=frozenset(item for item, _ in run.due_signals),
            erasure=self.erasure,
            holds=self.holds,
            archive=self.archive,
            check=self.check,
            clock=self.clock,
            renew=self.renew,
        )
        begun: _Begun | None = None
        with ThreadPoolExecutor(1, thread_name_prefix="erase") as eraser:
            for number, work in enumerate(works, start=len(journal)):
                made = self._made_ready(composer, number, work, begun)
                done += len(work.items)
                batch = self._told(made)
                begun = _Begun(made=made, batch=batch, erasing=eraser.submit(self._erased, run, batch), done=done)
            if begun is not None:
                self._end(begun)
        self._settle(run, last=True)

    def _settle(self, run: Run, *, last: bool) -> None:
        """Delete archived files without a stub, and the files of records that the journal says are destroyed."""
        journal = self.erasure.journal(run.id)
        self.archive.settle(run.id, [one for line in journal for one in line.archived], last=last)
        destroyed = [one for line in journal for one in line.destroyed]
        if destroyed:
            self.archive.destroy((stub.facts.month, stub.facts.id) for stub in self.erasure.stubs(destroyed))
            self.progress(Step(point=Point.DESTROYED, run=run.id, done=len(destroyed), of=len(run.due_archived)))

    def _works(self, run: Run, planned: Planned, dealt: Collection[str]) -> Iterator[Work]:
        """Cut what is left into batches.

        What is destroyed goes before what is removed, so that nothing incorrect or unlawful gets into the archive with
        somebody's record; and signals before subjects, so that each that ends in its own right has a record of its own.
        """
        for fate in (Fate.DESTROYED, Fate.REMOVED):
            ours = {item for item, (each, _) in planned.fates.items() if each is fate and item not in dealt}
            signals = tuple(one for one in run.due_signals if one[0] in ours)
            subjects = tuple(one for one in run.due_subjects if one[0] in ours)
            while signals or subjects:
                now, signals = signals[: self.size], signals[self.size :]
                room = self.size - len(now)
                then, subjects = subjects[:room], subjects[room:]
                yield Work(fate=fate, subjects=then, signals=now)
        records = tuple(one for one in run.due_archived if one[0] not in dealt)
        for start in range(0, len(records), self.size):
            yield Work(fate=Fate.DESTROYED, records=records[start : start + self.size])

    def _made_ready(self, composer: Composer, number: int, work: Work, before: _Begun | None) -> Composing:
        """Compose a batch, as far as that may be while the one `before` is erased, and the rest once it is."""
        made = composer.begin(number, work)
        if before is not None:
            made.take_apart_from(before.made)
            if not self._end(before):  # what was archived meanwhile has been settled with the rest
                made = composer.begin(number, work)
        made.take()
        return made

    def _told(self, made: Composing) -> ErasureBatch:
        """Return a batch that is ready to be erased, and say that its records are in the archive."""
        batch = made.batch()
        if batch.stubs:
            put = len(batch.stubs)
            self.progress(Step(point=Point.ARCHIVED, run=made.by.run.id, done=put, of=put))
        return batch

    def _erased(self, run: Run, batch: ErasureBatch) -> Erased | Changed:
        act = Act.REMOVAL if batch.fate is Fate.REMOVED else Act.DESTRUCTION
        entry = own_entry(self.clock.now(), act, detail={"run": run.id})
        return self.erasure.erase(run.id, batch, self.renew, entry, kept_entries(entry.at, batch.stubs))

    def _end(self, begun: _Begun) -> bool:
        """Wait until a batch is erased; return whether it was as it was composed."""
        run, answer = begun.made.by.run, begun.erasing.result()
        if isinstance(answer, Changed):
            self._again(begun.made, answer)
        else:
            self._remember(begun.batch)
        self.progress(Step(point=Point.BATCH, run=run.id, done=begun.done, of=_of(run)))
        return isinstance(answer, Erased)

    def _again(self, made: Composing, answer: Changed) -> None:
        """Compose and erase a batch anew, without what changed, until nothing more has."""
        composer = made.by
        for left in reversed(range(TRIES)):
            self._settle(composer.run, last=False)  # what has its stub, from a first transaction, is not archived again
            items = made.work.items
            changed = {item: why for item, why in answer.items if item in items}
            if not left:  # what keeps changing under our hands is left to the next run
                changed = dict.fromkeys(items, Skip.CHANGED) | changed
            made = composer.begin(made.number, made.work.without(changed), {**made.skipped, **changed})
            made.take()
            batch = self._told(made)
            tried = self._erased(composer.run, batch)
            if isinstance(tried, Erased):
                self._remember(batch)
                return
            answer = tried
        raise Unavailable("erase.unsettled", "a batch that deletes nothing was not accepted")

    def _remember(self, batch: ErasureBatch) -> None:
        """Remember the revisions that a batch has written."""
        written = (one.facts for one in (*batch.stubs, *batch.destroyed))
        changes: list[SignalFacts | ArchivedFacts] = [*(facts for facts, _ in batch.redacted), *written]
        self.check.remember((facts.id, facts.revision) for facts in changes)


def _of(run: Run) -> int:
    return len(run.due_subjects) + len(run.due_signals) + len(run.due_archived)


def kept_entries(at: datetime, stubs: Iterable[SealedStub]) -> tuple[Entry, ...]:
    """Return the audit entries of stubs: those that share everything but id and file together, so that all can be told.

    They name no subject, and their order says nothing of one.
    """
    together: dict[ArchivedFacts, list[ArchiveId]] = {}
    for stub in stubs:
        together.setdefault(replace(stub.facts, id=ArchiveId(""), sha256=""), []).append(stub.facts.id)
    return tuple(
        own_entry(
            at,
            Act.ARCHIVE_KEEP,
            targets=tuple(ids),
            count=len(ids),
            detail={
                "kind": facts.kind,
                "removed_on": facts.removed_on.isoformat(),
                "destroy_on": facts.destroy_on.isoformat(),
                "event": facts.event,
                "event_on": facts.event_on.isoformat(),
                "month": facts.month,
                "rule": facts.rule,
                "holds": " ".join(facts.holds),
            },
        )
        for facts, ids in together.items()
    )

"""Deleting in batches: each reads anew what it touches, and is journalled in the transaction that deletes.

What is removed is archived before, durably. A batch that finds something changed deletes nothing; what changed is left
out, with its reason, and it is tried again.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import Final

from register.archived import ArchivedFacts
from register.audit import Act, Entry
from register.clock import Clock
from register.errors import Unavailable
from register.ids import ArchiveId, SignalId, SubjectId
from register.lifetime import EventKind
from register.runs import Erased, ErasureBatch, Fate, Lease, Run, Skip, ToArchive
from register.sealed import SealedSignal, SealedStub, SignalFacts
from retention.casework import SIGNAL
from retention.checking import Verdict, checked_signals
from retention.detail import Detail
from retention.holding import Holding, read_holds
from retention.interfaces import Archive, Erasure, FactsCheck, Holds
from retention.planned import Planned
from retention.steps import Point, Progress, Step, own_entry

TRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one batch is to do, all with one fate: subjects, signals and archived records, each with its revision."""

    fate: Fate
    subjects: tuple[tuple[SubjectId, int], ...] = ()
    signals: tuple[tuple[SignalId, int], ...] = ()
    records: tuple[tuple[ArchiveId, int], ...] = ()

    @property
    def items(self) -> tuple[str, ...]:
        """The ids of all of it."""
        return tuple(item for item, _ in (*self.subjects, *self.signals, *self.records))

    def without(self, left: Collection[str]) -> "Work":
        """Return this without the items `left` alone."""
        return replace(
            self,
            subjects=tuple(one for one in self.subjects if one[0] not in left),
            signals=tuple(one for one in self.signals if one[0] not in left),
            records=tuple(one for one in self.records if one[0] not in left),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Composing:
    """A batch while its signals are read.

    Attributes:
        going: the subjects that go; ended: signals that end by their own term, in this run.
        whole: signals that go, with their revisions; redacted: those that stay, with their facts and MAC to be.
        doubted: of these, those that do not verify.
    """

    going: frozenset[SubjectId]
    ended: frozenset[SignalId]
    whole: dict[SignalId, int]
    redacted: list[tuple[SignalFacts, bytes]] = field(default_factory=list)
    doubted: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Deletes what a run has planned and its journal does not say is dealt with.

    Attributes:
        renew: gives the lease, renewed where it is time for that, or raises Unavailable when it is lost.
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
        left = sum(len(work.items) for work in works)
        of = len(run.due_subjects) + len(run.due_signals) + len(run.due_archived)
        for number, work in enumerate(works, start=len(journal)):
            self._batch(run, planned, number, work)
            left -= len(work.items)
            self.progress(Step(point=Point.BATCH, run=run.id, done=of - left, of=of))
        self._settle(run, last=True)

    def _settle(self, run: Run, *, last: bool) -> None:
        """Delete archived files without a stub, and the files of records that the journal says are destroyed."""
        journal = self.erasure.journal(run.id)
        self.archive.settle(run.id, [one for line in journal for one in line.archived], last=last)
        destroyed = [one for line in journal for one in line.destroyed]
        if destroyed:
            self.archive.destroy((stub.facts.month, stub.facts.id) for stub in self.erasure.stubs(destroyed))
            of = len(run.due_archived)
            self.progress(Step(point=Point.DESTROYED, run=run.id, done=len(destroyed), of=of))

    def _works(self, run: Run, planned: Planned, dealt: Collection[str]) -> Iterator[Work]:
        """Cut what is left into batches, what is removed before what is destroyed."""
        for fate in (Fate.REMOVED, Fate.DESTROYED):
            ours = {item for item, (each, _) in planned.fates.items() if each is fate and item not in dealt}
            subjects = tuple(one for one in run.due_subjects if one[0] in ours)
            signals = tuple(one for one in run.due_signals if one[0] in ours)
            while subjects or signals:
                now, subjects = subjects[: self.size], subjects[self.size :]
                room = self.size - len(now)
                then, signals = signals[:room], signals[room:]
                yield Work(fate=fate, subjects=now, signals=then)
        records = tuple(one for one in run.due_archived if one[0] not in dealt)
        for start in range(0, len(records), self.size):
            yield Work(fate=Fate.DESTROYED, records=records[start : start + self.size])

    def _batch(self, run: Run, planned: Planned, number: int, work: Work) -> None:
        skipped: dict[str, Skip] = {}
        for tried in range(TRIES + 1):
            if tried == TRIES:  # what keeps changing under our hands is left to the next run
                skipped |= dict.fromkeys(work.items, Skip.CHANGED)
                work = work.without(work.items)
            holding = read_holds(self.holds, self.check)
            held = self._held(planned, holding, work)
            skipped |= dict.fromkeys(held, Skip.HELD)
            work = work.without(held)
            stubs = {one.facts.id: one for one in self.erasure.stubs([item for item, _ in work.records])}
            odd = self._odd(work, stubs)
            skipped |= odd
            work = work.without(odd)
            batch = self._composed(run, planned, holding, number, work)
            batch = replace(batch, skipped=tuple(skipped.items()))
            act = Act.REMOVAL if work.fate is Fate.REMOVED else Act.DESTRUCTION
            batch = replace(batch, destroyed=tuple(self._marked(run, work, stubs)))
            entry = own_entry(self.clock.now(), act, detail={"run": run.id})
            answer = self.erasure.erase(run.id, batch, self.renew, entry, kept_entries(entry.at, batch.stubs))
            if isinstance(answer, Erased):
                written = (one.facts for one in (*batch.stubs, *batch.destroyed))
                changes: list[SignalFacts | ArchivedFacts] = [*(facts for facts, _ in batch.redacted), *written]
                self.check.remember((facts.id, facts.revision) for facts in changes)
                return
            changed = {item: why for item, why in answer.items if item in set(work.items)}
            skipped |= changed
            work = work.without(changed)
            self._settle(run, last=False)  # what has its stub, from a first transaction, is not archived again
        raise Unavailable("erase.unsettled", "a batch that deletes nothing was not accepted")

    def _held(self, planned: Planned, holding: Holding, work: Work) -> tuple[str, ...]:
        """Return what may not be destroyed for a hold that came since the plan, or for one that is gone since."""
        if work.fate is Fate.REMOVED:
            return ()
        new = holding.holds.keys() - planned.holds.keys()
        gone = planned.holds.keys() - holding.holds.keys()
        return tuple(
            item for item in work.items if holding.on(item, new=new) or gone.intersection(planned.held.get(item, ()))
        )

    def _composed(self, run: Run, planned: Planned, holding: Holding, number: int, work: Work) -> ErasureBatch:
        """Read, once, the signals that mention the subjects, and decide which go with them and which stay, redacted."""
        going = frozenset(item for item, _ in work.subjects)
        made = _Composing(going=going, ended=frozenset(item for item, _ in run.due_signals), whole=dict(work.signals))
        if work.fate is Fate.REMOVED and work.items:
            read = self.erasure.about(going, made.whole.copy())
            stream = self._decided(run, made, read, partial(self.erasure.contents, subjects=going))
            stubs = self._archived(run, planned, holding, work, stream)
        else:
            stream = self._decided(run, made, self.erasure.mentioning(going) if going else (), self.erasure.signals)
            stubs = ()
        deque(stream, maxlen=0)  # also what nothing is archived of
        self._distrust(run, made.doubted)
        return ErasureBatch(
            number=number,
            fate=work.fate,
            subjects=work.subjects,
            signals=tuple(made.whole.items()),
            redacted=tuple(made.redacted),
            stubs=stubs,
            holds=holding.seen,
        )

    def _decided(
        self, run: Run, made: "_Composing", read: Iterable[SealedSignal], again: Callable[..., Iterable[SealedSignal]]
    ) -> Iterator[SealedSignal]:
        """Check each signal, note what becomes of it, and pass it on; the lease is held on to meanwhile."""
        for signal, verdict in checked_signals(read, self.check, again):
            self.renew()
            yield signal
            about = [mention.facts.subject in made.going for mention in signal.mentions]
            if not any(about):
                continue
            if signal.facts.id in made.ended or all(about):
                made.whole[signal.facts.id] = signal.facts.revision
                continue
            facts = without(signal, made.going, run.as_of)
            if verdict is Verdict.VERIFIES:
                made.redacted.append((facts, self.check.mac(facts)))
            else:  # corruption never delays a removal, and a removal never makes corruption look sound
                made.redacted.append((facts, signal.mac))
                made.doubted.append(signal.facts.id)

    def _archived(
        self, run: Run, planned: Planned, holding: Holding, work: Work, signals: Iterable[SealedSignal]
    ) -> tuple[SealedStub, ...]:
        """Put records of each item into the archive, and return the stubs to create. Durable on return.

        What has its stub, since a batch of several transactions was interrupted, keeps its record: that one is whole.
        """
        laid = self.archive.laid(run.id, work.items)
        there = {one.facts.id for one in self.erasure.stubs(laid.values())} if laid else set()
        work = work.without([item for item, archive in laid.items() if archive in there])
        if not work.items:
            return ()
        subjects = [item for item, _ in work.subjects]
        facts = {one.subject.facts.id: one.subject.facts for one in self.erasure.subjects(subjects)} if subjects else {}
        new = holding.holds.keys() - planned.holds.keys()
        to_archive = {}
        for item in work.items:
            _, destroy_on = planned.fates[item]
            own = facts.get(SubjectId(item))
            to_archive[item] = ToArchive(
                item=item,
                kind=own.kind.value if own is not None else SIGNAL,
                facts=own,
                month=(destroy_on or run.as_of).isoformat()[:7],
                removed_on=run.as_of,
                rule=planned.terms[item].rule,
            )
        put = self.archive.put(run.id, tuple(to_archive.values()), signals)
        self.progress(Step(point=Point.ARCHIVED, run=run.id, done=len(put), of=len(put)))
        stubs = []
        for one in put:
            wanted, term = to_archive[one.item], planned.terms[one.item]
            known = term.event in set(EventKind)
            stub = ArchivedFacts(
                id=one.archive,
                kind=wanted.kind,
                revision=1,
                removed_on=run.as_of,
                destroy_on=planned.fates[one.item][1] or run.as_of,
                event=term.event if known else "",
                event_on=term.event_on,
                month=one.month,
                sha256=one.sha256,
                rule=term.rule,
                holds=holding.on(one.item, known=planned.held.get(one.item, ()), new=new),
            )
            stubs.append(SealedStub(facts=stub, mac=self.check.mac(stub)))
        return tuple(stubs)

    def _odd(self, work: Work, stubs: Mapping[ArchiveId, SealedStub]) -> Mapping[str, Skip]:
        """Return the records whose stub is not there, or not as planned, or not as this register wrote it."""
        odd: dict[str, Skip] = {}
        for archive, revision in work.records:
            stub = stubs.get(archive)
            if stub is None:
                odd[archive] = Skip.UNKNOWN
            elif stub.facts.revision != revision or not self.check.verifies(stub):
                odd[archive] = Skip.CHANGED
        return odd

    def _marked(self, run: Run, work: Work, stubs: Mapping[ArchiveId, SealedStub]) -> Iterator[SealedStub]:
        """Yield the stubs of the records to destroy as they will be."""
        for archive, revision in work.records:
            facts = replace(stubs[archive].facts, revision=revision + 1, destroyed_on=run.as_of)
            yield SealedStub(facts=facts, mac=self.check.mac(facts))

    def _distrust(self, run: Run, doubted: Collection[str]) -> None:
        unseen = sorted(set(doubted) - self.erasure.distrusted().keys()) if doubted else []
        if unseen:
            incident = own_entry(
                self.clock.now(),
                Act.INTEGRITY_INCIDENT,
                targets=tuple(unseen),
                count=len(unseen),
                detail={"code": "does-not-verify", "run": run.id},
            )
            self.erasure.distrust(unseen, on=run.as_of, lease=self.renew(), entry=incident)


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


def without(signal: SealedSignal, going: frozenset[SubjectId], on: date) -> SignalFacts:
    """Return the facts of `signal` once the subjects `going` are out of it, which the desk has to look at from `on`."""
    mentions = (mention.facts.id for mention in signal.mentions if mention.facts.subject not in going)
    links = (link.facts.id for link in signal.links if link.facts.from_ not in going and link.facts.to not in going)
    return replace(
        signal.facts,
        revision=signal.facts.revision + 1,
        mentions=tuple(sorted(mentions)),
        links=tuple(sorted(links)),
        redacted_on=signal.facts.redacted_on or on,
    )

"""What one batch is to do, composed of what is read anew of all it touches; what is removed is archived meanwhile.

Nothing here is foretold. What the deletion under way may change is told by `Composing.near`, and read once it is over.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

from register.archived import ArchivedFacts
from register.audit import Act
from register.clock import Clock
from register.ids import ArchiveId, SignalId, SubjectId
from register.lifetime import EventKind
from register.runs import Archived, ErasureBatch, Fate, Lease, Run, Skip, ToArchive
from register.sealed import SealedSignal, SealedStub, SignalFacts
from retention.casework import SIGNAL
from retention.checking import Verdict, checked_signals
from retention.holding import Holding, read_holds
from retention.interfaces import Archive, Erasure, FactsCheck, Holds
from retention.planned import Planned
from retention.steps import own_entry


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
class Composer:
    """Composes the batches of one run.

    Attributes:
        ended: the signals that end in their own right in this run.
        renew: gives the lease, renewed where it is time for that, or raises Unavailable when it is lost.
    """

    run: Run
    planned: Planned
    ended: frozenset[SignalId]
    erasure: Erasure
    holds: Holds
    archive: Archive
    check: FactsCheck
    clock: Clock
    renew: Callable[[], Lease]

    def begin(self, number: int, work: Work, skipped: Mapping[str, Skip] | None = None) -> "Composing":
        """Return the batch with this number, of which nothing is read yet; what is held, or odd, is left out of it.

        Args:
            number: of the batch in its run.
            work: what it is to do.
            skipped: what an earlier try has left alone, with the reason.
        """
        holding = read_holds(self.holds, self.check)
        held = self._held(holding, work)
        work = work.without(held)
        stubs = {one.facts.id: one for one in self.erasure.stubs([item for item, _ in work.records])}
        odd = self._odd(work, stubs)
        work = work.without(odd)
        return Composing(
            by=self,
            number=number,
            work=work,
            skipped={**(skipped or {}), **dict.fromkeys(held, Skip.HELD), **odd},
            holding=holding,
            destroyed=tuple(self._marked(work, stubs)),
            whole=dict(work.signals),
        )

    def _held(self, holding: Holding, work: Work) -> tuple[str, ...]:
        """Return what may not be destroyed for a hold that came since the plan, or for one that is gone since."""
        if work.fate is Fate.REMOVED:
            return ()
        new = holding.holds.keys() - self.planned.holds.keys()
        gone = self.planned.holds.keys() - holding.holds.keys()
        return tuple(
            item
            for item in work.items
            if holding.on(item, new=new) or gone.intersection(self.planned.held.get(item, ()))
        )

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

    def _marked(self, work: Work, stubs: Mapping[ArchiveId, SealedStub]) -> Iterator[SealedStub]:
        """Yield the stubs of the records to destroy as they will be."""
        for archive, revision in work.records:
            facts = replace(stubs[archive].facts, revision=revision + 1, destroyed_on=self.run.as_of)
            yield SealedStub(facts=facts, mac=self.check.mac(facts))


@dataclass(slots=True, kw_only=True)
class Composing:
    """A batch while what it touches is read; each signal once, but where `take` is called for two that it names.

    Attributes:
        work: what it is to do, without what is left alone; skipped: that, with the reasons.
        holding: every hold, as it was read for this batch.
        destroyed: stubs of the records to destroy, as they will be.
        whole: signals that go, with their revisions; redacted: those that stay, with their facts and MAC to be.
        doubted: of these, those that do not verify.
        stubs: of the records put into the archive, to create.
        near: subjects that stay, or go with another batch, in signals that this one deletes or redacts.
    """

    by: Composer
    number: int
    work: Work
    skipped: Mapping[str, Skip]
    holding: Holding
    destroyed: tuple[SealedStub, ...]
    whole: dict[SignalId, int]
    redacted: dict[SignalId, tuple[SignalFacts, bytes]] = field(default_factory=dict)
    doubted: set[str] = field(default_factory=set)
    stubs: list[SealedStub] = field(default_factory=list)
    near: set[SubjectId] = field(default_factory=set)
    _taken: set[str] = field(default_factory=set)

    def take_apart_from(self, other: "Composing") -> None:
        """Take what the other batch, which is being erased, does not touch."""
        if other.tells_near:
            self.take(other.near)

    @property
    def tells_near(self) -> bool:
        """Whether `near` is all: signals that are destroyed in their own right are not read."""
        return self.work.fate is Fate.REMOVED or not self.work.signals

    def take(self, but: Collection[str] = ()) -> None:
        """Read what signals say of all that was not taken yet, `but` these items; archive, durably, what is removed."""
        part = self.work.without(self._taken.union(but))
        self._taken.update(part.items)
        going, erasure = frozenset(item for item, _ in part.subjects), self.by.erasure
        if part.fate is Fate.REMOVED and part.items:
            signals = [item for item, _ in part.signals]
            stream = self._decided(erasure.about(going, signals), partial(erasure.contents, subjects=going))
            self.stubs += self._archived(part, stream)
        else:
            stream = self._decided(erasure.mentioning(going) if going else (), erasure.signals)
        deque(stream, maxlen=0)  # also what nothing is archived of

    def batch(self) -> ErasureBatch:
        """Return the batch, once all is taken; what does not verify is hidden before."""
        self._distrust()
        return ErasureBatch(
            number=self.number,
            fate=self.work.fate,
            subjects=self.work.subjects,
            signals=tuple(self.whole.items()),
            redacted=tuple(self.redacted.values()),
            stubs=tuple(self.stubs),
            destroyed=self.destroyed,
            holds=self.holding.seen,
            skipped=tuple(self.skipped.items()),
        )

    def _decided(
        self, read: Iterable[SealedSignal], again: Callable[..., Iterable[SealedSignal]]
    ) -> Iterator[SealedSignal]:
        """Check each signal, note what becomes of it, and pass it on; the lease is held on to meanwhile."""
        going = frozenset(item for item, _ in self.work.subjects)
        for signal, verdict in checked_signals(read, self.by.check, again):
            self.by.renew()
            yield signal
            about = [mention.facts.subject for mention in signal.mentions]
            staying = [subject for subject in about if subject not in going]
            self.near.update(staying)
            if len(staying) == len(about):
                continue
            if signal.facts.id in self.by.ended or not staying:
                self.whole[signal.facts.id] = signal.facts.revision
                continue
            facts = without(signal, going, self.by.run.as_of)
            if verdict is Verdict.VERIFIES:
                self.redacted[facts.id] = facts, self.by.check.mac(facts)
            else:  # corruption never delays a removal, and a removal never makes corruption look sound
                self.redacted[facts.id] = facts, signal.mac
                self.doubted.add(facts.id)

    def _archived(self, part: Work, signals: Iterable[SealedSignal]) -> Iterator[SealedStub]:
        """Put records of each item into the archive, and yield the stubs to create. Durable when the first is there.

        What has its stub, since a batch of several transactions was interrupted, keeps its record: that one is whole.
        """
        run, archive, erasure = self.by.run, self.by.archive, self.by.erasure
        laid = archive.laid(run.id, part.items)
        there = {one.facts.id for one in erasure.stubs(laid.values())} if laid else set()
        part = part.without([item for item, one in laid.items() if one in there])
        if not part.items:
            return
        subjects = [item for item, _ in part.subjects]
        facts = {one.subject.facts.id: one.subject.facts for one in erasure.subjects(subjects)} if subjects else {}
        to_archive = {}
        for item in part.items:
            _, destroy_on = self.by.planned.fates[item]
            own = facts.get(SubjectId(item))
            to_archive[item] = ToArchive(
                item=item,
                kind=own.kind.value if own is not None else SIGNAL,
                facts=own,
                month=(destroy_on or run.as_of).isoformat()[:7],
                removed_on=run.as_of,
                rule=self.by.planned.terms[item].rule,
            )
        new = self.holding.holds.keys() - self.by.planned.holds.keys()
        for one in archive.put(run.id, tuple(to_archive.values()), signals):
            yield self._stub(to_archive[one.item], one, new)

    def _stub(self, wanted: ToArchive, put: Archived, new: Collection[str]) -> SealedStub:
        planned = self.by.planned
        term = planned.terms[put.item]
        known = term.event in set(EventKind)
        stub = ArchivedFacts(
            id=put.archive,
            kind=wanted.kind,
            revision=1,
            removed_on=wanted.removed_on,
            destroy_on=planned.fates[put.item][1] or wanted.removed_on,
            event=term.event if known else "",
            event_on=term.event_on,
            month=put.month,
            sha256=put.sha256,
            rule=term.rule,
            holds=self.holding.on(put.item, known=planned.held.get(put.item, ()), new=new),
        )
        return SealedStub(facts=stub, mac=self.by.check.mac(stub))

    def _distrust(self) -> None:
        unseen = sorted(self.doubted - self.by.erasure.distrusted().keys()) if self.doubted else []
        if unseen:
            incident = own_entry(
                self.by.clock.now(),
                Act.INTEGRITY_INCIDENT,
                targets=tuple(unseen),
                count=len(unseen),
                detail={"code": "does-not-verify", "run": self.by.run.id},
            )
            self.by.erasure.distrust(unseen, on=self.by.run.as_of, lease=self.by.renew(), entry=incident)


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

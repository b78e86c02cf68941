"""Taking signals in (Wpg art. 3, 4 and 10): from a signal as handed in to the sealed graph.

The numbers in the comments are the steps of the flow in docs/architecture.md. A batch does each step once for all its
signals; whatever is interrupted is taken up again by handing in the same signals.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from register.acceptance import Composer, Ids, Known, strong, unstated_in
from register.accepted import AcceptedBatch
from register.access import Actor, Grant, Permission, authorise
from register.audit import Act, Entry, refused_entry
from register.backlog import Backlog
from register.clock import Clock, civil_date
from register.errors import Conflict, Fault, Invalid, NotFound, Refused, RegisterError, Unavailable
from register.handed import Answer, Handed, Receipt
from register.ids import ReceiptId
from register.interfaces import DeliveryKey, Lookup, Sealing
from register.lifetime import DeadlineOf
from register.ports import Harbours
from register.reviewing import ReviewTerms
from register.sealed import SealedBatch
from register.signals import NewSignal, canonical, check
from register.stores import HarbourNode, Seen, SignalStore, Trail

TRIES: Final = 5
RACES: Final = frozenset({"token.raced", "graph.moved"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A batch whose keys are durable, ready for the graph."""

    batch: SealedBatch
    harbours: Sequence[HarbourNode]
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A batch whose writing to the graph is under way, or over: then `writing` is None."""

    handed: Handed
    ready: _Ready | None = None
    writing: "Future[None] | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Takes signals in.

    Attributes:
        deadline: the deadline rule of the policy in force, a pure function of the day of receipt.
        review: the policy's terms of the periodic review.
        backlog: how late the runs are: nothing is taken in while they are too late.
        informant_months: the policy's term for handing on an informant's signal, in months (Wpg art. 12(2)).
    """

    lookup: Lookup
    sealing: Sealing
    store: SignalStore
    trail: Trail
    harbours: Harbours
    deadline: DeadlineOf
    review: ReviewTerms
    clock: Clock
    backlog: Backlog
    informant_months: int

    def record(self, actor: Actor, signal: NewSignal) -> Receipt:
        """Take one signal in, durable and audited when this returns.

        Raises:
            Refused: the actor is no contributor.
            Invalid: every rule the signal breaks, with the place.
            Conflict: the contributor's reference is known with other content.
            Unavailable: something needed is not there just now, or what is due was left undone for too long; handing
                in again is safe.
        """
        (answer,) = self.record_all(actor, [signal])
        if isinstance(answer, RegisterError):
            raise answer
        return answer

    def record_all(self, actor: Actor, signals: Sequence[NewSignal]) -> tuple[Answer, ...]:
        """Take a batch in; return one answer a signal, in order.

        Raises:
            Refused, Unavailable: the whole batch; handing in again is safe.
        """
        handed = self._handed_in(actor, signals)
        self._record(handed)
        return handed.in_order()

    def record_each(self, actor: Actor, batches: Iterable[Sequence[NewSignal]]) -> Iterator[tuple[Answer, ...]]:
        """Take batches in; yield the answers of each, as `record_all` does, once it is durable.

        While the graph writes one batch, the next is taken from `batches`, checked, composed and sealed upon what the
        first will have changed. Where that turns out otherwise, the next is done anew, as after an interruption.

        Raises:
            Refused, Unavailable: while iterating; what was answered is durable, handing in the rest again is safe.
        """
        begun: _Begun | None = None
        with ThreadPoolExecutor(1, thread_name_prefix="intake") as writer:
            for signals in batches:
                handed = self._handed_in(actor, signals)
                if begun is not None and begun.handed.fresh.keys() & handed.fresh.keys():
                    self._end(begun)  # a delivery comes again: what becomes of it has to be known first
                    begun = _Begun(handed=begun.handed)
                following = self._begin(handed, begun, writer)
                if begun is not None:
                    yield begun.handed.in_order()
                begun = following
            if begun is not None:
                self._end(begun)
                yield begun.handed.in_order()

    def fault(self, signals: Sequence[NewSignal]) -> tuple[Invalid | None, ...]:
        """Say what `record_all` would refuse by rule, without storing or looking up anything (a dry run)."""
        now = self.clock.now()
        return tuple(Invalid(faults) if (faults := self._faults(signal, now)) else None for signal in signals)

    def receipt(self, actor: Actor, receipt: ReceiptId) -> tuple[Receipt, bool]:
        """Return one of the actor's own receipts and whether its signal is stored.

        Raises:
            Refused: the actor is no contributor.
            NotFound: absent, or another contributor's.
        """
        grant = self._authorise(actor, Permission.RECEIPT_SEE, Act.RECEIPT_SHOW, self.clock.now())
        found = self.lookup.receipt(actor.code, receipt)
        self.trail.append([_entry(grant, Act.RECEIPT_SHOW, targets=(receipt,), count=int(found is not None))])
        if found is None:
            raise NotFound
        return Receipt(id=found.receipt, reference=""), found.done

    def _handed_in(self, actor: Actor, signals: Sequence[NewSignal]) -> Handed:
        now = self.clock.now()
        grant = self._authorise(actor, Permission.SIGNAL_RECORD, Act.SIGNAL_RECORD, now)  # 3
        self.backlog.check(now)
        answers, fresh = self._checked(actor, signals, now)  # 4
        return Handed(grant=grant, signals=signals, answers=answers, fresh=fresh)

    def _record(self, handed: Handed) -> None:
        for _ in range(TRIES):
            try:
                ready = self._made_ready(handed, None)
                if ready is not None:
                    self._write(ready)
            except Conflict as conflict:
                _only_a_race(conflict)
            else:
                return
        raise Unavailable("intake.raced", "other intakes or a purge came in between five times; hand in again")

    def _begin(self, handed: Handed, before: _Begun | None, writer: ThreadPoolExecutor) -> _Begun:
        """Make a batch ready while the one `before` is written; begin to write it once that is there."""
        undisturbed, ready = True, None
        try:
            ready = self._made_ready(handed, None if before is None else before.ready)
        except Conflict as conflict:
            _only_a_race(conflict)
            undisturbed = False
        if before is not None:
            undisturbed &= self._end(before)
        if not undisturbed:
            self._record(handed)
            return _Begun(handed=handed)
        return _Begun(handed=handed, ready=ready, writing=None if ready is None else writer.submit(self._write, ready))

    def _end(self, begun: _Begun) -> bool:
        """Wait until a batch is durable; return whether it was written as it was made ready."""
        if begun.writing is None:
            return True
        try:
            begun.writing.result()
        except Conflict as conflict:
            _only_a_race(conflict)
            self._record(begun.handed)
            return False
        return True

    def _authorise(self, actor: Actor, permission: Permission, act: Act, now: datetime) -> Grant:
        try:
            return authorise(actor, permission, as_of=now)
        except Refused as refused:
            self.trail.append([refused_entry(actor.code, actor.role, act, now, refused.code)])
            raise

    def _faults(self, signal: NewSignal, now: datetime) -> tuple[Fault, ...]:
        return check(
            signal,
            today=civil_date(now),
            harbours=self.harbours.resolves,
            deadline=lambda received_on: self.deadline(received_on).remove_by,
            informant_months=self.informant_months,
        )

    def _checked(
        self, actor: Actor, signals: Sequence[NewSignal], now: datetime
    ) -> tuple[dict[int, Answer], dict[DeliveryKey, list[int]]]:
        """Answer what breaks a rule; group the others by delivery, so that a repeat inside the batch is one signal."""
        answers: dict[int, Answer] = {}
        fresh: dict[DeliveryKey, list[int]] = {}
        for place, signal in enumerate(signals):
            if faults := self._faults(signal, now):
                answers[place] = Invalid(faults)
                continue
            places = fresh.setdefault(DeliveryKey(contributor=actor.code, reference=signal.reference), [])
            if places and canonical(signals[places[0]]) != canonical(signal):
                answers[place] = _conflict()
            else:
                places.append(place)
        return answers, fresh

    def _made_ready(self, handed: Handed, before: _Ready | None) -> _Ready | None:
        """Do steps 5 and 6 for every delivery, upon what the batch `before` will have changed; None: nothing to write.

        Raises:
            Conflict: with a code of RACES: do it again.
        """
        contents = {key: canonical(handed.signal(key)) for key in handed.fresh}
        waiting = self._waiting(handed, contents)
        if not waiting:
            return None
        todo = {key: handed.signal(key) for key in waiting}
        known, seen = self._known(todo.values(), waiting.values())
        if stored := [ids.signal for ids in waiting.values() if ids.signal in seen.signals]:
            self.sealing.settled(stored)
        composer = Composer(
            known=known if before is None else _upon(known, before.batch),
            deadline=self.deadline,
            review=self.review,
            now=handed.grant.as_of,
            contributor=handed.grant.actor.code,
        )
        entries = []
        for key, ids in waiting.items():
            if ids.signal in seen.signals:
                found = unstated_in(todo[key])
            else:
                try:
                    found = composer.add(todo[key], ids, contents[key])
                except Invalid as unknown:
                    handed.refuse(key, unknown)
                    continue
                count = len(todo[key].subjects)
                entries.append(_entry(handed.grant, Act.SIGNAL_RECORD, targets=(ids.signal,), count=count))
            handed.accept(key, ids.receipt, found, repeated=False)
        return self._sealed(composer.batch(), entries) if entries else None

    def _waiting(self, handed: Handed, contents: Mapping[DeliveryKey, bytes]) -> dict[DeliveryKey, Ids]:
        """Return the ids of the deliveries that are to be stored; the others are answered."""
        deliveries = self.lookup.deliveries(contents)  # 5
        waiting: dict[DeliveryKey, Ids] = {}
        for key in handed.fresh:
            earlier = deliveries.get(key)
            if earlier is None:
                waiting[key] = Ids.minted()
            elif not earlier.same:
                handed.refuse(key, _conflict())
            elif earlier.done:
                handed.accept(key, earlier.receipt, unstated_in(handed.signal(key)), repeated=True)
            else:
                waiting[key] = Ids(
                    signal=earlier.signal, receipt=earlier.receipt, subjects=earlier.subjects, begun=True
                )
        return waiting

    def _known(self, signals: Iterable[NewSignal], ids: Iterable[Ids]) -> tuple[Known, Seen]:
        stated = [subject for signal in signals for subject in signal.subjects]
        identifiers = self.lookup.identifiers({one for subject in stated for one in strong(subject)})
        seen = self.store.seen(
            identifiers=set(identifiers.values()),
            subjects={subject.same_as for subject in stated if subject.same_as is not None},
            signals={one.signal for one in ids if one.begun},  # nobody holds what was minted just now
        )
        known = Known(
            identifiers=identifiers,
            gone=seen.gone,
            held=frozenset(seen.carriers),
            carriers=seen.carriers,
            # What does not verify is no match candidate; the nightly run finds it and raises the incident.
            subjects={key: one.facts for key, one in seen.subjects.items() if self.sealing.verifies(one)},
        )
        return known, seen

    def _sealed(self, batch: AcceptedBatch, entries: Sequence[Entry]) -> _Ready:
        sealed = self.sealing.seal(batch)  # 6
        codes = {code for signal in batch.signals for code in signal.facts.ports}
        harbours = [_node(self.harbours, code) for code in sorted(codes)]
        return _Ready(batch=sealed, harbours=harbours, entries=entries)

    def _write(self, ready: _Ready) -> None:
        self.store.record(ready.batch, ready.harbours, ready.entries)  # 7
        self.sealing.settle(ready.batch)  # 8


def _upon(known: Known, batch: SealedBatch) -> Known:
    """Return `known` as it will be once `batch`, which is being written, is there."""
    subjects = dict(known.subjects)
    carriers = {identifier: set(those) for identifier, those in known.carriers.items()}
    for facts in (one.facts for one in (*batch.created, *batch.moved)):
        seen = subjects.get(facts.id)
        if seen is None or seen.revision < facts.revision:
            subjects[facts.id] = facts
        for identifier in facts.identifiers:
            carriers.setdefault(identifier, set()).add(facts.id)
    return replace(
        known,
        held=known.held.union(carriers),
        carriers={identifier: tuple(sorted(those)) for identifier, those in carriers.items()},
        subjects=subjects,
    )


def _only_a_race(conflict: Conflict) -> None:
    if conflict.code not in RACES:
        raise conflict


def _conflict() -> Conflict:
    return Conflict("reference.conflict", "this reference was handed in before with other content")


def _entry(grant: Grant, act: Act, *, targets: tuple[str, ...], count: int) -> Entry:
    return Entry(at=grant.as_of, actor=grant.actor.code, role=grant.actor.role, act=act, targets=targets, count=count)


def _node(harbours: Harbours, code: str) -> HarbourNode:
    found = harbours.get(code)
    if found is None:
        raise Unavailable("harbours.changed", "the table of harbours changed during an intake; hand in again")
    return HarbourNode(code=code, name=found.name, latitude=found.latitude, longitude=found.longitude)

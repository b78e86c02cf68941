"""Taking signals in (Wpg art. 3, 4 and 10): from a signal as handed in to the sealed graph.

The numbers in the comments are the steps of the flow in docs/architecture.md. A batch does each step once for all its
signals; whatever is interrupted is taken up again by handing in the same signals.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from register.acceptance import Composer, Ids, Known, strong, unstated_in
from register.accepted import AcceptedBatch
from register.access import Actor, Grant, Permission, authorise
from register.audit import Act, Entry, refused_entry
from register.backlog import Backlog
from register.clock import Clock, civil_date
from register.errors import Conflict, Fault, Invalid, NotFound, Refused, RegisterError, Unavailable
from register.ids import ReceiptId
from register.interfaces import DeliveryKey, Lookup, Sealing
from register.lifetime import DeadlineOf
from register.ports import Harbours
from register.reviewing import ReviewTerms
from register.signals import NewSignal, canonical, check
from register.stores import HarbourNode, Seen, SignalStore, Trail
from register.unstated import Found

TRIES: Final = 5
RACES: Final = frozenset({"token.raced", "graph.moved"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a contributor gets for a signal: an id of its own, which says nothing about what the register knew.

    Attributes:
        repeated: the same signal had been handed in before; this is the receipt of then.
        unstated: where its texts hold what looks like a name that it does not state, whoever that may be.
    """

    id: ReceiptId
    reference: str
    repeated: bool = False
    unstated: tuple[Found, ...] = ()


Answer = Receipt | RegisterError
"""What comes of one signal of a batch: its receipt, or `Invalid` or `Conflict`; nothing of it is then stored."""


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
        now = self.clock.now()
        grant = self._authorise(actor, Permission.SIGNAL_RECORD, Act.SIGNAL_RECORD, now)  # 3
        self.backlog.check(now)
        answers, fresh = self._checked(actor, signals, now)  # 4
        for _ in range(TRIES):
            try:
                self._store(grant, signals, fresh, answers)
            except Conflict as raced:
                if raced.code not in RACES:
                    raise
                continue
            return tuple(answers[place] for place in range(len(signals)))
        raise Unavailable("intake.raced", "other intakes or a purge came in between five times; hand in again")

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

    def _store(
        self,
        grant: Grant,
        signals: Sequence[NewSignal],
        fresh: Mapping[DeliveryKey, list[int]],
        answers: dict[int, Answer],
    ) -> None:
        """Do steps 5 to 8 for every delivery. Raises Conflict with a code of RACES: do it again."""
        contents = {key: canonical(signals[at[0]]) for key, at in fresh.items()}
        deliveries = self.lookup.deliveries(contents)  # 5
        waiting: dict[DeliveryKey, Ids] = {}
        for key, places in fresh.items():
            earlier = deliveries.get(key)
            if earlier is None:
                waiting[key] = Ids.minted()
            elif not earlier.same:
                answers.update(dict.fromkeys(places, _conflict()))
            elif earlier.done:
                found = unstated_in(signals[places[0]])
                _answer(answers, places, key, earlier.receipt, found, repeated=True)
            else:
                waiting[key] = Ids(signal=earlier.signal, receipt=earlier.receipt, subjects=earlier.subjects)
        if not waiting:
            return
        todo = {key: signals[fresh[key][0]] for key in waiting}
        known, seen = self._known(todo.values(), waiting.values())
        if stored := [ids.signal for ids in waiting.values() if ids.signal in seen.signals]:
            self.sealing.settled(stored)
        composer = Composer(
            known=known,
            deadline=self.deadline,
            review=self.review,
            now=grant.as_of,
            contributor=grant.actor.code,
        )
        entries = []
        for key, ids in waiting.items():
            places = fresh[key]
            if ids.signal in seen.signals:
                found = unstated_in(todo[key])
            else:
                try:
                    found = composer.add(todo[key], ids, contents[key])
                except Invalid as unknown:
                    answers.update(dict.fromkeys(places, unknown))
                    continue
                count = len(todo[key].subjects)
                entries.append(_entry(grant, Act.SIGNAL_RECORD, targets=(ids.signal,), count=count))
            _answer(answers, places, key, ids.receipt, found, repeated=False)
        if entries:
            self._write(composer.batch(), entries)

    def _known(self, signals: Iterable[NewSignal], ids: Iterable[Ids]) -> tuple[Known, Seen]:
        stated = [subject for signal in signals for subject in signal.subjects]
        identifiers = self.lookup.identifiers({one for subject in stated for one in strong(subject)})
        seen = self.store.seen(
            identifiers=set(identifiers.values()),
            subjects={subject.same_as for subject in stated if subject.same_as is not None},
            signals={one.signal for one in ids},
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

    def _write(self, batch: AcceptedBatch, entries: Sequence[Entry]) -> None:
        sealed = self.sealing.seal(batch)  # 6
        codes = {code for signal in batch.signals for code in signal.facts.ports}
        nodes = [_node(self.harbours, code) for code in sorted(codes)]
        self.store.record(sealed, nodes, entries)  # 7
        self.sealing.settle(sealed)  # 8


def _answer(
    answers: dict[int, Answer],
    places: list[int],
    key: DeliveryKey,
    receipt: ReceiptId,
    found: tuple[Found, ...],
    *,
    repeated: bool,
) -> None:
    for position, place in enumerate(places):
        again = repeated or position > 0
        answers[place] = Receipt(id=receipt, reference=key.reference, repeated=again, unstated=found)


def _conflict() -> Conflict:
    return Conflict("reference.conflict", "this reference was handed in before with other content")


def _entry(grant: Grant, act: Act, *, targets: tuple[str, ...], count: int) -> Entry:
    return Entry(at=grant.as_of, actor=grant.actor.code, role=grant.actor.role, act=act, targets=targets, count=count)


def _node(harbours: Harbours, code: str) -> HarbourNode:
    found = harbours.get(code)
    if found is None:
        raise Unavailable("harbours.changed", "the table of harbours changed during an intake; hand in again")
    return HarbourNode(code=code, name=found.name, latitude=found.latitude, longitude=found.longitude)

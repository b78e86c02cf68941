"""The law's terms as pure functions of a policy and of what happened. Nothing here reads a clock.

How dates come about: docs/retention.md. Wpg art. 10(6): the term runs per data subject, from the last event that shows
the necessity of processing data about that person.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Final

from register.errors import Fault, Invalid
from register.lifetime import Deadline, Event, EventKind
from register.reviewing import ReviewTerms
from retention.calendar import NOTHING, Period
from retention.rules import Combine, Policy, Rule

FLAWED: Final = frozenset({EventKind.FOUND_INCORRECT, EventKind.FOUND_UNLAWFUL})
"""Kinds of event after which data may not be kept at all, not in the archive either."""

_NOTHING: Final = Fault(
    pointer="/events",
    rule="events.none",
    message="nothing that happened starts the term, so no date can be given",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a term runs, with the arithmetic.

    Attributes:
        event, event_on: what it runs from, or what ended it; period: how long; due_on: from 00:00 of that civil date it
            is over. None, and an empty period, while no term runs: an investigation that still needs the data.
        counted: how many events counted; expired: events that came when the term was over already.
        flaw: the first finding that the data are incorrect or unlawful; it counts whenever it comes.
        removed_on: when it was taken out of the live register, unless an order brought it back since.
        returned: the order that did so.
    """

    rule: Rule
    event: EventKind | None
    event_on: date | None
    period: Period
    due_on: date | None
    counted: int
    expired: tuple[Event, ...] = ()
    flaw: Event | None = None
    removed_on: date | None = None
    returned: Event | None = None

    @property
    def because(self) -> tuple[str, ...]:
        """The arithmetic in words, one step an item."""
        return (*self._steps(), *map(_expired, self.expired))

    def _steps(self) -> list[str]:
        if self.due_on is None:
            waits = " or ".join(sorted(self.rule.starts))
            return [f"no term runs yet: it starts with {waits} ({self.rule.citation})"]
        if self.event is None:
            return [f"written down beforehand: until {self.due_on} ({self.rule.citation})"]
        count = (
            "1 event counts" if self.counted == 1 else f"{self.counted} events count; {_DECIDING[self.rule.combine]}"
        )
        steps = [f"{count}: {self.event} of {self.event_on}"]
        if self.period == NOTHING:
            return [*steps, f"it ends the term at once, on {self.due_on}"]
        leap = ": there is no 29 February, the earlier day is the stricter" if self._leap else ""
        steps.append(f"{self.event_on} + {self.period.words} = {self.due_on}{leap}")
        if self.due_on.isoweekday() > 5:
            day = "Saturday" if self.due_on.isoweekday() == 6 else "Sunday"
            steps.append(f"{self.due_on} is a {day}: such a term is not moved (Algemene termijnenwet art. 4(a))")
        return steps

    @property
    def _leap(self) -> bool:
        from_, to = self.event_on, self.due_on
        return from_ is not None and to is not None and (from_.month, from_.day) == (2, 29) and to.day == 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoned(Course):
    """A course of which a term runs."""

    event: EventKind
    event_on: date
    due_on: date

    @property
    def because(self) -> tuple[str, ...]:
        """The arithmetic in words, one step an item."""
        return (*self._steps(), *map(_expired, self.expired), f"invisible from 00:00 of {self.due_on}, Amsterdam time")

    @property
    def deadline(self) -> Deadline:
        """The same in the register's words."""
        return Deadline(
            remove_by=self.due_on, rule=self.rule.id, citation=str(self.rule.citation), because=self.because
        )


_DECIDING: Final = {
    Combine.LATEST: "the latest",
    Combine.EARLIEST: "the earliest",
    Combine.ALL: "the one that made them complete",
}


def _expired(event: Event) -> str:
    return f"{event.kind} of {event.on} does not count: accepted on {event.accepted_on}, when the term had ended"


def follow(
    rule: Rule, events: Iterable[Event], *, removed_on: date | None = None, written_until: date | None = None
) -> Course:
    """Return how the term of `rule` runs, from what happened; in any order.

    An event that starts the term counts only if it was accepted before the date that the events accepted on earlier
    days gave, and not after a removal: what has expired is not revived, but by an order (Wpg art. 14(3)). Corrections
    and queries never count; a correction on the day on which data were found incorrect makes them right.

    Args:
        rule: the one rule of the record.
        events: what happened; all of it is known, nothing lies in the future.
        removed_on: when it was taken out of the live register.
        written_until: the end of a term that was written down beforehand; for a `written` rule only.

    Raises:
        Invalid: rule `events.none`: nothing that happened starts or ends the term.
    """
    events = list(events)
    rectified = {event.on for event in events if event.kind is EventKind.CORRECTION}
    counting = [
        event
        for event in events
        if _counts(rule, event) and not (event.kind is EventKind.FOUND_INCORRECT and event.on in rectified)
    ]
    counting.sort(key=attrgetter("accepted_on", "on", "kind"))
    following = _Following(rule=rule, due_on=written_until, removed_on=removed_on)
    for day, accepted in groupby(counting, key=attrgetter("accepted_on")):
        over = following.over(day)
        # what ends the term has the last word of its day
        for event in sorted(accepted, key=lambda event: event.kind in rule.ends):
            following.take(event, over)
    return following.course()


@dataclass(slots=True, kw_only=True)
class _Following:
    """A term while its events are gone through, those accepted first coming first."""

    rule: Rule
    due_on: date | None
    removed_on: date | None
    from_: Event | None = None
    flaw: Event | None = None
    returned: Event | None = None
    counted: int = 0
    expired: list[Event] = field(default_factory=list)
    _seen: dict[EventKind, date] = field(default_factory=dict)

    def over(self, day: date) -> bool:
        """Say whether what is accepted on `day` comes too late to count."""
        ended = self.due_on is not None and day >= self.due_on
        return ended or (self.removed_on is not None and day > self.removed_on)

    def take(self, event: Event, over: bool) -> None:
        """Count with the next event."""
        if event.kind in self.rule.ends:
            self._end(event, over)
        elif self._brings_back(event, over):
            self._return(event)
        elif over:
            self.expired.append(event)
        else:
            self._start(event)

    def course(self) -> Course:
        if self.counted == 0 and not self.rule.written:
            raise Invalid([_NOTHING])
        from_ = self.from_
        ended = from_ is None or from_.kind in self.rule.ends
        return Course(
            rule=self.rule,
            event=None if from_ is None else from_.kind,
            event_on=None if from_ is None else from_.on,
            period=NOTHING if ended else self.rule.term,
            due_on=self.due_on,
            counted=self.counted,
            expired=tuple(self.expired),
            flaw=self.flaw,
            removed_on=self.removed_on,
            returned=self.returned,
        )

    def _brings_back(self, event: Event, over: bool) -> bool:
        gone = over or (self.removed_on is not None and event.accepted_on >= self.removed_on)
        return gone and self.flaw is None and self.rule.revives(event.kind)

    def _return(self, event: Event) -> None:
        """Begin anew: back under its own event (Wpg art. 14(3)), whatever else a term waits for at first."""
        self.removed_on, self.returned = None, event
        self.counted += 1
        starts = event.kind in self.rule.starts
        self.from_ = event if starts else None
        self.due_on = self.rule.term.after(event.on) if starts else None

    def _end(self, event: Event, over: bool) -> None:
        if event.kind in FLAWED:
            if self.flaw is None or event.on < self.flaw.on:
                self.flaw = event
        elif over and self.removed_on is not None:
            self.expired.append(event)
            return
        if self.due_on is None or event.on < self.due_on:
            self.due_on, self.from_ = event.on, event
            self.counted += 1

    def _start(self, event: Event) -> None:
        self.counted += 1
        if event.kind in self.rule.opens:
            return
        due_on, from_, earlier = self.rule.term.after(event.on), event, False
        if self.rule.combine is Combine.EARLIEST:
            earlier = self.due_on is not None and due_on < self.due_on
        elif self.rule.combine is Combine.ALL:
            self._seen[event.kind] = min(event.on, self._seen.get(event.kind, event.on))
            if len(self._seen) < len(self.rule.starts):
                return
            kind, on = max(self._seen.items(), key=itemgetter(1))
            due_on, earlier = self.rule.term.after(on), True
            from_ = replace(event, kind=kind, on=on)
        later = self.rule.combine is Combine.LATEST and self.due_on is not None and due_on > self.due_on
        if self.due_on is None or earlier or later:
            self.due_on, self.from_ = due_on, from_


def reckon(policy: Policy, events: Iterable[Event]) -> Reckoned:
    """Return how the term of the register's own ground runs for a subject.

    Raises:
        Invalid: rule `events.none`: nothing that happened starts or ends the term.
    """
    course = follow(policy.rule, events)
    if course.event is None or course.event_on is None or course.due_on is None:
        raise Invalid([_NOTHING])
    return Reckoned(
        rule=course.rule,
        event=course.event,
        event_on=course.event_on,
        period=course.period,
        due_on=course.due_on,
        counted=course.counted,
        expired=course.expired,
        flaw=course.flaw,
    )


def subject_deadline(policy: Policy, events: Iterable[Event]) -> Deadline:
    """Return what `reckon` comes to, in the register's words. Raises Invalid as `reckon` does."""
    return reckon(policy, events).deadline


def deadline(policy: Policy, received_on: date) -> Deadline:
    """Return the deadline that one signal gives, received and accepted on civil date `received_on`."""
    return subject_deadline(policy, [signal_event(received_on, received_on)])


def by_order(policy: Policy, ordered_on: date) -> Deadline:
    """Return the deadline that an order of civil date `ordered_on` gives (Wpg art. 14(3))."""
    return subject_deadline(policy, [Event(on=ordered_on, kind=EventKind.ORDER, accepted_on=ordered_on)])


def review_terms(policy: Policy) -> ReviewTerms:
    """Return the policy's terms of the periodic review of a person; one that knows none looks at nothing, ever."""
    check = policy.rule.check
    if check is None:
        return ReviewTerms(due=_never, hides=_never, ends=_never)
    # An intake asks for the same few days again and again.
    due, hides, ends = (lru_cache(4096)(one.after) for one in (check.interval, check.restricted, check.ended))
    return ReviewTerms(due=due, hides=hides, ends=ends)


def _never(_: date) -> date:
    return date.max


def signal_event(received_on: date, accepted_on: date) -> Event:
    """Return the acceptance of a signal as an event, dated by the contributor's receipt: the stricter day."""
    return Event(on=received_on, kind=EventKind.SIGNAL, accepted_on=accepted_on)


def _counts(rule: Rule, event: Event) -> bool:
    if event.kind is EventKind.NECESSITY_DECISION and not event.new_information:
        return False  # still needed, but nothing new: keeps a subject in sight, moves no date
    return event.kind in rule.starts | rule.opens | rule.ends

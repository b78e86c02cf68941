"""The law's terms as pure functions of a policy and of what happened. Nothing here reads a clock.

How dates come about: docs/retention.md. Wpg art. 10(6): the term runs per data subject, from the last event that shows
the necessity of processing data about that person.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter

from register.errors import Fault, Invalid
from register.lifetime import Deadline, Event, EventKind
from register.reviewing import ReviewTerms
from retention.calendar import NOTHING, Period, Unit
from retention.rules import Policy, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoned:
    """A deadline with the arithmetic that gave it.

    Attributes:
        event, event_on: what the term runs from; period: how long; due_on: from 00:00 of that civil date it is over.
        counted: how many events counted; expired: events that came when the term was over already.
    """

    rule: Rule
    event: EventKind
    event_on: date
    period: Period
    due_on: date
    counted: int
    expired: tuple[Event, ...]

    @property
    def because(self) -> tuple[str, ...]:
        """The arithmetic in words, one step an item."""
        count = "1 event counts" if self.counted == 1 else f"{self.counted} events count; the latest"
        steps = [f"{count}: {self.event} of {self.event_on}"]
        if self.period == NOTHING:
            steps.append(f"it ends the term at once, on {self.due_on}")
        else:
            leap = ": there is no 29 February, the earlier day is the stricter" if self._leap else ""
            steps.append(f"{self.event_on} + {self.period.words} = {self.due_on}{leap}")
            if self.due_on.isoweekday() > 5:
                day = "Saturday" if self.due_on.isoweekday() == 6 else "Sunday"
                steps.append(f"{self.due_on} is a {day}: such a term is not moved (Algemene termijnenwet art. 4(a))")
        steps.extend(
            f"{event.kind} of {event.on} does not count: accepted on {event.accepted_on}, when the term had ended"
            for event in self.expired
        )
        return (*steps, f"invisible from 00:00 of {self.due_on}, Amsterdam time")

    @property
    def deadline(self) -> Deadline:
        """The same in the register's words."""
        return Deadline(
            remove_by=self.due_on, rule=self.rule.id, citation=str(self.rule.citation), because=self.because
        )

    @property
    def _leap(self) -> bool:
        return (self.event_on.month, self.event_on.day) == (2, 29) and self.due_on.day == 28


def reckon(policy: Policy, events: Iterable[Event]) -> Reckoned:
    """Return the one date of a subject, or of a signal that names nobody, from what happened; in any order.

    An event that starts the term counts only if it was accepted before the date that the events accepted on earlier
    days gave: what has expired is not revived, but by an order (Wpg art. 14(3)). Corrections and queries never count.

    Raises:
        Invalid: rule `events.none`: nothing that happened starts or ends the term of the policy's rule.
    """
    rule = policy.rule
    counting = sorted((event for event in events if _counts(rule, event)), key=attrgetter("accepted_on", "on", "kind"))
    latest: Event | None = None
    due_on = date.max
    counted = 0
    expired: list[Event] = []
    for day, accepted in groupby(counting, key=attrgetter("accepted_on")):
        over = latest is not None and day >= due_on
        # what ends the term has the last word of its day
        for event in sorted(accepted, key=lambda event: event.kind in rule.ends):
            if event.kind in rule.ends:
                if latest is None or event.on < due_on:
                    latest, due_on, counted = event, event.on, counted + 1
            elif over and event.kind is not EventKind.ORDER:
                expired.append(event)
            else:
                counted += 1
                if latest is None or rule.term.after(event.on) > due_on:
                    latest, due_on = event, rule.term.after(event.on)
    if latest is None:
        message = "nothing that happened starts the term, so no date can be given"
        raise Invalid([Fault(pointer="/events", rule="events.none", message=message)])
    return Reckoned(
        rule=rule,
        event=latest.kind,
        event_on=latest.on,
        period=NOTHING if latest.kind in rule.ends else rule.term,
        due_on=due_on,
        counted=counted,
        expired=tuple(expired),
    )


def subject_deadline(policy: Policy, events: Iterable[Event]) -> Deadline:
    """Return what `reckon` comes to, in the register's words. Raises Invalid as `reckon` does."""
    return reckon(policy, events).deadline


def deadline(policy: Policy, received_on: date) -> Deadline:
    """Return the deadline that one signal gives, received and accepted on civil date `received_on`."""
    return subject_deadline(policy, [signal_event(received_on, received_on)])


def review_terms() -> ReviewTerms:
    """Return the terms of the periodic review: yearly; 30 days late it hides, 90 days late it ends (our own choice)."""
    return ReviewTerms(
        due=Period(count=12, unit=Unit.MONTHS).after,
        hides=Period(count=30, unit=Unit.DAYS).after,
        ends=Period(count=90, unit=Unit.DAYS).after,
    )


def signal_event(received_on: date, accepted_on: date) -> Event:
    """Return the acceptance of a signal as an event, dated by the contributor's receipt: the stricter day."""
    return Event(on=received_on, kind=EventKind.SIGNAL, accepted_on=accepted_on)


def _counts(rule: Rule, event: Event) -> bool:
    if event.kind is EventKind.NECESSITY_DECISION and not event.new_information:
        return False  # still needed, but nothing new: keeps a subject in sight, moves no date
    return event.kind in rule.starts or event.kind in rule.ends

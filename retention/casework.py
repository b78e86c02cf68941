"""From what the register keeps about a subject to the case that `assess` decides, and to the dates stamped on it."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from register.archived import ArchivedFacts
from register.decisions import ActKind, Decision, decode_all
from register.dossiers import HoldFacts
from register.grading import SubjectKind
from register.lifetime import Event, EventKind, HoldSpan, Review, ReviewOutcome
from register.reviewing import Dates
from register.runs import SubjectRecord
from retention.assessment import Assessment, Case, assess
from retention.rules import Policy
from retention.terms import signal_event

SIGNAL: Final = "signal"
"""What a stub calls a signal; a subject by its kind."""

_EVENTS: Final = {
    ActKind.NECESSITY: EventKind.NECESSITY_DECISION,
    ActKind.NO_LONGER_NECESSARY: EventKind.NO_LONGER_NECESSARY,
    ActKind.FOUND_INCORRECT: EventKind.FOUND_INCORRECT,
    ActKind.FOUND_UNLAWFUL: EventKind.FOUND_UNLAWFUL,
    ActKind.ORDER: EventKind.ORDER,
    ActKind.CORRECTION: EventKind.CORRECTION,
}
"""What the kinds of decision are in the law. Restrictions hide and move no date; a review is no event."""


def case_of(policy: Policy, record: SubjectRecord, holds: Iterable[HoldFacts] = ()) -> Case:
    """Return the case of a live subject: its signals, the decisions taken about it, and the holds on it.

    Raises:
        Tampered: a line of its acts is none that this register wrote.
    """
    facts = record.subject.facts
    decided = decode_all(facts.acts)
    return Case(
        kind=facts.kind,
        ground=policy.ground,
        events=(
            *(signal_event(*dates) for dates in record.signals),
            *decided_events(decided),
        ),
        reviews=tuple(
            Review(on=one.on, outcome=ReviewOutcome.STILL_NEEDED) for one in decided if one.kind is ActKind.REVIEW
        ),
        # lifted before its first day, it never was one
        holds=tuple(span(hold) for hold in holds if hold.last_day is None or hold.last_day >= hold.from_),
    )


def stub_case(policy: Policy, facts: ArchivedFacts) -> Case:
    """Return the case of a removed record, as far as its stub still tells it; without holds."""
    kind = None if facts.kind == SIGNAL else SubjectKind(facts.kind)
    if facts.event:
        began, on = EventKind(facts.event), facts.event_on
    else:
        starts = policy.rule_for(policy.ground, kind).starts
        began, on = next(one for one in EventKind if one in starts), facts.removed_on - timedelta(days=1)
    event = Event(on=on, kind=began, accepted_on=on, new_information=True)
    return Case(kind=kind, ground=policy.ground, events=(event,), removed_on=facts.removed_on)


def decided_events(decided: Iterable[Decision]) -> tuple[Event, ...]:
    """Return what decisions about a subject or a signal are in the law, those that move no date left out."""
    return tuple(
        Event(
            on=one.on,
            kind=_EVENTS[one.kind],
            accepted_on=one.accepted_on,
            new_information=one.kind is ActKind.NECESSITY,
        )
        for one in decided
        if one.kind in _EVENTS
    )


def span(hold: HoldFacts) -> HoldSpan:
    """Return the days on which a hold puts off destruction."""
    return HoldSpan(ground=hold.ground, from_=hold.from_, until=hold.last_day)


def dates_of(policy: Policy, record: SubjectRecord, on: date) -> Dates:
    """Return the dates to stamp on a subject on civil date `on`, with their rule; W1 to W13 of law.md.

    A subject that is to be removed keeps the date of its next review: nothing asks for it any more.

    Raises:
        Invalid: nothing that happened gives it a date. Tampered: a line of its acts was not written here.
    """
    told: Assessment = assess(policy, case_of(policy, record), on)
    remove_by = told.remove_by or on
    return Dates(
        remove_by=remove_by,
        review_by=told.review_by or record.subject.facts.review_by,
        hidden_from=min(told.hidden_from or remove_by, remove_by),
        rule=told.rule,
        citation=told.citation,
        because=told.because,
    )

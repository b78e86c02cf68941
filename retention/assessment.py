"""What the law and the policy say of one record on one day: the one function that evaluation and runs share.

Pure: facts, policy and date go in; nothing is read or remembered. How dates come about: docs/retention.md.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from register.errors import Fault, Invalid
from register.grading import SubjectKind
from register.lifetime import (
    VISIBLE,
    Event,
    EventKind,
    HoldGround,
    HoldSpan,
    Review,
    ReviewOutcome,
    State,
)
from retention.calendar import DAY, Period
from retention.rules import Check, Ground, Outcome, Policy, Rule
from retention.terms import Course, follow


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The facts about one record, in any order. Dates are civil dates in Europe/Amsterdam.

    Attributes:
        kind: of subject; None for a signal that names nobody.
        ground: the article under which it is processed.
        removed_on: when it was taken out of the live register, if it was.
        written_until: the day on which a term written down beforehand is over (Wpg art. 13(4)); for that ground only.
    """

    kind: SubjectKind | None
    ground: Ground
    events: tuple[Event, ...]
    reviews: tuple[Review, ...] = ()
    holds: tuple[HoldSpan, ...] = ()
    removed_on: date | None = None
    written_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Where a record stands on a day, and its dates; one that does not apply, yet or any more, is None.

    Attributes:
        review_by: the last day on which its next review is on time; only while it is in the live register and no
            removal is due.
        hidden_from: the first civil date on which it is invisible if nothing more happens.
        ends_on: the civil date on which it leaves the live register if nothing more happens, by its term or for want of
            a review; None while no term runs, and once it was removed.
        remove_by: the civil date from whose 00:00 on it is invisible and on which it is removed; until it is.
        destroy_on: the civil date on which it is destroyed: once it was removed, or when it goes without an archive.
        rule, citation: the one rule in force, and its articles.
        event, event_on, period: what the term runs from (or what ended it), and how long it is; None while none runs.
        because: the arithmetic in words, one step an item.
    """

    state: State
    review_by: date | None
    hidden_from: date | None
    ends_on: date | None
    remove_by: date | None
    destroy_on: date | None
    rule: str
    citation: str
    event: EventKind | None
    event_on: date | None
    period: Period
    because: tuple[str, ...]

    @property
    def visible(self) -> bool:
        """Whether it may be shown on that day."""
        return self.state in VISIBLE


def assess(policy: Policy, case: Case, on: date) -> Assessment:
    """Return where `case` stands on civil date `on`. Facts dated after `on` are ignored.

    Raises:
        Invalid: it cannot be computed; every fault, with pointers into the case.
    """
    rule = _checked(policy, case)
    case = _known(case, on)
    course = follow(rule, _events(case), removed_on=case.removed_on, written_until=case.written_until)
    review = _review(rule.check, case, course)
    overdue = review if review is not None and on > review.by else None
    remove_by = _first(course.due_on, overdue.ended_on if overdue else None)
    hidden_from = _first(course.due_on, review.hidden_on if review else None, course.removed_on)
    endings = tuple(_endings(policy, course, remove_by, on))
    destroy_on = _first(*(_free(ending, case.holds, on) for ending in endings))
    if destroy_on is not None and destroy_on <= on:
        state = State.DESTRUCTION_DUE
    elif course.removed_on is not None:
        state = State.REMOVED
    elif remove_by is not None and remove_by <= on:
        state = State.REMOVAL_DUE
    elif hidden_from is not None and hidden_from <= on:
        state = State.RESTRICTED
    else:
        state = State.ACTIVE if overdue is None else State.REVIEW_OVERDUE
    flaw = course.flaw and policy.flaw(course.flaw.kind)
    cited = [str(flaw.citation if flaw else rule.citation)]
    if course.removed_on is not None and policy.archive is not None and flaw is None:
        cited.append(str(policy.archive.citation))
    reviewable = state in _REVIEWABLE
    return Assessment(
        state=state,
        review_by=review.by if review and reviewable else None,
        hidden_from=hidden_from,
        ends_on=None if course.removed_on else _first(course.due_on, review.ended_on if review else None),
        remove_by=None if course.removed_on else remove_by,
        destroy_on=destroy_on,
        rule=flaw.id if flaw else rule.id,
        citation="; ".join(cited),
        event=course.event,
        event_on=course.event_on,
        period=course.period,
        because=(
            *course.because,
            *(_reviewing(review, overdue) if review and reviewable else ()),
            *_leaving(course, overdue, remove_by, on),
            *_held(endings, destroy_on),
        ),
    )


_REVIEWABLE: Final = frozenset({State.ACTIVE, State.REVIEW_OVERDUE, State.RESTRICTED})


def _checked(policy: Policy, case: Case) -> Rule:
    """Return the one rule of the case, after every check of its facts."""
    faults = []
    rule: Rule | None = None
    try:
        rule = policy.rule_for(case.ground, case.kind)
    except LookupError:
        faults.append(Fault(pointer="/ground", rule="case.no-rule", message="the policy has no rule for such data"))
    if rule is not None and rule.written != (case.written_until is not None):
        message = "a term written down beforehand is needed" if rule.written else "this ground knows no written term"
        faults.append(Fault(pointer="/written_term", rule="case.written-term", message=message))
    for place, event in enumerate(case.events):
        if event.accepted_on < event.on:
            faults.append(accepted_early(f"/events/{place}/accepted_on"))
    for place, hold in enumerate(case.holds):
        if hold.until is not None and hold.until < hold.from_:
            faults.append(ended_early(f"/holds/{place}/until"))
        if all(known.ground is not hold.ground for known in policy.holds):
            message = "the policy knows no hold on this ground"
            faults.append(Fault(pointer=f"/holds/{place}/ground", rule="case.hold-ground", message=message))
    if faults or rule is None:
        raise Invalid(faults)
    return rule


def accepted_early(pointer: str) -> Fault:
    """Return the fault of an event that was accepted before its own day."""
    return Fault(pointer=pointer, rule="case.order", message="accepted before it happened")


def ended_early(pointer: str) -> Fault:
    """Return the fault of a hold whose last day comes before its first."""
    return Fault(pointer=pointer, rule="case.order", message="ends before it begins")


def _known(case: Case, on: date) -> Case:
    """Return the case as far as it is known on `on`. The end of a hold or of a written term may lie ahead."""
    return replace(
        case,
        events=tuple(event for event in case.events if event.on <= on and event.accepted_on <= on),
        reviews=tuple(review for review in case.reviews if review.on <= on),
        holds=tuple(hold for hold in case.holds if hold.from_ <= on),
        removed_on=case.removed_on if case.removed_on is not None and case.removed_on <= on else None,
    )


def _events(case: Case) -> Iterator[Event]:
    """Yield the events; a review that finds new information, or data no longer necessary, is one."""
    yield from case.events
    for review in case.reviews:
        if review.outcome is ReviewOutcome.NO_LONGER_NECESSARY:
            yield Event(on=review.on, kind=EventKind.NO_LONGER_NECESSARY, accepted_on=review.on)
        elif review.outcome is ReviewOutcome.NEW_INFORMATION:
            yield Event(on=review.on, kind=EventKind.NECESSITY_DECISION, accepted_on=review.on, new_information=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Review:
    """When the next review is due, and from which day on one that nobody made hides the record, and ends it."""

    check: Check
    from_: str
    by: date
    hidden_on: date
    ended_on: date


def _review(check: Check | None, case: Case, course: Course) -> _Review | None:
    """Return when the next review is due: so long after the latest entry of a signal, decision, order or review.

    What a decision has ended needs none; and one that was missed before is not replayed: it was decided, if late.
    """
    if check is None or course.event in course.rule.ends:
        return None
    expired = frozenset(course.expired)
    counted = [(review.on, "review") for review in case.reviews]
    for event in case.events:
        if event.kind in check.starts and event not in expired:
            counted.append((event.accepted_on if event.kind in _ENTERED else event.on, event.kind.value))
    if not counted:
        return None
    on, kind = max(counted)
    by = check.interval.after(on)
    return _Review(
        check=check,
        from_=f"{kind} of {on}" if kind not in _ENTERED else f"{kind} accepted on {on}",
        by=by,
        hidden_on=check.restricted.after(by),
        ended_on=check.ended.after(by),
    )


_ENTERED: Final = frozenset({EventKind.SIGNAL, EventKind.FIRST_PROCESSING})
"""Kinds that bring data in, so that a check counts from the day of their acceptance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """From which day on something is destroyed, why, and on which grounds a hold puts that off."""

    on: date
    because: str
    held_by: frozenset[HoldGround]


def _endings(policy: Policy, course: Course, remove_by: date | None, on: date) -> Iterator[_Ending]:
    """Yield why it would be destroyed, if it would: the earliest counts."""
    rule, every = course.rule, frozenset(hold.ground for hold in policy.holds)
    outcome = rule.early if course.event is EventKind.NO_LONGER_NECESSARY else rule.outcome
    removed_on = course.removed_on
    if removed_on is not None and policy.archive is not None and outcome is Outcome.ARCHIVE_THEN_DESTROY:
        kept, archive = policy.archive.term.after(removed_on), policy.archive
        because = f"removed on {removed_on}; {removed_on} + {archive.term.words} = {kept}; destroyed on the day after"
        yield _Ending(on=DAY.after(kept), because=f"{because} ({archive.citation})", held_by=every)
    elif removed_on is not None or (remove_by is not None and remove_by <= on and outcome is Outcome.DESTROY):
        ended_on = removed_on or remove_by or on
        because = f"destroyed at once, without an archive, on {ended_on} ({rule.citation})"
        yield _Ending(on=ended_on, because=because, held_by=every)
    if course.flaw is not None:
        flaw = policy.flaw(course.flaw.kind)
        because = f"{course.flaw.kind} on {course.flaw.on}: destroyed at once, without an archive"
        cited = f"{because} ({flaw.citation})" if flaw else because
        yield _Ending(on=course.flaw.on, because=cited, held_by=flaw.held_by if flaw else every)


def _free(ending: _Ending, holds: Iterable[HoldSpan], on: date) -> date | None:
    """Return the first day without a hold from the ending on; None while a hold has no end.

    A hold that came when the destruction was already due stops it too, as long as it stands on `on`.
    """
    spans = sorted((hold for hold in holds if hold.ground in ending.held_by), key=lambda hold: hold.from_)
    first = _first_free(ending.on, spans)
    if first is not None and first < on and (now := _first_free(on, spans)) != on:
        return now
    return first


def _first_free(day: date, spans: Iterable[HoldSpan]) -> date | None:
    for span in spans:
        if span.from_ <= day and (span.until is None or span.until >= day):
            if span.until is None or span.until == date.max:
                return None
            day = DAY.after(span.until)
    return day


def _first(*days: date | None) -> date | None:
    return min((day for day in days if day is not None), default=None)


def _reviewing(review: _Review, overdue: _Review | None) -> Iterator[str]:
    interval, cited = review.check.interval.words, review.check.citation
    yield f"next review by {review.by}: {interval} after the {review.from_} ({cited})"
    if overdue is not None:
        yield f"overdue since {DAY.after(review.by)}: hidden from {review.hidden_on}, at its end on {review.ended_on}"


def _leaving(course: Course, overdue: _Review | None, remove_by: date | None, on: date) -> Iterator[str]:
    rule = course.rule
    if course.returned is not None:
        yield f"brought back by the order of {course.returned.on}: the archived copy is void"
    if course.removed_on is not None:
        return
    if overdue is not None and overdue.ended_on == remove_by and remove_by <= on:
        yield f"nobody reviewed it by {overdue.by}; {overdue.check.ended.words} later is {remove_by}"
    if remove_by is not None:
        yield f"invisible from 00:00 of {remove_by}, Amsterdam time"
    if rule.searchable is not None and course.event_on is not None and course.event in rule.starts:
        until = rule.searchable.after(course.event_on)
        yield f"searched freely until {until}, later by comparison only ({rule.citation})"


def _held(endings: Iterable[_Ending], destroy_on: date | None) -> Iterator[str]:
    first = min(endings, key=lambda ending: ending.on, default=None)
    if first is None:
        return
    yield first.because
    if destroy_on != first.on:
        until = f"destroyed on {destroy_on}, the first day without one" if destroy_on else "it has no end yet"
        yield f"a hold puts destruction off: {until}"

"""What holds of every case, whatever its facts: nothing un-expires, no maximum is passed, no hold lets anybody look."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from register.errors import Invalid
from register.grading import SubjectKind
from register.lifetime import Event, EventKind, HoldGround, HoldSpan, Review, ReviewOutcome, State
from retention.assessment import Assessment, Case, assess
from retention.calendar import Period
from retention.policy import shipped
from retention.rules import Ground

POLICY = shipped("2020-01-01-theme-bribery.toml")
FIRST, LAST = date(2015, 1, 1), date(2045, 12, 31)
PROGRESS = tuple(State)
FIVE, TEN, HALF = map(Period.parse, ("P5Y", "P10Y", "P6M"))
ENDS = {EventKind.NO_LONGER_NECESSARY, EventKind.FOUND_INCORRECT, EventKind.FOUND_UNLAWFUL}

days = st.dates(min_value=FIRST, max_value=LAST) | st.sampled_from(
    [date(2024, 2, 29), date(2024, 2, 28), date(2024, 3, 1), date(2026, 3, 29), date(2026, 10, 25)]
)


@st.composite
def events(draw, kinds=tuple(EventKind)):
    on = draw(days)
    later = draw(st.sampled_from([0, 0, 0, 1, 30, 2000]))
    return Event(
        on=on,
        kind=draw(st.sampled_from(kinds)),
        accepted_on=on + timedelta(days=later),
        new_information=draw(st.booleans()),
    )


reviews = st.builds(Review, on=days, outcome=st.sampled_from([ReviewOutcome.STILL_NEEDED] * 5 + [*ReviewOutcome]))


@st.composite
def holds(draw):
    from_ = draw(days)
    until = draw(st.none() | st.integers(0, 3000).map(lambda passed: from_ + timedelta(days=passed)))
    return HoldSpan(ground=draw(st.sampled_from(HoldGround)), from_=from_, until=until)


@st.composite
def cases(draw, grounds=tuple(Ground)):
    ground = draw(st.sampled_from(grounds))
    return Case(
        kind=draw(st.sampled_from([None, *SubjectKind])),
        ground=ground,
        events=tuple(draw(st.lists(events(), min_size=1, max_size=7))),
        reviews=tuple(draw(st.lists(reviews, max_size=6))),
        holds=tuple(draw(st.lists(holds(), max_size=4))),
        removed_on=draw(st.none() | days),
        written_until=draw(days) if ground is Ground.WPG_13 else None,
    )


def found(case: Case, on: date) -> Assessment:
    try:
        return assess(POLICY, case, on)
    except Invalid as invalid:
        assume([fault.rule for fault in invalid.faults] != ["events.none"])
        raise


def known(case: Case, on: date) -> Case:
    """Leave out what is dated after `on`, by another way than the code's."""
    return replace(
        case,
        events=tuple(one for one in case.events if max(one.on, one.accepted_on) <= on),
        reviews=tuple(one for one in case.reviews if not one.on > on),
        holds=tuple(one for one in case.holds if not one.from_ > on),
        removed_on=None if case.removed_on is None or case.removed_on > on else case.removed_on,
    )


def without_words(one: Assessment) -> Assessment:
    return replace(one, because=())


@given(cases(), days)
def test_facts_of_later_days_change_nothing(case, on):
    assert found(case, on) == assess(POLICY, known(case, on), on)


@given(cases(), days, st.randoms())
def test_order_and_repetition_are_irrelevant(case, on, random):
    first = found(case, on)
    assert assess(POLICY, case, on) == first
    parts = [list(part) * 2 for part in (case.events, case.reviews, case.holds)]
    for part in parts:
        random.shuffle(part)
    mixed = replace(case, events=tuple(parts[0]), reviews=tuple(parts[1]), holds=tuple(parts[2]))
    assert without_words(assess(POLICY, mixed, on)) == without_words(first)


@given(cases(), days, st.integers(1, 4000))
def test_more_time_never_un_expires(case, on, passed):
    """The facts being the same, a record only goes on its way: what is invisible stays so."""
    case, later = known(case, on), min(on + timedelta(days=passed), LAST)
    assume(later > on)
    before, after = found(case, on), found(case, later)
    assert PROGRESS.index(after.state) >= PROGRESS.index(before.state)
    assert before.visible or not after.visible


@given(cases(), days)
def test_what_is_visible_is_not_hidden_yet(case, on):
    one = found(case, on)
    assert one.visible == (one.hidden_from is None or on < one.hidden_from)
    if one.remove_by is not None:
        assert one.hidden_from is not None
        assert one.hidden_from <= one.remove_by
    if one.state is State.DESTRUCTION_DUE:
        assert one.destroy_on is not None
        assert one.destroy_on <= on


@given(cases(), days, st.lists(holds(), min_size=1, max_size=3))
def test_a_hold_never_lengthens_what_is_seen_and_never_hastens_a_destruction(case, on, more):
    bare = replace(case, holds=())
    free, held = found(bare, on), found(replace(case, holds=(*case.holds, *more)), on)
    assert (held.visible, held.hidden_from, held.remove_by, held.review_by) == (
        free.visible,
        free.hidden_from,
        free.remove_by,
        free.review_by,
    )
    if free.destroy_on is not None:
        assert held.destroy_on is None or held.destroy_on >= free.destroy_on
    if held.state is State.DESTRUCTION_DUE:
        spans = [one for one in (*case.holds, *more) if one.from_ <= on and (one.until is None or one.until >= on)]
        assert not spans or held.rule.startswith("flaw.")


def _maximum(case: Case, on: date) -> date | None:
    """Return the latest day that the Act allows, from nothing but the table of terms."""
    facts = known(case, on).events
    of = {kind: [event.on for event in facts if event.kind is kind] for kind in EventKind}
    decided = [event.on for event in facts if event.kind is EventKind.NECESSITY_DECISION and event.new_information]
    decided += [one.on for one in case.reviews if one.on <= on and one.outcome is ReviewOutcome.NEW_INFORMATION]
    entered = of[EventKind.SIGNAL] + of[EventKind.FIRST_PROCESSING]
    match case.ground:
        case Ground.WPG_8:
            return FIVE.after(min(entered)) if entered else None
        case Ground.WPG_9:
            ended = of[EventKind.INVESTIGATION_ENDED]
            return HALF.after(max(ended)) if ended else None
        case Ground.WPG_12:
            return TEN.after(max(entered + decided)) if entered + decided else None
        case Ground.WPG_13:
            return case.written_until
        case _ if case.kind is None:
            shown = of[EventKind.SIGNAL] + of[EventKind.ORDER]
        case _:
            shown = of[EventKind.SIGNAL] + of[EventKind.ORDER] + decided
    return FIVE.after(max(shown)) if shown else None


@given(cases(), days)
def test_never_later_than_any_maximum_that_applies(case, on):
    one = found(case, on)
    if one.remove_by is None:
        return
    ended = [event.on for event in known(case, on).events if event.kind in ENDS]
    latest = _maximum(case, on)
    assert one.remove_by <= max([latest or date.min, *ended, *(review.on for review in case.reviews)])
    if one.state in (State.REVIEW_OVERDUE, State.RESTRICTED):
        assert one.review_by is not None
        assert one.review_by < on
        assert one.remove_by <= one.review_by + timedelta(days=90)


@given(cases(grounds=(Ground.WPG_10_1_B,)), days)
def test_a_plain_review_moves_no_term(case, on):
    plain = tuple(review for review in case.reviews if review.outcome is not ReviewOutcome.STILL_NEEDED)
    reviewed = replace(case, reviews=(*plain, Review(on=on, outcome=ReviewOutcome.STILL_NEEDED)))
    one = found(reviewed, on)
    again = found(replace(case, reviews=(*plain, *[reviewed.reviews[-1]] * 3)), on)
    assert without_words(one) == without_words(again)
    course = (one.event, one.event_on, one.period)
    bare = found(replace(case, reviews=plain), on)
    assert course == (bare.event, bare.event_on, bare.period)
    assert one.remove_by == bare.remove_by or bare.remove_by is None or one.remove_by >= bare.remove_by


@given(st.lists(events(kinds=(EventKind.SIGNAL, EventKind.ORDER)), min_size=1, max_size=6), days)
def test_the_term_is_what_going_through_day_by_day_gives(history, on):
    """Another way to the same date: a day at a time, only what was accepted before the date then known counts."""
    history = [event for event in history if event.accepted_on <= on]
    assume(history)
    due = None
    for day in sorted({event.accepted_on for event in history}):
        over, before = due is not None and day >= due, due
        for event in history:
            if event.accepted_on == day and (not over or event.kind is EventKind.ORDER):
                gained = FIVE.after(event.on)
                due = gained if due is None or (due == before and over) else max(due, gained)
    case = Case(kind=SubjectKind.PERSON, ground=Ground.WPG_10_1_B, events=tuple(history))
    reviewed = replace(case, reviews=(Review(on=on, outcome=ReviewOutcome.STILL_NEEDED),))
    assert found(reviewed, on).remove_by == due


@pytest.mark.parametrize(("ground", "kind"), [*product(Ground, (None, *SubjectKind))])
def test_every_record_has_exactly_one_rule_in_force(ground, kind):
    """R02."""
    fitting = [rule for rule in POLICY.rules if rule.ground is ground and kind in rule.kinds]
    assert len(fitting) == 1
    assert POLICY.rule_for(ground, kind) is fitting[0]

"""The law's terms: worked examples W1-W22 as far as neither reviews nor the archive decide, and their properties."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from register.clock import civil_date
from register.errors import Invalid
from register.lifetime import Event, EventKind
from retention.calendar import Period, Unit, destroy_on
from retention.policy import shipped
from retention.terms import deadline, reckon, signal_event, subject_deadline

POLICY = shipped("2026-01-01-theme-bribery.toml")
FIVE_YEARS = POLICY.rule.term
VECTORS = Path(__file__).parent.parent / "vectors" / "retention" / "worked-examples.json"
CASES = json.loads(VECTORS.read_text())["cases"]

days = st.dates(min_value=date(1995, 1, 1), max_value=date(2060, 12, 31))


@st.composite
def events(draw, kinds=tuple(EventKind)):
    on = draw(days)
    return Event(
        on=on,
        kind=draw(st.sampled_from(kinds)),
        accepted_on=on + timedelta(days=draw(st.integers(0, 2500))),
        new_information=draw(st.booleans()),
    )


signals = st.lists(events(kinds=(EventKind.SIGNAL,)), min_size=1, max_size=8)
histories = st.lists(events(), max_size=8).map(tuple)


def _read(case):
    return [
        Event(
            on=date.fromisoformat(event["on"]),
            kind=EventKind(event["kind"]),
            accepted_on=date.fromisoformat(event.get("accepted_on", event["on"])),
            new_information=event.get("new_information", False),
        )
        for event in case["events"]
    ]


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_worked_example(case):
    found = subject_deadline(POLICY, _read(case))
    assert found.remove_by == date.fromisoformat(case["remove_by"])
    assert case.get("says", "") in " / ".join(found.because)
    if "destroy_on" in case:
        assert destroy_on(date.fromisoformat(case["removed_on"]), FIVE_YEARS) == date.fromisoformat(case["destroy_on"])


def test_w15_the_civil_date_decides_on_the_night_the_clocks_go_back():
    entered = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    assert civil_date(entered) == date(2026, 10, 25)
    found = subject_deadline(POLICY, [signal_event(date(2026, 10, 25), civil_date(entered))])
    assert found.remove_by == date(2031, 10, 25)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC), date(2026, 3, 28)),
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 22, 0, tzinfo=UTC), date(2026, 3, 30)),
        (datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 23, 0, tzinfo=UTC), date(2026, 10, 26)),
    ],
)
def test_the_night_before_a_deadline_around_clock_changes(instant, day):
    accepted = civil_date(instant)
    assert accepted == day
    first = signal_event(Period(count=5, unit=Unit.YEARS).after(date(2016, day.month, day.day)), day)
    assert subject_deadline(POLICY, [first]).remove_by == FIVE_YEARS.after(first.on)


def test_the_arithmetic_is_told_in_words():
    told = deadline(POLICY, date(2024, 2, 29))
    assert told.citation == "Wpg art. 10(6)"
    assert told.rule == "theme.last-necessity"
    assert told.because == (
        "1 event counts: signal of 2024-02-29",
        "2024-02-29 + 5 years = 2029-02-28: there is no 29 February, the earlier day is the stricter",
        "invisible from 00:00 of 2029-02-28, Amsterdam time",
    )


def test_nothing_that_starts_the_term_is_no_date_at_all():
    with pytest.raises(Invalid) as refused:
        reckon(POLICY, [Event(on=date(2025, 1, 1), kind=EventKind.CORRECTION, accepted_on=date(2025, 1, 1))])
    assert [fault.rule for fault in refused.value.faults] == ["events.none"]


@given(histories, st.randoms())
def test_order_and_repetition_are_irrelevant(history, random):
    first = subject_deadline(POLICY, [*history, signal_event(date(2020, 1, 1), date(2020, 1, 1))])
    shuffled = [*history, signal_event(date(2020, 1, 1), date(2020, 1, 1))]
    random.shuffle(shuffled)
    assert subject_deadline(POLICY, shuffled).remove_by == first.remove_by
    assert subject_deadline(POLICY, shuffled * 2).remove_by == first.remove_by


@given(signals)
def test_never_later_than_five_years_after_the_last_signal_and_never_earlier_than_after_the_first_accepted(history):
    found = reckon(POLICY, history)
    first = min(history, key=lambda event: event.accepted_on)
    assert FIVE_YEARS.after(first.on) <= found.due_on <= FIVE_YEARS.after(max(event.on for event in history))
    assert found.counted + len(found.expired) == len(history)


@given(histories, days)
def test_corrections_queries_and_plain_reviews_move_nothing(history, on):
    # a correction on the day of the finding makes incorrect data right
    assume(all(event.on != on or event.kind is not EventKind.FOUND_INCORRECT for event in history))
    base = [*history, signal_event(date(2021, 6, 1), date(2021, 6, 1))]
    idle = [
        Event(on=on, kind=EventKind.CORRECTION, accepted_on=on, new_information=True),
        Event(on=on, kind=EventKind.QUERY, accepted_on=on),
        Event(on=on, kind=EventKind.NECESSITY_DECISION, accepted_on=on),
    ]
    assert reckon(POLICY, [*base, *idle]) == reckon(POLICY, base)


@given(signals, events(kinds=(EventKind.SIGNAL,)))
def test_a_later_accepted_signal_never_shortens_and_never_revives(history, more):
    before = reckon(POLICY, history).due_on
    last = max(event.accepted_on for event in history)
    later = signal_event(more.on, max(more.accepted_on, last + timedelta(days=1)))
    after = reckon(POLICY, [*history, later]).due_on
    assert after >= before
    if later.accepted_on >= before:
        assert after == before


@given(signals, events(kinds=(EventKind.NO_LONGER_NECESSARY, EventKind.FOUND_INCORRECT, EventKind.FOUND_UNLAWFUL)))
def test_what_ends_a_term_ends_it_that_day_or_finds_it_over(history, end):
    history = [event for event in history if event.accepted_on <= end.accepted_on] or [signal_event(end.on, end.on)]
    assert reckon(POLICY, [*history, end]).due_on <= end.on or reckon(POLICY, history).due_on < end.on


@given(days, days)
def test_a_later_receipt_never_gives_an_earlier_deadline(one, other):
    earlier, later = sorted((one, other))
    assert deadline(POLICY, earlier).remove_by <= deadline(POLICY, later).remove_by

"""Where a record stands on a day: the worked examples of the law, its boundaries, and its properties."""

from datetime import date, timedelta

import pytest

from register.errors import Invalid
from register.grading import SubjectKind
from register.lifetime import Event, EventKind, HoldGround, HoldSpan, Review, ReviewOutcome, State
from retention.assessment import Assessment, Case, assess
from retention.policy import in_force, shipped, shipped_every, standing
from retention.rules import Ground

POLICY = shipped("2020-01-01-theme-bribery.toml")
DAY = timedelta(days=1)


def day(text: str) -> date:
    return date.fromisoformat(text)


def happened(kind: str, on: str, accepted_on: str | None = None, *, new: bool = False) -> Event:
    return Event(on=day(on), kind=EventKind(kind), accepted_on=day(accepted_on or on), new_information=new)


def signal(on: str, accepted_on: str | None = None) -> Event:
    return happened("signal", on, accepted_on)


def needed(*on: str) -> tuple[Review, ...]:
    return tuple(Review(on=day(one), outcome=ReviewOutcome.STILL_NEEDED) for one in on)


def yearly(first: int, last: int, day_of_year: str) -> tuple[Review, ...]:
    return needed(*(f"{year}-{day_of_year}" for year in range(first, last + 1)))


def hold(ground: str, from_: str, until: str | None) -> HoldSpan:
    return HoldSpan(ground=HoldGround(ground), from_=day(from_), until=None if until is None else day(until))


def case(
    *events: Event,
    reviews: tuple[Review, ...] = (),
    holds: tuple[HoldSpan, ...] = (),
    removed_on: str | None = None,
    ground: Ground = Ground.WPG_10_1_B,
    kind: SubjectKind | None = SubjectKind.PERSON,
    written_until: str | None = None,
) -> Case:
    return Case(
        kind=kind,
        ground=ground,
        events=events,
        reviews=reviews,
        holds=holds,
        removed_on=None if removed_on is None else day(removed_on),
        written_until=None if written_until is None else day(written_until),
    )


def on(when: str, of: Case) -> Assessment:
    return assess(POLICY, of, day(when))


def dates(found: Assessment) -> tuple[str, str | None, str | None, str | None]:
    shown = (found.review_by, found.remove_by, found.destroy_on)
    return found.state.value, *(None if one is None else one.isoformat() for one in shown)


def test_w1_one_signal():
    facts = (signal("2021-11-24"),)
    assert dates(on("2021-11-24", case(*facts))) == ("active", "2022-11-24", "2026-11-24", None)
    reviewed = yearly(2022, 2026, "11-01")
    last = on("2026-11-23", case(*facts, reviews=reviewed))
    assert (last.state, last.visible) == (State.ACTIVE, True)
    due = on("2026-11-24", case(*facts, reviews=reviewed))
    assert dates(due) == ("removal-due", None, "2026-11-24", None)
    assert not due.visible
    removed = on("2026-11-24", case(*facts, reviews=reviewed, removed_on="2026-11-24"))
    assert dates(removed) == ("removed", None, None, "2031-11-25")
    assert on("2031-11-24", case(*facts, reviews=reviewed, removed_on="2026-11-24")).state is State.REMOVED
    assert on("2031-11-25", case(*facts, reviews=reviewed, removed_on="2026-11-24")).state is State.DESTRUCTION_DUE


def test_w2_the_29th_of_february_ends_on_the_28th():
    facts = signal("2024-02-29")
    assert on("2024-02-29", case(facts)).remove_by == day("2029-02-28")
    assert on("2029-02-28", case(facts, removed_on="2029-02-28")).destroy_on == day("2034-03-01")


def test_w3_a_leap_year_adds_no_day():
    assert on("2023-02-28", case(signal("2023-02-28"))).remove_by == day("2028-02-28")


def test_w4_the_later_receipt_counts_whatever_the_order_of_entry():
    facts = case(signal("2023-03-15"), signal("2021-06-01", "2023-03-20"))
    assert on("2023-03-20", facts).remove_by == day("2028-03-15")


def test_w5_a_plain_review_moves_the_review_and_not_the_removal():
    found = on("2025-05-20", case(signal("2021-06-01"), reviews=needed("2025-05-20")))
    assert dates(found) == ("active", "2026-05-20", "2026-06-01", None)


def test_w6_new_information_moves_the_removal():
    """R06: a date is computed anew from what happened, never stored by hand."""
    decided = happened("necessity-decision", "2025-05-20", new=True)
    found = on("2025-05-20", case(signal("2021-06-01"), decided))
    assert dates(found) == ("active", "2026-05-20", "2030-05-20", None)


@pytest.mark.parametrize(
    ("when", "expected", "visible"),
    [
        ("2022-06-01", ("active", "2022-06-01", "2026-06-01", None), True),
        ("2022-06-02", ("review-overdue", "2022-06-01", "2022-08-30", None), True),
        ("2022-06-30", ("review-overdue", "2022-06-01", "2022-08-30", None), True),
        ("2022-07-01", ("restricted", "2022-06-01", "2022-08-30", None), False),
        ("2022-08-29", ("restricted", "2022-06-01", "2022-08-30", None), False),
        ("2022-08-30", ("removal-due", None, "2022-08-30", None), False),
    ],
)
def test_w7_nobody_ever_reviews(when, expected, visible):
    found = on(when, case(signal("2021-06-01")))
    assert dates(found) == expected
    assert found.visible is visible
    assert found.hidden_from == day("2022-07-01")


def test_w8_a_saturday_moves_nothing():
    found = on("2026-06-05", case(signal("2021-06-06"), reviews=needed("2026-05-01")))
    assert found.remove_by == day("2026-06-06")
    assert any("Saturday" in step for step in found.because)


def test_w9_a_hold_keeps_nobody_in_sight():
    facts = {"reviews": yearly(2022, 2026, "05-01"), "holds": (hold("wpg-28-2-b", "2026-05-01", "2026-12-01"),)}
    due = on("2026-06-01", case(signal("2021-06-01"), **facts))
    assert (due.state, due.visible) == (State.REMOVAL_DUE, False)
    removed = on("2026-06-01", case(signal("2021-06-01"), **facts, removed_on="2026-06-01"))
    assert dates(removed) == ("removed", None, None, "2031-06-02")


def test_w10_a_hold_on_the_archived_copy_puts_destruction_off_to_the_day_after_its_last():
    held = (hold("wpg-28-2-b", "2031-05-01", "2031-09-30"),)
    facts = case(signal("2021-06-01"), holds=held, removed_on="2026-06-01")
    assert dates(on("2031-06-02", facts)) == ("removed", None, None, "2031-10-01")
    assert on("2031-09-30", facts).state is State.REMOVED
    assert on("2031-10-01", facts).state is State.DESTRUCTION_DUE
    assert on("2031-04-30", facts).destroy_on == day("2031-06-02")


def test_w11_one_date_for_each_subject():
    assert on("2024-02-01", case(signal("2021-06-01"), signal("2024-02-01"))).remove_by == day("2029-02-01")
    assert on("2024-02-01", case(signal("2021-06-01"), reviews=needed("2024-01-01"))).remove_by == day("2026-06-01")


def test_w12_corrections_and_queries_change_nothing():
    idle = [happened("correction", "2025-01-01"), *(happened("query", f"2025-01-{n:02}") for n in range(1, 32))]
    facts = {"reviews": needed("2024-12-01")}
    assert on("2025-02-01", case(signal("2021-06-01"), *idle, **facts)) == on(
        "2025-02-01", case(signal("2021-06-01"), **facts)
    )


def test_w13_no_longer_necessary():
    facts = (signal("2021-06-01"), happened("no-longer-necessary", "2023-03-03"))
    assert dates(on("2023-03-03", case(*facts))) == ("removal-due", None, "2023-03-03", None)
    assert on("2023-03-03", case(*facts, removed_on="2023-03-03")).destroy_on == day("2028-03-04")


def test_w14_an_order_brings_back():
    facts = case(signal("2021-06-01"), happened("order", "2027-02-10"), removed_on="2026-06-01")
    assert dates(on("2027-02-10", facts)) == ("active", "2028-02-10", "2032-02-10", None)
    assert on("2027-02-10", facts).visible
    assert dates(on("2027-02-09", facts)) == ("removed", None, None, "2031-06-02")


def test_w17_removed_on_a_29th_of_february():
    facts = case(signal("2023-02-28"), removed_on="2028-02-29")
    assert on("2028-02-29", facts).destroy_on == day("2033-03-01")


def test_w18_found_incorrect_and_not_rectified():
    facts = (signal("2023-06-01"), happened("found-incorrect", "2024-05-05"))
    found = on("2024-05-05", case(*facts))
    assert (found.state, found.destroy_on, found.visible) == (State.DESTRUCTION_DUE, day("2024-05-05"), False)
    assert (found.rule, found.citation) == ("flaw.incorrect", "Wpg art. 4(1)")
    rectified = on("2024-05-05", case(*facts, happened("correction", "2024-05-05")))
    assert dates(rectified) == ("active", "2024-06-01", "2028-06-01", None)


def test_w22_the_expired_stay_expired():
    late = signal("2026-05-20", "2026-06-10")
    first = on("2026-06-10", case(signal("2021-06-01"), late, reviews=needed("2026-05-01")))
    assert dates(first) == ("removal-due", None, "2026-06-01", None)
    second = on("2026-06-10", case(late))
    assert dates(second) == ("active", "2027-06-10", "2031-05-20", None)


def test_w23_found_unlawful_under_a_hold():
    facts = (signal("2023-06-01"), happened("found-unlawful", "2024-05-05"))
    held = (hold("wpg-28-2-b", "2024-05-01", "2024-08-31"),)
    due = on("2024-05-05", case(*facts, holds=held))
    assert dates(due) == ("removal-due", None, "2024-05-05", "2024-09-01")
    archived = case(*facts, holds=held, removed_on="2024-05-05")
    assert dates(on("2024-05-05", archived)) == ("removed", None, None, "2024-09-01")
    assert on("2024-09-01", archived).state is State.DESTRUCTION_DUE


def test_nothing_that_happened_is_refused_with_every_fault():
    facts = case(
        signal("2024-05-05", "2024-05-04"),
        holds=(hold("wpg-14-4", "2024-05-05", "2024-05-04"),),
        written_until="2025-01-01",
    )
    with pytest.raises(Invalid) as refused:
        on("2025-01-01", facts)
    assert [(fault.pointer, fault.rule) for fault in refused.value.faults] == [
        ("/written_term", "case.written-term"),
        ("/events/0/accepted_on", "case.order"),
        ("/holds/0/until", "case.order"),
    ]
    with pytest.raises(Invalid) as refused:
        on("2024-05-04", case(signal("2024-05-05")))
    assert [fault.rule for fault in refused.value.faults] == ["events.none"]


def test_the_first_policy_is_in_force_on_no_date_and_stays_readable():
    assert standing(shipped_every()) == (POLICY,)
    assert in_force(shipped_every(), day("2026-06-01")) is POLICY
    assert shipped("2026-01-01-theme-bribery.toml").archive is None

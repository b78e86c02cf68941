"""Over-retention is an alarm: when intake is refused because something that is due was left undone."""

from datetime import UTC, date, datetime, timedelta

import pytest

from register.backlog import EVERY, Backlog
from register.errors import Unavailable

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = date(2026, 11, 24)


class Held:
    """A store that says what its oldest item is, and counts how often it was asked."""

    def __init__(self, oldest: date | None) -> None:
        self.oldest = oldest
        self.asked: list[date] = []

    def __call__(self, today: date) -> date | None:
        self.asked.append(today)
        return self.oldest


def backlog(held: Held) -> Backlog:
    return Backlog(oldest=held, until=lambda day: day + timedelta(days=7))


@pytest.mark.parametrize(("days", "refused"), [(0, False), (7, False), (8, True), (400, True)])
def test_intake_is_refused_from_the_day_after_the_last_one_allowed(days: int, refused: bool) -> None:
    """C02: what is due and still there after the policy's term stops intake; R13: and is told by a code of its own."""
    one = backlog(Held(TODAY - timedelta(days=days)))
    assert one.overdue(NOW) is refused
    if refused:
        with pytest.raises(Unavailable) as told:
            one.check(NOW)
        assert told.value.code == "backlog.overdue"
    else:
        one.check(NOW)


def test_nothing_due_refuses_nothing() -> None:
    backlog(Held(None)).check(NOW)


def test_the_store_is_asked_once_a_minute_and_of_the_present_day() -> None:
    held = Held(None)
    one = backlog(held)
    one.check(NOW)
    held.oldest = TODAY - timedelta(days=30)
    one.check(NOW + EVERY - timedelta(seconds=1))
    assert held.asked == [TODAY]
    with pytest.raises(Unavailable):
        one.check(NOW + EVERY)
    assert held.asked == [TODAY, TODAY]


def test_an_answer_kept_over_midnight_is_measured_against_the_new_day() -> None:
    """C02: a minute's memory of the store never lets a day too late pass."""
    eve = datetime(2026, 11, 24, 22, 59, 45, tzinfo=UTC)  # 23:59:45 in Amsterdam
    one = backlog(Held(TODAY - timedelta(days=7)))
    one.check(eve)
    with pytest.raises(Unavailable):
        one.check(eve + timedelta(seconds=30))

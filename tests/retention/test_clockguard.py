"""The clock guard: a clock that jumped is not believed, one that only moved on is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.clockguard import DOWNTIME, TOLERANCE, Clockwork, Tick, judge

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


def tick(*, after: timedelta = timedelta(0), up: timedelta = timedelta(0), boot: str = "a") -> Tick:
    return Tick(at=START + after, boot=boot, uptime=1000.0 + up.total_seconds())


@pytest.mark.parametrize(
    ("now", "sealed", "found"),
    [
        (tick(after=timedelta(days=9), up=timedelta(days=9)), None, Clockwork.STEADY),
        (tick(after=timedelta(days=9)), None, Clockwork.AHEAD),
        (tick(after=timedelta(hours=-1), up=timedelta(hours=1)), None, Clockwork.BACK),
        (tick(after=timedelta(minutes=1), up=timedelta(days=1)), None, Clockwork.BACK),
        (tick(after=timedelta(minutes=1, seconds=30)), None, Clockwork.STEADY),
        (tick(after=timedelta(hours=70), boot="b"), None, Clockwork.STEADY),
        (tick(after=timedelta(hours=73), boot="b"), None, Clockwork.AHEAD),
        (tick(after=timedelta(minutes=-3), boot="b"), None, Clockwork.BACK),
        (tick(), timedelta(hours=1), Clockwork.BACK),
        (tick(after=timedelta(hours=100), boot="b"), timedelta(hours=90), Clockwork.STEADY),
    ],
)
def test_a_jump_is_told_from_time_that_passed(now, sealed, found):
    assert judge(now, last=tick(), sealed_at=START + sealed if sealed else None) is found


def test_before_the_first_tick_the_newest_checkpoint_says_what_time_it_was():
    assert judge(tick(), last=None, sealed_at=None) is Clockwork.STEADY
    assert judge(tick(), last=None, sealed_at=START - timedelta(hours=1)) is Clockwork.STEADY
    assert judge(tick(), last=None, sealed_at=START - timedelta(days=4)) is Clockwork.AHEAD
    assert judge(tick(), last=None, sealed_at=START + timedelta(days=1)) is Clockwork.BACK


@given(
    passed=st.timedeltas(timedelta(0), timedelta(days=400)),
    jump=st.timedeltas(-timedelta(days=4000), timedelta(days=4000)),
)
def test_in_one_run_of_the_machine_any_jump_beyond_the_tolerance_is_seen(passed, jump):
    found = judge(tick(after=passed + jump, up=passed), last=tick(), sealed_at=None)
    assert (found is Clockwork.STEADY) == (abs(jump) <= TOLERANCE)


@given(gap=st.timedeltas(-timedelta(days=30), timedelta(days=30)))
def test_over_a_restart_a_gap_is_believed_up_to_the_downtime_nobody_has_to_explain(gap):
    found = judge(tick(after=gap, boot="b"), last=tick(), sealed_at=None)
    assert (found is Clockwork.STEADY) == (-TOLERANCE <= gap <= DOWNTIME)

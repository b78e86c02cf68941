"""Civil-date arithmetic (R05): days, weeks, months, half years, years; leap days, short months, five full years."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.calendar import NOTHING, Period, Unit, destroy_on

periods = st.builds(Period, count=st.integers(0, 9999), unit=st.sampled_from(Unit))
days = st.dates(max_value=date(9000, 1, 1))


@pytest.mark.parametrize(
    ("day", "period", "then"),
    [
        ("2024-02-29", "P5Y", "2029-02-28"),
        ("2024-02-29", "P4Y", "2028-02-29"),
        ("2023-02-28", "P5Y", "2028-02-28"),
        ("2024-02-29", "P1Y", "2025-02-28"),
        ("2026-08-31", "P6M", "2027-02-28"),
        ("2026-10-31", "P4M", "2027-02-28"),
        ("2026-06-30", "P4M", "2026-10-30"),
        ("2026-12-15", "P1M", "2027-01-15"),
        ("2026-11-24", "P90D", "2027-02-22"),
        ("2026-11-24", "P4W", "2026-12-22"),
        ("2026-11-24", "P0D", "2026-11-24"),
        ("9998-01-01", "P5Y", "9999-12-31"),
        ("9999-12-01", "P90D", "9999-12-31"),
    ],
)
def test_sum(day, period, then):
    """R05: days, weeks, months, years, no time at all; ends of months and of the calendar."""
    assert Period.parse(period).after(date.fromisoformat(day)) == date.fromisoformat(then)


@pytest.mark.parametrize(
    "text", ["", "5Y", "P5", "PY", "P05Y", "P-1Y", "P5H", "P1Y6M", "P5y", "P10000Y", "P5Y\n", "PT5M"]
)
def test_another_form_is_refused(text):
    with pytest.raises(ValueError, match="written like"):
        Period.parse(text)


@given(periods)
def test_written_and_read_again(period):
    assert Period.parse(str(period)) == period


@given(days, days, periods)
def test_monotone(one, other, period):
    earlier, later = sorted((one, other))
    assert earlier <= period.after(earlier) <= period.after(later)


@given(days, st.integers(0, 500))
def test_years_keep_the_calendar_day_but_for_leap_days(day, count):
    """R05: leap days."""
    then = Period(count=count, unit=Unit.YEARS).after(day)
    if (day.month, day.day) == (2, 29):
        assert (then.month, then.day) in {(2, 28), (2, 29)}
    else:
        assert then == day.replace(year=day.year + count)
    assert then == Period(count=12 * count, unit=Unit.MONTHS).after(day)


@given(days)
def test_destruction_is_the_first_day_after_five_full_years(day):
    kept = Period.parse("P5Y")
    assert destroy_on(day, kept) - timedelta(days=1) == kept.after(day)
    assert destroy_on(day, NOTHING) == day + timedelta(days=1)

"""Terms of weeks end on a working day (Algemene termijnenwet art. 1 and 3)."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.policy import shipped
from retention.rules import RequestKind
from retention.working import answer_by, is_free, moved

POLICY = shipped("2020-01-01-theme-bribery.toml")
days = st.dates(min_value=date(1990, 1, 1), max_value=date(2099, 12, 31))


def test_w20_an_access_request_whose_six_weeks_end_on_a_saturday():
    assert answer_by(POLICY, RequestKind.ACCESS, date(2026, 10, 31)) == date(2026, 12, 14)


def test_w21_a_rectification_request():
    assert answer_by(POLICY, RequestKind.RECTIFICATION, date(2026, 11, 24)) == date(2026, 12, 22)


@pytest.mark.parametrize(
    ("received_on", "postponed", "answered"),
    [
        (date(2026, 11, 13), False, date(2026, 12, 28)),  # Christmas Day, its second day, Sunday
        (date(2026, 11, 20), False, date(2027, 1, 4)),  # New Year's Day, a weekend
        (date(2026, 2, 20), False, date(2026, 4, 7)),  # Good Friday to Easter Monday
        (date(2026, 3, 24), False, date(2026, 5, 6)),  # 5 May, a day of art. 3 in every year
        (date(2026, 10, 31), True, date(2027, 1, 11)),  # the four weeks run from the term, not from its moved end
    ],
)
def test_free_days(received_on, postponed, answered):
    assert answer_by(POLICY, RequestKind.ACCESS, received_on, postponed=postponed) == answered


def test_what_is_not_postponed():
    with pytest.raises(LookupError, match="not postponed"):
        answer_by(POLICY, RequestKind.RECTIFICATION, date(2026, 11, 24), postponed=True)
    with pytest.raises(LookupError, match="no term"):
        answer_by(shipped("2026-01-01-theme-bribery.toml"), RequestKind.ACCESS, date(2026, 11, 24))


@given(days)
def test_moved_to_the_first_day_that_is_not_free(day):
    then = moved(day)
    assert not is_free(then)
    assert all(is_free(day + timedelta(days=passed)) for passed in range((then - day).days))


@pytest.mark.shared_data
def test_the_free_days_are_those_that_an_independent_list_knows(shared_data):
    """Art. 3 says public holidays, Good Friday and 5 May; the list calls the last two school holidays or optional."""
    others = {"Goede Vrijdag", "Bevrijdingsdag"}
    for path in sorted((shared_data / "time-vectors" / "holidays-nl").glob("NL-*.json")):
        listed = json.loads(path.read_text())
        free = {one["date"][:10] for one in listed if one["type"] == "public" or one["name"] in others}
        year = date(int(path.stem[3:]), 1, 1)
        all_days = (year + timedelta(days=passed) for passed in range(366))
        ours = {day.isoformat() for day in all_days if day.year == year.year and is_free(day)}
        weekends = {day for day in ours if date.fromisoformat(day).isoweekday() > 5}
        assert ours == free | weekends, path.name

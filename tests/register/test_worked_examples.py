"""Worked examples of the law that intake decides: W15 by the civil date of entry (W16 and W19: test_signals)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from register.acceptance import Composer, Ids, Known
from register.clock import civil_date
from register.signals import check
from retention.policy import shipped
from retention.terms import deadline, review_terms
from tests.builders import a_signal

POLICY = shipped("2020-01-01-theme-bribery.toml")
NOTHING = Known(identifiers={}, gone=frozenset(), held=frozenset(), carriers={}, subjects={})


def remove_by(received_on: date) -> date:
    return deadline(POLICY, received_on).remove_by


@pytest.mark.parametrize(
    ("entered", "accepted"),
    [
        (datetime(2026, 10, 24, 23, 30, tzinfo=UTC), True),  # half past one in Amsterdam, on the 25th
        (datetime(2026, 10, 24, 21, 59, 59, tzinfo=UTC), False),  # still the 24th there: a date to come
    ],
)
def test_w15_the_civil_date_decides_in_the_night_the_clocks_go_back(entered, accepted):
    received_on = date(2026, 10, 25)
    signal = a_signal(received_on=received_on, handed_in_on=None)
    faults = check(signal, today=civil_date(entered), harbours=lambda _: True, deadline=remove_by, informant_months=4)
    assert [(fault.pointer, fault.rule) for fault in faults] == ([] if accepted else [("/received_on", "date.future")])
    if accepted:
        composer = Composer(
            known=NOTHING,
            deadline=lambda day: deadline(POLICY, day),
            review=review_terms(POLICY),
            now=entered,
            contributor="desk",
        )
        composer.add(signal, Ids.minted(), b"")
        batch = composer.batch()
        assert {one.remove_by for one in batch.created} == {date(2031, 10, 25)}
        assert {one.review_by for one in batch.created} == {date(2027, 10, 25)}
        assert batch.signals[0].facts.handed_in_on == civil_date(entered) == (entered + timedelta(hours=2)).date()

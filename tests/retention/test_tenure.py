"""The lease through long work, and the order in which subjects go."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.errors import Unavailable
from register.ids import SubjectId
from register.runs import Lease
from retention.neighbours import together
from retention.tenure import Tenure
from tests.fakes import SetClock

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
LEASE = Lease(holder="keeper-1", fence=7)


def test_a_lease_is_renewed_when_a_third_of_its_time_has_passed_and_not_before() -> None:
    clock, renewed = SetClock(at=NOW), []
    tenure = Tenure(lambda: renewed.append(clock.at) or LEASE, clock, 60)  # type: ignore[func-returns-value]
    for second in range(60):
        clock.at = NOW + timedelta(seconds=second)
        assert tenure() == LEASE
    assert renewed == [NOW + timedelta(seconds=second) for second in (0, 20, 40)]
    clock.at = NOW - timedelta(seconds=1)  # a clock that went back tells nothing of the time that passed
    assert tenure() == LEASE
    assert len(renewed) == 4


def test_a_lost_lease_ends_the_work() -> None:
    def lost() -> Lease:
        raise Unavailable("lease.lost", "another keeper writes here now")

    with pytest.raises(Unavailable):
        Tenure(lost, SetClock(at=NOW), 60)()


SUBJECTS = tuple((SubjectId(f"{number:032x}"), number) for number in range(12))
NAMED = st.lists(st.lists(st.sampled_from([one for one, _ in SUBJECTS]), min_size=1, max_size=4, unique=True))


@given(shared=NAMED)
def test_whom_signals_join_go_one_after_the_other_and_nobody_is_lost(shared: list[list[SubjectId]]) -> None:
    ordered = together(SUBJECTS, map(tuple, shared))
    assert sorted(ordered) == sorted(SUBJECTS)
    parts = {one: {one} for one, _ in SUBJECTS}
    for named in shared:
        whole = set[SubjectId]().union(*(parts[one] for one in named))
        for one in whole:
            parts[one] = whole
    at = {one: place for place, (one, _) in enumerate(ordered)}
    for part in parts.values():
        places = sorted(at[one] for one in part)
        assert places == list(range(places[0], places[0] + len(places)))


def test_strangers_stay_in_their_order() -> None:
    assert together(SUBJECTS, [(SUBJECTS[0][0],)]) == SUBJECTS

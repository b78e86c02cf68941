"""From a subject's checked facts to its dates: what was decided about it counts as law.md says."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.decisions import ActKind, Decision, EndCode, RestrictionCode, ReviewCode, encode
from register.dossiers import HoldFacts
from register.errors import Tampered
from register.ids import DossierId, HoldId
from register.lifetime import HoldGround, State
from register.runs import SubjectRecord
from register.sealed import SealedSubject
from retention.assessment import assess
from retention.casework import case_of, dates_of, span
from retention.policy import shipped
from tests.builders import subject_facts

POLICY = shipped("2020-01-01-theme-bribery.toml")
DOSSIER = DossierId("5f1c8a3e9d2b47060718293a4b5c6d7e")
RECEIVED = date(2021, 6, 1)


def act(on: date, kind: ActKind, code: str) -> str:
    return encode(Decision(on=on, accepted_on=on, kind=kind, code=code, dossier=DOSSIER))


def record(*acts: str, received_on: date = RECEIVED) -> SubjectRecord:
    subject = SealedSubject(facts=subject_facts(acts=acts), mac=b"")
    return SubjectRecord(subject=subject, signals=((received_on, received_on),))


def kept_up(*acts: str) -> tuple[str, ...]:
    """Reviews on time until 2025, and further acts."""
    days = (date(2022, 5, 20), date(2023, 5, 20), date(2024, 5, 20))
    return (*(act(day, ActKind.REVIEW, ReviewCode.STILL_NEEDED) for day in days), *acts)


def test_w5_a_plain_review_moves_the_next_review_and_no_removal() -> None:
    reviewed = record(*kept_up(act(date(2025, 5, 20), ActKind.REVIEW, ReviewCode.STILL_NEEDED)))
    dates = dates_of(POLICY, reviewed, date(2025, 5, 20))
    assert (dates.remove_by, dates.review_by) == (date(2026, 6, 1), date(2026, 5, 20))
    assert dates.hidden_from == date(2026, 6, 1)


def test_w6_a_necessity_decision_on_new_information_moves_the_removal() -> None:
    decided = record(*kept_up(act(date(2025, 5, 20), ActKind.NECESSITY, ReviewCode.NEW_INFORMATION)))
    dates = dates_of(POLICY, decided, date(2025, 5, 20))
    assert (dates.remove_by, dates.review_by) == (date(2030, 5, 20), date(2026, 5, 20))


def test_w7_without_a_review_it_is_hidden_and_then_removed() -> None:
    dates = dates_of(POLICY, record(), RECEIVED)
    assert (dates.review_by, dates.hidden_from) == (date(2022, 6, 1), date(2022, 7, 1))
    assert dates_of(POLICY, record(), date(2022, 8, 30)).remove_by == date(2022, 8, 30)


@pytest.mark.parametrize("code", [EndCode.NO_LONGER_NECESSARY, EndCode.ORDERED_BY_COURT, EndCode.RECALLED])
def test_w13_an_early_end_removes_that_day(code: EndCode) -> None:
    ended = record(*kept_up()[:1], act(date(2023, 3, 3), ActKind.NO_LONGER_NECESSARY, code))
    dates = dates_of(POLICY, ended, date(2023, 3, 3))
    assert (dates.remove_by, dates.hidden_from) == (date(2023, 3, 3), date(2023, 3, 3))


def test_w18_what_was_found_incorrect_is_destroyed_that_day() -> None:
    ended = record(act(date(2022, 5, 5), ActKind.FOUND_INCORRECT, EndCode.INCORRECT))
    told = assess(POLICY, case_of(POLICY, ended), date(2022, 5, 5))
    assert (told.state, told.destroy_on) == (State.DESTRUCTION_DUE, date(2022, 5, 5))


@given(st.lists(st.sampled_from([ActKind.RESTRICTED, ActKind.RELEASED]), max_size=4), st.dates(RECEIVED, RECEIVED))
def test_restricting_and_releasing_move_no_date(kinds: list[ActKind], on: date) -> None:
    codes = {ActKind.RESTRICTED: RestrictionCode.DISPUTE, ActKind.RELEASED: ReviewCode.RELEASE}
    restricted = record(*(act(on, kind, codes[kind]) for kind in kinds))
    assert dates_of(POLICY, restricted, on) == dates_of(POLICY, record(), on)


@given(st.dates(date(2021, 6, 1), date(2035, 1, 1)), st.none() | st.dates(date(2021, 6, 1), date(2035, 1, 1)))
def test_a_hold_never_moves_what_readers_see(from_: date, until: date | None) -> None:
    """R18: held or not, readers see the same."""
    hold = HoldFacts(
        id=HoldId(DOSSIER),
        dossier=DOSSIER,
        revision=1,
        ground=HoldGround.EVIDENCE,
        from_=from_,
        until=max(from_, until) if until else None,
        review_on=from_,
        on=from_,
        by="officer",
        case="C/1",
    )
    for day in (date(2022, 1, 1), date(2026, 6, 1), date(2030, 1, 1)):
        held, free = (assess(POLICY, case_of(POLICY, record(), holds), day) for holds in ([hold], []))
        assert (held.visible, held.hidden_from, held.remove_by) == (free.visible, free.hidden_from, free.remove_by)


def test_a_lifted_hold_ends_the_day_before() -> None:
    hold = HoldFacts(
        id=HoldId(DOSSIER),
        dossier=DOSSIER,
        revision=2,
        ground=HoldGround.EVIDENCE,
        from_=date(2026, 5, 1),
        until=date(2026, 12, 1),
        review_on=date(2026, 9, 1),
        on=date(2026, 5, 1),
        by="officer",
        case="C/1",
        lifted_on=date(2026, 8, 15),
        lifted_by="colleague",
    )
    assert span(hold).until == date(2026, 8, 14)
    assert hold.stands(date(2026, 8, 14))
    assert not hold.stands(date(2026, 8, 15))


_DAYS = st.dates(date(2030, 1, 1), date(2034, 1, 1))


@st.composite
def holds(draw: st.DrawFn) -> HoldFacts:
    from_ = draw(_DAYS)
    return HoldFacts(
        id=HoldId(DOSSIER),
        revision=1,
        dossier=DOSSIER,
        ground=draw(st.sampled_from(HoldGround)),
        from_=from_,
        until=draw(st.none() | _DAYS.map(lambda day: max(day, from_))),
        review_on=from_,
        on=from_,
        by="officer",
        case="C/1",
        lifted_on=draw(st.none() | _DAYS),
    )


@given(st.lists(holds(), max_size=4), _DAYS)
def test_r16_of_several_holds_all_must_be_over(laid: list[HoldFacts], on: date) -> None:
    removed = replace(case_of(POLICY, record(*kept_up()), laid), removed_on=date(2026, 6, 1))
    told = assess(POLICY, removed, on)
    stands = any(hold.stands(on) for hold in laid)
    assert (told.state is State.DESTRUCTION_DUE) == (on >= date(2031, 6, 2) and not stands)


@pytest.mark.parametrize(
    ("lifted_on", "destroyed_on"),
    [
        (None, date(2032, 1, 1)),  # R14: while it stands nothing is destroyed
        (date(2031, 6, 20), date(2031, 6, 20)),
        (date(2031, 5, 20), date(2031, 6, 2)),  # before its day came: the day is the one it was
    ],
)
def test_r14_r17_a_hold_holds_back_and_lifted_destruction_goes_on_where_it_stood(
    lifted_on: date | None, destroyed_on: date
) -> None:
    hold = HoldFacts(
        id=HoldId(DOSSIER),
        revision=1,
        dossier=DOSSIER,
        ground=HoldGround.EVIDENCE,
        from_=date(2031, 5, 1),
        until=date(2031, 12, 31),
        review_on=date(2031, 9, 1),
        on=date(2031, 5, 1),
        by="officer",
        case="C/1",
        lifted_on=lifted_on,
    )
    removed = replace(case_of(POLICY, record(*kept_up()), [hold]), removed_on=date(2026, 6, 1))
    told = assess(POLICY, removed, date(2031, 7, 1))
    assert told.destroy_on == destroyed_on
    assert told.state is (State.REMOVED if lifted_on is None else State.DESTRUCTION_DUE)
    assert not told.visible


def test_a_line_that_was_not_written_here_is_not_read_past() -> None:
    with pytest.raises(Tampered):
        case_of(POLICY, record("2021-06-01 2021-06-01 review never-mind " + DOSSIER))

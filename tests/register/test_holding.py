"""Holds (R14 to R19): a ground, a title, a mandate, a reason; several at once; lifted by name."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from register.access import Role
from register.audit import Act
from register.errors import Conflict, Invalid, NotFound, Refused, Tampered
from register.holding import Holding, NewHold
from register.ids import HoldId, SubjectId, mint
from tests.decision_fakes import Office, somebody

CHRIS = somebody("chris", Role.COMPLIANCE_OFFICER)
CARLA = somebody("carla", Role.COMPLIANCE_OFFICER)
TODAY = date(2026, 11, 24)
CASE = "RR-2026/77"


@pytest.fixture
def office() -> Office:
    return Office()


def holding(office: Office) -> Holding:
    return Holding(deciding=office.deciding, store=office.shelves)


def wanted(office: Office, **changes: Any) -> NewHold:
    one = SubjectId(mint())
    office.signal(one, on=date(2026, 2, 1))
    plain = NewHold(
        title="Inquiry of the court",
        mandate="Order of the examining magistrate",
        reason="Evidence in a case that is under way.",
        ground="wpg-28-2-b",
        from_=TODAY,
        until=TODAY + timedelta(days=365),
        review_on=TODAY + timedelta(days=90),
        subjects=(one,),
    )
    return replace(plain, **changes)


def test_r15_a_hold_carries_title_mandate_reason_ground_who_and_when(office: Office) -> None:
    hold = holding(office).lay(CHRIS, CASE, wanted(office))
    page = holding(office).hold(CARLA, hold)
    assert page.texts == {
        "title": "Inquiry of the court",
        "mandate": "Order of the examining magistrate",
        "reason": "Evidence in a case that is under way.",
    }
    assert (page.facts.ground, page.facts.by, page.facts.on, page.facts.case) == ("wpg-28-2-b", "chris", TODAY, CASE)
    assert page.stands
    assert [facts.id for facts in holding(office).holds(CARLA)] == [hold]


@pytest.mark.parametrize("ground", ["", "wpg-28-2", "because"])
def test_a_hold_without_a_ground_of_the_law_is_refused_with_the_rule(office: Office, ground: str) -> None:
    with pytest.raises(Invalid) as caught:
        holding(office).lay(CHRIS, CASE, wanted(office, ground=ground))
    (fault,) = caught.value.faults
    assert (fault.pointer, fault.rule) == ("/ground", "hold.ground")
    assert "14(4)" in fault.message
    assert not office.shelves.laid


def test_every_fault_of_a_hold_is_named(office: Office) -> None:
    asked = wanted(
        office,
        title=" ",
        until=TODAY - timedelta(days=1),
        review_on=TODAY - timedelta(days=2),
        subjects=(mint(), "x"),
        depth=2,
    )
    with pytest.raises(Invalid) as caught:
        holding(office).lay(CHRIS, "jan jansen", asked)
    assert {fault.rule for fault in caught.value.faults} == {
        "case.malformed",
        "text.blank",
        "hold.over",
        "hold.review",
        "hold.unknown",
        "hold.depth",
        "id.form",
    }
    with pytest.raises(Invalid) as caught:
        holding(office).lay(CHRIS, CASE, wanted(office, subjects=()))
    assert [fault.rule for fault in caught.value.faults] == ["hold.scope"]


def test_r19_lifting_is_attributed_dated_and_reasoned_and_done_once(office: Office) -> None:
    hold = holding(office).lay(CHRIS, CASE, wanted(office))
    with pytest.raises(Invalid):
        holding(office).lift(CARLA, CASE, hold, " ")
    holding(office).lift(CARLA, CASE, hold, "The court has judged.")
    page = holding(office).hold(CHRIS, hold)
    assert (page.facts.lifted_by, page.facts.lifted_on, page.stands) == ("carla", TODAY, False)
    assert page.texts["lift_reason"] == "The court has judged."
    (entry,) = [entry for entry in office.shelves.entries if entry.act is Act.HOLD_LIFT]
    assert entry.detail["lifted_by"] == "carla"
    assert "judged" not in entry.body().decode()
    with pytest.raises(Conflict) as caught:
        holding(office).lift(CARLA, CASE, hold, "Again.")
    assert caught.value.code == "hold.lifted"
    with pytest.raises(NotFound):
        holding(office).lift(CARLA, CASE, HoldId(mint()), "None.")


@pytest.mark.parametrize(
    "role", [Role.CONTRIBUTOR, Role.ANALYST, Role.REVIEWER, Role.DESK_OFFICER, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR]
)
def test_nobody_else_lays_sees_or_lifts(office: Office, role: Role) -> None:
    hold, other = holding(office).lay(CHRIS, CASE, wanted(office)), somebody("other", role)
    for act in (
        lambda: holding(office).lay(other, CASE, wanted(office)),
        lambda: holding(office).holds(other),
        lambda: holding(office).hold(other, hold),
        lambda: holding(office).lift(other, CASE, hold, "Because."),
    ):
        with pytest.raises(Refused):
            act()


@pytest.mark.parametrize("change", [{"until": None}, {"lifted_on": TODAY}, {"subjects": ()}])
def test_a_hold_changed_by_hand_is_found(office: Office, change: dict[str, Any]) -> None:
    hold = holding(office).lay(CHRIS, CASE, wanted(office))
    held = office.shelves.laid[hold]
    office.shelves.laid[hold] = replace(held, facts=replace(held.facts, **change))
    with pytest.raises(Tampered):
        holding(office).holds(CHRIS)


def test_a_lifting_undone_by_hand_is_found(office: Office) -> None:
    hold = holding(office).lay(CHRIS, CASE, wanted(office))
    before = office.shelves.laid[hold]
    holding(office).lift(CHRIS, CASE, hold, "No longer.")
    office.shelves.laid[hold] = before
    with pytest.raises(Tampered):
        holding(office).hold(CHRIS, hold)


def test_a_hold_by_query_names_its_start_and_its_depth(office: Office) -> None:
    one = wanted(office)
    hold = holding(office).lay(CHRIS, CASE, replace(one, subjects=(), start=one.subjects[0], depth=2))
    facts = holding(office).hold(CHRIS, hold).facts
    assert (facts.start, facts.depth, facts.subjects) == (one.subjects[0], 2, ())
    with pytest.raises(Invalid) as caught:
        holding(office).lay(CHRIS, CASE, replace(one, subjects=(), start=one.subjects[0], depth=0))
    assert [fault.rule for fault in caught.value.faults] == ["hold.depth"]

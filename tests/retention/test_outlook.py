"""Looking ahead: a subject's dates explained, the calendar, and the coming runs on paper."""

import json
from datetime import date, timedelta

import pytest

from api.exchange.evaluation import answer
from register.ids import SubjectId
from retention.outlook import Outlook
from retention.policy import shipped, shipped_every
from tests.retention.world import World, hexid

POLICY = shipped("2020-01-01-theme-bribery.toml")
DAY = date(2026, 5, 25)


def subject(name: str) -> SubjectId:
    return SubjectId(hexid("subject", name))


def looking(world: World) -> Outlook:
    return Outlook(erasure=world.graph, holds=world.graph, check=world.facts, policy=POLICY)


@pytest.fixture
def world() -> World:
    """A and B in a signal of June 2021, A alone in a later one, entered in May 2026; C not looked at for long."""
    world = World(policy=POLICY)
    world.signal("s1", date(2021, 6, 1), "AB", accepted_on=date(2026, 5, 20))
    world.signal("s2", date(2024, 2, 1), "A", accepted_on=date(2026, 5, 20))
    world.signal("s3", date(2024, 3, 1), "C", accepted_on=date(2025, 3, 20))
    world.signal("s4", date(2021, 6, 10), accepted_on=date(2026, 5, 20))
    return world


def test_a_date_is_explained_and_can_be_computed_again_from_what_is_told(world):
    """C04: counts from what, and why."""
    told = looking(world).explain(subject("A"), DAY)
    assert (told["state"], told["review_by"], told["remove_by"]) == ("active", "2027-05-20", "2029-02-01")
    assert told["because"][0] == "2 events count; the latest: signal of 2024-02-01"
    assert told["because"][1] == "2024-02-01 + 5 years = 2029-02-01"
    assert told["policy_sha256"] == POLICY.digest
    line = {"case": "again", "policy": told["policy"], "date": told["on"], "subject": told["facts"]}
    again = answer(json.dumps(line).encode(), shipped_every())
    same = ("state", "review_by", "remove_by", "destroy_on", "visible", "rule", "citation")
    assert {key: again[key] for key in same} == {key: told[key] for key in same}
    assert again["because"][:-1] == told["because"]


def test_of_nobody_there_is_nothing_to_explain(world):
    assert looking(world).explain(subject("X"), DAY) is None


def test_what_nothing_explains_has_no_dates(world):
    world.graph.signals_held.clear()
    told = looking(world).explain(subject("A"), DAY)
    assert (told["state"], told["remove_by"], told["visible"]) == (None, None, False)
    assert told["because"] == ["nothing that happened explains why it is kept: the next run hides it"]


def test_what_does_not_verify_is_said(world):
    world.forge("A", date(2040, 1, 1))
    told = looking(world).explain(subject("A"), DAY)
    assert told["verdict"] == "does-not-verify"
    assert told["remove_by"] == "2029-02-01"


def test_the_calendar_counts_reviews_and_removals_by_week(world):
    """R12: what is due, by date; by rule in a rehearsal. R13: what is late stands apart."""
    told = looking(world).calendar(DAY, 5)
    assert told["late"] == {"reviews": 1, "removals": 0, "destructions": 0}
    weeks = told["weeks"]
    assert [(one["from"], one["until"]) for one in weeks][:2] == [
        ("2026-05-25", "2026-05-31"),
        ("2026-06-01", "2026-06-07"),
    ]
    # B's term ends on 1 June; the signal alone on the 10th; C ends on the 18th, ninety days after the review it missed
    assert [one["removals"] for one in weeks] == [0, 1, 1, 1, 0]
    assert sum(one["reviews"] for one in weeks) == 0
    world.forge("B", date(2040, 1, 1))
    assert looking(world).calendar(DAY, 5)["unsure"] == 1


def test_the_calendar_agrees_with_the_days_themselves(world):
    for day in (date(2026, 6, 1), date(2026, 6, 10), date(2026, 6, 18)):
        on_the_day, later = (looking(world).calendar(on, 1) for on in (day, day + timedelta(days=1)))
        assert on_the_day["weeks"][0]["removals"] == 1, day
        assert later["weeks"][0]["removals"] == 0, day
        assert later["late"]["removals"] == on_the_day["late"]["removals"] + 1


def test_rehearsed_runs_are_on_paper_only(world):
    """R12: what becomes due, by date and by rule."""
    before = repr(world.graph)
    told = looking(world).rehearse(DAY, 13)
    assert told["rehearsal"] is True
    assert all(run["rehearsal"] is True for run in told["runs"])
    counts = ("as_of", "subjects", "signals_alone", "signals_gone", "signals_redacted", "needs_approval")
    assert [tuple(run[name] for name in counts) for run in told["runs"]] == [
        ("2026-06-01", 1, 0, 0, 1, False),
        ("2026-06-10", 0, 1, 0, 0, False),
        ("2026-06-18", 1, 0, 1, 0, False),
    ]
    assert told["runs"][0]["rules"] == {"theme.last-necessity": 1}
    assert repr(world.graph) == before


def test_a_rehearsed_run_of_very_many_asks_for_a_second_person():
    world = World(policy=POLICY)
    for number in range(51):
        world.signal(f"s{number}", date(2021, 6, 1), [f"p{number}"], accepted_on=date(2026, 5, 20))
    (run,) = looking(world).rehearse(DAY, 13)["runs"]
    assert (run["subjects"], run["signals_gone"], run["needs_approval"]) == (51, 51, True)

"""C03: the made-up record of every installation, due a day after it was planted, tells whether runs find things due."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.canary import due, planted
from retention.policy import shipped
from retention.rules import Outcome
from tests.retention.world import World

POLICY = shipped("2020-01-01-theme-bribery.toml")
DAY = date(2026, 5, 25)


@given(st.dates(date(2020, 1, 1), date(2100, 1, 1)))
def test_c03_it_is_due_the_day_after_it_was_planted_by_the_rule_of_signals(on):
    canary = planted(POLICY, on)
    assert due(POLICY, canary, on + timedelta(days=1))
    assert not due(POLICY, canary, on) or (on.month, on.day) == (2, 28)  # 29 February + 5 years is 28 February
    assert not canary.outlived(on + timedelta(days=1))
    assert canary.outlived(on + timedelta(days=2))


def world(on: date) -> World:
    world = World(policy=POLICY)
    world.clock.at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    return world


def night(world: World, on: date) -> None:
    world.clock.at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    world.order(on)
    world.carry_out()


def incidents(world: World) -> list[str]:
    return [str(one.detail["code"]) for one in world.graph.entries if one.act == "integrity.incident"]


def test_c03_each_night_takes_it_away_and_plants_the_next_without_a_purge():
    register = world(DAY)
    assert register.graph.canary() is None
    for days in range(3):
        night(register, DAY + timedelta(days=days))
        assert register.graph.canary().planted_on == DAY + timedelta(days=days)
    assert incidents(register) == []
    assert {run.state for run in register.graph.runs_held.values()} == {"nothing-due"}
    assert register.keys.generation == World().keys.generation


def test_c03_a_night_missed_is_told_by_the_run_that_finds_it():
    register = world(DAY)
    night(register, DAY)
    night(register, DAY + timedelta(days=2))
    assert incidents(register) == ["canary.outlived"]
    assert register.graph.canary().planted_on == DAY + timedelta(days=2)


def test_c03_it_stays_and_alarms_where_rules_find_nothing_due_any_more():
    register = world(DAY)
    night(register, DAY)
    kept = register.graph.canary()
    rules = tuple(
        replace(rule, starts=frozenset(), opens=rule.starts, outcome=Outcome.DESTROY) if None in rule.kinds else rule
        for rule in POLICY.rules
    )
    register.policy = replace(POLICY, rules=rules)
    night(register, DAY + timedelta(days=2))
    assert register.graph.canary() == kept
    assert kept.outlived(DAY + timedelta(days=2))


@pytest.mark.parametrize("later", [0, 1])
def test_c03_a_second_run_of_the_same_day_leaves_it(later):
    register = world(DAY)
    night(register, DAY)
    kept = register.graph.canary()
    night(register, DAY - timedelta(days=later))
    assert register.graph.canary() == kept

"""A new version comes into force: stamped dates are those of the new policy before its first run looks at them."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from register.errors import Conflict, Unavailable
from register.sealed import SealedSubject
from retention.calendar import Period
from retention.impact import Effect
from retention.outlook import Outlook
from retention.policy import shipped
from retention.restamping import Restamping
from tests.retention.world import World, hexid

OLD = shipped("2020-01-01-theme-bribery.toml")
DAY = date(2026, 5, 25)


def with_term(term: str):
    rules = tuple(
        replace(rule, term=Period.parse(term)) if rule.id.startswith("theme.") else rule for rule in OLD.rules
    )
    return replace(OLD, rules=rules, digest="b" * 64)


SHORTER, LONGER = with_term("P4Y"), with_term("P6Y")


@dataclass
class Store:
    """Writes into the fake graph; the first `busy` times something moved meanwhile."""

    world: World
    busy: int = 0

    def change(self, change, entries):
        if self.busy:
            self.busy -= 1
            raise Conflict("graph.moved", "moved")
        for one in change.subjects:
            self.world.graph.subjects_held[one.facts.id] = one
        for one in change.signals:
            held = self.world.graph.signals_held[one.facts.id]
            self.world.graph.signals_held[one.facts.id] = replace(held, facts=one.facts, mac=one.mac)
        self.world.graph.append(list(entries))


def world() -> World:
    world = World(policy=OLD)
    world.signal("s1", date(2021, 6, 1), "AB", accepted_on=date(2026, 5, 20))
    world.signal("s2", date(2025, 2, 1), "A", accepted_on=date(2026, 5, 20))
    world.signal("s3", date(2021, 6, 10), accepted_on=date(2026, 5, 20))
    return world


def stamping(world: World, policy, busy: int = 0) -> Restamping:
    return Restamping(
        erasure=world.graph, check=world.facts, change=Store(world, busy).change, clock=world.clock, policy=policy
    )


def dates(world: World) -> dict[str, date]:
    held = {one: kept.facts.remove_by for one, kept in world.graph.subjects_held.items()}
    return held | {one: kept.facts.remove_by for one, kept in world.graph.signals_held.items() if not kept.mentions}


@pytest.mark.parametrize("policy", [SHORTER, LONGER], ids=["shorter", "longer"])
def test_what_is_stamped_is_what_the_impact_list_told(policy):
    """R06, R11: the dates that change are those of the preview, and no others."""
    register = world()
    stamping(register, OLD).apply(DAY)
    before = dates(register)
    told = Outlook(erasure=register.graph, holds=register.graph, check=register.facts, policy=OLD).impact(policy, DAY)
    count = stamping(register, policy).apply(DAY)
    after = dates(register)
    assert {item for item, _ in told} == {item for item in after if after[item] != before[item]}
    assert {item: change.after.remove_by for item, change in told} == {item: after[item] for item, _ in told}
    assert count == len(told) == 3
    assert all(change.effect is not Effect.OTHER for _, change in told)
    assert stamping(register, policy).apply(DAY) == 0


def test_a_run_after_it_finds_no_incident_and_without_it_one_for_each():
    """A date that the former policy gave is no date that somebody moved."""
    register = world()
    stamping(register, OLD).apply(DAY)
    bare = replace(register, policy=SHORTER)
    bare.graph, bare.facts, bare.archive = register.graph, register.facts, register.archive
    assert {one.reason for one in bare.plan(DAY).findings} == {"stated-later"}
    stamping(register, SHORTER).apply(DAY)
    assert bare.plan(DAY).findings == ()


def test_each_batch_has_an_entry_that_names_the_policy():
    register = world()
    stamping(register, OLD).apply(DAY)
    seen = len(register.graph.entries)
    stamping(register, SHORTER).apply(DAY)
    entries = register.graph.entries[seen:]
    assert {one.act for one in entries} == {"policy.applied"}
    assert sum(one.count for one in entries) == 3
    assert {one.detail["policy"] for one in entries} == {SHORTER.digest}


def test_what_does_not_verify_keeps_what_it_states():
    register = world()
    item = register.forge("B", date(2040, 1, 1))
    stamping(register, SHORTER).apply(DAY)
    assert register.graph.subjects_held[item].facts.remove_by == date(2040, 1, 1)


def test_what_moved_meanwhile_is_reckoned_again_and_not_for_ever():
    register = world()
    assert stamping(register, SHORTER, busy=4).apply(DAY) == 3
    with pytest.raises(Unavailable):
        stamping(register, LONGER, busy=5).apply(DAY)


def test_stamped_facts_are_certified_anew():
    register = world()
    stamping(register, SHORTER).apply(DAY)
    held: SealedSubject = register.graph.subjects_held[hexid("subject", "A")]
    assert register.facts.verifies(held)
    assert register.facts.behind([(held.facts.id, held.facts.revision - 1)])

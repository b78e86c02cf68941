"""What another policy would change, seen before it takes effect (R11)."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.exchange.evaluation import answers, impacts
from register.errors import Invalid
from register.grading import SubjectKind
from retention.assessment import assess
from retention.calendar import Period
from retention.impact import Effect, impact
from retention.outlook import Outlook
from retention.policy import shipped, shipped_every
from retention.rules import Ground
from tests.retention.test_assessment import case, needed, signal
from tests.retention.test_assessment_properties import cases, days
from tests.retention.world import World, hexid

OLD = shipped("2020-01-01-theme-bribery.toml")
DAY = date(2026, 5, 25)


def policy(**changes):
    """Return the policy with other terms for theme data."""
    rules = tuple(replace(rule, **changes) if rule.ground is Ground.WPG_10_1_B else rule for rule in OLD.rules)
    return replace(OLD, rules=rules)


SHORTER, LONGER = policy(term=Period.parse("P3Y")), policy(term=Period.parse("P6Y"))


@pytest.mark.parametrize(
    ("facts", "new", "effect"),
    [
        (case(signal("2025-06-01")), OLD, None),
        (case(signal("2025-06-01")), SHORTER, Effect.EARLIER),
        (case(signal("2025-06-01"), reviews=needed("2026-05-20")), SHORTER, Effect.EARLIER),
        (case(signal("2022-06-01"), reviews=needed("2026-05-20")), SHORTER, Effect.DISAPPEARS),
        (case(signal("2021-05-01"), reviews=needed("2026-05-20")), LONGER, Effect.REAPPEARS),
        (case(signal("2021-06-01"), removed_on="2026-05-01"), SHORTER, None),
        (case(signal("2021-06-01"), reviews=needed("2026-05-20")), LONGER, Effect.LATER),
        (case(signal("2021-06-01"), reviews=needed("2026-05-20")), policy(check=None), Effect.OTHER),
        (case(signal("2026-05-01")), policy(starts=frozenset({"order"})), Effect.REFUSED),
        (case(), OLD, None),
    ],
)
def test_effect(facts, new, effect):
    change = impact(facts, DAY, old=OLD, new=new)
    assert (change and change.effect) == effect


@given(cases(), days, st.sampled_from([SHORTER, LONGER, policy(check=None)]))
def test_the_impact_list_is_the_list_of_what_changes(facts, on, new):
    """R11: a record is named exactly if the two policies answer differently about it."""

    def told(by):
        try:
            found = assess(by, facts, on)
        except Invalid:
            return None
        return (found.state, found.visible, found.review_by, found.remove_by, found.ends_on, found.destroy_on)

    change = impact(facts, on, old=OLD, new=new)
    if change is None:
        assert told(OLD) == told(new)
    elif change.effect is Effect.REFUSED:
        assert (told(OLD) is None) != (told(new) is None)
    else:
        assert change.before == assess(OLD, facts, on)
        assert change.after == assess(new, facts, on)
        assert change.effect is not Effect.REAPPEARS or (not change.before.visible and change.after.visible)
    assert impact(facts, on, old=new, new=new) is None


def _world() -> World:
    world = World(policy=OLD)
    world.signal("s1", date(2021, 6, 1), "AB", accepted_on=date(2026, 5, 20))
    world.signal("s2", date(2025, 2, 1), "A", accepted_on=date(2026, 5, 20))
    world.signal("s3", date(2021, 6, 10), accepted_on=date(2026, 5, 20))
    return world


def _cases(world: World) -> bytes:
    outlook = Outlook(erasure=world.graph, holds=world.graph, check=world.facts, policy=OLD)
    return b"".join(json.dumps(one).encode() + b"\n" for one in outlook.cases(DAY))


def test_the_facts_of_the_register_are_cases_to_evaluate():
    world = _world()
    found = {one["case"]: one for one in answers(io.BytesIO(_cases(world)), shipped_every())}
    assert {key: one["remove_by"] for key, one in found.items()} == {
        hexid("subject", "A"): "2030-02-01",
        hexid("subject", "B"): "2026-06-01",
        hexid("signal", "s3"): "2026-06-10",
    }
    world.forge("B", date(2040, 1, 1))
    assert hexid("subject", "B") not in {json.loads(line)["case"] for line in _cases(world).splitlines()}


def test_impacts_name_what_changes_and_count_the_rest():
    """R11: a preview, by record."""
    *named, last = impacts(io.BytesIO(_cases(_world()) + b"{}\n"), OLD, SHORTER)
    effects = {one["case"]: one.get("effect") for one in named}
    assert effects == {
        hexid("subject", "A"): "earlier",
        hexid("subject", "B"): "disappears",
        hexid("signal", "s3"): "disappears",
        None: None,
    }
    counted = {key: count for key, count in last["counts"].items() if count}
    assert counted == {"earlier": 1, "disappears": 2, "unread": 1}
    assert (last["from"], last["to_sha256"]) == (OLD.version, OLD.digest)


def test_the_command_compares_with_what_is_in_force(tmp_path):
    root = Path(__file__).parents[2]
    text = (root / "retention/policies/2020-01-01-theme-bribery.toml").read_text()
    new = tmp_path / "2027-01-01-theme-bribery.toml"
    new.write_text(text.replace("valid_from = 2020-01-01", "valid_from = 2027-01-01").replace('"P5Y"', '"P4Y"'))
    (tmp_path / "cases.ndjson").write_bytes(_cases(_world()))
    command = [sys.executable, "-m", "api.cli", "retention", "impact", str(tmp_path / "cases.ndjson"), "--to", str(new)]
    done = subprocess.run(command, capture_output=True, check=True, cwd=root)
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["from"], last["to"]) == ("2020-01-01-theme-bribery", "2027-01-01-theme-bribery")
    assert sum(last["counts"].values()) == 3


def test_a_rule_of_another_ground_does_not_touch_this_one():
    other = replace(case(signal("2025-06-01")), ground=Ground.WPG_12, kind=SubjectKind.ORGANISATION)
    assert impact(other, DAY, old=OLD, new=SHORTER) is None

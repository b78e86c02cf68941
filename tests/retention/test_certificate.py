"""What a run's certificate states, against the seventeen fields that are asked for from outside."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

import pytest

from evidence.statement import draft
from register.lifetime import HoldGround
from tests.retention.test_removal import REMOVED, Register
from tests.retention.world import hexid

FIELDS: Final = {
    1: "certificate.id",
    2: "controller.name",
    3: "policy.sha256 grounds.0.rule grounds.0.citation.article grounds.0.citation.version_on grounds.0.category",
    4: "terms.0.event terms.0.event_on terms.0.period terms.0.due_on",
    5: "scope.counts.0.kind scope.counts.0.count scope.ids.root",
    6: "stores.0.store stores.0.method stores.0.result stores.0.assurance",
    7: "readback.0.store readback.0.check readback.0.asked readback.0.found",
    8: "cascade.0.kind cascade.0.count",
    9: "skipped.0.kind skipped.0.reason skipped.0.count",
    10: "holds.0.ground holds.0.considered",
    11: "requested_by.actor operator.actor run.trigger software.name software.version",
    12: "times.started_at times.ended_at",
    13: "backups.sets",
    14: "recalls.sent recalls.owed",
    15: "stubs.root stubs.count",
}
"""Fields 1 to 15 are the predicate; 16 lies beside it, 17 is the envelope: those of tests/evidence and api.logbook."""


@pytest.fixture(scope="module")
def body() -> Mapping[str, Any]:
    """The certificate of a removal with one subject gone, one held, and one that waits for a key of its month."""
    world = Register()
    world.about("s1", "B")
    world.about("s2", "E", REMOVED - timedelta(days=5 * 366))
    world.hold(HoldGround.EVIDENCE, date(2026, 5, 1), date(2040, 1, 1), subjects=(hexid("subject", "E"),))
    world.archive.months = frozenset({"2031-06"})
    told = world.night(REMOVED)
    assert told is not None
    return told


def at(body: Any, path: str) -> Any:
    for key in path.split("."):
        body = body[int(key)] if key.isdigit() else body[key]
    return body


@pytest.mark.parametrize("number", FIELDS)
def test_r27_r32_every_field_of_the_predicate_is_stated(body: Mapping[str, Any], number: int) -> None:
    """R26-R32: organisation, opaque ids as one digest, destruction id, user, application, trigger, time and reason."""
    assert json.loads(draft(body))["predicate"] == json.loads(json.dumps(body))
    assert [path for path in FIELDS[number].split() if at(body, path) in (None, "")] == []


def test_r28_no_id_of_what_went_stands_in_it(body: Mapping[str, Any]) -> None:
    text = json.dumps(body)
    named = [
        hexid(kind, name) for kind, name in (("subject", "B"), ("subject", "E"), ("signal", "s1"), ("mention", "s1B"))
    ]
    assert [one for one in named if one in text] == []

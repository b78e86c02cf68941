"""R36: the report says where certificates and log differ, whatever is taken away, added or changed in either."""

import copy
from datetime import date, timedelta

import pytest

from register.logged import Certified, LoggedEntry
from register.reporting import earliest, report
from tests.evidence.builders import paper, predicate

DAY = date(2026, 11, 24)
DIGEST = "9f" * 32


def certified(**sections) -> Certified:
    made = predicate(**sections)
    made["scope"]["counts"] = [
        {"kind": "subject", "act": "destroyed", "count": 3},
        {"kind": "mention", "act": "destroyed", "count": 7},
        {"kind": "signal", "act": "destroyed", "count": 2},
    ]
    return Certified(predicate=made, digest=DIGEST)


def body(act, *, targets=(), count=0, at="2026-11-24T02:00:30Z", actor="system", **detail):
    fixed = {"id": "1" * 32, "role": "system", "outcome": "done", "purpose": "", "case": ""}
    return {**fixed, "at": at, "act": act, "actor": actor, "targets": list(targets), "count": count, "detail": detail}


RUN = "e" * 32
CERTIFICATE = "c" * 32
GOOD = (
    body("destruction", targets=["a1", "a2", "b1"], count=7, run=RUN),
    body("destruction", targets=["a3", "b2"], count=5, run=RUN),
    body("retention.approve", targets=[RUN], actor="co-1", digest="12" * 32, at="2026-11-24T01:00:00Z"),
    body("certificate.issued", targets=[CERTIFICATE], sha256=DIGEST, at="2026-11-24T02:01:05Z"),
    body("certificate.issued", targets=[CERTIFICATE, RUN], digest=DIGEST, at="2026-11-24T02:01:06Z"),
)


def of(bodies, certificates=None):
    entries = [LoggedEntry(index=number, body=one) for number, one in enumerate(bodies)]
    return report(certificates if certificates is not None else [certified()], entries, DAY, DAY)


def test_certificates_and_log_that_say_the_same():
    found = of(GOOD)
    assert found.differences == ()
    (ended,) = found.ended
    assert (ended.ids, ended.logged, ended.requested_by) == (12, 2, "system")
    assert found.by_rule == (("wpg-10-6", "removed", 3), ("wpg-14-2", "destroyed", 2))
    assert [each["actor"] for each in ended.approvals] == ["co-1"]


def changed(place, **values):
    bodies = copy.deepcopy(list(GOOD))
    bodies[place] |= values
    return bodies


@pytest.mark.parametrize(
    ("bodies", "what"),
    [
        (GOOD[1:], {"ids-named", "ids-in-all"}),
        ([*GOOD, GOOD[1]], {"ids-named", "ids-in-all", "ids-once"}),
        (changed(0, count=8), {"ids-in-all"}),
        (changed(0, targets=["a1", "a2", "a3"]), {"ids-once"}),
        ([*GOOD[:2], *GOOD[3:]], {"approvals", "approvals-logged"}),
        (changed(2, actor="co-2"), {"approvals"}),
        (changed(2, detail={"digest": "34" * 32}), {"approvals"}),
        ([*GOOD, body("retention.approve", targets=[RUN], actor="co-9", digest="12" * 32)], {"approvals-logged"}),
        (GOOD[:3], {"digest"}),
        (changed(3, detail={"sha256": "00" * 32}), {"digest"}),
        ([*GOOD, body("destruction", targets=["z"], count=1, run="f" * 32)], {"no-certificate"}),
        ([*GOOD, body("destruction", targets=["z"], count=1)], {"no-certificate"}),
    ],
)  # fmt: skip
def test_r36_whatever_one_side_says_alone_is_a_difference(bodies, what):
    assert {one.what for one in of(bodies).differences} == what


def test_a_certificate_taken_away_leaves_its_deletions_unaccounted_for():
    found = of(GOOD, certificates=[])
    assert {one.what for one in found.differences} == {"no-certificate"}
    assert found.ended == ()


def test_refused_attempts_and_rehearsals_on_paper_delete_nothing():
    refused = body("destruction", targets=["z"], count=1, run=RUN) | {"outcome": "refused"}
    assert of([*GOOD, refused]).differences == ()
    rehearsed = Certified(predicate=paper(), digest=DIGEST)
    assert of([], certificates=[rehearsed]).differences == ()


def test_the_period_is_counted_in_civil_days():
    """Ended at 23:30 UTC is the next day in Amsterdam."""
    late = certified(
        times={"as_of": "2026-11-24", "started_at": "2026-11-23T22:50:00Z", "ended_at": "2026-11-23T23:30:00Z"}
    )
    assert len(of([], certificates=[late]).ended) == 1
    assert report([late], [], DAY - timedelta(days=1), DAY - timedelta(days=1)).ended == ()
    assert earliest([late], DAY, DAY).isoformat() == "2026-11-23T22:50:00+00:00"
    assert earliest([], DAY, DAY) is None

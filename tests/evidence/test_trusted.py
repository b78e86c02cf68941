"""Standing certificates that pass or fail for what the verifying party knows besides: checks 9 to 12."""

import base64
import json
from datetime import datetime
from pathlib import Path

import pytest

from evidence.result import Finding, Status
from evidence.trust import Trust
from evidence.verify import Evidence, KnownCheckpoint, verify_certificate
from tests.evidence.builders import VERIFIER

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "evidence" / "trusted.json").read_text())
STATUS = {0: {Status.VALID, Status.NOT_WITNESSED}, 10: {Status.STALE}}
NUMBERS = {19: 9, 20: 10, 21: 11, 10: 12}


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_each_case_comes_to_its_exit_code_and_reason(case):
    known = case.get("known")
    evidence = Evidence(
        envelope=VECTORS["good"]["envelope"].encode(),
        proof=case.get("proof", VECTORS["good"]["proof"]).encode(),
        known=known
        and KnownCheckpoint(
            checkpoint=known["checkpoint"].encode(), proof=tuple(base64.b64decode(part) for part in known["proof"])
        ),
    )
    now = datetime.fromisoformat(case["now"]) if "now" in case else None
    found = verify_certificate(evidence, Trust.parse(json.dumps(case["trust"]).encode()), VERIFIER, now=now)
    assert found.exit_code == case["exit"]
    if case["exit"]:
        check = found.checks[NUMBERS[case["exit"]] - 1]
        assert (check.reason, check.finding is Finding.PASSED) == (case["reason"], False)
    quorum = case["reason"] == "witness.quorum"
    assert found.status in STATUS.get(case["exit"], {Status.NOT_WITNESSED if quorum else Status.INVALID})


def test_every_check_that_needs_more_than_the_certificate_has_a_case():
    assert {case["exit"] for case in VECTORS["cases"]} == {0, *NUMBERS}

"""The offline verifier: committed vectors, every outcome, and what it takes to start."""

import base64
import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evidence import envelope
from evidence.checkpoint import CheckpointSigner
from evidence.log import Log
from evidence.note import SignatureType, encode_vkeys, own_keys
from evidence.result import CHECKS, Finding, Status
from evidence.statement import draft
from evidence.trust import FORMAT, Role, Trust, TrustedKey
from evidence.verify import Evidence, KnownCheckpoint, verify_certificate
from evidence.words import explain
from register.errors import Invalid
from tests.evidence.builders import (
    ENDED,
    LOG_KEYS,
    LOGGED,
    ORIGIN,
    POLICY,
    VERIFIER,
    cosigned,
    ids_file,
    issue,
    keys,
    paper,
    predicate,
    witness,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "evidence" / "certificates.json").read_text())
ED25519_COSIGNATURE = SignatureType.ED25519_COSIGNATURE


def _content(vector, key):
    if f"{key}_base64" in vector:
        return base64.b64decode(vector[f"{key}_base64"])
    return vector.get(key, VECTORS["good"][key]).encode()


@pytest.fixture(scope="module")
def issued(tmp_path_factory):
    return issue(tmp_path_factory.mktemp("issued"))


def test_the_good_vector_is_valid_and_stays_so():
    found = verify_certificate(
        Evidence(
            envelope=_content({}, "envelope"),
            proof=_content({}, "proof"),
            policy=VECTORS["policy"].encode(),
            ids=VECTORS["ids"].encode(),
        ),
        Trust.of_vkeys(VECTORS["vkey"].encode()),
        VERIFIER,
    )
    assert (found.status, found.exit_code) == (Status.NOT_WITNESSED, 0)
    assert found.predicate == predicate()
    assert [check.finding for check in found.checks] == [Finding.PASSED] * 8 + [Finding.NOT_DONE] * 2 + [
        Finding.PASSED
    ] * 2
    assert set(found.limits) == {
        "other-copies", "truth-of-statement", "assurance-logical", "exceptions", "backups", "recalls-owed",
        "not-witnessed", "no-earlier-checkpoint",
    }  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS["bad"], ids=lambda vector: vector["name"])
def test_each_bad_vector_gives_its_exit_code_and_reason(vector):
    files = Evidence(envelope=_content(vector, "envelope"), proof=_content(vector, "proof"))
    found = verify_certificate(files, Trust.of_vkeys(VECTORS["vkey"].encode()), VERIFIER)
    assert (found.status, found.exit_code) == (Status.INVALID, vector["exit"])
    failed = [check for check in found.checks if check.finding is Finding.FAILED]
    assert [(check.number, check.reason) for check in failed] == [(vector["exit"] - 10, vector["reason"])]
    assert found.predicate is None
    assert found.limits == ()


def test_the_bad_vectors_fail_every_check_that_can_fail_without_a_trust_file():
    assert {vector["exit"] for vector in VECTORS["bad"]} == {11, 12, 13, 14, 15, 16, 17, 18}


def _trust(issued, **changes):
    return replace(issued.trust(), **changes)


def test_enough_witnesses_make_it_valid(issued):
    at = LOGGED + timedelta(seconds=2)
    proof = cosigned(cosigned(issued.proof, 3, at=at), 4, at=at, kind=ED25519_COSIGNATURE)
    trust = _trust(issued, witnesses=(witness(3), witness(4, ED25519_COSIGNATURE), witness(5)), quorum=2)
    found = verify_certificate(issued.evidence(proof=proof), trust, VERIFIER)
    assert (found.status, found.exit_code) == (Status.VALID, 0)
    assert "not-witnessed" not in found.limits
    found = verify_certificate(issued.evidence(proof=proof), replace(trust, quorum=3), VERIFIER)
    assert (found.status, found.exit_code, found.checks[8].reason) == (Status.NOT_WITNESSED, 19, "witness.quorum")


def test_a_witness_counts_with_nothing_asked_for_and_is_ignored_when_unknown(issued):
    proof = cosigned(issued.proof, 3, at=LOGGED)
    assert verify_certificate(issued.evidence(proof=proof), issued.trust(), VERIFIER).status is Status.NOT_WITNESSED
    known = _trust(issued, witnesses=(witness(3),))
    assert verify_certificate(issued.evidence(proof=proof), known, VERIFIER).status is Status.VALID


@pytest.mark.parametrize(
    ("at", "now", "reason"),
    [
        (ENDED - timedelta(seconds=1), None, "witness.time"),
        (LOGGED + timedelta(hours=1), LOGGED, "witness.time"),
        (LOGGED, LOGGED - timedelta(hours=1), "checkpoint.time"),
    ],
)
def test_times_that_cannot_be_are_refused(issued, at, now, reason):
    proof = cosigned(issued.proof, 3, at=at)
    found = verify_certificate(issued.evidence(proof=proof), _trust(issued, witnesses=(witness(3),)), VERIFIER, now=now)
    assert (found.status, found.checks[int(found.exit_code) - 11].reason) == (Status.INVALID, reason)


def test_a_forged_cosignature_is_refused(issued):
    proof = cosigned(issued.proof, 3, at=LOGGED)
    line = proof.rstrip(b"\n").rpartition(b"\n")[2]
    forged = line[:-20] + (b"AAAA" if line[-20:-16] != b"AAAA" else b"BBBB") + line[-16:]
    found = verify_certificate(
        issued.evidence(proof=proof.replace(line, forged)), _trust(issued, witnesses=(witness(3),)), VERIFIER
    )
    assert (found.exit_code, found.checks[8].reason) == (19, "checkpoint.signature")
    assert found.status is Status.INVALID


def _known(issued, size, folder, *, signer=LOG_KEYS, origin=ORIGIN, others=()):
    """A checkpoint of the log when it had `size` entries, signed by a signer of its own, and the proof between."""
    with Log.open(issued.folder, read_only=True) as log:
        full = log.size
        low, high = sorted((size, full))
        proof = log.consistency(low, high) if high == full and low else ()

        class Earlier:
            def head(self):
                return size, log.root_at(size)

            def consistency(self, old, new):
                return log.consistency(old, new)

        signing = CheckpointSigner(origin=origin, signer=signer, verifier=VERIFIER, memory=folder / "memory")
        signing.begin(at=LOGGED)
        return KnownCheckpoint(checkpoint=signing.sign(Earlier(), at=LOGGED), proof=proof)


@pytest.mark.parametrize("size", [0, 1, 4, 8])
def test_a_checkpoint_known_before_is_continued(issued, tmp_path, size):
    found = verify_certificate(issued.evidence(known=_known(issued, size, tmp_path)), issued.trust(), VERIFIER)
    assert found.checks[9].finding is Finding.PASSED
    assert "no-earlier-checkpoint" not in found.limits


def test_a_newer_checkpoint_continues_this_one(issued, tmp_path):
    """The certificate's checkpoint is the older of the two."""
    longer = issue(tmp_path / "longer", sealed=issued.envelope, after=9)
    shorter = issue(tmp_path / "shorter", sealed=issued.envelope, after=2)
    with Log.open(longer.folder, read_only=True) as log:
        known = KnownCheckpoint(checkpoint=longer.checkpoint, proof=log.consistency(8, log.size))
    found = verify_certificate(shorter.evidence(known=known), shorter.trust(), VERIFIER)
    assert found.checks[9].finding is Finding.PASSED


def test_a_log_that_was_rewritten_is_found(issued, tmp_path):
    known = _known(issued, 4, tmp_path)
    rewritten = issue(tmp_path / "rewritten", sealed=issued.envelope, before=6)
    found = verify_certificate(rewritten.evidence(known=known), rewritten.trust(), VERIFIER)
    assert (found.exit_code, found.checks[9].reason) == (20, "consistency.proof")


def test_a_known_checkpoint_of_another_log_is_refused(issued, tmp_path):
    known = _known(issued, 4, tmp_path, origin="other.example/log")
    theirs = [TrustedKey(key=key, roles=frozenset({Role.LOG})) for key in own_keys("other.example/log", LOG_KEYS)]
    trusted = (*issued.trust().keys, *theirs)
    found = verify_certificate(issued.evidence(known=known), _trust(issued, keys=trusted), VERIFIER)
    assert (found.exit_code, found.checks[9].reason) == (20, "consistency.checkpoint")


def test_a_known_checkpoint_of_another_signer_is_refused(issued, tmp_path):
    known = _known(issued, 4, tmp_path, signer=keys(9))
    found = verify_certificate(issued.evidence(known=known), issued.trust(), VERIFIER)
    assert (found.exit_code, found.checks[9].reason) == (20, "checkpoint.threshold")


@pytest.mark.parametrize(
    ("changes", "exit_code"),
    [
        ({"valid_from": LOGGED, "valid_until": LOGGED}, 0),
        ({"valid_from": LOGGED + timedelta(seconds=1)}, 14),
        ({"valid_until": LOGGED - timedelta(seconds=1)}, 14),
        ({"revoked_at": LOGGED + timedelta(days=1)}, 21),
        ({"revoked_at": LOGGED}, 21),
    ],
)
def test_the_time_of_the_log_decides_whether_a_key_was_valid(issued, changes, exit_code):
    trusted = tuple(replace(each, **changes) for each in issued.trust().keys)
    assert verify_certificate(issued.evidence(), _trust(issued, keys=trusted), VERIFIER).exit_code == exit_code


@pytest.mark.parametrize(("seen", "exit_code"), [(timedelta(0), 0), (timedelta(days=2), 21)])
def test_only_a_witness_can_vouch_for_a_key_revoked_later(issued, seen, exit_code):
    trusted = tuple(replace(each, revoked_at=LOGGED + timedelta(days=1)) for each in issued.trust().keys)
    trust = _trust(issued, keys=trusted, witnesses=(witness(3),), quorum=1)
    proof = cosigned(issued.proof, 3, at=LOGGED + seen)
    assert verify_certificate(issued.evidence(proof=proof), trust, VERIFIER).exit_code == exit_code


def test_a_key_counts_only_in_its_role(issued):
    trusted = tuple(replace(each, roles=frozenset({Role.LOG})) for each in issued.trust().keys)
    assert verify_certificate(issued.evidence(), _trust(issued, keys=trusted), VERIFIER).exit_code == 14
    trusted = tuple(replace(each, roles=frozenset({Role.CERTIFICATE})) for each in issued.trust().keys)
    assert verify_certificate(issued.evidence(), _trust(issued, keys=trusted), VERIFIER).exit_code == 18


def test_a_second_signer_with_a_key_of_its_own(issued, tmp_path):
    """The keeper's keys and a privacy officer's: three distinct keys asked for."""
    form = json.loads(issued.envelope)
    officer = own_keys("officer.example/1", keys(6))[0]
    message = envelope.pae(form["payloadType"], base64.b64decode(form["payload"]))
    signature = base64.b64encode(keys(6).sign("ed25519", message)).decode()
    form["signatures"].append({"keyid": officer.label, "sig": signature})
    both = issue(tmp_path, sealed=json.dumps(form).encode())
    trusted = (*both.trust().keys, TrustedKey(key=officer, roles=frozenset({Role.CERTIFICATE})))
    assert verify_certificate(both.evidence(), replace(both.trust(), keys=trusted), VERIFIER).exit_code == 0
    strict = replace(both.trust(), keys=trusted, threshold=3)
    assert verify_certificate(issued.evidence(), strict, VERIFIER).checks[3].reason == "envelope.threshold"


def test_superseded_or_old_is_stale(issued):
    superseded = _trust(issued, superseded={envelope.digest(issued.envelope): "00" * 32})
    found = verify_certificate(issued.evidence(), superseded, VERIFIER)
    assert (found.status, found.exit_code, found.checks[11].reason) == (Status.STALE, 10, "stale.superseded")
    fresh = _trust(issued, fresh=timedelta(days=1))
    now = LOGGED + timedelta(hours=23)
    assert verify_certificate(issued.evidence(), fresh, VERIFIER, now=now).exit_code == 0
    found = verify_certificate(issued.evidence(), fresh, VERIFIER, now=now + timedelta(hours=2))
    assert (found.status, found.exit_code, found.checks[11].reason) == (Status.STALE, 10, "stale.age")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"policy": POLICY + b"#"}, "sense.policy-text"),
        ({"ids": ids_file()[:-65]}, "sense.ids-list"),
        ({"ids": ids_file().upper()}, "sense.ids-list"),
        ({"ids": b"".join(reversed(ids_file().splitlines(keepends=True)))}, "sense.ids-list"),
        ({"ids": b"\xff\n"}, "sense.ids-list"),
        ({"ids": b""}, "sense.ids-list"),
    ],
)
def test_files_beside_it_are_compared(issued, files, reason):
    found = verify_certificate(issued.evidence(**files), issued.trust(), VERIFIER)
    assert (found.exit_code, found.checks[4].reason) == (15, reason)


def test_a_rehearsal_says_so_and_its_clock_is_its_own(tmp_path):
    made = predicate()
    made["certificate"]["rehearsal"] = "register"
    early = LOGGED - timedelta(days=400)
    found = verify_certificate(
        (case := issue(tmp_path / "register", payload=draft(made), logged=early)).evidence(), case.trust(), VERIFIER
    )
    assert (found.exit_code, "rehearsal-register" in found.limits) == (0, True)
    case = issue(tmp_path / "paper", payload=draft(paper()))
    found = verify_certificate(case.evidence(), case.trust(), VERIFIER)
    assert (found.exit_code, "rehearsal-paper" in found.limits) == (0, True)


@pytest.mark.parametrize("assurance", ["logical", "clear", "purge"])
def test_what_undoes_the_destruction_of_the_anchor_is_said(tmp_path, assurance):
    made = predicate()
    made["keys"]["anchor"]["assurance"] = assurance
    case = issue(tmp_path / assurance, payload=draft(made))
    found = verify_certificate(case.evidence(), case.trust(), VERIFIER)
    said = [limit for limit in found.limits if limit.startswith("assurance")]
    assert said == ([] if assurance == "purge" else [f"assurance-{assurance}"])
    assert sum(f"assurance: {assurance}" in line for line in explain(found, "en")) == len(said)


@pytest.mark.parametrize("language", ["en", "nl"])
def test_every_outcome_has_words(issued, language):
    found = verify_certificate(issued.evidence(), issued.trust(), VERIFIER)
    good = explain(found, language)
    bad = explain(verify_certificate(issued.evidence(proof=b""), issued.trust(), VERIFIER), language)
    assert len(good) == 1 + len(CHECKS) + len(found.limits)
    assert {"policy-text", "ids-list"} <= set(found.limits)
    assert len(bad) == 1 + len(CHECKS)
    assert "proof.text" in "\n".join(bad)
    assert ("NOT WITNESSED" in good[0]) is (language == "en")


def _trust_file(issued, **changes):
    value = {
        "format": FORMAT,
        "origin": ORIGIN,
        "threshold": 2,
        "keys": [
            {"vkey": line, "roles": ["certificate", "log"], "valid_from": None, "valid_until": None, "revoked_at": None}
            for line in issued.vkeys.decode().splitlines()
        ],
        "witnesses": [witness(3).text()],
        "quorum": 1,
        "superseded": [],
        "fresh_seconds": 86400,
    }
    return json.dumps(value | changes).encode()


def test_a_trust_file_is_read_strictly(issued):
    trust = Trust.parse(_trust_file(issued))
    assert trust == _trust(issued, witnesses=(witness(3),), quorum=1, fresh=timedelta(days=1), superseded={})
    one = json.loads(_trust_file(issued))["keys"][0]
    bounded = one | {"valid_from": "2026-01-01T00:00:00Z", "revoked_at": "2026-02-30T00:00:00Z"}
    for changes in (
        {"more": 1},
        {"threshold": 3},
        {"quorum": 2},
        {"keys": [one, one]},
        {"keys": [one | {"vkey": one["vkey"][:-4] + "AAAA"}]},
        {"keys": [one, bounded]},
        {"threshold": 1, "keys": [bounded]},
        {"origin": "With Spaces"},
    ):
        with pytest.raises(Invalid):
            Trust.parse(_trust_file(issued, **changes))
    valid = one | {"valid_from": "2026-01-01T00:00:00Z"}
    assert Trust.parse(_trust_file(issued, threshold=1, keys=[valid])).keys[0].valid_from == datetime(
        2026, 1, 1, tzinfo=UTC
    )


def test_keys_of_two_names_are_not_one_log(issued):
    with pytest.raises(Invalid, match="one name"):
        Trust.of_vkeys(issued.vkeys + encode_vkeys([witness(3)]))


def test_verifying_imports_no_store_and_starts_fast():
    code = (
        "import sys; import evidence.verify, evidence.words, vault.signing;"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    begun = time.monotonic()
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert time.monotonic() - begun < 10  # the figure is measured in bench; this only catches a start gone wild
    assert not {"neo4j", "sqlalchemy", "fastapi", "pydantic", "typer", "sqlite3", "httpx"} & set(loaded)

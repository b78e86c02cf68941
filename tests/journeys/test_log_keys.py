"""Other keys take the place of the log keys, killed anywhere: the former vouch for them, what they signed verifies."""

import os
import random
import signal as signals
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from api.founding import found
from api.logbook import CERTIFICATES, PROOF
from api.logkeys import rotate_log_keys
from api.wiring import vouched
from evidence.envelope import seal
from evidence.note import encode_vkeys, own_keys, parse_vkeys
from evidence.proof import Proof
from evidence.result import Status
from evidence.statement import draft
from evidence.succession import SUCCESSION, TRUST, examine_succession
from evidence.survey import verify_log
from evidence.trust import Trust
from evidence.verify import Evidence, verify_certificate
from graph.endpoint import Endpoint
from graph.trail import AuditTrail
from register.clock import SystemClock
from register.errors import Invalid
from retention.policy import shipped_every
from tests.evidence.builders import predicate
from tests.journeys.conftest import place_on
from tests.journeys.test_witnessed import VERIFIER, Register, size_of
from vault.keystore.place import open_database
from vault.signing import COMING_FILE, LogKeys

ROUNDS = 20


@pytest.fixture
def register(tmp_path: Path, neo4j_endpoint: Endpoint, graph: object) -> Iterator[Register]:
    settings = place_on(neo4j_endpoint, tmp_path).settings
    found(settings, SystemClock(), rehearsal=True)
    with vouched(settings, neo4j_endpoint) as own:
        made = Register(settings, AuditTrail(own), tmp_path)
        made.grow(20)
        yield made


def certify(register: Register, sequence: int) -> Path:
    stated = predicate(register={"id": "d" * 32, "origin": register.log.origin})
    stated["policy"] |= {"sha256": shipped_every()[0].digest}
    stated["certificate"] |= {"id": f"{sequence:032x}", "sequence": sequence}
    return register.home / CERTIFICATES / register.log.certify(stated, at=SystemClock().now()).certificate


def verified(folder: Path, trust: Trust) -> Status:
    files = Evidence(envelope=(folder / "certificate.json").read_bytes(), proof=(folder / PROOF).read_bytes())
    return verify_certificate(files, trust, VERIFIER, now=SystemClock().now()).status


def vkey(register: Register) -> bytes:
    return (register.log.log_folder / "vkey").read_bytes()


def check_log(register: Register) -> None:
    """The log verifies with the keys that it publishes, and goes on."""
    for _ in range(2):
        result = verify_log(register.log.log_folder, Trust.of_vkeys(vkey(register)), VERIFIER)
        assert result.status is Status.NOT_WITNESSED, [one.reason for one in result.checks]
        assert register.log.head() is not None
        register.grow(3)


def test_certificates_of_before_and_after_verify_and_the_former_keys_vouch_for_the_new(register: Register) -> None:
    first, before = vkey(register), certify(register, 2)
    old_private = LogKeys.load(register.log.memory.parent)
    answers = [one.cosigns(register.log.log_folder) for one in register.elsewhere]
    for number, answer in enumerate(answers):
        register.hand_in(f"w{number}", answer)
    done = rotate_log_keys(register.settings)
    assert done["replacements"] == 1
    second = vkey(register)
    assert not set(parse_vkeys(first)) & set(parse_vkeys(second))
    check_log(register)  # by a process that has been running since before: it signs with the new keys
    after = certify(register, 3)
    assert (before / "vkey").read_bytes() == first
    assert (after / "vkey").read_bytes() == second
    for folder in (before, after):
        assert verified(folder, Trust.of_vkeys((folder / "vkey").read_bytes())) is Status.NOT_WITNESSED
    trust = Trust.parse((register.log.log_folder / TRUST).read_bytes())
    assert [(one.valid_from is None, one.valid_until is None) for one in trust.keys] == [
        (True, False), (True, False), (False, True), (False, True),
    ]  # fmt: skip
    assert {verified(folder, trust) for folder in (before, after)} == {Status.NOT_WITNESSED}
    # Led to what witnesses saw, and no further.
    assert size_of(Proof.parse((before / PROOF).read_bytes()).checkpoint) == 22
    check_vouched(register, first, second)
    check_former_keys_sign_no_more(register, old_private, trust)
    assert register.seen.cosignatures.newest() is not None  # what was witnessed before stays witnessed


def check_vouched(register: Register, first: bytes, second: bytes) -> None:
    place = register.log.log_folder / SUCCESSION
    proof = (place / "0001.tlog-proof").read_bytes()
    assert (place / "0001.vkey").read_bytes() == first
    examine_succession(proof, first, second, VERIFIER)
    for trusted, coming in ((first, first), (second, second), (second, first)):
        with pytest.raises(Invalid):
            examine_succession(proof, trusted, coming, VERIFIER)
    read = Proof.parse(proof)
    for bad in (replace(read, index=0), replace(read, extra=read.extra + b" "), replace(read, hashes=read.hashes[1:])):
        with pytest.raises(Invalid):
            examine_succession(bad.encode(), first, second, VERIFIER)


def check_former_keys_sign_no_more(register: Register, former: LogKeys, trust: Trust) -> None:
    """A certificate that the former keys sign now is refused: the time of the log is after theirs."""
    filed = certify(register, 4)
    forged = seal(draft(register.log.predicate(filed.name)), name=register.log.origin, signer=former)
    (filed / "certificate.json").write_bytes(forged)
    assert verified(filed, trust) is Status.INVALID


def test_a_witness_follows_only_keys_that_those_it_knows_vouch_for(register: Register, tmp_path: Path) -> None:
    log, witness = register.log.log_folder, register.elsewhere[0]
    assert witness.cosigns(log)
    rotate_log_keys(register.settings)
    register.grow(2)
    with pytest.raises(AssertionError, match="threshold"):
        witness.cosigns(log, known=21)
    stranger = tmp_path / "stranger"
    LogKeys.create(stranger)
    other = encode_vkeys(own_keys(register.log.origin, LogKeys.load(stranger)))
    (stranger / "vkey").write_bytes(other)
    proof = log / SUCCESSION / "0001.tlog-proof"
    with pytest.raises(AssertionError, match="other keys"):
        witness.follows(stranger / "vkey", proof)
    witness.follows(log / "vkey", proof)
    assert witness.cosigns(log, known=21)


def killed(register: Register, after: float) -> bool:
    child = os.fork()
    if child == 0:
        try:
            rotate_log_keys(register.settings)
        finally:
            os._exit(0)
    time.sleep(after)
    os.kill(child, signals.SIGKILL)
    _, state = os.waitpid(child, 0)
    return os.WIFSIGNALED(state)


def release(register: Register) -> None:
    """The lease of a process that was killed runs out."""
    with closing(open_database(register.settings.keys_folder, None)) as database, database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM keeper")


def test_killed_at_random_moments_the_log_verifies_and_goes_on(register: Register) -> None:
    moments = random.Random(20261125)  # noqa: S311 - moments of a test
    certificate = certify(register, 2)
    beside = Trust.of_vkeys((certificate / "vkey").read_bytes())
    began = time.monotonic()
    rotate_log_keys(register.settings)
    takes, hit, half = time.monotonic() - began, 0, 0
    for _ in range(ROUNDS):
        hit += killed(register, moments.uniform(takes / 4, takes))
        release(register)
        check_log(register)
        drawn = (register.log.memory.parent / COMING_FILE).exists()
        half += drawn
        if drawn:
            coming = LogKeys.load(register.log.memory.parent, name=COMING_FILE).public_keys
            rotate_log_keys(register.settings)
            assert LogKeys.load(register.log.memory.parent).public_keys == coming
            check_log(register)
        assert verified(certificate, beside) is Status.NOT_WITNESSED
        trust = Trust.parse((register.log.log_folder / TRUST).read_bytes())
        assert verified(certificate, trust) is Status.NOT_WITNESSED
    assert hit >= ROUNDS // 3
    assert half >= 1
    check_chain(register)


def check_chain(register: Register) -> None:
    """From the first keys on, each vouched for the next, down to those in force."""
    place = register.log.log_folder / SUCCESSION
    files = [path.read_bytes() for path in sorted(place.glob("*.vkey"))] + [vkey(register)]
    assert len(files) > 2
    for number, (trusted, coming) in enumerate(pairwise(files), start=1):
        examine_succession((place / f"{number:04}.tlog-proof").read_bytes(), trusted, coming, VERIFIER)

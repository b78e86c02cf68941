"""A register whose log is witnessed from another machine: cosignatures come in by files, certificates lead to them."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.alarm import Alarm
from api.examination import examine
from api.founding import found
from api.logbook import CERTIFICATES, PROOF
from api.places import register_of
from api.settings import Settings
from api.wiring import logbook, vouched
from api.witnessing import Witnessing, witnessing
from evidence.checkpoint import Checkpoint
from evidence.cosigned import INBOX, WITNESSED
from evidence.note import Note, parse_vkeys
from evidence.result import Status
from evidence.survey import verify_log
from evidence.trust import Trust
from evidence.verify import Evidence, verify_certificate
from graph.endpoint import Endpoint
from graph.trail import AuditTrail
from register.clock import SystemClock
from register.errors import Tampered, Unavailable
from retention.policy import shipped_every
from tests.evidence.builders import predicate
from tests.journeys.conftest import place_on
from tests.journeys.test_trail_watch import entries
from vault.signing import SignatureVerifier

ROOT = Path(__file__).parents[2]
VERIFIER = SignatureVerifier()


class Elsewhere:
    """A witness in a folder of its own, which only ever runs in processes of its own."""

    def __init__(self, folder: Path, name: str, log: Path) -> None:
        self.folder, self._out = folder, folder.with_suffix(".out")
        self.vkey = self._run("init", folder, "--name", name, "--log", log / "vkey")

    def cosigns(self, log: Path, *, known: int = 0, of: Path | None = None) -> bytes:
        """What comes back for the folder of cosignatures."""
        request = self.folder.with_suffix(".request")
        request.write_bytes(self._run("request", log, "--known", known, *(["--of", of] if of else [])))
        return self._run("sign", self.folder, request, "--with-checkpoint")

    def follows(self, vkey: Path, proof: Path) -> None:
        """Take up the log's new keys."""
        self._run("follow", self.folder, "--log", vkey, "--proof", proof)

    def _run(self, *arguments: Any) -> bytes:
        command = [sys.executable, "-m", "api.cli", "witness", *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


class Register:
    """A new register on the session's Neo4j with two witnesses, of whom `needed` have to cosign."""

    def __init__(self, settings: Settings, trail: AuditTrail, folder: Path) -> None:
        self.home, self.trail = settings.home, trail
        self.log = logbook(settings, register_of(settings.home), trail, SystemClock())
        self.elsewhere = [Elsewhere(folder / f"w{n}", f"witness.example/w{n}", self.log.log_folder) for n in (1, 2)]
        vkeys = folder / "witnesses"
        vkeys.write_bytes(b"".join(one.vkey for one in self.elsewhere))
        self.settings = settings.model_copy(update={"witnesses": vkeys, "witnesses_needed": 2})

    @property
    def seen(self) -> Witnessing:
        return witnessing(self.log, self.settings)

    @property
    def trust(self) -> Trust:
        plain = Trust.of_vkeys((self.log.log_folder / "vkey").read_bytes())
        return replace(plain, witnesses=parse_vkeys(self.settings.witnesses.read_bytes()), quorum=2)  # type: ignore[union-attr]

    def grow(self, number: int) -> None:
        self.trail.append(entries(number))
        self.log.seal_trail()

    def hand_in(self, name: str, content: bytes) -> None:
        (self.log.log_folder / INBOX).mkdir(exist_ok=True)
        (self.log.log_folder / INBOX / name).write_bytes(content)

    def inbox(self) -> list[str]:
        return sorted(one.name for one in (self.log.log_folder / INBOX).iterdir())

    def states(self) -> list[tuple[str, bool]]:
        return [(one.state, one.bad) for one in examine(self.settings) if one.what == "witnesses"]


@pytest.fixture
def register(tmp_path: Path, neo4j_endpoint: Endpoint, graph: object) -> Iterator[Register]:
    settings = place_on(neo4j_endpoint, tmp_path).settings
    found(settings, SystemClock(), rehearsal=True)
    with vouched(settings, neo4j_endpoint) as own:
        made = Register(settings, AuditTrail(own), tmp_path)
        made.grow(20)
        yield made


def size_of(note: bytes) -> int:
    return Checkpoint.parse(Note.parse(note).text).size


def test_two_of_two_witnesses_and_a_certificate_that_leads_to_what_they_saw(register: Register) -> None:
    stated = predicate(register={"id": "d" * 32, "origin": register.log.origin})
    stated["policy"] |= {"sha256": shipped_every()[0].digest}
    filed = register.log.certify(stated, at=SystemClock().now())
    folder = register.home / CERTIFICATES / filed.certificate

    def verified() -> Status:
        files = Evidence(
            envelope=(folder / "certificate.json").read_bytes(),
            proof=(folder / PROOF).read_bytes(),
        )
        return verify_certificate(files, register.trust, VERIFIER).status

    assert verified() is Status.NOT_WITNESSED
    assert register.states() == [("witness.none", True)]
    asked = register.log.log_folder / "checkpoint"
    kept = register.home.with_name("asked")
    shutil.copy(asked, kept)
    register.hand_in("one", register.elsewhere[0].cosigns(register.log.log_folder, of=kept))
    register.grow(7)  # the log goes on meanwhile; the second is asked about the same checkpoint
    assert register.seen.collect() is None
    assert register.inbox() == ["one"]  # one of two: it waits
    register.hand_in("two", register.elsewhere[1].cosigns(register.log.log_folder, of=kept))
    seen = register.seen.collect()
    assert seen is not None
    assert (seen.witnesses, size_of(seen.note)) == (("witness.example/w1", "witness.example/w2"), 22)
    assert register.inbox() == []
    assert register.seen.collect() is None
    assert register.seen.renew_proofs() == 1
    assert register.seen.renew_proofs() == 0
    assert verified() is Status.VALID
    assert register.states() == [("ok", False)]
    register.grow(5)
    survey = verify_log(register.log.log_folder, register.trust, VERIFIER)
    assert (survey.status, survey.exit_code) == (Status.VALID, 0)  # a newer checkpoint takes none of it away


def test_what_no_known_witness_signed_is_set_aside(register: Register, tmp_path: Path) -> None:
    stranger = Elsewhere(tmp_path / "w3", "witness.example/w3", register.log.log_folder)
    register.hand_in("of-a-stranger", stranger.cosigns(register.log.log_folder))
    register.hand_in("bare", (register.log.log_folder / "checkpoint").read_bytes())
    register.hand_in("noise", b"\xff\x00")
    altered = register.elsewhere[0].cosigns(register.log.log_folder)
    register.hand_in("altered", altered[:-9] + b"AAAAAAA=\n")
    assert register.seen.collect() is None
    assert register.inbox() == [f"{name}.refused" for name in ("altered", "bare", "noise", "of-a-stranger")]
    assert register.log.alarm.codes() == ()


@pytest.mark.parametrize("with_keys", [False, True], ids=["the-log-alone", "log-and-memory"])
def test_a_log_older_than_what_was_witnessed_is_refused(register: Register, with_keys: bool, tmp_path: Path) -> None:
    """Somebody puts back an older copy; with the keys' memory put back too, only what came from outside tells."""
    log, keys = register.log.log_folder, register.log.memory.parent
    shutil.copytree(log, tmp_path / "older-log")
    shutil.copy(register.log.memory, tmp_path / "older-memory")
    register.grow(10)
    answers = [one.cosigns(log) for one in register.elsewhere]
    for number, answer in enumerate(answers):
        register.hand_in(f"w{number}", answer)
    assert register.seen.collect() is not None
    shutil.rmtree(log)
    shutil.copytree(tmp_path / "older-log", log)
    if with_keys:
        shutil.copy(tmp_path / "older-memory", register.log.memory)
        (keys / WITNESSED).unlink()
        register.seen.check()  # nothing here tells it
        register.hand_in("again", answers[0])
        with pytest.raises(Tampered, match=r"log has 21 entries; a witness saw 31"):
            register.seen.collect()
    else:
        with pytest.raises(Tampered, match=r"log has 21 entries; a witness saw 31"):
            register.seen.check()
    assert Alarm(home=register.home).codes() == ("log.older-than-witnessed",)
    with pytest.raises(Unavailable):
        register.trail.append(entries(1))


def test_keys_of_witnesses_that_cannot_be_read_are_said_and_never_taken_for_none(register: Register) -> None:
    elsewhere = register.settings.model_copy(update={"witnesses": register.home / "nowhere"})
    with pytest.raises(Unavailable) as said:
        witnessing(register.log, elsewhere)
    assert said.value.code == "witness.keys"
    assert [one.state for one in examine(elsewhere) if one.bad] == ["witness.keys"]

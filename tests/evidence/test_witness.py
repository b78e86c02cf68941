"""A witness elsewhere: it cosigns a log that grows, and refuses one that went back or forked, across real processes."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.checkpoint import Checkpoint
from evidence.log import Log
from evidence.note import Note, parse_vkeys
from evidence.result import Status
from evidence.witness import Request, Witness, cosigned
from register.errors import Conflict, Invalid, NotFound
from tests.evidence.builders import LOGGED, VERIFIER, entries, keys
from tests.evidence.test_survey import Kept

ROOT = Path(__file__).parents[2]


def ask(kept, known):
    note = (kept.folder / "checkpoint").read_bytes()
    size = Checkpoint.parse(Note.parse(note).text).size
    with Log.open(kept.folder, read_only=True) as log:
        return Request(old=known, proof=log.consistency(known, size) if known else (), checkpoint=note)


@pytest.fixture
def kept(tmp_path):
    made = Kept(tmp_path / "register")
    made.add(entries(5))
    return made


@pytest.fixture
def elsewhere(tmp_path, kept):
    (tmp_path / "witness").mkdir()
    made = Witness(tmp_path / "witness", name="witness.example/w1", signer=keys(7), verifier=VERIFIER)
    made.know((kept.folder / "vkey").read_bytes())
    return made


def test_a_growing_log_is_cosigned_and_then_valid_for_who_trusts_the_witness(kept, elsewhere):
    known = 0
    for size in (5, 5, 300, 301):
        kept.add(entries(size))
        request = ask(kept, known)
        assert Request.parse(request.encode()) == request
        lines = elsewhere.cosign(request, at=LOGGED)
        known = size
        assert elsewhere.last(elsewhere_origin(kept)).size == size
    trust = replace(kept.trust, witnesses=elsewhere.keys, quorum=1)
    assert kept.verify(trust=trust).exit_code == 32
    path = kept.folder / "checkpoint"
    path.write_bytes(cosigned(path.read_bytes(), lines, elsewhere.keys, VERIFIER))
    assert (kept.verify(trust=trust).status, kept.verify(trust=trust).exit_code) == (Status.VALID, 0)


def elsewhere_origin(kept):
    return kept.trust.origin


def test_a_log_that_went_back_or_forked_is_refused(kept, elsewhere, tmp_path):
    kept.add(entries(300))
    elsewhere.cosign(ask(kept, 0), at=LOGGED)
    forked = Kept(tmp_path / "forked")
    forked.add(entries(310)[::-1])
    back = Kept(tmp_path / "back")
    back.add(entries(20))
    for request, error, code in (
        (ask(forked, 300), Invalid, "witness.proof"),
        (ask(back, 0), Conflict, "witness.size"),
        (replace(ask(back, 0), old=300), Invalid, "witness.request"),
        (replace(ask(kept, 300), proof=(bytes(32),)), Invalid, "witness.proof"),
        (ask(kept, 299), Conflict, "witness.size"),
    ):
        with pytest.raises(error) as caught:
            elsewhere.cosign(request, at=LOGGED)
        assert caught.value.code == code
    assert elsewhere.last(kept.trust.origin).size == 300


def test_a_log_that_is_not_known_or_not_signed_by_its_keys_is_refused(kept, elsewhere, tmp_path):
    other = Kept(tmp_path / "other", origin="register.example/other")
    with pytest.raises(NotFound):
        elsewhere.cosign(ask(other, 0), at=LOGGED)
    stolen = Kept(tmp_path / "stolen", signer=keys(9))
    with pytest.raises(Invalid):
        elsewhere.cosign(ask(stolen, 0), at=LOGGED)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"old 05\n\nx",
        b"old 5\nAA==\n\nx",
        b"old 5\n",
        b"new 5\n\nx",
        b"old 5\n" + b"A" * 44 + b"\n\nx",
        b"\xff\n\nx",
    ],
)
def test_a_malformed_request_is_refused(data):
    with pytest.raises(Invalid) as caught:
        Request.parse(data)
    assert caught.value.code == "witness.request"


def test_cosignatures_of_others_or_of_another_checkpoint_are_not_published(kept, elsewhere):
    lines = elsewhere.cosign(ask(kept, 0), at=LOGGED)
    note = (kept.folder / "checkpoint").read_bytes()
    stranger = Witness(elsewhere._folder, name="witness.example/w2", signer=keys(8), verifier=VERIFIER)
    with pytest.raises(Invalid):
        cosigned(note, lines, stranger.keys, VERIFIER)
    newer = kept.add(entries(9))
    with pytest.raises(Invalid):
        cosigned(newer, lines, elsewhere.keys, VERIFIER)


def test_it_works_across_processes_and_folders_that_share_nothing(kept, tmp_path):
    """Register and witness exchange files; the witness's machine has no graph, no driver, no web framework."""
    place, refuse = tmp_path / "elsewhere", "neo4j fastapi starlette uvicorn sqlalchemy graph vault.keystore"
    blocked = "import sys\n" + "\n".join(f"sys.modules[{name!r}] = None" for name in refuse.split())

    def run(*arguments, out=None, status=0):
        command = [
            sys.executable,
            "-c",
            f"{blocked}\nfrom api.cli import main\nmain()",
            "witness",
            *map(str, arguments),
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True)
        assert done.returncode == status, done.stderr.decode()
        if out is not None:
            out.write_bytes(done.stdout)
        return done.stderr.decode()

    request, answer, vkey = tmp_path / "request", tmp_path / "answer", tmp_path / "witness-vkey"
    run("init", place, "--name", "witness.example/w1", "--log", kept.folder / "vkey", out=vkey)
    assert len(parse_vkeys(vkey.read_bytes())) == 2
    shutil.copytree(kept.folder, tmp_path / "older")
    for known, size in ((0, 5), (5, 300)):
        kept.add(entries(size))
        run("request", kept.folder, "--known", known, out=request)
        run("sign", place, request, out=answer)
        run("add", kept.folder, request, answer, "--vkey", vkey)
    trust = replace(kept.trust, witnesses=parse_vkeys(vkey.read_bytes()), quorum=1)
    assert kept.verify(trust=trust).status is Status.VALID
    assert kept.verify(trust=replace(trust, quorum=2)).exit_code == 32  # two keys are not two witnesses
    assert (kept.folder / "witnessed").exists()
    run("request", tmp_path / "older", out=request)
    assert "witness.size" in run("sign", place, request, status=1)
    assert os.stat(place / "log-keys.json").st_mode & 0o077 == 0

"""Our log and certificate, checked by software that nobody of this project wrote (tests/evidence/go).

An addition to the vectors: where there is no Go, or its modules cannot be had, the end of the run says so.
"""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from evidence import envelope
from evidence.checkpoint import publish
from evidence.log import Log
from tests.evidence.builders import LOGGED, issue

SOURCE = Path(__file__).parent / "go"


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    go = shutil.which("go")
    if go is None:
        pytest.skip("NOT CHECKED by independent software: there is no Go on this machine")
    fetched = subprocess.run([go, "mod", "download"], cwd=SOURCE, capture_output=True, text=True)
    if fetched.returncode:
        pytest.skip(f"NOT CHECKED by independent software: Go modules cannot be had ({fetched.stderr.strip()[-200:]})")
    path = tmp_path_factory.mktemp("go") / "evidence"
    subprocess.run([go, "build", "-mod=readonly", "-o", path, "."], cwd=SOURCE, check=True)
    return path


@pytest.fixture(scope="module")
def issued(tmp_path_factory):
    made = issue(tmp_path_factory.mktemp("independent"), before=255, after=300)
    publish(made.folder, made.checkpoint)
    (made.folder / "vkey").write_bytes(made.vkeys)
    return made


def run(program, issued, folder, *, sealed=None, proof=None):
    """Run the program on the log in `folder` and a certificate."""
    (folder / "certificate.json").write_bytes(sealed or issued.envelope)
    (folder / "certificate.tlog-proof").write_bytes(proof or issued.proof)
    files = [folder / "certificate.json", folder / "certificate.tlog-proof"]
    return subprocess.run([program, issued.folder, *files], capture_output=True, text=True)


def test_others_accept_what_we_write_and_prove_it_alike(program, issued, tmp_path):
    finished = run(program, issued, tmp_path)
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    assert base64.b64decode(found["payload"]) == envelope.decode(envelope.parse_form(issued.envelope)).payload
    assert found["time"] == LOGGED.timestamp()
    with Log.open(issued.folder, read_only=True) as log:
        assert (found["size"], base64.b64decode(found["root"])) == log.head()

        def texts(hashes):
            return [base64.b64encode(each).decode() for each in hashes]

        assert found["inclusion"] == [texts(log.inclusion(i, log.size)) for i in range(log.size)]
        assert found["consistency"] == [texts(log.consistency(i + 1, log.size)) for i in range(log.size)]


def test_others_refuse_what_we_refuse(program, issued, tmp_path):
    """The control: it does read what it is given."""
    form = json.loads(issued.envelope)
    first, second = form["signatures"]
    swapped = json.dumps(form | {"signatures": [first | {"sig": second["sig"]}, second]}).encode()
    assert run(program, issued, tmp_path, sealed=swapped).returncode != 0
    assert run(program, issued, tmp_path, proof=issued.proof.replace(b"index 255", b"index 254")).returncode != 0
    tile = issued.folder / "tile" / "0" / "000"
    content = tile.read_bytes()
    tile.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert run(program, issued, tmp_path).returncode != 0
    tile.write_bytes(content)
    assert run(program, issued, tmp_path).returncode == 0

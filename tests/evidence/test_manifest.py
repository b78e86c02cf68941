"""`verify backup`: the signed list of a backup's files, by committed vectors and by files really changed."""

import base64
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidence import envelope
from evidence.manifest import BACKUP_CHECKS, MANIFEST, Backup, draft_manifest, listed_files, verify_backup
from evidence.note import encode_vkeys, own_keys
from evidence.result import Finding, Status
from evidence.trust import Trust
from evidence.words import explain
from register.errors import Invalid
from tests.evidence.builders import LOG_KEYS, ORIGIN, VERIFIER, keys

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "evidence" / "backup-manifests.json").read_text())
TRUST = Trust.of_vkeys(VECTORS["vkey"].encode())


def laid_down(folder, vector):
    """The vector's files in `folder`."""
    for name, content in (VECTORS["files"] | vector.get("files", {})).items():
        if content is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(base64.b64decode(content))
    manifest = vector.get("manifest", VECTORS["manifest"])
    (folder / MANIFEST).write_bytes(base64.b64decode(manifest))
    return folder / MANIFEST


def test_the_good_vector_is_valid_and_stays_so(tmp_path):
    counted = []
    found = verify_backup(laid_down(tmp_path, {}), TRUST, VERIFIER, advance=counted.append)
    assert (found.status, found.exit_code) == (Status.VALID, 0)
    assert [check.finding for check in found.checks] == [Finding.PASSED] * len(BACKUP_CHECKS)
    assert sum(counted) == sum(each.size for each in found.backup.files)
    assert found.backup.made_at == datetime(2026, 11, 24, 3, tzinfo=UTC)
    assert len(explain(found, "nl")) == 1 + len(BACKUP_CHECKS) + len(found.limits)


@pytest.mark.parametrize("vector", VECTORS["bad"], ids=lambda vector: vector["name"])
def test_each_bad_vector_gives_its_exit_code_and_reason(vector, tmp_path):
    found = verify_backup(laid_down(tmp_path, vector), TRUST, VERIFIER)
    failed = [check for check in found.checks if check.finding is Finding.FAILED]
    assert found.exit_code == vector["exit"]
    assert [(check.number, check.reason) for check in failed] == [(vector["exit"] - 50, vector["reason"])]
    assert found.backup is None
    assert any(vector["reason"] in line for line in explain(found, "en"))


def test_the_bad_vectors_fail_every_check():
    assert {vector["exit"] - 50 for vector in VECTORS["bad"]} == set(BACKUP_CHECKS)


def a_backup(**changes):
    stated = Backup(
        backup="1" * 32, register="2" * 32, origin=ORIGIN, made_at=datetime(2026, 11, 24, 3, tzinfo=UTC),
        key_destroyed_by="2026-12-29", log_size=3, log_root="ab" * 32, files=(),
    )  # fmt: skip
    return replace(stated, **changes)


def test_a_manifest_made_here_verifies_and_another_key_does_not(tmp_path):
    (tmp_path / "graph").mkdir()
    (tmp_path / "graph" / "dump.sealed").write_bytes(b"x" * 100)
    files = listed_files(tmp_path, ["graph/dump.sealed"])
    payload = draft_manifest(a_backup(files=files))
    path = tmp_path / MANIFEST
    path.write_bytes(envelope.seal(payload, name=ORIGIN, signer=LOG_KEYS))
    trust = Trust.of_vkeys(encode_vkeys(own_keys(ORIGIN, LOG_KEYS)))
    assert verify_backup(path, trust, VERIFIER).exit_code == 0
    path.write_bytes(envelope.seal(payload, name=ORIGIN, signer=keys(9)))
    assert verify_backup(path, trust, VERIFIER).exit_code == 54


def test_a_manifest_that_makes_no_sense_is_not_drafted(tmp_path):
    (tmp_path / "a").write_bytes(b"a")
    files = listed_files(tmp_path, ["a"])
    for changes in (
        {"files": ()},
        {"files": files * 2},
        {"files": files, "key_destroyed_by": "2026-11-23"},
        {"files": files, "key_destroyed_by": "2026-02-30"},
        {"files": (replace(files[0], name="../a"),)},
        {"files": (replace(files[0], name="/a"),)},
    ):
        with pytest.raises(Invalid):
            draft_manifest(a_backup(**changes))


def test_the_command_says_it_and_exits_by_it(tmp_path):
    (tmp_path / "backup").mkdir()
    manifest = laid_down(tmp_path / "backup", {})
    (tmp_path / "vkey").write_text(VECTORS["vkey"])

    def run(*arguments):
        command = [sys.executable, "-m", "api.cli", "verify", "backup", manifest, "--vkey", tmp_path / "vkey"]
        return subprocess.run([*command, *arguments], capture_output=True, text=True, cwd=Path(__file__).parents[2])

    told = json.loads(run("--json").stdout)
    assert (told["exit"], told["files"]) == (0, len(VECTORS["files"]))
    (tmp_path / "backup" / "stray").touch()
    bad = run()
    assert bad.returncode == 57
    assert bad.stdout.startswith("INVALID")

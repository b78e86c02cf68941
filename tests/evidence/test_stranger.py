"""Somebody who has nothing but docs/formats/verify.md comes to the same verdicts as this project's verifier."""

import ast
import base64
import json
import random
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidence.survey import verify_log
from tests.evidence import stranger
from tests.evidence.builders import VERIFIER, entries, issue
from tests.evidence.mutations import changes
from tests.evidence.test_survey import NUMBER, SPOILT, Kept

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "evidence" / "certificates.json").read_text())
SHALLOW = {15}
"""What the stranger does not look at: the rules of a certificate's sense."""


def test_the_stranger_imports_nothing_of_this_project():
    tree = ast.parse(Path(stranger.__file__).read_text("utf-8"))
    imported = {
        alias.name.split(".")[0] if isinstance(each, ast.Import) else (each.module or "").split(".")[0]
        for each in ast.walk(tree)
        if isinstance(each, ast.Import | ast.ImportFrom)
        for alias in each.names
    }
    assert imported <= set(sys.stdlib_module_names) | {"cryptography"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    kept = Kept(tmp_path_factory.mktemp("stranger"))
    kept.early = kept.add(entries(NUMBER)[:300])
    kept.add(entries(NUMBER))
    (kept.folder.parent / "early").write_bytes(kept.early)
    return kept


def test_a_whole_log_is_valid_for_a_stranger(whole):
    vkey = whole.folder / "vkey"
    assert stranger.main("log", whole.folder, vkey) == 0
    assert stranger.main("log", whole.folder, vkey, whole.folder.parent / "early") == 0


def test_a_log_with_deleted_bodies_is_valid_for_a_stranger(tmp_path):
    kept = Kept(tmp_path)
    kept.add(entries(NUMBER))
    kept.delete("standard/2026-10", at=datetime(2031, 11, 1, tzinfo=UTC))
    assert stranger.main("log", kept.folder, kept.folder / "vkey") == 0
    early = Kept(tmp_path / "early")
    early.add(entries(30))
    early.delete("standard/2026-10", at=datetime(2031, 10, 31, tzinfo=UTC))
    assert stranger.main("log", early.folder, early.folder / "vkey") == 38


@pytest.mark.parametrize(
    "name", [name for name in SPOILT if name not in ("something else there", "older partial altered")]
)
def test_a_stranger_names_the_same_check(whole, tmp_path, name):
    folder = tmp_path / "log"
    shutil.copytree(whole.folder, folder)
    SPOILT[name][0](folder)
    ours = verify_log(folder, whole.trust, VERIFIER)
    assert stranger.main("log", folder, folder / "vkey") == ours.exit_code != 0


def test_a_stranger_finds_every_byte_changed(whole, tmp_path):
    folder = tmp_path / "log"
    shutil.copytree(whole.folder, folder)
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and {"tile", "bodies"} & set(path.relative_to(folder).parts)
    )
    choose = random.Random("stranger")  # noqa: S311 - the same in every run
    for number in range(60):
        path = choose.choice([*paths, folder / "checkpoint"])
        content = path.read_bytes()
        ((_, changed),) = changes(content, 1, f"{number}")
        path.write_bytes(changed)
        assert stranger.main("log", folder, whole.folder / "vkey") != 0, path
        path.write_bytes(content)


def _content(vector, key):
    if f"{key}_base64" in vector:
        return base64.b64decode(vector[f"{key}_base64"])
    return vector.get(key, VECTORS["good"][key]).encode()


def test_a_stranger_accepts_the_good_certificate_and_gives_every_bad_one_its_exit_code(tmp_path):
    vkey = tmp_path / "vkey"
    vkey.write_text(VECTORS["vkey"])

    def verdict(vector):
        (tmp_path / "certificate.json").write_bytes(_content(vector, "envelope"))
        (tmp_path / "certificate.tlog-proof").write_bytes(_content(vector, "proof"))
        return stranger.main("certificate", tmp_path, vkey)

    assert verdict({}) == 0
    deep = [vector for vector in VECTORS["bad"] if vector["exit"] not in SHALLOW]
    assert len(deep) > 30
    refused = {vector["name"]: (verdict(vector), vector["exit"]) for vector in deep}
    assert {name: pair for name, pair in refused.items() if pair[0] != pair[1]} == {}


def test_a_stranger_accepts_what_is_issued_today(tmp_path):
    made = issue(tmp_path / "made", before=255, after=45)
    (tmp_path / "certificate.json").write_bytes(made.envelope)
    (tmp_path / "certificate.tlog-proof").write_bytes(made.proof)
    (tmp_path / "vkey").write_bytes(made.vkeys)
    assert stranger.main("certificate", tmp_path, tmp_path / "vkey") == 0

"""The custodian's commands, offline: on a copy of the archive's folder, with the custodian's file and nothing else."""

import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.archive import import_log, outside
from api.cli import app
from api.settings import Settings
from register.audit import Act
from register.errors import Conflict, Invalid, Tampered
from register.ids import ArchiveId, RegisterId, RunId, mint
from tests.fakes import FakeGraph, SetClock
from vault.archive.custodian import Custodian, Keys
from vault.archive.files import ArchiveFiles, Laying

MONTH = "2031-11"
RECORD = {
    "format": "theme-register archived record v1",
    "kind": "person",
    "id": "ab" * 16,
    "facts": {},
    "removed_on": "2026-11-24",
    "rule": "theme.last-necessity",
    "signals": [{"id": "cd" * 16, "mention": {"names": ["Adriaan Terhorst"], "born_on": None}}],
}
WHY = ("--ground", "complaint", "--case", "K/7")


class Desk:
    """A custodian with one archived record."""

    def __init__(self, folder: Path) -> None:
        self.key, self.archive = folder / "custodian.json", folder / "archive"
        keys = Keys.draw(RegisterId("00" * 16))
        keys.extend(date(2026, 11, 24))
        Custodian.create(self.key, keys, "a long enough passphrase")
        passphrase = folder / "passphrase"
        passphrase.write_text("a long enough passphrase", "utf-8")
        passphrase.chmod(0o600)
        self.id = ArchiveId(mint())
        sealed = keys.months[MONTH].public.seal(keys.register, self.id, json.dumps(RECORD).encode())
        self.files = ArchiveFiles(self.archive)
        self.files.lay_down(RunId(mint()), [Laying((MONTH, self.id), sealed)])
        self.options = ("--key", str(self.key), "--passphrase-file", str(passphrase), "--archive", str(self.archive))

    def run(self, *arguments: str, status: int = 0) -> Any:
        done = CliRunner().invoke(app, ["archive", *arguments, *self.options, "--json"])
        assert done.exit_code == status, done.output
        return json.loads(done.stdout.splitlines()[-1]) if status == 0 else done.output

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        lines = Custodian(self.key, "a long enough passphrase").lines
        return [(line.act, line.ground, line.case) for line in lines]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_record_is_found_by_a_mistyped_name_or_its_id_and_each_search_leaves_a_line(desk: Desk) -> None:
    assert desk.run("find", "--name", "Adriaan Terhrost", *WHY) == {"found": [desk.id]}
    assert desk.run("find", "--id", "ab" * 16, *WHY) == {"found": [desk.id]}
    assert desk.run("find", "--name", "Somebody Else", *WHY) == {"found": []}
    assert desk.lines == [("find", "complaint", "K/7")] * 3
    assert "Terhorst" not in (desk.key.with_name("custodian.json.log")).read_text("ascii")


def test_a_record_opens_with_a_ground_and_a_case_only(desk: Desk) -> None:
    assert desk.run("open", desk.id, *WHY) == RECORD
    desk.run("open", desk.id, "--ground", "curiosity", "--case", "K/7", status=1)
    desk.run("open", desk.id, "--ground", "complaint", "--case", "a name", status=1)
    desk.run("open", "ef" * 16, *WHY, status=1)
    assert [act for act, _, _ in desk.lines] == ["open", "open"]


def test_a_months_key_is_destroyed_once_its_records_are_gone(desk: Desk) -> None:
    assert "1 records" in desk.run("destroy-month", MONTH, status=1)
    sealed = desk.files.read((MONTH, desk.id))
    desk.files.destroy([(MONTH, desk.id)])
    assert desk.run("destroy-month", MONTH) == {"month": MONTH, "destroyed": True}
    (desk.archive / MONTH / desk.id).write_bytes(sealed)  # from a copy
    desk.run("open", desk.id, *WHY, status=1)
    assert [act for act, _, _ in desk.lines] == ["destroy-month", "open"]


def test_the_custodians_file_lies_outside_both_folders(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "register")
    os.symlink(settings.home, tmp_path / "elsewhere")
    for inside in ("register/custodian.json", "register.keys/custodian.json", "elsewhere/custodian.json"):
        with pytest.raises(Invalid, match="outside both folders"):
            outside(settings, tmp_path / inside)
    outside(settings, tmp_path / "custodian.json")


@dataclass(kw_only=True)
class Visited:
    """What a visit needs of an opened register."""

    settings: Settings
    archivist: Any
    trail: FakeGraph


@dataclass(kw_only=True)
class Known:
    keys: Any


def test_a_visit_brings_each_line_into_the_audit_log_once(desk: Desk, tmp_path: Path) -> None:
    keys = Custodian(desk.key, "a long enough passphrase").keys
    trail = FakeGraph(clock=SetClock())
    visited: Any = Visited(
        settings=Settings(home=tmp_path / "register"), archivist=Known(keys=keys.public(1)), trail=trail
    )
    log = desk.key.with_name("custodian.json.log")
    desk.run("open", desk.id, *WHY)
    first = log.read_bytes()
    assert len(import_log(visited, first)) == 1
    assert import_log(visited, first) == ()
    desk.files.destroy([(MONTH, desk.id)])
    desk.run("destroy-month", MONTH)
    assert len(import_log(visited, log.read_bytes())) == 1
    acts = [(entry.act, entry.actor, entry.case, entry.targets) for entry in trail.entries]
    assert acts == [
        (Act.ARCHIVE_OPEN, "custodian", "K/7", (desk.id,)),
        (Act.ARCHIVE_KEY_DESTROYED, "custodian", "", ()),
    ]
    assert trail.entries[1].detail["month"] == MONTH
    with pytest.raises(Conflict, match="does not continue"):
        import_log(visited, first)
    with pytest.raises(Tampered):
        import_log(visited, log.read_bytes().replace(b"K/7", b"K/8", 1))


def test_a_passphrase_that_others_may_read_is_not_taken(desk: Desk) -> None:
    Path(desk.options[3]).chmod(0o644)
    assert "chmod 600" in desk.run("open", desk.id, *WHY, status=1)

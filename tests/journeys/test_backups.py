"""Backups as an administrator makes them: consistent beside an import, sealed, listed, and closed on their last day."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from api.backups.making import create
from api.exchange.signal_v1 import to_json
from api.places import rotation_due
from api.wiring import workplace
from register.clock import SystemClock, civil_date
from tests.builders import a_signal
from tests.journeys.installation import Installation
from vault.keystore.backups import Backups

TODAY = civil_date(SystemClock().now())


def lines_of(folder: Path, count: int, start: int = 0) -> Path:
    path = folder / f"signals-{start}.ndjson"
    numbers = range(start, start + count)
    path.write_bytes(b"".join(to_json(a_signal(reference=f"b-{n}", received_on=TODAY)) + b"\n" for n in numbers))
    return path


@pytest.fixture
def filled(register: Installation, tmp_path: Path) -> Installation:
    register.json("import", str(lines_of(tmp_path, 40)), "--contributor", "douane")
    return register


def test_a_backup_is_listed_sealed_and_read_back(filled: Installation, tmp_path: Path) -> None:
    made = filled.json("backup", "create", "--to", str(tmp_path / "backups"))
    folder = Path(made["folder"])
    vkey = str(filled.home / "log" / "vkey")
    assert filled.json("verify", "backup", str(folder), "--vkey", vkey)["status"] == "valid"
    assert filled.json("backup", "verify", str(folder))["lines"] == made["lines"] > 40 * 3
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for clear in (b"Signal", b"MENTIONS", b"douane", b"b-17"):
        assert clear not in everything
    part = folder / "parts" / "000001"
    part.write_bytes(part.read_bytes()[:-1] + b"\0")
    assert "[backup.altered]" in failure(filled, "backup", "verify", str(folder))


def test_on_its_last_day_the_keeper_destroys_the_key_and_nobody_reads_it_again(
    filled: Installation, tmp_path: Path
) -> None:
    made = filled.json("backup", "create", "--to", str(tmp_path / "backups"))
    with workplace(filled.settings, "doctor") as opened:
        backups = Backups(opened.store.database)
        ends = backups.all()[made["backup"]]
        assert ends.isoformat() == made["destroyed_by"]
        assert (ends - TODAY).days == 35
        with opened.store.database.writing() as connection:  # as if it had been made thirty-five days ago
            connection.exec_driver_sql("UPDATE backups SET destroyed_by = ?", (TODAY.isoformat(),))
    with filled.serving():
        end = time.monotonic() + 60
        while rotation_due(filled.settings, TODAY) and time.monotonic() < end:
            time.sleep(0.2)
    assert "[backup.key-gone]" in failure(filled, "backup", "verify", made["folder"])
    vkey = str(filled.home / "log" / "vkey")
    assert filled.json("verify", "backup", made["folder"], "--vkey", vkey)["status"] == "valid"


def test_what_an_import_stores_meanwhile_is_whole_in_the_backup_or_not_in_it(
    filled: Installation, tmp_path: Path
) -> None:
    """Each signal of the backup is there with its mentions, and the import loses nothing by the pause."""
    path = lines_of(tmp_path, 600, start=1000)
    command = filled.command("import", str(path), "--contributor", "douane", "--json")
    importing = subprocess.Popen(command, env=filled.environment, stdout=subprocess.PIPE, text=True)
    made = filled.json("backup", "create", "--to", str(tmp_path / "backups"))
    out, _ = importing.communicate(timeout=120)
    told = json.loads(out.splitlines()[-1]) if importing.returncode == 0 else {}
    again = filled.json("import", str(path), "--contributor", "douane")
    assert told.get("accepted", 0) + again["accepted"] == 600 or again["already"] == 600
    with workplace(filled.settings, "backup") as opened:
        from api.backups.parts import read_parts
        from vault.backup import BackupKey

        lines = [json.loads(one) for one in read_parts(Path(made["folder"]), BackupKey(opened.store, made["backup"]))]
    signals = {one["properties"]["id"]: one["properties"] for one in lines if one.get("node") == "Signal"}
    mentions = [one for one in lines if one.get("tie") == "MENTIONS"]
    assert len(signals) >= 40
    found: dict[str, set[str]] = {}
    for one in mentions:
        found.setdefault(one["from"][1], set()).add(one["properties"]["id"])
    assert found == {name: set(signal["mentions"]) for name, signal in signals.items() if signal.get("mentions")}


def failure(register: Installation, *arguments: str) -> str:
    done = subprocess.run(
        register.command(*arguments), env=register.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    return done.stderr


def test_two_backups_at_once_are_one_and_a_refusal(filled: Installation, tmp_path: Path) -> None:
    refused: list[str] = []

    def meanwhile(_: int) -> None:
        if not refused:
            refused.append(failure(filled, "backup", "create", "--to", str(tmp_path / "other")))

    with workplace(filled.settings, "backup") as opened:
        made = create(opened, tmp_path / "backups", told=meanwhile)
    assert ["[backup.run-under-way]" in one for one in refused] == [True]
    assert [one.name for one in (tmp_path / "backups").iterdir()] == [made.backup]
    assert not (tmp_path / "other").exists()

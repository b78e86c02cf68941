"""An old backup restored honestly: what was purged since stays gone, what was decided since holds, survivors open."""

import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.exchange.signal_v1 import to_json
from api.places import keystore_url
from api.wiring import workplace
from graph.connection import Graph
from tests.journeys.installation import Installation
from tests.journeys.test_deciding import OFFICERS, YES, decide
from tests.journeys.test_enquiry import TODAY, cast, found, tie, wait_found
from vault.keystore.backups import Quarantine
from vault.keystore.place import open_database

NAMES = ("Everhard Kokmeeuw", "Fenna Grutto", "Gijsbert Plevier", "Hendrikje Kemphaan")
OTHERS = ("Machteld Zilverreiger", "Nicolaas Roerdomp", "Odilia Slobeend", "Pancras Wintertaling")
PURGED, KEPT, RESTRICTED, LOST = NAMES


def handed(register: Installation, place: int) -> Any:
    one, other, _ = cast("rstuv"[place], NAMES[place], OTHERS[place], "Delta Kranen B.V.")
    return register.ask("douane", "POST", "/v1/signals", json.loads(to_json(tie(f"restore-{place}", one, other))))


def state(register: Installation) -> dict[str, Any]:
    """What readers and officers see: the facts that a restored register has to agree in."""
    holds = register.ask("chris", "GET", "/v1/holds").json()["holds"]
    return {
        "found": {name: bool(found(register, "ana", name)) for name in (PURGED, KEPT, RESTRICTED)},
        "holds": sorted(one["hold"]["id"] if isinstance(one["hold"], dict) else one["hold"] for one in holds),
        "archived": archived(register),
        "alarms": [one["state"] for one in register.json("doctor")["findings"] if one["bad"]],
    }  # fmt: skip


def archived(register: Installation) -> int:
    """How many removed records the register knows of."""
    with workplace(register.settings, "doctor") as opened:
        return sum(1 for _ in opened.erasure.stubs())


@pytest.fixture
def backed_up(register: Installation, tmp_path: Path) -> tuple[Installation, Path, dict[str, Any]]:
    """A register, its backup, and what it was like after everything that tightened since."""
    with register.serving():
        for code, role in {**OFFICERS, "cora": "compliance-officer"}.items():
            register.enrol(code, role)
        register.enrol("douane", "contributor")
        register.enrol("ana", "analyst")
        register.enrol("iris", "reviewer", markings=("closed-team",))
        for place in range(3):
            assert handed(register, place).status_code == 201
        ids = {name: wait_found(register, "ana", name)[0]["subject"] for name in NAMES[:3]}
        made = register.json("backup", "create", "--to", str(tmp_path / "backups"))
        assert decide(register, "pria", ids[RESTRICTED], "restrict", ground="dispute").status_code == 201
        laid = register.ask(
            "chris", "POST", "/v1/holds",
            {"case": "RR-2026/9", "title": "Evidence", "mandate": "Court", "ground": "wpg-28-2-b",
             "reason": "Evidence.",
             "subjects": [ids[KEPT]], "from": TODAY.isoformat(), "review_on": (TODAY + timedelta(days=90)).isoformat()},
        )  # fmt: skip
        assert laid.status_code == 201, laid.text
        proposed = decide(register, "rita", ids[PURGED], "no-longer-necessary", answers=YES).json()["dossier"]
        settled = register.ask(
            "ruud", "POST", f"/v1/decisions/{proposed}/settlement", {"agreed": True, "reason": "I agree."},
            Purpose="necessity-review", Case="RR-2026/1",
        )  # fmt: skip
        # a night's run that was under way may have taken it along
        assert register.finished(settled.json()["run"], "chris")["state"] in ("certified", "nothing-due")
        assert handed(register, 3).status_code == 201
        wait_found(register, "ana", LOST)
        after = state(register)
    assert after["found"] == {PURGED: False, KEPT: True, RESTRICTED: False}
    return register, Path(made["folder"]), after


def lose_graph(graph: Graph) -> None:
    graph.write(lambda tx: tx.run("MATCH (n) DETACH DELETE n").consume())


def keys_of(register: Installation, folder: Path, *codes: str) -> list[str]:
    arguments = []
    for code in codes:
        path = folder / f"officer-{code}"
        path.write_text(register.keys[code])
        path.chmod(0o600)
        arguments += ["--approved-by", str(path)]
    return arguments


def refused(register: Installation, *arguments: str) -> str:
    done = subprocess.run(
        register.command(*arguments), env=register.environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done.stdout
    return done.stderr


def without_keys(register: Installation, folder: Path, aside: Path) -> None:
    """A backup is worth nothing without the key store."""
    keys = register.settings.keys_folder
    shutil.move(keys, aside / "gone")
    assert "[keystore.absent]" in refused(register, "backup", "restore", str(folder))
    shutil.move(aside / "gone", keys)


def control_opened_without_a_replay(register: Installation, after: dict[str, Any]) -> None:
    """Control: what `state` asks tells a register that is not up to date from one that is."""
    database = open_database(register.settings.keys_folder, keystore_url(register.settings))
    Quarantine(database).end()
    database.close()
    with register.serving(keeper=False):
        assert found(register, "ana", RESTRICTED)
        assert register.ask("chris", "GET", "/v1/holds").json()["holds"] == []
        assert archived(register) < after["archived"]


def test_a_restored_register_is_as_it_was_but_for_what_came_in_since(backed_up, graph: Graph, tmp_path: Path) -> None:
    register, folder, after = backed_up
    assert "[graph.holds-something]" in refused(register, "backup", "restore", str(folder))
    lose_graph(graph)
    without_keys(register, folder, tmp_path)
    told = register.json("backup", "restore", str(folder))
    assert told["to_hand_in_again"] == 1
    control_opened_without_a_replay(register, after)
    lose_graph(graph)
    register.json("backup", "restore", str(folder))
    for command in (("serve", "--http-port", "0"), ("keep",)):
        assert "[register.quarantined]" in refused(register, *command)
    assert "[restore.two-officers]" in refused(
        register, "backup", "replay", *keys_of(register, tmp_path, "chris", "chris")
    )
    assert "[restore.two-officers]" in refused(
        register, "backup", "replay", *keys_of(register, tmp_path, "chris", "rita")
    )
    opened = register.json("backup", "replay", *keys_of(register, tmp_path, "chris", "cora"))
    assert (opened["state"], opened["acts"]) == ("certified", 3)
    with register.serving():
        register.wait_until_ready()
        assert state(register) == after
        assert found(register, "ana", LOST) == []
        assert handed(register, 3).status_code == 201  # the same reference, under the ids and keys of then
        assert wait_found(register, "ana", LOST)
        assert handed(register, 0).status_code == 200  # its receipt outlives it, and nothing comes back
        assert found(register, "ana", PURGED) == []
    assert register.json("verify", "log", str(register.home / "log"))["status"] == "valid-but-not-witnessed"

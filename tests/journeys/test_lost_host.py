"""The drill of docs/runbook.md, command by command: a host is lost, and the register is reopened on another one."""

import json
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from graph.connection import Graph
from tests.journeys.installation import Installation
from tests.journeys.test_deciding import OFFICERS, YES, decide
from tests.journeys.test_enquiry import found, wait_found
from tests.journeys.test_restore import KEPT, LOST, PURGED, RESTRICTED, handed, lose_graph
from vault.anchors import AnchorKind

RUNBOOK = Path(__file__).resolve().parents[2] / "docs" / "runbook.md"
PASSPHRASE = "a disk, a lorry and another town"


def commands(section: str) -> list[list[str]]:
    """The commands that the runbook's section shows on lines of their own, in order."""
    text = RUNBOOK.read_text("utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    return [shlex.split(line) for line in re.findall(r"^ {4,}theme-register (.+)$", text, re.M)]


def placed(command: list[str], places: Mapping[str, str]) -> list[str]:
    return [places.get(word, word) for word in command]


def carried_out(register: Installation, command: list[str]) -> Any:
    """Carry a command out as it stands, for a program; one that verifies may find that nobody witnessed the log."""
    return json.loads(register.run(*command, "--json").splitlines()[-1])


def backed_up(register: Installation, command: list[str]) -> Any:
    """Make a backup, which waits for the run that the keeper begins when it starts."""
    end = time.monotonic() + 60
    while True:
        done = subprocess.run(
            register.command(*command, "--json"), env=register.environment, capture_output=True, text=True, check=False
        )
        if "[backup.run-under-way]" not in done.stderr or time.monotonic() > end:
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout.splitlines()[-1])
        time.sleep(0.2)


def lose(register: Installation, graph: Graph) -> None:
    """All that was on the host: both folders, and the graph."""
    shutil.rmtree(register.home)
    shutil.rmtree(register.settings.keys_folder)
    lose_graph(graph)


def test_a_lost_host_is_reopened_as_the_runbook_says(register: Installation, graph: Graph, tmp_path: Path) -> None:
    passphrase = tmp_path / "two.passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text(PASSPHRASE)
    places = {"/mnt/two/replica": str(tmp_path / "replica"), "/mnt/backups": str(tmp_path / "backups")}
    places |= {"two.passphrase": str(passphrase)}
    enrol, backup, run, status, *_ = [placed(one, places) for one in commands("Before")]
    with register.serving():
        for code, role in {**OFFICERS, "cora": "compliance-officer"}.items():
            register.enrol(code, role)
        register.enrol("douane", "contributor")
        register.enrol("ana", "analyst")
        register.enrol("iris", "reviewer", markings=("closed-team",))
        for place in range(3):
            receipt = handed(register, place)
            assert (receipt.status_code, receipt.json()["replicated_at"]) == (201, None)
        ids = {name: wait_found(register, "ana", name)[0]["subject"] for name in (PURGED, KEPT, RESTRICTED)}
        assert carried_out(register, enrol)["generation"] == 1
        made = backed_up(register, backup)
        assert decide(register, "pria", ids[RESTRICTED], "restrict", ground="dispute").status_code == 201
        proposed = decide(register, "rita", ids[PURGED], "no-longer-necessary", answers=YES).json()["dossier"]
        settled = register.ask(
            "ruud", "POST", f"/v1/decisions/{proposed}/settlement", {"agreed": True, "reason": "I agree."},
            Purpose="necessity-review", Case="RR-2026/1",
        )  # fmt: skip
        assert register.finished(settled.json()["run"], "chris")["state"] in ("certified", "nothing-due")
        carried_out(register, run)
        (reached,) = carried_out(register, status)["replicas"]
        assert (reached["current"], reached["rows_missing"]) == (True, 0)
        generation = reached["generation"]
        assert generation > 1
        late = handed(register, 3)
        assert late.json()["replicated_at"] == reached["reached_at"].replace("+00:00", "Z")
        wait_found(register, "ana", LOST)
    witnessed = int((register.home / "log" / "checkpoint").read_bytes().splitlines()[1])
    lose(register, graph)

    second = replace(register, folder=tmp_path / "second")
    second.folder.mkdir()
    places |= {"/mnt/backups/ID": made["folder"], "HOME/log": str(second.home / "log")}
    places |= {f"{code}.key": str(second.key_file(code)) for code in ("chris", "cora")}
    *day, users = [placed(one, places) for one in commands("The day")]
    told = {" ".join(one).partition(" /")[0].partition(" --")[0]: carried_out(second, one) for one in day}
    assert list(told) == [
        "keys replicate restore", "keys check", "verify log", "backup restore", "backup replay",
        "backup create", "keys replicate run", "keys replicate status", "doctor",
    ]  # fmt: skip
    assert told["keys replicate restore"]["generation"] == generation
    assert told["keys check"]["hits"] == []
    assert told["verify log"]["status"] == "valid-but-not-witnessed"
    assert told["keys replicate restore"]["log_entries"] <= witnessed
    assert told["backup replay"]["state"] == "certified"
    (reached,) = told["keys replicate status"]["replicas"]
    assert (reached["current"], reached["rows_missing"]) == (True, 0)
    assert [one["state"] for one in told["doctor"]["findings"] if one["bad"]] == []
    with second.serving():
        seen = {name: bool(found(second, "ana", name)) for name in (PURGED, KEPT, RESTRICTED, LOST)}
        assert seen == {PURGED: False, KEPT: True, RESTRICTED: False, LOST: False}
        assert {one["code"] for one in json.loads(second.run(*users, "--json", key="administrator"))["actors"]} >= {
            "ana"
        }
        assert handed(second, 0).json()["repeated"]  # its receipt outlives it, and nothing comes back
        assert not found(second, "ana", PURGED)
        assert handed(second, 3).status_code == 201
        assert wait_found(second, "ana", LOST)
    check_log_goes_on(second, witnessed, told["keys replicate restore"]["log_entries"])


def check_log_goes_on(register: Installation, before: int, from_: int) -> None:
    """The log of the new host continues the one of the replica, and every certificate in it verifies."""
    assert json.loads(register.run("verify", "log", str(register.home / "log"), "--json"))["size"] > from_
    for folder in (register.home / "certificates").iterdir():
        told = json.loads(register.run("verify", "certificate", str(folder), "--json"))
        assert told["status"] == "valid-but-not-witnessed", told


def test_control_an_older_copy_of_the_replica_is_no_way_back(
    register: Installation, graph: Graph, tmp_path: Path
) -> None:
    """Put back beside the anchor that is there now it does not open; with the anchor of then, the drill would go on."""
    replica, second = tmp_path / "replica", replace(register, folder=tmp_path / "second")
    register.run("keys", "replicate", "add", "vault-two", "--to", str(replica))
    older = Path(shutil.copytree(replica, tmp_path / "older"))
    register.run("keys", "rotate")
    register.run("keys", "replicate", "run")
    mixed = Path(shutil.copytree(older, tmp_path / "mixed"))
    shutil.rmtree(mixed / "anchor")
    shutil.copytree(replica / "anchor", mixed / "anchor")
    restore = ("keys", "replicate", "restore", "--from")
    told = subprocess.run(
        second.command(*restore, str(mixed)), env=second.environment, capture_output=True, text=True, check=False
    )
    assert (told.returncode, "[anchor.absent]" in told.stderr) == (1, True)
    assert not second.home.exists()
    assert second.json(*restore, str(older))["generation"] == 1
    assert AnchorKind.FILE in (second.settings.keys_folder / "anchor.json").read_text()

"""A made-up register lives through the whole of the law: out of sight, archived, and five years later destroyed."""

import base64
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.connection import Graph
from tests.journeys.installation import Installation
from tests.journeys.test_enquiry import TODAY, cast, found, hand_in, tie, wait_found

MISSED = TODAY + timedelta(days=500)
"""Nobody ever reviews: a year after its receipt a subject is overdue, and 90 days later it goes."""

STUBS = "MATCH (n:Archived) RETURN n.id AS id, n.removed_on AS removed, n.destroy_on AS due, n.destroyed_on AS done"


@pytest.fixture
def held(_session_graph: Graph) -> Graph:
    return _session_graph


def test_r33_r23_what_is_past_its_term_is_archived_and_five_years_later_destroyed(
    next_register: Callable[[], Installation], held: Graph
) -> None:
    """R33, R23, R40: real stores, keys, files and certificates; of what is destroyed only marked stubs stay."""
    register = next_register()
    with register.serving():
        register.enrol("douane", "contributor")
        register.enrol("ana", "analyst")
        register.enrol("chris", "compliance-officer")
        ada, bep, _ = cast("z", "Wietske Tureluur", "Xander Kemphaan", "Lage Wal B.V.")
        assert hand_in(register, tie("z-1", ada, bep)).status_code == 201
        subjects = {wait_found(register, "ana", one)[0]["subject"] for one in ("Wietske Tureluur", "Xander Kemphaan")}
        archive = register.home / "archive"

        assert _run(register, MISSED)["state"] == "certified"

        files = _files(archive)
        stubs = _stubs(held)
        assert len(files) == len(stubs) == 2
        assert {path.name.split(".")[0] for path in files} == {one["id"] for one in stubs}
        assert subjects.isdisjoint({one["id"] for one in stubs})
        assert {one["done"] for one in stubs} == {None}
        assert found(register, "ana", "Wietske Tureluur") == []
        due = max(one["due"].to_native() for one in stubs)
        assert due > MISSED + timedelta(days=5 * 365)
        assert _run(register, due - timedelta(days=1))["state"] == "nothing-due"
        assert _files(archive) == files

        assert _run(register, due)["state"] == "certified"

        assert _files(archive) == []
        left = _stubs(held)
        assert [{**one, "done": None} for one in left] == stubs
        assert {one["done"].to_native() for one in left} == {due}
        gone = "MATCH (n) WHERE n.id IN $ids RETURN count(n)"
        count = held.read(lambda tx: tx.run(gone, ids=sorted(subjects)).single(strict=True).value())
        assert count == 0
        last, first = register.json("certificate", "list", key="chris")["certificates"]
        acts = [_acts(register, one["certificate"]) for one in (first, last)]
        assert acts == [
            {
                ("subject", "removed"): 2,
                ("signal", "removed"): 1,
                ("mention", "removed"): 2,
                ("link", "removed"): 1,
                ("identifier", "removed"): 2,
            },
            {("archived-record", "destroyed"): 2},
        ]


def _run(register: Installation, on: date) -> Any:
    run = register.ask("chris", "POST", "/v1/retention/runs", {"on": on.isoformat()}).json()["run"]
    return register.finished(run, "chris")


def _files(archive: Path) -> list[Path]:
    return sorted(path for path in archive.rglob("*") if path.is_file() and "keys" not in path.name)


def _stubs(graph: Graph) -> list[dict[str, Any]]:
    return sorted(graph.read(lambda tx: [dict(row) for row in tx.run(STUBS)]), key=lambda one: one["id"])


def _acts(register: Installation, certificate: str) -> dict[tuple[str, str], int]:
    folder = register.folder / certificate
    register.run("certificate", "show", certificate, "--save", str(folder), key="chris")
    payload = json.loads((folder / "certificate.json").read_text())["payload"]
    return {(one["kind"], one["act"]): one["count"] for one in _scope(payload)["counts"]}


def _scope(payload: str) -> Any:
    return json.loads(base64.b64decode(payload))["predicate"]["scope"]

"""Commands of keys, on a real register: counted, rotated (also from half-way), exported, and examined when damaged."""

import os
import signal
import sqlite3
from contextlib import closing
from datetime import date
from multiprocessing import get_context
from typing import Any

import pytest

import api.keys
from api.keys import rotate
from api.places import rotation_due
from api.settings import Settings
from api.wiring import workplace
from graph.connection import Graph
from register.ids import RunId, mint
from tests.journeys.installation import Installation
from tests.vault.builders import gone
from vault.keystore.purge import Purge
from vault.keystore.rotations import Rotations


def replaced(graph: Graph) -> int:
    """Return how many acts of replacing keys the trail has."""
    asked = "MATCH (e:Entry) WHERE e.body CONTAINS 'keys.replaced' RETURN count(e)"
    return graph.read(lambda tx: tx.run(asked).single(strict=True).value())


def test_keys_are_counted_rotated_exported_and_examined(register: Installation, graph: Graph) -> None:
    """C18: a command says what is damaged."""
    before = register.json("keys", "status", "--orphans")
    assert (before["generation"], before["anchor"]["version"], before["orphans"], before["old_roots"]) == (1, 1, 0, 0)
    done = register.json("keys", "rotate")
    assert (done["generation"], done["old_root"], done["resumed"], done["workers_left"]) == (
        2,
        "does-not-open",
        False,
        0,
    )
    with workplace(register.settings, "test") as opened:  # a rotation that ended between its steps
        purge = Purge(opened.store)
        lease = purge.lease("rotation", now=opened.clock.now(), seconds=60)
        assert lease is not None
        purge.forget(RunId(mint()), gone(), version=purge.advance_anchor(), fence=lease.fence)
        register.run("keys", "rotate", status=1)  # while somebody else is the keeper
        purge.release(lease)
    assert register.json("keys", "status")["old_roots"] == 1
    again = register.json("keys", "rotate")
    assert (again["generation"], again["resumed"]) == (3, True)
    assert register.json("keys", "status")["anchor"]["version"] == 3
    assert replaced(graph) == 2
    exported = register.folder / "public"
    assert register.json("keys", "export-public", "--to", str(exported))["keys"] == 2
    assert exported.read_bytes() == (register.home / "log" / "vkey").read_bytes()
    assert register.json("keys", "check")["hits"] == []
    file = register.settings.keys_folder / "store" / "keys.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM keys WHERE id = 'lookup'")
    told = register.run("keys", "check", "--json", status=1)
    assert '"closed": "keystore.damaged"' in told or '"closed":"keystore.damaged"' in told


def dying(settings: Settings, point: str) -> None:
    """Rotate in a process that dies at a point."""

    def die(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    class Dying(Rotations):
        def begin(self, *arguments: Any) -> None:
            super().begin(*arguments)
            if point == "noted":
                die()

        def entered(self, *_: Any) -> None:
            die()

    class DyingPurge(Purge):
        def destroy_old(self, **arguments: Any) -> Any:
            if point == "forgotten":
                die()
            evidence = super().destroy_old(**arguments)
            if point == "destroyed":
                die()
            return evidence

    api.keys.Rotations, api.keys.Purge = Dying, DyingPurge  # type: ignore[misc]
    rotate(settings)


@pytest.mark.parametrize("point", ["noted", "forgotten", "destroyed", "entered"])
def test_a_rotation_killed_anywhere_has_its_one_entry_in_the_end(
    register: Installation, graph: Graph, point: str
) -> None:
    """Also when the old anchor was destroyed and nothing of the former root is left to tell of it."""
    child = get_context("forkserver").Process(target=dying, args=(register.settings, point))
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    assert replaced(graph) == (1 if point == "entered" else 0)
    assert rotation_due(register.settings, date(2000, 1, 1))  # the keeper sees it, and has it ended
    status = register.json("keys", "status")
    assert (status["old_roots"], status["generation"]) == {
        "noted": (0, 1),
        "forgotten": (1, 2),
        "destroyed": (0, 2),
        "entered": (0, 2),
    }[point]
    with closing(sqlite3.connect(register.settings.keys_folder / "store" / "keys.sqlite")) as connection, connection:
        connection.execute("DELETE FROM keeper")  # as if the lease of who was killed had run out
    register.run("worker", "--parent", str(os.getpid()), "expire")
    assert replaced(graph) == 1
    assert not rotation_due(register.settings, date(2000, 1, 1))
    assert register.json("keys", "status")["generation"] == 2
    assert register.json("keys", "rotate")["resumed"] is False
    assert replaced(graph) == 2

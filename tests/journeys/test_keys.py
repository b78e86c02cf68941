"""Commands of keys, on a real register: counted, rotated (also from half-way), exported, and examined when damaged."""

import sqlite3
from contextlib import closing

from api.wiring import workplace
from graph.connection import Graph
from register.ids import RunId, mint
from tests.journeys.installation import Installation
from tests.vault.builders import gone
from vault.keystore.purge import Purge


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

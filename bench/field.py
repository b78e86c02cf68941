"""The ground that rounds of faults are played on: a register that can be put back to what it was, again and again."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

import neo4j

from api.wiring import workplace
from bench import state
from bench.state import State
from graph.connection import Graph
from graph.endpoint import Endpoint
from register.access import Actor, Role
from tests.journeys import killed
from tests.journeys.installation import Installation
from tests.journeys.killed import Place
from tests.journeys.rounds_state import contents, held

OFFICERS: Final = tuple(Actor(code=code, role=Role.COMPLIANCE_OFFICER) for code in ("chris", "drew"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A register to begin anew from: its graph, and its folders but for the graph's own."""

    nodes: list[dict[str, Any]]
    ties: list[dict[str, Any]]
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a round begins from.

    Attributes:
        on: civil date that the run is ordered for.
        state: as the checker reads it; opened: what signals and mentions hold, by id.
        earlier: ids that each certificate so far is about.
        takes: seconds that the run takes to which nothing happens.
    """

    name: str
    on: date
    snapshot: Snapshot
    state: State
    opened: Mapping[str, object]
    earlier: Mapping[str, frozenset[str]]
    takes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A register with an embedded server of its own.

    Attributes:
        endpoint: where that server answers, whoever starts it again.
        aside: a folder on another disk, for what watches it.
        mounted: whether the register's folders lie on small file systems of their own.
    """

    installation: Installation
    driver: neo4j.Driver
    endpoint: Endpoint
    aside: Path
    mounted: bool

    @property
    def place(self) -> Place:
        """Where children work."""
        return self._place(self.installation)

    @property
    def server(self) -> tuple[str, int]:
        """Host and port of the server."""
        host, _, port = self.endpoint.uri.removeprefix("bolt://").partition(":")
        return host, int(port)

    def through(self, port: int) -> Place:
        """Where children work that reach the server through a relay on this port."""
        password = self.aside / "neo4j-password"
        if not password.exists():
            password.touch(mode=0o600)
            password.write_text(self.endpoint.password, "utf-8")
        server = {
            "NEO4J_URI": f"bolt://127.0.0.1:{port}",
            "NEO4J_USERNAME": self.endpoint.user,
            "NEO4J_PASSWORD_FILE": str(password),
        }
        return self._place(replace(self.installation, server=server))

    def _place(self, made: Installation) -> Place:
        return Place(settings=made.settings, environment=made.environment, log=self.aside / "children.log")

    def read(self) -> State:
        """Read all of it, for the checker."""
        return state.read(self.driver, self.installation.home, self.installation.settings.keys_folder)

    def opened(self) -> dict[str, object]:
        """Return what each signal and mention holds, opened with the keys there are.

        Raises:
            AssertionError, RegisterError: something does not open, or does not verify.
        """
        with Graph(self.endpoint) as graph:
            found = contents(self.installation.settings, held(graph))
        return {**found.mentions, **found.signals}

    def order(self, on: date) -> None:
        """Order a run."""
        with workplace(self.installation.settings, "bench") as opened:
            opened.custody.order(OFFICERS[0], on)

    def take(self, name: str) -> Snapshot:
        """Copy the register; nobody may have it open."""
        with self.driver.session() as session:
            nodes = session.run(
                "MATCH (n) RETURN elementId(n) AS key, labels(n) AS labels, properties(n) AS properties"
            )
            kept = [dict(row) for row in nodes]
            ties = session.run(
                "MATCH (a)-[r]->(b) RETURN elementId(a) AS a, type(r) AS type, properties(r) AS properties,"
                " elementId(b) AS b"
            )
            tied = [dict(row) for row in ties]
        folder = self.aside / name
        for one in self._folders():
            shutil.copytree(one, folder / one.name, ignore=_but_the_graph)
        return Snapshot(nodes=kept, ties=tied, folder=folder)

    def restore(self, snapshot: Snapshot) -> None:
        """Put the register back to what it was."""
        with self.driver.session() as session:
            session.execute_write(_write, snapshot)
        for one in self._folders():
            for path in one.iterdir():
                if path.is_dir() and path.name != "graph":
                    shutil.rmtree(path)
                elif path.is_file():
                    path.unlink()
            shutil.copytree(snapshot.folder / one.name, one, dirs_exist_ok=True)

    def _folders(self) -> tuple[Path, Path]:
        return self.installation.home, self.installation.settings.keys_folder

    def verified(self, names: Sequence[str]) -> dict[str, int]:
        """Return how the verifying command ends for each certificate."""
        home = self.installation.home
        vkey = str(home / "log" / "vkey")
        folders = {name: str(home / "certificates" / name) for name in names}
        verify = partial(killed.start, killed.command, self.place, "verify", "certificate")
        children = {name: verify(folder, "--vkey", vkey) for name, folder in folders.items()}
        ended = {name: child.wait() for name, child in children.items()}
        return {name: -1 if status is None else status for name, status in ended.items()}


def _but_the_graph(_folder: str, names: list[str]) -> list[str]:
    return [one for one in names if one == "graph"]


def _write(tx: neo4j.ManagedTransaction, snapshot: Snapshot) -> None:
    tx.run("MATCH (n) DETACH DELETE n").consume()
    made = tx.run(
        "UNWIND $rows AS row CREATE (n:$(row.labels)) SET n = row.properties"
        " RETURN row.key AS old, elementId(n) AS new",
        rows=snapshot.nodes,
    )
    places = {row["old"]: row["new"] for row in made}
    tx.run(
        "UNWIND $rows AS row MATCH (a) WHERE elementId(a) = row.a MATCH (b) WHERE elementId(b) = row.b"
        " CREATE (a)-[r:$(row.type)]->(b) SET r = row.properties",
        rows=[{**one, "a": places[one["a"]], "b": places[one["b"]]} for one in snapshot.ties],
    ).consume()

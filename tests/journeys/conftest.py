"""Registers for journeys: on the session's Neo4j, or each with an embedded server of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from graph.connection import Graph
from graph.embedded.server import stop
from graph.endpoint import Endpoint
from tests.journeys.installation import Installation


@pytest.fixture
def register(tmp_path: Path, neo4j_endpoint: Endpoint, graph: Graph) -> Installation:
    """A new rehearsal register on the session's emptied Neo4j."""
    return _on(neo4j_endpoint, tmp_path)


@pytest.fixture
def place(tmp_path: Path, neo4j_endpoint: Endpoint, graph: Graph) -> Installation:
    """A place for a register on the session's emptied Neo4j; nothing is founded there yet."""
    return place_on(neo4j_endpoint, tmp_path)


@pytest.fixture
def own_register(tmp_path: Path) -> Iterator[Installation]:
    """A new rehearsal register with an embedded server of its own, whose files are all under its folder."""
    made = Installation(folder=tmp_path, server={})
    made.init()
    yield made
    stop(made.home / "graph")


@pytest.fixture(scope="module")
def next_register(
    neo4j_endpoint: Endpoint, _session_graph: Graph, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Installation]:
    """Makes a new rehearsal register on the session's Neo4j, which it empties: the register before is gone then."""

    def made() -> Installation:
        _session_graph.write(lambda tx: tx.run("MATCH (n) DETACH DELETE n").consume())
        return _on(neo4j_endpoint, tmp_path_factory.mktemp("journey"))

    return made


@pytest.fixture(scope="module")
def next_own_register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Installation]]:
    """Makes places for registers with an embedded server each; nothing is founded there yet."""
    with ExitStack() as ending:

        def made() -> Installation:
            place = Installation(folder=tmp_path_factory.mktemp("journey"), server={})
            ending.callback(stop, place.home / "graph")
            return place

        yield made


def _on(endpoint: Endpoint, folder: Path) -> Installation:
    made = place_on(endpoint, folder)
    made.init()
    return made


def place_on(endpoint: Endpoint, folder: Path) -> Installation:
    """A place for a register on that Neo4j; nothing is founded there yet."""
    password = folder / "neo4j-password"
    password.touch(mode=0o600)
    password.write_text(endpoint.password)
    server = {
        "NEO4J_URI": endpoint.uri,
        "NEO4J_USERNAME": endpoint.user,
        "NEO4J_PASSWORD_FILE": str(password),
    }
    return Installation(folder=folder, server=server)

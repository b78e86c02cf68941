"""Registers for journeys: on the session's Neo4j, or each with an embedded server of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.connection import Graph
from graph.embedded.server import stop
from graph.endpoint import Endpoint
from tests.journeys.installation import Installation


@pytest.fixture
def register(tmp_path: Path, neo4j_endpoint: Endpoint, graph: Graph) -> Installation:
    """A new rehearsal register on the session's emptied Neo4j."""
    password = tmp_path / "neo4j-password"
    password.touch(mode=0o600)
    password.write_text(neo4j_endpoint.password)
    server = {
        "NEO4J_URI": neo4j_endpoint.uri,
        "NEO4J_USERNAME": neo4j_endpoint.user,
        "NEO4J_PASSWORD_FILE": str(password),
    }
    made = Installation(folder=tmp_path, server=server)
    made.init()
    return made


@pytest.fixture
def own_register(tmp_path: Path) -> Iterator[Installation]:
    """A new rehearsal register with an embedded server of its own, whose files are all under its folder."""
    made = Installation(folder=tmp_path, server={})
    made.init()
    yield made
    stop(made.home / "graph")

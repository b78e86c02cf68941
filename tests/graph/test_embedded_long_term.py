"""The long-term Neo4j 5.26, embedded in the same way: what we write for the newest must run there too.

The graph's own tests are collected here a second time, on that server.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.connection import Graph
from graph.embedded.jars import fetch, read_lock
from graph.embedded.java import Installation, Java
from graph.embedded.server import attach, stop
from graph.endpoint import Endpoint
from tests.conftest import CACHE
from tests.graph.test_connection import *  # noqa: F403
from tests.graph.test_erasure import *  # noqa: F403
from tests.graph.test_signals import *  # noqa: F403
from tests.graph.test_visibility import *  # noqa: F403

pytestmark = pytest.mark.neo4j_long_term
LOCK = Path(__file__).with_name("neo4j-5.26.30.lock")


@pytest.fixture(scope="module")
def neo4j_endpoint(java_for_long_term: Java, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    lock = read_lock(LOCK)
    jars = fetch(lock, CACHE)
    installation = Installation(
        java=java_for_long_term, jars=jars, version=lock.version, cache=CACHE, digest=lock.digest
    )
    home = tmp_path_factory.mktemp("long-term") / "graph"
    with attach(home, installation) as endpoint:
        yield endpoint
    stop(home)


@pytest.fixture(scope="module")
def long_term(neo4j_endpoint: Endpoint) -> Iterator[Graph]:
    with Graph(neo4j_endpoint) as graph:
        yield graph


@pytest.fixture
def graph(long_term: Graph) -> Graph:
    long_term.write(lambda tx: tx.run("MATCH (n) DETACH DELETE n").consume())
    return long_term


def test_it_is_the_long_term_version(long_term: Graph) -> None:
    found = long_term.read(lambda tx: tx.run("CALL dbms.components() YIELD versions").single(strict=True).value())

    assert found == [read_lock(LOCK).version]

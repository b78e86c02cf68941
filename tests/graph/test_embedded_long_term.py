"""The long-term Neo4j 5.26, embedded in the same way: what we write for the newest must run there too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.connection import Graph
from graph.embedded.jars import fetch, read_lock
from graph.embedded.java import Installation, Java
from graph.embedded.server import attach, stop
from tests.conftest import CACHE

pytestmark = pytest.mark.neo4j_long_term
LOCK = Path(__file__).with_name("neo4j-5.26.30.lock")


@pytest.fixture(scope="module")
def long_term(java_for_long_term: Java, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    lock = read_lock(LOCK)
    jars = fetch(lock, CACHE)
    installation = Installation(
        java=java_for_long_term, jars=jars, version=lock.version, cache=CACHE, digest=lock.digest
    )
    home = tmp_path_factory.mktemp("long-term") / "graph"
    with attach(home, installation) as endpoint, Graph(endpoint) as graph:
        yield graph
    stop(home)


def test_it_is_the_long_term_version(long_term: Graph) -> None:
    found = long_term.read(lambda tx: tx.run("CALL dbms.components() YIELD versions").single(strict=True).value())

    assert found == [read_lock(LOCK).version]

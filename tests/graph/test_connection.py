"""The connection: managed transactions, and errors that say nothing of what was asked."""

import socket
import traceback

import neo4j
import pytest

from graph.connection import Graph
from graph.endpoint import Endpoint
from register.errors import Conflict, Unavailable

SECRET = "Wilhelmina-Example-4711"


def test_a_reader_sees_what_was_written_before(graph: Graph) -> None:
    graph.write(lambda tx: tx.run("CREATE (:Probe {number: $number})", number=7).consume())

    found = graph.read(lambda tx: tx.run("MATCH (p:Probe) RETURN p.number AS number").value("number"))

    assert found == [7]


def test_a_read_that_fails_for_a_moment_is_tried_again_from_its_start(graph: Graph) -> None:
    tried: list[int] = []

    def work(tx: neo4j.ManagedTransaction) -> int:
        found: int = tx.run("RETURN 7").single(strict=True).value()
        tried.append(found)
        if len(tried) < 3:
            raise neo4j.exceptions.TransientError("busy")
        return found

    assert graph.read(work) == 7
    assert tried == [7, 7, 7]


def test_a_failed_write_leaves_nothing(graph: Graph) -> None:
    def work(tx: neo4j.ManagedTransaction) -> None:
        tx.run("CREATE (:Probe {number: 1})").consume()
        tx.run("UNWIND [1, 0] AS d CREATE (:Probe {number: 1 / d})").consume()

    with pytest.raises(Unavailable) as caught:
        graph.write(work)

    assert caught.value.code == "graph.error"
    assert graph.read(lambda tx: tx.run("MATCH (p:Probe) RETURN count(p)").single(strict=True).value()) == 0


def test_a_broken_constraint_is_a_conflict_and_quotes_nothing(graph: Graph) -> None:
    graph.write(
        lambda tx: tx.run("CREATE CONSTRAINT probe IF NOT EXISTS FOR (p:Probe) REQUIRE p.name IS UNIQUE").consume()
    )
    graph.write(lambda tx: tx.run("CREATE (:Probe {name: $name})", name=SECRET).consume())

    with pytest.raises(Conflict) as caught:
        graph.write(lambda tx: tx.run("CREATE (:Probe {name: $name})", name=SECRET).consume())

    assert caught.value.code == "graph.constraint"
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
    graph.write(lambda tx: tx.run("DROP CONSTRAINT probe").consume())


@pytest.mark.parametrize("statement", [f"MATCH (n:{SECRET}", f"RETURN date('{SECRET}')", f"CALL db.labels('{SECRET}')"])
def test_a_refused_statement_is_not_quoted(graph: Graph, statement: str) -> None:
    with pytest.raises(Unavailable) as caught:
        graph.read(lambda tx: tx.run(statement).consume())

    assert "Neo.ClientError." in caught.value.message
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_an_error_of_ours_passes_through_and_rolls_back(graph: Graph) -> None:
    def work(tx: neo4j.ManagedTransaction) -> None:
        tx.run("CREATE (:Probe)").consume()
        raise Conflict("of.ours", "raised inside the transaction")

    with pytest.raises(Conflict, match="raised inside"):
        graph.write(work)

    assert graph.read(lambda tx: tx.run("MATCH (p:Probe) RETURN count(p)").single(strict=True).value()) == 0


def test_no_server_is_unavailable() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # bound, but nobody listens
        nobody = Endpoint(uri=f"bolt://127.0.0.1:{silent.getsockname()[1]}", user="neo4j", password=SECRET)

        _assert_unreachable(nobody)


def _assert_unreachable(nobody: Endpoint) -> None:
    with Graph(nobody, retry_for=0.1) as graph:
        for attempt in (graph.verify, lambda: graph.read(lambda tx: tx.run("RETURN 1").consume())):
            with pytest.raises(Unavailable) as caught:
                attempt()
            assert caught.value.code == "graph.unreachable"
            assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_wrong_credentials_are_unavailable(neo4j_endpoint: Endpoint) -> None:
    stranger = Endpoint(uri=neo4j_endpoint.uri, user=neo4j_endpoint.user, password=SECRET)

    with Graph(stranger) as graph, pytest.raises(Unavailable) as caught:
        graph.verify()

    assert caught.value.code == "graph.credentials"


def test_the_password_is_not_shown(neo4j_endpoint: Endpoint) -> None:
    assert neo4j_endpoint.password not in repr(neo4j_endpoint)
    assert neo4j_endpoint.password not in neo4j_endpoint.uri

"""Copies for backups: everything that is declared, byte for byte, and only into an empty graph."""

import json

import pytest

from graph import copy_queries
from graph.connection import Graph
from graph.copying import Copies
from graph.labels import NODES, Label
from graph.schema import migrate
from graph.signals import Signals
from register.errors import Conflict, Tampered
from tests.graph.builders import Tied, a_batch, a_signal, a_subject, an_identifier, harbours
from tests.graph.conftest import REGISTER


@pytest.fixture
def filled(register: Graph) -> Graph:
    people, passports = [a_subject() for _ in range(40)], [an_identifier() for _ in range(10)]
    signals = [
        a_signal(
            [people[n].facts.id, people[n + 1].facts.id],
            ports=["NLRTM"],
            links=[Tied(a=0, b=1), Tied(a=1, b="NLRTM")],
            identifiers={0: [passports[n // 4]]},
        )
        for n in range(39)
    ]
    batch = a_batch(signals, created=people, identifiers=passports)
    Signals(register).record(batch, harbours(batch), [])
    return register


def emptied(graph: Graph) -> Graph:
    graph.write(lambda tx: tx.run("MATCH (n) DETACH DELETE n").consume())
    migrate(graph, REGISTER)
    return graph


def test_what_was_copied_is_written_again_exactly(filled: Graph) -> None:
    lines = list(Copies(filled).lines())
    made = Copies(emptied(filled)).write(lines)
    assert made["nodes"] == 40 + 39 + 10 + 1
    assert list(Copies(filled).lines()) == lines
    assert sum(made.values()) == len(lines)


def test_a_copy_is_the_same_twice_and_shows_sealed_values_only(filled: Graph) -> None:
    first = list(Copies(filled).lines())
    assert first == list(Copies(filled).lines())
    (signal, *_) = [json.loads(line) for line in first if b'"node":"Signal"' in line]
    assert set(signal["properties"]["narrative"]) == {"bytes"}
    assert set(signal["properties"]["received_on"]) == {"date"}


def test_nothing_is_written_beside_something(filled: Graph) -> None:
    lines = list(Copies(filled).lines())
    with pytest.raises(Conflict, match="not empty"):
        Copies(filled).write(lines)
    assert list(Copies(filled).lines()) == lines


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"{}", b'{"node":"Entry","labels":["Entry"],"properties":{}}',
     b'{"node":"Signal","labels":["Signal"]}', b'{"node":"Signal","labels":["Signal"],"properties":{"x":{"y":1}}}',
     b'{"tie":"DELETES","from":["Signal","a"],"to":["Subject","b"],"properties":{}}'],
)  # fmt: skip
def test_what_is_no_line_of_a_copy_is_refused(register: Graph, line: bytes) -> None:
    with pytest.raises(Tampered, match="not one that this register writes"):
        Copies(register).write([line])


def test_a_relationship_without_its_end_is_refused(register: Graph) -> None:
    line = b'{"tie":"MENTIONS","from":["Signal","a"],"to":["Subject","b"],"properties":{}}'
    with pytest.raises(Tampered, match="an end"):
        Copies(register).write([line])


def test_every_label_is_copied_or_left_out_for_a_reason() -> None:
    copied = {nodes.label for nodes in copy_queries.COPIED}
    assert copied | set(copy_queries.LEFT_OUT) == {nodes.label for nodes in NODES}
    assert {Label.SUBJECT, Label.SIGNAL, Label.IDENTIFIER, Label.PORT, Label.RUN} <= copied
    assert all(copy_queries.LEFT_OUT.values())

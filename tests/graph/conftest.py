"""A database with the schema of this register."""

import pytest

from graph.connection import Graph
from graph.schema import migrate
from register.ids import RegisterId

REGISTER = RegisterId("0" * 32)


@pytest.fixture
def register(graph: Graph) -> Graph:
    migrate(graph, REGISTER)
    return graph

"""The graph's schema: which register this database is of, and the numbered steps that bring it up to date.

The steps are Cypher texts in `graph/migrations`, never edited once released; each statement can be run twice. The node
`Register` says which register the database belongs to and how many steps have been taken.
"""

from importlib import resources
from typing import Final

from neo4j import ManagedTransaction

from graph.connection import Graph
from graph.labels import REGISTER, Label
from register.errors import Conflict, Unavailable
from register.ids import RegisterId

KEY: Final = "register"

_ONE_REGISTER: Final = (
    f"CREATE CONSTRAINT register_key IF NOT EXISTS FOR (n:{Label.REGISTER}) REQUIRE n.{REGISTER.key[0]} IS UNIQUE"
)
_READ: Final = f"MATCH (n:{Label.REGISTER} {{key: $key}}) RETURN n.id AS id, n.schema AS schema"
_SUBJECTS: Final = f"MATCH (n:{Label.SUBJECT}) RETURN true LIMIT 1"
_ANYTHING: Final = "MATCH (n) RETURN true LIMIT 1"
_CLAIM: Final = f"MERGE (n:{Label.REGISTER} {{key: $key}}) ON CREATE SET n.id = $id, n.schema = 0"
_TAKEN: Final = f"MATCH (n:{Label.REGISTER} {{key: $key}}) WHERE n.schema < $schema SET n.schema = $schema"
_READY: Final = "CALL db.awaitIndexes(300)"


def steps() -> tuple[tuple[str, ...], ...]:
    """Return the statements of each migration, in order; the first is number 1."""
    files = sorted(
        (file for file in resources.files("graph.migrations").iterdir() if file.name.endswith(".cypher")),
        key=lambda file: file.name,
    )
    return tuple(_statements(file.read_text(encoding="utf-8")) for file in files)


def _statements(text: str) -> tuple[str, ...]:
    return tuple(statement for part in text.split(";") if (statement := part.strip()))


FACTS_SINCE: Final = 2
"""The schema from which on subjects have the facts that this program checks; no MAC of older ones fits them."""

VERSION: Final = len(steps())
"""The schema version of this program."""


def migrate(graph: Graph, register: RegisterId) -> int:
    """Bring the database up to this program's schema, claiming it for `register` when it is empty; return the version.

    Safe to run twice and by several processes at once.

    Raises:
        Conflict: the database belongs to another register (`graph.other-register`), or holds something else
            (`graph.not-empty`), or subjects whose facts are of an older form (`schema.older-facts`).
        Unavailable: the schema is newer than this program (`schema.newer`), or the server is not there.
    """
    graph.read(_refuse_foreign)
    _run(graph, _ONE_REGISTER)
    taken = graph.write(lambda tx: _claim(tx, register))
    if taken < FACTS_SINCE and graph.read(lambda tx: tx.run(_SUBJECTS).single()) is not None:
        raise Conflict("schema.older-facts", "the subjects of this graph were written without dates of review")
    for number, statements in enumerate(steps()[taken:], start=taken + 1):
        for statement in statements:
            _run(graph, statement)
        _run(graph, _TAKEN, key=KEY, schema=number)
    graph.read(lambda tx: tx.run(_READY).consume())
    return VERSION


def check(graph: Graph, register: RegisterId) -> None:
    """Make sure that the database is of `register` and of this program's schema.

    Raises:
        Conflict: it belongs to another register, or to none (`graph.other-register`).
        Unavailable: its schema is newer (`schema.newer`) or older (`schema.older`), or the server is not there.
    """
    row = graph.read(lambda tx: tx.run(_READ, key=KEY).single())
    if row is None:
        raise _other()
    taken = _checked(row["id"], row["schema"], register)
    if taken < VERSION:
        raise Unavailable("schema.older", f"the graph has schema {taken}, this program needs {VERSION}: migrate it")


def _run(graph: Graph, statement: str, **parameters: object) -> None:
    graph.write(lambda tx: tx.run(statement, parameters).consume())


def _refuse_foreign(tx: ManagedTransaction) -> None:
    # In this order: another process that claims the database in between makes no stranger of it.
    if tx.run(_ANYTHING).single() and tx.run(_READ, key=KEY).single() is None:
        raise Conflict("graph.not-empty", "the database holds something that is no register")


def _claim(tx: ManagedTransaction, register: RegisterId) -> int:
    tx.run(_CLAIM, key=KEY, id=register).consume()
    row = tx.run(_READ, key=KEY).single(strict=True)
    return _checked(row["id"], row["schema"], register)


def _checked(found: str, taken: int, register: RegisterId) -> int:
    if found != register:
        raise _other()
    if taken > VERSION:
        raise Unavailable(
            "schema.newer", f"the graph has schema {taken}, this program knows {VERSION}: use a newer one"
        )
    return taken


def _other() -> Conflict:
    return Conflict("graph.other-register", "the database belongs to another register")

"""The key store's tables and how its database is opened: SQLite with full sync and secure deletion."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase

from register.errors import RegisterError, Tampered, Unavailable

FORMAT: Final = 1
WAIT_SECONDS: Final = 30
CHUNK: Final = 2000
"""How many values one IN list holds."""

Value = TypeVar("Value", str, bytes)

metadata: Final = MetaData()


def _table(name: str, *columns: Column[Any]) -> Table:
    return Table(name, metadata, *columns, sqlite_with_rowid=False, sqlite_strict=True)


def _column(
    name: str, kind: type[Text | Integer | LargeBinary], *, key: bool = False, null: bool = False
) -> Column[Any]:
    return Column(name, kind, primary_key=key, nullable=null, autoincrement=False)


register: Final = _table(
    "register",
    _column("one", Integer, key=True),
    _column("format", Integer),
    _column("register", Text),
    _column("generation", Integer),
    _column("fence", Integer),
    _column("anchor_kind", Text),
    _column("anchor_version", Integer),
    _column("root", LargeBinary),  # wrapped under the anchor
    _column("profile", LargeBinary),  # wrapped under the root: what was decided at `init`
)
keys: Final = _table(
    "keys",
    _column("id", Text, key=True),
    _column("kind", Text, key=True),
    _column("version", Integer, key=True),
    _column("wrapped", LargeBinary),
)
tokens: Final = _table(
    "tokens",
    _column("identifier", Text, key=True),
    _column("digest", LargeBinary),
    _column("wrapped", LargeBinary),
)
# Of a purged signal's delivery only receipt, digest and what the digest is made from remain.
deliveries: Final = _table(
    "deliveries",
    _column("receipt", Text, key=True),
    _column("digest", LargeBinary),
    _column("done", Integer),
    _column("signal", Text, null=True),
    _column("forgotten_by", Text, null=True),  # run
    _column("wrapped", LargeBinary),
)
revisions: Final = _table("revisions", _column("id", Text, key=True), _column("revision", Integer))
tombstones: Final = _table("tombstones", _column("id_sha256", LargeBinary, key=True))
runs: Final = _table("runs", _column("run", Text, key=True), _column("result", Text))
# Old roots, each as it was wrapped, until it has been read back that none of them opens.
former_roots: Final = _table(
    "former_roots",
    _column("anchor_version", Integer, key=True),
    _column("generation", Integer),
    _column("root", LargeBinary),
)
leases: Final = _table(
    "leases",
    _column("worker", Text, key=True),
    _column("host", Text),
    _column("pid", Integer),
    _column("started", Text),
    _column("generation", Integer),
    _column("heartbeat", Text),
)
credentials: Final = _table(
    "credentials",
    _column("id", Text, key=True),
    _column("secret_sha256", LargeBinary),
    _column("code", Text),
    _column("role", Text),
    _column("markings", Text),
    _column("handling", Text),
    _column("expires_at", Text, null=True),
    _column("ended", Integer),
)
# What actors have searched lately, counted only: who, what kind, when (microseconds since 1970, UTC).
spendings: Final = _table(
    "spendings",
    _column("id", Text, key=True),
    _column("actor", Text),
    _column("what", Text),
    _column("at", Integer),
)
Index("spendings_actor", spendings.c.actor, spendings.c.what)
# Digests change at every purge, identifiers and receipts never: rows are found again by what stays.
Index("tokens_digest", tokens.c.digest, unique=True)
Index("deliveries_digest", deliveries.c.digest, unique=True)
Index("deliveries_signal", deliveries.c.signal)

_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "cache_size=-65536",  # 64 MiB
    f"busy_timeout={WAIT_SECONDS * 1000}",
)


class Database:
    """The key store's database.

    Args:
        url: address in SQLAlchemy's form, such as `sqlite:////path/keys.sqlite`.
    """

    def __init__(self, url: str) -> None:
        # Parameters hold wrapped keys and tokens: they never enter an error's text.
        self.engine: Engine = create_engine(url, hide_parameters=True, max_overflow=-1)
        event.listen(self.engine, "connect", _connected)
        event.listen(self.engine, "begin", _begin)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one state. Raises Unavailable, Tampered."""
        with _faults(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that holds the write lock before its first read. Raises Unavailable, Tampered."""
        with _faults(), self.engine.connect() as connection:
            connection = connection.execution_options(theme_register_write=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def many(
    connection: Connection, statement: UpdateBase, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Execute `statement` once per row; `names` are its parameters in the order of a row's values.

    The driver's own `executemany`, four times as fast as going through SQLAlchemy row by row.
    """
    if not rows:
        return
    text, order = _compiled(statement, connection.dialect)
    if order != names:
        places = [names.index(name) for name in order]
        rows = [tuple([row[place] for place in places]) for row in rows]
    connection.exec_driver_sql(text, list(rows))


@lru_cache(maxsize=64)
def _compiled(statement: UpdateBase, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    compiled = statement.compile(dialect=dialect)
    if not isinstance(compiled, SQLCompiler) or compiled.positiontup is None:
        raise TypeError("the database's driver takes no parameters by position")
    return str(compiled), tuple(compiled.positiontup)


def chunks(values: Iterable[Value]) -> Iterator[list[Value]]:
    """Cut distinct values into lists that fit an IN list."""
    distinct = sorted(set(values))
    for at in range(0, len(distinct), CHUNK):
        yield distinct[at : at + CHUNK]


def _connected(connection: DBAPIConnection, _: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says, not where the driver guesses
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("theme_register_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except (RegisterError, IntegrityError):
        raise
    except OperationalError as cause:
        if getattr(cause.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:  # such as a table that is gone
            raise Tampered("keystore.damaged", "the key store's database is damaged") from None
        raise Unavailable(
            "keystore.unavailable", "the key store cannot be used just now (locked, full or gone)"
        ) from None
    except DatabaseError:
        raise Tampered("keystore.damaged", "the key store's database is damaged") from None

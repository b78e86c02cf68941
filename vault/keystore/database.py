"""How the key store's database is opened and written: SQLite in the keys' folder, or a PostgreSQL server by URL.

Both sync every commit. A transaction that writes takes its lock before its first read; readers see one state.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert, UpdateBase

from register.errors import RegisterError, Tampered, Unavailable
from vault.keystore import postgresql, schema

WAIT_SECONDS: Final = 30
CHUNK: Final = 2000
"""How many values one IN list holds."""
CHECKPOINT_TRIES: Final = 6
WRITE: Final = "theme_register_write"

Value = TypeVar("Value", str, bytes)

_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "cache_size=-65536",  # 64 MiB
    f"busy_timeout={WAIT_SECONDS * 1000}",
)
_LOCKS: Final = {
    "alone": select(schema.register.c.one).with_for_update(),
    "beside": select(schema.register.c.one).with_for_update(read=True),
}


class Database:
    """The key store's database.

    Args:
        address: path of an SQLite file that is there, or the URL of a PostgreSQL database (`postgresql.address`).

    Attributes:
        path: of the file; None on PostgreSQL.
    """

    def __init__(self, address: Path | URL) -> None:
        self.path = address if isinstance(address, Path) else None
        # Parameters hold wrapped keys and tokens: they never enter an error's text.
        if isinstance(address, Path):
            # Mode rw: a store that is gone is never made anew in silence.
            self._identity = _identity(address)
            query = {"mode": "rw", "uri": "true"}
            url = URL.create("sqlite", database=f"file:{address.absolute().as_uri()[7:]}", query=query)
            self.engine: Engine = create_engine(url, hide_parameters=True, max_overflow=-1)
            event.listen(self.engine, "connect", _connected)
            event.listen(self.engine, "begin", _begin)
        else:
            self.engine = postgresql.engine(address, wait_seconds=WAIT_SECONDS)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one state. Raises Unavailable, Tampered."""
        self._assert_there()
        with _faults(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, *, alone: bool = True) -> Iterator[Connection]:
        """Open a transaction that holds the write lock before its first read.

        Args:
            alone: nobody else writes meanwhile. Otherwise others may, where the database allows it, but nobody who
                writes alone.

        Raises:
            Unavailable, Tampered.
        """
        with self._begun("alone" if alone else "beside") as connection:
            if self.path is None:
                connection.execute(_LOCKS["alone" if alone else "beside"])
            yield connection

    @contextmanager
    def founding(self) -> Iterator[Connection]:
        """Open the transaction that makes the tables. Raises Unavailable, Tampered."""
        with self._begun("founding") as connection:
            yield connection

    def rewritten(self) -> Mapping[str, str]:
        """Write all tables anew, so that no deleted row is left in them; return, as codes, what of it may remain.

        Raises:
            Unavailable: code `keystore.busy`: others use the tables, or the disk is full; safe to run again.
        """
        self._assert_there()
        if self.path is None:
            with _faults():
                return postgresql.rewritten(self.engine)
        # `secure_delete` overwrites what is deleted, but not the copies that remain between the rows of a page when
        # rows move to another page: about one purge in fifty left a purged row there.
        with closing(self.engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            try:
                cursor.execute("VACUUM")  # waits for writers, as busy_timeout says
            except sqlite3.OperationalError:
                raise postgresql.busy() from None
            for _ in range(CHECKPOINT_TRIES):
                # The write-ahead log still holds the old rows. Waits for readers itself, as busy_timeout says.
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                if (cursor.fetchone() or (1,))[0] == 0:
                    return {"write_ahead_log": "truncated"}
        raise postgresql.busy()

    def sound(self) -> bool:
        """Say whether the database finds its own file in order (SQLite); a server looks after its own."""
        if self.path is None:
            return True
        try:
            with self.reading() as connection:
                return str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()) == "ok"
        except Tampered:
            return False

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _begun(self, write: str) -> Iterator[Connection]:
        self._assert_there()
        with _faults(), self.engine.connect() as connection:
            connection = connection.execution_options(**{WRITE: write})
            with connection.begin():
                yield connection

    def _assert_there(self) -> None:
        """Assert that the file is the one that was opened: a connection outlives the file it was made to."""
        if self.path is not None and _identity(self.path) != self._identity:
            raise Unavailable("keystore.moved", "another file is where the key store was opened; start anew")


def many(connection: Connection, statement: UpdateBase, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> int:
    """Execute `statement` for each row; `names` are its parameters in the order of a row's values.

    The driver's own `executemany`, four times as fast as going through SQLAlchemy row by row; on PostgreSQL all rows
    in one statement.

    Returns:
        How many rows of the table it was done to.
    """
    if not rows:
        return 0
    if connection.dialect.name == "postgresql":
        return postgresql.many(connection, statement, names, rows)
    text, order = _compiled(statement, connection.dialect, names)
    if order != names:
        places = [names.index(name) for name in order]
        rows = [tuple([row[place] for place in places]) for row in rows]
    return connection.exec_driver_sql(text, list(rows)).rowcount


@lru_cache(maxsize=64)
def _compiled(statement: UpdateBase, dialect: Dialect, names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    columns = list(names) if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=dialect, column_keys=columns)
    if not isinstance(compiled, SQLCompiler) or compiled.positiontup is None:
        raise TypeError("the database's driver takes no parameters by position")
    return str(compiled), tuple(compiled.positiontup)


def chunks(values: Iterable[Value]) -> Iterator[list[Value]]:
    """Cut distinct values into lists that fit an IN list."""
    distinct = sorted(set(values))
    for at in range(0, len(distinct), CHUNK):
        yield distinct[at : at + CHUNK]


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        raise Unavailable("keystore.absent", "there is no key store in that folder") from None
    return found.st_dev, found.st_ino


def _connected(connection: DBAPIConnection, _: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says, not where the driver guesses
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITE) else "BEGIN")


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except (RegisterError, IntegrityError):
        raise
    except DBAPIError as cause:
        state = postgresql.state(cause)
        if state == postgresql.DUPLICATE:
            raise IntegrityError(None, None, cause.orig or cause) from None
        if postgresql.reports_damage(state) or _sqlite_damage(cause):
            raise Tampered("keystore.damaged", "the key store's database is damaged") from None
        raise Unavailable(
            "keystore.unavailable", "the key store cannot be used just now (locked, full or gone)"
        ) from None


def _sqlite_damage(cause: DBAPIError) -> bool:
    """Say whether SQLite found damage; of the operational errors: a table that is gone, a text that is none."""
    if not isinstance(cause.orig, sqlite3.DatabaseError):
        return False
    return not isinstance(cause, OperationalError) or getattr(cause.orig, "sqlite_errorcode", None) in (
        None,
        sqlite3.SQLITE_ERROR,
    )

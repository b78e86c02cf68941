"""What is different on PostgreSQL: the address, the session, many rows in one statement, and what forgetting leaves.

A row that was deleted or changed stays in its table's file until VACUUM, and in the write-ahead log until its segment
is recycled, or for as long as somebody archives it. What stays there is wrapped under a root key that is gone.
"""

import ipaddress
import re
import ssl
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from typing import Any, Final, cast

from sqlalchemy import (
    URL,
    BigInteger,
    BindParameter,
    Connection,
    Engine,
    LargeBinary,
    Text,
    bindparam,
    column,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import Insert, UpdateBase

from register.errors import Fault, Invalid, Unavailable
from vault.keystore import schema

DUPLICATE: Final = "23505"
_NUMBER: Final = re.compile(rb"[0-9]+")
_SOCKET: Final = ".s.PGSQL"
_TYPES: Final = {str: Text, int: BigInteger, bytes: LargeBinary}
_SESSION: Final = (
    "SET synchronous_commit = on",
    "SET idle_in_transaction_session_timeout = '60s'",  # a keeper that sleeps holds nobody up for longer
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
)
_WRITE: Final = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE"


def address(text: str) -> URL:
    """Return the address in `text`: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.

    Beyond this host the server must prove itself by TLS; `?sslrootcert=FILE` names who vouches for it. `?host=FOLDER`
    is a socket of this host.

    Raises:
        Invalid: rule `keystore.url`.
    """
    try:
        url = make_url(text.strip())
    except ArgumentError:
        url = URL.create("")
    if url.get_backend_name() != "postgresql" or not url.database or set(url.query) - {"host", "sslrootcert"}:
        message = "is no address of a PostgreSQL database: postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        raise Invalid([Fault(pointer="", rule="keystore.url", message=message)])
    return url.set(drivername="postgresql+pg8000")


def engine(url: URL, *, wait_seconds: int) -> Engine:
    """Return an engine whose sessions sync every commit and wait for locks `wait_seconds`."""
    arguments: dict[str, Any] = {"timeout": wait_seconds, "application_name": "theme-register"}
    folder, root = url.query.get("host"), url.query.get("sslrootcert")
    if folder:
        arguments["unix_sock"] = f"{folder}/{_SOCKET}.{url.port or 5432}"
    elif not _loopback(url.host or "localhost"):
        arguments["ssl_context"] = ssl.create_default_context(cafile=None if root is None else str(root))
    made = create_engine(url.set(query={}), hide_parameters=True, max_overflow=-1, connect_args=arguments)

    def connected(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        for setting in (*_SESSION, f"SET lock_timeout = '{wait_seconds}s'"):
            cursor.execute(setting)
        cursor.execute("SELECT current_setting('fsync')")
        found = cursor.fetchone()
        connection.commit()
        cursor.close()
        if found != ["on"] and found != ("on",):
            raise Unavailable("keystore.unsafe", "that PostgreSQL server does not sync what it commits (fsync is off)")

    event.listen(made, "connect", connected)
    event.listen(made, "begin", _begin)
    return made


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("theme_register_write"):
        connection.exec_driver_sql(_WRITE)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def many(connection: Connection, statement: UpdateBase, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> int:
    """See `database.many`: one statement over the rows, handed in as one array a parameter."""
    columns = tuple(zip(*rows, strict=True))
    kinds = tuple(_kind(values) for values in columns)
    arrays = dict(zip(names, map(list, columns), strict=True))
    return connection.execute(_over_rows(statement, names, kinds), arrays).rowcount


def _kind(values: Sequence[Any]) -> type:
    first = next((value for value in values if value is not None), "")
    return next(kind for kind in _TYPES if isinstance(first, kind))


@lru_cache(maxsize=64)
def _over_rows(statement: UpdateBase, names: tuple[str, ...], kinds: tuple[type, ...]) -> UpdateBase:
    types = [_TYPES[kind]() for kind in kinds]
    arrays = [bindparam(name, type_=ARRAY(type_)) for name, type_ in zip(names, types, strict=True)]
    rows = (
        func.unnest(*arrays)
        .table_valued(*(column(name, type_) for name, type_ in zip(names, types, strict=True)), name="rows")
        .render_derived()
    )
    if isinstance(statement, Insert):
        return statement.from_select(list(names), select(*rows.c))

    def from_row(element: Any, **_: Any) -> Any:
        return rows.c[element.key] if isinstance(element, BindParameter) and element.key in names else None

    return cast(UpdateBase, visitors.replacement_traverse(statement, {}, from_row))


def rewritten(engine: Engine) -> Mapping[str, str]:
    """See `Database.rewritten`. The old files are emptied at once and unlinked at the server's next checkpoint."""
    connection = engine.raw_connection()
    refused = engine.dialect.loaded_dbapi.DatabaseError
    try:
        driver: Any = connection.dbapi_connection
        driver.autocommit = True
        with closing(connection.cursor()) as cursor:
            cursor.execute("SET default_transaction_read_only = off")
            for table in schema.metadata.sorted_tables:
                driver.notices.clear()
                try:
                    cursor.execute(f'VACUUM (FULL, VERBOSE) "{table.name}"')
                except refused as cause:
                    if _told(cause).get("C") in ("55P03", "53100"):  # others use the table, or the disk is full
                        raise busy() from None
                    raise
                if _kept(driver.notices):
                    raise busy()
            cursor.execute("SELECT current_setting('archive_mode')")
            (archived,) = cursor.fetchone() or ("",)
    finally:
        connection.invalidate()
    return {"tables": "rewritten", "write_ahead_log": "until-recycled" if archived == "off" else "archived"}


def _kept(notices: Iterable[Mapping[bytes, bytes]]) -> bool:
    """Say whether VACUUM kept deleted rows, for a snapshot from before: the number its details begin with is not 0.

    Tables that say nothing of themselves (those that hold what was too large for a row) count as kept too.
    """
    details = [_NUMBER.search(one.get(b"D", b"")) for one in notices if b"D" in one]
    return not details or any(found is None or int(found[0]) > 0 for found in details)


def busy() -> Unavailable:
    """Return the error of a rewriting that others hold up."""
    return Unavailable("keystore.busy", "the file is in use, or the disk is full; run this step again")


def state(cause: DBAPIError) -> str:
    """Return the server's SQLSTATE, "" where the error is not the server's."""
    return "" if cause.orig is None else str(_told(cause.orig).get("C", ""))


def _told(error: BaseException) -> Mapping[str, str]:
    """Return the fields of the server's error message by their letters (its protocol, "Error and Notice")."""
    told = error.args[0] if error.args else None
    return told if isinstance(told, dict) else {}


def reports_damage(state: str) -> bool:
    """Say whether an SQLSTATE means that the tables are not what was made: gone, of other columns, or corrupted."""
    return state.startswith(("42P", "42703", "XX00", "22")) or state in ("23502", "23514")

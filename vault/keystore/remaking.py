"""Making every row of a table anew, whatever its size: what a purge does to all that stays.

On SQLite one statement walks through the table and asks back for each row, which takes a third of the time of reading
the rows, and writing each by its key. On PostgreSQL rows go in pages.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, bindparam, func, select, tuple_, update

from vault.keystore.database import many
from vault.keystore.rows import UNOPENED

PAGE: Final = 20_000
_log: Final = logging.getLogger(__name__)

Remake = Callable[..., tuple[bytes, ...]]
"""Gives the new values of a row's `writes` from its `reads`, in their orders; raises one of UNOPENED: it is damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A table whose rows are made anew.

    Attributes:
        key: its primary key; reads: the columns a row is made from, the one with its id first.
        writes: the columns that change, `wrapped` the last.
    """

    table: Table
    key: tuple[str, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    def apply(self, connection: Connection, remake: Remake) -> None:
        """Make every row anew but those that do not open: these stay as they are, and are logged by their id."""
        if connection.dialect.name == "sqlite":
            self._walk(connection, remake)
        else:
            self._page(connection, remake)

    def _walk(self, connection: Connection, remake: Remake) -> None:
        driver: Any = connection.connection.dbapi_connection
        made: list[Any] = [None, ()]  # of the row at hand: what it was made from, and what was made

        def value(place: int, *values: Any) -> Any:
            *read, kept = values
            if made[0] != read:
                made[0] = read
                made[1] = _remade(remake, read, self.table.name)
            return kept if made[1] is None else made[1][place]

        columns, arguments = self.table.c, len(self.reads) + 2
        read = [columns[name] for name in self.reads]
        changes = {name: func.remade(place, *read, columns[name]) for place, name in enumerate(self.writes)}
        # What is no bytes any more opens nothing, and could not be put back by a statement either.
        whole = [func.typeof(columns[name]) == "blob" for name in self.writes]
        indexes = [one for one in self.table.indexes if {column.name for column in one.columns} & set(self.writes)]
        for index in indexes:  # made in one go at the end, sorted, it takes a third of the time
            index.drop(connection)
        driver.create_function("remade", arguments, value)
        try:
            connection.execute(update(self.table).values(changes).where(*whole))
        finally:
            driver.create_function("remade", arguments, None)  # it knows both root keys
        for index in indexes:
            index.create(connection)

    def _page(self, connection: Connection, remake: Remake) -> None:
        columns = [self.table.c[name] for name in self.key]
        names = (*(f"to_{name}" for name in self.writes), *(f"of_{name}" for name in self.key))
        statement = update(self.table).values({name: bindparam(f"to_{name}") for name in self.writes})
        for name in self.key:
            statement = statement.where(self.table.c[name] == bindparam(f"of_{name}"))
        wanted = select(self.table).order_by(*columns).limit(PAGE)
        page: Sequence[Row[Any]] = connection.execute(wanted).all()
        while page:
            many(connection, statement, names, list(self._rows(page, remake)))
            last = tuple(getattr(page[-1], name) for name in self.key)
            page = connection.execute(wanted.where(tuple_(*columns) > last)).all()

    def _rows(self, page: Sequence[Row[Any]], remake: Remake) -> Iterator[tuple[Any, ...]]:
        for row in page:
            made = _remade(remake, [getattr(row, name) for name in self.reads], self.table.name)
            if made is not None:
                yield (*made, *(getattr(row, name) for name in self.key))


def _remade(remake: Remake, read: Sequence[Any], table: str) -> tuple[bytes, ...] | None:
    try:
        return remake(*read)
    except UNOPENED:
        _log.error("a damaged row of the key store was left as it was: %s %s", table, read[0])
        return None

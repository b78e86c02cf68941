"""The audit trail as the graph keeps it: entries, each written with its act, wait here for the log to take them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from neo4j import ManagedTransaction

from graph import queries
from graph.connection import Graph
from graph.records import Rows, instant, microseconds
from register.audit import Entry
from register.ids import EntryId


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlogged:
    """An entry that the log may not have yet: SHA-256(salt | body) is its leaf; `at` is aware, UTC."""

    id: EntryId
    at: datetime
    salt: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """Keeps audit entries until the log holds them."""

    graph: Graph

    def append(self, entries: Sequence[Entry]) -> None:
        """Make `entries` durable; one that is there already is left as it is. Raises Unavailable."""
        self.graph.write(lambda tx: write_entries(tx, entries))

    def unlogged(self, limit: int) -> tuple[Unlogged, ...]:
        """Return up to `limit` entries that `mark_logged` was not told about, by time and id. Raises Unavailable."""
        rows = self.graph.read(lambda tx: [row["entry"] for row in tx.run(queries.UNLOGGED_ENTRIES, limit=limit)])
        return tuple(
            Unlogged(
                id=EntryId(row["id"]),
                at=instant(row["at"]),
                salt=bytes.fromhex(row["salt"]),
                body=row["body"].encode("ascii"),
            )
            for row in rows
        )

    def mark_logged(self, entries: Collection[Unlogged]) -> None:
        """Take away entries that the log holds durably: from now on they are kept there, under its terms.

        Raises:
            Unavailable: they may still be here; the log knows an entry that is handed to it again.
        """
        rows = Rows({"id": entry.id, "at": microseconds(entry.at)} for entry in entries)
        self.graph.write(lambda tx: tx.run(queries.DELETE_ENTRIES, rows=rows).consume())


def write_entries(tx: ManagedTransaction, entries: Sequence[Entry]) -> None:
    """Write `entries` in a transaction under way, that of the act they tell of."""
    rows = Rows(
        {"id": entry.id, "at": microseconds(entry.at), "salt": entry.salt, "body": entry.body().decode("ascii")}
        for entry in entries
    )
    tx.run(queries.APPEND_ENTRIES, rows=rows).consume()

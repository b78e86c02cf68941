"""The audit trail as the graph keeps it: entries, each written with its act, and held against the log while kept."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from neo4j import ManagedTransaction

from graph import queries
from graph.connection import Graph, stamps
from graph.records import Rows, instant, microseconds
from register.audit import Entry
from register.ids import EntryId

T = TypeVar("T")

_LAST: Final = microseconds(datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An entry as the graph has it, not judged: SHA-256(salt | body) is its leaf; `at` is aware, UTC.

    Attributes:
        stamp, mac: which turn of which strand wrote it, and the MAC over stamp, salt and body (vault.strands).
        index: its place in the log; None while it waits.
        node: the database's own name of the node, for as long as it is there.
    """

    node: str
    id: EntryId
    at: datetime
    salt: bytes
    body: bytes
    stamp: str
    mac: str
    index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """How many entries the graph has, how many of them wait for the log, and how many say a place from `beyond` on."""

    all: int
    waiting: int
    beyond: int


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """Keeps audit entries: until the log holds them alone, then beside it."""

    graph: Graph

    def append(self, entries: Sequence[Entry]) -> None:
        """Make `entries` durable; one that is there already is left as it is. Raises Unavailable."""
        self.graph.write(lambda tx: write_entries(tx, entries))

    def unlogged(self, limit: int) -> tuple[Kept, ...]:
        """Return up to `limit` entries that wait for the log, by time and id. Raises Unavailable."""
        rows = self.graph.read(lambda tx: [row["entry"] for row in tx.run(queries.UNLOGGED_ENTRIES, limit=limit)])
        return tuple(map(_kept, rows))

    def mark_logged(self, places: Mapping[EntryId, int], entries: Collection[Kept]) -> None:
        """Note where the log holds these entries durably; they wait no longer.

        Raises:
            Unavailable: they may wait still; the log knows an entry that is handed to it again.
        """
        rows = Rows({"node": one.node, "index": places[one.id]} for one in entries)
        self.graph.write(lambda tx: tx.run(queries.LOGGED_ENTRIES, rows=rows).consume())

    def set_aside(self, entries: Collection[Kept]) -> None:
        """Let entries that are not what this register wrote wait no longer; they stay, to be looked at."""
        rows = Rows({"node": one.node} for one in entries)
        self.graph.write(lambda tx: tx.run(queries.SET_ASIDE_ENTRIES, rows=rows).consume())

    def between(self, first: int, end: int) -> tuple[Kept, ...]:
        """Return the entries that say a place from `first` to `end` (not included) in the log, in that order."""
        rows = self.graph.read(
            lambda tx: [row["entry"] for row in tx.run(queries.ENTRIES_BETWEEN, first=first, end=end)]
        )
        return tuple(map(_kept, rows))

    def stamped(self, some: Iterable[str]) -> Mapping[str, tuple[int | None, bool]]:
        """Return, of these stamps, those that are there: each with its place in the log, and whether it waits."""
        rows = Rows({"stamp": stamp} for stamp in some)
        return self.graph.read(
            lambda tx: {
                row["stamp"]: (row["index"], row["waits"]) for row in tx.run(queries.STAMPED_ENTRIES, rows=rows)
            }
        )

    def numbers(self, beyond: int) -> Numbers:
        """Return how many entries there are."""
        row = self.graph.read(lambda tx: tx.run(queries.NUMBER_OF_ENTRIES, beyond=beyond).single(strict=True))
        return Numbers(all=row["all"], waiting=row["waiting"], beyond=row["beyond"])

    def bring_back(self, logged: Sequence[tuple[int, EntryId, datetime, bytes, bytes]]) -> None:
        """Write entries that the log holds (place, id, instant, salt, body) and this graph does not, stamped anew."""
        self.graph.write(lambda tx: _write_logged(tx, logged))

    def forget(self, places: Collection[int]) -> None:
        """Delete the entries at these places of the log: their term is over there too."""
        self.graph.write(lambda tx: tx.run(queries.DELETE_ENTRIES, places=sorted(places)).consume())


def disclose(graph: Graph, work: Callable[[ManagedTransaction], tuple[T, Entry]]) -> T:
    """Read something for somebody, and return it once its audit entry is durable.

    A lone reader's entry is written in the transaction that reads, which saves one. Entries of reads that come at the
    same time share a transaction (`graph.group`).

    Raises:
        Unavailable: nothing may be released.
    """

    def together(tx: ManagedTransaction) -> T:
        found, entry = work(tx)
        write_entries(tx, [entry])
        return found

    group = graph.grouped(write_entries)
    with group.coming() as alone:
        if alone:
            return graph.write(together)
        found, entry = graph.read(work)
        group.submit(entry)
        return found


def write_entries(tx: ManagedTransaction, entries: Sequence[Entry]) -> None:
    """Write `entries` in a transaction under way, that of the act they tell of."""
    rows = _rows(entries)
    # One that was there before keeps the stamp it has: only what this transaction wrote is pledged.
    written = {row["stamp"] for row in tx.run(queries.APPEND_ENTRIES, rows=rows)}
    stamps().wrote(row["stamp"] for row in rows if row["stamp"] in written)


def write_new_entries(tx: ManagedTransaction, entries: Sequence[Entry]) -> None:
    """Write the `entries` of an act that cannot have run before: none of them is there."""
    rows = _rows(entries)
    tx.run(queries.CREATE_ENTRIES, rows=rows).consume()
    stamps().wrote(row["stamp"] for row in rows)


def _rows(entries: Sequence[Entry]) -> Rows:
    bodies = [entry.body() for entry in entries]
    marks = stamps().take([bytes.fromhex(entry.salt) + body for entry, body in zip(entries, bodies, strict=True)])
    return Rows(
        {
            "id": entry.id,
            "at": microseconds(entry.at),
            "waits": microseconds(entry.at),
            "salt": entry.salt,
            "body": body.decode("ascii"),
            "stamp": stamp,
            "mac": mac,
        }
        for entry, body, (stamp, mac) in zip(entries, bodies, marks, strict=True)
    )


def _write_logged(tx: ManagedTransaction, logged: Sequence[tuple[int, EntryId, datetime, bytes, bytes]]) -> None:
    # Not pledged: they are in the log, which is more.
    marks = stamps().take([salt + body for *_, salt, body in logged])
    rows = Rows(
        {
            "id": id_,
            "at": microseconds(at),
            "index": index,
            "salt": salt.hex(),
            "body": body.decode("ascii"),
            "stamp": stamp,
            "mac": mac,
        }
        for (index, id_, at, salt, body), (stamp, mac) in zip(logged, marks, strict=True)
    )
    tx.run(queries.APPEND_ENTRIES, rows=rows).consume()


def _kept(row: Mapping[str, Any]) -> Kept:
    """Read a row that anybody who reaches the database may have written."""
    salt, body = str(row.get("salt", "")), str(row.get("body", ""))
    index = row.get("index")
    try:
        content = bytes.fromhex(salt) if bytes.fromhex(salt).hex() == salt else b""
    except ValueError:
        content = b""
    at = row.get("at")
    return Kept(
        node=row["node"],
        id=EntryId(str(row.get("id", ""))),
        at=instant(at if type(at) is int and 0 <= at < _LAST else 0),
        salt=content,
        body=body.encode("utf-8", "replace"),
        stamp=str(row.get("stamp", "")),
        mac=str(row.get("mac", "")),
        index=index if type(index) is int else None,
    )

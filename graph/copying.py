"""Copies of all that a graph holds, for backups: every record sealed as it is, one line of JSON each.

A line is `{"node": LABEL, "labels": [...], "properties": {...}}` or
`{"tie": TYPE, "from": [LABEL, KEY], "to": [LABEL, KEY], "properties": {...}}`; byte arrays are `{"bytes": base64}` and
dates `{"date": ISO 8601}`. Nodes come before relationships. The same graph gives the same lines.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, Final

from neo4j import ManagedTransaction, Record

from graph import copy_queries as queries
from graph.connection import Graph
from graph.records import Rows
from register.errors import Conflict, Tampered

PAGE: Final = 1000

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Copies:
    """Reads a graph as lines, and writes such lines into an empty one."""

    graph: Graph

    def lines(self) -> Iterator[bytes]:
        """Yield every record as a line, streaming; consistent only while nobody writes. Raises Unavailable."""
        for nodes, text in zip(queries.COPIED, queries.NODE_PAGE, strict=True):
            for row in self._pages(text):
                line = {"node": nodes.label, "labels": sorted(row["labels"]), "properties": _out(row["properties"])}
                yield _encode(line)
        for (ties, target), text in zip(queries.BETWEEN, queries.TIE_PAGE, strict=True):
            for row in self._pages(text):
                for tie in sorted(row["ties"], key=_order):
                    ends = {"from": [ties.source, row["key"]], "to": [target, tie["target"]]}
                    yield _encode({"tie": tie["type"], **ends, "properties": _out(tie["properties"])})

    def fingerprint(self) -> tuple[tuple[int, int], ...]:
        """Return, by label, how many there are and the sum of their revisions: every change changes one of them."""
        rows = (self.graph.read(lambda tx, text=text: tx.run(text).single(strict=True)) for text in queries.CENSUS)  # type: ignore[misc]
        return tuple((int(row["nodes"]), int(row["revisions"])) for row in rows)

    def write(self, lines: Iterable[bytes], seen: Callable[[Line], None] = lambda _: None) -> dict[str, int]:
        """Write a copy's lines into this graph; return how many nodes and relationships were made.

        Args:
            lines: consumed once.
            seen: told of each line, decoded, before it is written.

        Raises:
            Conflict: code `graph.holds-something`: the graph is not empty; nothing was written.
            Tampered: the lines are no copy.
            Unavailable: it broke off on the way; the graph has to be emptied before another try.
        """
        if self.graph.read(lambda tx: tx.run(queries.ANYTHING).single()) is not None:
            raise Conflict("graph.holds-something", "the graph is not empty: a copy is only written into an empty one")
        counts = {"nodes": 0, "ties": 0}
        for place, batch in _batches(_decoded(lines, seen)):
            what, text = place
            made = self.graph.write(lambda tx, text=text, batch=batch: _create(tx, text, batch))  # type: ignore[misc]
            if made != len(batch):
                raise Tampered("backup.ends", "a relationship of the copy has an end that the copy does not hold")
            counts[what] += made
        return counts

    def _pages(self, text: str) -> Iterator[Record]:
        after = ""
        while True:
            page = self.graph.read(lambda tx, after=after: list(tx.run(text, after=after, page=PAGE)))  # type: ignore[misc]
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1]["key"]


def _create(tx: ManagedTransaction, text: str, batch: list[Line]) -> int:
    return int(tx.run(text, rows=Rows(batch)).single(strict=True)["done"])


_NODES: Final = {nodes.label.value: text for nodes, text in zip(queries.COPIED, queries.CREATE_NODES, strict=True)}
_TIES: Final = {
    (type_, ties.source.value, target.value): text
    for (ties, target), text in zip(queries.BETWEEN, queries.CREATE_TIES, strict=True)
    for type_ in ties.types
}


def _batches(lines: Iterable[Line]) -> Iterator[tuple[tuple[str, str], list[Line]]]:
    """Yield neighbouring lines that one text writes, PAGE at most, as that text's rows."""
    for place, group in groupby(lines, key=_place):
        batch: list[Line] = []
        for line in group:
            batch.append(_row(line))
            if len(batch) == PAGE:
                yield place, batch
                batch = []
        if batch:
            yield place, batch


def _place(line: Line) -> tuple[str, str]:
    try:
        if "node" in line:
            return "nodes", _NODES[line["node"]]
        return "ties", _TIES[line["tie"], line["from"][0], line["to"][0]]
    except (KeyError, IndexError, TypeError):
        raise _no_copy() from None


def _row(line: Line) -> Line:
    try:
        properties = {name: _in(value) for name, value in line["properties"].items()}
        if "node" in line:
            return {"labels": line["labels"], "properties": properties}
        return {
            "type": line["tie"],
            "source": line["from"][1],
            "target": line["to"][1],
            "properties": properties,
        }
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        raise _no_copy() from None


def _order(tie: Line) -> tuple[str, str, str]:
    return str(tie["type"]), str(tie["target"]), str(tie["properties"].get("id", ""))


def _out(properties: Line) -> Line:
    return {name: _value(value) for name, value in properties.items()}


def _value(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return {"bytes": base64.b64encode(value).decode("ascii")}
    if hasattr(value, "to_native"):
        return {"date": value.to_native().isoformat()}
    return value


def _in(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {"bytes"}:
        return base64.b64decode(value["bytes"], validate=True)
    if set(value) == {"date"}:
        return date.fromisoformat(value["date"])
    raise _no_copy()


def _encode(line: Line) -> bytes:
    return json.dumps(line, sort_keys=True, separators=(",", ":")).encode("ascii")


def _decoded(lines: Iterable[bytes], seen: Callable[[Line], None]) -> Iterator[Line]:
    for line in lines:
        try:
            read = json.loads(line)
        except ValueError:
            raise _no_copy() from None
        if not isinstance(read, dict) or not isinstance(read.get("properties"), dict):
            raise _no_copy()
        seen(read)
        yield read


def _no_copy() -> Tampered:
    return Tampered("backup.line", "a line of the copy is not one that this register writes")

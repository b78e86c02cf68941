"""A register as it lies there: read with plain Cypher, plain SQL and from plain files, for the checker."""

import base64
import hashlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import neo4j

RECORDS: Final = ("Subject", "Signal", "Identifier")
KINDS_OF_SUBJECT: Final = frozenset({"Person", "Organisation"})
_MONTH: Final = re.compile(r"\d{4}-\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """One relationship, with the ids (or codes) of its ends."""

    type: str
    source: str
    target: str
    properties: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.properties.get("id", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All of a register that nobody has open.

    Attributes:
        nodes: properties by label and id, of records only; others: those of every other label but audit entries.
        keys: (kind, id); tombstones: SHA-256 of ids, hexadecimal; deliveries: receipt to (done, signal).
        files: SHA-256 of each archived file by its id; waiting: files of an unfinished removal.
        certificates: what each states; raw: every byte of the key store's files.
    """

    nodes: Mapping[tuple[str, str], Mapping[str, Any]]
    others: Mapping[str, tuple[Mapping[str, Any], ...]]
    ties: tuple[Tie, ...]
    keys: frozenset[tuple[str, str]]
    tokens: Counter[str]
    tombstones: frozenset[str]
    deliveries: Mapping[str, tuple[bool, str | None]]
    files: Mapping[str, str]
    waiting: tuple[str, ...]
    certificates: Mapping[str, Mapping[str, Any]]
    raw: Mapping[str, bytes] = field(repr=False)

    def ids(self, label: str) -> set[str]:
        return {id_ for of, id_ in self.nodes if of == label}

    @property
    def mentions(self) -> list[Tie]:
        return [tie for tie in self.ties if tie.type == "MENTIONS"]

    @property
    def everything(self) -> set[str]:
        """Ids of records, mentions and links."""
        return {id_ for _, id_ in self.nodes} | {tie.id for tie in self.ties if tie.id}

    def stubs(self) -> dict[str, Mapping[str, Any]]:
        return {one["id"]: one for one in self.others.get("Archived", ())}


def read(driver: neo4j.Driver, home: Path, keys: Path) -> State:
    """Read a register: the graph by `driver`, its folder `home`, and the folder of its keys."""
    nodes: dict[tuple[str, str], Mapping[str, Any]] = {}
    others: dict[str, list[Mapping[str, Any]]] = {}
    with driver.session() as session:
        for row in session.run(
            "MATCH (n) WHERE NOT n:Entry AND NOT n:Port RETURN labels(n) AS labels, properties(n) AS properties"
        ):
            (label,) = set(row["labels"]) - KINDS_OF_SUBJECT
            if label in RECORDS:
                nodes[label, row["properties"]["id"]] = row["properties"]
            else:
                others.setdefault(label, []).append(row["properties"])
        ties = tuple(
            Tie(**row)
            for row in session.run(
                "MATCH (a)-[r]->(b) RETURN type(r) AS type, coalesce(a.id, a.code) AS source,"
                " coalesce(b.id, b.code) AS target, properties(r) AS properties"
            )
        )
    store = keys / "store" / "keys.sqlite"
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        rows = {
            name: database.execute(text).fetchall()
            for name, text in (
                ("keys", "SELECT kind, id FROM keys WHERE kind IN ('subject', 'signal')"),
                ("tokens", "SELECT identifier FROM tokens"),
                ("tombstones", "SELECT id_sha256 FROM tombstones"),
                ("deliveries", "SELECT receipt, done, signal FROM deliveries"),
            )
        }
    return State(
        nodes=nodes,
        others={label: tuple(some) for label, some in others.items()},
        ties=ties,
        keys=frozenset((kind, id_) for kind, id_ in rows["keys"]),
        tokens=Counter(one for (one,) in rows["tokens"]),
        tombstones=frozenset(one.hex() for (one,) in rows["tombstones"]),
        deliveries={receipt: (bool(done), signal) for receipt, done, signal in rows["deliveries"]},
        files={
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for month in (home / "archive").iterdir()
            if _MONTH.fullmatch(month.name)
            for path in month.iterdir()
        },
        waiting=tuple(str(path) for path in (home / "archive" / "pending").glob("*")),
        certificates={path.parent.name: _stated(path) for path in home.glob("certificates/*/certificate.json")},
        raw={
            path.name: path.read_bytes() for path in keys.rglob("*") if path.is_file() and path.suffix != ".sqlite-shm"
        },
    )


def _stated(path: Path) -> Mapping[str, Any]:
    payload: dict[str, Any] = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))
    predicate: dict[str, Any] = payload["predicate"]
    return predicate

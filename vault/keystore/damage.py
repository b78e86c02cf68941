"""What of a key store is hit by damage: exactly which rows, by id. Reads only; mends, sweeps and makes nothing.

A table is read by its key from both ends up to where it cannot be read; then each key is asked for one by one, by the
ids that this and the other tables name. So a torn page costs the rows on it, and nobody else's are called lost.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, select, tuple_

from register.errors import RegisterError, Tampered
from register.ids import is_id
from vault.anchors import Anchor
from vault.anchors.moving import holding
from vault.formats import AESGCM, Cipher, RootKey
from vault.keystore import schema
from vault.keystore.database import Database
from vault.keystore.rows import (
    DELIVERY,
    DELIVERY_KEY,
    FACTS_KEY,
    LOOKUP_KEY,
    TOKEN,
    UNOPENED,
    KeyKind,
    split_payload,
    unwrap_root,
)
from vault.keystore.statements import ONE_KEY, RENEWED

PAGE: Final = 1000
OWN: Final = (FACTS_KEY, LOOKUP_KEY, DELIVERY_KEY)

Keys = Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Rows of one table that are lost, and why.

    Attributes:
        table: its name; `kind`: of keys only, what they are for.
        code: `unreadable` (the database cannot read them), `does-not-open`, or `absent`.
        ids: of subjects, signals, identifiers, receipts; sorted.
    """

    table: str
    kind: str
    code: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found.

    Attributes:
        register: id of the register, "" where the store does not say.
        generation: 0 where it does not say.
        closed: code of what keeps everything from opening; None: what is not hit opens.
        rows: readable rows by table.
        hits: what is lost.
    """

    register: str
    generation: int
    closed: str | None
    rows: Mapping[str, int]
    hits: tuple[Hit, ...]

    def lost(self, *kinds: str) -> int:
        """Return how many subjects or signals, say, have a key that is lost."""
        return len({one for hit in self.hits if hit.table == "keys" and hit.kind in kinds for one in hit.ids})


def examine(database: Database, anchor: Anchor, *, cipher: Cipher = AESGCM) -> Examined:
    """Examine the key store in `database`. Raises Unavailable: it cannot be reached just now."""
    head, closed, root = _opened(database, anchor, cipher)
    keys, keys_torn = _read(database, schema.keys, ("id", "kind", "version"))
    tokens, tokens_torn = _read(database, schema.tokens, ("identifier",))
    deliveries, deliveries_torn = _read(database, schema.deliveries, ("receipt",))
    revisions, revisions_torn = _read(database, schema.revisions, ("id",))
    revisions_torn = revisions_torn or not all(is_id(row.id) for row in revisions)
    hits: list[Hit] = []
    if root is not None:
        hits += _unopened("keys", [(row.kind, row.id, row.version, row.wrapped, row.id) for row in keys], root)
        hits += _unopened("tokens", [(TOKEN, row.identifier, 0, row.wrapped, row.identifier) for row in tokens], root)
        sent = [(DELIVERY, row.receipt, 0, row.wrapped, row.receipt) for row in deliveries]
        hits += _unopened("deliveries", sent, root)
    subjects = frozenset[str]() if root is None else _minted(deliveries, root)
    if keys_torn:  # what is remembered may be a hold or a stub too, which have no key: asked for, not missed
        subjects |= {row.id for row in revisions}
    hits += _unkeyed(database, keys, deliveries, subjects, keys_torn)
    torn = {"tokens": tokens_torn, "deliveries": deliveries_torn, "revisions": revisions_torn}
    hits += [Hit(table=table, kind="", code="unreadable", ids=()) for table, broken in torn.items() if broken]
    if keys_torn and not any(hit.code == "unreadable" for hit in hits):
        hits.append(Hit(table="keys", kind="", code="unreadable", ids=()))
    if not hits and not database.sound():
        hits.append(Hit(table="database", kind="", code="unreadable", ids=()))
    if closed is None and any(hit.kind == KeyKind.REGISTER for hit in hits):
        closed = "keystore.damaged"
    counted = {"keys": keys, "tokens": tokens, "deliveries": deliveries, "revisions": revisions}
    return Examined(
        register="" if head is None else head.register,
        generation=0 if head is None else head.generation,
        closed=closed,
        rows={name: len(rows) for name, rows in counted.items()},
        hits=tuple(sorted(hits, key=lambda hit: (hit.table, hit.kind, hit.code))),
    )


def _opened(database: Database, anchor: Anchor, cipher: Cipher) -> tuple[Row[Any] | None, str | None, RootKey | None]:
    """Return the register's row, what keeps everything closed, and the root key."""
    try:
        with database.reading() as connection:
            head = connection.execute(select(schema.register)).one_or_none()
    except Tampered as cause:
        return None, cause.code, None
    if head is None:
        return None, "keystore.damaged", None
    if head.anchor_kind != holding(anchor, head.anchor_version).kind:
        return head, "anchor.other", None
    try:
        raw = unwrap_root(anchor, head.anchor_version, head.root, head.register, head.generation)
        root = RootKey(raw, head.register, head.generation, cipher=cipher)
        root.unwrap(KeyKind.REGISTER, "profile", 0, head.profile)
    except RegisterError as cause:
        return head, "keystore.damaged" if cause.code == "tampered" else cause.code, None
    return head, None, root


def _read(database: Database, table: Any, key: tuple[str, ...]) -> tuple[list[Row[Any]], bool]:
    """Return the rows that can be read from either end, and whether there are some that cannot."""
    rows, torn = _from_one_end(database, table, key, down=False)
    if torn:
        last, _ = _from_one_end(database, table, key, down=True)
        seen = {tuple(getattr(row, name) for name in key) for row in rows}
        rows += (row for row in reversed(last) if tuple(getattr(row, name) for name in key) not in seen)
    whole = [row for row in rows if _fits(table, row)]
    return whole, torn or len(whole) < len(rows)


def _fits(table: Any, row: Row[Any]) -> bool:
    """Whether each value has its column's type: one bit can make text of SQLite's a blob."""
    return all(
        isinstance(value, column.type.python_type) or (value is None and column.nullable)
        for column, value in zip(table.c, row, strict=True)
    )


def _from_one_end(database: Database, table: Any, key: tuple[str, ...], *, down: bool) -> tuple[list[Row[Any]], bool]:
    columns = [table.c[name] for name in key]
    order = [column.desc() for column in columns] if down else columns
    rows: list[Row[Any]] = []
    seen: set[tuple[Any, ...]] = set()
    size = PAGE
    while True:
        query = select(table).order_by(*order).limit(size)
        if rows:
            edge = tuple(getattr(rows[-1], name) for name in key)
            query = query.where(tuple_(*columns) < edge if down else tuple_(*columns) > edge)
        try:
            with database.reading() as connection:
                page = connection.execute(query).all()
        except Tampered:
            if size == 1:
                return rows, True
            size = max(size // 10, 1)
            continue
        # Damaged pages may lead back to where one was: what is read twice ends it, or it would never end.
        fresh = {one: row for row in page if (one := tuple(getattr(row, name) for name in key)) not in seen}
        rows.extend(fresh.values())
        seen.update(fresh)
        if len(fresh) < len(page):
            return rows, True
        if len(page) < size:
            return rows, False


def _unopened(table: str, rows: Keys, root: RootKey) -> Iterator[Hit]:
    lost: dict[str, set[str]] = {}
    for kind, name, version, wrapped, shown in rows:
        try:
            root.unwrap(kind, name, version, wrapped)
        except UNOPENED:
            lost.setdefault(kind if table == "keys" else "", set()).add(shown)
    for kind, ids in lost.items():
        yield Hit(table=table, kind=kind, code="does-not-open", ids=tuple(sorted(ids)))


def _unkeyed(
    database: Database,
    keys: Sequence[Row[Any]],
    deliveries: Sequence[Row[Any]],
    subjects: Collection[str],
    torn: bool,
) -> Iterator[Hit]:
    """Find what should have a key and has none that can be read.

    Every delivery names its signal, and the subjects new with it; a purge takes out those that are gone.
    """
    held = {(row.kind, row.id) for row in keys}
    signals = {row.signal for row in deliveries if row.signal is not None}
    signals |= {row.id for row in keys if row.kind in (KeyKind.SIGNAL, KeyKind.SOURCE)}
    wanted = {(KeyKind.REGISTER.value, one) for one in OWN}
    wanted |= {(KeyKind.SIGNAL.value, one) for one in signals}
    named = {row.id for row in keys}
    wanted |= {(KeyKind.SUBJECT.value, one) for one in subjects if one not in signals and one not in named}
    missing: dict[tuple[str, str], set[str]] = {}
    # Of a torn table each key is asked for as a reader would: a row that a scan came upon may be out of its reach.
    for kind, one in sorted(wanted | held if torn else wanted - held):
        code = _asked(database, one, kind) if torn else "absent"
        if code is not None:
            missing.setdefault((kind, code), set()).add(one)
    for one in sorted(signals) if torn else ():  # not every signal has a source, so none is called absent
        if (KeyKind.SOURCE.value, one) not in held and _asked(database, one, KeyKind.SOURCE) == "unreadable":
            missing.setdefault((KeyKind.SOURCE.value, "unreadable"), set()).add(one)
    for (kind, code), ids in missing.items():
        yield Hit(table="keys", kind=kind, code=code, ids=tuple(sorted(ids)))


def _minted(deliveries: Sequence[Row[Any]], root: RootKey) -> frozenset[str]:
    """Return the subjects that were new with a delivery and are not purged, as far as deliveries open."""
    found: set[str] = set()
    for row in deliveries:
        if row.signal is not None:
            with suppress(Tampered, ValueError):
                _, rest = split_payload(root.unwrap(DELIVERY, row.receipt, 0, row.wrapped))
                found.update(json.loads(rest)["subjects"].values())
    return frozenset(found)


def _asked(database: Database, one: str, kind: str) -> str | None:
    """Return why this key cannot be had, or None when it can."""
    try:
        with database.reading() as connection:
            versions = ({"id": one, "kind": kind, "version": version} for version in range(1, RENEWED + 1))
            return None if any(connection.execute(ONE_KEY, key).one_or_none() for key in versions) else "absent"
    except Tampered:
        return "unreadable"

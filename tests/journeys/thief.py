"""Somebody with an old copy of the keys' folder, but for its anchor, and with everything that is present.

Whatever opens with any of it is loot: rows of the old store by every root key that a live anchor version opens, values
by every key of every row, and tokens by every lookup key.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from register.errors import RegisterError, Tampered
from register.ids import RegisterId
from register.interfaces import DeliveryKey
from register.sealed import SealedMention, SealedSignal
from register.subjects import NewIdentifier
from vault.anchors.file import FileAnchor
from vault.formats import RootKey, Tokens, ValueKey, value_context, value_tail
from vault.keystore.rows import DELIVERY_KEY, LOOKUP_KEY, KeyKind, root_aad
from vault.lookup import strong_value
from vault.sealing import MENTION_CONTENT


class Value(NamedTuple):
    """A sealed value: the id of its signal or mention, its name and content revision there, its bytes."""

    record: str
    field: str
    content: int
    blob: bytes


def values(record: SealedSignal | SealedMention) -> frozenset[Value]:
    """Return the sealed values of a signal, without its mentions', or of a mention."""
    content = record.facts.content if isinstance(record, SealedSignal) else MENTION_CONTENT
    return frozenset(Value(record.facts.id, name, content, one.blob) for name, one in record.sealed.items())


@dataclass(frozen=True, kw_only=True)
class Loot:
    """What opened.

    Attributes:
        rows: ids of the rows of the old store that opened.
        keys: every value key, of the old store and of the present one.
        lookups, deliveries: keys that tokens are made with, from both.
        digests: of all tokens of the old store, of identifiers and deliveries.
    """

    register: RegisterId
    rows: frozenset[str]
    keys: tuple[ValueKey, ...]
    lookups: frozenset[bytes]
    deliveries: frozenset[bytes]
    digests: frozenset[bytes]

    def opened(self, sealed: Iterable[Value]) -> frozenset[Value]:
        """Try every key on every value; return those that open."""
        return frozenset(one for one in sealed if any(self._opens(key, one) for key in self.keys))

    def _opens(self, key: ValueKey, value: Value) -> bool:
        try:
            key.open(value_context(self.register, value.record), value_tail(value.field, value.content), value.blob)
        except Tampered:
            return False
        return True

    def recognised(self, identifiers: Iterable[NewIdentifier]) -> frozenset[NewIdentifier]:
        """Return those of `identifiers` that can be shown to have been in the old store."""
        return frozenset(
            one for one in identifiers if any(made.token(strong_value(one)) in self.digests for made in self._tokens())
        )

    def recognised_deliveries(self, keys: Iterable[DeliveryKey]) -> frozenset[DeliveryKey]:
        """Return those of `keys` that can be shown to have been handed in."""
        return frozenset(
            one
            for one in keys
            for made in self._tokens()
            if made.token(made.delivery_value(one.contributor, one.reference)) in self.digests
        )

    def _tokens(self) -> Iterator[Tokens]:
        for lookup in self.lookups:
            for deliveries in self.deliveries:
                yield Tokens(lookup, deliveries, self.register)


def loot(old: Path, present: Path, register: RegisterId) -> Loot:
    """Take what there is from an old copy of the keys' folder with the present keys' folder and its anchor."""
    anchor = FileAnchor(present / "anchor")
    versions = [int(path.stem) for path in (present / "anchor").glob("*.key")]
    heads = {*_rows(old, _HEAD), *_rows(present, _HEAD), *_rows(present, "SELECT generation, root FROM former_roots")}
    roots = set()
    for generation, wrapped in heads:
        for version in versions:
            with suppress(RegisterError):
                roots.add(anchor.unwrap(version, wrapped, root_aad(register, generation)))
    generations = {generation for generation, _ in heads}
    from_old = _unwrapped(_rows(old, _KEYS), roots, generations, register)
    both = [*from_old, *_unwrapped(_rows(present, _KEYS), roots, generations, register)]
    return Loot(
        register=register,
        rows=frozenset(name for name, _, _, _ in from_old),
        keys=tuple(ValueKey(raw, version) for _, kind, version, raw in both if kind != KeyKind.REGISTER),
        lookups=frozenset(raw for name, _, _, raw in both if name == LOOKUP_KEY),
        deliveries=frozenset(raw for name, _, _, raw in both if name == DELIVERY_KEY),
        digests=frozenset(digest for (digest,) in _rows(old, _DIGESTS)),
    )


def wrongly_purged(folder: Path, register: RegisterId, ids: Iterable[str], identifiers: Iterable[str]) -> None:
    """The wrong purge of a keys' folder: rows dropped, anchor replaced, and the same root key under it."""
    anchor = FileAnchor(folder / "anchor")
    version = anchor.advance()
    gone, tokens = [(one,) for one in ids], [(one,) for one in identifiers]
    with closing(sqlite3.connect(_path(folder))) as connection, connection:
        before, wrapped = connection.execute("SELECT anchor_version, root FROM register").fetchone()
        raw = anchor.unwrap(before, wrapped, root_aad(register, 1))
        again = anchor.wrap(version, raw, root_aad(register, 1))
        connection.execute("UPDATE register SET root = ?, anchor_version = ?", (again, version))
        connection.executemany("DELETE FROM keys WHERE id = ?", gone)
        connection.executemany("DELETE FROM deliveries WHERE signal = ?", gone)
        connection.executemany("DELETE FROM revisions WHERE id = ?", gone)
        connection.executemany("DELETE FROM tokens WHERE identifier = ?", tokens)
    anchor.destroy_below(version)


_HEAD = "SELECT generation, root FROM register"
_KEYS = "SELECT id, kind, version, wrapped FROM keys"
_DIGESTS = "SELECT digest FROM tokens UNION ALL SELECT digest FROM deliveries"


def _unwrapped(
    rows: list[tuple[Any, ...]], roots: Iterable[bytes], generations: Iterable[int], register: RegisterId
) -> list[tuple[str, str, int, bytes]]:
    found = []
    for raw in roots:
        for generation in generations:
            root = RootKey(raw, register, generation)
            for name, kind, version, wrapped in rows:
                with suppress(Tampered):
                    found.append((name, kind, version, root.unwrap(kind, name, version, wrapped)))
    return found


def _rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{_path(folder)}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def _path(folder: Path) -> Path:
    return folder / "store" / "keys.sqlite"

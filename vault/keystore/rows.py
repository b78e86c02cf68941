"""What the key store's rows hold, in clear, and how it becomes bytes before it is wrapped."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from register.errors import Conflict, Tampered, Unavailable
from register.ids import ReceiptId, SignalId, SubjectId
from register.sealed import Sealed
from vault.anchors import Anchor
from vault.formats import Secret, ValueKey, pad, prefixed, unpad

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


class KeyKind(StrEnum):
    """What a key of the store is for."""

    SUBJECT = "subject"
    SIGNAL = "signal"
    SOURCE = "source"
    DOSSIER = "dossier"
    REGISTER = "register"
    BACKUP = "backup"
    SEARCHES = "searches"


ROOT_LABEL: Final = b"theme-register/root-key/1"
FACTS_KEY: Final = "facts-mac"
LOOKUP_KEY: Final = "lookup"
DELIVERY_KEY: Final = "deliveries"
TOKEN: Final = "token"  # noqa: S105 - a kind of row
DELIVERY: Final = "delivery"

UNOPENED: Final = (Tampered, AttributeError, IndexError, OverflowError, TypeError, ValueError)
"""What opening a damaged row raises: also where its id or number is none, or of another kind than its column."""

Rings = Mapping[tuple[str, str], Sequence[ValueKey]]
"""Keys by (kind, id), the oldest version first."""


def matching(rings: Rings, kind: KeyKind, name: str, value: Sealed) -> ValueKey:
    """Return the key, of one record, that the value's header names. Raises Tampered: there is none."""
    for key in rings.get((kind, name), ()):
        if value.blob.startswith(key.header):
            return key
    raise Tampered


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NewToken:
    """An identifier's value with its id; `replaces` is the id the token pointed at when it was looked up."""

    value: bytes
    identifier: str
    replaces: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StoredDelivery:
    """A delivery. Of a purged signal's only `receipt` is left: `signal` is None, everything else empty.

    Attributes:
        content: SHA-256 of the canonical content; empty once the signal was redacted.
        subjects: id of the subject at each place of the signal that was new then.
    """

    done: bool
    receipt: ReceiptId
    signal: SignalId | None
    contributor: str = ""
    content: bytes = b""
    subjects: Mapping[int, SubjectId] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NewRows:
    """What one intake transaction writes: (id, kind, key), tokens, deliveries by value."""

    keys: Sequence[tuple[str, KeyKind, Secret]]
    tokens: Sequence[NewToken]
    deliveries: Sequence[tuple[bytes, StoredDelivery]]


def delivery_payload(value: bytes, delivery: StoredDelivery) -> bytes:
    """Return what is kept wrapped of a delivery: what its token is made from, and its content as JSON."""
    content = {
        "contributor": delivery.contributor,
        "content": delivery.content.hex(),
        "subjects": {str(place): one for place, one in delivery.subjects.items()},
    }
    return pad(prefixed(value) + _encode(content).encode())


def purged_payload(payload: bytes, gone: frozenset[str], *, whole: bool, redacted: bool = False) -> bytes:
    """Return what a purge of the subjects `gone` leaves of a payload.

    Args:
        payload: of a delivery.
        gone: ids.
        whole: the signal itself is purged.
        redacted: it lost a subject: the digest of its content, against which a guess at that subject could be
            compared, goes.

    Raises:
        Tampered: it is no payload.
    """
    value, rest = split_payload(payload)
    if whole:
        return pad(prefixed(value))
    content = json.loads(rest)
    left = {place: one for place, one in content["subjects"].items() if one not in gone}
    if left == content["subjects"] and not redacted:
        return payload
    return pad(prefixed(value) + _encode({**content, "content": "", "subjects": left}).encode())


def split_payload(payload: bytes) -> tuple[bytes, bytes]:
    """Return value and content of what `delivery_payload` made. Raises Tampered."""
    data = unpad(payload)
    end = 2 + int.from_bytes(data[:2], "big")
    return data[2:end], data[end:]


def tombstone(purged: str) -> bytes:
    """Return what is kept of a purged id, so that it is never used again."""
    return hashlib.sha256(purged.encode()).digest()


def raced() -> Conflict:
    """Return the error of an intake that was overtaken."""
    return Conflict("token.raced", "another intake or a purge came first; look up again")


def moved() -> Unavailable:
    """Return the error of a process whose root key was replaced."""
    return Unavailable("generation.moved", "the keys were replaced; this process has to be started anew")


def unwrap_root(anchor: Anchor, version: int, wrapped: bytes, register: str, generation: int) -> bytes:
    """Return a root key. Raises Unavailable (its anchor version is not there), Tampered."""
    try:
        return anchor.unwrap(version, wrapped, root_aad(register, generation))
    except Tampered as cause:
        if cause.code != "tampered":
            raise
        raise Tampered("root.damaged", f"the root key does not open under anchor version {version}") from None


def root_aad(register: str, generation: int) -> bytes:
    """Return what a root key is bound to under its anchor."""
    return prefixed(ROOT_LABEL, register.encode(), generation.to_bytes(4, "big"))

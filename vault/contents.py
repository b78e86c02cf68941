"""What is inside a sealed field, as bytes: JSON in UTF-8 (texts and labels as `register.narrative` writes them).

Which fields a signal has is said inside its `reference`, so that a field taken away is found out.
"""

import json
from collections.abc import Iterable
from json.encoder import encode_basestring as _quoted
from typing import Any

from register.errors import Tampered
from register.narrative import RedactedText, decode_text, encode_text
from register.subjects import IdentifierKind, NewIdentifier

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _array(parts: Iterable[str]) -> str:
    return f"[{','.join(parts)}]"


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def names_bytes(names: tuple[str, ...], born_on: str | None) -> bytes:
    """Return the field `names`: `[[name, ...], born_on]`."""
    return _utf8(_array((_array(map(_quoted, names)), "null" if born_on is None else _quoted(born_on))))


def names_from(data: bytes) -> tuple[tuple[str, ...], str | None]:
    """Return names and date of birth. Raises Tampered."""
    match _loads(data):
        case [[*names], None | str() as born_on] if all(isinstance(name, str) for name in names):
            return tuple(names), born_on
    raise Tampered


def details_bytes(position: RedactedText | None, identifiers: Iterable[NewIdentifier]) -> bytes:
    """Return the field `details`: `[position, [[kind, value], ...]]`; position is a redacted text or null."""
    text = b"null" if position is None else encode_text(position)
    rows = _array([_array((_quoted(one.kind), _quoted(one.value))) for one in identifiers])
    return b"".join((b"[", text, b",", _utf8(rows), b"]"))


def details_from(data: bytes) -> tuple[RedactedText | None, tuple[NewIdentifier, ...]]:
    """Return position and identifiers. Raises Tampered."""
    match _loads(data):
        case [None | [*_] as position, [*rows]]:
            try:
                identifiers = tuple(NewIdentifier(kind=IdentifierKind(kind), value=value) for kind, value in rows)
            except (ValueError, TypeError):
                raise Tampered from None
            return None if position is None else decode_text(_utf8(_encode(position))), identifiers
    raise Tampered


def reference_bytes(reference: str, present: Iterable[str]) -> bytes:
    """Return the field `reference`: `[reference, [name of every other field, ...]]`."""
    return _utf8(_array((_quoted(reference), _array(map(_quoted, sorted(present))))))


def reference_from(data: bytes) -> tuple[str, frozenset[str]]:
    """Return the reference and the names of the other fields. Raises Tampered."""
    match _loads(data):
        case [str() as reference, [*present]] if all(isinstance(name, str) for name in present):
            return reference, frozenset(present)
    raise Tampered


def _loads(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        raise Tampered from None

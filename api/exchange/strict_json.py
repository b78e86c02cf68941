"""JSON as RFC 8259 means it, and nothing that two readers might take in two ways.

Refused: other encodings than UTF-8, a byte order mark, a field named twice, NaN and Infinity, numbers that not every
reader carries whole, U+0000, halves of surrogate pairs, deep nesting, too many bytes. Strings come out in Unicode
normalisation form C.
"""

import json
import math
import unicodedata
from collections.abc import Collection, Iterator
from typing import Any, Final

from register.errors import Fault, Invalid
from register.rules import fault
from register.texts import BROKEN

MEBIBYTE: Final = 1 << 20
DEEPEST: Final = 32
_MOST_DIGITS: Final = 20
_BOM: Final = b"\xef\xbb\xbf"


def read(data: bytes, *, limit: int = MEBIBYTE, fields: Collection[str] = ()) -> Any:
    """Return what `data` says: dict, list, str, int, float, bool or None.

    Args:
        data: one JSON text in UTF-8; white space around it is allowed.
        limit: most bytes accepted.
        fields: names of fields that may be shown in pointers; at any other, which might be a person's name, a pointer
            ends.

    Raises:
        Invalid: it is refused, with every fault if the text can be read at all; rules `json.*` and `text.characters`.
    """
    text = _decoded(data, limit)
    marks = _Marks()
    value = _parsed(text, marks)
    escapes = "\\u" in text
    if marks.any or escapes or text.count("[") + text.count("{") > DEEPEST:
        faults = dict.fromkeys(_faults(value, "", 1, fields))
        if faults:
            raise Invalid(faults)
    return _composed(value) if escapes or not text.isascii() else value


# Errors are raised outside the handlers: those of the codec and the parser hold the text, and would hang on as context.


def _decoded(data: bytes, limit: int) -> str:
    if len(data) > limit:
        raise Invalid([fault("", "json.size", limit=limit)])
    if data.startswith(_BOM):
        raise Invalid([fault("", "json.bom")])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        refused = fault("", "json.encoding")
    raise Invalid([refused])


def _parsed(text: str, marks: "_Marks") -> Any:
    try:
        return marks.decoder().decode(text)
    except json.JSONDecodeError as error:
        refused = fault("", "json.syntax", at=error.colno, line=error.lineno)
    except RecursionError:
        refused = fault("", "json.depth", limit=DEEPEST)
    raise Invalid([refused])


class _Doubled(dict[str, Any]):
    """Marks an object that names a field twice."""


class _Number:
    """Marks a number that is refused."""


class _Marks:
    """Puts marks for what is refused into the value while it is parsed; `any` says whether there are some."""

    __slots__ = ("any",)

    def __init__(self) -> None:
        self.any = False

    def decoder(self) -> json.JSONDecoder:
        return json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._integer,
            parse_float=self._float,
            parse_constant=self._refuse,
        )

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) == len(pairs):
            return members
        self.any = True
        return _Doubled(members)

    def _integer(self, digits: str) -> int | _Number:
        return int(digits) if len(digits.lstrip("-")) <= _MOST_DIGITS else self._refuse(digits)

    def _float(self, digits: str) -> float | _Number:
        number = float(digits)
        return number if math.isfinite(number) else self._refuse(digits)

    def _refuse(self, _: str) -> _Number:
        self.any = True
        return _Number()


def _faults(value: Any, pointer: str, depth: int, fields: Collection[str] | None) -> Iterator[Fault]:
    """Yield what is refused in `value`; without `fields` the pointer has ended above and stays as it is."""
    match value:
        case str():
            if BROKEN.search(value):
                yield fault(pointer, "text.characters")
        case _Number():
            yield fault(pointer, "json.number", limit=_MOST_DIGITS)
        case dict() | list() if depth > DEEPEST:
            yield fault(pointer, "json.depth", limit=DEEPEST)
        case list():
            for at, item in enumerate(value):
                yield from _faults(item, pointer if fields is None else f"{pointer}/{at}", depth + 1, fields)
        case dict():
            if isinstance(value, _Doubled):
                yield fault(pointer, "json.duplicate-key")
            if any(map(BROKEN.search, value)):
                yield fault(pointer, "text.characters")
            for name, member in value.items():
                shown = fields is not None and name in fields
                below = f"{pointer}/{name}" if shown else pointer
                yield from _faults(member, below, depth + 1, fields if shown else None)


def _composed(value: Any) -> Any:
    match value:
        case str():
            return value if value.isascii() else unicodedata.normalize("NFC", value)
        case list():
            return [_composed(item) for item in value]
        case dict():
            return {name: _composed(member) for name, member in value.items()}
    return value

"""Strict reading of JSON: whatever two readers could understand differently is refused."""

import json
from typing import Any, Final, NoReturn

from evidence.note import invalid

MAX_DEPTH: Final = 20
_MAX_DIGITS: Final = 16


def parse_json(data: bytes, *, limit: int) -> Any:
    """Return the value in `data`: dicts, lists, strings, integers, booleans and None.

    Args:
        data: UTF-8 JSON of at most `limit` bytes.
        limit: in bytes.

    Raises:
        Invalid: `json.size`, `json.depth` (more than 20), `json.duplicate-key`, `json.number` (a fraction, an exponent,
            NaN, more than 16 digits), or `json.syntax`.
    """
    if len(data) > limit:
        raise invalid("json.size", f"at most {limit} bytes are read")
    try:
        text = data.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_refused, parse_constant=_refused
        )
    except RecursionError:
        raise invalid("json.depth", f"nested deeper than {MAX_DEPTH}") from None
    except ValueError:
        raise invalid("json.syntax", "this is not JSON in UTF-8") from None
    _check(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise invalid("json.duplicate-key", "an object has the same key twice")
    return found


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > _MAX_DIGITS or text == "-0":
        _refused(text)
    return int(text)


def _refused(_: str) -> NoReturn:
    raise invalid("json.number", "only integers of at most 16 digits are read")


def _check(value: Any) -> None:
    """Refuse deep nesting, and strings that no UTF-8 can hold (lone surrogates)."""
    level, depth = [value], 0
    while level:
        depth += 1
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.keys()
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, str) and not item.isascii() and any("\ud800" <= c <= "\udfff" for c in item):
                raise invalid("json.syntax", "a string is not Unicode text")
        if depth > MAX_DEPTH + 1:
            raise invalid("json.depth", f"nested deeper than {MAX_DEPTH}")
        level = below


def canonical_json(value: Any) -> bytes:
    """Return the one spelling in which this register writes JSON: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")

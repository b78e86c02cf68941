"""A small structural checker: closed objects, bounded lists, strings by pattern. Every fault gets its JSON pointer.

It says what docs/formats/certificate-v1.schema.json says, without a JSON Schema library, so that a verifier stays small
enough to be read whole; a test compares the two on many mutated certificates.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from register.errors import Fault

Shape: TypeAlias = Callable[[Any, str], Iterator[Fault]]
"""Takes a value and its JSON pointer; yields what is wrong."""

MAX_COUNT: Final = 2**53 - 1


def _fault(pointer: str, rule: str, message: str) -> Iterator[Fault]:
    yield Fault(pointer=pointer, rule=rule, message=message)


def closed(fields: Mapping[str, Shape]) -> Shape:
    """An object with exactly these keys."""

    def check(value: Any, pointer: str) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield from _fault(pointer, "shape.object", "an object is expected")
            return
        if missing := sorted(fields.keys() - value.keys()):
            yield from _fault(pointer, "shape.key-missing", f"missing: {', '.join(missing)}")
        if value.keys() - fields.keys():
            yield from _fault(pointer, "shape.key-unknown", f"only these keys are known: {', '.join(fields)}")
        for key, shape in fields.items():
            if key in value:
                yield from shape(value[key], f"{pointer}/{key}")

    return check


def listed(item: Shape, *, least: int = 0, most: int) -> Shape:
    """A list of `least` to `most` items."""

    def check(value: Any, pointer: str) -> Iterator[Fault]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            yield from _fault(pointer, "shape.list", f"a list of {least} to {most} items is expected")
            return
        for position, each in enumerate(value):
            yield from item(each, f"{pointer}/{position}")

    return check


def text(pattern: str) -> Shape:
    """A string that `pattern` matches whole."""
    compiled = re.compile(pattern)

    def check(value: Any, pointer: str) -> Iterator[Fault]:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            yield from _fault(pointer, "shape.text", f"a string matching {pattern} is expected")

    return check


def one_of(*words: str) -> Shape:
    """One of these strings."""

    def check(value: Any, pointer: str) -> Iterator[Fault]:
        if not isinstance(value, str) or value not in words:
            yield from _fault(pointer, "shape.word", f"one of these is expected: {', '.join(words)}")

    return check


def number(*, least: int = 0) -> Shape:
    """An integer from `least` to 2**53 - 1, which is no boolean."""

    def check(value: Any, pointer: str) -> Iterator[Fault]:
        if type(value) is not int or not least <= value <= MAX_COUNT:
            yield from _fault(pointer, "shape.number", f"an integer of at least {least} is expected")

    return check


def truth(value: Any, pointer: str) -> Iterator[Fault]:
    """A boolean."""
    if not isinstance(value, bool):
        yield from _fault(pointer, "shape.truth", "true or false is expected")


def optional(shape: Shape) -> Shape:
    """Null, or what `shape` says."""

    def check(value: Any, pointer: str) -> Iterator[Fault]:
        if value is not None:
            yield from shape(value, pointer)

    return check

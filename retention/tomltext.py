"""Reading a TOML text key by key: a closed vocabulary, and every fault with its line (`tomllib` tells no lines)."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeVar

from register.errors import Fault, Invalid

TEXT: Final = re.compile(r"[^\x00-\x1f\x7f]{1,200}")

_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]")
_KEY: Final = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|#.*')

Choice = TypeVar("Choice", bound=StrEnum)
Word = TypeVar("Word", bound=str)


def lines(text: str) -> Mapping[str, int]:
    """Return the line, from 1, of every table and key by JSON pointer; keys of inline tables stand with their table.

    Knows bare keys and texts of one line, as policy files have them; anything else only makes a line less exact.
    """
    found = {"": 1}
    counts: dict[str, int] = {}
    table = ""
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        bare = _QUOTED.sub("", line)
        if depth == 0 and (header := _HEADER.match(line)):
            table = "".join(f"/{part}" for part in header[2].split("."))
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                found.setdefault(table, number)
                table = f"{table}/{counts[table]}"
            found[table] = number
        elif depth == 0 and (key := _KEY.match(line)):
            found[f"{table}/{key[1]}"] = number
            depth = _depth(bare)
        else:
            depth += _depth(bare)
    return found


def line_of(pointer: str, known: Mapping[str, int]) -> int:
    """Return the line of `pointer`, or of the nearest thing around it."""
    while pointer not in known:
        pointer = pointer.rpartition("/")[0]
    return known[pointer]


def _depth(bare: str) -> int:
    opened = sum(map(bare.count, "[{"))
    return opened - sum(map(bare.count, "]}"))


def parse(content: bytes) -> tuple["Reading", "Table"]:
    """Return what gathers the faults of a file, and its top table.

    Raises:
        Invalid: rule `policy.syntax`: not UTF-8, or no TOML.
    """
    try:
        text = content.decode("utf-8")
        values = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as unreadable:
        reason = str(unreadable) if isinstance(unreadable, tomllib.TOMLDecodeError) else "not UTF-8"
        raise Invalid([Fault(pointer="", rule="policy.syntax", message=f"no TOML text: {reason}")]) from None
    reading = Reading(text)
    return reading, reading.table(values, "")


class Reading:
    """Gathers the faults of one file. A value that is faulty is replaced by any valid one: no faulty file gets out."""

    def __init__(self, text: str) -> None:
        self.faults: list[Fault] = []
        self._lines = lines(text)

    def fault(self, pointer: str, rule: str, message: str) -> None:
        """Note a fault; `message` is one sentence and gets the line in front."""
        line = line_of(pointer, self._lines)
        self.faults.append(Fault(pointer=pointer, rule=rule, message=f"line {line}: {message}"))

    def table(self, values: object, pointer: str) -> "Table":
        """Return `values` at `pointer` for reading; an empty table after a fault."""
        if not isinstance(values, Mapping):
            self.fault(pointer, "policy.type", "a table is expected")
            values = {}
        return Table(self, values, pointer)


class Table:
    """One table of the file, read key by key; what is left over in the end is unknown."""

    def __init__(self, reading: Reading, values: Mapping[str, Any], pointer: str) -> None:
        self._reading, self._values, self._pointer = reading, dict(values), pointer

    def at(self, key: str) -> str:
        """Return the JSON pointer of `key`."""
        return f"{self._pointer}/{key}"

    def fault(self, key: str, rule: str, message: str) -> None:
        """Note a fault of `key`."""
        self._reading.fault(self.at(key), rule, message)

    def take(self, key: str, kind: type, expected: str) -> Any:
        """Return the value of `key`, or None after a fault: absent, or not exactly of `kind`."""
        if key not in self._values:
            self.fault(key, "policy.missing", f"`{key}` is missing: {expected} is expected")
            return None
        value = self._values.pop(key)
        if type(value) is not kind:
            self.fault(key, "policy.type", f"`{key}`: {expected} is expected")
            return None
        return value

    def has(self, key: str) -> bool:
        """Say whether `key` is there and was not read yet: for the few keys that may be left out."""
        return key in self._values

    def drop(self, key: str, word: str) -> bool:
        """Say whether the value of `key` is `word`, and if so take it as read."""
        return self._values.get(key) == word and self._values.pop(key) == word

    def texts(self, key: str, form: re.Pattern[str] = TEXT) -> tuple[str, ...]:
        """Return a list of texts that each match `form`."""
        values: Sequence[object] = self.take(key, list, "a list of texts") or []
        for place, value in enumerate(values):
            if not isinstance(value, str) or not form.fullmatch(value):
                self.fault(f"{key}/{place}", "policy.form", f"a text of `{key}` must match {form.pattern}")
        return tuple(one for one in values if isinstance(one, str))

    def flag(self, key: str) -> bool:
        """Return true or false."""
        return bool(self.take(key, bool, "true or false"))

    def text(self, key: str, form: re.Pattern[str] = TEXT) -> str:
        """Return a text that matches `form`."""
        value = self.take(key, str, "a text")
        if value is not None and not form.fullmatch(value):
            self.fault(key, "policy.form", f"`{key}` must match {form.pattern}")
        return value or "x"

    def day(self, key: str) -> date:
        """Return a civil date."""
        return self.take(key, date, "a date such as 2026-01-01") or date.min

    def number(self, key: str, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`."""
        value = self.take(key, int, "a whole number")
        if value is not None and not least <= value <= most:
            self.fault(key, "policy.range", f"`{key}` lies between {least} and {most}")
        return value or least

    def choice(self, key: str, choices: type[Choice]) -> Choice:
        """Return a word of an enumeration."""
        word = self.take(key, str, "a word of a closed list")
        if word is not None and word in set(choices):
            return choices(word)
        if word is not None:
            self.fault(key, "policy.vocabulary", f"`{key}` is one of: {', '.join(choices)}")
        return next(iter(choices))

    def choices(self, key: str, allowed: frozenset[Word]) -> frozenset[Word]:
        """Return words of a closed list."""
        words: Sequence[object] = self.take(key, list, "a list of words") or []
        for place, word in enumerate(words):
            if not isinstance(word, str) or word not in allowed:
                self.fault(f"{key}/{place}", "policy.vocabulary", f"`{key}` knows: {', '.join(sorted(allowed))}")
        return frozenset(one for one in allowed if one in words)

    def tables(self, key: str) -> list["Table"]:
        """Return the rows of an array of tables."""
        rows = self.take(key, list, "a list of tables") or []
        return [self._reading.table(row, f"{self.at(key)}/{place}") for place, row in enumerate(rows)]

    def inner(self, key: str) -> "Table":
        """Return a table inside this one."""
        return self._reading.table(self.take(key, dict, "a table") or {}, self.at(key))

    def rows(self, key: str) -> dict[str, "Table"]:
        """Return the tables inside a table, by their key."""
        values = self.take(key, dict, "a table of tables") or {}
        return {name: self._reading.table(row, f"{self.at(key)}/{name}") for name, row in values.items()}

    def close(self) -> None:
        """Note every key that was not read."""
        for key in self._values:
            self.fault(key, "policy.unknown", "this key is unknown")

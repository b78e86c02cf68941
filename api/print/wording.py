"""Codes, dates, numbers and digests in words for people, in English and Dutch."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Final, Literal, TypeAlias

Language: TypeAlias = Literal["en", "nl"]

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_PERIOD: Final = re.compile(r"P([0-9]+)([YMWD])")
_HEX: Final = re.compile(r"[0-9a-f]{32}([0-9a-f]{32})?")
_COLUMN: Final = {"en": 0, "nl": 1}
_THOUSANDS: Final = {"en": ",", "nl": "."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A piece of text on paper; `code` is set in a fixed-width face: digests, ids and the like."""

    text: str
    code: bool = False


@cache
def _words() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    text = (files("api.print") / "words.toml").read_text("utf-8")
    return {group: {code: (en, nl) for code, (en, nl) in words.items()} for group, words in tomllib.loads(text).items()}


@dataclass(frozen=True, slots=True)
class Wording:
    """Words in one language."""

    language: Language

    def word(self, group: str, code: str) -> str:
        """Return the words for a code of a group; a code that has none is spelt, with spaces for its hyphens."""
        found = _words().get(group, {}).get(code)
        return found[_COLUMN[self.language]] if found else re.sub("[-_]", " ", code)

    def in_order(self, fields: Iterable[str]) -> list[str]:
        """Return names of fields, each once, in the order of words.toml; the unknown ones last, by the alphabet."""
        order = {name: place for place, name in enumerate(_words()["field"])}
        return sorted(set(fields), key=lambda name: (order.get(name, len(order)), name))

    def say(self, sentence: str, **values: str) -> str:
        """Return a sentence of words.toml with its places filled in."""
        return _words()["say"][sentence][_COLUMN[self.language]].format(**values)

    def date(self, day: date) -> str:
        """Return a civil date with the month in words."""
        return f"{day.day} {self.word('month', str(day.month))} {day.year}"

    def instant(self, at: datetime) -> str:
        """Return an instant (aware) in UTC, to the second."""
        return f"{self.date(at.astimezone(UTC).date())}, {at.astimezone(UTC):%H:%M:%S} UTC"

    def number(self, count: int) -> str:
        """Return a whole number with its thousands apart."""
        return f"{count:,}".replace(",", _THOUSANDS[self.language])

    def value(self, value: object, group: str = "") -> Cell:
        """Return a value of JSON in words: a code by its group, everything else by its form."""
        if value is None:
            return Cell(text=self.word("answer", "none"))
        if isinstance(value, bool):
            return Cell(text=self.word("answer", "yes" if value else "no"))
        if isinstance(value, int):
            return Cell(text=self.number(value))
        text = str(value)
        if group:
            return Cell(text=self.word(group, text))
        if match := _PERIOD.fullmatch(text):
            return Cell(text=f"{match[1]} {self.word('unit', match[2])}" if int(match[1]) else self.say("at-once"))
        if _INSTANT.fullmatch(text):
            return Cell(text=self.instant(datetime.fromisoformat(text)))
        if _DAY.fullmatch(text):
            return Cell(text=self.date(date.fromisoformat(text)))
        return Cell(text=text, code=_HEX.fullmatch(text) is not None)

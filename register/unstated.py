"""Names that a text holds though its signal does not state them: where they stand, told by their shape alone.

Whether somebody is in the register is not asked: a contributor learns nothing from what is found. What is found is a
run of words with capital letters, particles between them, where no stated name stands; a single word counts where no
sentence begins. Names in scripts without capitals, and names without any, are not found. Clear text: a module the
stores may not name. Pure; linear in the text.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from register.errors import Tampered
from register.narrative import RedactedText
from register.occurrences import PARTICLES

_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019&.-][^\W_]+)*")
_ENDS: Final = frozenset(("", ".", "!", "?", "\u2026", "\n"))
_QUOTES: Final = "'\"()[]\u2018\u2019\u201c\u201d \t\u00a0"
_JOINS: Final = frozenset((" ", "-", "/", "\u00a0", " '", " \u2019"))
_FEWEST: Final = 2
_PARTICLES: Final = PARTICLES - {"en", "and", "und"}
# Words that carry a capital for another reason than being a name's: they begin no name.
# fmt: off
_COMMON: Final = frozenset((
    "a", "an", "the", "this", "that", "these", "those", "he", "she", "it", "we", "they", "his", "her", "their", "its",
    "i", "in", "on", "at", "by", "to", "from", "for", "with", "as", "after", "before", "during", "since", "when",
    "while", "who", "both", "one", "two", "some", "all", "many", "no", "not", "if", "but", "so", "then", "there",
    "een", "het", "deze", "dit", "die", "dat", "hij", "zij", "ze", "wij", "zijn", "haar", "hun", "op", "bij", "naar",
    "voor", "met", "na", "tijdens", "sinds", "toen", "terwijl", "wie", "beide", "ook", "niet", "als", "maar", "er",
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    "januari", "februari", "maart", "mei", "juni", "juli", "augustus", "oktober",
    "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag",
))
# fmt: on


UNSTATED: Final = "unstated"
"""The sealed field of a signal that holds what `find` keeps; absent where nothing was found."""


class Found(NamedTuple):
    """A name that nobody stated: characters `start` to `end` of a text, named by its field."""

    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unstated:
    """Where names stand that a signal does not state.

    Attributes:
        places: field and characters of each, in the texts as they were handed in.
        kept: what is sealed with the signal: per field and stretch of clear text, where in it a name stands.
    """

    places: tuple[Found, ...]
    kept: str


def find(texts: Mapping[str, RedactedText], starts: Mapping[str, Sequence[int]]) -> Unstated:
    """Find names in the clear stretches of a signal's texts.

    Args:
        texts: by field, with a gap for every stated name.
        starts: by field, where each part of the text began as it was handed in.
    """
    places: list[Found] = []
    kept: list[tuple[str, int, int, int]] = []
    for field, text in texts.items():
        for number, part in enumerate(text):
            if isinstance(part, str):
                begin = starts[field][number]
                for start, end in runs(part, begins=number == 0):
                    places.append(Found(field, begin + start, begin + end))
                    kept.append((field, number, start, end))
    return Unstated(places=tuple(places), kept=json.dumps(kept, separators=(",", ":")) if kept else "")


def kept_in(texts: Mapping[str, RedactedText]) -> tuple[tuple[str, str], ...]:
    """Return field and words of each name that was found, of those of a signal's texts that are at hand.

    Raises:
        Tampered: what is kept does not fit the texts.
    """
    try:
        return tuple(
            (field, _part(texts[field], number, start, end))
            for field, number, start, end in places(texts.get(UNSTATED, ("[]",)))
            if field in texts
        )
    except (ValueError, TypeError, IndexError):
        raise Tampered from None


def places(kept: RedactedText) -> tuple[tuple[str, int, int, int], ...]:
    """Return what is kept of the names found: field, number of the text's part, first and last character of each.

    Raises:
        Tampered: it is not what `find` keeps.
    """
    try:
        return tuple(
            (str(field), number, start, end) for field, number, start, end in json.loads("".join(map(str, kept)))
        )
    except (ValueError, TypeError):
        raise Tampered from None


def _part(text: RedactedText, number: int, start: int, end: int) -> str:
    part = text[number]
    if not isinstance(part, str) or not 0 <= start < end <= len(part):
        raise Tampered
    return part[start:end]


def runs(text: str, *, begins: bool = True) -> Iterator[tuple[int, int]]:
    """Yield where in a text words stand that look like a name; `begins`: its first word begins a sentence."""
    run: list[re.Match[str]] = []
    for word in _WORD.finditer(text):
        if run and text[run[-1].end() : word.start()] not in _JOINS:
            yield from _named(run, text, begins)
            run = []
        if word[0][0].isupper() or (run and word[0].lower() in _PARTICLES):
            run.append(word)
        else:
            yield from _named(run, text, begins)
            run = []
    yield from _named(run, text, begins)


def _named(run: list[re.Match[str]], text: str, begins: bool) -> Iterator[tuple[int, int]]:
    first, last = 0, len(run)
    while first < last and run[first][0].lower() in _COMMON:
        first += 1
    while first < last and not run[last - 1][0][0].isupper():
        last -= 1
    if first == last or run[last - 1].end() - run[first].start() < _FEWEST:
        return
    if last - first == 1 and (sign := _before(text, run[first].start())) in _ENDS and (sign or begins):
        return  # the first word of a sentence
    yield run[first].start(), run[last - 1].end()


def _before(text: str, at: int) -> str:
    """Return the sign before a word, blanks and quotes passed over; "" at the beginning."""
    while at and text[at - 1] in _QUOTES:
        at -= 1
    return text[at - 1] if at else ""

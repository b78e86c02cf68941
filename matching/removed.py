"""Whether words of a text name one of those who are removed: many short texts against the same thousands of names.

Compared are names whose last word stands in the text, as it is written or as it sounds, and that begin alike; and names
with another word in it that are nearly the same as a whole, for an error in the last one. A single word names somebody
only as the last word of a name: a given name alone is everybody's.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from rapidfuzz.fuzz import ratio

from matching.folding import FoldedName, Role, fold
from matching.likeness import skeleton
from matching.scoring import Comparison

ALIKE: Final = 85.0
"""From which score on words name somebody: a surname alone scores so, two given names with one surname do not."""

NEARLY: Final = 80.0
"""From which share of equal letters on a whole name is compared though its last word is not in the text."""

KEPT: Final = 50_000
"""Answers that are remembered: the same names stand in many texts."""


class RemovedNames:
    """Names of those who are removed; shows none of them in any representation."""

    __slots__ = ("_by_last", "_by_word", "named")

    def __init__(self, names: Iterable[str]) -> None:
        self._by_last: dict[str, list[FoldedName]] = {}
        self._by_word: dict[str, list[FoldedName]] = {}
        for name in sorted({fold(one) for one in names}, key=lambda one: one.text):
            words = name.having(Role.WORD)
            for key in _keys(words[-1:]):
                self._by_last.setdefault(key, []).append(name)
            for key in _keys(words[:-1]):
                self._by_word.setdefault(key, []).append(name)
        self.named = lru_cache(maxsize=KEPT)(self._named)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def _named(self, text: str) -> bool:
        """Say whether `text`, words that look like a name, names one of them."""
        folded = fold(text)
        near = list(self._near(folded))
        return bool(near) and max(Comparison(folded).values(near)) >= ALIKE

    def _near(self, text: FoldedName) -> Iterator[FoldedName]:
        words = text.having(Role.WORD)
        for word in words:
            others = _begins(text, but=word)
            for key in _keys([word]):
                for name in self._by_last.get(key, ()):
                    theirs = _begins(name, but=name.having(Role.WORD)[-1])
                    if not others or not theirs or others & theirs:
                        yield name
        if len(words) > 1:
            for key in _keys(words):
                yield from (one for one in self._by_word.get(key, ()) if ratio(one.text, text.text) >= NEARLY)


def _keys(words: Iterable[str]) -> set[str]:
    """Return the words, and how each sounds, apart from each other."""
    return {key for word in words for key in (word, f"~{skeleton(word)}")}


def _begins(name: FoldedName, *, but: str) -> set[str]:
    """Return with which letters the words and initials of a name begin, all but the word `but`."""
    return {word[0] for word in (*name.having(Role.WORD), *name.having(Role.INITIAL)) if word != but}

"""The distinct words of many names in memory, and which of them are near to a word.

Nearness goes in two stages: common pairs of letters, of the spelling and of the sound apart, counted over posting lists
(a few array operations), and then the likeness by which names are scored, for the few hundred words with most in
common, in one call each of rapidfuzz. Not thread-safe: `NameTable` holds the lock.
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from matching.likeness import likenesses, skeleton

Numbers = npt.NDArray[np.intp]

_SPELT_ALIKE: Final = 160
_SOUNDS_ALIKE: Final = 120
_NEAR: Final = 120
_SHORTEST_PIECE: Final = 4
_PIECE_LIKENESS: Final = 0.6
_SHARED: Final = 0.3
_LEAST: Final = 0.5


class Near(NamedTuple):
    """A word near to another: how alike, 0 to 1, and the names that hold it, a view that is good until a change."""

    alike: float
    holders: npt.NDArray[np.uint32]


class _Pairs:
    """Posting lists: pair of letters → numbers of the words that hold it, the ends of a word counting as letters."""

    def __init__(self) -> None:
        self._postings: dict[str, array[int]] = {}
        self._sizes = array("f")

    def add(self, word: str, number: int) -> None:
        pairs = _pairs(word)
        for pair in pairs:
            self._postings.setdefault(pair, array("I")).append(number)
        if number == len(self._sizes):
            self._sizes.append(0.0)
        self._sizes[number] = len(pairs)

    def remove(self, word: str, number: int) -> None:
        for pair in _pairs(word):
            self._postings[pair].remove(number)
            if not self._postings[pair]:
                del self._postings[pair]

    def alike(self, word: str, most: int) -> Numbers:
        """Return the numbers of the words that have most pairs in common with `word`, as a share of both (Dice)."""
        pairs = _pairs(word)
        lists = [np.frombuffer(held, np.uint32) for pair in pairs if (held := self._postings.get(pair))]
        if not lists:
            return np.empty(0, np.intp)
        common = np.bincount(np.concatenate(lists, dtype=np.intp))
        found = np.flatnonzero(common >= max(1.0, _SHARED * len(pairs)))
        if len(found) <= most:
            return found
        shares = common[found] / (np.frombuffer(self._sizes, np.float32)[found] + len(pairs))
        return found[np.argpartition(shares, -most)[-most:]]


class WordIndex:
    """Words → numbers of the names that hold them; a word that no name holds any more is gone from memory."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []
        self._sounds: list[str] = []
        self._holders: list[array[int]] = []
        self._free: list[int] = []
        self._spelt = _Pairs()
        self._spoken = _Pairs()

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, word: str, name: int) -> str:
        """Note that name `name` holds `word`, and return the one copy of it to keep. Adding twice is adding once."""
        number = self._numbers.get(word)
        if number is None:
            number = self._numbers[word] = self._new(word)
        holders = self._holders[number]
        if not holders or holders[-1] != name:
            holders.append(name)
        return self._texts[number]

    def _new(self, word: str) -> int:
        sound = skeleton(word)
        if self._free:
            number = self._free.pop()
            self._texts[number], self._sounds[number] = word, sound
        else:
            number = len(self._texts)
            self._texts.append(word)
            self._sounds.append(sound)
            self._holders.append(array("I"))
        self._spelt.add(word, number)
        self._spoken.add(sound, number)
        return number

    def remove(self, word: str, name: int) -> None:
        """Forget that name `name` holds `word`."""
        number = self._numbers[word]
        self._holders[number].remove(name)
        if not self._holders[number]:
            self._spelt.remove(word, number)
            self._spoken.remove(self._sounds[number], number)
            self._texts[number] = self._sounds[number] = ""
            self._free.append(number)
            del self._numbers[word]

    def holders(self, word: str) -> npt.NDArray[np.uint32]:
        """Return the numbers of the names that hold exactly this word; a view, good until the next change."""
        number = self._numbers.get(word)
        return _NONE if number is None else np.frombuffer(self._holders[number], np.uint32)

    def sounds(self, words: Iterable[str], known: dict[str, str]) -> None:
        """Add to `known` the skeletons of those of `words` that are held."""
        for word in words:
            if word not in known and word in self._numbers:
                known[word] = self._sounds[self._numbers[word]]

    def itself(self, word: str) -> list[Near]:
        """Return exactly this word, if any name holds it."""
        number = self._numbers.get(word)
        return [] if number is None else [Near(1.0, np.frombuffer(self._holders[number], np.uint32))]

    def near(self, word: str, *, across: bool) -> list[Near]:
        """Return the words nearest to `word`, least near first; `across` scripts or not."""
        parts = [self._spelt.alike(word, _SPELT_ALIKE)]
        if sound := skeleton(word):
            parts.append(self._spoken.alike(sound, _SOUNDS_ALIKE))
        found = np.unique(np.concatenate(parts)).tolist()
        words = [self._texts[number] for number in found]
        sounds = [self._sounds[number] for number in found]
        alike = likenesses([word], words, sounds, across=across)[0].tolist()
        ranked = [one for one in zip(alike, found, strict=True) if one[0] >= _LEAST]
        known = set(words)
        ranked += [(_PIECE_LIKENESS, self._numbers[piece]) for piece in self._pieces(word) if piece not in known]
        ranked.sort()
        return [Near(one, np.frombuffer(self._holders[number], np.uint32)) for one, number in ranked[-_NEAR:]]

    def _pieces(self, word: str) -> set[str]:
        """Return known words that `word` begins or ends with: names written without a space between."""
        cuts = range(_SHORTEST_PIECE, len(word))
        pieces = {word[:cut] for cut in cuts} | {word[-cut:] for cut in cuts}
        return {piece for piece in pieces if piece in self._numbers}


_NONE: Final = np.empty(0, np.uint32)


def _pairs(word: str) -> Sequence[str]:
    """Return the distinct pairs of neighbouring letters, the ends marked; none of an empty word."""
    if not word:
        return ()
    marked = f"^{word}$"
    return tuple({marked[at : at + 2] for at in range(len(marked) - 1)})

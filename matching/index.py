"""Many folded names in memory, and which of them are worth scoring against a query.

A name is found through its words, so order, added and missing words cost nothing. What each name shares with the query
is added up in arrays, one entry a name: the work depends on how many names there are, hardly on whether any is near.
Not thread-safe: `NameTable` holds the lock.
"""

from array import array
from collections.abc import Callable, Iterable
from math import log
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from matching.folding import FoldedName, Role
from matching.pairing import weight
from matching.scoring import MISSING_SHARE, Comparison
from matching.words import WordIndex

_SCANNED: Final = 4
_INITIAL_FOUND: Final = 0.45
_RARITY_FOUND: Final = 0.25
_RARE_FROM: Final = 0.86
_RARE_POWER: Final = 3
LACKING: Final = 0.5

Floats = npt.NDArray[np.float32]


class Near(NamedTuple):
    """A name that shares something with the query.

    Attributes:
        share: how much, 0 to 1, and more where what is shared is rare.
        number: of the name.
        rarity: how rare the rarest shared word is among all names, 0 to 1, less where it is merely alike.
        lacking: what the name has nothing of beyond half of what is shared, against what is shared: 0 unless the query
            says much more.
    """

    share: float
    number: int
    rarity: float
    lacking: float


class NameIndex:
    """Folded names by number, found again through words near the query's."""

    def __init__(self) -> None:
        self._words = WordIndex()
        self._names: list[FoldedName] = []
        self._weights = array("f")
        self._letters = array("I")
        # Kept between searches: memory that the system hands out anew costs more than the sums in it.
        self._sum = self._holding = self._rarity = np.empty(0, np.float32)
        self._held = 0

    def __getitem__(self, number: int) -> FoldedName:
        return self._names[number]

    def add(self, name: FoldedName) -> int:
        """Hold `name`; return its number: higher than any before, and never used again."""
        number = len(self._names)
        parts = tuple(
            self._words.add(part, number) if role == Role.WORD else part
            for part, role in zip(name.parts, name.roles, strict=True)
        )
        self._held += 1
        self._names.append(FoldedName(parts=parts, roles=name.roles, transliterated=name.transliterated))
        self._weights.append(_weight(name))
        self._letters.append(_bits(part[0] for part in parts))
        return number

    def remove(self, number: int) -> None:
        """Forget the name with that number."""
        for word in set(self._names[number].having(Role.WORD)):
            self._words.remove(word, number)
        self._held -= 1
        self._names[number] = _GONE
        self._letters[number] = 0

    def sounds(self, words: Iterable[str], known: dict[str, str]) -> None:
        """Add to `known` the skeletons of those of `words` that are held here."""
        self._words.sounds(words, known)

    def nearest(
        self,
        comparison: Comparison,
        limit: int,
        *,
        among: Callable[[int], bool] | None = None,
        first: Callable[[int], bool] | None = None,
    ) -> list[Near]:
        """Return the names that share most with the query, best first, at most `limit`.

        Of names that share the same, those for which `first` holds come first, then those added first; only those count
        for which `among` does.
        """
        query = comparison.query
        found = self._found(comparison)
        numbers = np.flatnonzero(found != 0)  # ten times as fast as on the numbers themselves
        if among is not None:
            numbers = numbers[np.fromiter(map(among, numbers.tolist()), bool, len(numbers))]
        matched = found[numbers]
        for letter in {*query.having(Role.INITIAL)}:
            has = np.frombuffer(self._letters, np.uint32)[numbers] & _bits(letter)
            matched += np.float32(_INITIAL_FOUND) * (has != 0)
        left = np.maximum(np.float32(_weight(query)) - matched, np.float32(0))
        other = np.maximum(np.frombuffer(self._weights, np.float32)[numbers] - matched, np.float32(0))
        apart = np.minimum(left, other) + np.float32(MISSING_SHARE / 2) * np.abs(left - other)
        # Somebody called by one common name alone comes after those who share a rare one, of whom there are few.
        lacking = np.maximum((left - other) / matched - np.float32(0.5), np.float32(0))
        rarity = self._rarity[numbers]
        shares = matched / (matched * (1 + np.float32(LACKING) * lacking) + apart) + np.float32(_RARITY_FOUND) * rarity
        if len(numbers) > limit:
            # All that share as much as the last: which of them come first is not for the partition to say.
            kept = shares >= np.partition(shares, -limit)[-limit]
            numbers, shares, rarity, lacking = numbers[kept], shares[kept], rarity[kept], lacking[kept]
        ranked = sorted(
            (-share, first is not None and not first(number), number, rare, lacks)
            for share, number, rare, lacks in zip(
                shares.tolist(), numbers.tolist(), rarity.tolist(), lacking.tolist(), strict=True
            )
        )
        return [Near(-negative, number, rare, lacks) for negative, _, number, rare, lacks in ranked[:limit]]

    def _rare(self, holders: int) -> float:
        """Return how rare a word is that so many names hold: 0 all of them, towards 1 a single one of very many."""
        return 1 - log(1 + holders) / log(1 + self._held) if holders and self._held > 1 else 0.0

    def _found(self, comparison: Comparison) -> Floats:
        """Return how much of the query's weight each name holds, by number."""
        query = comparison.query
        if len(self._holding) < len(self._names):
            size = len(self._names) * 5 // 4
            self._sum, self._holding, self._rarity = (np.zeros(size, np.float32) for _ in range(3))
        found, rarity = self._sum, self._rarity
        found[:] = 0
        rarity[:] = 0
        words = sorted(set(query.having(Role.WORD)), key=lambda word: (-len(word), word))
        for place, word in enumerate(words):
            across = query.transliterated
            near = self._words.near(word, across=across) if place < _SCANNED else self._words.itself(word)
            if not near:
                continue
            heavy = weight(word) * query.parts.count(word)
            places = np.concatenate([one.holders for one in near], dtype=np.intp)
            alike = np.repeat(
                np.array([heavy * one.alike for one in near], np.float32), [len(one.holders) for one in near]
            )
            self._holding[places] = alike  # of several in one name the nearest, which comes last, counts
            found += self._holding
            self._holding[places] = 0
            for one in near:
                if one.alike >= _RARE_FROM:
                    rare = np.float32(one.alike**_RARE_POWER * self._rare(len(one.holders)))
                    rarity[one.holders] = np.maximum(rarity[one.holders], rare)
        for _, joined, heavy in comparison.neighbours:
            holders = self._words.holders(joined)
            found[holders] = np.maximum(found[holders], np.float32(heavy))
        return found


_GONE: Final = FoldedName(parts=(), roles="")


def _weight(name: FoldedName) -> float:
    return sum(
        weight(part) for part, role in zip(name.parts, name.roles, strict=True) if role in (Role.WORD, Role.INITIAL)
    )


def _bits(letters: Iterable[str]) -> int:
    """Return a set of letters as bits; digits share one."""
    bits = 0
    for letter in letters:
        bits |= 1 << (ord(letter) - ord("a") if letter.isalpha() else 26)
    return bits

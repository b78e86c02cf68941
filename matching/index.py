"""Many folded names in memory, and which of them are worth scoring against a query.

A name is found through its words, so order, added and missing words cost nothing. Each word is held once. Nearness is
a scan over the distinct words and over their distinct skeletons, in rapidfuzz: the work depends on how many words there
are, hardly on whether any is near. Not thread-safe: `NameTable` holds the lock.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from heapq import nlargest
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import Indel

from matching.folding import FoldedName, Role
from matching.likeness import skeleton
from matching.scoring import Comparison, share, weight

_SCANNED: Final = 4
_RANKED: Final = 2000
_INITIAL_FOUND: Final = 0.45
_NEAR_FROM: Final = 0.6
_SPELT_NEAR: Final = 40
_SOUNDS_NEAR: Final = 12
_SOUND_NEAR: Final = 150
_NEAR: Final = 120
_GROWTH: Final = 1.05
_SHORTEST_PIECE: Final = 4
_PIECE_LIKENESS: Final = 0.6


class _List:
    """Distinct texts in a list that rapidfuzz can scan, with removal in constant time."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._places: dict[str, int] = {}
        self._packed = 0

    def add(self, text: str) -> None:
        self._places[text] = len(self.texts)
        self.texts.append(text)

    def remove(self, text: str) -> None:
        place, last = self._places.pop(text), self.texts.pop()
        if last != text:
            self.texts[place] = last
            self._places[last] = place

    def near(self, text: str, limit: int) -> list[str]:
        if len(self.texts) > self._packed * _GROWTH:
            self._pack()
        found = process.extract(
            text, self.texts, scorer=Indel.normalized_similarity, score_cutoff=_NEAR_FROM, limit=limit
        )
        return [one for one, _, _ in found]

    def _pack(self) -> None:
        """Copy the texts to lie side by side in memory: scanning them scattered takes ten times as long."""
        self.texts = [text.encode("ascii").decode("ascii") for text in self.texts]
        self._packed = len(self.texts)


class WordIndex:
    """Words → numbers of the names that hold them."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, array[int]]] = {}
        self._words = _List()
        self._spoken: dict[str, list[str]] = {}
        self._skeletons = _List()

    def __len__(self) -> int:
        return len(self._held)

    def add(self, word: str, number: int) -> str:
        """Note that name `number` holds `word`, and return the one copy of it to keep. Adding twice is adding once."""
        held = self._held.get(word)
        if held is None:
            held = self._held[word] = (word, array("I"))
            self._words.add(word)
            heard = skeleton(word)
            if heard not in self._spoken:
                self._spoken[heard] = []
                self._skeletons.add(heard)
            self._spoken[heard].append(word)
        kept, holders = held
        if not holders or holders[-1] != number:
            holders.append(number)
        return kept

    def remove(self, word: str, number: int) -> None:
        """Forget that name `number` holds `word`; a word that no name holds any more is gone from memory."""
        _, holders = self._held[word]
        holders.remove(number)
        if not holders:
            del self._held[word]
            self._words.remove(word)
            heard = skeleton(word)
            self._spoken[heard].remove(word)
            if not self._spoken[heard]:
                del self._spoken[heard]
                self._skeletons.remove(heard)

    def holders(self, word: str) -> Sequence[int]:
        """Return the numbers of the names that hold exactly this word."""
        held = self._held.get(word)
        return held[1] if held else ()

    def near(self, word: str, like: Callable[[str, str], float]) -> list[tuple[float, str]]:
        """Return the words nearest to `word`, least near first, with what `like` says of them."""
        heard = skeleton(word)
        found = set(self._words.near(word, _SPELT_NEAR))
        if heard:
            alike = [one for key in self._skeletons.near(heard, _SOUNDS_NEAR) for one in self._spoken[key]]
            nearest = process.extract(word, alike, scorer=Indel.normalized_similarity, limit=_SOUND_NEAR)
            found.update(one for one, _, _ in nearest)
        ranked = [(like(word, one), one) for one in found]
        ranked += [(_PIECE_LIKENESS, piece) for piece in self._pieces(word) if piece not in found]
        return sorted(ranked)[-_NEAR:]

    def _pieces(self, word: str) -> set[str]:
        """Return known words that `word` begins or ends with: names written without a space between."""
        cuts = range(_SHORTEST_PIECE, len(word))
        pieces = {word[:cut] for cut in cuts} | {word[-cut:] for cut in cuts}
        return {piece for piece in pieces if piece in self._held}


class NameIndex:
    """Folded names by number, found again through words near the query's."""

    def __init__(self) -> None:
        self._words = WordIndex()
        self._names: list[FoldedName] = []
        self._weights = array("d")

    def __getitem__(self, number: int) -> FoldedName:
        return self._names[number]

    def add(self, name: FoldedName) -> int:
        """Hold `name`; return its number: higher than any before, and never used again."""
        number = len(self._names)
        parts = tuple(
            self._words.add(part, number) if role == Role.WORD else part
            for part, role in zip(name.parts, name.roles, strict=True)
        )
        self._names.append(FoldedName(parts=parts, roles=name.roles, transliterated=name.transliterated))
        self._weights.append(_weight(name))
        return number

    def remove(self, number: int) -> None:
        """Forget the name with that number."""
        for word in set(self._names[number].having(Role.WORD)):
            self._words.remove(word, number)
        self._names[number] = _GONE

    def nearest(
        self,
        comparison: Comparison,
        limit: int,
        *,
        among: Callable[[int], bool] | None = None,
        first: Callable[[int], bool] | None = None,
    ) -> list[int]:
        """Return the numbers of the names that share most with the query, best first, at most `limit`.

        Of names that share the same, those for which `first` holds come first; only those count for which `among` does.
        """
        found = self._found(comparison)
        letters = set(comparison.query.having(Role.INITIAL))
        whole = _weight(comparison.query)
        numbers: Iterable[int] = found if among is None else filter(among, found)
        if letters:
            numbers = nlargest(_RANKED, numbers, key=lambda number: self._share(number, found[number], whole))
            for number in numbers:
                found[number] += self._initials(letters, number)
        ranked = (
            (self._share(number, found[number], whole), first is not None and first(number), -number)
            for number in numbers
        )
        return [-negative for _, _, negative in nlargest(limit, ranked)]

    def _share(self, number: int, weight_found: float, whole: float) -> float:
        left, other = whole - weight_found, self._weights[number] - weight_found
        return share(weight_found, weight_found, max(0.0, left), max(0.0, other))

    def _initials(self, letters: set[str], number: int) -> float:
        return _INITIAL_FOUND * len(letters & {part[0] for part in self._names[number].parts})

    def _found(self, comparison: Comparison) -> dict[int, float]:
        """Return how much of the query's weight each name holds, by number, for names that hold any."""
        query = comparison.query
        words = sorted(set(query.having(Role.WORD)), key=lambda word: (-len(word), word))
        like = partial(comparison.like, across=query.transliterated)
        found = dict[int, float]()
        for place, word in enumerate(words):
            nearest = self._words.near(word, like) if place < _SCANNED else [(1.0, word)]
            holding = dict[int, float]()
            for alike, near in nearest:
                holding.update(dict.fromkeys(self._words.holders(near), alike))
            heavy = weight(word) * query.parts.count(word)
            for number, alike in holding.items():
                found[number] = found.get(number, 0.0) + heavy * alike
        for _, joined, heavy in comparison.neighbours:
            for number in self._words.holders(joined):
                found[number] = max(found.get(number, 0.0), heavy)
        return found


_GONE: Final = FoldedName(parts=(), roles="")


def _weight(name: FoldedName) -> float:
    return sum(
        weight(part) for part, role in zip(name.parts, name.roles, strict=True) if role in (Role.WORD, Role.INITIAL)
    )

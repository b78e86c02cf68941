"""Which parts of two folded names may be taken for each other: single words, neighbours joined, initials."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from matching.folding import FoldedName, Role


class Pairing(NamedTuple):
    """Parts of the query and of the stored name taken for each other; more than one on a side are read joined.

    Attributes:
        likeness: 0 to 1.
        weight: what the pair counts, against 1 for a full word.
        letters: letters on both sides together.
        query: indexes into the query's parts, ascending.
        stored: the same into the stored name's.
    """

    likeness: float
    weight: float
    letters: int
    query: tuple[int, ...]
    stored: tuple[int, ...]


JOINED_SLACK: Final = 2
INITIAL: Final = 0.92
_INITIAL_WEIGHT: Final = 0.45
_WEIGHTS: Final = (0.0, 0.3, 0.6, 0.75, 0.85, 0.95)
_LONGEST_ACRONYM: Final = 3


def weight(word: str) -> float:
    """Return how much a word or initial of a name weighs, 0.3 to 1: short ones say less."""
    return _WEIGHTS[len(word)] if len(word) < len(_WEIGHTS) else 1.0


def choose(candidates: Sequence[Pairing]) -> list[Pairing]:
    """Take pairings, best first, so that no part is in two; a tie falls the same way from both sides."""
    if len(candidates) < 2:
        return list(candidates)
    chosen, query, stored = list[Pairing](), set[int](), set[int]()
    for pairing in sorted(
        candidates,
        key=lambda one: (-(one.likeness**3) * one.letters, *sorted((one.query, one.stored), reverse=True)),
    ):
        if query.isdisjoint(pairing.query) and stored.isdisjoint(pairing.stored):
            chosen.append(pairing)
            query.update(pairing.query)
            stored.update(pairing.stored)
    return chosen


def left_over(name: FoldedName, pairings: list[Pairing], side: int) -> list[int]:
    """Return the places of the words and initials in no pairing; `side`: 0 the query's, 1 the stored name's."""
    taken = {place for pairing in pairings for place in (pairing.stored if side else pairing.query)}
    return [place for place, role in enumerate(name.roles) if role in (Role.WORD, Role.INITIAL) and place not in taken]


def neighbours(name: FoldedName) -> Iterator[tuple[tuple[int, ...], str, float]]:
    """Yield runs of two or three parts with a word among them: places, the parts joined, the weight of the words."""
    for size in (2, 3):
        for start in range(len(name.parts) - size + 1):
            places = tuple(range(start, start + size))
            words = [name.parts[place] for place in places if name.roles[place] == Role.WORD]
            if words:
                yield places, "".join(name.parts[start : start + size]), sum(map(weight, words))


def about(lengths: Iterable[int]) -> set[int]:
    """Return the lengths that a word as long as one of these can be joined with."""
    return {length + slack for length in lengths for slack in range(-JOINED_SLACK, JOINED_SLACK + 1)}


def runs(name: FoldedName, lengths: Collection[int]) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield the runs of `neighbours` whose letters are so many: places, the parts joined."""
    sizes = list(map(len, name.parts))
    for size in (2, 3):
        for start in range(len(sizes) - size + 1):
            if sum(sizes[start : start + size]) in lengths:
                yield tuple(range(start, start + size)), "".join(name.parts[start : start + size])


def initials(query: FoldedName, mine: list[int], stored: FoldedName, theirs: list[int]) -> Iterator[Pairing]:
    """Yield pairs among what is left: an initial and its like or its word, letters written as a word (`jp`)."""
    for one in mine:
        for other in theirs:
            left, right = query.parts[one], stored.parts[other]
            if left == right:
                yield Pairing(1.0, weight(left), 2, (one,), (other,))
            elif min(len(left), len(right)) == 1 and left[0] == right[0]:
                yield Pairing(INITIAL, _INITIAL_WEIGHT, 2, (one,), (other,))
    for word, places, name, others, turned in (
        (query.parts, mine, stored, theirs, False),
        (stored.parts, theirs, query, mine, True),
    ):
        for place in places:
            size = len(word[place])
            for start in range(len(others) - size + 1) if 1 < size <= _LONGEST_ACRONYM else ():
                run = tuple(others[start : start + size])
                if all(name.parts[at][0] == letter for at, letter in zip(run, word[place], strict=True)):
                    sides = (run, (place,)) if turned else ((place,), run)
                    yield Pairing(INITIAL, _INITIAL_WEIGHT * size, 2 * size, *sides)


def disordered(pairings: list[Pairing]) -> bool:
    """Say whether the words stand in another order."""
    if len(pairings) < 2:
        return False
    places = [pairing.stored for pairing in sorted(pairings, key=lambda one: one.query)]
    return places != sorted(places)

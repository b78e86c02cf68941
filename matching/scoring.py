"""Scoring: how likely two folded names are one, from 0 to 100, with the reasons.

Words are paired best first; neighbours may be joined (*Jan Willem* = *Janwillem*). Words left over on both sides
contradict each other and cost in full; what only one side has (a middle name, an initial) costs less. Scoring is
symmetric: the value is the same whichever of the two is the query. Reasons speak of the query's parts, by index, and
of counts; they hold no text of either name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import fsum
from typing import Final

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import OSA

from matching.folding import FoldedName, Role
from matching.likeness import likenesses, shortened, skeleton
from matching.pairing import (
    INITIAL,
    JOINED_SLACK,
    Pairing,
    about,
    choose,
    disordered,
    initials,
    left_over,
    neighbours,
    runs,
    weight,
)


class ReasonCode(StrEnum):
    """Why a score is what it is."""

    EXACT = "exact"
    ORDER = "order"
    INITIAL = "initial"
    TYPING_ERROR = "typing-error"
    SOUND = "sound"
    SHORTENED = "shortened"
    JOINED = "joined"
    MISSING = "missing"
    ADDED = "added"
    PARTICLE = "particle"
    TITLE = "title"
    LEGAL_FORM = "legal-form"
    TRANSLITERATION = "transliteration"
    RARE_WORD = "rare-word"
    BIRTH_DATE_AGREES = "birth-date-agrees"
    BIRTH_DATE_CONTRADICTS = "birth-date-contradicts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for a score.

    Attributes:
        code: what was found. `missing`: words of the query that the stored name lacks; `added`: the other way round;
            `particle`, `title`, `legal-form`, `transliteration`: the two differ in this.
        part: index into the query's folded parts that it is about; None for the whole name.
        count: typing errors in that part, or how many words are missing or added; otherwise 0.
    """

    code: ReasonCode
    part: int | None = None
    count: int = 0


_PAIRED_FROM: Final = 0.5
_JOINED_FROM: Final = 0.85
_JOINED_COST: Final = 0.02
_SURE: Final = 0.85
MISSING_SHARE: Final = 0.3

# Points of 100; together less than 1 but for a legal form that contradicts.
_INEXACT: Final = 0.2
_ORDER: Final = 0.3
_SMALL: Final = 0.5
_OTHER_FORM: Final = 3.0


_DIFFERENCES: Final = {
    Role.PARTICLE: ReasonCode.PARTICLE,
    Role.TITLE: ReasonCode.TITLE,
    Role.FORM: ReasonCode.LEGAL_FORM,
}


def share(matched: float, paired: float, one: float, other: float) -> float:
    """Return the value, 0 to 1, of a comparison.

    Args:
        matched: the paired words' weights, each times its likeness.
        paired: their weights.
        one: weight left over on one side.
        other: weight left over on the other side.
    """
    left = min(one, other) + MISSING_SHARE / 2 * abs(one - other)
    return matched / (paired + left) if matched else 0.0


@dataclass(frozen=True, slots=True)
class _Alike:
    """What of the stored names is like the query's, by the text stored.

    Attributes:
        compared: all stored words and runs of words that were looked at.
        words: place in the query → stored word → likeness.
        joined: the same of the query's runs, in the order of `Comparison.neighbours`, and single stored words.
        runs: the same of single words of the query and stored runs.
    """

    compared: set[str] = field(default_factory=set)
    words: dict[int, dict[str, float]] = field(default_factory=dict)
    joined: dict[int, dict[str, float]] = field(default_factory=dict)
    runs: dict[int, dict[str, float]] = field(default_factory=dict)


class Comparison:
    """One query, compared with many stored names. It remembers what is alike, so make one for each search."""

    def __init__(self, query: FoldedName) -> None:
        self.query = query
        self.neighbours = tuple(neighbours(query))
        self._places = tuple(place for place, role in enumerate(query.roles) if role == Role.WORD)
        self._lengths = about(len(query.parts[place]) for place in self._places)
        self._joined_lengths = about(len(joined) for _, joined, _ in self.neighbours)
        self._alike = {across: _Alike() for across in (False, True)}
        self._values: dict[FoldedName, float] = {}
        self._sides = {role: sorted(query.having(role)) for role in _DIFFERENCES}

    def value(self, stored: FoldedName) -> float:
        """Return the score of `stored`: 0 to 100, one decimal; 100 only if both fold alike."""
        return self.values([stored])[0]

    def values(self, stored: Sequence[FoldedName], sounds: Mapping[str, str] | None = None) -> list[float]:
        """Return the scores of many names; their words are compared all at once.

        Args:
            stored: the names.
            sounds: skeletons of words, where they are known already.
        """
        self._compare([name for name in stored if name not in self._values], sounds or {})
        return [self._known(name) for name in stored]

    def _known(self, stored: FoldedName) -> float:
        known = self._values.get(stored)
        if known is None:
            known = self._values[stored] = self._value(stored)
        return known

    def _compare(self, names: Iterable[FoldedName], sounds: Mapping[str, str]) -> None:
        """Find out what of these names is like the query's words, in one go for all of them."""
        words: dict[bool, set[str]] = {False: set(), True: set()}
        joins: dict[bool, set[str]] = {False: set(), True: set()}
        for name in names:
            across = self.query.transliterated != name.transliterated
            words[across].update(name.parts)
            joins[across].update(joined for _, joined in runs(name, self._lengths))
        mine = [self.query.parts[place] for place in self._places]
        joined = [text for _, text, _ in self.neighbours]
        for across, alike in self._alike.items():
            fresh = [*words[across] - alike.compared]
            alike.compared.update(fresh)
            heard = [sounds[one] if one in sounds else skeleton(one) for one in fresh]
            _note(alike.words, self._places, likenesses(mine, fresh, heard, across=across), fresh, _PAIRED_FROM)
            long = [one for one in fresh if len(one) in self._joined_lengths]
            heard = list(map(skeleton, long))
            _note(alike.joined, range(len(joined)), likenesses(joined, long, heard, across=across), long, _JOINED_FROM)
            fresh = [*joins[across]]
            heard = list(map(skeleton, fresh))
            _note(alike.runs, self._places, likenesses(mine, fresh, heard, across=across), fresh, _JOINED_FROM)

    def _value(self, stored: FoldedName) -> float:
        if stored.parts == self.query.parts:
            return 100.0
        pairings, left_query, left_stored = self._pair(stored)
        part = share(
            fsum(pairing.weight * pairing.likeness for pairing in pairings),
            fsum(pairing.weight for pairing in pairings),
            fsum(weight(self.query.parts[place]) for place in left_query),
            fsum(weight(stored.parts[place]) for place in left_stored),
        )
        deducted = _INEXACT + _ORDER * disordered(pairings)
        for role in self._differing(stored):
            ours, theirs = set(self._sides[role]), set(stored.having(role))
            contradicts = role == Role.FORM and ours and theirs and not ours & theirs
            deducted += _OTHER_FORM if contradicts else _SMALL
        return round(max(0.0, 100 * part - deducted), 1)

    def reasons(self, stored: FoldedName) -> tuple[Reason, ...]:
        """Return why `stored` scores as it does: first by part of the query, then on the whole."""
        self.value(stored)
        reasons = list[Reason]()
        if stored.parts == self.query.parts:
            reasons.append(Reason(code=ReasonCode.EXACT))
        else:
            pairings, left_query, left_stored = self._pair(stored)
            for pairing in sorted(pairings, key=lambda one: one.query):
                reasons += self._why(pairing, stored)
            if disordered(pairings):
                reasons.append(Reason(code=ReasonCode.ORDER))
            reasons += (Reason(code=_DIFFERENCES[role]) for role in self._differing(stored))
            for left, code in ((left_query, ReasonCode.MISSING), (left_stored, ReasonCode.ADDED)):
                if left:
                    reasons.append(Reason(code=code, count=len(left)))
            if not reasons:
                # The same words, and the same particles at other places between them.
                reasons.append(Reason(code=ReasonCode.ORDER))
        if stored.transliterated != self.query.transliterated:
            reasons.append(Reason(code=ReasonCode.TRANSLITERATION))
        return tuple(reasons)

    def _differing(self, stored: FoldedName) -> list[Role]:
        """Return the roles of little weight in which the two names differ."""
        roles = stored.roles
        return [
            role
            for role, ours in self._sides.items()
            if (role in roles or ours) and sorted(stored.having(role)) != ours
        ]

    def _pair(self, stored: FoldedName) -> tuple[list[Pairing], list[int], list[int]]:
        """Pair the words, then the initials, of both; return the pairings and what is left on either side."""
        query = self.query
        singles = list(self._singles(stored))
        pairings = choose(singles)
        words = max(query.roles.count(Role.WORD), stored.roles.count(Role.WORD))
        alike = self._alike[query.transliterated != stored.transliterated]
        if (alike.joined or alike.runs) and (
            len(pairings) < words or any(pairing.likeness < _SURE for pairing in pairings)
        ):
            joins = list(self._joins(stored))
            if joins:
                pairings = choose(singles + joins)
        left_query, left_stored = left_over(query, pairings, 0), left_over(stored, pairings, 1)
        if left_query and left_stored:
            further = choose(list(initials(query, left_query, stored, left_stored)))
            if further:
                pairings += further
                left_query, left_stored = left_over(query, pairings, 0), left_over(stored, pairings, 1)
        return pairings, left_query, left_stored

    def _singles(self, stored: FoldedName) -> Iterator[Pairing]:
        """Yield the pairs of single words that are alike at all."""
        parts = self.query.parts
        for mine, row in self._alike[self.query.transliterated != stored.transliterated].words.items():
            for theirs, other in enumerate(stored.parts):
                if other in row and stored.roles[theirs] == Role.WORD:
                    one = parts[mine]
                    yield Pairing(
                        row[other], max(weight(one), weight(other)), len(one) + len(other), (mine,), (theirs,)
                    )

    def _joins(self, stored: FoldedName) -> Iterator[Pairing]:
        """Yield pairs of one word with two or three neighbours of the other name, read joined."""
        alike = self._alike[self.query.transliterated != stored.transliterated]
        for number, row in alike.joined.items():
            places, joined, heavy = self.neighbours[number]
            for place, word in enumerate(stored.parts):
                if word in row and stored.roles[place] == Role.WORD and abs(len(joined) - len(word)) <= JOINED_SLACK:
                    letters = len(joined) + len(word)
                    yield Pairing(row[word] - _JOINED_COST, max(heavy, weight(word)), letters, places, (place,))
        for place, row in alike.runs.items():
            word = self.query.parts[place]
            for places, joined, heavy in neighbours(stored):
                if joined in row and abs(len(joined) - len(word)) <= JOINED_SLACK:
                    letters = len(joined) + len(word)
                    yield Pairing(row[joined] - _JOINED_COST, max(heavy, weight(word)), letters, (place,), places)

    def _why(self, pairing: Pairing, stored: FoldedName) -> Iterator[Reason]:
        """Yield what sets the two sides of a pairing apart; nothing where they are the same word."""
        part = pairing.query[0]
        one = "".join(self.query.parts[place] for place in pairing.query)
        other = "".join(stored.parts[place] for place in pairing.stored)
        if pairing.likeness == INITIAL:
            yield Reason(code=ReasonCode.INITIAL, part=part)
            return
        if len(pairing.query) != len(pairing.stored):
            yield Reason(code=ReasonCode.JOINED, part=part)
        if one != other:
            if shortened(one, other):
                yield Reason(code=ReasonCode.SHORTENED, part=part)
            elif skeleton(one) == skeleton(other):
                yield Reason(code=ReasonCode.SOUND, part=part)
            else:
                yield Reason(code=ReasonCode.TYPING_ERROR, part=part, count=OSA.distance(one, other))


def _note(
    alike: dict[int, dict[str, float]],
    places: Sequence[int],
    likeness: npt.NDArray[np.float64],
    others: Sequence[str],
    least: float,
) -> None:
    """Note what is alike enough: one row of `likeness` for each of `places`, one column for each of `others`."""
    for row, column in np.argwhere(likeness >= least).tolist():
        alike.setdefault(places[row], {})[others[column]] = float(likeness[row, column])

"""The table of names in memory that search by name uses.

The database holds no name and no token of one; whoever may search unseals the names into this table and asks the graph
about every candidate before anything is shown. Nothing here is shown by `repr`.

A search goes in three steps: words near the query's words (`index`), the names that hold them ranked by the weight
found, and the explained score (`scoring`) of the best of those.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from matching.folding import FoldedName, fold
from matching.index import NameIndex
from matching.scoring import Comparison, Reason, ReasonCode
from register.errors import Fault, Invalid

FEWEST_LETTERS: Final = 3
MOST_CHARACTERS: Final = 300
THRESHOLD: Final = 70.0
"""Candidates that score less are not shown unless the caller asks for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSubject:
    """One subject's names, as handed to the table.

    Attributes:
        subject_id: the key that a search answers with.
        names: the main name first, then aliases.
        born_on: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; None if not known.
        kind: person or organisation, in the register's words; None matches any.
    """

    subject_id: str
    names: tuple[str, ...] = field(repr=False)
    born_on: str | None = field(default=None, repr=False)
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A likely hit.

    Attributes:
        subject_id: the key the names were put under.
        score: 0 to 100, one decimal; the birth date, where both are known, is in it.
        name_position: which of the subject's names, counted from 0, fits best.
        reasons: why; they hold no text of the stored name.
    """

    subject_id: str
    score: float
    name_position: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, repr=False)
class _Subject:
    """What the table keeps of a subject; `numbers` are its names', in order."""

    numbers: tuple[int, ...]
    born_on: str | None
    kind: str | None


_SCORED: Final = 150
_AGREE: Final = ReasonCode.BIRTH_DATE_AGREES
_AGREES: Final = 2.0
_CONTRADICTS: Final = 10.0


class NameTable:
    """Names in memory. One thread at a time changes it while any number search; each call is atomic."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ready = False
        self._sequence = 0
        self._names = NameIndex()
        self._owners: list[str] = []
        self._subjects: dict[str, _Subject] = {}

    def __len__(self) -> int:
        """How many subjects it holds."""
        return len(self._subjects)

    def __repr__(self) -> str:
        return f"NameTable({len(self)} subjects, ready={self._ready}, sequence={self._sequence})"

    @property
    def ready(self) -> bool:
        """Whether it holds all there is; before that a search may miss what exists."""
        return self._ready

    @property
    def sequence(self) -> int:
        """The last change it has taken in, as told by `load` and `caught_up`; 0 at first."""
        return self._sequence

    def load(self, rows: Iterable[NamedSubject], *, sequence: int = 0) -> None:
        """Replace everything by `rows`, complete up to change `sequence`, and be ready.

        If `rows` raises, the table holds what came before that and is not ready.
        """
        with self._lock:
            self._ready, self._sequence = False, 0
            self._names, self._owners, self._subjects = NameIndex(), [], {}
        for row in rows:
            self.put(row.subject_id, row.names, row.born_on, row.kind)
        self.caught_up(sequence)

    def caught_up(self, sequence: int) -> None:
        """Note that every change up to and including `sequence` is in the table, which makes it ready.

        Raises:
            ValueError: `sequence` lies before one noted earlier.
        """
        if sequence < self._sequence:
            raise ValueError("a table of names never goes back to an earlier change")
        self._sequence = sequence
        self._ready = True

    def put(self, subject_id: str, names: Sequence[str], born_on: str | None = None, kind: str | None = None) -> None:
        """Add a subject, or replace what the table holds of it."""
        folded = tuple(map(fold, names))
        with self._lock:
            self._forget(subject_id)
            numbers = tuple(map(self._names.add, folded))
            self._owners += [subject_id] * len(numbers)
            self._subjects[subject_id] = _Subject(numbers, born_on, kind)

    def drop(self, subject_id: str) -> None:
        """Forget a subject; one that is not here is forgotten already."""
        with self._lock:
            self._forget(subject_id)

    def search(
        self,
        query: str,
        *,
        born_on: str | None = None,
        kind: str | None = None,
        limit: int = 10,
        threshold: float = THRESHOLD,
    ) -> tuple[Candidate, ...]:
        """Find subjects by name: typing errors, other spellings and scripts, any order, parts left out.

        Args:
            query: a name as somebody knows it.
            born_on: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`: moves candidates up or down and never hides one.
            kind: only subjects of this kind, or of none.
            limit: how many candidates at most.
            threshold: the least score, 0 to 100, the birth date left out.

        Where over 150 names share equally much with the query, those compared are the ones whose birth date agrees,
        then those put first.

        Returns:
            Candidates by descending score, then birth dates that agree first, then subject id.

        Raises:
            Invalid: `search.too-short` (fewer than three letters or digits) or `search.too-long`.
        """
        comparison = Comparison(_checked(query))
        with self._lock:
            best = dict[str, tuple[float, int]]()
            for number in self._names.nearest(
                comparison,
                _SCORED,
                among=None if kind is None else lambda number: self._is(kind, number),
                first=None if born_on is None else lambda number: self._born(born_on, number) == _AGREE,
            ):
                value = comparison.value(self._names[number])
                owner = self._owners[number]
                if value >= threshold:
                    best[owner] = max(best.get(owner, (0.0, 0)), (value, -number))
            ranked = []
            for owner, (value, negative) in best.items():
                born = self._born(born_on, -negative)
                ranked.append((-_adjusted(value, born), _BIRTH_ORDER.index(born), owner, -negative))
            return tuple(self._candidate(comparison, *one) for one in sorted(ranked)[:limit])

    def _candidate(self, comparison: Comparison, negative: float, birth: int, owner: str, number: int) -> Candidate:
        born = _BIRTH_ORDER[birth]
        return Candidate(
            subject_id=owner,
            score=-negative,
            name_position=self._subjects[owner].numbers.index(number),
            reasons=comparison.reasons(self._names[number]) + ((Reason(code=born),) if born else ()),
        )

    def _is(self, kind: str, number: int) -> bool:
        its = self._subjects[self._owners[number]].kind
        return its is None or its == kind

    def _born(self, on: str | None, number: int) -> ReasonCode | None:
        return _compare_births(on, self._subjects[self._owners[number]].born_on)

    def _forget(self, subject_id: str) -> None:
        subject = self._subjects.pop(subject_id, None)
        for number in subject.numbers if subject else ():
            self._owners[number] = ""
            self._names.remove(number)


_BIRTH_ORDER: Final = (ReasonCode.BIRTH_DATE_AGREES, None, ReasonCode.BIRTH_DATE_CONTRADICTS)


def _compare_births(one: str | None, other: str | None) -> ReasonCode | None:
    """Return whether two birth dates, each as exact as it is known, agree; None if one is missing.

    A day and a month exchanged, the usual slip with dates, say nothing either way.
    """
    if not one or not other:
        return None
    if one.startswith(other) or other.startswith(one):
        return ReasonCode.BIRTH_DATE_AGREES
    if sorted(one.split("-")) == sorted(other.split("-")):
        return None
    return ReasonCode.BIRTH_DATE_CONTRADICTS


def _adjusted(value: float, born: ReasonCode | None) -> float:
    match born:
        case ReasonCode.BIRTH_DATE_AGREES:
            return min(100.0, round(value + _AGREES, 1))
        case ReasonCode.BIRTH_DATE_CONTRADICTS:
            return max(0.0, round(value - _CONTRADICTS, 1))
    return value


def _checked(query: str) -> FoldedName:
    """Fold a query. Raises Invalid if it is too short to mean anybody or too long to be a name."""
    if len(query) > MOST_CHARACTERS:
        message = f"a name to search for has at most {MOST_CHARACTERS} characters"
        raise Invalid((Fault(pointer="/name", rule="search.too-long", message=message),))
    folded = fold(query)
    # Scripts without vowels fold to fewer letters than were written, ideographs to more.
    if max(folded.letters, sum(map(str.isalnum, query))) < FEWEST_LETTERS or not folded.parts:
        message = f"a name to search for has at least {FEWEST_LETTERS} letters"
        raise Invalid((Fault(pointer="/name", rule="search.too-short", message=message),))
    return folded

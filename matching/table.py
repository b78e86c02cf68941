"""The table of names in memory that search by name uses.

The database holds no name and no token of one; whoever may search unseals the names into this table and asks the graph
about every candidate before anything is shown. Nothing here is shown by `repr`.

A search goes in three steps: words near the query's words (`index`), the names that hold them ranked by the weight
found, and the explained score (`scoring`) of the best of those.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, NamedTuple

from matching.folding import FoldedName, fold
from matching.index import LACKING, NameIndex, Near
from matching.scoring import Comparison, Reason, ReasonCode
from register.errors import Fault, Invalid

FEWEST_LETTERS: Final = 3
MOST_CHARACTERS: Final = 300
LIKELY: Final = 85.0
"""From here on two names are alike as a whole; below, they share some words, which says more the rarer those are."""

THRESHOLD: Final = 65.0
"""Candidates that score less are not shown unless the caller asks for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSubject:
    """One subject's names, as handed to the table.

    Attributes:
        subject_id: the key that a search answers with.
        names: the main name first, then aliases.
        born_on: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; None if not known.
        kind: person or organisation, in the register's words; None matches any.
        compartment: who may see it, in any words.
    """

    subject_id: str
    names: tuple[str, ...] = field(repr=False)
    born_on: str | None = field(default=None, repr=False)
    kind: str | None = None
    compartment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A likely hit.

    Attributes:
        subject_id: the key the names were put under.
        score: 0 to 100, one decimal; the birth date, where both are known, is in it.
        name_position: which of the subject's names, counted from 0, fits best.
        comparison, name, born, rare: what the reasons are made from, when somebody asks for them.
    """

    subject_id: str
    score: float
    name_position: int
    comparison: Comparison = field(repr=False, compare=False)
    name: FoldedName = field(repr=False, compare=False)
    born: ReasonCode | None = field(repr=False)
    rare: bool = field(repr=False)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the score is what it is; no text of the stored name is in it."""
        further = ((ReasonCode.RARE_WORD,) if self.rare else ()) + ((self.born,) if self.born else ())
        return self.comparison.reasons(self.name) + tuple(Reason(code=code) for code in further)


@dataclass(frozen=True, slots=True, repr=False)
class _Subject:
    """What the table keeps of a subject; `numbers` are its names', in order, in its compartment."""

    numbers: tuple[int, ...]
    born_on: str | None
    kind: str | None
    compartment: str


@dataclass(frozen=True, slots=True, repr=False)
class _Compartment:
    """The names of one compartment, and whose each is, by number."""

    index: NameIndex = field(default_factory=NameIndex)
    owners: list[str] = field(default_factory=list)


class _Scored(NamedTuple):
    value: float
    born: ReasonCode | None
    position: int
    name: FoldedName
    rare: bool


class _Near(NamedTuple):
    owner: str
    subject: _Subject
    name: FoldedName
    found: Near


_SCORED: Final = 150
_RARE: Final = 1.0
_AGREE: Final = ReasonCode.BIRTH_DATE_AGREES
_AGREES: Final = 2.0
_CONTRADICTS: Final = 10.0


class NameTable:
    """Names in memory, apart by compartment. Each call is atomic, from whatever thread.

    Searching some compartments does not so much as touch the names of others: neither what is found nor how long it
    takes depends on them.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._ready = False
        self._sequence = 0
        self._indexes: dict[str, _Compartment] = {}
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
            self._indexes, self._subjects = {}, {}
        for row in rows:
            self.put(row.subject_id, row.names, row.born_on, row.kind, row.compartment)
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

    def put(
        self,
        subject_id: str,
        names: Sequence[str],
        born_on: str | None = None,
        kind: str | None = None,
        compartment: str = "",
    ) -> None:
        """Add a subject, or replace what the table holds of it."""
        folded = tuple(map(fold, names))
        with self._lock:
            self._forget(subject_id)
            held = self._indexes.get(compartment)
            if held is None:
                held = self._indexes[compartment] = _Compartment()
            numbers = tuple(map(held.index.add, folded))
            held.owners.extend([subject_id] * len(numbers))
            self._subjects[subject_id] = _Subject(numbers, born_on, kind, compartment)

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
        among: Collection[str] = ("",),
    ) -> tuple[Candidate, ...]:
        """Find subjects by name: typing errors, other spellings and scripts, any order, parts left out.

        Args:
            query: a name as somebody knows it.
            born_on: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`: moves candidates up or down and never hides one.
            kind: only subjects of this kind, or of none.
            limit: how many candidates at most.
            threshold: the least score, 0 to 100, the birth date left out.
            among: compartments to search in.

        Where over 150 names share equally much with the query, those compared are the ones whose birth date agrees,
        then those put first.

        Returns:
            Candidates by descending score, then birth dates that agree first, then subject id.

        Raises:
            Invalid: `search.too-short` (fewer than three letters or digits) or `search.too-long`.
        """
        comparison = Comparison(_checked(query))
        with self._lock:
            near, sounds = self._nearest(comparison, born_on, kind, among)
        # Names never change once folded, so they are compared without holding anybody up.
        best = dict[str, _Scored]()
        values = comparison.values([one.name for one in near], sounds)
        for (owner, subject, name, found), score in zip(near, values, strict=True):
            value, rare = _with_rarity(_without(score, found.lacking), found.rarity)
            if value >= threshold and (owner not in best or best[owner].value < value):
                born = _compare_births(born_on, subject.born_on)
                best[owner] = _Scored(value, born, subject.numbers.index(found.number), name, rare)
        ranked = sorted(
            (-_adjusted(one.value, one.born), _BIRTH_ORDER.index(one.born), owner) for owner, one in best.items()
        )
        return tuple(
            Candidate(
                subject_id=owner,
                score=-negative,
                name_position=best[owner].position,
                comparison=comparison,
                name=best[owner].name,
                born=best[owner].born,
                rare=best[owner].rare,
            )
            for negative, _, owner in ranked[:limit]
        )

    def _nearest(
        self, comparison: Comparison, born_on: str | None, kind: str | None, among: Collection[str]
    ) -> tuple[list[_Near], dict[str, str]]:
        """Return the names that share most with the query, best first, and the skeletons of their words."""
        found: list[tuple[float, bool, _Compartment, Near]] = []
        for compartment in among:
            held = self._indexes.get(compartment)
            if held is None:
                continue

            def subject(number: int, owners: Sequence[str] = held.owners) -> _Subject:
                return self._subjects[owners[number]]

            def fits(number: int) -> bool:
                return subject(number).kind in (None, kind)

            def agrees(number: int) -> bool:
                return _compare_births(born_on, subject(number).born_on) == _AGREE

            for one in held.index.nearest(
                comparison, _SCORED, among=fits if kind else None, first=agrees if born_on else None
            ):
                found.append((-one.share, not (born_on and agrees(one.number)), held, one))
        found.sort(key=lambda each: each[:2])
        near = []
        for _, _, held, one in found[:_SCORED]:
            owner = held.owners[one.number]
            near.append(_Near(owner, self._subjects[owner], held.index[one.number], one))
        sounds: dict[str, str] = {}
        for held in {id(each[2]): each[2] for each in found[:_SCORED]}.values():
            held.index.sounds((word for one in near for word in one.name.parts), sounds)
        return near, sounds

    def _forget(self, subject_id: str) -> None:
        subject = self._subjects.pop(subject_id, None)
        for number in subject.numbers if subject else ():
            held = self._indexes[subject.compartment]  # type: ignore[union-attr]
            held.owners[number] = ""
            held.index.remove(number)


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


def _without(value: float, lacking: float) -> float:
    """Return the score of a name that has nothing of much that the query says; see `index.Near`."""
    return round(100 / (100 / value + LACKING * lacking), 1) if value else value


def _with_rarity(value: float, rarity: float) -> tuple[float, bool]:
    """Return the score of a name that is hardly alike but shares a rare word, and whether that made a difference.

    Such a name never scores like one that is alike.
    """
    if value >= LIKELY:
        return value, False
    raised = min(round(value + _RARE * rarity * (LIKELY - value), 1), LIKELY - 0.1)
    return max(value, raised), raised > value


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

"""What really happened in a run: its journal added up, and what was looked for afterwards."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from register.ids import ArchiveId, SignalId
from register.runs import Erased, Fate, Skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked for afterwards: how many were asked for, expected and found, and when."""

    store: str
    check: str
    asked: int
    found: int
    at: datetime
    expected: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The journal of a run, added up.

    Attributes:
        parts: what left the live register, by what became of it and by kind as certificates call it.
        redacted: signals that stay, without some of their subjects.
        archived: ids under which records were archived; destroyed: ids of archived records that were destroyed.
        skipped: planned items left alone, with the reason.
    """

    parts: Mapping[tuple[Fate, str], frozenset[str]]
    redacted: frozenset[SignalId]
    archived: frozenset[ArchiveId]
    destroyed: frozenset[ArchiveId]
    skipped: Mapping[str, Skip]

    @classmethod
    def of(cls, journal: Sequence[Erased]) -> "Done":
        """Return the sum of journal lines. A signal that was redacted first and went later is gone, not redacted."""
        parts: dict[tuple[Fate, str], set[str]] = defaultdict(set)
        for line in journal:
            for kind, ids in _PARTS.items():
                parts[line.fate, kind].update(ids(line))
        signals = frozenset(one for line in journal for one in line.signals)
        return cls(
            parts={key: frozenset(ids) for key, ids in parts.items() if ids},
            redacted=frozenset(one for line in journal for one in line.redacted) - signals,
            archived=frozenset(one for line in journal for one in line.archived),
            destroyed=frozenset(one for line in journal for one in line.destroyed),
            skipped={item: reason for line in journal for item, reason in line.skipped},
        )

    def of_kind(self, kind: str) -> frozenset[str]:
        """Return what left the live register of this kind."""
        return frozenset[str]().union(*(ids for (_, each), ids in self.parts.items() if each == kind))

    @property
    def keyed(self) -> frozenset[str]:
        """Every id gone that has a row or token in the key store."""
        return self.of_kind("subject") | self.of_kind("signal") | self.of_kind("identifier")

    @property
    def ids(self) -> frozenset[str]:
        """Every id that left the live register."""
        return frozenset[str]().union(*self.parts.values())

    @property
    def counted(self) -> Mapping[tuple[Fate, str], frozenset[str]]:
        """Everything a certificate counts, by what became of it and by kind; destroyed archived records too."""
        destroyed = {(Fate.DESTROYED, "archived-record"): frozenset[str](self.destroyed)} if self.destroyed else {}
        return {**self.parts, **destroyed}


_PARTS: Final[Mapping[str, Callable[[Erased], tuple[str, ...]]]] = {
    "subject": lambda line: line.subjects,
    "signal": lambda line: line.signals,
    "mention": lambda line: line.mentions,
    "link": lambda line: line.links,
    "identifier": lambda line: line.identifiers,
}


def skipped(journal: Sequence[Erased], reason: Skip) -> tuple[str, ...]:
    """Return the items that journal lines say were left alone for this reason."""
    return tuple(item for line in journal for item, why in line.skipped if why is reason)

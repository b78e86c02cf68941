"""What really happened in a run: its journal added up, and what was looked for afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from register.ids import IdentifierId, LinkId, MentionId, SignalId, SubjectId
from register.runs import Erased


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked for afterwards: how many were asked for, how many found (none may be), and when."""

    store: str
    check: str
    asked: int
    found: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroyed:
    """The journal of a run, added up."""

    subjects: frozenset[SubjectId]
    signals: frozenset[SignalId]
    mentions: frozenset[MentionId]
    links: frozenset[LinkId]
    identifiers: frozenset[IdentifierId]
    redacted: frozenset[SignalId]
    skipped: Mapping[str, str]

    @classmethod
    def of(cls, journal: Sequence[Erased]) -> "Destroyed":
        """Return the sum of journal lines. A signal that was redacted first and went later is gone, not redacted."""
        signals = frozenset(one for line in journal for one in line.signals)
        return cls(
            subjects=frozenset(one for line in journal for one in line.subjects),
            signals=signals,
            mentions=frozenset(one for line in journal for one in line.mentions),
            links=frozenset(one for line in journal for one in line.links),
            identifiers=frozenset(one for line in journal for one in line.identifiers),
            redacted=frozenset(one for line in journal for one in line.redacted) - signals,
            skipped={item: reason.value for line in journal for item, reason in line.skipped},
        )

    @property
    def ids(self) -> frozenset[str]:
        """Every id that is gone."""
        return self.subjects | self.signals | self.mentions | self.links | self.identifiers

    @property
    def kinds(self) -> Mapping[str, frozenset[str]]:
        """The ids that are gone, by kind as certificates call it; kinds of which none is gone are left out."""
        kinds = {
            "subject": self.subjects,
            "signal": self.signals,
            "mention": self.mentions,
            "link": self.links,
            "identifier": self.identifiers,
        }
        return {kind: ids for kind, ids in kinds.items() if ids}

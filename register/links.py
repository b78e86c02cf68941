"""Links between subjects, and between a subject and a harbour: kinds, basis, dates. No clear text about persons."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class LinkKind(StrEnum):
    """What a signal says one end has to do with the other, read from `from` to `to`."""

    PAID = "paid"
    PROMISED = "promised"
    EMPLOYED_BY = "employed-by"
    HOLDS_OFFICE_AT = "holds-office-at"
    DIRECTS = "directs"
    OWNS = "owns"
    ASSOCIATE_OF = "associate-of"
    FAMILY_OF = "family-of"
    MET_WITH = "met-with"
    COMMUNICATED_WITH = "communicated-with"
    INTERMEDIARY_FOR = "intermediary-for"
    SUPPLIES = "supplies"
    ACTIVE_AT = "active-at"
    LINKED_TO = "linked-to"

    @property
    def relationship(self) -> str:
        """The type of the graph's relationship for this kind, such as `HOLDS_OFFICE_AT`."""
        return self.value.upper().replace("-", "_")


class Basis(StrEnum):
    """Whether a link is a fact or somebody's judgement; the two are kept apart (Wpg art. 4(3))."""

    FACT = "fact"
    ASSESSMENT = "assessment"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """A link as a signal states it.

    Attributes:
        from_ref: ref of a subject of the same signal.
        to_ref: ref of a subject of the same signal, or the UN/LOCODE of a harbour the signal names.
        kind: what the one has to do with the other.
        basis: fact or assessment.
        since: civil date on which it began, where known.
        until: last civil date on which it held, where known.
    """

    from_ref: str
    to_ref: str
    kind: LinkKind
    basis: Basis = Basis.ASSESSMENT
    since: date | None = None
    until: date | None = None

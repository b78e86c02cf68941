"""What can be decided about a subject or signal, and the canonical line in which a subject's facts keep each decision.

A line is `on accepted_on kind code dossier`, one space between, dates as YYYY-MM-DD: `on` is the date the law counts
with, `accepted_on` the civil date on which this register took it in. Who decided and why lies in the dossier. The lines
of a subject stand under its own MAC, so that one read tells, checked, everything its dates follow from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from register.errors import Tampered
from register.ids import DossierId, is_id


class ActKind(StrEnum):
    """What was decided about a subject."""

    REVIEW = "review"
    NECESSITY = "necessity-decision"
    NO_LONGER_NECESSARY = "no-longer-necessary"
    FOUND_INCORRECT = "found-incorrect"
    FOUND_UNLAWFUL = "found-unlawful"
    ORDER = "order"
    RESTRICTED = "restricted"
    RELEASED = "released"
    CORRECTION = "correction"


class ReviewCode(StrEnum):
    """Outcomes of a periodic review; each names its rule (law.md, terms, rules 3 and 4)."""

    STILL_NEEDED = "still-needed"
    NEW_INFORMATION = "needed-on-new-information"
    NO_LONGER_NECESSARY = "no-longer-necessary"
    RESTRICT = "restrict"
    RELEASE = "lift-restriction"


class EndCode(StrEnum):
    """Grounds of an early end."""

    NO_LONGER_NECESSARY = "no-longer-necessary"
    ORDERED_BY_COURT = "ordered-by-court"
    ORDERED_BY_SUPERVISOR = "ordered-by-supervisor"
    RECALLED = "recalled-by-supplier"
    INCORRECT = "incorrect"
    UNLAWFUL = "unlawful"
    INDIRECTLY_IDENTIFYING = "indirectly-identifying"


class RestrictionCode(StrEnum):
    """Grounds of a restriction."""

    DISPUTE = "dispute"
    REQUEST = "request"


class DeskCode(StrEnum):
    """Judgements of the desk on a signal that lost one of several subjects."""

    LEAVE = "leave"
    END = "end-signal"


class DossierKind(StrEnum):
    """What a dossier is about."""

    REVIEW = "review"
    RESTRICTION = "restriction"
    EARLY_END = "early-end"
    HOLD = "hold"
    LIFT = "hold-lift"
    DESK = "desk"
    RETURN = "return"
    NAMES = "names"
    RENEWAL = "key-renewal"


class DossierState(StrEnum):
    """How far a decision is. `proposed` waits for a second person."""

    PROPOSED = "proposed"
    DONE = "done"
    DECLINED = "declined"


ENDS: Final = MappingProxyType(
    {
        EndCode.NO_LONGER_NECESSARY: ActKind.NO_LONGER_NECESSARY,
        EndCode.ORDERED_BY_COURT: ActKind.NO_LONGER_NECESSARY,
        EndCode.ORDERED_BY_SUPERVISOR: ActKind.NO_LONGER_NECESSARY,
        EndCode.RECALLED: ActKind.NO_LONGER_NECESSARY,
        EndCode.INDIRECTLY_IDENTIFYING: ActKind.NO_LONGER_NECESSARY,
        EndCode.INCORRECT: ActKind.FOUND_INCORRECT,
        EndCode.UNLAWFUL: ActKind.FOUND_UNLAWFUL,
    }
)
"""As what each ground of an early end counts in the law: the first go to the archive, the last two are destroyed."""

CODES: Final = MappingProxyType(
    {
        ActKind.REVIEW: frozenset({ReviewCode.STILL_NEEDED}),
        ActKind.NECESSITY: frozenset({ReviewCode.NEW_INFORMATION}),
        ActKind.NO_LONGER_NECESSARY: frozenset(
            {code for code, kind in ENDS.items() if kind is ActKind.NO_LONGER_NECESSARY}
        ),
        ActKind.FOUND_INCORRECT: frozenset({EndCode.INCORRECT}),
        ActKind.FOUND_UNLAWFUL: frozenset({EndCode.UNLAWFUL}),
        ActKind.ORDER: frozenset({"return"}),
        ActKind.RESTRICTED: frozenset(RestrictionCode),
        ActKind.RELEASED: frozenset({ReviewCode.RELEASE}),
        ActKind.CORRECTION: frozenset({"rectified"}),
    }
)
"""The codes that go with each kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision about a subject.

    Attributes:
        on: civil date the law counts with; accepted_on: civil date on which this register took it in, not before `on`.
        code: one of CODES of its kind.
    """

    on: date
    accepted_on: date
    kind: ActKind
    code: str
    dossier: DossierId


def encode(decision: Decision) -> str:
    """Return the canonical line of a decision."""
    return " ".join(
        (
            decision.on.isoformat(),
            decision.accepted_on.isoformat(),
            decision.kind,
            decision.code,
            decision.dossier,
        )
    )


def decode(line: str) -> Decision:
    """Return the decision of a line; only the canonical form is one. Raises Tampered."""
    try:
        on, accepted_on, kind, code, dossier = line.split(" ")
        decision = Decision(
            on=date.fromisoformat(on),
            accepted_on=date.fromisoformat(accepted_on),
            kind=ActKind(kind),
            code=code,
            dossier=DossierId(dossier),
        )
    except ValueError:
        raise Tampered from None
    if (
        code not in CODES[decision.kind]
        or not is_id(dossier)
        or decision.accepted_on < decision.on
        or encode(decision) != line
    ):
        raise Tampered
    return decision


def decode_all(lines: Iterable[str]) -> tuple[Decision, ...]:
    """Return the decisions of a subject's lines, in their order. Raises Tampered."""
    return tuple(map(decode, lines))

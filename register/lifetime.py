"""The vocabulary of terms: events, deadlines, holds. The rules themselves lie in `retention`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final


class EventKind(StrEnum):
    """What can happen to a subject that a retention rule may count with."""

    SIGNAL = "signal"
    FIRST_PROCESSING = "first-processing"
    INVESTIGATION_ENDED = "investigation-ended"
    NECESSITY_DECISION = "necessity-decision"
    ORDER = "order"
    NO_LONGER_NECESSARY = "no-longer-necessary"
    FOUND_INCORRECT = "found-incorrect"
    FOUND_UNLAWFUL = "found-unlawful"
    CORRECTION = "correction"
    QUERY = "query"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened on civil date `on`, accepted in this register on `accepted_on`."""

    on: date
    kind: EventKind
    accepted_on: date
    new_information: bool = False


class ReviewOutcome(StrEnum):
    """What a periodic review comes to. One on new information is a necessity decision too, and moves the term."""

    STILL_NEEDED = "still-needed"
    NEW_INFORMATION = "needed-on-new-information"
    NO_LONGER_NECESSARY = "no-longer-necessary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A reasoned review on civil date `on`. A plain "still needed" keeps a subject in sight and prolongs nothing."""

    on: date
    outcome: ReviewOutcome


class HoldGround(StrEnum):
    """The statutory grounds of a hold."""

    ARCHIVAL_VALUE = "wpg-14-4"
    ACCURACY_DISPUTED = "wpg-28-2-a"
    EVIDENCE = "wpg-28-2-b"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldSpan:
    """The days on which a hold puts off destruction: from `from_` to `until`, its last day; without end if None."""

    ground: HoldGround
    from_: date
    until: date | None


class State(StrEnum):
    """Where a record stands on a given day; visible in the first two only.

    `review-overdue`: the day of its review has passed; `restricted`: so long ago that it is hidden; `removal-due`: to
    be taken out of the live register; `removed`: in the closed archive; `destruction-due`: to be destroyed.
    """

    ACTIVE = "active"
    REVIEW_OVERDUE = "review-overdue"
    RESTRICTED = "restricted"
    REMOVAL_DUE = "removal-due"
    REMOVED = "removed"
    DESTRUCTION_DUE = "destruction-due"


VISIBLE: Final = frozenset({State.ACTIVE, State.REVIEW_OVERDUE})
"""The states in which a record may be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """When something ends, and why exactly then.

    Attributes:
        remove_by: civil date from whose 00:00 on it is invisible, and on which it is removed.
        rule: id of the policy rule; citation: article and paragraph.
        because: the arithmetic in words, one step an item.
    """

    remove_by: date
    rule: str
    citation: str
    because: tuple[str, ...]


DeadlineOf = Callable[[date], Deadline]
"""The deadline that a signal received on a given civil date gives: a pure function of the policy, handed in."""

"""The vocabulary of terms: events, deadlines, holds. The rules themselves lie in `retention`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


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

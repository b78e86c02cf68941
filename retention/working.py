"""Terms in which the controller answers requests of persons: weeks, moved to a working day (Algemene termijnenwet).

Only terms of at most twelve weeks or three months are moved (art. 1(1), 4(a)): none of those for keeping data.
"""

from datetime import date
from typing import Final

import holidays

from retention.calendar import DAY
from retention.rules import Policy, RequestKind

_FREE: Final = holidays.country_holidays("NL", categories=("public", "optional"))
"""The days of art. 3 (Good Friday and 5 May of every year among them); years are filled in as they are asked for."""


def is_free(day: date) -> bool:
    """Say whether a term of weeks does not end on `day`: a Saturday, a Sunday, or a day of art. 3."""
    return day.isoweekday() > 5 or day in _FREE


def moved(day: date) -> date:
    """Return the first day from `day` on that is not free."""
    while is_free(day) and day < date.max:
        day = DAY.after(day)
    return day


def answer_by(policy: Policy, kind: RequestKind, received_on: date, *, postponed: bool = False) -> date:
    """Return the last day on which a request is answered in time.

    Args:
        policy: the policy in force.
        kind: of request.
        received_on: civil date of its receipt (Europe/Amsterdam).
        postponed: whether the answer was postponed, in writing; from the end of the term as it stands.

    Raises:
        LookupError: the policy knows no such request, or none that can be postponed.
    """
    term = policy.request(kind)
    day = term.term.after(received_on)
    if postponed:
        if term.postponed is None:
            raise LookupError("such an answer is not postponed")
        day = term.postponed.after(day)
    return moved(day)

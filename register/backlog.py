"""Over-retention is an alarm: no intake while something whose term has ended stays undone for too long.

A register that takes in more than its runs remove keeps what the law says has to go (Wpg art. 14).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from register.clock import civil_date
from register.errors import Unavailable

EVERY: Final = timedelta(minutes=1)
"""How often the store is asked: a run replaces the processes that take signals in, and with them the answer."""

OVERDUE: Final = "backlog.overdue"
REVIEWS_LATE: Final = "reviews.overdue"
"""That some review should have been done by now: told, and stops nothing (Wpg art. 10(6))."""


@dataclass(slots=True, kw_only=True, eq=False)
class Backlog:
    """How late the runs are.

    Attributes:
        oldest: gives the earliest day, not after a civil date, on which something that is still there was due.
        until: gives the last civil date on which something that was due on a day may still be there (policy).
    """

    oldest: Callable[[date], date | None]
    until: Callable[[date], date]
    _asked: datetime | None = field(default=None, init=False)
    _oldest: date | None = field(default=None, init=False)

    def overdue(self, now: datetime) -> bool:
        """Say whether something is later than the policy allows at `now` (aware). Raises Unavailable."""
        if self._asked is None or abs(now - self._asked) >= EVERY:
            self._oldest, self._asked = self.oldest(civil_date(now)), now
        return self._oldest is not None and self.until(self._oldest) < civil_date(now)

    def check(self, now: datetime) -> None:
        """Refuse intake at `now` (aware) while something is too late.

        Raises:
            Unavailable: `backlog.overdue`, or the store is not there.
        """
        if self.overdue(now):
            raise Unavailable(OVERDUE, "nothing is taken in until what is overdue has been removed")

"""The only place where time is asked for.

Instants are aware datetimes in UTC. Dates of the law are civil dates in Europe/Amsterdam.
"""

from datetime import UTC, date, datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")


class Clock(Protocol):
    """Gives the present instant; handed in wherever time matters."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC)


def civil_date(instant: datetime) -> date:
    """Return the civil date in Europe/Amsterdam at `instant` (which must be aware).

    Raises:
        ValueError: `instant` carries no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant without a time zone has no civil date")
    return instant.astimezone(AMSTERDAM).date()

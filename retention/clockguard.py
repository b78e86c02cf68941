"""The clock guard: whether the machine's time can be believed before anything is removed because of it.

A clock set forward would end every term at once; one set back would show what is hidden. Three witnesses are compared:
the clock itself, the machine's uptime (which nobody sets), and the time of the newest signed checkpoint.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

TOLERANCE: Final = timedelta(minutes=2)
"""How far clock and uptime may drift apart between two ticks: a time server's corrections are smaller."""

DOWNTIME: Final = timedelta(hours=72)
"""How long the machine may have been off without anybody being asked: a weekend (policy)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What the machine said of the time at one moment.

    Attributes:
        at: its clock (aware, UTC).
        boot: id of this start of the machine.
        uptime: seconds since that start, those asleep included.
    """

    at: datetime
    boot: str
    uptime: float


class Clockwork(StrEnum):
    """Whether the clock can be believed, and if not, which way it seems to have jumped."""

    STEADY = "steady"
    BACK = "clock.back"
    AHEAD = "clock.ahead"


def judge(now: Tick, *, last: Tick | None, sealed_at: datetime | None) -> Clockwork:
    """Say whether `now` can be explained.

    Args:
        now: the present tick.
        last: the last tick that was believed, or None before the first.
        sealed_at: time of the newest signed checkpoint (aware, UTC), or None before the first.

    Returns:
        `STEADY`; else which way the clock jumped. It stays so until the clock is right again or a person confirms it.
    """
    known = max((one for one in (last.at if last else None, sealed_at) if one), default=None)
    if known is None:
        return Clockwork.STEADY
    if now.at < known - TOLERANCE:
        return Clockwork.BACK
    if last is not None and last.boot == now.boot:
        drift = (now.at - last.at) - timedelta(seconds=now.uptime - last.uptime)
        if abs(drift) <= TOLERANCE:
            return Clockwork.STEADY
        return Clockwork.AHEAD if drift > timedelta(0) else Clockwork.BACK
    return Clockwork.AHEAD if now.at - known > DOWNTIME else Clockwork.STEADY

"""What this machine says of the time, and the last tick that was believed: one small file in the folder of the keys.

Not in the register's folder: whoever puts back an old copy of that does not put back what time it was.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from evidence.durable import write_durably
from register.clock import Clock
from register.errors import Tampered
from retention.clockguard import Clockwork, Tick, judge

FILE: Final = "clock.json"
BELIEVED_EVERY: Final = timedelta(seconds=10)
"""How often a believed tick is written down."""

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


def tick(clock: Clock) -> Tick:
    """Return what the machine says now; without /proc every call is a start of its own."""
    try:
        boot = _BOOT.read_text("ascii").strip()
    except OSError:
        boot = ""
    return Tick(at=clock.now(), boot=boot, uptime=time.clock_gettime(time.CLOCK_BOOTTIME))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticks:
    """The last tick believed, kept in `folder`."""

    folder: Path

    def last(self) -> Tick | None:
        """Return it, or None before the first. Raises Tampered: the file is damaged; a person has to confirm."""
        try:
            kept = json.loads((self.folder / FILE).read_bytes())
            return Tick(at=datetime.fromisoformat(kept["at"]), boot=kept["boot"], uptime=float(kept["uptime"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            raise Tampered("clock.damaged", "the last tick of the clock cannot be read") from None

    def believe(self, one: Tick) -> None:
        """Write `one` down as right: by the guard that could explain it, or by a person who confirms it."""
        kept = {"at": one.at.astimezone(UTC).isoformat(), "boot": one.boot, "uptime": one.uptime}
        write_durably(self.folder, [(FILE, json.dumps(kept).encode("ascii"))], mode=0o600)

    def look(self, now: Tick, sealed_at: Callable[[], datetime | None]) -> Clockwork:
        """Judge `now`, and write it down when it can be explained. `sealed_at` is asked for when it is needed."""
        try:
            last = self.last()
        except Tampered:
            return Clockwork.AHEAD
        found = judge(now, last=last, sealed_at=sealed_at())
        if found is Clockwork.STEADY and (last is None or now.at - last.at >= BELIEVED_EVERY):
            self.believe(now)
        return found


@dataclass(slots=True, kw_only=True)
class NeverBack:
    """A clock for those who show: never before the last tick believed, so that a clock set back un-hides nothing."""

    clock: Clock
    ticks: Ticks
    _floor: datetime | None = None
    _read: float = float("-inf")

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        if time.monotonic() - self._read >= 1:
            with suppress(Tampered):  # until a person confirms the time, the tick read before it was damaged counts
                last = self.ticks.last()
                self._floor = last.at if last else None
            self._read = time.monotonic()
        now = self.clock.now()
        return now if self._floor is None else max(now, self._floor)

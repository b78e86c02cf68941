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
CONFIRMED: Final = "clock.confirmed.json"
"""Beside it: who was the first of two to say that a clock that jumped is right, and what it said then."""
BELIEVED_EVERY: Final = timedelta(seconds=10)
"""How often a believed tick is written down."""
CONFIRMS: Final = timedelta(hours=1)
"""How long the word of the first who confirms waits for the second."""

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
        """Return it, or None before the first. Raises Tampered: the file is damaged; two people have to confirm."""
        found = self._read(FILE)
        return None if found is None else found[0]

    def believe(self, one: Tick) -> None:
        """Write `one` down as right: by the guard that could explain it, or by two people who confirm it."""
        self._write(FILE, one, "")
        (self.folder / CONFIRMED).unlink(missing_ok=True)

    def confirmed_by(self, now: Tick) -> str:
        """Return who confirmed the clock first and whose word still holds at `now`, or "" where nobody's does.

        It holds for an hour, and only while the clock goes on from what it said then.
        """
        with suppress(Tampered):
            found = self._read(CONFIRMED)
            if found is not None:
                first, by = found
                recent = abs(now.at - first.at) <= CONFIRMS and first.boot == now.boot
                if recent and judge(now, last=first, sealed_at=None) is Clockwork.STEADY:
                    return by
        return ""

    def confirm(self, now: Tick, by: str) -> None:
        """Note that `by` says the clock is right; it is believed once another person said so too (attack 39)."""
        if self.confirmed_by(now) in ("", by):
            self._write(CONFIRMED, now, by)
        else:
            self.believe(now)

    def _read(self, name: str) -> tuple[Tick, str] | None:
        try:
            kept = json.loads((self.folder / name).read_bytes())
            one = Tick(
                at=datetime.fromisoformat(kept["at"]).astimezone(UTC), boot=kept["boot"], uptime=float(kept["uptime"])
            )
            return one, str(kept.get("by", ""))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Tampered("clock.damaged", "the last tick of the clock cannot be read") from None

    def _write(self, name: str, one: Tick, by: str) -> None:
        kept = {"at": one.at.astimezone(UTC).isoformat(), "boot": one.boot, "uptime": one.uptime, "by": by}
        write_durably(self.folder, [(name, json.dumps(kept).encode("ascii"))], mode=0o600)

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

"""Holding on to the lease through long work: it is renewed in time, and not at every step."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from register.clock import Clock
from register.runs import Lease

PART: Final = 3
"""A lease is renewed when this part of its time has passed."""


class Tenure:
    """Gives the lease whenever it is asked for, renewed first where a third of its time has passed, or time went back.

    Threads may share it.

    What it gives may be lost all the same: every write asserts the fence (`graph.fence`, `vault.keystore`).

    Args:
        renew: renews it, or raises Unavailable when it is lost.
        clock: says how much time has passed.
        seconds: for which the lease runs.
    """

    def __init__(self, renew: Callable[[], Lease], clock: Clock, seconds: int) -> None:
        self._renew = renew
        self._clock = clock
        self._every = timedelta(seconds=seconds) / PART
        self._held: tuple[Lease, datetime] | None = None
        self._lock = Lock()

    def __call__(self) -> Lease:
        """Return the lease. Raises Unavailable: it is lost."""
        now = self._clock.now()
        with self._lock:
            if self._held is None or not timedelta(0) <= now - self._held[1] < self._every:
                self._held = self._renew(), now
            return self._held[0]

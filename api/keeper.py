"""The keeper: starts fresh children for retention runs, and seals the audit trail.

It holds the log keys and no other: what opens a record is only ever in its children, which end with their work.
"""

import errno
import logging
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final, NoReturn

from api.auditing import AuditDesk
from api.children import run
from api.logbook import Logbook
from api.places import refuse_quarantine, register_of, rotation_due
from api.server import endpoint
from api.settings import Settings
from api.ticks import Ticks, tick
from api.watch import TrailWatch
from api.wiring import logbook, vouched
from api.witnessing import Witnessing, witnessing
from graph import schema
from graph.erasure import Purging
from graph.trail import AuditTrail
from register.audit import Act
from register.clock import Clock, SystemClock, civil_date
from register.errors import RegisterError
from register.ids import mint
from retention.clockguard import Clockwork
from retention.orders import nightly, pending
from retention.schedule import Jobs
from retention.schedule import keep as keep_going
from retention.steps import own_entry

CHILDREN: Final = ("run", "finish")
"""The two children of a run: the first holds the old root key, the second never saw it."""

AHEAD: Final = 5000
"""Entries that are taken into the index of the log at a time."""

DISK_FAILED: Final = frozenset({"log.storage", "log.broken"})
EXIT_DISK: Final = 74
"""Exit status after the log could not be written (EX_IOERR of sysexits.h)."""
FAILURES: Final = frozenset({errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""What a disk says that failed or is full."""

_log = logging.getLogger(__name__)


def keep(settings: Settings, started: Callable[[], None]) -> None:
    """Keep the register of `settings` until told to end; `started` is called once the clockwork runs.

    Raises:
        Unavailable: there is no register, or its graph cannot be reached at the start.
    """
    register = register_of(settings.home)
    clock = SystemClock()
    refuse_quarantine(settings)
    holder = mint()
    ticks = Ticks(folder=settings.keys_folder)
    with ExitStack() as opened:
        graph = opened.enter_context(vouched(settings, opened.enter_context(endpoint(settings))))
        graph.verify()
        schema.check(graph, register)
        erasure = Purging(graph)
        trail = AuditTrail(graph)
        log = logbook(settings, register, trail, clock)
        watch = TrailWatch(folder=log.log_folder, trail=trail, strands=log.strands, alarm=log.alarm, clock=clock)
        seen = witnessing(log, settings)
        seen.check()
        seen.renew_proofs()
        ended = Daily()
        guard = ClockGuard(ticks=ticks, clock=clock, log=log, trail=trail)

        def order() -> None:
            if guard.steady():
                nightly(erasure, clock)
                if rotation_due(settings, civil_date(clock.now())):
                    run("expire")

        def work() -> None:
            doubted = guard.doubted
            if guard.steady():
                if doubted:
                    nightly(erasure, clock)
                _work(erasure, holder)
            replicas.do(lambda: run("replicate"))

        between = 60.0 * settings.replicate_minutes
        replicas = Every(seconds=between, due=time.monotonic() + between)
        jobs = Jobs(
            nightly=partial(_told, "nightly", order),
            work=partial(_told, "work", work),
            seal=partial(_told, "seal", lambda: _seal(log, seen, watch, ended)),
        )
        keep_going(jobs, started=started)


@dataclass(slots=True, kw_only=True)
class ClockGuard:
    """Stops every run while the clock cannot be believed; tells it once, as an incident."""

    ticks: Ticks
    clock: Clock
    log: Logbook
    trail: AuditTrail
    doubted: bool = False

    def steady(self) -> bool:
        """Say whether the clock is believed."""
        found = self.ticks.look(tick(self.clock), self.log.sealed_at)
        if found is not Clockwork.STEADY and not self.doubted:
            _log.error("the clock is not believed (%s): no run begins until it is confirmed", found)
            entry = own_entry(self.clock.now(), Act.INTEGRITY_INCIDENT, detail={"code": found.value})
            self.trail.append([entry])
        self.doubted = found is not Clockwork.STEADY
        return not self.doubted


def _work(erasure: Purging, holder: str) -> None:
    if pending(erasure):
        for child in CHILDREN:
            status = run(child, "--holder", holder)
            if status:
                _log.warning("child %s ended with status %d; it is taken up again", child, status)
                return


@dataclass(slots=True, kw_only=True)
class Every:
    """Does something every so many `seconds`, first when `time.monotonic()` is `due`."""

    seconds: float
    due: float

    def do(self, work: Callable[[], object]) -> None:
        """Do `work` unless that was done a short while ago."""
        if time.monotonic() >= self.due:
            work()
            self.due = time.monotonic() + self.seconds


@dataclass(slots=True)
class Daily:
    """Does something once a civil day, and again at the next call if it failed."""

    done: date | None = None

    def of(self, day: date, work: Callable[[date], object]) -> None:
        """Do `work` for `day` unless that was done."""
        if self.done != day:
            work(day)
            self.done = day


def _seal(log: Logbook, seen: Witnessing, watch: TrailWatch, ended: Daily) -> None:
    sealed = log.seal_trail()
    ended.of(civil_date(log.now()), log.end_terms)
    if seen.collect() is not None:
        seen.renew_proofs()
    watch.look()
    if not sealed:
        # In a quiet second, so that no import waits for it and no question has to.
        AuditDesk(log).catch_up(AHEAD)


def _told(job: str, work: Callable[[], object]) -> None:
    """Do `work`; what the register itself refuses is logged by its code and tried again at the job's next time."""
    try:
        work()
    except RegisterError as error:
        _log.error("job %s: %s", job, error.code)
        if error.code in DISK_FAILED:
            _end()
    except OSError as error:
        if error.errno not in FAILURES:
            raise
        _log.error("job %s: %s", job, errno.errorcode[error.errno])
        _end()


def _end() -> NoReturn:
    """End at once: after a failed sync nothing is known about what is on the disk, and no later one may be believed."""
    os._exit(EXIT_DISK)

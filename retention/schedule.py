"""The keeper's clockwork. It holds no key: each job only starts a fresh child process, or files what one is to do.

No job may be lost: a job that comes late is still done, however late; several that were missed are done once; one that
is still running when it is due again comes again at its next second.
"""

import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]
from apscheduler.triggers.interval import IntervalTrigger  # type: ignore[import-untyped]

NIGHTLY: Final = CronTrigger(hour=23, minute=5, timezone="UTC")
"""Five past midnight in Amsterdam in winter, five past one in summer: the civil day has always turned."""
EACH_SECOND: Final = IntervalTrigger(seconds=1, timezone="UTC")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """What the keeper does, each handed in and safe to run again.

    Attributes:
        nightly: files the order of the night, unless it is filed; also run once at the start, for nights missed.
        work: carries out what is ordered and unfinished, in fresh child processes.
        seal: seals the audit entries that are not in the log yet.
    """

    nightly: Callable[[], None]
    work: Callable[[], None]
    seal: Callable[[], None]


def scheduler(jobs: Jobs) -> BackgroundScheduler:
    """Return the scheduler with its jobs, not started."""
    made = BackgroundScheduler(
        timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    )
    made.add_job(jobs.nightly, NIGHTLY, id="nightly")
    made.add_job(jobs.work, EACH_SECOND, id="work")
    made.add_job(jobs.seal, EACH_SECOND, id="seal")
    return made


def keep(jobs: Jobs, *, started: Callable[[], None]) -> None:
    """Keep until SIGTERM or SIGINT, then let running jobs end and return. To be called in the main thread.

    Args:
        jobs: what to do.
        started: called once the clockwork runs.
    """
    stop = threading.Event()

    def ask_to_stop(number: int, _frame: FrameType | None) -> None:
        _log.info("stopping on signal %d", number)
        stop.set()

    before = {one: signal.signal(one, ask_to_stop) for one in (signal.SIGTERM, signal.SIGINT)}
    # a job of every second that still runs is no mishap: it comes again a second later
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    made = scheduler(jobs)
    made.start()
    try:
        made.add_job(jobs.nightly, id="start")  # without a trigger: at once
        started()
        stop.wait()
    finally:
        made.shutdown(wait=True)
        for one, handler in before.items():
            signal.signal(one, handler)

"""The keeper's clockwork: no job lost, none twice at once, a clean stop."""

import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from register.clock import civil_date
from retention.schedule import NIGHTLY, Jobs, scheduler

ROOT = Path(__file__).parent.parent.parent


def _nothing() -> None:
    """A job that does nothing."""


@pytest.mark.parametrize("job", ["nightly", "work", "seal"])
def test_no_job_may_be_lost_or_run_twice_at_once(job):
    made = scheduler(Jobs(nightly=_nothing, work=_nothing, seal=_nothing))
    made.start(paused=True)
    try:
        settled = made.get_job(job)
        assert (settled.misfire_grace_time, settled.coalesce, settled.max_instances) == (None, True, 1)
        assert str(settled.trigger.timezone) == "UTC"
    finally:
        made.shutdown()


@pytest.mark.parametrize("start", [date(2026, 1, 1), date(2026, 3, 25), date(2026, 10, 20)])
def test_the_night_falls_once_in_every_civil_day(start):
    at = datetime(start.year, start.month, start.day, 12, tzinfo=UTC)
    days = []
    for _ in range(10):
        at = NIGHTLY.get_next_fire_time(None, at + timedelta(seconds=1))
        days.append(civil_date(at))
    assert days == [start + timedelta(days=1 + place) for place in range(10)]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_what_is_due_and_stops_cleanly_after_the_work_in_hand(stop):
    command = [sys.executable, "-m", "tests.retention.keeper"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as keeper:
        said = []
        for line in keeper.stdout:
            said.append(line.strip())
            if said.count("work begun") >= 2 and "stopping" not in said:
                keeper.send_signal(stop)
                said.append("stopping")
        assert keeper.wait(timeout=30) == 0
    assert said[-1] == "stopped"
    assert said.count("nightly") == 1
    assert said.count("seal") >= 2
    work = [one for one in said if one.startswith("work")]
    assert work == ["work begun", "work done"] * (len(work) // 2)
    assert not [one for one in said if "Traceback" in one or "skipped" in one]

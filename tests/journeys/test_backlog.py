"""Nights that were missed: something overdue stops intake, is told, and one run takes all of it."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from api.exchange.signal_v1 import to_json
from api.wiring import workplace
from graph.gauges import holdings
from register.access import Actor, Role
from register.errors import Unavailable
from register.signals import NewSignal
from tests.builders import a_signal
from tests.fakes import SetClock
from tests.journeys.installation import Installation
from tests.journeys.test_enquiry import TODAY, cast, tie

DESK = Actor(code="desk", role=Role.CONTRIBUTOR)
EARLY, LATE, _ = cast("q", "Quirijn Aardenburg", "Quinta Biervliet", "Q. Handel B.V.")


def nobody(reference: str, *, days: int) -> NewSignal:
    """A signal that names nobody: it ends by its own term."""
    received_on = TODAY - timedelta(days=days)
    return a_signal(reference=reference, received_on=received_on, subjects=(), links=(), ports=())


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def opened_on(register: Installation, day: date, kind: str = "test"):
    return workplace(register.settings, kind, clock=SetClock(noon(day)))


def test_what_was_left_undone_for_a_week_stops_intake_until_one_run_took_all_of_it(register: Installation) -> None:
    """C02, C32, R13, R33: runs that do not keep up are an alarm; missed nights are caught up by one run."""
    with register.serving(keeper=False):
        for code, role in (("douane", "contributor"), ("chris", "compliance-officer")):
            register.enrol(code, role)
        for one in (tie("b-1", EARLY, LATE, days=80), nobody("b-2", days=120)):
            assert register.ask("douane", "POST", "/v1/signals", json.loads(to_json(one))).status_code == 201
        assert "backlog.overdue" not in register.ask("", "GET", "/readyz").json()["details"]["alarms"]
    with workplace(register.settings, "test") as opened:
        days = opened.graph.read(
            lambda tx: tx.run(
                "MATCH (s:Subject) RETURN s.remove_by AS day UNION MATCH (n:Signal) RETURN n.remove_by AS day"
            ).value()
        )
    due, last = sorted(day.to_native() for day in days if day is not None)
    assert due < last

    with opened_on(register, due + timedelta(days=7)) as opened:
        opened.intake.backlog.check(opened.clock.now())
    with opened_on(register, due + timedelta(days=8)) as opened:
        with pytest.raises(Unavailable) as told:
            opened.intake.record(DESK, tie("b-3", EARLY, LATE, days=1))
        assert told.value.code == "backlog.overdue"

    # Nobody ran anything on the first due day, nor in the nights after it.
    with register.serving():
        run = register.ask("chris", "POST", "/v1/retention/runs", {"on": last.isoformat()}).json()["run"]
        assert register.finished(run, "chris")["state"] == "certified"

    with opened_on(register, last + timedelta(days=30)) as opened:
        held = holdings(opened.graph, last)
        assert (held.subjects, held.signals, held.oldest) == (0, 0, None)
        assert not opened.intake.record(DESK, tie("b-4", EARLY, LATE, days=1)).repeated

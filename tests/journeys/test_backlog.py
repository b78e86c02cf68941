"""Nights that were missed: something overdue stops intake, is told, and one run takes all of it."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from api.exchange.signal_v1 import to_json
from api.wiring import workplace
from register.access import Actor, Role
from register.errors import Unavailable
from tests.fakes import SetClock
from tests.journeys.installation import Installation
from tests.journeys.test_enquiry import cast, tie, wait_found

DESK = Actor(code="desk", role=Role.CONTRIBUTOR)
EARLY, LATE, _ = cast("q", "Quirijn Aardenburg", "Quinta Biervliet", "Q. Handel B.V.")
ONE, OTHER, _ = cast("r", "Rombout Cadzand", "Roelien Draaibrug", "R. Handel B.V.")


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def opened_on(register: Installation, day: date, kind: str = "test"):
    return workplace(register.settings, kind, clock=SetClock(noon(day)))


def test_what_was_left_undone_for_a_week_stops_intake_until_one_run_took_all_of_it(register: Installation) -> None:
    """C02, C32, R13, R33: runs that do not keep up are an alarm; missed nights are caught up by one run."""
    with register.serving(keeper=False):
        for code, role in (("douane", "contributor"), ("ana", "analyst"), ("chris", "compliance-officer")):
            register.enrol(code, role)
        for reference, pair, days in (("b-1", (EARLY, LATE), 40), ("b-2", (ONE, OTHER), 33)):
            body = json.loads(to_json(tie(reference, *pair, days=days)))
            assert register.ask("douane", "POST", "/v1/signals", body).status_code == 201
        (found,) = wait_found(register, "ana", "Rombout Cadzand")
        assert "backlog.overdue" not in register.ask("", "GET", "/readyz").json()["details"]["alarms"]
    last = date.fromisoformat(found["remove_by"])
    with workplace(register.settings, "test") as opened:
        hidden = opened.graph.read(lambda tx: tx.run("MATCH (s:Subject) RETURN DISTINCT s.hidden_from").value())
    due, later = sorted(day.to_native() for day in hidden)
    assert due < later

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
        (told_run,) = [
            one for one in register.ask("chris", "GET", "/v1/retention/runs").json()["runs"] if one["run"] == run
        ]
        assert told_run["outcome"]["subjects"] == 4

    with opened_on(register, last + timedelta(days=30)) as opened:
        assert not opened.intake.record(DESK, tie("b-4", EARLY, LATE, days=1)).repeated

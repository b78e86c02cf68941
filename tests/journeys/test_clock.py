"""A machine whose clock was set back or forward: no run begins until somebody confirms the time."""

import json
import time
from datetime import timedelta

from api.exchange.signal_v1 import to_json
from api.ticks import Ticks, tick
from register.clock import SystemClock
from retention.clockguard import Tick
from tests.journeys.installation import Installation
from tests.journeys.test_enquiry import cast, found, tie, wait_found

ADA, BEP, _ = cast("k", "Adelheid Torenvliet", "Barend Kromhout", "Torenvliet Expeditie B.V.")


def told(register: Installation, code: str) -> None:
    """Wait until the log holds an entry that names `code`: the keeper seals each second."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if any(code in path.read_text() for path in (register.home / "log" / "bodies").rglob("*") if path.is_file()):
            return
        time.sleep(0.1)
    raise AssertionError("not in the log")


def test_a_clock_that_jumped_stops_every_run_until_it_is_confirmed(register: Installation):
    ticks, now = Ticks(folder=register.settings.keys_folder), tick(SystemClock())
    with register.serving(keeper=False):
        register.enrol("douane", "contributor")
        register.enrol("ana", "analyst")
        for officer in ("chris", "carla"):
            register.enrol(officer, "compliance-officer")
        assert register.ask(
            "douane", "POST", "/v1/signals", json.loads(to_json(tie("c-1", ADA, BEP, days=200)))
        ).is_success
        (ada,) = wait_found(register, "ana", "Adelheid Torenvliet")
    # As if the clock had been set back by thirty days since the last tick: what was over is not over any more.
    ticks.believe(Tick(at=now.at + timedelta(days=30), boot=now.boot, uptime=now.uptime))
    with register.serving():
        assert register.ask("ana", "GET", "/v1/retention/clock").status_code == 403
        seen = register.ask("chris", "GET", "/v1/retention/clock").json()
        assert seen["state"] == "clock.back"
        examined = json.loads(register.run("doctor", "--json", status=1))["findings"]
        assert ("clock", "clock.back", True) in {(one["what"], one["state"], one["bad"]) for one in examined}
        run = register.ask("chris", "POST", "/v1/retention/runs", {"on": ada["remove_by"]}).json()["run"]
        told(register, "clock.back")
        (waiting,) = [
            one for one in register.ask("chris", "GET", "/v1/retention/runs").json()["runs"] if one["run"] == run
        ]
        assert waiting["state"] == "ordered"
        for _ in range(2):
            alone = register.json("retention", "clock", "--confirm", key="chris")
            assert (alone["state"], alone["confirmed_by"]) == ("clock.back", "chris")
        confirmed = register.json("retention", "clock", "--confirm", key="carla")
        assert (confirmed["state"], confirmed["confirmed_by"]) == ("steady", None)
        assert register.finished(run, "chris")["state"] == "certified"
        assert found(register, "ana", "Adelheid Torenvliet") == []
        told(register, "clock.confirm")

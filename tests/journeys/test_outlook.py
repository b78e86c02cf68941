"""Looking ahead over the API and the command line: dates explained, a calendar, cases that evaluate offline."""

import json
from datetime import timedelta

from api.exchange.signal_v1 import to_json
from register.clock import SystemClock, civil_date
from retention.calendar import Period
from tests.builders import a_person, a_signal

TODAY = civil_date(SystemClock().now())


def test_what_the_register_says_of_its_subjects_can_be_computed_again_without_it(next_register, tmp_path):
    register = next_register()
    with register.serving(keeper=False):
        register.enrol("douane", "contributor")
        register.enrol("chris", "compliance-officer")
        received_on = TODAY - timedelta(days=10)
        signal = a_signal(received_on=received_on, handed_in_on=None, subjects=(a_person(),), links=(), ports=())
        assert register.ask("douane", "POST", "/v1/signals", json.loads(to_json(signal))).status_code == 201
        written = register.run("retention", "cases", key="chris")
        (case,) = map(json.loads, written.splitlines())
        told = register.json("retention", "explain", case["case"], key="chris")
        remove_by = Period.parse("P5Y").after(received_on).isoformat()
        assert (told["state"], told["verdict"], told["remove_by"]) == ("active", "verifies", remove_by)
        assert told["facts"] == case["subject"]
        assert remove_by in register.run("retention", "explain", case["case"], key="chris")
        register.run("retention", "explain", "0" * 32, key="chris", status=1)
        weeks = register.json("retention", "calendar", "--weeks", "4", key="chris")["weeks"]
        assert [(one["reviews"], one["removals"]) for one in weeks] == [(0, 0)] * 4
        assert register.json("retention", "rehearse", key="chris")["runs"] == []
    (tmp_path / "cases.ndjson").write_text(written)
    again = json.loads(register.run("retention", "evaluate", str(tmp_path / "cases.ndjson")))
    assert (again["case"], again["remove_by"]) == (case["case"], remove_by)

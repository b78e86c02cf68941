"""Return by order (Wpg art. 14(3)): from the closed archive back into the register, by two people, under a new id."""

import json
from datetime import timedelta

from api.exchange.signal_v1 import to_json
from register.clock import SystemClock, civil_date
from retention.calendar import Period
from tests.builders import a_person, a_signal

TODAY = civil_date(SystemClock().now())
NECESSITY = {"Purpose": "necessity-review", "Case": "RR-2026/1"}
ORDER = {"Purpose": "theme-insight", "Case": "OM-2026/14-3"}


def archived(register, person, received_on):
    """Take a signal in, end its subject early by two people, and return the archived record's file and the old id."""
    narrative = f"{person.names[0]} was seen at the harbour office with an unknown man."
    signal = a_signal(
        received_on=received_on, handed_in_on=None, subjects=(person,), links=(), ports=(), narrative=narrative
    )
    assert register.ask("douane", "POST", "/v1/signals", json.loads(to_json(signal))).status_code == 201
    (case,) = map(json.loads, register.run("retention", "cases", key="chris").splitlines())
    why = {"ground": "no-longer-necessary", "reason": "Not needed any more."}
    body = {"subject": case["case"], "revision": 1, **why}
    proposed = register.ask("petra", "POST", "/v1/decisions", body, **NECESSITY)
    path = f"/v1/decisions/{proposed.json()['dossier']}/settlement"
    agreed = register.ask("piet", "POST", path, {"agreed": True, "reason": "Agreed."}, **NECESSITY).json()
    # the keeper's own run of today may have been first
    assert register.finished(agreed["run"], "chris")["state"] in ("certified", "nothing-due")
    (file,) = (one for one in (register.home / "archive").glob("*/*") if len(one.name) == 32)
    return file, case["case"]


def enrol(register):
    register.enrol("douane", "contributor")
    register.enrol("chris", "compliance-officer")
    for officer in ("petra", "piet"):
        register.enrol(officer, "privacy-officer")


def test_an_archived_record_comes_back_by_order_and_its_copy_goes(next_register, tmp_path):
    """W14: live again under its own event, with a term from the order; the archived copy is void and destroyed."""
    register = next_register()
    received_on = TODAY - timedelta(days=400)
    with register.serving():
        enrol(register)
        file, old = archived(register, a_person(names=("Wubbo Terugkeer", "Wub")), received_on)

        looked = ("--ground", "wpg-14-3", "--case", "OM-2026/14-3", *register.custodian)
        export = tmp_path / "export.json"
        register.run("archive", "open", file.name, "--export", str(export), *looked)
        assert export.stat().st_mode & 0o077 == 0
        record = json.loads(export.read_bytes())

        body = {"record": record, "authority": "Functioneel Parket", "ordered_on": TODAY.isoformat()}
        early = {**body, "ordered_on": (TODAY - timedelta(days=1)).isoformat(), "authority": "", "reason": "Why"}
        refused = register.ask("petra", "POST", "/v1/returns", early | {"authority": " "}, **ORDER)
        assert {one["rule"] for one in refused.json()["errors"]} == {"text.blank", "return.order"}
        asked = register.ask("petra", "POST", "/v1/returns", {**body, "reason": "New facts."}, **ORDER)
        dossier = asked.json()["dossier"]
        answer = f"/v1/returns/{dossier}/settlement"
        yes = {"agreed": True, "reason": "The order is in writing.", "record": record}
        alone = register.ask("petra", "POST", answer, yes, **ORDER)
        assert (alone.status_code, alone.json()["code"]) == (403, "approval.second-person")
        other = json.loads(json.dumps(record).replace("Terugkeer", "Terugveer"))
        changed = register.ask("piet", "POST", answer, {**yes, "record": other}, **ORDER)
        assert (changed.status_code, changed.json()["code"]) == (409, "return.other-record")
        assert register.run("retention", "cases", key="chris") == ""
        done = register.ask("piet", "POST", answer, yes, **ORDER).json()
        assert done["state"] == "done"
        assert done["subject"] != old
        # the order that the keeper files at its start may still have been waiting, and have gone first
        assert register.finished(done["run"], "chris")["state"] in ("certified", "nothing-due")

        told = register.json("retention", "explain", done["subject"], key="chris")
        five = Period.parse("P5Y")
        assert (told["state"], told["remove_by"]) == ("active", five.after(TODAY).isoformat())
        assert five.after(received_on) < five.after(TODAY)
        assert {event["kind"] for event in told["facts"]["events"]} == {"signal", "order"}
        assert told["verdict"] == "verifies"
        assert not file.exists()
        stub = register.json("retention", "explain", file.name, key="chris")
        assert stub["archived"]["destroyed_on"] == TODAY.isoformat()
        hits = register.ask("petra", "POST", "/v1/subjects/search", {"name": "Wubbo Terugkeer"}, **ORDER).json()["hits"]
        assert [one["subject"] for one in hits] == [done["subject"]]
        again = register.ask("piet", "POST", answer, yes, **ORDER)
        assert (again.status_code, again.json()["code"]) == (409, "proposal.settled")
        plan = register.json("retention", "plan", key="chris")
        assert (plan["due"], plan["findings"]) == ([], [])


def test_a_held_record_is_sealed_to_the_month_of_its_new_date_before_its_key_goes(next_register):
    """The custodian's visit: no key of a month is destroyed while a record on hold needs it."""
    register = next_register()
    with register.serving():
        enrol(register)
        file, _ = archived(register, a_person(), TODAY - timedelta(days=40))
        month, until = file.parent.name, TODAY + timedelta(days=6 * 366)
        assert register.json("archive", "reseal", month, *register.custodian)["resealed"] == 0
        register.run("archive", "destroy-month", month, *register.custodian, status=1)
        body = {
            "case": "OM-2026/9",
            "title": "Evidence",
            "mandate": "Letter of the public prosecutor",
            "ground": "wpg-28-2-b",
            "reason": "Needed in court.",
            "from": TODAY.isoformat(),
            "until": until.isoformat(),
            "review_on": (TODAY + timedelta(days=180)).isoformat(),
            "archived": [file.name],
        }
        assert register.ask("chris", "POST", "/v1/holds", body).status_code == 201
        assert register.json("archive", "reseal", month, *register.custodian)["resealed"] == 1
        assert not file.exists()
        told = register.json("retention", "explain", file.name, key="chris")
        day = (until + timedelta(days=1)).isoformat()
        assert (told["destroy_on"], told["archived"]["month"], told["verdict"]) == (day, day[:7], "verifies")
        assert register.json("archive", "reseal", month, *register.custodian)["resealed"] == 0
        register.run("archive", "destroy-month", month, *register.custodian)
        looked = ("--ground", "accountability", "--case", "KL-2026/1", *register.custodian)
        assert register.json("archive", "open", file.name, *looked)["kind"] == "person"
        plan = register.json("retention", "plan", key="chris")
        assert (plan["due"], plan["findings"]) == ([], [])

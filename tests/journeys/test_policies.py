"""A version of the policy from the file to the run that goes by it, over the API and the command line."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest

from api.exchange.signal_v1 import to_json
from api.policies import PolicyBook
from api.wiring import workplace
from register.audit import Act, Entry
from register.clock import SystemClock, civil_date
from register.errors import RegisterError
from retention.calendar import Period
from tests.builders import a_person, a_signal
from tests.journeys.installation import Installation, later_policy

TODAY = civil_date(SystemClock().now())
BEGINS = TODAY + timedelta(days=14)
FOUR_YEARS = {'term = "P5Y"\ncheck = "yearly"': 'term = "P4Y"\ncheck = "yearly"'}


def received_on() -> date:
    """A day whose five years are far ahead, and whose four end just after the new version begins."""
    return next(day for day in (BEGINS - timedelta(days=n) for n in range(1450, 1465)) if four(day) > BEGINS)


def four(day: date) -> date:
    return Period.parse("P4Y").after(day)


def test_a_version_comes_into_force_by_two_people_and_runs_go_by_it(next_register, tmp_path):
    """R09, R10, R11: nobody changes a schedule alone, nor unseen; the applied list is the list that was looked at.

    R33: what the term ends is removed to the archive, and destroyed there five full years later, on real stores.
    """
    register = next_register()
    with register.serving():
        register.enrol("douane", "contributor")
        for officer in ("chris", "carla", "corine"):
            register.enrol(officer, "compliance-officer")
        signal = a_signal(received_on=received_on(), handed_in_on=None, subjects=(a_person(),), links=(), ports=())
        assert register.ask("douane", "POST", "/v1/signals", json.loads(to_json(signal))).status_code == 201
        (case,) = map(json.loads, register.run("retention", "cases", key="chris").splitlines())

        bad = tmp_path / "2026-01-02-theme-bribery.toml"
        bad.write_text(later_policy("2026-01-02").replace('"P5Y"', '"P99Y"').replace("[grace]", "[grace"))
        register.run("retention", "policies", "propose", str(bad), key="chris", status=1)
        answer = register.ask("chris", "POST", "/v1/retention/policies", {"file": bad.name, "text": bad.read_text()})
        assert (answer.status_code, answer.json()["code"]) == (422, "policy.invalid")
        assert len(answer.json()["errors"]) > 1
        assert all("line" in one["message"] for one in answer.json()["errors"])

        file = tmp_path / "2026-01-02-theme-bribery.toml"
        file.write_text(later_policy("2026-01-02", FOUR_YEARS))
        digest = register.json("retention", "policies", "propose", str(file), key="chris")["policy"]
        path = f"/v1/retention/policies/{digest}"
        assert register.run("retention", "policies", "show", digest, key="carla") == file.read_text()

        told = register.json("retention", "policies", "impact", digest, key="chris")
        (change,) = told["changes"]
        assert (change["id"], change["effect"], change["after"]["ends_on"]) == (
            case["case"],
            "earlier",
            four(received_on()).isoformat(),
        )
        assert told["on"] == BEGINS.isoformat()
        for officer, code in (("chris", "approval.second-person"), ("carla", "approval.unseen")):
            refused = register.ask(officer, "POST", f"{path}/approval", {"impact": told["impact"]})
            assert (refused.status_code, refused.json()["code"]) == (403, code)
        seen = register.json("retention", "policies", "impact", digest, key="carla")["impact"]
        done = register.json("retention", "policies", "approve", digest, "--impact", seen, key="carla")
        assert (done["state"], done["in_force_from"]) == ("activated", BEGINS.isoformat())

        now = register.json("retention", "explain", case["case"], key="chris")
        then = register.json("retention", "explain", case["case"], "--on", BEGINS.isoformat(), key="chris")
        assert now["remove_by"] == Period.parse("P5Y").after(received_on()).isoformat()
        assert (then["remove_by"], then["policy_sha256"]) == (four(received_on()).isoformat(), digest)
        listed = {one["digest"]: one for one in register.json("retention", "policies", "list", key="chris")["policies"]}
        assert [(one["state"], one["in_force"]) for one in listed.values()] == [
            ("built-in", True),
            ("activated", False),
        ]

        due = four(received_on()).isoformat()
        early = register.json("retention", "run", "--on", BEGINS.isoformat(), "--wait", "120", key="chris")
        assert early["state"] == "nothing-due"
        ended = register.json("retention", "run", "--on", due, "--wait", "120", key="chris")
        assert (ended["state"], ended["outcome"]["subject"]) == ("certified", 1)
        kept = list((register.home / "archive").glob("*/" + "?" * 32))
        assert len(kept) == 1
        saved = tmp_path / "certificate"
        register.run("certificate", "show", ended["outcome"]["certificate"], "--save", str(saved), key="chris")
        assert (saved / "policy.toml").read_text() == file.read_text()
        register.run("verify", "certificate", str(saved))
        late = Period.parse("P5Y").after(four(received_on())) + timedelta(days=1)
        day_before = (late - timedelta(days=1)).isoformat()
        none = register.json("retention", "run", "--on", day_before, "--wait", "120", key="chris")
        assert none["state"] == "nothing-due"
        last = register.json("retention", "run", "--on", late.isoformat(), "--wait", "120", key="chris")
        assert (last["state"], last["outcome"]["destroyed"]) == ("certified", 1)
        assert not kept[0].exists()
        assert register.ask("corine", "POST", f"{path}/withdrawal", {}).status_code == 200
        register.sealed("policy.withdraw", "chris")
        acts = {(one["act"], one["outcome"]) for one in entries(register)}
        named = {"policy.propose", "policy.impact", "policy.approve", "policy.applied"}
        assert {(act, "done") for act in named} | {("policy.approve", "refused")} <= acts
        incidents = [one["detail"]["code"] for one in entries(register) if one["act"] == "integrity.incident"]
        assert incidents == []


@dataclass(slots=True)
class Turning:
    """A clock of a test, which its test turns on."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def test_a_process_that_was_opened_before_a_version_comes_into_force_knows_when_it_is_over(next_register):
    """R11: nothing is stamped by a version that is no longer in force, whatever is at work over that midnight."""
    register = next_register()
    clock = Turning(SystemClock().now())
    with workplace(register.settings, "test", clock=clock) as opened:
        desk = opened.retaining.activation.versions
        text = later_policy("2026-01-02", FOUR_YEARS).encode()
        digest = desk.propose("2026-01-02-theme-bribery.toml", text, "chris", TODAY, _entry(opened))
        assert not opened.superseded
        seen_by_carla = desk.impact(digest, "carla", TODAY, _entry(opened))["impact"]
        desk.approve(digest, str(seen_by_carla), "carla", TODAY, _entry(opened))
        over = []
        for day in (BEGINS - timedelta(days=1), BEGINS):
            clock.at = datetime.combine(day, time(12), UTC)
            over.append(opened.superseded)
        assert over == [False, True]


def test_no_other_book_is_believed_nor_an_older_one_nor_none(next_register):
    register = next_register()
    with workplace(register.settings, "test") as opened:
        book, text = opened.book, later_policy("2026-01-02", FOUR_YEARS).encode()
        desk = opened.retaining.activation.versions
        place = register.home / "policies" / "book.json"
        first = desk.propose("2026-01-02-theme-bribery.toml", text, "chris", TODAY, _entry(opened))
        older = place.read_bytes()
        desk.withdraw(first, "carla", TODAY, _entry(opened))
        newest = place.read_bytes()
        altered = newest.replace(b'"withdrawn_by": "carla"', b'"withdrawn_by": "corin"')
        for content in (older, altered, b"{}", b"\xff", None):
            place.write_bytes(content) if content is not None else place.unlink()
            with pytest.raises(RegisterError) as refused:
                PolicyBook(register.home, opened.store.register, opened.sealer).read()
            assert refused.value.code == "policy.book"
        place.write_bytes(newest)
        assert book.read().version(first).withdrawn_by == "carla"
        (register.home / "policies" / f"{first}.toml").write_bytes(text + b"\n")
        with pytest.raises(RegisterError) as refused:
            book.policy(first)
        assert refused.value.code == "policy.text"


def _entry(opened):
    return Entry(at=opened.clock.now(), actor="chris", role="compliance-officer", act=Act.POLICY_PROPOSE)


def entries(register: Installation) -> list[dict[str, object]]:
    written = register.run("audit", "entries", "--limit", "500", "--case", "AUDIT/2026-1", "--json", key="chris")
    return json.loads(written)["entries"]

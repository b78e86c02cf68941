"""Officers ask the log: who saw, who did, what went and why, with proofs that a stranger checks offline."""

import csv
import io
import json
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pypdf
import pytest

from register.clock import SystemClock, civil_date
from register.grading import HandlingCode
from tests.journeys.installation import Installation
from tests.journeys.test_enquiry import cast, hand_in, tie, wait_found

TODAY = civil_date(SystemClock().now())
WHY = {"Purpose": "oversight", "Case": "AUDIT/2026-1"}


class Seen:
    """What happened before the officers ask."""

    register: Installation
    ana: str
    bep: str
    run: dict
    certificate: str


@pytest.fixture(scope="module")
def seen(next_register):
    told = Seen()
    told.register = register = next_register()
    with register.serving():
        for code, role in (
            ("douane", "contributor"),
            ("ana", "analyst"),
            ("sam", "analyst"),
            ("chris", "compliance-officer"),
            ("second", "compliance-officer"),
            ("priv", "privacy-officer"),
        ):
            register.enrol(code, role, handling="H3")
        ada, bep, firm = cast("o", "Lambertus Kanaalbaas", "Wilhelmina Havenzicht", "Noorderdok Overslag B.V.")
        for reference, one, other, days in (("o-1", ada, bep, 10), ("o-2", bep, firm, 400)):
            assert hand_in(register, tie(reference, one, other, days=days)).status_code == 201
        told.ana = wait_found(register, "ana", ada.names[0])[0]["subject"]
        told.bep = wait_found(register, "ana", bep.names[0])[0]["subject"]
        case = {"Case": "RR-7/2026"}
        assert register.ask("ana", "GET", f"/v1/subjects/{told.ana}", **case).status_code == 200
        assert register.ask("sam", "POST", "/v1/network", {"start": told.ana}, **case).status_code == 200
        assert register.ask("douane", "GET", f"/v1/subjects/{told.ana}").status_code == 403
        later = (TODAY + timedelta(days=3 * 365)).isoformat()  # removed for want of a review
        order = register.ask("chris", "POST", "/v1/retention/runs", {"on": later}).json()["run"]
        told.run = register.finished(order, "chris", approved_by="second")
        assert told.run["state"] == "certified", told.run
        listed = register.ask("chris", "GET", "/v1/retention/certificates").json()["certificates"]
        told.certificate = listed[0]["certificate"]
        register.ask("chris", "GET", f"/v1/retention/certificates/{told.certificate}")
        register.sealed("certificate.show", "chris")
        yield told


def ask(register, path, code="chris", **headers):
    return register.ask(code, "GET", path, **{**WHY, **headers})


def entries(register, query, code="chris"):
    answer = ask(register, f"/v1/audit/entries?limit=500&{query}", code)
    assert answer.status_code == 200, answer.text
    return answer.json()["entries"]


def test_who_saw_a_subject_what_an_actor_did_and_what_was_refused(seen):
    """L01: collection, consultation and destruction, with who, when, purpose and case; refused attempts too."""
    about = entries(seen.register, f"target={seen.ana}")
    assert {(one["actor"], one["act"]) for one in about} >= {
        ("ana", "subject.open"), ("ana", "subject.find"), ("sam", "network.show"), ("system", "removal")
    }  # fmt: skip
    assert {one["actor"] for one in entries(seen.register, "actor=sam")} == {"sam"}
    case = entries(seen.register, "of-case=RR-7/2026")
    assert {one["act"] for one in case} == {"subject.open", "network.show"}
    assert all(one["purpose"] == "theme-insight" for one in entries(seen.register, "purpose=theme-insight"))
    refused = entries(seen.register, "outcome=refused")
    assert ("douane", "subject.open", "access.denied") in {
        (one["actor"], one["act"], one["detail"]["code"]) for one in refused
    }
    positions = [one["index"] for one in about]
    assert positions == sorted(positions, reverse=True)


def test_names_never_enter_and_a_page_leads_to_the_next(seen):
    """C30: audit without values; nothing of what was stated or searched for stands in any entry."""
    found, after = [], ""
    while True:
        answer = ask(seen.register, f"/v1/audit/entries?limit=7&after={after}").json()
        found += answer["entries"]
        if not (after := answer["after"]):
            break
    assert len({one["id"] for one in found}) == len(found)
    text = json.dumps(found)
    for word in ("Kanaalbaas", "Havenzicht", "Noorderdok", "Lambertus"):
        assert word not in text


def test_every_question_is_itself_logged(seen):
    ask(seen.register, f"/v1/audit/entries?target={seen.bep}", "priv", Purpose="rights-request", Case="PO-9")
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = entries(seen.register, "of-case=PO-9&act=audit.show")
        if found:
            break
        time.sleep(0.1)
    (own,) = found
    assert (own["actor"], own["purpose"], own["targets"]) == ("priv", "rights-request", [seen.bep])
    assert own["detail"]["asked-target"] == seen.bep


def test_only_officers_ask_and_only_for_oversight(seen):
    for code in ("ana", "douane", "administrator"):
        for path in ("entries", "checkpoint", "export", f"report?since={TODAY}&until={TODAY}"):
            assert ask(seen.register, f"/v1/audit/{path}", code).status_code == 403
    theme = ask(seen.register, "/v1/audit/entries", Purpose="theme-insight")
    assert (theme.status_code, theme.json()["errors"][0]["rule"]) == (422, "purpose.oversight")
    assert ask(seen.register, "/v1/audit/entries", Case="").status_code == 422


def test_R36_report_equals_log(seen):
    """R36: everything destroyed in a period, by rule, with approvals; certificates and log's bodies say the same."""
    answer = ask(seen.register, f"/v1/audit/report?since={TODAY}&until={TODAY}").json()
    assert answer["differences"] == []
    (ended,) = answer["ended"]
    assert ended["certificate"] == seen.certificate
    deletions = entries(seen.register, "act=removal")
    assert sum(one["count"] for one in deletions) == ended["ids"] > 0
    assert len(deletions) == ended["logged"]
    # The test's own reading of the log's files, apart from every query.
    bodies = [
        json.loads(line.split(b" ", 2)[2])
        for shelf in (seen.register.home / "log" / "bodies").rglob("*")
        if shelf.is_file()
        for line in shelf.read_bytes().splitlines()
    ]
    named = sorted(target for one in bodies if one["act"] == "removal" for target in one["targets"])
    counts = {each["kind"]: each["count"] for each in ended["counts"]}
    assert len(named) == len(set(named)) == counts["subject"] + counts.get("signal", 0)
    assert {seen.ana, seen.bep} <= set(named)
    assert sum(one["count"] for one in bodies if one["act"] == "removal") == ended["ids"]
    rules = {rule: count for rule, _, count in answer["by_rule"]}
    assert sum(rules.values()) == sum(each["count"] for each in ended["rules"]) > 0
    approvals = {(one["actor"], one["detail"]["digest"]) for one in bodies if one["act"] == "retention.approve"}
    assert {(each["actor"], each["sha256"]) for each in ended["approvals"]} == approvals
    acts = {(one["act"], one["outcome"]): one["count"] for one in answer["acts"] if one["act"] == "subject.open"}
    assert acts[("subject.open", "done")] >= 1
    assert acts[("subject.open", "refused")] == 1
    empty = ask(seen.register, "/v1/audit/report?since=2020-01-01&until=2020-12-31").json()
    assert (empty["ended"], empty["by_rule"], empty["differences"]) == ([], [], [])


def test_R26_to_R31_a_destruction_is_audited_with_its_run_and_certificate(seen):
    """R26-R31: the event, its actor and application, id, trigger and instant."""
    (ended,) = ask(seen.register, f"/v1/audit/report?since={TODAY}&until={TODAY}").json()["ended"]
    for one in entries(seen.register, "act=removal"):
        assert (one["actor"], one["role"], one["detail"]["run"]) == ("system", "system", ended["run"])
        assert one["at"].endswith("Z")
    issued = entries(seen.register, f"act=certificate.issued&target={seen.certificate}")
    assert {one["detail"].get("sha256", one["detail"].get("digest")) for one in issued} == {ended["digest"]}


def test_a_proof_is_accepted_offline_and_a_changed_one_is_not(seen, tmp_path):
    (one, *_) = entries(seen.register, "act=removal")
    proof = tmp_path / "entry.tlog-proof"
    register = seen.register
    register.run("audit", "prove", one["id"], "--case", "AUDIT/1", "--output", str(proof), key="chris")
    (tmp_path / "vkey").write_bytes((register.home / "log" / "vkey").read_bytes())
    checked = json.loads(register.run("audit", "check", str(proof), "--json"))
    assert checked["files"][0]["holds"]
    for place in (0, 60, len(proof.read_bytes()) // 2):
        content = bytearray(proof.read_bytes())
        content[place] ^= 1
        bad = tmp_path / f"bad-{place}.tlog-proof"
        bad.write_bytes(content)
        register.run("audit", "check", str(bad), "--json", status=1)
    assert ask(register, f"/v1/audit/proofs/{'0' * 32}").status_code == 404
    assert ask(register, "/v1/audit/checkpoint").text.startswith("theme-register/")


def test_an_evidence_pack_is_checked_offline_and_what_is_taken_out_is_missed(seen, tmp_path):
    """L04: one command gathers what an outside auditor needs for a period."""
    register, folder = seen.register, tmp_path / "pack"
    days = ("--since", TODAY.isoformat(), "--until", TODAY.isoformat())
    register.run("audit", "pack", "--case", "AUDIT/1", *days, "--output", str(folder), key="chris")
    result = json.loads(register.run("audit", "check", str(folder), "--json"))
    assert all(one["holds"] for one in result["files"])
    kinds = {one["file"].split("/")[0] for one in result["files"]}
    assert kinds == {"checkpoint", "certificates", "proofs", "report.json"}
    text = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    assert "Kanaalbaas" not in text
    deleted = [path for path in (folder / "proofs").iterdir() if b"run" in _body(path) and b"removal" in _body(path)]
    deleted[0].rename(tmp_path / "taken-out")
    register.run("audit", "check", str(folder), status=1)
    (tmp_path / "taken-out").rename(deleted[0])
    register.run("audit", "check", str(folder))
    report = json.loads((folder / "report.json").read_text())
    report["ended"][0]["ids"] += 1
    (folder / "report.json").write_text(json.dumps(report))
    register.run("audit", "check", str(folder), status=1)


def _body(path: Path) -> bytes:
    from evidence.proof import Proof

    return Proof.parse(path.read_bytes()).body()


def test_R35_entries_leave_as_ndjson_and_csv_and_the_export_is_registered(seen, tmp_path):
    """R35: audit data are exportable; an export is a provision and is itself an entry."""
    register = seen.register
    for form in ("ndjson", "csv"):
        output = tmp_path / f"entries.{form}"
        register.run("audit", "export", "--case", "EX-1", "--format", form, "--output", str(output), key="chris")
    lines = [json.loads(line) for line in (tmp_path / "entries.ndjson").read_text().splitlines()]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "entries.csv").read_text())))
    assert [row["id"] for row in rows][: len(lines)] == [one["id"] for one in lines]
    assert [one["at"] for one in lines] == sorted(one["at"] for one in lines)
    end = time.monotonic() + 20
    while len(own := entries(register, "act=audit.export&of-case=EX-1")) < 2 and time.monotonic() < end:
        time.sleep(0.1)
    assert [one["count"] for one in own[::-1]] == [len(lines), len(rows)]
    destroyed = tmp_path / "destroyed.csv"
    days = ("--since", TODAY.isoformat(), "--until", TODAY.isoformat())
    register.run(
        "audit", "export", "--destroyed", "--case", "EX-2", *days, "--format", "csv", "--output", str(destroyed),
        key="chris",
    )  # fmt: skip
    rules = list(csv.DictReader(io.StringIO(destroyed.read_text())))
    assert {row["certificate"] for row in rules} == {seen.certificate}


def test_tables_for_people(seen):
    shown = seen.register.run("audit", "entries", "--case", "A-1", "--target", seen.ana, key="chris")
    assert "subject.open" in shown
    days = ("--since", TODAY.isoformat(), "--until", TODAY.isoformat())
    assert "certificates and log say the same" in seen.register.run(
        "audit", "report", "--case", "A-1", *days, key="priv"
    )


def test_a_certificate_is_printed_over_http_and_offline_alike(seen, tmp_path):
    """The same bytes from the API and from the certificate's folder."""
    answer = ask(seen.register, f"/v1/retention/certificates/{seen.certificate}/print?language=nl")
    assert answer.headers["content-type"] == "application/pdf"
    output = tmp_path / "certificate.pdf"
    seen.register.run("certificate", "print", seen.certificate, "--output", str(output))
    assert output.read_bytes() == answer.content
    text = pypdf.PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    assert "Oefening" in text
    assert "Kanaalbaas" not in text
    assert ask(seen.register, f"/v1/retention/certificates/{seen.certificate}/print", "ana").status_code == 403


def test_C08_history_is_rendered_from_ids_under_the_readers_rights(seen):
    """C08: the log tells officers ids only; what an id stands for is opened under the reader's own rights, or not."""
    register = seen.register
    ada, bep, _ = cast("p", "Egbertus Sluiswachter", "Alida Bruggenhoofd", "Onbekend B.V.")
    before = {one["id"] for one in entries(register, "act=signal.record")}
    hand_in(register, tie("p-1", ada, bep, markings=("closed-team",), code=HandlingCode.H3))
    end = time.monotonic() + 20
    while not (fresh := [one for one in entries(register, "act=signal.record") if one["id"] not in before]):
        assert time.monotonic() < end
        time.sleep(0.1)
    (signal,) = fresh[0]["targets"]
    assert register.ask("ana", "GET", f"/v1/signals/{signal}").status_code == 404
    assert ask(register, f"/v1/signals/{signal}").status_code == 403
    assert "Sluiswachter" not in json.dumps(entries(register, ""))


def test_C11_who_is_enrolled_and_in_which_compartment_is_shown_to_administrators_only(seen):
    """C11: membership lists are data too; no entry of the log tells compartments either."""
    register = seen.register
    register.enrol("member", "analyst", markings=("closed-team",))
    for code in ("ana", "douane", "chris", "priv"):
        assert register.ask(code, "GET", "/v1/actors").status_code == 403
    assert register.ask("administrator", "GET", "/v1/actors").status_code == 200
    enrolled = register.sealed("actor.enrol", "chris")
    assert "closed-team" not in json.dumps(enrolled)


def test_monitoring_reads_numbers_without_a_key_and_nothing_through_a_proxy(seen):
    """C02: overdue age, rates, ages of checkpoint and certificate; readiness says how many names are in memory."""
    url = seen.register.url
    answer = httpx.get(f"{url}/metrics", timeout=30)
    assert answer.status_code == 200
    shown = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert shown["theme_register_up"] == "1.0"
    assert float(shown["theme_register_oldest_overdue_days"]) == 0
    assert float(shown["theme_register_signals_taken_in_7d"]) >= 2
    assert float(shown["theme_register_records_purged_7d"]) >= 3
    assert 0 <= float(shown["theme_register_certificate_age_seconds"]) < 3600
    assert float(shown['theme_register_workers{kind="api"}']) >= 1
    assert seen.ana not in answer.text
    for header in ("X-Forwarded-For", "Forwarded", "Via"):
        assert httpx.get(f"{url}/metrics", headers={header: "203.0.113.9"}, timeout=30).status_code == 404
    ready = httpx.get(f"{url}/readyz", timeout=30).json()
    assert ready["names"] is True
    assert ready["details"]["names_loaded"] >= 0


def test_absence_is_stated_without_the_name_entering_any_log(seen, tmp_path):
    """Of somebody who is not here a signed statement is handed out; of somebody who is, none, whoever may see them."""
    register = seen.register
    ada, bep, _ = cast("q", "Ysbrandus Loodsmanszoon", "Truus Pontveer", "Onbekend B.V.")
    assert hand_in(register, tie("q-1", ada, bep, markings=("closed-team",), code=HandlingCode.H3)).status_code == 201
    why = {"Purpose": "rights-request", "Case": "RR-99"}
    number = {"kind": "kvk", "value": "11223344"}
    nobody = {"name": "Xaverius Quintelaar", "born_on": "1971-02-03", "identifiers": [number]}
    answer = register.ask("priv", "POST", "/v1/absence", nobody, **why)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["absent"] is True
    statement, vkey = tmp_path / "absence.json", register.home / "log" / "vkey"
    statement.write_text(told["statement"])
    checked = register.run("audit", "check", str(statement), "--vkey", str(vkey), "--json")
    assert json.loads(checked)["files"][0]["holds"]
    assert "Quintelaar" not in told["statement"]

    end = time.monotonic() + 20
    known = {"name": "Ysbrandus Loodsmanszoon"}
    while (found := register.ask("priv", "POST", "/v1/absence", known, **why).json())["absent"]:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert found["statement"] is None
    number = {"name": "Zzz Zzzzz", "identifiers": [{"kind": "passport", "value": ada.identifiers[0].value}]}
    assert register.ask("priv", "POST", "/v1/absence", number, **why).json()["absent"] is False
    again = register.ask("priv", "POST", "/v1/absence", {**nobody, "name": "xaverius  QUINTELAAR"}, **why).json()
    assert again["asked"] == told["asked"]

    for code in ("ana", "chris", "administrator"):
        assert register.ask(code, "POST", "/v1/absence", nobody, **why).status_code == 403
    logged = register.sealed("absence.state", "chris")
    entry = next(one for one in logged if one["detail"].get("asked") == told["asked"]["digest"])
    assert entry["targets"] == []
    assert entry["case"] == "RR-99"
    for path in (register.home / "log" / "bodies").rglob("*"):
        content = path.read_bytes().lower() if path.is_file() else b""
        assert not any(word in content for word in (b"quintelaar", b"loodsmans", b"11223344", b"1971-02-03"))


def test_after_the_log_keys_were_replaced_a_pack_of_before_and_after_is_checked(seen, tmp_path):
    """Proofs and certificates under the former keys hold with the trust file of the pack, and not without it."""
    register, before, pack = seen.register, tmp_path / "before.tlog-proof", tmp_path / "pack"
    (one, *_) = entries(register, "act=removal")
    register.run("audit", "prove", one["id"], "--case", "AUDIT/1", "--output", str(before), key="chris")
    register.json("keys", "rotate", "--log")
    register.sealed("log-keys.replaced", "chris")
    days = ("--since", TODAY.isoformat(), "--until", TODAY.isoformat())
    register.run("audit", "pack", "--case", "AUDIT/1", *days, "--output", str(pack), key="chris")
    assert all(one["holds"] for one in json.loads(register.run("audit", "check", str(pack), "--json"))["files"])
    present = ("--vkey", str(register.home / "log" / "vkey"))
    told = json.loads(register.run("audit", "check", str(pack), *present, "--json", status=1))
    fails = {one["file"].split("/")[0] for one in told["files"] if not one["holds"]}
    assert fails == {"certificates"}
    register.run("audit", "check", str(before), *present, status=1)
    register.run("audit", "check", str(before), "--trust", str(pack / "trust.json"))

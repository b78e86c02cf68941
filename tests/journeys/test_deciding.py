"""Reviewers, privacy officers, the desk and compliance officers decide, over HTTP and on the command line."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.connection import Graph
from tests.journeys.installation import Installation
from tests.journeys.test_enquiry import TODAY, cast, found, hand_in, tie, wait_found

WHY = {"Purpose": "necessity-review", "Case": "RR-2026/1"}
YES = {
    "still-serves-the-theme": True,
    "category-still-fits": True,
    "no-more-than-needed": True,
    "correct-as-far-as-known": True,
}
OFFICERS = {
    "rita": "reviewer",
    "ruud": "reviewer",
    "pria": "privacy-officer",
    "desi": "desk-officer",
    "chris": "compliance-officer",
}


@pytest.fixture(scope="module")
def served(next_register) -> Iterator[Installation]:
    register: Installation = next_register()
    with register.serving():
        register.enrol("douane", "contributor")
        register.enrol("ana", "analyst")
        for code, role in OFFICERS.items():
            register.enrol(code, role)
        register.enrol("iris", "reviewer", markings=("closed-team",))
        register.enrol("sam", "analyst", markings=("closed-team",))
        yield register


@pytest.fixture(scope="module")
def held(_session_graph: Graph) -> Graph:
    """The graph of `served`, looked at from outside."""
    return _session_graph


def page(register: Installation, subject: str, code: str = "rita") -> Any:
    return register.ask(code, "GET", f"/v1/reviews/{subject}", **WHY)


def decide(register: Installation, code: str, subject: str, outcome: str, **more: Any) -> Any:
    seen = page(register, subject, "iris").json()["revision"]
    body = {"revision": seen, "outcome": outcome, "reason": "It was looked at.", **more}
    return register.ask(code, "POST", f"/v1/reviews/{subject}/decisions", body, **WHY)


def file(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def told(register: Installation, letter: str, one: str, other: str, firm: str, **more: Any) -> tuple[str, str]:
    """Hand in a signal about two people and return the first one's id and the signal's."""
    ada, bep, _ = cast(letter, one, other, firm)
    assert hand_in(register, tie(f"{letter}-1", ada, bep, **more)).status_code == 201
    subject = wait_found(register, "ana", one)[0]["subject"]
    signal = page(register, subject).json()["signals"][0]["signal"]
    return subject, signal


def test_a_review_keeps_a_subject_and_moves_no_removal(served: Installation, tmp_path: Path) -> None:
    subject, _ = told(served, "k", "Karel Oeverloper", "Lotte Wulp", "Noordkade Opslag B.V.")
    before = page(served, subject).json()
    assert before["statements"][0]["names"] == ["Karel Oeverloper"]
    assert any("5 years" in step for step in before["because"])
    reason = file(tmp_path, "reason", "Named again by another source; needed to see the pattern.")
    answers = [argument for question in before["questions"] for argument in ("--yes", question)]
    command = ["review", "decide", subject, "still-needed", "--case", "RR-2026/1", "--reason-file", reason]
    answer = served.json(*command, "--revision", str(before["revision"]), *answers, key="rita")
    assert answer["state"] == "done"
    assert answer["remove_by"] == before["remove_by"]
    assert served.run(*command, "--revision", str(before["revision"]), *answers, key="ruud", status=1) == ""
    after = page(served, subject).json()
    assert [one["kind"] for one in after["decisions"]] == ["review"]
    assert after["revision"] == before["revision"] + 1
    shown = served.run("review", "show", subject, "--case", "RR-2026/1", key="rita")
    assert "still-needed" in shown
    assert served.json("review", "queue", "--case", "RR-2026/1", key="rita")["items"] == []  # nothing within 90 days


def test_a_restriction_hides_at_once_and_lifting_it_shows_again(served: Installation) -> None:
    subject, signal = told(served, "l", "Marinus Strandloper", "Nelleke Tureluur", "Zuidwal Beheer B.V.")
    assert decide(served, "pria", subject, "restrict", ground="dispute").status_code == 201
    assert found(served, "ana", "Marinus Strandloper") == []
    missing = served.ask("ana", "GET", f"/v1/subjects/{'0' * 32}")
    hidden = served.ask("ana", "GET", f"/v1/subjects/{subject}")
    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)
    shown = served.ask("ana", "GET", f"/v1/signals/{signal}").json()
    assert "Strandloper" not in json.dumps(shown)
    assert page(served, subject).json()["restricted"] is True
    assert decide(served, "rita", subject, "lift-restriction").status_code == 201
    assert found(served, "ana", "Marinus Strandloper") != []


def test_an_early_end_takes_two_people_and_the_keeper_acts_at_once(served: Installation, held: Graph) -> None:
    """C27: one subject."""
    subject, signal = told(served, "m", "Otto Kluut", "Pietje Scholekster", "Westhoek Lading B.V.")
    proposed = decide(served, "rita", subject, "no-longer-necessary", answers=YES)
    assert proposed.json()["state"] == "proposed"
    dossier = proposed.json()["dossier"]
    path, agreed = f"/v1/decisions/{dossier}/settlement", {"agreed": True, "reason": "I agree."}
    own = served.ask("rita", "POST", path, agreed, **WHY)
    assert (own.status_code, own.json()["code"]) == (403, "approval.second-person")
    waiting = served.ask("ruud", "GET", "/v1/decisions", **WHY).json()["proposals"]
    assert [(one["dossier"], one["by"]) for one in waiting] == [(dossier, "rita")]
    settled = served.ask("ruud", "POST", path, agreed, **WHY)
    assert settled.status_code == 200, settled.text
    assert found(served, "ana", "Otto Kluut") == []
    run = served.finished(settled.json()["run"], "chris")
    assert run["state"] == "certified", run
    left = "MATCH (n {id: $id}) RETURN count(n)"
    assert held.read(lambda tx: tx.run(left, id=subject).single(strict=True).value()) == 0
    assert served.ask("ruud", "POST", path, agreed, **WHY).status_code in (404, 409)

    # the signal lost one of two subjects: the desk looks at it
    (line,) = served.json("desk", "queue", "--case", "RR-2026/1", key="desi")["items"]
    assert (line["signal"], line["subjects"]) == (signal, 1)
    assert served.ask("ana", "GET", "/v1/desk", **WHY).status_code == 403
    reason = file(served.folder, "desk-reason", "What is left tells nothing of who it was.")
    left_as_is = ("desk", "leave", signal, "--case", "RR-2026/1", "--reason-file", reason)
    served.run(*left_as_is, "--revision", str(line["revision"]), key="desi")
    assert served.json("desk", "queue", "--case", "RR-2026/1", key="desi")["items"] == []


def test_a_whole_signal_ends_and_with_it_whom_nothing_else_names(served: Installation, held: Graph) -> None:
    """C27: one signal, by command."""
    subject, signal = told(served, "n", "Quirine Bontbek", "Rinus Drieteen", "Oosthoek Beheer B.V.")
    ada, _, firm = cast("n", "Quirine Bontbek", "Rinus Drieteen", "Oosthoek Beheer B.V.")
    assert hand_in(served, tie("n-2", ada, firm, days=5)).status_code == 201
    wait_found(served, "ana", "Oosthoek Beheer")
    other = wait_found(served, "ana", "Rinus Drieteen")[0]["subject"]
    reason = file(served.folder, "end-reason", "The post that is named tells who it was.")
    why = ("--case", "RR-2026/2", "--reason-file", reason)
    dossier = served.json("end", "propose", "indirectly-identifying", "--signal", signal, *why, key="desi")["dossier"]
    run = served.json("end", "agree", dossier, *why, key="pria")["run"]
    assert served.ask("ana", "GET", f"/v1/signals/{signal}").status_code == 404
    assert found(served, "ana", "Rinus Drieteen") == []
    assert served.finished(run, "chris")["state"] == "certified"
    gone = "MATCH (n) WHERE n.id IN $ids RETURN count(n)"
    assert held.read(lambda tx: tx.run(gone, ids=[signal, other]).single(strict=True).value()) == 0
    (kept,) = wait_found(served, "ana", "Quirine Bontbek")
    assert kept["subject"] == subject
    run = served.ask("chris", "POST", "/v1/retention/runs", {}).json()["run"]
    assert served.finished(run, "chris")["state"] == "nothing-due"
    plan = served.ask("chris", "POST", "/v1/retention/plans", {}).json()
    assert plan["findings"] == []


def test_holds_are_laid_on_a_ground_of_the_law_and_lifted_by_name(served: Installation) -> None:
    subject, _ = told(served, "o", "Saskia Grutto", "Teun Kievit", "Binnenhaven Opslag B.V.")
    body = {
        "case": "RR-2026/9",
        "title": "Inquiry of the court",
        "mandate": "Order of the examining magistrate",
        "reason": "Evidence in a case that is under way.",
        "from": TODAY.isoformat(),
        "review_on": (TODAY + timedelta(days=90)).isoformat(),
        "subjects": [subject],
    }
    refused = served.ask("chris", "POST", "/v1/holds", body)
    assert refused.status_code == 422
    assert [one["rule"] for one in refused.json()["errors"]] == ["hold.ground"]
    files = {name: file(served.folder, name, str(body[name])) for name in ("title", "mandate", "reason")}
    texts = [argument for name, path in files.items() for argument in (f"--{name}-file", path)]
    dates = ("--from", TODAY.isoformat(), "--review-on", (TODAY + timedelta(days=90)).isoformat())
    lay = ("hold", "lay", "wpg-28-2-b", "--case", "RR-2026/9", *texts, *dates)
    hold = served.json(*lay, "--subject", subject, key="chris")["hold"]
    query = served.json(*lay, "--start", subject, "--depth", "2", key="chris")["hold"]
    assert {one["hold"] for one in served.json("hold", "list", key="chris")["holds"]} == {hold, query}
    assert "examining magistrate" in served.run("hold", "show", hold, key="chris")
    served.run("hold", "lift", hold, "--case", "RR-2026/9", "--reason-file", files["reason"], key="chris")
    page = served.ask("chris", "GET", f"/v1/holds/{hold}").json()
    assert (page["stands"], page["hold"]["lifted_by"]) == (False, "chris")
    assert found(served, "ana", "Saskia Grutto") != []  # a hold hides nothing


def test_a_reviewer_outside_the_compartment_is_told_nothing(served: Installation) -> None:
    ada, bep, _ = cast("p", "Ulbe Regenwulp", "Vera Bosruiter", "Buitenrede Beheer B.V.")
    assert hand_in(served, tie("p-1", ada, bep)).status_code == 201
    assert hand_in(served, tie("p-2", ada, bep, markings=("closed-team",), days=3)).status_code == 201
    subject = wait_found(served, "ana", "Ulbe Regenwulp")[0]["subject"]
    end = time.monotonic() + 20
    while page(served, subject).status_code != 404 and time.monotonic() < end:
        time.sleep(0.1)
    hidden, absent = page(served, subject), page(served, "0" * 32)
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content) == (404, absent.content)
    assert len(page(served, subject, "iris").json()["signals"]) == 2
    # the date of removal follows from the closed signal: who does not see that one is not told when it came in
    assert served.ask("ana", "GET", f"/v1/subjects/{subject}").json()["remove_by"] is None
    assert found(served, "ana", "Ulbe Regenwulp")[0]["remove_by"] is None
    assert served.ask("sam", "GET", f"/v1/subjects/{subject}").json()["remove_by"] is not None
    shown = served.run("subject", subject, "--case", "TEST-2026/1", "--purpose", "theme-insight", key="ana")
    assert "removed on not shown" in shown


def test_a_marking_that_could_show_what_was_ended_is_granted_to_nobody(served: Installation) -> None:
    body = {"code": "mallory", "role": "analyst", "handling": "H0", "markings": ["=ended"]}
    refused = served.ask("administrator", "POST", "/v1/actors", body)
    assert refused.status_code == 422
    assert [one["rule"] for one in refused.json()["errors"]] == ["marking.malformed"]


def test_every_office_does_only_its_own(served: Installation) -> None:
    one = "0" * 32
    decision = {"revision": 1, "outcome": "still-needed", "reason": "x", "answers": YES}
    asked: dict[tuple[str, str], tuple[set[str], Any]] = {
        ("GET", "/v1/reviews"): ({"rita", "pria"}, None),
        ("GET", f"/v1/reviews/{one}"): ({"rita", "pria"}, None),
        ("POST", f"/v1/reviews/{one}/decisions"): ({"rita"}, decision),
        ("GET", "/v1/decisions"): ({"rita", "pria", "desi"}, None),
        ("POST", "/v1/decisions"): (
            {"rita", "pria", "desi"},
            {"subject": one, "revision": 1, "ground": "incorrect", "reason": "x"},
        ),
        ("POST", f"/v1/decisions/{one}/settlement"): ({"rita", "pria", "desi"}, {"agreed": True, "reason": "x"}),
        ("GET", "/v1/desk"): ({"desi"}, None),
        ("POST", f"/v1/desk/{one}/leave"): ({"desi"}, {"revision": 1, "reason": "x"}),
        ("GET", "/v1/holds"): ({"chris"}, None),
        ("GET", f"/v1/holds/{one}"): ({"chris"}, None),
        ("POST", f"/v1/holds/{one}/lifting"): ({"chris"}, {"case": "C/1", "reason": "x"}),
    }
    people = ("douane", "ana", "rita", "pria", "desi", "chris", "administrator")
    for (method, path), (allowed, body) in asked.items():
        assert served.ask("", method, path, body).status_code == 401
        for code in people:
            status = served.ask(code, method, path, body, **WHY).status_code
            assert (status != 403) == (code in allowed), (method, path, code, status)
    document = served.ask("rita", "GET", "/v1/openapi.json").json()
    assert {path for _, path in asked if one not in path} <= document["paths"].keys()

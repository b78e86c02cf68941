"""Contributors hand in, analysts find and see, each only what their role, compartments and clearance allow."""

import json
import time
from dataclasses import replace
from datetime import date, timedelta

import pytest

from api.exchange.signal_v1 import to_json
from register.clock import SystemClock, civil_date
from register.grading import Category, HandlingCode, SubjectKind
from register.links import LinkKind, NewLink
from register.signals import NewHandling
from register.subjects import IdentifierKind, NewIdentifier, NewSubject
from tests.builders import a_signal
from tests.journeys.installation import Installation

TODAY = civil_date(SystemClock().now())


def subject(ref, name, number, kind=SubjectKind.PERSON):
    identifier = IdentifierKind.PASSPORT if kind is SubjectKind.PERSON else IdentifierKind.KVK
    return NewSubject(
        ref=ref,
        kind=kind,
        category=Category.INVOLVED,
        names=(name,),
        identifiers=(NewIdentifier(kind=identifier, value=number),),
    )


def cast(letter, person, other, firm):
    """Three subjects of one test: all tests share a register, and nobody appears in two of them."""
    number = f"{ord(letter):03}"
    return (
        subject("p1", person, f"T1{number}001"),
        subject("p2", other, f"T1{number}002"),
        subject("o1", firm, f"99{number}003", SubjectKind.ORGANISATION),
    )


def tie(reference, one, other, *, markings=(), code=HandlingCode.H1, kind=LinkKind.PAID, days=10, narrative=None):
    return a_signal(
        reference=reference,
        received_on=TODAY - timedelta(days=days),
        subjects=(one, other),
        links=(NewLink(from_ref=one.ref, to_ref=other.ref, kind=kind),),
        ports=(),
        markings=markings,
        handling=NewHandling(code=code),
        narrative=narrative or f"{one.names[0]} is said to have paid {other.names[0]}.",
    )


@pytest.fixture(scope="module")
def served(next_register):
    register: Installation = next_register()
    with register.serving(keeper=False):
        register.enrol("douane", "contributor")
        register.enrol("ana", "analyst", handling="H1")
        register.enrol("sam", "analyst", handling="H3", markings=("closed-team",))
        register.enrol("chris", "compliance-officer")
        yield register


def hand_in(register, signal, code="douane"):
    return register.ask(code, "POST", "/v1/signals", json.loads(to_json(signal)))


def found(register, code, name):
    register_answer = register.ask(code, "POST", "/v1/subjects/search", {"name": name})
    assert register_answer.status_code == 200, register_answer.text
    return register_answer.json()["hits"]


def wait_found(register, code, name):
    """A name handed in just now is in the table within a second or two."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if hits := found(register, code, name):
            return hits
        time.sleep(0.1)
    raise AssertionError("not found")


def test_from_handing_in_to_network_and_path(served):
    """C23: a link beside its ends in one signal is taken in."""
    ada, bep, firm = cast("a", "Adriaan Zandvoorter", "Berendina Klaverstok", "Zuiderhoek Stuwadoors B.V.")
    first = hand_in(served, tie("a-1", ada, bep))
    assert first.status_code == 201
    assert hand_in(served, tie("a-2", bep, firm, kind=LinkKind.EMPLOYED_BY)).status_code == 201
    again = hand_in(served, tie("a-1", ada, bep))
    assert (again.status_code, again.json()["receipt"]) == (200, first.json()["receipt"])
    other = hand_in(served, tie("a-1", ada, bep, narrative="Adriaan Zandvoorter paid nobody."))
    assert (other.status_code, other.json()["code"]) == (409, "reference.conflict")

    (hit,) = wait_found(served, "ana", "Adriaan Zandvorter")
    assert hit["names"] == ["Adriaan Zandvoorter"]
    network = served.ask("ana", "POST", "/v1/network", {"start": hit["subject"], "depth": 2}).json()
    assert {one["name"] for one in network["subjects"]} == {ada.names[0], bep.names[0], firm.names[0]}
    assert {one["kind"] for one in network["links"]} == {"paid", "employed-by"}
    (place,) = served.ask(
        "ana", "POST", "/v1/subjects/search", {"identifier": {"kind": "kvk", "value": "99 097 003"}}
    ).json()["hits"]
    paths = served.ask("ana", "POST", "/v1/paths", {"from": hit["subject"], "to": place["subject"]}).json()
    assert [len(one["links"]) for one in paths["paths"]] == [2]

    signal = network["links"][0]["signal"]
    page = served.ask("ana", "GET", f"/v1/signals/{signal}").json()
    assert "Zandvoorter" in page["texts"]["narrative"] or "Klaverstok" in page["texts"]["narrative"]
    assert "source_description" not in page["texts"]
    subject_page = served.ask("ana", "GET", f"/v1/subjects/{hit['subject']}").json()
    assert subject_page["statements"][0]["names"] == ["Adriaan Zandvoorter"]
    assert date.fromisoformat(subject_page["remove_by"]) > TODAY


READERS = ("ana", "sam", "desk", "reviewer", "privacy")


def test_a_source_is_shown_to_who_may_know_it_for_a_ground_and_to_nobody_else(served):
    """It is sealed under a key of its own; a reader learns neither what it says nor whether there is one."""
    for code, role in (("desk", "desk-officer"), ("reviewer", "reviewer"), ("privacy", "privacy-officer")):
        served.enrol(code, role, handling="H3", markings=("closed-team",))
    served.enrol("desk-1", "desk-officer", handling="H1")
    ada, bep, firm = cast("f", "Koert Wulpennest", "Liesbeth Karekiet", "Noordermeer Stuwage B.V.")
    signal = tie("f-1", ada, bep, markings=("closed-team",))
    described = replace(signal, source=replace(signal.source, description="The cook of the Scholekster, Karekiet."))
    bare = tie("f-2", bep, firm)
    opened = {}
    for one in (described, bare):
        assert hand_in(served, one).status_code == 201
    for name, kind, code in ((ada.names[0], "paid", "sam"), (firm.names[0], "paid", "ana")):
        (hit,) = wait_found(served, code, name)
        links = served.ask(code, "POST", "/v1/network", {"start": hit["subject"], "depth": 1}).json()["links"]
        opened[name] = next(one["signal"] for one in links if one["kind"] == kind)
    source, none = (opened[name] for name in (ada.names[0], firm.names[0]))
    for code in READERS:
        page = served.ask(code, "GET", f"/v1/signals/{source}")
        if code != "ana":  # she does not see the signal at all
            assert (page.status_code, page.json()["signal"]) == (200, source), (code, page.text)
            assert "source_description" not in page.json()["texts"]
        assert "Scholekster" not in page.text
    ask = {"ground": "reliability"}
    shown = served.ask("desk", "POST", f"/v1/signals/{source}/source", ask)
    assert shown.json() == {"signal": source, "description": "The cook of the Scholekster, Karekiet."}
    refused = [
        served.ask(code, "POST", f"/v1/signals/{one}/source", ask).json()
        for code in ("ana", "sam", "reviewer", "privacy", "chris")
        for one in (source, none, "0" * 32)
    ]
    assert {one["code"] for one in refused} == {"access.denied"}
    absent = [
        served.ask(code, "POST", f"/v1/signals/{one}/source", ask)
        for code, one in (("desk", none), ("desk", "0" * 32), ("desk-1", source))
    ]
    assert len({(one.status_code, one.json()["code"], one.json().get("detail")) for one in absent}) == 1
    unknown = served.ask("desk", "POST", f"/v1/signals/{source}/source", {"ground": "curiosity"})
    assert (unknown.status_code, unknown.json()["errors"][0]["rule"]) == (422, "ground.unknown")


def test_names_that_a_signal_does_not_state_are_told_to_who_hands_in_and_shown_to_the_desk(served):
    served.enrol("desk-2", "desk-officer", handling="H3")
    ada, bep, _ = cast("g", "Maarten Strandloper", "Neeltje Bontbek", "Kwelder Overslag B.V.")
    text = "Maarten Strandloper is said to have paid Neeltje Bontbek, seen by Olivier Steenloper."
    signal = tie("g-1", ada, bep, narrative=text)
    first, again = (hand_in(served, signal).json() for _ in range(2))
    at = text.index("Olivier")
    assert first["unstated"] == again["unstated"] == [{"field": "narrative", "start": at, "end": len(text) - 1}]
    (hit,) = wait_found(served, "ana", ada.names[0])
    (link,) = served.ask("ana", "POST", "/v1/network", {"start": hit["subject"], "depth": 1}).json()["links"]
    pages = {code: served.ask(code, "GET", f"/v1/signals/{link['signal']}").json() for code in ("ana", "desk-2")}
    assert pages["ana"]["texts"] == pages["desk-2"]["texts"]
    assert pages["ana"]["texts"]["narrative"] == text
    assert pages["ana"]["unstated"] == []
    assert pages["desk-2"]["unstated"] == [{"field": "narrative", "words": "Olivier Steenloper"}]


def test_hidden_is_absent(served):
    """A compartment or a stricter code makes subject, link, path and count vanish, not merely the text.

    C09: also in counts, paths and answers' forms.
    """
    ada, bep, firm = cast("b", "Cornelis Duinkerker", "Dirkje Hazelhof", "Westplaat Cargo B.V.")
    hand_in(served, tie("b-1", ada, bep, markings=("closed-team",)))
    hand_in(served, tie("b-2", bep, firm, code=HandlingCode.H3))
    (one,) = wait_found(served, "sam", ada.names[0])
    (other,) = wait_found(served, "sam", bep.names[0])
    assert found(served, "ana", ada.names[0]) == []
    assert found(served, "ana", bep.names[0]) == []
    missing = "0" * 32
    for path in ("/v1/subjects/{}", "/v1/signals/{}"):
        hidden = served.ask("ana", "GET", path.format(one["subject"]))
        absent = served.ask("ana", "GET", path.format(missing))
        assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content) == (404, absent.content)
    for body in ({"start": one["subject"]}, {"start": missing}):
        assert served.ask("ana", "POST", "/v1/network", body).status_code == 404
    ends = {"from": one["subject"], "to": other["subject"]}
    assert served.ask("ana", "POST", "/v1/paths", ends).status_code == 404
    assert served.ask("sam", "POST", "/v1/paths", ends).status_code == 200


def test_a_name_that_only_a_closed_signal_states_is_not_shown_or_found_outside_it(served):
    ada, bep, _ = cast("c", "Evert Grijpskerker", "Fenna Bloemendal", "Oosterkade Opslag B.V.")
    alias = replace(ada, names=("Zwarte Adder",))
    hand_in(served, tie("c-1", ada, bep))
    hand_in(served, tie("c-2", alias, bep, markings=("closed-team",), narrative="Zwarte Adder paid again."))
    (hit,) = wait_found(served, "sam", "Zwarte Adder")
    (open_hit,) = wait_found(served, "ana", ada.names[0])
    assert hit["subject"] == open_hit["subject"]
    assert found(served, "ana", "Zwarte Adder") == []
    page = served.ask("ana", "GET", f"/v1/subjects/{hit['subject']}").json()
    assert [one["names"] for one in page["statements"]] == [[ada.names[0]]]
    assert len(page["links"]) == 1


def test_every_role_only_does_its_own(served):
    """R12, R34: what is due is listed, ordered and destroyed by compliance officers, not by administrators."""
    ada, bep, _ = cast("d", "Gerrit Molenwiek", "Hilda Steltloper", "Zijkanaal Beheer B.V.")
    one = "0" * 32
    asked = {
        ("POST", "/v1/signals"): "douane",
        ("POST", "/v1/subjects/search"): "ana",
        ("GET", f"/v1/subjects/{one}"): "ana",
        ("GET", f"/v1/signals/{one}"): "ana",
        ("POST", "/v1/network"): "ana",
        ("POST", "/v1/paths"): "ana",
        ("POST", "/v1/retention/plans"): "chris",
        ("GET", "/v1/retention/runs"): "chris",
        ("GET", "/v1/retention/calendar"): "chris",
        ("GET", "/v1/retention/cases"): "chris",
        ("GET", "/v1/retention/rehearsal?weeks=2"): "chris",
        ("GET", f"/v1/retention/subjects/{one}"): "chris",
        ("GET", "/v1/retention/certificates"): "chris",
        ("GET", "/v1/actors"): "administrator",
    }
    bodies = {
        "/v1/subjects/search": {"name": "Zandvoorter"},
        "/v1/network": {"start": one},
        "/v1/paths": {"from": one, "to": "1" * 32},
        "/v1/retention/plans": {},
    }
    bodies["/v1/signals"] = json.loads(to_json(tie("r-1", ada, bep)))
    document = served.ask("ana", "GET", "/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert served.ask("", "GET", "/v1/openapi.json").status_code == 401
    for (method, path), allowed in asked.items():
        assert served.ask("", method, path, bodies.get(path)).status_code == 401
        for code in ("douane", "ana", "chris", "administrator"):
            status = served.ask(code, method, path, bodies.get(path)).status_code
            assert (status != 403) == (code == allowed), (method, path, code, status)


def test_disclosure_needs_purpose_and_case(served):
    refused = served.ask("ana", "POST", "/v1/subjects/search", {"name": "Zandvoorter"}, Purpose="", Case="jan jansen")
    assert refused.status_code == 422
    assert {one["pointer"] for one in refused.json()["errors"]} == {"/purpose", "/case"}
    assert "jan" not in refused.text


def test_bad_input_names_every_fault_and_echoes_nothing(served):
    ada, bep, _ = cast("e", "Ids Waterhoen", "Jikke Rietvink", "Buitenhaven Beheer B.V.")
    body = json.loads(to_json(tie("d-1", ada, bep)))
    body["received_on"] = "2999-01-01"
    body["links"][0]["to"] = "nobody"
    body["source"]["grade"] = "Zwartkoeksel"
    answer = served.ask("douane", "POST", "/v1/signals", body)
    assert answer.status_code == 422
    assert "/source/grade" in {one["pointer"] for one in answer.json()["errors"]}
    assert "Zwartkoeksel" not in answer.text
    body["source"]["grade"] = "A"
    answer = served.ask("douane", "POST", "/v1/signals", body)
    assert {"/received_on", "/links/0/to"} <= {one["pointer"] for one in answer.json()["errors"]}


def test_searches_are_budgeted_for_each_user_also_across_a_restart(next_register):
    register = next_register()
    register.server = register.server | {"THEME_REGISTER_SEARCHES": "3"}
    wanted = {"name": "Adriaan Zandvoorter"}
    by_number = {"identifier": {"kind": "kvk", "value": "99097003"}}
    with register.serving(keeper=False):
        register.enrol("ana", "analyst")
        register.enrol("bob", "analyst")
        asked = [register.ask("ana", "POST", "/v1/subjects/search", body) for body in (wanted, by_number, wanted)]
        assert [one.status_code for one in asked] == [200, 200, 200]
        over = register.ask("ana", "POST", "/v1/subjects/search", wanted)
        assert (over.status_code, over.json()["code"]) == (429, "search.exhausted")
        assert register.ask("bob", "POST", "/v1/subjects/search", wanted).status_code == 200
    with register.serving(keeper=False):
        assert register.ask("ana", "POST", "/v1/subjects/search", wanted).status_code == 429

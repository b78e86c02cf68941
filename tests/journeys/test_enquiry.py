"""Contributors hand in, analysts find and see, each only what their role, compartments and clearance allow."""

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


ADA = subject("p1", "Adriaan Zandvoorter", "T10000001")
BEP = subject("p2", "Berendina Klaverstok", "T10000002")
FIRM = subject("o1", "Zuiderhoek Stuwadoors B.V.", "99000001", SubjectKind.ORGANISATION)


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


@pytest.fixture
def served(register: Installation):
    with register.serving(keeper=False):
        register.enrol("douane", "contributor")
        register.enrol("ana", "analyst", handling="H1")
        register.enrol("sam", "analyst", handling="H3", markings=("closed-team",))
        register.enrol("chris", "compliance-officer")
        yield register


def hand_in(register, signal, code="douane"):
    import json

    return register.ask(code, "POST", "/v1/signals", json.loads(to_json(signal)))


def found(register, code, name):
    register_answer = register.ask(code, "POST", "/v1/subjects/search", {"name": name})
    assert register_answer.status_code == 200, register_answer.text
    return register_answer.json()["hits"]


def wait_found(register, code, name):
    """A name handed in just now is in the table within a second or two."""
    import time

    end = time.monotonic() + 20
    while time.monotonic() < end:
        if hits := found(register, code, name):
            return hits
        time.sleep(0.1)
    raise AssertionError("not found")


def test_from_handing_in_to_network_and_path(served):
    first = hand_in(served, tie("a-1", ADA, BEP))
    assert first.status_code == 201
    assert hand_in(served, tie("a-2", BEP, FIRM, kind=LinkKind.EMPLOYED_BY)).status_code == 201
    again = hand_in(served, tie("a-1", ADA, BEP))
    assert (again.status_code, again.json()["receipt"]) == (200, first.json()["receipt"])
    other = hand_in(served, tie("a-1", ADA, BEP, narrative="Adriaan Zandvoorter paid nobody."))
    assert (other.status_code, other.json()["code"]) == (409, "reference.conflict")

    (hit,) = wait_found(served, "ana", "Adriaan Zandvorter")
    assert hit["names"] == ["Adriaan Zandvoorter"]
    network = served.ask("ana", "POST", "/v1/network", {"start": hit["subject"], "depth": 2}).json()
    assert {one["name"] for one in network["subjects"]} == {ADA.names[0], BEP.names[0], FIRM.names[0]}
    assert {one["kind"] for one in network["links"]} == {"paid", "employed-by"}
    (firm,) = served.ask(
        "ana", "POST", "/v1/subjects/search", {"identifier": {"kind": "kvk", "value": "99 000 001"}}
    ).json()["hits"]
    paths = served.ask("ana", "POST", "/v1/paths", {"from": hit["subject"], "to": firm["subject"]}).json()
    assert [len(one["links"]) for one in paths["paths"]] == [2]

    signal = network["links"][0]["signal"]
    page = served.ask("ana", "GET", f"/v1/signals/{signal}").json()
    assert "Zandvoorter" in page["texts"]["narrative"] or "Klaverstok" in page["texts"]["narrative"]
    assert "source_description" not in page["texts"]
    subject_page = served.ask("ana", "GET", f"/v1/subjects/{hit['subject']}").json()
    assert subject_page["statements"][0]["names"] == ["Adriaan Zandvoorter"]
    assert date.fromisoformat(subject_page["remove_by"]) > TODAY


def test_hidden_is_absent(served):
    """A compartment or a stricter code makes subject, link, path and count vanish, not merely the text."""
    hand_in(served, tie("b-1", ADA, BEP, markings=("closed-team",)))
    hand_in(served, tie("b-2", BEP, FIRM, code=HandlingCode.H3))
    (ada,) = wait_found(served, "sam", "Adriaan Zandvoorter")
    (bep,) = wait_found(served, "sam", "Berendina Klaverstok")
    assert found(served, "ana", "Adriaan Zandvoorter") == []
    assert found(served, "ana", "Berendina Klaverstok") == []
    missing = "0" * 32
    for path in ("/v1/subjects/{}", "/v1/signals/{}"):
        hidden = served.ask("ana", "GET", path.format(ada["subject"]))
        absent = served.ask("ana", "GET", path.format(missing))
        assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content) == (404, absent.content)
    for body in ({"start": ada["subject"]}, {"start": missing}):
        assert served.ask("ana", "POST", "/v1/network", body).status_code == 404
    ends = {"from": ada["subject"], "to": bep["subject"]}
    assert served.ask("ana", "POST", "/v1/paths", ends).status_code == 404
    assert served.ask("sam", "POST", "/v1/paths", ends).status_code == 200


def test_a_name_that_only_a_closed_signal_states_is_not_shown_or_found_outside_it(served):
    alias = replace(ADA, names=("Zwarte Adder",))
    hand_in(served, tie("c-1", ADA, BEP))
    hand_in(served, tie("c-2", alias, BEP, markings=("closed-team",), narrative="Zwarte Adder paid again."))
    (hit,) = wait_found(served, "sam", "Zwarte Adder")
    (open_hit,) = wait_found(served, "ana", "Adriaan Zandvoorter")
    assert hit["subject"] == open_hit["subject"]
    assert found(served, "ana", "Zwarte Adder") == []
    page = served.ask("ana", "GET", f"/v1/subjects/{hit['subject']}").json()
    assert [one["names"] for one in page["statements"]] == [["Adriaan Zandvoorter"]]
    assert len(page["links"]) == 1


def test_every_role_only_does_its_own(served):
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
        ("GET", "/v1/retention/certificates"): "chris",
        ("GET", "/v1/actors"): "administrator",
    }
    bodies = {
        "/v1/subjects/search": {"name": "Zandvoorter"},
        "/v1/network": {"start": one},
        "/v1/paths": {"from": one, "to": "1" * 32},
        "/v1/retention/plans": {},
    }
    import json

    bodies["/v1/signals"] = json.loads(to_json(tie("r-1", ADA, BEP)))
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
    import json

    body = json.loads(to_json(tie("d-1", ADA, BEP)))
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

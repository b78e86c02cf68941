"""Many names at once: ordered by one, agreed to by another, answered to the first alone; the names are kept nowhere."""

import json

import pytest

from tests.journeys.installation import Installation
from tests.journeys.test_enquiry import cast, hand_in, tie, wait_found

WHY = ("--purpose", "theme-insight", "--case", "TEST-2026/1")


@pytest.fixture(scope="module")
def served(next_register):
    register: Installation = next_register()
    with register.serving(keeper=False):
        register.enrol("douane", "contributor")
        register.enrol("ana", "analyst", handling="H1")
        register.enrol("bea", "analyst", handling="H3", markings=("closed-team",))
        register.enrol("chris", "compliance-officer")
        yield register


@pytest.fixture(scope="module")
def names(served, tmp_path_factory):
    """A file of names: one that is seen, one of a closed compartment, one of nobody, and one that is too short."""
    ada, bep, _ = cast("k", "Adriaan Zandvoorter", "Berendina Klaverstok", "Zuiderhoek Stuwadoors B.V.")
    cor, dirk, _ = cast("l", "Cornelis Duinkerker", "Dirkje Hazelhof", "Westplaat Cargo B.V.")
    hand_in(served, tie("k-1", ada, bep))
    hand_in(served, tie("l-1", cor, dirk, markings=("closed-team",)))
    wait_found(served, "bea", "Cornelis Duinkerker")
    wait_found(served, "ana", "Adriaan Zandvoorter")
    path = tmp_path_factory.mktemp("names") / "names.csv"
    path.write_text("name,born_on\nAdriaan Zandvorter,\nCornelis Duinkerker,1970\nWubbo Nergensvandaan,\nXy,\n")
    reason = path.with_name("reason")
    reason.write_text("A list of the harbour office.")
    return path, reason


def order(served, names, key="ana"):
    path, reason = names
    filed = ("find", "--batch", str(path), "--reason-file", str(reason), *WHY)
    return served.json(*filed, key=key)["batch"]


def settled(served, batch, answer, reason):
    return served.json("batch", answer, batch, "--reason-file", str(reason), "--case", "TEST-2026/1", key="chris")


def collected(served, names, batch, *, key="ana", status=0):
    lines = served.run("find", "--batch", str(names[0]), "--order", batch, *WHY, "--json", key=key, status=status)
    return [json.loads(line) for line in lines.splitlines()]


def test_a_batch_that_was_agreed_to_is_answered_like_single_searches_to_who_ordered_it(served, names):
    path, reason = names
    batch = order(served, names)
    waiting = served.json("batch", "list", "--case", "TEST-2026/1", key="chris")["batches"]
    (mine,) = [one for one in waiting if one["batch"] == batch]
    assert (mine["by"], mine["names"], mine["reason"]) == ("ana", 4, reason.read_text())
    assert "Zandvoorter" not in json.dumps(waiting)
    assert collected(served, names, batch, status=1) == []
    assert settled(served, batch, "agree", reason)["state"] == "done"

    lines = collected(served, names, batch)
    assert [one["number"] for one in lines] == [1, 2, 3, 4]
    single = served.ask("ana", "POST", "/v1/subjects/search", {"name": "Adriaan Zandvorter"}).json()["hits"]
    assert lines[0]["hits"] == single != []
    assert lines[1]["hits"] == lines[2]["hits"] == []  # hidden is absent
    assert lines[3]["errors"][0]["rule"] == "search.too-short"
    told = served.run("find", "--batch", str(path), "--order", batch, *WHY, key="ana")
    assert "Adriaan Zandvoorter" in told
    assert "nobody" in told


def test_only_who_ordered_a_batch_collects_it_and_only_with_these_names_and_this_reason(served, names):
    _, reason = names
    batch = order(served, names)
    settled(served, batch, "agree", reason)
    body = {"names": [{"name": "Adriaan Zandvorter"}]}
    at = f"/v1/batches/{batch}/results"
    other = served.ask("bea", "POST", at, body)
    absent = served.ask("bea", "POST", f"/v1/batches/{'0' * 32}/results", body)
    assert (
        (other.status_code, other.json()["code"]) == (absent.status_code, absent.json()["code"]) == (404, "not-found")
    )
    changed = served.ask("ana", "POST", at, body)
    assert changed.json()["errors"][0]["rule"] == "batch.names"
    moved = served.ask("ana", "POST", at, body, Case="OTHER-1")
    assert moved.json()["errors"][0]["rule"] == "batch.reason"
    for code in ("douane", "chris"):
        assert served.ask(code, "POST", at, body).json()["code"] == "access.denied"
    assert (
        served.ask("ana", "POST", f"/v1/batches/{batch}/settlement", {"agreed": True, "reason": "Yes."}).json()["code"]
        == "access.denied"
    )


def test_a_declined_batch_is_never_answered_and_none_is_settled_twice(served, names):
    _, reason = names
    batch = order(served, names)
    assert settled(served, batch, "decline", reason)["state"] == "declined"
    again = served.ask("chris", "POST", f"/v1/batches/{batch}/settlement", {"agreed": True, "reason": "Yes."})
    assert (again.status_code, again.json()["code"]) == (409, "proposal.settled")
    assert collected(served, names, batch, status=1) == []


def test_names_in_batches_have_a_budget_of_their_own(served, names, tmp_path):
    """Five hundred names a day, whoever agreed; single searches are not counted with them."""
    _, reason = names
    path = tmp_path / "many.ndjson"
    path.write_text("".join(json.dumps({"name": f"Wubbo Nergensvandaan {number}"}) + "\n" for number in range(498)))
    batch = order(served, (path, reason), key="bea")
    settled(served, batch, "agree", reason)
    assert len(collected(served, (path, reason), batch, key="bea")) == 498
    second = order(served, names, key="bea")
    settled(served, second, "agree", reason)
    rows = [{"name": row["name"], "born_on": row["born_on"]} for row in _rows(names[0])]
    over = served.ask("bea", "POST", f"/v1/batches/{second}/results", {"names": rows})
    assert (over.status_code, over.json()["code"]) == (429, "batch.exhausted")
    assert served.ask("bea", "POST", "/v1/subjects/search", {"name": "Adriaan"}).status_code == 200
    path.write_text("".join(json.dumps({"name": f"Name {number}"}) + "\n" for number in range(501)))
    served.run("find", "--batch", str(path), "--reason-file", str(reason), *WHY, key="bea", status=1)


def _rows(path):
    import csv

    with path.open(newline="") as file:
        return [{"name": row["name"], "born_on": row["born_on"] or None} for row in csv.DictReader(file)]

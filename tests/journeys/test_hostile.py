"""Callers that stall, questions streamed both ways, and one damaged record, on a register as its users have it."""

import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from api.exchange.signal_v1 import to_json
from graph.connection import Graph
from tests.builders import a_signal
from tests.journeys.installation import Installation
from tests.journeys.test_enquiry import cast, found, tie, wait_found

ADA, BEP, FIRM = cast("h", "Adriaan Zandvoorter", "Berendina Klaverstok", "Zuiderhoek Stuwadoors B.V.")


@pytest.fixture
def served(register: Installation) -> Iterator[Installation]:
    with register.serving():
        register.enrol("douane", "contributor")
        register.enrol("ana", "analyst")
        register.enrol("chris", "compliance-officer")
        yield register


def batch(register: Installation, *lines: str) -> list[dict[str, object]]:
    answer = httpx.post(
        f"{register.url}/v1/signals/batch",
        content=iter([f"{line}\n".encode() for line in lines]),
        headers={"Authorization": f"Bearer {register.keys['douane']}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_batch_is_answered_line_by_line(served):
    good = to_json(tie("b-1", ADA, BEP)).decode()
    bad = to_json(a_signal(reference="b-2", ports=("XXXXX",), links=())).decode()
    first, second, third = batch(served, good, bad, good)
    assert (first["line"], first["repeated"]) == (1, False)
    assert (second["line"], second["errors"][0]["rule"]) == (2, "port.unknown")
    assert (third["line"], third["receipt"], third["repeated"]) == (3, first["receipt"], True)
    assert [one["line"] for one in batch(served, *([good] * 450))] == list(range(1, 451))


def test_a_caller_that_stalls_keeps_no_old_key_alive(served):
    """Nobody has to be known to begin a request: one that never ends may not hold up the end of a purge."""
    assert (
        served.ask("douane", "POST", "/v1/signals", json.loads(to_json(tie("s-1", ADA, BEP, days=200)))).status_code
        == 201
    )
    (ada,) = wait_found(served, "ana", "Adriaan Zandvoorter")
    address = httpx.URL(served.url)
    with socket.create_connection((address.host, address.port)) as stalling:
        stalling.sendall(b"POST /v1/network HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        run = served.ask("chris", "POST", "/v1/retention/runs", {"on": ada["remove_by"]}).json()["run"]
        assert served.finished(run, "chris")["state"] == "certified"
        assert found(served, "ana", "Adriaan Zandvoorter") == []


def test_one_damaged_record_does_not_take_the_search_from_the_others(served, graph: Graph):
    for reference, one, other in (("d-1", ADA, BEP), ("d-2", FIRM, BEP)):
        signal = json.loads(to_json(tie(reference, one, other)))
        assert served.ask("douane", "POST", "/v1/signals", signal).status_code == 201
    wait_found(served, "ana", "Zuiderhoek Stuwadoors")
    graph.write(
        lambda tx: tx.run(
            "MATCH (g:Signal) WITH g ORDER BY g.id LIMIT 1 SET g.entered_at = 'never' WITH g "
            "MATCH (g)-[m:MENTIONS]->() WHERE m.place = 0 SET m.names = $nothing",
            nothing=b"",
        ).consume()
    )
    with served.serving(keeper=False):  # a fresh process reads all names anew, and is ready
        hits = [found(served, "ana", name) for name in ("Adriaan Zandvoorter", "Zuiderhoek Stuwadoors")]
        assert sorted(map(len, hits)) == [0, 1]
        later = json.loads(to_json(tie("d-3", ADA, FIRM)))
        assert served.ask("douane", "POST", "/v1/signals", later).status_code == 201
        wait_found(served, "ana", "Adriaan Zandvoorter")

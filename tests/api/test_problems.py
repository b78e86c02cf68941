"""One total table from error families to problems, and nothing handed in is echoed."""

import json

from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

from api.http import problems
from api.http.limits import BodyLimit
from register import errors
from register.errors import Fault, Invalid, RegisterError


def test_every_family_has_its_status():
    families = {one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, RegisterError)} - {
        RegisterError
    }
    assert set(problems.STATUS) == families
    assert len(set(problems.STATUS.values())) == len(families)


def test_an_invalid_request_names_each_fault_with_its_place():
    faults = (Fault(pointer="/a", rule="r.one", message="m"), Fault(pointer="/b/0", rule="r.two", message="n"))
    answer = problems.of(Invalid(faults))
    body = json.loads(answer.body)
    assert answer.media_type == "application/problem+json"
    assert [(one["pointer"], one["rule"]) for one in body["errors"]] == [("/a", "r.one"), ("/b/0", "r.two")]


def test_a_body_is_limited_in_size_depth_and_form():
    app = FastAPI()
    problems.install(app)
    app.add_middleware(BodyLimit)

    @app.post("/shape")
    def shape(wanted: Wanted) -> dict[str, int]:
        return {"number": wanted.number}

    client = TestClient(app, raise_server_exceptions=False)
    sent = {"content-type": "application/json"}
    assert client.post("/shape", json={"number": 7}).json() == {"number": 7}
    for content, headers, status in (
        (b'{"number": ' + b"1" * 2**20 + b"}", sent, 413),
        (b"[" * 100_000, sent, 400),
        (b"{}", {**sent, "content-encoding": "gzip"}, 415),
    ):
        answer = client.post("/shape", content=content, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


class Wanted(BaseModel):
    number: int


def test_no_error_echoes_a_value_or_an_exception_text():
    app = FastAPI()
    problems.install(app)

    @app.post("/shape")
    def shape(wanted: Wanted) -> None:
        del wanted

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("Zwartkoeksel")

    client = TestClient(app, raise_server_exceptions=False)
    answers = [
        client.post("/shape", json={"number": "Zwartkoeksel"}),
        client.post("/shape", content=b'{"number": Zwartkoeksel'),
        client.get("/broken"),
        client.get("/Zwartkoeksel"),
    ]
    assert [one.status_code for one in answers] == [422, 422, 500, 404]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "Zwartkoeksel" not in answer.text
    assert answers[0].json()["errors"][0]["pointer"] == "/number"

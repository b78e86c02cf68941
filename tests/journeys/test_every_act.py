"""Nothing is done or shown without an entry: every route and every command is asked once, and refused once."""

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
import uvicorn
from typer.testing import CliRunner

from api.cli import app as program
from api.exchange.returned import FORMAT
from api.exchange.signal_v1 import to_json
from api.http.app import create
from api.wiring import Workplace, workplace
from graph.connection import Graph
from tests.journeys.acts import COMMANDS, NOBODY, ROUTES, Command, Route
from tests.journeys.installation import Installation, later_policy
from tests.journeys.test_enquiry import cast, tie

ROLES = ("contributor", "analyst", "reviewer", "privacy-officer", "desk-officer", "compliance-officer")
REFUSED = dict.fromkeys((*ROLES, "administrator"), "contributor") | {"contributor": "administrator"}
"""Who may not do what the one on the left may."""

Entry = Mapping[str, Any]


class Place:
    """A register served in this process, and what its trail has gained since somebody looked last."""

    def __init__(self, register: Installation, opened: Workplace | None, bare: Graph) -> None:
        self.register, self.opened, self.bare = register, opened, bare
        self._seen: set[str] = set()
        self.gained()

    def gained(self) -> list[Entry]:
        rows = self.bare.read(lambda tx: [row["body"] for row in tx.run("MATCH (e:Entry) RETURN e.body AS body")])
        bodies = sorted((json.loads(one) for one in rows), key=lambda one: one["at"])
        fresh = [one for one in bodies if one["id"] not in self._seen]
        self._seen |= {one["id"] for one in fresh}
        return fresh

    def ask(self, role: str, name: str, route: Route, things: Mapping[str, Any]) -> httpx.Response:
        method, path = name.split(" ", 1)
        headers = {"Authorization": f"Bearer {self.register.keys[role]}"} if role else {}
        address = f"{self.register.url}{_filled(path, things)}?{route.query}"
        return httpx.request(
            method, address, headers=headers | dict(route.why), timeout=60, **_content(_filled(route.body, things))
        )


def _content(body: Any) -> dict[str, Any]:
    return {"content": body} if isinstance(body, str) else {"json": body}


def _filled(value: Any, things: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(one, things) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, things) for one in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\{(\w+)\}", value)
    return things[whole[1]] if whole else re.sub(r"\{([\w-]+)\}", lambda match: str(things[match[1]]), value)


@contextmanager
def _served(opened: Workplace) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(create(opened), port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(30)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What commands and routes are given."""
    folder = tmp_path_factory.mktemp("given")
    (folder / "words").write_text("For a reason.\n")
    record = {"format": FORMAT, "archive": NOBODY, "record": {"signals": [], "facts": {}}}
    (folder / "export").write_text(json.dumps(record))
    bulk, one, other = (
        to_json(tie(f"{letter}-1", *cast(letter, *names)[:2])).decode()
        for letter, names in (
            ("a", ("Aart Zeekraal", "Betje Lamsoor", "Lage Werf B.V.")),
            ("b", ("Klaas Rietgors", "Lies Waterral", "Hoge Werf B.V.")),
            ("c", ("Mees Roerdomp", "Nel Blauwborst", "Oude Werf B.V.")),
        )
    )
    (folder / "signals.ndjson").write_text(f"{bulk}\n")
    return {
        "file": folder / "words",
        "export": folder / "export",
        "signals": folder / "signals.ndjson",
        "signal_text": one,
        "other": f"{other}\n",
    }


@pytest.fixture(scope="module")
def founded(next_register, _session_graph: Graph, files: dict[str, Any]) -> tuple[Installation, dict[str, list[Entry]]]:
    """A new register on which every command that works on the folders was run; and what each wrote."""
    register: Installation = next_register()
    custodian = register.folder / "custodian.json"
    empty = register.folder / "empty"
    empty.mkdir()
    looked = ("--ground", "accountability", "--case", "KL-2026/1", "--archive", str(empty))
    register.run("archive", "find", "--id", NOBODY, *looked, *register.custodian)
    given = files | {
        "custodian": custodian,
        "passphrase": register.folder / "passphrase",
        "custodians-log": next(register.folder.glob("custodian*.log")),
        "new": register.folder / "new",
        "replica": register.folder / "replica",
    }
    place = Place(register, None, _session_graph)
    place._seen = set()
    wrote = {"init": place.gained()}
    wrote["archive init"] = wrote["init"]
    for name, command in COMMANDS.items():
        if command.act is not None and name not in wrote:
            register.run(*name.split(), *map(str, _filled(list(command.arguments), given)))
            wrote[name] = place.gained()
    return register, wrote


@pytest.fixture(scope="module")
def place(founded: tuple[Installation, Any], _session_graph: Graph) -> Iterator[Place]:
    register, _ = founded
    with workplace(register.settings, "api") as opened, _served(opened) as register.url:
        for role in ROLES:
            register.enrol(role, role)
        yield Place(register, opened, _session_graph)


def documented(opened: Workplace) -> set[str]:
    app = create(opened)
    told = {f"{verb.upper()} {path}" for path, verbs in app.openapi()["paths"].items() for verb in verbs}
    routers = [app, *(one.original_router for one in app.routes if hasattr(one, "original_router"))]
    routes = [route for router in routers for route in router.routes if hasattr(route, "methods")]
    bare = {f"{verb} {route.path}" for route in routes for verb in route.methods}
    assert told <= bare
    return bare


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    if not hasattr(command, "commands"):
        yield " ".join(path)
        return
    for name, one in command.commands.items():
        yield from commands(one, (*path, name))


def test_every_route_and_every_command_has_its_line(place: Place) -> None:
    assert documented(place.opened) == set(ROUTES)
    assert set(commands(typer.main.get_command(program))) == set(COMMANDS)


def test_a_line_without_an_act_says_why() -> None:
    assert [name for name, one in ROUTES.items() if one.act is None and not one.because] == []
    assert [name for name, one in COMMANDS.items() if one.refused is one.act is None and not one.because] == []


def test_every_route_writes_its_act(place: Place, files: dict[str, Any]) -> None:
    things = {"certificate": NOBODY, "entry": NOBODY, "code": "new-1", "signal": files["signal_text"]} | {
        "other": files["other"],
        "digest": NOBODY * 2,
        "policy_text": later_policy(),
    }
    for name, route in ROUTES.items():
        place.opened.roster.refresh()
        place.opened.logbook.seal_trail()
        place.gained()
        answer = place.ask(route.by, name, route, things)
        assert answer.status_code == route.status, f"{name}: {answer.status_code} {answer.text}"
        found = [(one["act"], one["outcome"]) for one in place.gained()]
        silent = route.because and route.status in (200, 404, 409)
        assert found == ([] if silent else [(route.act, "done")]), name
        for kept, where in route.keeps.items():
            value = answer.json()
            for step in where.split("."):
                value = value[int(step) if step.isdigit() else step]
            things[kept] = value
        things["signal"] = things.get("signal_id", files["signal_text"])


def test_every_route_writes_a_refusal_as_its_act(place: Place, files: dict[str, Any]) -> None:
    ids = ("subject", "certificate", "entry", "signal_id", "dossier", "hold", "run", "receipt", "batch")
    things = dict.fromkeys(ids, NOBODY) | {"code": "new-1", "other": files["other"], "revision": 1}
    things |= {"digest": NOBODY * 2, "policy_text": later_policy()}
    for name, route in ROUTES.items():
        if route.act is None:
            continue
        things["signal"] = files["signal_text"] if name == "POST /v1/signals" else NOBODY
        answer = place.ask(REFUSED[route.by], name, route, things)
        told = json.loads(answer.content.splitlines()[-1])
        assert answer.status_code == 403 or told["error"] == "access.denied", f"{name}: {answer.text}"
        refused = [(one["act"], one["outcome"], one["detail"]) for one in place.gained()]
        assert refused == [(route.act, "refused", {"code": "access.denied"})], name


def asking() -> dict[str, Command]:
    return {name: one for name, one in COMMANDS.items() if one.refused is not None}


@pytest.mark.parametrize("name", asking())
def test_every_command_that_asks_the_api_is_refused_as_its_act(
    place: Place, files: dict[str, Any], name: str, tmp_path: Path
) -> None:
    command = COMMANDS[name]
    arguments = [str(one) for one in _filled(list(command.arguments), files | {"new": tmp_path / "new"})]
    key = place.register.key_file("contributor")
    environment = place.register.environment | {
        "THEME_REGISTER_KEY_FILE": str(key),
        "THEME_REGISTER_URL": place.register.url,
    }
    place.gained()
    done = CliRunner().invoke(program, [*name.split(), *arguments], env=environment, input="Somebody Else\n")
    assert done.exit_code == 1, done.output
    refused = [(one["act"], one["outcome"], one["actor"]) for one in place.gained()]
    assert refused == [(command.refused, "refused", "contributor")], done.output


def test_every_command_on_the_folders_writes_its_act(founded: tuple[Installation, dict[str, list[Entry]]]) -> None:
    _, wrote = founded
    assert {name for name, one in COMMANDS.items() if one.act is not None} == set(wrote)
    missing = [
        name
        for name, entries in wrote.items()
        if (COMMANDS[name].act, "done") not in {(one["act"], one["outcome"]) for one in entries}
    ]
    assert missing == []

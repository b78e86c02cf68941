"""Documentation that can fail: the made pages are what the code says, and what pages speak of is there."""

import ast
import difflib
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Any, Final

import jsonschema_rs
import pytest
import typer

from api.cli import app
from api.settings import Settings, environment
from docs import conformance, generate
from docs.codes import RULE, Codes, Found
from register.audit import Act
from register.rules import RULES

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
FORMATS: Final = DOCS / "formats"
WORDS: Final = generate.WORDS
PAGES: Final = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])
SOURCES: Final = sorted(path for room in generate.ROOMS for path in (ROOT / room).rglob("*.py"))

VECTORS: Final = {
    "archived-record-v1": "vault/archived-record-v1.json",
    "backup-manifest-v1": "evidence/backup-manifests.json",
    "verify": "evidence/certificates.json",
    "certificate-v1": "evidence/certificates.json",
    "facts-mac-v1": "vault/facts-mac-v1.json",
    "log-v1": "evidence/merkle.json",
    "lookup-token-v1": "vault/lookup-token-v1.json",
    "retention-case-v1": "retention/retention-case-v1.json",
    "sealed-value-v1": "vault/sealed-value-v1.json",
    "signal-v1": "signal/signal-v1.json",
    "wrapped-key-v1": "vault/wrapped-key-v1.json",
}
"""The vectors of each page in docs/formats."""


@pytest.fixture(scope="module")
def pages() -> Mapping[str, str]:
    return generate.pages()


@pytest.fixture(scope="module")
def found() -> tuple[Found, ...]:
    return generate.found()


@pytest.mark.parametrize("name", ["audit.md", "commands.md", "conformance.md", "errors.md", "settings.md"])
def test_a_made_page_is_what_the_code_says(name: str, pages: Mapping[str, str]) -> None:
    kept = (DOCS / name).read_text("utf-8")
    changes = difflib.unified_diff(kept.splitlines(), pages[name].splitlines(), "kept", "the code", lineterm="", n=0)
    assert kept == pages[name], "run `make docs`:\n" + "\n".join(changes)


def test_a_stale_page_is_named_and_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], pages: Mapping[str, str]
) -> None:
    for name, text in pages.items():
        (tmp_path / name).write_text(text.replace("THEME_REGISTER_HEAP", "THEME_REGISTER_MEMORY"), "utf-8")
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().out == "stale: docs/settings.md\nstale: docs/errors.md\n"
    assert generate.main([]) == 0
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == pages


def cells(page: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the tables of `page`, without heads."""
    for line in page.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield [one.strip() for one in re.split(r"(?<!\\)\|", line)[1:-1]]


# Settings.


def test_every_row_from_outside_is_shown_or_says_what_is_lacking() -> None:
    """No row of the checklists, of the worked examples and of what the law wants recorded is forgotten."""
    chapters = {chapter: conformance.rows(chapter) for chapter in conformance.ROWS}
    numbers = {row.number for found in chapters.values() for row in found}
    assert numbers >= {f"R{n:02d}" for n in range(1, 41)} | {f"C{n:02d}" for n in range(1, 33)}
    assert numbers >= {f"W{n}" for n in range(1, 24)}
    assert [row.number for found in chapters.values() for row in found if not row.tests and not row.lacking] == []
    assert set(conformance.named()) - numbers == set()


def test_every_setting_is_documented_and_read_from_the_variable_named(
    monkeypatch: pytest.MonkeyPatch, pages: Mapping[str, str]
) -> None:
    rows = [row for row in cells(pages["settings.md"]) if row[0] != "variable"]
    assert len(rows) == len(Settings.model_fields)
    values = {
        "0 to 65535": "1",
        "1 to 1000000": "7",
        "1 to 100": "2",
        "1 to 1440": "7",
        "`^(en\\|nl)$`": "nl",
        "`^[0-9]+[mg]$`": "2g",
    }
    for variable, default, allowed, meaning in rows:
        assert all((variable, default, allowed, meaning))
        plain = Settings()
        with monkeypatch.context() as patched:
            patched.setenv(variable.strip("`"), values.get(allowed, "/something/else"))
            assert Settings() != plain, variable


# Errors.


def test_every_code_is_found(found: tuple[Found, ...]) -> None:
    """What the reader of the source finds holds everything that a plain search finds."""
    pattern = re.compile(r'\b(Refused|Exhausted|NotFound|Conflict|Unavailable|Tampered)\(\s*"([^"]+)"')
    seen = {match.groups() for path in SOURCES for match in pattern.finditer(path.read_text("utf-8"))}
    assert len(seen) > 50
    assert seen <= {(one.family, one.code) for one in found}


def test_every_rule_of_a_signal_is_used(found: tuple[Found, ...]) -> None:
    assert set(RULES) <= {one.code for one in found if one.family == RULE}


def test_no_code_is_made_where_it_cannot_be_read() -> None:
    assert generate.codes().unknown == set()


def test_codes_are_found_through_functions_tables_and_choices(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "made.py").write_text(
        "from register.errors import Conflict, Fault, Invalid, NotFound, Unavailable\n"
        "_TABLE = {'a': 'table.one', 'b': 'table.two'}\n"
        "def late(rule, message):\n"
        "    return Invalid([Fault(pointer='', rule=rule, message=message)], code=rule)\n"
        "class Reader:\n"
        "    def fault(self, place, rule, message):\n"
        "        return Fault(pointer=place, rule=f'deep.{rule}', message=f'line 1: {message}')\n"
        "def work(key, bad, error):\n"
        "    if key:\n"
        "        raise Unavailable('choice.one' if bad else 'choice.two', f'{key} of {bad}\\nmore')\n"
        "    Reader().fault('', 'inner', 'is wrong')\n"
        "    message = 'before'\n"
        "    message = 'is assigned'\n"
        "    Conflict(_TABLE[key], message)\n"
        "    Conflict(error.code, 'handed on')\n"
        "    Conflict(strange(), 'cannot be read')\n"
        "    Conflict(key.strange(), 'cannot be read')\n"
        "    raise NotFound\n"
    )
    (tmp_path / "room" / "used.py").write_text("from room.made import late\nraise late('through.one', 'says so')\n")
    codes = Codes(tmp_path, ("room",))
    assert {(one.family, one.code, one.says) for one in codes.found} == {
        ("Unavailable", "choice.one", "… of …"),
        ("Unavailable", "choice.two", "… of …"),
        ("Conflict", "table.one", "is assigned"),
        ("Conflict", "table.two", "is assigned"),
        ("NotFound", "not-found", ""),
        ("Invalid", "through.one", ""),
        (RULE, "through.one", "says so"),
        (RULE, "deep.inner", "is wrong"),
    }
    assert codes.unknown == {"room.made: Conflict(key.strange(), 'cannot be read')"}


def test_every_code_has_a_remedy_and_no_remedy_is_left_over(found: tuple[Found, ...]) -> None:
    rules = {one.code for one in found if one.family == RULE}
    assert set(WORDS["codes"]) == {one.code for one in found if one.family != RULE} - rules
    silent = rules - set(RULES) - {one.code for one in found if one.says}
    assert set(WORDS["rules"]) == silent
    assert all(WORDS["codes"].values())


def test_every_row_of_the_errors_says_what_to_do(pages: Mapping[str, str]) -> None:
    rows = list(cells(pages["errors.md"]))
    assert len(rows) > 150
    assert [row for row in rows if not row[0] or not row[-1]] == []


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_the_same_in_both_languages(rule: str) -> None:
    places = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (RULES[rule].en, RULES[rule].nl)]
    assert places[0] == places[1]
    assert RULES[rule].en != RULES[rule].nl


# Commands.


def _registered(commands: typer.Typer, before: str = "") -> Iterator[str]:
    yield from (f"{before}{one.name or one.callback.__name__}" for one in commands.registered_commands if one.callback)
    for group in commands.registered_groups:
        if not group.hidden and group.typer_instance:
            yield from _registered(group.typer_instance, f"{before}{group.name} ")


def test_every_command_and_option_says_what_it_is_for(pages: Mapping[str, str]) -> None:
    assert [row for row in cells(pages["commands.md"]) if not all(row)] == []
    registered = set(_registered(app))
    assert registered == set(re.findall(r"^## `(.+)`$", pages["commands.md"], re.M))


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["no-such-command"], 2),
        (["network"], 2),
        (["verify", "certificate", "no-such-folder"], 1),
        (["find", "Jansen"], 1),
    ],
    ids=str,
)
def test_exit_codes_are_those_documented(
    arguments: list[str], status: int, pages: Mapping[str, str], tmp_path: Path
) -> None:
    home = {"THEME_REGISTER_HOME": str(tmp_path / "absent"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments],
        cwd=tmp_path,
        env=environment() | home,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert str(status) in {row[0] for row in cells(pages["commands.md"])}


# Formats.


def test_every_format_has_its_vectors() -> None:
    assert set(VECTORS) == {path.stem for path in FORMATS.glob("*.md")}
    for vectors in VECTORS.values():
        assert json.loads((ROOT / "tests" / "vectors" / vectors).read_bytes()), vectors


@pytest.mark.parametrize("path", sorted(FORMATS.glob("*.schema.json")), ids=lambda path: path.name)
def test_every_schema_is_a_json_schema(path: Path) -> None:
    schema = json.loads(path.read_bytes())
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.Draft202012Validator(schema, offline=True)
    assert (FORMATS / path.name.replace(".schema.json", ".md")).exists()
    assert list(_open_objects(schema)) == []


def _open_objects(schema: Any, at: str = "") -> Iterator[str]:
    """Yield where an object with properties lets others in."""
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object" and "additionalProperties" not in schema:
            yield at
        for key, part in schema.items():
            yield from _open_objects(part, f"{at}/{key}")
    elif isinstance(schema, list):
        for place, part in enumerate(schema):
            yield from _open_objects(part, f"{at}/{place}")


@pytest.mark.parametrize("name", ["retention-case-v1.schema.json", "signal-v1.schema.json"])
def test_the_schema_published_is_the_one_enforced(name: str) -> None:
    assert json.loads((FORMATS / name).read_bytes()) == json.loads((ROOT / "api" / "exchange" / name).read_bytes())


# Audit trail.


def test_every_act_is_described_and_none_is_left_over() -> None:
    assert set(WORDS["acts"]) == set(Act)
    assert all(row[0] and len(row) == 4 for row in WORDS["acts"].values())


def test_acts_that_no_code_writes_are_said_to_be_so(pages: Mapping[str, str]) -> None:
    rows = [row for row in cells(pages["audit.md"]) if row[0] != "act"]
    unwritten = {row[0].strip("`") for row in rows if row[-1] == "not written yet"}
    assert unwritten == {act for act, row in WORDS["acts"].items() if "no code writes it yet" in row[0]}


# What pages and docstrings speak of.


def test_links_lead_somewhere() -> None:
    dead = [
        (page.name, link)
        for page in PAGES
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert dead == []


def test_files_that_are_spoken_of_exist() -> None:
    mentioned = re.compile(r"\b(?:docs|tests/vectors)/[\w./-]+\.(?:md|json|toml)\b")
    absent = {
        (str(path.relative_to(ROOT)), name)
        for path in (*PAGES, *SOURCES)
        for name in mentioned.findall(path.read_text("utf-8"))
        if not (ROOT / name).exists()
    }
    assert absent == set()


def test_tests_that_are_spoken_of_exist() -> None:
    spoken = {one for page in PAGES for one in re.findall(r"`(tests/[\w/]+\.py(?:::\w+)+)`", page.read_text("utf-8"))}
    assert len(spoken) > 20
    absent = []
    for one in sorted(spoken):
        path, *names = one.split("::")
        held: list[ast.stmt] = ast.parse((ROOT / path).read_text("utf-8")).body if (ROOT / path).exists() else []
        for name in names:
            held = next(
                (part.body for part in held if isinstance(part, ast.FunctionDef | ast.ClassDef) and part.name == name),
                [],
            )
        if not held:
            absent.append(one)
    assert absent == []


def test_modules_that_the_architecture_names_exist() -> None:
    text = (DOCS / "architecture.md").read_text("utf-8")
    named = {name for name in re.findall(r"`((?:\w+\.)+\w+)`", text) if name.partition(".")[0] in generate.ROOMS}
    assert len(named) > 20
    places = {name: ROOT.joinpath(*name.split(".")) for name in named}
    assert [name for name, path in places.items() if not (path.with_suffix(".py").exists() or path.is_dir())] == []
    assert {f"`{room}`" for room in generate.ROOMS} <= set(re.findall(r"`\w+`", text))


@pytest.mark.parametrize(
    ("section", "modules"),
    [
        ("A signal, from HTTP to the sealed graph", ["register/intake.py"]),
        ("A retention run, from the clock to the certificate", ["retention/run.py", "retention/intent.py"]),
        ("A purge of keys, inside step 6", ["vault/keystore/purge.py"]),
    ],
)
def test_the_numbers_in_the_code_are_steps_of_the_architecture(section: str, modules: list[str]) -> None:
    text = (DOCS / "architecture.md").read_text("utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    steps = {int(number) for number in re.findall(r"(?:^|\. )(\d+)\. ", text, re.M)}
    assert steps == set(range(1, len(steps) + 1))
    code = "".join((ROOT / module).read_text("utf-8") for module in modules)
    marked = {int(one) for line in re.findall(r"  # ([\d, ]+)", code) for one in re.findall(r"\d+", line)}
    marked |= {int(one) for one in re.findall(r'"""Step (\d+)', code)}
    assert marked
    assert marked <= steps


def _named() -> Iterator[tuple[str, str]]:
    """Yield each command line that a page shows, with the page's name."""
    for page in PAGES:
        if page.name != "commands.md":
            text = page.read_text("utf-8")
            for line in re.findall(r"(?:^ {4,}|`)theme-register ([^`\n]+)", text, re.M):
                if not re.search(r" v[0-9]+$", line):  # the name of a format
                    yield page.name, line.partition(" #")[0].strip()


def _understood(line: str) -> bool:
    """Say whether the command line has that command, with these options."""
    command: Any = typer.main.get_command(app)
    words = [word for word in shlex.split(line.replace("…", "")) if word not in {"|", "\\"}]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
    asked = [word.partition("=")[0] for word in words if word.startswith("-")]
    group = hasattr(command, "commands")
    return set(asked) <= options and not (group and [word for word in words if not word.startswith("-")])


def test_commands_that_pages_show_are_those_of_the_command_line() -> None:
    assert len(list(_named())) > 40
    assert [(page, line) for page, line in _named() if not _understood(line)] == []
    assert not _understood("keys replicate restore --to /mnt/two/replica")
    assert not _understood("keys replicates run")


def test_the_changelog_is_in_its_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", text, re.M)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", one) for one in headings[1:])
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", text, re.M)) <= kinds


@pytest.mark.parametrize(("page", "most"), [("architecture.md", 150), ("threat-model.md", 100)])
def test_pages_for_newcomers_stay_short(page: str, most: int) -> None:
    assert len((DOCS / page).read_text("utf-8").splitlines()) <= most

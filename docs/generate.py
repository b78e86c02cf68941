"""Makes the pages of this folder that say what the code says: settings, errors, commands, audit.

Run from the root of the project: `python -m docs.generate` writes them, with `--check` it only says which are stale
(exit status 1). What the code cannot say of itself stands in `words.toml`.
"""

import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import typer
from pydantic import AliasChoices
from typer.main import get_command

from api.cli import app
from api.http.problems import STATUS
from api.settings import Settings
from docs.codes import RULE, Codes, Found
from docs.conformance import ROWS, rows
from evidence.result import CHECKS, FAILED_EXIT, STALE_EXIT
from register.audit import Act
from register.rules import DECISIONS, RULES, SIGNALS

DOCS: Final = Path(__file__).parent
ROOT: Final = DOCS.parent
ROOMS: Final = ("register", "graph", "vault", "matching", "retention", "evidence", "api")
WORDS: Final = tomllib.loads((DOCS / "words.toml").read_text("utf-8"))
NOTE: Final = "<!-- Made by `make docs` from the code and docs/words.toml: change it there. -->"


def page(name: str) -> str:
    """Return the beginning of the page `name`."""
    return f"# {_title(name)}\n\n{NOTE}\n\n{WORDS['introductions'][name]}"


def section(name: str) -> str:
    """Return the beginning of the section `name`, with its introduction where there is one."""
    words = WORDS["introductions"].get(name)
    return f"## {_title(name)}\n" + (f"\n{words}" if words else "")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def code(text: object) -> str:
    """Return `text` set as code, or nothing when it is empty."""
    return f"`{text}`" if str(text) else ""


def settings() -> str:
    """Return the page of settings."""
    shapes = Settings.model_json_schema(by_alias=False)["properties"]
    prefix = str(Settings.model_config["env_prefix"])
    rows = []
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        variable = str(alias.choices[0]) if isinstance(alias, AliasChoices) else (prefix + name).upper()
        default = "none" if field.default is None else code(field.default)
        rows.append((code(variable), default, _allowed(shapes[name]), str(field.description)))
    return "\n".join([page("settings"), table(("variable", "default", "allowed", "meaning"), rows)])


@cache
def codes() -> Codes:
    """Return what the source says of its codes, read once."""
    return Codes(ROOT, ROOMS)


def found() -> tuple[Found, ...]:
    """Return every code and rule of the source, by code."""
    return tuple(sorted(codes().found, key=lambda one: (one.code, one.family, one.says, one.place)))


def errors(everything: Sequence[Found]) -> str:
    """Return the page of errors, from all codes and rules found."""
    statuses = {family.__name__: str(status) for family, status in STATUS.items()} | {"HTTP": "its own"}
    made: dict[str, list[Found]] = defaultdict(list)
    rules: dict[str, list[Found]] = defaultdict(list)
    for one in everything:
        (rules if one.family == RULE else made)[one.code].append(one)
    parts = [
        page("errors"),
        section("families"),
        table(
            ("family", "HTTP", "what to do"), ((code(one), statuses[one], WORDS["families"][one]) for one in statuses)
        ),
        section("codes"),
        table(
            ("code", "family", "says", "what to do"),
            (
                (code(one), _families(uses), _says(uses), WORDS["codes"].get(one, ""))
                for one, uses in made.items()
                if one not in rules
            ),
        ),
        section("rules-of-a-signal"),
        table(("rule", "English", "Nederlands"), ((code(one), rule.en, rule.nl) for one, rule in SIGNALS.items())),
        section("rules-of-a-decision"),
        table(("rule", "English", "Nederlands"), ((code(one), rule.en, rule.nl) for one, rule in DECISIONS.items())),
        section("rules-of-everything-else"),
        table(
            ("rule", "of", "says"),
            (
                (code(one), _places(uses), _says(uses) or WORDS["rules"].get(one, ""))
                for one, uses in rules.items()
                if one not in RULES
            ),
        ),
    ]
    return "\n".join(parts)


def commands() -> str:
    """Return the page of commands and exit codes."""
    parts = [page("commands"), section("exit-codes"), table(("code", "meaning"), _exit_codes())]
    for path, command in _leaves(get_command(app), ()):
        context = typer.Context(command)
        usage = " ".join([*path, *command.collect_usage_pieces(context)])
        text = " ".join(command.help.split())
        parts.append(f"## `{' '.join(path[1:])}`\n\n    {usage}\n\n{text}\n")
        if rows := [_parameter(one, context) for one in command.params]:
            parts.append(table(("parameter", "meaning"), rows))
    return "\n".join(parts)


def audit() -> str:
    """Return the page of the audit trail."""
    writers = _writers()
    rows = []
    for act in Act:
        when, targets, count, detail = WORDS["acts"][act.value]
        by = ", ".join(map(code, writers[act])) or "not written yet"
        rows.append((code(act.value), when, targets, count, detail, by))
    head = ("act", "written when", "targets", "count", "detail", "named in")
    return "\n".join([page("audit-trail"), table(head, rows)])


def conformance() -> str:
    """Return the page that says which requirement from outside is shown by which test."""
    parts = [page("conformance")]
    counts = []
    for chapter in ROWS:
        found = rows(chapter)
        tally = {state: sum(row.state == state for row in found) for state in ("passed", "partly", "not")}
        counts.append((chapter, *map(str, tally.values())))
        shown = ((row.number, row.title, row.state, row.shown) for row in found)
        about = f"## {_title(chapter)}\n\n{ROWS[chapter]['about']}\n"
        parts += [about, table(("row", "what is asked", "state", "shown by; what is lacking"), shown)]
    parts.insert(1, table(("chapter", "passed", "partly", "not"), counts))
    return "\n".join(parts)


def pages() -> Mapping[str, str]:
    """Return the text of every made page by its file name."""
    return {
        "settings.md": settings(),
        "errors.md": errors(found()),
        "commands.md": commands(),
        "audit.md": audit(),
        "conformance.md": conformance(),
    }


def stale() -> list[str]:
    """Return the names of the made pages that are not what the code says now."""
    kept = {path.name: path.read_text("utf-8") for path in DOCS.glob("*.md")}
    return [name for name, text in pages().items() if kept.get(name) != text]


def _title(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _allowed(shape: Mapping[str, Any]) -> str:
    if "pattern" in shape:
        return code(shape["pattern"])
    if "minimum" in shape:
        return f"{shape['minimum']} to {shape['maximum']}"
    kinds = {one.get("format", one.get("type")) for one in shape.get("anyOf", [shape])} - {"null"}
    return ", ".join(sorted(map(str, kinds)))


def _families(uses: Iterable[Found]) -> str:
    return ", ".join(code(one) for one in dict.fromkeys(one.family for one in uses))


def _places(uses: Iterable[Found]) -> str:
    return ", ".join(code(one) for one in dict.fromkeys(one.place for one in uses))


def _says(uses: Iterable[Found]) -> str:
    return "; ".join(dict.fromkeys(one.says for one in uses if one.says))


def _exit_codes() -> Iterator[tuple[str, str]]:
    yield "0", "done"
    yield "1", "an error of the register, whose message and code are on standard error; or `doctor` found something bad"
    yield "2", "the command line was not understood"
    yield str(STALE_EXIT), "genuine once, but superseded, or nothing recent confirms the log"
    for number, check in CHECKS.items():
        if check != "verdict":
            yield str(FAILED_EXIT + number), f"check {number} failed: {check}"


def _leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that is not hidden, with its words."""
    path = (*path, str(command.name))
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for one in inner.values():
        if not one.hidden:
            yield from _leaves(one, path)


def _parameter(one: Any, context: typer.Context) -> tuple[str, str]:
    """Return how it is written and what it means, as `--help` has both; `words.toml` fills in what that leaves out."""
    written, said = one.get_help_record(context)
    words = "" if one.help else WORDS["parameters"].get(one.name, "")
    return code(written), " ".join(f"{words} {said}".split())


def _writers() -> Mapping[Act, list[str]]:
    """Return which modules name each act."""
    writers: dict[Act, list[str]] = defaultdict(list)
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        words = path.read_text("utf-8").replace(",", " ").replace(")", " ").replace("(", " ").replace("=", " ").split()
        for act in Act:
            if f"Act.{act.name}" in words:
                writers[act].append(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return writers


def main(arguments: Sequence[str]) -> int:
    """Write the pages; with `--check` write nothing and name the stale ones. Return the exit status."""
    if "--check" in arguments:
        old = stale()
        sys.stdout.writelines(f"stale: docs/{name}\n" for name in old)
        return int(bool(old))
    for name, text in pages().items():
        (DOCS / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

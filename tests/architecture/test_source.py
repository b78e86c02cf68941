"""Habits that no linter checks: names, sizes, and patterns that hostile input cannot hold up."""

import ast
import importlib
import itertools
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import FrameType, MappingProxyType
from typing import Any, Final

import jsonschema_rs
import pytest

from api.exchange.signal_v1 import SCHEMA

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("register", "graph", "vault", "matching", "retention", "evidence", "api")
SOURCES: Final = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
EVERYTHING: Final = sorted({*SOURCES, *(path for part in ("docs", "tests") for path in (ROOT / part).rglob("*.py"))})

LONG_MODULES: Final[Mapping[str, str]] = {}
"""Modules above 350 lines, each with the reason why it is not split."""

LONG_FUNCTIONS: Final[Mapping[str, str]] = {}
"""Functions above 60 lines, each with the reason why it is not split."""

SCRIPTS: Final = {
    "register/data/build_ports.py": "builds the table of harbours, by hand",
    "graph/embedded/resolve.py": "resolves the lock of jars, by `make jars-lock`",
}
"""Programs outside `api` that people run by hand, and that may therefore print."""

BANNED: Final = frozenset({"registry", "manager", "util", "utils", "helper", "helpers", "common"})


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def places(test: Callable[[ast.AST], bool], paths: list[Path] = SOURCES) -> list[str]:
    """Return where a node of the code passes `test`."""
    return [f"{name(path)}:{node.lineno}" for path in paths for node in ast.walk(tree(path)) if test(node)]  # type: ignore[attr-defined]


def words(text: str) -> set[str]:
    """Return the words of a name in any case."""
    return {one.lower() for one in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", text)}


def test_words_of_names() -> None:
    assert words("HTTPServerManager_of_things") == {"http", "server", "manager", "of", "things"}


def test_no_module_or_class_has_a_name_that_says_nothing() -> None:
    modules = [name(path) for path in EVERYTHING if words(path.stem) & BANNED]
    classes = [
        f"{name(path)}: {node.name}"
        for path in EVERYTHING
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and words(node.name) & BANNED
    ]
    assert modules + classes == []


def test_a_port_is_a_harbour() -> None:
    """No interface is called a port: here ships lie in ports."""
    interfaces = {
        node.name
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)
    }
    assert len(interfaces) > 10
    assert [one for one in interfaces if words(one) & {"port", "ports"}] == []


def test_only_the_outer_ring_prints() -> None:
    inner = [path for path in SOURCES if path.relative_to(ROOT).parts[0] != "api" and name(path) not in SCRIPTS]
    assert places(lambda node: isinstance(node, ast.Call) and ast.unparse(node.func) == "print", inner) == []


def test_no_error_is_swallowed_whole() -> None:
    assert places(lambda node: isinstance(node, ast.ExceptHandler) and node.type is None) == []


def test_no_assertion_guards_the_rooms() -> None:
    """They are left out under `python -O`."""
    assert places(lambda node: isinstance(node, ast.Assert)) == []


def test_what_is_ignored_is_named() -> None:
    vague = re.compile(r"#\s*(?:type:\s*ignore(?!\[)|noqa(?!: [A-Z]+[0-9]+))")
    lines = ((path, number, line) for path in EVERYTHING for number, line in enumerate(path.open("r"), 1))
    assert [f"{name(path)}:{number}" for path, number, line in lines if vague.search(line)] == []


def test_modules_stay_short() -> None:
    long = {name(path) for path in SOURCES if len(path.read_text("utf-8").splitlines()) > 350}
    assert long == set(LONG_MODULES)


def test_functions_stay_short() -> None:
    long = {
        f"{name(path)}: {node.name}"
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    }
    assert long == set(LONG_FUNCTIONS)


# Patterns. Each is tried, in the ways the code uses it, on long texts of its own characters that almost match.

LENGTH: Final = 50_000
SECONDS: Final = 1.0
"""Of processor time, for one pattern on one text; linear work takes a few milliseconds."""
WAYS: Final = ("fullmatch", "match", "search", "sub", "split", "findall", "finditer")

TRUSTED: Final = {"retention.tomltext._QUOTED": "a line of a policy file, which came with the software and is TOML"}
"""Patterns that never meet a text from outside, each with what they meet."""


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def globals_with_patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Yield every pattern that a module holds, also in its tables, by module and name."""
    for path in SOURCES:
        if path.stem != "__main__" and name(path) not in SCRIPTS:
            for key, value in vars(importlib.import_module(module_of(path))).items():
                if not key.startswith("__"):
                    yield from ((f"{module_of(path)}.{key}", one) for one in held(value))


def held(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict | MappingProxyType):
        yield from itertools.chain.from_iterable(map(held, value.values()))
    elif isinstance(value, tuple | frozenset):
        yield from itertools.chain.from_iterable(map(held, value))


def used() -> Mapping[str, set[str]]:
    """Return in which ways patterns are used, by the name they have where they are used."""
    found: dict[str, set[str]] = {}
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute) and node.attr in WAYS:
                root = node.value.value if isinstance(node.value, ast.Subscript) else node.value
                found.setdefault(ast.unparse(root).rpartition(".")[2], set()).add(node.attr)
    return found


def written_out() -> Iterator[tuple[str, re.Pattern[Any], str]]:
    """Yield every pattern that stands in a call of `re` itself, and every pattern of a certificate's shape."""
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                call = ast.unparse(node.func)
                if call.startswith("re.") and call[3:] in WAYS:
                    yield f"{name(path)}:{node.lineno}", re.compile(node.args[0].value), call[3:]
                elif call in ("text", "shape.text") and module_of(path).startswith("evidence."):
                    yield f"{name(path)}:{node.lineno}", re.compile(node.args[0].value), "fullmatch"


def patterns() -> Mapping[str, tuple[re.Pattern[Any], tuple[str, ...]]]:
    """Return every pattern of the code with the ways in which it is used; where no use is seen, all of them."""
    ways = used()
    found: dict[str, tuple[re.Pattern[Any], tuple[str, ...]]] = {}
    for where, pattern in globals_with_patterns():
        if all(pattern != one for one, _ in found.values()):
            known = ways.get(where.rpartition(".")[2], set())
            found[f"{where} {pattern.pattern!r}"] = (pattern, tuple(sorted(known)) or WAYS)
    found |= {f"{where} {one.pattern!r}": (one, (way,)) for where, one, way in written_out()}
    return found


PATTERNS: Final = patterns()


def characters(parsed: Any) -> Iterator[str]:
    """Yield a character for each place of a parsed pattern: what it wants there, or does not want."""
    for code, value in parsed:
        if code in (sre.LITERAL, sre.NOT_LITERAL):
            yield chr(value)
        elif code is sre.ANY:
            yield "a"
        elif code is sre.IN:
            yield from characters(value)
        elif code is sre.RANGE:
            yield chr(value[0])
        elif code is sre.CATEGORY:
            yield {sre.CATEGORY_DIGIT: "0", sre.CATEGORY_SPACE: " ", sre.CATEGORY_WORD: "a"}.get(value, "!")
        elif code is sre.BRANCH:
            yield from itertools.chain.from_iterable(map(characters, value[1]))
        elif code is sre.SUBPATTERN:
            yield from characters(value[3])
        elif code in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            yield from characters(value[2])
        elif code in (sre.ASSERT, sre.ASSERT_NOT):
            yield from characters(value[1])


def hostile(pattern: re.Pattern[Any]) -> Iterator[str]:
    """Yield texts of LENGTH characters: one of the pattern's own over and over, or two in turn, each also spoilt."""
    some = list(dict.fromkeys(characters(parser.parse(pattern.pattern, pattern.flags))))[:8] or ["a"]
    pairs = (one + other for one, other in itertools.permutations(some, 2))
    for unit in itertools.chain(some, pairs):
        text = unit * (LENGTH // len(unit))
        yield text
        yield text + "\0"


def stuck(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError


@pytest.fixture
def _limited() -> Iterator[None]:
    before = signal.signal(signal.SIGVTALRM, stuck)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


def held_up(pattern: re.Pattern[Any], ways: tuple[str, ...], seconds: float = SECONDS) -> str:
    """Return in which way, and on the beginning of which text, the pattern takes longer than `seconds`; or nothing."""
    for text, way in itertools.product(hostile(pattern), ways):
        content = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
        arguments = [content[:0], content] if way == "sub" else [content]
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        try:
            answer = getattr(pattern, way)(*arguments)
            for _ in answer if way == "finditer" else ():
                continue
        except TimeoutError:
            return f"{way} on {text[:4]!r}…"
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return ""


@pytest.mark.usefixtures("_limited")
@pytest.mark.parametrize("key", [one for one in sorted(PATTERNS) if one.partition(" ")[0] not in TRUSTED])
def test_no_text_holds_a_pattern_up(key: str) -> None:
    assert held_up(*PATTERNS[key]) == ""


@pytest.mark.usefixtures("_limited")
@pytest.mark.parametrize(
    "pattern", [r"(a+)+b", r"(\w+:)*\w+ end", r"\s+$", "(x|x)*y", '"(?:[^"\\\\]|\\\\.)*"'], ids=lambda one: repr(one)
)
def test_a_pattern_that_can_be_held_up_is_found(pattern: str) -> None:
    assert held_up(re.compile(pattern), ("fullmatch", "search"), seconds=0.2)


def schema_patterns(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        yield from itertools.chain.from_iterable(map(schema_patterns, part.values()))
    elif isinstance(part, list):
        yield from itertools.chain.from_iterable(map(schema_patterns, part))


@pytest.mark.parametrize("pattern", sorted(set(schema_patterns(SCHEMA))))
def test_no_text_holds_a_pattern_of_the_schema_up(pattern: str) -> None:
    """In the validator's own engine of patterns, as texts from contributors meet them."""
    validator = jsonschema_rs.Draft202012Validator({"type": "string", "pattern": pattern}, offline=True)
    for text in hostile(re.compile(pattern)):
        began = time.process_time()
        validator.is_valid(text)
        assert time.process_time() - began < SECONDS


def test_every_pattern_is_among_those_tried() -> None:
    made = [
        f"{name(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"re.{way}" for way in ("compile", *WAYS)}
    ]
    local = [
        f"{name(path)}:{node.lineno}"
        for path in SOURCES
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
    ]
    assert len(PATTERNS) >= len(made) - len(local)
    # Only a certificate's shapes are compiled inside a function; `written_out` reads them where they are written.
    assert {one.partition(":")[0] for one in local} <= {"evidence/shape.py"}

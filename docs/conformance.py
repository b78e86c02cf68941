"""Which requirement from outside is shown by which test: read from the tests themselves.

A test names the rows it shows in its name (`test_r22_…`, `test_w1_w2_…`), in its docstring (`R22`, `W1-W14`) or in the
ids of its parameters. What no test can say, titles and what a row still lacks, stands in `conformance.toml`.
"""

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

DOCS: Final = Path(__file__).parent
TESTS: Final = DOCS.parent / "tests"
ROWS: Final[Mapping[str, Mapping[str, Any]]] = tomllib.loads((DOCS / "conformance.toml").read_text("utf-8"))

_IN_NAME: Final = re.compile(r"(?<![a-z0-9])([rcwl])(\d{1,2})(?![a-z0-9])")
_IN_TEXT: Final = re.compile(r"\b([RCWL])(\d{1,2})(?:\s*-\s*[RCWL]?(\d{1,2}))?\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One requirement: its number, what it asks, the tests that name it, and what is lacking ("" if nothing is)."""

    number: str
    title: str
    tests: tuple[str, ...]
    lacking: str

    @property
    def shown(self) -> str:
        """The tests that name it, and what is lacking, in Markdown."""
        return " ".join([", ".join(f"`{one}`" for one in self.tests), self.lacking]).strip()

    @property
    def state(self) -> str:
        """`passed`, `partly` or `not`: never more than the tests say."""
        if not self.tests:
            return "not"
        return "partly" if self.lacking else "passed"


def rows(chapter: str) -> tuple[Row, ...]:
    """Return the rows of a chapter of `conformance.toml`, in their order."""
    found = named()
    return tuple(
        Row(
            number=number,
            title=row["title"],
            tests=tuple(sorted(found.get(number, ()))),
            lacking=row.get("lacking", ""),
        )
        for number, row in ROWS[chapter].items()
        if number != "about"
    )


def named() -> Mapping[str, set[str]]:
    """Return the tests that name each row, as `path::test`."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for number in _numbers(node):
                    found[number].add(f"{path.relative_to(DOCS.parent).as_posix()}::{node.name}")
    return found


def _numbers(test: ast.FunctionDef) -> Iterator[str]:
    for kind, number in _IN_NAME.findall(test.name):
        yield _number(kind.upper(), int(number))
    texts = [ast.get_docstring(test) or ""]
    texts += [
        node.value
        for decorator in test.decorator_list
        for node in ast.walk(decorator)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    for text in texts:
        for kind, first, last in _IN_TEXT.findall(text):
            for number in range(int(first), int(last or first) + 1):
                yield _number(kind, number)


def _number(kind: str, number: int) -> str:
    return f"{kind}{number}" if kind == "W" else f"{kind}{number:02d}"

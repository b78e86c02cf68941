"""Bodies of entries by term and month, in `bodies/` beside the tiles.

    bodies/<term>/<YYYY-MM>        one line an entry, in the order of the log: index, salt in hexadecimal, body
    bodies/<term>/<YYYY-MM>.gone   once the term is over: the indexes of the bodies that were there, one a line

The list of what is gone is named, by its SHA-256, in an entry of its own (act `bodies.deleted`): so nobody can take a
body away and say that its term was over.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from evidence.note import invalid
from register.audit import Act, Outcome
from register.errors import Fault, Invalid

BODIES: Final = "bodies"
GONE: Final = ".gone"
_TERM: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_DELETED: Final = b'"act":"%s"' % Act.BODIES_DELETED.encode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """What is appended: one audit entry.

    Attributes:
        id: its id; appending it again is answered with its index.
        at: when it happened (aware); its month in UTC says where the body is kept.
        salt, body: their concatenation is hashed; the body is one line (canonical JSON).
        term: code of how long the body is kept, a part of its path.
    """

    id: str
    at: datetime
    salt: bytes
    body: bytes
    term: str = "standard"

    def leaf(self) -> bytes:
        """Return the 32 bytes that enter the log."""
        return hashlib.sha256(self.salt + self.body).digest()

    def shelf(self) -> str:
        """Return the path, under `bodies`, of the file that keeps the body.

        Raises:
            Invalid: `at` has no time zone, the term is not a code, or the body is more than one line.
        """
        if self.at.tzinfo is None or not _TERM.fullmatch(self.term) or b"\n" in self.body:
            message = "an entry needs an aware time, a code as term, and a body of one line"
            raise Invalid([Fault(pointer="", rule="log.entry", message=message)])
        return f"{self.term}/{self.at.astimezone(UTC):%Y-%m}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a file of bodies: the entry it belongs to, and what was hashed."""

    index: int
    salt: bytes
    body: bytes


def parse_line(line: bytes) -> Line | None:
    """Read a line of a file of bodies, spelt in the one right way; None if it is anything else."""
    parts = line.split(b" ", 2)
    if len(parts) != 3 or not parts[0].isdigit() or not parts[2].endswith(b"\n"):
        return None
    index = int(parts[0])
    try:
        salt = bytes.fromhex(parts[1].decode("ascii"))
    except ValueError:
        return None
    if b"%d" % index != parts[0] or salt.hex().encode("ascii") != parts[1]:
        return None
    return Line(index=index, salt=salt, body=parts[2][:-1])


def encode_line(index: int, salt: bytes, body: bytes) -> bytes:
    """Return the line that keeps a body."""
    return b"%d %s %s\n" % (index, salt.hex().encode("ascii"), body)


def encode_gone(indexes: list[int]) -> bytes:
    """Return the content of a list of deleted bodies."""
    return b"".join(b"%d\n" % index for index in indexes)


def parse_gone(content: bytes) -> list[int]:
    """Read a list of deleted bodies.

    Raises:
        Invalid: it is not ascending numbers, one a line (`deletions.list`).
    """
    try:
        indexes = [int(line) for line in content.splitlines()]
    except ValueError:
        indexes = [-1]
    if encode_gone(indexes) != content or indexes != sorted(set(indexes)) or (indexes and indexes[0] < 0):
        raise invalid("deletions.list", "a list of deleted bodies is ascending indexes, one a line")
    return indexes


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One month of one term.

    Attributes:
        name: `<term>/<YYYY-MM>`.
        kept: whether its bodies are there; gone: whether there is a list of deleted ones.
    """

    name: str
    kept: bool
    gone: bool

    @property
    def term(self) -> str:
        """The code of the term."""
        return self.name.partition("/")[0]

    @property
    def over(self) -> date:
        """The first day after the month."""
        year, month = map(int, self.name.partition("/")[2].split("-"))
        return date(year + month // 12, month % 12 + 1, 1)

    def over_after(self, years: int) -> date:
        """The first day on which bodies kept so many years after their month may go."""
        return self.over.replace(year=self.over.year + years)


def shelves(folder: Path) -> tuple[Shelf, ...]:
    """Return the shelves under the log's `folder`, by name.

    Raises:
        Invalid: something else lies there (`bodies.stray`).
    """
    found: dict[str, set[str]] = {}
    for path in sorted((folder / BODIES).glob("*/*")):
        month, ending = (path.name.removesuffix(GONE), GONE) if path.name.endswith(GONE) else (path.name, "")
        if path.name.startswith(".") and path.name.endswith(".new"):
            continue  # what a killed writer left, never renamed
        if not _TERM.fullmatch(path.parent.name) or not _MONTH.fullmatch(month) or not path.is_file():
            raise invalid("bodies.stray", "under bodies lies something that is no month of a term")
        found.setdefault(f"{path.parent.name}/{month}", set()).add(ending)
    return tuple(Shelf(name=name, kept="" in endings, gone=GONE in endings) for name, endings in found.items())


def lines(folder: Path, shelf: str) -> Iterator[bytes]:
    """Yield the lines of a shelf's bodies, raw."""
    with open(folder / BODIES / shelf, "rb") as file:
        yield from file


def deletion(body: bytes) -> dict[str, Any] | None:
    """Return the content of an entry's body if it tells of deleted bodies, else None."""
    if _DELETED not in body:
        return None
    content: dict[str, Any] = json.loads(body)
    return content if content["act"] == Act.BODIES_DELETED and content["outcome"] == Outcome.DONE else None


def names(told: dict[str, Any], shelf: Shelf, listed: bytes) -> bool:
    """Say whether an entry about deleted bodies tells of this shelf and list, and came after the term it states."""
    term, month = shelf.name.split("/")
    detail = told["detail"]
    stated = {"term": term, "month": month, "sha256": hashlib.sha256(listed).hexdigest()}
    at = datetime.fromisoformat(told["at"]).astimezone(UTC).date()
    kept = detail.get("years")
    if {key: detail.get(key) for key in stated} != stated or type(kept) is not int:
        return False
    return at >= shelf.over_after(kept)

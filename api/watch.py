"""What the keeper holds against each other: the audit entries in the graph, the log, and what each process pledged.

Whoever reaches the database can alter, take away, add and reorder entries there. Each is found within a minute: every
pass looks at the newest entries and at a further stretch of the older ones, so that a small log is gone through every
ten seconds, and one of a million entries in some eight minutes; numbers and pledges are of the whole, every time.
"""

import hashlib
import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from api.alarm import Alarm
from evidence.log import Log
from evidence.shelves import BODIES, GONE, parse_gone, shelves
from evidence.tiles import ENTRIES, WIDTH, TileReader, decode_entries
from graph.trail import AuditTrail, Kept
from register.audit import Act, Entry, Outcome, Term
from register.clock import Clock
from register.errors import Tampered
from vault.strands import Strand, Strands, TrailKey

NEWEST: Final = 1_000
STRETCH: Final = 20_000
EVERY_SECONDS: Final = 10.0
_PAGE: Final = 2_000
_TRIES: Final = 3

_log: Final = logging.getLogger(__name__)


def genuine(entry: Kept, key: TrailKey) -> Term | None:
    """Return the term of an entry's body if this register wrote that entry, else None."""
    if not key.holds(entry.stamp, entry.mac, entry.salt + entry.body):
        return None
    try:
        content: Mapping[str, Any] = json.loads(entry.body)
        if content["id"] != entry.id or datetime.fromisoformat(content["at"]) != entry.at:
            return None
        return Term.of(Act(content["act"]), Outcome(content["outcome"]))
    except (ValueError, KeyError, TypeError):
        return None


@dataclass(slots=True, kw_only=True)
class TrailWatch:
    """Compares, rings the alarm, and writes an incident for each kind of thing that is wrong.

    Attributes:
        folder: of the log.
    """

    folder: Path
    trail: AuditTrail
    strands: Strands
    alarm: Alarm
    clock: Clock
    _next: int = field(default=0, init=False)
    _due: float = field(default=0.0, init=False)

    def look(self) -> None:
        """Look at pledges now, and at graph and log if that is due. Raises Unavailable; what was due stays due."""
        found = set(self._pledges())
        if time.monotonic() >= self._due:
            found |= set(self.compare())
            self._due = time.monotonic() + EVERY_SECONDS
        for code in sorted(found):
            self.tell(code)

    def tell(self, code: str) -> None:
        """Ring the alarm and write the incident, once for each code until somebody has looked."""
        now = self.clock.now()
        if self.alarm.ring(code, now):
            _log.error("the audit trail is not what was logged: %s", code)
            detail = {"code": code}
            entry = Entry(at=now, actor="system", role="system", act=Act.INTEGRITY_INCIDENT, detail=detail)
            self.trail.append([entry])

    def compare(self) -> Iterator[str]:
        """Compare the newest entries and the next stretch of older ones with the log; yield codes of what is wrong."""
        try:
            with Log.open(self.folder, read_only=True) as log:
                size = log.size
                gone = self._gone()
                first = max(0, size - NEWEST)
                yield from self._stretch(log, first, size, gone)
                start = self._next if self._next < first else 0
                self._next = min(start + STRETCH, first)
                yield from self._stretch(log, start, self._next, gone)
                yield from self._numbers(log, gone)
        except Tampered as wrong:
            yield wrong.code

    def _stretch(self, log: Log, first: int, end: int, gone: frozenset[int]) -> Iterator[str]:
        reader = TileReader(self.folder, log.size)
        for start in range(first, end, _PAGE):
            stop = min(start + _PAGE, end)
            expected = iter(index for index in range(start, stop) if index not in gone)
            leaves: tuple[bytes, ...] = ()
            bundle = -1
            for entry in self.trail.between(start, stop):
                index = next(expected, None)
                while index is not None and entry.index is not None and index < entry.index:
                    yield "trail.missing"
                    index = next(expected, None)
                if index is None or index != entry.index:
                    yield "trail.added"
                    continue
                if index // WIDTH != bundle:
                    bundle = index // WIDTH
                    leaves = decode_entries(reader.tile(ENTRIES, bundle))
                if (
                    hashlib.sha256(entry.salt + entry.body).digest() != leaves[index % WIDTH]
                    or genuine(entry, self.strands.key) is None
                ):
                    yield "trail.reordered" if log.find(entry.id) not in (None, index) else "trail.altered"
            if next(expected, None) is not None:
                yield "trail.missing"

    def _numbers(self, log: Log, gone: frozenset[int]) -> Iterator[str]:
        """Entries are in the log, or wait for it; while others write it takes some tries to see both in one state."""
        for _ in range(_TRIES):
            numbers = self.trail.numbers(log.size)
            logged = numbers.all - numbers.waiting
            if logged == log.size - len(gone) and not numbers.beyond:
                return
        yield "trail.added" if logged > log.size - len(gone) or numbers.beyond else "trail.missing"

    def _pledges(self) -> Iterator[str]:
        """Every turn that a process pledged is in the log, or waits for it."""
        pledged = [f"{name}:{turn}" for name, turns in self.strands.pledged().items() for turn in turns]
        if not pledged:
            return
        there = self.trail.stamped(pledged)
        settled = [stamp for stamp, (index, _) in there.items() if index is not None]
        for stamp in pledged:
            index, waits = there.get(stamp, (None, False))
            if index is None and not waits:
                settled.append(stamp)  # told once, not every second
                yield "trail.altered" if stamp in there else "trail.missing"
        self.strands.settle(settled)

    def _gone(self) -> frozenset[int]:
        """The places whose bodies, and entries, went after their term."""
        return frozenset(
            index
            for shelf in shelves(self.folder)
            if shelf.gone and not shelf.kept
            for index in parse_gone((self.folder / BODIES / f"{shelf.name}{GONE}").read_bytes())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Halting:
    """A strand that takes no entry while the log is not what was signed: so nothing is done or shown either."""

    strand: Strand
    alarm: Alarm

    def stamp(self, contents: Sequence[bytes]) -> Sequence[tuple[str, str]]:
        """Return stamps and MACs. Raises Unavailable (`log.stopped`)."""
        self.alarm.check()
        return self.strand.stamp(contents)

    def pledge(self, stamps: Iterable[str]) -> None:
        """Note what is durable."""
        self.strand.pledge(stamps)

"""What counts as tampered with when it is read, and how that is recorded."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final, TypeVar

from register.audit import Act, Entry
from register.errors import Tampered, Unavailable
from register.interfaces import Sealing

Answer = TypeVar("Answer")

READS: Final = 3
"""So often a record is read, each time anew, before it counts as tampered with."""


def steadily(sealing: Sealing, ask: Callable[[], Answer]) -> Answer:
    """Ask until what is read verifies, `READS` times at most.

    What was read half before and half after an intake's or a redaction's change does not verify, and neither does an
    older revision: only what fails at every reading has been tampered with. What a purge took away between reading and
    opening does not open either: that is no tampering, this process is over.

    Raises:
        Tampered: with the ids that failed at every reading.
        Unavailable: a record moved while it was read, twice, or this process is over.
    """
    at_fault: set[str] | None = None
    reads = moves = 0
    while reads < READS:
        try:
            return ask()
        except Tampered as tampered:
            sealing.assert_current()
            at_fault = set(tampered.ids) if at_fault is None else at_fault & set(tampered.ids)
            reads += 1
        except Unavailable as moved:
            moves += 1
            if moved.code != "record.moved" or moves > 1:
                raise
    raise Tampered(ids=at_fault or ())


def incident(code: str, ids: Collection[str], at: datetime) -> Entry:
    """Return the entry of an incident found while reading, with the ids concerned; `at` is aware, UTC."""
    entry = Entry(at=at, actor="system", role="system", act=Act.INTEGRITY_INCIDENT, detail={"code": code})
    return entry.found(ids, len(ids))

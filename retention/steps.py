"""The steps of a run, told after each has become durable; a process that dies right then is taken up again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from register.access import Role
from register.audit import Act, Entry
from register.ids import RunId

SYSTEM: Final = "system"
"""The actor code of the keeper itself."""


class Point(StrEnum):
    """What has just become durable."""

    BEGUN = "begun"
    ARCHIVED = "records-archived"
    BATCH = "batch-erased"
    DESTROYED = "files-destroyed"
    ERASED = "erased"
    ANCHOR = "anchor-advanced"
    KEYS = "keys-replaced"
    OLD_KEYS = "old-keys-destroyed"
    FORGOTTEN = "forgotten"
    WORKERS = "workers-replaced"
    READ_BACK = "read-back"
    CERTIFIED = "certified"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of one run: `done` of `of` planned items, for those who watch."""

    point: Point
    run: RunId
    done: int
    of: int


Progress = Callable[[Step], None]


def own_entry(
    at: datetime,
    act: Act,
    *,
    targets: tuple[str, ...] = (),
    count: int = 0,
    detail: Mapping[str, str | int] | None = None,
) -> Entry:
    """Return an audit entry of the keeper's own act at `at` (aware, UTC)."""
    return Entry(
        at=at,
        actor=SYSTEM,
        role=Role.SYSTEM,
        act=act,
        targets=tuple(sorted(targets)),
        count=count,
        detail=detail or {},
    )

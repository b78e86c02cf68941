"""The log writer's own two files: `lock`, which keeps every other writer out, and `index.sqlite`."""

import fcntl
import sqlite3
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from evidence.merkle import EMPTY_ROOT
from register.errors import Unavailable

_TABLES: Final = (
    "CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, root BLOB NOT NULL) STRICT",
    "CREATE TABLE shelf (name TEXT PRIMARY KEY, length INTEGER NOT NULL) STRICT",
    "CREATE TABLE entry (id TEXT PRIMARY KEY, position INTEGER NOT NULL UNIQUE, shelf TEXT NOT NULL,"
    " start INTEGER NOT NULL) STRICT, WITHOUT ROWID",
)


def own(folder: Path, held: ExitStack) -> None:
    """Take the lock that keeps every other writer out for as long as this process lives."""
    file = held.enter_context(open(folder / "lock", "ab"))  # noqa: SIM115 - closed with the log
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Unavailable("log.in-use", "another process writes this log") from None


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open the index, with its tables."""
    # A reader opens for writing too, or it could not roll back what a killed writer left half done.
    mode = "rw" if read_only else "rwc"
    index = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=10, check_same_thread=False)
    index.execute(f"PRAGMA query_only = {int(read_only)}")
    index.execute("PRAGMA synchronous = EXTRA")
    if not read_only and not index.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        with index:
            index.execute("BEGIN IMMEDIATE")
            for table in _TABLES:
                index.execute(table)
            index.execute("INSERT INTO head VALUES (1, 0, ?)", (EMPTY_ROOT,))
    return index

"""Finds entries of the log by who, what, why, when and what about: an index made of the log's bodies alone.

It lies beside the log and may be deleted: it is made anew. It decides only where to look; what is answered is read from
the log and compared with its leaf. A body that was deleted after its term leaves the index with it.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from evidence.log import Log
from evidence.note import invalid
from register.errors import Tampered, Unavailable
from register.ids import is_id
from register.logged import LoggedEntry, LoggedPage, Question, Tally

FORMAT: Final = 1
BATCH: Final = 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ASKED: Final = {"actor": "actor", "act": "act", "outcome": "outcome", "purpose": "purpose", "case": "case_"}
_TABLES: Final = (
    "CREATE TABLE entry (position INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, role TEXT NOT NULL,"
    " act TEXT NOT NULL, outcome TEXT NOT NULL, purpose TEXT NOT NULL, case_ TEXT NOT NULL) STRICT",
    "CREATE TABLE target (id BLOB NOT NULL, at INTEGER NOT NULL, position INTEGER NOT NULL,"
    " PRIMARY KEY (id, at, position)) STRICT, WITHOUT ROWID",
    "CREATE TABLE shelf (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
    "CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL) STRICT",
    "INSERT INTO head VALUES (1, 0)",
    "CREATE INDEX entry_at ON entry (at)",
    "CREATE INDEX entry_actor ON entry (actor, at)",
    "CREATE INDEX entry_act ON entry (act, at)",
    "CREATE INDEX entry_purpose ON entry (purpose, at) WHERE purpose <> ''",
    "CREATE INDEX entry_case ON entry (case_, at) WHERE case_ <> ''",
    "CREATE INDEX entry_refused ON entry (outcome, at) WHERE outcome <> 'done'",
    "CREATE INDEX target_position ON target (position)",
    f"PRAGMA user_version = {FORMAT}",
)


class Finder:
    """Finds entries of the log in `folder` through the index at `path`; safe to share between threads."""

    def __init__(self, folder: Path, path: Path) -> None:
        self._folder = folder
        self._path = path

    def catch_up(self, log: Log, *, most: int | None = None) -> int:
        """Take in what the log holds beyond the index, at most so many; forget what it has forgotten; return how many.

        Raises:
            Unavailable: the index is busy or the disk failed. Tampered: a body is not what was logged.
        """
        size, added = log.size, 0
        with self._index() as index:
            self._forget(index, log)
            size = size if most is None else min(size, _head(index) + most)
            while (at := _head(index)) < size:
                index.execute("BEGIN IMMEDIATE")
                at = _head(index)
                until = min(at + BATCH, size)
                _take_in(index, log, range(at, until))
                index.execute("UPDATE head SET size = ?", (max(at, until),))
                index.execute("COMMIT")
                added += until - at
        return added

    def page(self, log: Log, question: Question, *, after: str, limit: int) -> LoggedPage:
        """Return at most `limit` entries, newest first; `after` is that of the page before, "" for the first.

        Raises:
            Invalid: `after` is none that was answered (`cursor`). Tampered: a body is not what was logged.
        """
        self.catch_up(log)
        before = _cursor(after)
        with self._index() as index:
            rows = index.execute(*_query(question, before=before, limit=limit + 1)).fetchall()
        found = tuple(one for at, position in rows[:limit] if (one := _read(log, position)))
        more = f"{rows[limit - 1][0]}.{rows[limit - 1][1]}" if len(rows) > limit else ""
        return LoggedPage(entries=found, after=more)

    def stream(self, log: Log, question: Question, *, size: int) -> Iterator[LoggedEntry]:
        """Yield the entries among the first `size` of the log, oldest first, a batch at a time. Raises Tampered."""
        self.catch_up(log)
        last: tuple[int, int] = (-1 << 62, -1)
        while True:
            with self._index() as index:
                rows = index.execute(*_query(question, since=last, limit=BATCH)).fetchall()
            for _, position in rows:
                entry = _read(log, position) if position < size else None
                if entry is not None:
                    yield entry
            if len(rows) < BATCH:
                return
            last = rows[-1]

    def count(self, log: Log, question: Question) -> int:
        """Return how many entries there are. Raises Unavailable."""
        self.catch_up(log)
        text, values = _query(question, limit=-1)
        with self._index() as index:
            # The text is made of constants; every value is a parameter.
            return int(index.execute(f"SELECT count(*) FROM ({text})", values).fetchone()[0])  # noqa: S608

    def tallies(self, log: Log, since: datetime, until: datetime) -> tuple[Tally, ...]:
        """Return how often what was done from `since` on and before `until`. Raises Unavailable."""
        self.catch_up(log)
        with self._index() as index:
            rows = index.execute(
                "SELECT act, role, outcome, purpose, count(*) FROM entry WHERE at >= ? AND at < ?"
                " GROUP BY act, role, outcome, purpose ORDER BY act, role, outcome, purpose",
                (_microseconds(since), _microseconds(until)),
            ).fetchall()
        return tuple(
            Tally(act=act, role=role, outcome=outcome, purpose=purpose, count=count)
            for act, role, outcome, purpose, count in rows
        )

    def plan(self, question: Question) -> str:
        """Return how the index answers a question, in SQLite's words."""
        text, values = _query(question, limit=1)
        with self._index() as index:
            return "; ".join(row[3] for row in index.execute(f"EXPLAIN QUERY PLAN {text}", values))

    def _forget(self, index: sqlite3.Connection, log: Log) -> None:
        """Drop the rows of bodies that were deleted: looked for only when a month's file has gone."""
        bodies = self._folder / "bodies"
        there = {f"{one.parent.name}/{one.name}" for one in bodies.glob("*/????-??")}
        known = {name for (name,) in index.execute("SELECT name FROM shelf")}
        if there == known:
            return
        index.execute("BEGIN IMMEDIATE")
        for name in known - there:
            begins = datetime.strptime(f"{name.rpartition('/')[2]}-01+0000", "%Y-%m-%d%z")
            ends = (begins + timedelta(days=32)).replace(day=1)
            span = (_microseconds(begins), _microseconds(ends))
            rows = index.execute("SELECT position FROM entry WHERE at >= ? AND at < ?", span).fetchall()
            gone = [row for row in rows if log.body(row[0]) is None]
            index.executemany("DELETE FROM target WHERE position = ?", gone)
            index.executemany("DELETE FROM entry WHERE position = ?", gone)
        index.executemany("DELETE FROM shelf WHERE name = ?", [(name,) for name in known - there])
        index.executemany("INSERT OR IGNORE INTO shelf VALUES (?)", [(name,) for name in there])
        index.execute("COMMIT")

    @contextmanager
    def _index(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(_connect(self._path)) as index:
                yield index
        except sqlite3.OperationalError as error:
            raise Unavailable("finding.busy", f"{self._path.name}: {error.sqlite_errorname}") from None
        except sqlite3.DatabaseError:
            # What is damaged is made anew at the next question; nothing is lost, the log has it all.
            self._path.unlink(missing_ok=True)
            raise Unavailable("finding.damaged", f"{self._path.name} is damaged and is made anew") from None


def _connect(path: Path) -> sqlite3.Connection:
    index = sqlite3.connect(path, timeout=30, isolation_level=None)
    index.execute("PRAGMA secure_delete = ON")
    (version,) = index.execute("PRAGMA user_version").fetchone()
    if version != FORMAT:
        index.execute("PRAGMA journal_mode = WAL")
        index.execute("BEGIN IMMEDIATE")
        if index.execute("PRAGMA user_version").fetchone() == (0,):
            for statement in _TABLES:
                index.execute(statement)
        index.execute("COMMIT")
    return index


def _head(index: sqlite3.Connection) -> int:
    return int(index.execute("SELECT size FROM head").fetchone()[0])


def _take_in(index: sqlite3.Connection, log: Log, positions: Sequence[int]) -> None:
    entries: list[tuple[object, ...]] = []
    targets: list[tuple[bytes, int, int]] = []
    for position in positions:
        entry = _read(log, position)
        if entry is None:
            continue
        body = entry.body
        at = _microseconds(datetime.fromisoformat(body["at"]))
        codes = (body[name] for name in ("actor", "role", "act", "outcome", "purpose", "case"))
        entries.append((position, at, *codes))
        targets += [(_key(target), at, position) for target in set(body["targets"])]
    index.executemany("INSERT OR IGNORE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)", entries)
    index.executemany("INSERT OR IGNORE INTO target VALUES (?, ?, ?)", targets)


def _read(log: Log, position: int) -> LoggedEntry | None:
    kept = log.body(position)
    if kept is None:
        return None
    body: Any = json.loads(kept[1])
    if not isinstance(body, dict):
        raise Tampered("log.bodies", f"what was logged at {position} is no entry")
    return LoggedEntry(index=position, body=body)


def _query(
    question: Question,
    *,
    before: tuple[int, int] | None = None,
    since: tuple[int, int] | None = None,
    limit: int,
) -> tuple[str, list[object]]:
    """Return the text (of constants only) and its values; each question is led by one index that also orders."""
    asked = {column: getattr(question, name) for name, column in _ASKED.items() if getattr(question, name)}
    clauses = [f"e.{column} = ?" for column in asked]
    values: list[object] = list(asked.values())
    source, at, position = "entry e", "e.at", "e.position"
    if question.target:
        # CROSS JOIN keeps the order: the few entries about the target lead.
        source, at, position = "target t CROSS JOIN entry e ON e.position = t.position", "t.at", "t.position"
        clauses.append("t.id = ?")
        values.append(_key(question.target))
    # A partial index serves only a question that says what the index is restricted to.
    clauses += [f"e.{column} <> ''" for column in ("purpose", "case_") if column in asked]
    clauses += ["e.outcome <> 'done'"] if question.outcome not in ("", "done") else []
    for bound, sign in ((question.since, ">="), (question.until, "<")):
        if bound is not None:
            clauses.append(f"{at} {sign} ?")
            values.append(_microseconds(bound))
    for place, sign in ((before, "<"), (since, ">")):
        if place is not None:
            clauses.append(f"({at}, {position}) {sign} (?, ?)")
            values += place
    where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    way = "ASC" if since is not None else "DESC"
    order = f" ORDER BY {at} {way}, {position} {way} LIMIT ?"
    return f"SELECT {at}, {position} FROM {source}{where}{order}", [*values, limit]  # noqa: S608 - constants only


def _cursor(after: str) -> tuple[int, int] | None:
    if not after:
        return None
    at, _, position = after.partition(".")
    if not (at.isdecimal() and position.isdecimal() and len(after) < 40):
        raise invalid("cursor", "that is no `after` of an answer")
    return int(at), int(position)


def _key(target: str) -> bytes:
    return bytes.fromhex(target) if is_id(target) else target.encode()


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND

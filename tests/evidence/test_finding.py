"""Finding entries by who, what, why, when and what about: what a plain scan of the log finds, but by an index."""

import json
import shutil
import sqlite3
import tracemalloc
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.finding import Finder
from evidence.log import Log
from register.audit import Act, Entry, Outcome
from register.errors import Invalid, Unavailable
from register.logged import Question
from tests.evidence.builders import logged

BEGAN = datetime(2026, 10, 30, 12, tzinfo=UTC)
IDS = [f"{number:032x}" for number in range(5)]
ACTORS = ("ana", "bob", "chris")
CASES = ("", "A-1", "B/2")


def entry(number: int) -> Entry:
    refused = number % 7 == 3
    return Entry(
        at=BEGAN + timedelta(hours=number % 50),
        actor=ACTORS[number % 3],
        role="analyst",
        act=(Act.SUBJECT_OPEN, Act.NETWORK_SHOW, Act.DESTRUCTION)[number % 3 if number % 2 else 0],
        outcome=Outcome.REFUSED if refused else Outcome.DONE,
        purpose="theme-insight" if number % 3 else "",
        case=CASES[number % 3],
        targets=tuple(sorted({IDS[number % 5], IDS[number * 3 % 5]})),
        count=number,
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finding")
    entries = [entry(number) for number in range(250)]
    with Log.open(folder / "log") as log:
        log.append([logged(one) for one in entries])
    return folder, entries


@pytest.fixture
def finder(kept):
    folder, _ = kept
    with Log.open(folder / "log", read_only=True) as log:
        yield Finder(folder / "log", folder / "finding.sqlite"), log


def plain(entries, question: Question) -> list[int]:
    """The positions a scan of everything finds, newest first."""
    hits = [
        (one.at, position)
        for position, one in enumerate(entries)
        if all(
            getattr(one, name) == getattr(question, name)
            for name in ("actor", "act", "outcome", "purpose", "case")
            if getattr(question, name)
        )
        and (not question.target or question.target in one.targets)
        and (question.since is None or one.at >= question.since)
        and (question.until is None or one.at < question.until)
    ]
    return [position for _, position in sorted(hits, reverse=True)]


instants = st.none() | st.integers(0, 60).map(lambda hours: BEGAN + timedelta(hours=hours))
questions = st.builds(
    Question,
    actor=st.sampled_from(("", *ACTORS)),
    act=st.sampled_from(("", *Act)),
    outcome=st.sampled_from(("", *Outcome)),
    purpose=st.sampled_from(("", "theme-insight")),
    case=st.sampled_from(CASES),
    target=st.sampled_from(("", *IDS)),
    since=instants,
    until=instants,
)


@settings(max_examples=40, deadline=None)
@given(question=questions, limit=st.integers(1, 120))
def test_pages_and_stream_hold_what_a_scan_of_the_whole_log_finds(kept, question, limit):
    folder, entries = kept
    finder = Finder(folder / "log", folder / "finding.sqlite")
    with Log.open(folder / "log", read_only=True) as log:
        found, after = [], ""
        while True:
            page = finder.page(log, question, after=after, limit=limit)
            found += page.entries
            if not (after := page.after):
                break
        expected = plain(entries, question)
        assert [one.index for one in found] == expected
        assert all(one.body == json.loads(entries[one.index].body()) for one in found)
        streamed = [one.index for one in finder.stream(log, question, size=log.size)]
        assert streamed == expected[::-1]
        assert finder.count(log, question) == len(expected)


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (Question(actor="ana"), "entry_actor"),
        (Question(act="destruction"), "entry_act"),
        (Question(case="A-1"), "entry_case"),
        (Question(purpose="theme-insight"), "entry_purpose"),
        (Question(outcome="refused"), "entry_refused"),
        (Question(target=IDS[0]), "PRIMARY KEY"),
        (Question(target=IDS[0], actor="ana", until=BEGAN), "PRIMARY KEY"),
        (Question(since=BEGAN), "entry_at"),
        (Question(), "entry_at"),
    ],
)
def test_every_question_is_answered_in_the_order_of_an_index(finder, question, index):
    found, log = finder
    found.catch_up(log)
    plan = found.plan(question)
    assert index in plan
    assert "TEMP B-TREE" not in plan
    assert "SCAN e;" not in plan


def test_an_index_that_is_gone_or_damaged_is_made_anew(kept, tmp_path):
    folder, entries = kept
    shutil.copytree(folder / "log", tmp_path / "log")
    path = tmp_path / "finding.sqlite"
    finder = Finder(tmp_path / "log", path)
    with Log.open(tmp_path / "log", read_only=True) as log:
        assert finder.count(log, Question()) == len(entries)
        path.write_bytes(b"no database" * 500)
        with pytest.raises(Unavailable) as damaged:
            finder.count(log, Question())
        assert damaged.value.code == "finding.damaged"
        assert finder.count(log, Question()) == len(entries)


def test_a_cursor_that_nobody_gave_is_refused(finder):
    found, log = finder
    for after in ("x", "1", "1.x", "-1.2", "1.2.3"):
        with pytest.raises(Invalid):
            found.page(log, Question(), after=after, limit=10)


def test_it_grows_with_the_log_whoever_comes_first(tmp_path):
    with Log.open(tmp_path / "log") as log:
        finders = [Finder(tmp_path / "log", tmp_path / "finding.sqlite") for _ in range(2)]
        for start in range(0, 60, 20):
            log.append([logged(entry(number)) for number in range(start, start + 20)])
            for finder in finders:
                assert finder.count(log, Question()) == start + 20


def test_r35_a_body_deleted_after_its_term_leaves_the_index_with_it(tmp_path):
    """R35: audit data are themselves scheduled: once a month's bodies are gone, no question finds anything of them."""
    september = [replace(entry(number), at=datetime(2026, 9, 1 + number, tzinfo=UTC)) for number in range(20)]
    with Log.open(tmp_path / "log") as log:
        log.append([logged(one) for one in [*september, *(entry(number) for number in range(30))]])
        finder = Finder(tmp_path / "log", tmp_path / "finding.sqlite")
        assert finder.count(log, Question()) == 50
        log.list_gone("standard/2026-09")
        log.delete_bodies("standard/2026-09")
        assert finder.count(log, Question()) == 30
        assert next(one.index for one in finder.stream(log, Question(), size=log.size)) >= 20
        assert finder.page(log, Question(until=datetime(2026, 10, 1, tzinfo=UTC)), after="", limit=10).entries == ()
        with closing(sqlite3.connect(tmp_path / "finding.sqlite")) as index:
            assert index.execute("SELECT count(*) FROM target WHERE position < 20").fetchone() == (0,)
        assert log.size == 50


def test_a_long_stream_is_kept_nowhere(tmp_path):
    """Tens of thousands of entries pass through some hundred kilobytes."""
    with Log.open(tmp_path / "log") as log:
        for start in range(0, 20_000, 2_000):
            log.append([logged(entry(number)) for number in range(start, start + 2_000)])
        finder = Finder(tmp_path / "log", tmp_path / "finding.sqlite")
        finder.catch_up(log)
        peaks = []
        # Twice: the interpreter's own table of names may double in one of the passes, by megabytes in a large process.
        for _ in range(2):
            tracemalloc.start()
            passed = sum(1 for _ in finder.stream(log, Question(), size=log.size))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            assert passed == 20_000
    assert min(peaks) < 1_000_000

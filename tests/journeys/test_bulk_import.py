"""A file of signals is taken in whole, once, in little memory, and survives being killed; bad lines are told apart."""

import json
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from api.demo.story import signals as story
from api.exchange.ndjson import BATCH
from api.exchange.signal_v1 import read, to_json
from api.exchange.strict_json import MEBIBYTE
from api.wiring import workplace
from register.clock import SystemClock, civil_date
from register.signals import NewSignal
from tests.builders import a_signal
from tests.journeys.census import Counts, Telling, counts, sealed_signals, telling, texts, texts_of
from tests.journeys.imports import Importing, begun, deliveries, resident
from tests.journeys.installation import Installation

TODAY = civil_date(SystemClock().now())
CONTRIBUTOR = "desk"
STORY = 1900
GROWTH = 64
"""MiB by which the importing child may grow after its first thousand signals: so many pages the key store may keep."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """A file to import, and the official harbours that it needs, if any."""

    path: Path
    signals: tuple[NewSignal, ...]
    harbours: Path | None = None

    def prepare(self, register: Installation) -> Installation:
        if self.harbours is not None:
            assert register.json("ports", "load", str(self.harbours))["harbours"] > 18_000
        return register


@dataclass(frozen=True, kw_only=True)
class Undisturbed:
    """What became of a load that was imported twice, by nobody disturbed.

    Attributes:
        memory: MiB of the importing child, by the number of signals taken so far.
        shown: texts as a reader sees them, of a sample.
    """

    first: dict[str, Any]
    second: dict[str, Any]
    counts_first: Counts
    counts_second: Counts
    telling: Telling
    memory: dict[int, int]
    shown: dict[str, dict[str, str]]
    rejects: bool


@pytest.fixture(scope="module", params=["story", pytest.param("open signals", marks=pytest.mark.shared_data)])
def load(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Load:
    path = tmp_path_factory.mktemp("load") / "signals.ndjson"
    if request.param == "story":
        path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in story(TODAY, STORY)))
        harbours = None
    else:
        data = request.getfixturevalue("shared_data")
        path.symlink_to(data / "signals" / "open.ndjson")
        harbours = data / "ports" / "unlocode-2019-2-seaports.csv"
    return Load(path=path, signals=tuple(map(read, path.read_bytes().splitlines())), harbours=harbours)


@pytest.fixture(scope="module")
def undisturbed(load: Load, next_register: Callable[[], Installation]) -> Undisturbed:
    register = load.prepare(next_register())
    with begun(register, load.path) as importing:
        memory = _watched(importing)
        first = importing.tally()
    with workplace(register.settings, "test") as opened:
        counts_first = counts(opened.graph)
    with begun(register, load.path) as importing:
        second = importing.tally()
    with workplace(register.settings, "test") as opened:
        stored = sealed_signals(opened.graph)
        sample = Random(1).sample(stored, 100)  # noqa: S311 - no secret
        shown = {one["reference"]: one for one in (texts(opened, signal) for signal in sample)}
        return Undisturbed(
            first=first,
            second=second,
            counts_first=counts_first,
            counts_second=counts(opened.graph),
            telling=telling(opened, CONTRIBUTOR, load.signals, stored),
            memory=memory,
            shown=shown,
            rejects=load.path.with_name(load.path.name + ".rejects.ndjson").exists(),
        )


def test_all_are_accepted_and_a_second_import_adds_nothing(load: Load, undisturbed: Undisturbed) -> None:
    count = len(load.signals)
    first, second = dict(undisturbed.first), dict(undisturbed.second)
    assert first.pop("seconds") > 0
    assert second.pop("seconds") > 0
    assert first == {"accepted": count, "already": 0, "rejected": 0}
    assert second == {"accepted": 0, "already": count, "rejected": 0}
    assert undisturbed.counts_first.nodes["Signal"] == count
    assert undisturbed.counts_second == undisturbed.counts_first
    assert not undisturbed.rejects


def test_everything_that_was_stated_is_stored(load: Load, undisturbed: Undisturbed) -> None:
    """C26: and no subject that nobody stated."""
    stored = undisturbed.telling
    assert set(stored.signals) == {one.reference for one in load.signals}
    assert (stored.pending, stored.duplicates) == ((), 0)
    held = undisturbed.counts_first
    assert held.relationships["MENTIONS"] == sum(len(one.subjects) for one in load.signals)
    assert held.links == sum(len(one.links) for one in load.signals)
    assert held.relationships["AT"] == sum(len(one.ports) for one in load.signals)
    assert held.nodes["Port"] == len({code for one in load.signals for code in one.ports})


def test_texts_read_back_as_they_were_handed_in(load: Load, undisturbed: Undisturbed) -> None:
    handed_in = {one.reference: texts_of(one) for one in load.signals}
    assert undisturbed.shown == {reference: handed_in[reference] for reference in undisturbed.shown}
    assert len(undisturbed.shown) == 100


def test_memory_stays_flat(load: Load, undisturbed: Undisturbed) -> None:
    early = max(mebibytes for taken, mebibytes in undisturbed.memory.items() if taken <= 1000)
    assert max(undisturbed.memory) > len(load.signals) - 2 * BATCH
    assert max(undisturbed.memory.values()) < early + GROWTH


def test_killed_and_resumed_nothing_is_lost_or_doubled(
    load: Load, undisturbed: Undisturbed, next_register: Callable[[], Installation]
) -> None:
    """Killed thrice in the middle: with its parent right after keys were written, then anywhere, then the child.

    C19: the reference of each line is its key.
    """
    register = load.prepare(next_register())
    random = Random(len(load.signals))  # noqa: S311 - no secret
    batches = range(1, len(load.signals) // BATCH + 1)
    first, second, third = sorted(BATCH * number for number in random.sample(batches, 3))
    with begun(register, load.path) as importing:
        importing.wait_for(first)
        importing.kill()
    with begun(register, load.path) as importing:
        importing.wait_for(second)
        threading.Event().wait(random.uniform(0, 0.2))
        importing.kill()
    with begun(register, load.path) as importing:
        importing.wait_for(third)
        importing.kill_child()
    assert deliveries(register)[0] < len(load.signals)
    with begun(register, load.path) as importing:
        tally = importing.tally()
    assert tally["accepted"] + tally["already"] == len(load.signals)
    assert tally["already"] >= third - 2 * BATCH  # the batch being written, and the next that was made ready meanwhile
    assert tally["rejected"] == 0
    assert deliveries(register) == (len(load.signals), 0)
    with workplace(register.settings, "test") as opened:
        assert counts(opened.graph) == undisturbed.counts_first
        stored = sealed_signals(opened.graph)
        assert telling(opened, CONTRIBUTOR, load.signals, stored) == undisturbed.telling
        for signal in random.sample(stored, 100):
            shown = texts(opened, signal)
            assert shown == undisturbed.shown.get(shown["reference"], shown)


def good(reference: str, **changes: Any) -> bytes:
    return to_json(a_signal(reference=reference, received_on=TODAY - timedelta(days=10), **changes))


def bad(reference: str, **changes: Any) -> bytes:
    return json.dumps(json.loads(good(reference)) | changes).encode()


HUGE = good("huge").replace(b"{", b"{" + b" " * MEBIBYTE, 1)
BROAD = good("broad").replace(b"{", b"{" + b" " * (MEBIBYTE - len(good("broad"))), 1)
LINES = (
    good("line-1"),
    b"",
    bad("line-3", received_on="2999-01-01", ports=["NLRTM", "NLXXX"]),
    good("line-4") + b"\r",
    b'{"format": "signal/1", ',
    b"   \t \r",
    good("line-7").replace(b"line-7", b"line-7\xff"),
    HUGE,
    good("line-9"),
    bad("line-10", colour="red", narrative=7),
    good("line-1", narrative="Something else under a reference of before."),
    BROAD,
    good("line-13").replace(b"{", b'{"reference": "twice", ', 1),
    b"[]",
    good("line-15"),
)
REJECTED = {
    3: {("/received_on", "date.future"), ("/ports/1", "port.unknown")},
    5: {("", "json.syntax")},
    7: {("", "json.encoding")},
    8: {("", "json.size")},
    10: {("", "schema.unknown-field"), ("/narrative", "schema.type")},
    11: set(),
    13: {("", "json.duplicate-key")},
    14: {("", "schema.type")},
}


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A file of good and bad lines, whose last line does not end."""
    path = tmp_path / "mixed.ndjson"
    path.write_bytes(b"\n".join(LINES))
    return path


def _rejects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_bad_lines_are_told_apart_and_kept_from_others(register: Installation, mixed: Path) -> None:
    """C24: line, place and rule, in a file of their own."""
    rejects = mixed.with_name("mixed.ndjson.rejects.ndjson")
    rejects.touch(mode=0o644)
    dry = register.json("import", str(mixed), "--dry-run")
    # Whether a reference is known only the register could say, and a dry run asks nothing of it.
    assert (dry["accepted"], dry["already"], dry["rejected"]) == (6, 0, 7)
    assert {one["line"] for one in _rejects(rejects)} == REJECTED.keys() - {11}
    with workplace(register.settings, "test") as opened:
        assert set(counts(opened.graph).nodes) - {"Entry"} == {"Register"}  # entries of `init` stay beside the log
        assert counts(opened.graph).relationships == {}
    assert deliveries(register) == (0, 0)

    tally = register.json("import", str(mixed))
    assert (tally["accepted"], tally["already"], tally["rejected"]) == (5, 0, 8)
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    told = {one["line"]: one for one in _rejects(rejects)}
    assert {
        line: {(one["pointer"], one["rule"]) for one in reason["errors"]} for line, reason in told.items()
    } == REJECTED
    assert {line: one["error"] for line, one in told.items()} == {
        line: "reference.conflict" if line == 11 else "invalid" for line in REJECTED
    }
    assert all(one["message"] for reason in told.values() for one in reason["errors"])
    assert told[3]["text"].encode() == LINES[2]
    assert len(told[8]["text"]) <= MEBIBYTE + 1
    with workplace(register.settings, "test") as opened:
        taken = [read(LINES[at]) for at in (0, 3, 8, 11, 14)]
        stored = telling(opened, CONTRIBUTOR, taken, sealed_signals(opened.graph))
    assert set(stored.signals) == {"line-1", "line-4", "line-9", "broad", "line-15"}
    assert stored.duplicates == 0

    again = register.json("import", str(mixed))
    assert (again["accepted"], again["already"], again["rejected"]) == (0, 5, 8)


def test_mended_lines_are_taken_in_beside_those_already_there(register: Installation, mixed: Path) -> None:
    register.run("import", str(mixed))
    mended = mixed.with_name("mended.ndjson")
    mended.write_bytes(b"\r\n".join([LINES[0], good("line-3"), good("line-10"), b""]))
    own = mixed.with_name("own-rejects")
    tally = register.json("import", str(mended), "--rejects", str(own))
    assert (tally["accepted"], tally["already"], tally["rejected"]) == (2, 1, 0)
    assert not own.exists()


def test_what_one_contributor_handed_in_is_not_anothers(register: Installation, tmp_path: Path) -> None:
    path = tmp_path / "one.ndjson"
    path.write_bytes(good("same"))
    assert register.json("import", str(path), "--contributor", "douane")["accepted"] == 1
    assert register.json("import", str(path), "--contributor", "kmar")["accepted"] == 1
    assert register.json("import", str(path), "--contributor", "kmar")["already"] == 1


def _watched(importing: Importing) -> dict[int, int]:
    """Return the child's memory by progress, looked at until the import ends."""
    memory: dict[int, int] = {}
    importing.wait_for(1)
    child = importing.child()
    while importing.parent.poll() is None:
        taken, mebibytes = importing.taken(), resident(child)
        memory[taken] = max(mebibytes, memory.get(taken, 0))
        threading.Event().wait(0.05)
    return memory

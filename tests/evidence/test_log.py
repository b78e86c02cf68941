"""The log on disk: layout, appending, idempotence, bodies, damage, and writers that are killed."""

import errno
import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence import durable, merkle
from evidence.log import Log
from evidence.shelves import LogEntry
from evidence.tiles import check_tiles, tile_path
from register.errors import Invalid, NotFound, Tampered, Unavailable
from tests.evidence.builders import entries

ENTRIES = entries(700)


def root_of(some):
    return merkle.root_of(merkle.leaf_hash(entry.leaf()) for entry in some)


@pytest.mark.parametrize(
    ("index", "width", "path"),
    [
        (0, 256, "tile/0/000"),
        (999, 256, "tile/0/999"),
        (1000, 17, "tile/0/x001/000.p/17"),
        (1234067, 256, "tile/0/x001/x234/067"),
    ],
)
def test_tiles_lie_where_the_specification_puts_them(index, width, path):
    assert tile_path(0, index, width) == path


@pytest.mark.parametrize("sizes", [(1,), (255, 1), (256,), (257,), (3, 250, 3, 1, 300), (700,)])
def test_every_batch_leaves_the_tree_of_its_size(tmp_path, sizes):
    reached = 0
    with Log.open(tmp_path) as log:
        for size in sizes:
            assert log.append(ENTRIES[reached : reached + size]) == tuple(range(reached, reached + size))
            reached += size
            assert log.head() == (reached, root_of(ENTRIES[:reached]))
            assert log.check() == log.root == check_tiles(tmp_path, reached)
    with Log.open(tmp_path) as log:
        assert log.head() == (reached, root_of(ENTRIES[:reached]))
        assert [log.leaf(i) for i in range(reached)] == [entry.leaf() for entry in ENTRIES[:reached]]


def test_the_files_of_a_size_are_those_of_the_specification(tmp_path):
    with Log.open(tmp_path) as log:
        log.append(ENTRIES[:300])
        log.append(ENTRIES[300:600])
    found = {str(path.relative_to(tmp_path)) for path in (tmp_path / "tile").rglob("*") if path.is_file()}
    assert found == {
        "tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/1", "tile/1/000.p/2",
        "tile/entries/000", "tile/entries/001", "tile/entries/002.p/88",
    }  # fmt: skip
    assert (tmp_path / "tile/0/000").stat().st_size == 8192
    assert (tmp_path / "tile/entries/000").read_bytes()[:34] == b"\x00\x20" + ENTRIES[0].leaf()


@pytest.fixture(scope="module")
def long_log(tmp_path_factory):
    with Log.open(tmp_path_factory.mktemp("long")) as log:
        log.append(ENTRIES)
        yield log


@settings(deadline=None)
@given(data=st.data())
def test_proofs_between_any_sizes_verify(long_log, data):
    new = data.draw(st.integers(1, len(ENTRIES)))
    old, index = data.draw(st.integers(1, new)), data.draw(st.integers(0, new - 1))
    root, leaf = root_of(ENTRIES[:new]), merkle.leaf_hash(ENTRIES[index].leaf())
    assert long_log.root_at(new) == root
    proof = long_log.inclusion(index, new)
    assert merkle.verify_inclusion(index=index, size=new, leaf=leaf, proof=proof, root=root)
    proof = long_log.consistency(old, new)
    assert merkle.verify_consistency(old=old, size=new, old_root=root_of(ENTRIES[:old]), root=root, proof=proof)


def test_an_entry_is_logged_once(tmp_path):
    with Log.open(tmp_path) as log:
        assert log.append(ENTRIES[:10]) == tuple(range(10))
        assert log.append([ENTRIES[7], ENTRIES[10], ENTRIES[10], ENTRIES[3]]) == (7, 10, 10, 3)
        assert log.size == 11
        assert log.find(ENTRIES[10].id) == 10
        assert log.find("0" * 32) is None
        assert log.append([]) == ()
    with Log.open(tmp_path) as log:
        assert log.append(ENTRIES[:12]) == tuple(range(12))


@pytest.mark.parametrize("with_fresh", [False, True])
def test_a_known_id_with_other_content_is_refused(tmp_path, with_fresh):
    with Log.open(tmp_path) as log:
        log.append(ENTRIES[:3])
        altered = replace(ENTRIES[1], body=b'{"entry":"other"}')
        fresh = [ENTRIES[5], replace(ENTRIES[5], body=b"{}")] if with_fresh else [ENTRIES[5], altered]
        with pytest.raises(Tampered) as caught:
            log.append(fresh)
        assert caught.value.code == "log.other-content"
        assert log.size == 3
        assert log.append([ENTRIES[5]]) == (3,)


@pytest.mark.parametrize(
    "changes",
    [{"at": datetime(2026, 1, 1)}, {"term": "../up"}, {"term": ""}, {"body": b"two\nlines"}],  # noqa: DTZ001
)
def test_malformed_entries_are_refused_whole(tmp_path, changes):
    with Log.open(tmp_path) as log:
        with pytest.raises(Invalid) as caught:
            log.append([ENTRIES[0], replace(ENTRIES[1], **changes)])
        assert caught.value.faults[0].rule == "log.entry"
        assert log.size == 0


def test_bodies_are_found_by_index_and_go_by_month(tmp_path):
    kept = LogEntry(
        id="e" * 32, at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC), salt=b"", body=b'{"x":"\xc3\xa9"}', term="ledger"
    )
    with Log.open(tmp_path) as log:
        log.append([*ENTRIES[:9], kept])
        assert log.body(4) == (ENTRIES[4].salt, ENTRIES[4].body)
        assert log.body(9) == (b"", kept.body)
        assert (tmp_path / "bodies/ledger/2026-12").read_bytes() == b"9  " + kept.body + b"\n"
        (tmp_path / "bodies/standard/2026-10").rename(tmp_path / "taken")
        for ask in (lambda: log.body(0), log.check):
            with pytest.raises(Tampered):
                ask()
        (tmp_path / "taken").rename(tmp_path / "bodies/standard/2026-10")
        assert log.list_gone("standard/2026-10") == (b"0\n3\n6\n", 3)
        log.delete_bodies("standard/2026-10")
        assert log.body(0) is None
        assert log.body(1) is not None
        assert log.check() == log.root
        with pytest.raises(NotFound):
            log.body(10)


def test_what_is_not_there_is_not_found(tmp_path):
    with Log.open(tmp_path) as log:
        log.append(ENTRIES[:3])
        for ask in (
            lambda: log.root_at(4),
            lambda: log.inclusion(3, 3),
            lambda: log.inclusion(0, 4),
            lambda: log.consistency(0, 3),
            lambda: log.consistency(1, 4),
            lambda: log.leaf(3),
            lambda: log.leaf(-1),
        ):
            with pytest.raises(NotFound):
                ask()


def test_one_writes_and_others_read(tmp_path):
    with pytest.raises(Unavailable, match="no log"):
        Log.open(tmp_path, read_only=True)
    with Log.open(tmp_path) as log:
        log.append(ENTRIES[:5])
        with pytest.raises(Unavailable) as caught:
            Log.open(tmp_path)
        assert caught.value.code == "log.in-use"
        with Log.open(tmp_path, read_only=True) as reader:
            log.append(ENTRIES[:300])
            assert reader.head() == log.head()
            assert reader.inclusion(2, 5) == log.inclusion(2, 5)
            with pytest.raises(Unavailable):
                reader.append(ENTRIES[300:301])
    with Log.open(tmp_path) as log:
        assert log.head() == (300, root_of(ENTRIES[:300]))


def test_a_full_disk_stops_the_writer_and_loses_nothing(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "no space")

    with Log.open(tmp_path) as log:
        log.append(ENTRIES[:5])
        with monkeypatch.context() as patch:
            patch.setattr(durable.os, "fsync", full)
            with pytest.raises(Unavailable) as caught:
                log.append(ENTRIES[5:9])
            assert caught.value.code == "log.storage"
        # After a failed sync nobody knows what is on the disk, so this object never writes again.
        with pytest.raises(Unavailable) as caught:
            log.append(ENTRIES[5:9])
        assert caught.value.code == "log.broken"
    with Log.open(tmp_path) as log:
        assert log.size == 5
        assert log.append(ENTRIES[:9]) == tuple(range(9))
        assert log.check() == root_of(ENTRIES[:9])


def _flip(path, at=-1):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def _sql(statement):
    def damage(folder):
        with sqlite3.connect(folder / "index.sqlite") as index:
            index.execute(statement)

    return damage


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda f: (f / "index.sqlite").unlink(), "log.index-missing"),
        (lambda f: (f / "index.sqlite").write_bytes(b"not a database, by far" * 300), "log.index"),
        (_sql("DELETE FROM head"), "log.index"),
        (_sql("UPDATE head SET size = 301"), "log.tile"),
        (_sql("UPDATE head SET size = 299"), "log.tile"),
        (lambda f: (f / "tile/0/001.p/44").unlink(), "log.tile"),
        (lambda f: (f / "tile/0/001.p/44").write_bytes(b""), "log.tile"),
        (lambda f: _flip(f / "tile/0/001.p/44"), "log.root"),
        (lambda f: _flip(f / "tile/1/000.p/1"), "log.root"),
        (lambda f: _flip(f / "tile/entries/001.p/44"), "log.tile"),
        (lambda f: os.truncate(f / "bodies/standard/2026-11", 100), "log.bodies"),
    ],
)  # fmt: skip
def test_damage_at_the_edge_is_refused_at_the_door(tmp_path, damage, code):
    with Log.open(tmp_path) as log:
        log.append(ENTRIES[:300])
    damage(tmp_path)
    with pytest.raises(Tampered) as caught:
        Log.open(tmp_path)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda f: _flip(f / "tile/0/000", 5), "log.tile"),
        (lambda f: _flip(f / "tile/entries/000", 5), "log.tile"),
        (lambda f: _flip(f / "tile/entries/000", 0), "log.tile"),
        (lambda f: _flip(f / "bodies/standard/2026-10", 60), "log.bodies"),
        (_sql("DELETE FROM entry WHERE position = 3"), "log.index"),
        (_sql("UPDATE entry SET start = start + 1 WHERE position = 3"), "log.bodies"),
        (_sql("UPDATE shelf SET length = length - 1"), "log.bodies"),
    ],
)  # fmt: skip
def test_damage_anywhere_is_found_by_the_check(tmp_path, damage, code):
    with Log.open(tmp_path) as log:
        log.append(ENTRIES[:300])
    damage(tmp_path)
    with Log.open(tmp_path) as log, pytest.raises(Tampered) as caught:
        log.check()
    assert caught.value.code == code


def test_what_a_killed_writer_left_is_written_over(tmp_path):
    """The worst case by hand: everything of a batch is on the disk but the commit."""
    with Log.open(tmp_path) as log:
        log.append(ENTRIES[:250])
    kept = (tmp_path / "index.sqlite").read_bytes()
    with Log.open(tmp_path) as log:
        log.append(ENTRIES[250:600])
    (tmp_path / "index.sqlite").write_bytes(kept)
    # The full tile took the place of the partial one it grew from: the first 250 hashes of it are read.
    with Log.open(tmp_path) as log:
        assert log.head() == (250, root_of(ENTRIES[:250]))
        others = [replace(entry, id=entry.id[::-1], body=b'{"other":1}') for entry in ENTRIES[250:270]]
        log.append(others)
        assert log.check() == root_of([*ENTRIES[:250], *others])
        assert log.body(255) == (others[5].salt, others[5].body)


def test_partial_tiles_of_a_killed_writer_go_before_others_grow_past_them(tmp_path):
    """Each of them was to hold what is not what was logged there in the end."""
    with Log.open(tmp_path) as log:
        log.append(ENTRIES[:10])
        committed = (tmp_path / "index.sqlite").read_bytes()
        log.append(ENTRIES[10:30])
    (tmp_path / "index.sqlite").write_bytes(committed)
    left = list((tmp_path / "tile").rglob("*.p/30"))
    assert len(left) == 2
    others = [replace(entry, id=entry.id[::-1], body=b'{"other":1}') for entry in ENTRIES[10:50]]
    with Log.open(tmp_path) as log:
        assert all(path.exists() for path in left)  # opening destroys nothing
        log.append(others[:25])
        log.append(others[25:])
    assert not any(path.exists() for path in left)
    partials = sorted((tmp_path / "tile" / "0").rglob("*.p/*"), key=lambda path: int(path.name))
    assert [path.name for path in partials] == ["10", "35", "50"]
    assert all(partials[-1].read_bytes().startswith(path.read_bytes()) for path in partials)


@pytest.mark.parametrize("batch", [1, 40, 300])
def test_a_writer_killed_at_any_time_loses_nothing_it_had_reported(tmp_path, batch):
    """kill -9 at random moments of twelve lives, one after another, each with other content."""
    choose = random.Random(batch)  # noqa: S311 - the moments only have to differ
    size, root = 0, merkle.EMPTY_ROOT
    for life in range(12):
        command = [sys.executable, "-m", "tests.evidence.log_writer", str(tmp_path), str(batch), f"life {life}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout
            assert writer.stdout.readline() == b"open\n"
            said = [writer.stdout.readline() for _ in range(choose.randrange(4))]
            select.select([], [], [], choose.random() / 100)
            writer.send_signal(signal.SIGKILL)
            said += writer.stdout.read().splitlines()
        reported = max([size, *map(int, said)])
        with Log.open(tmp_path) as log:
            assert reported <= log.size <= reported + batch
            assert log.check() == log.root
            if size:
                proof = log.consistency(size, log.size)
                assert merkle.verify_consistency(old=size, size=log.size, old_root=root, root=log.root, proof=proof)
            size, root = log.head()
    assert size > 12

"""A purge of the key store: what is gone is gone from every copy, what stays stays readable, whatever happens between.

`attack` is what a thief can do who has an old copy of the keys' folder but not its anchor, and everything present: the
present anchor and the present store. It must find nothing; the variants that only wrap the root key anew, or keep the
lookup key, are the controls that prove it would find something.
"""

import os
import pickle
import shutil
import signal as signals
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from register.accepted import AcceptedBatch
from register.errors import Conflict, RegisterError, Tampered, Unavailable
from register.ids import IdentifierId, RunId, mint
from register.interfaces import DeliveryKey
from register.runs import Forgotten
from register.sealed import SealedBatch, SealedMention
from register.subjects import NewIdentifier
from tests.vault.builders import batch, one_signal, passport, signal, subject
from tests.vault.conftest import REGISTER
from vault.anchors.file import FileAnchor
from vault.formats import RootKey, Tokens, identifier_value
from vault.keystore import KeyStore, Purge
from vault.keystore.rows import root_aad
from vault.lookup import Lookup
from vault.sealing import Sealer

RUN = RunId("0" * 32)


@dataclass(frozen=True)
class House:
    """A register of `pairs` signals about two subjects each; of the first half of them everything is due."""

    folder: Path
    batches: tuple[AcceptedBatch, ...]
    sealed: tuple[SealedBatch, ...]

    @classmethod
    def built(cls, folder: Path, pairs: int) -> "House":
        with opened(folder, make=True) as store:
            sealer = Sealer(store)
            accepted = tuple(one_signal(reference=f"ref-{n}", number=f"NX{n:07}") for n in range(pairs))
            sealed = tuple(map(sealer.seal, accepted))
            for one in sealed:
                sealer.settle(one)
        return cls(folder, accepted, sealed)

    @property
    def due(self) -> range:
        return range(len(self.batches) // 2)

    @property
    def staying(self) -> range:
        return range(len(self.batches) // 2, len(self.batches))

    @property
    def ids(self) -> list[str]:
        return [one for n in self.due for one in self.ids_of(n)]

    def ids_of(self, n: int) -> list[str]:
        return [self.batches[n].signals[0].facts.id, *(one.id for one in self.batches[n].created)]

    @property
    def identifiers(self) -> list[IdentifierId]:
        return [one for n in self.due for one in self.batches[n].identifiers.values()]

    def passport(self, n: int) -> NewIdentifier:
        return passport(f"NX{n:07}")

    def delivery(self, n: int) -> DeliveryKey:
        return DeliveryKey(contributor="desk", reference=f"ref-{n}")

    def mentions(self, n: int) -> tuple[SealedMention, ...]:
        return self.sealed[n].signals[0].mentions

    def check_survivors(self) -> None:
        """Everything that stays opens and is found, with the present folder."""
        with opened(self.folder) as store:
            sealer, lookup = Sealer(store), Lookup(store)
            for n in self.staying:
                assert sealer.open_signal(self.sealed[n].signals[0], with_source=True).reference == f"ref-{n}"
                found = lookup.deliveries({self.delivery(n): self.batches[n].signals[0].digest})[self.delivery(n)]
                assert (found.done, found.same) == (True, True)
                assert found.subjects == self.batches[n].signals[0].created
            wanted = [self.passport(n) for n in self.staying]
            assert len(lookup.identifiers(wanted)) == len(wanted)
            assert sealer.behind((self.ids_of(n)[0], 0) for n in self.staying) == tuple(
                self.ids_of(n)[0] for n in self.staying
            )

    def check_gone(self) -> None:
        """Nothing of what was purged opens or is found, with the present folder."""
        with opened(self.folder) as store:
            sealer, lookup = Sealer(store), Lookup(store)
            for n in self.due:
                with pytest.raises(Tampered):
                    sealer.open_signal(self.sealed[n].signals[0])
                with pytest.raises(Tampered):
                    sealer.open_mentions(self.mentions(n))
            assert lookup.identifiers([self.passport(n) for n in self.due]) == {}
            assert Purge(store).remains([*self.ids, *self.identifiers]) == ()


class opened:  # noqa: N801 - reads as what it is in a with statement
    """A key store, closed at the end."""

    def __init__(self, folder: Path, *, make: bool = False, anchor: FileAnchor | None = None) -> None:
        self.folder, self.make, self.anchor = folder, make, anchor or FileAnchor(folder / "anchor")

    def __enter__(self) -> KeyStore:
        if self.make:
            self.store = KeyStore.init(self.folder, self.anchor, REGISTER, rehearsal=True)
        else:
            self.store = KeyStore.open(self.folder, self.anchor)
        return self.store

    def __exit__(self, *_: object) -> None:
        self.store.close()


def purge(house: House, anchor: FileAnchor | None = None, *, fence: int = 1) -> Forgotten:
    """What the keeper does for one run, from wherever the last try got."""
    with opened(house.folder, anchor=anchor) as store:
        run = Purge(store)
        done = run.forgotten(RUN)
        if done is None:
            done = run.forget(RUN, house.ids, house.identifiers, version=run.advance_anchor(), fence=fence)
    with opened(house.folder, anchor=anchor) as store:
        Purge(store).destroy_old(fence=fence)
    return done


def copied(house: House, to: Path) -> House:
    shutil.copytree(house.folder, to)
    return replace(house, folder=to)


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "store" / "keys.sqlite")) as connection:
        return connection.execute(query).fetchall()


def attack(old: Path, present: Path, house: House) -> tuple[set[str], set[str]]:
    """Try everything present on an old copy of the store.

    Returns:
        Ids whose key rows open, and passports that can be tried against the old tokens.
    """
    anchor = FileAnchor(present / "anchor")
    live = [int(path.stem) for path in (present / "anchor").glob("*.key")]
    heads = rows(old, "SELECT generation, root FROM register") + rows(present, "SELECT generation, root FROM register")
    heads += rows(present, "SELECT generation, root FROM former_roots")
    roots = set()
    for generation, wrapped in heads:
        for version in live:
            with suppress(RegisterError):
                roots.add(anchor.unwrap(version, wrapped, root_aad(REGISTER, generation)))
    found: set[str] = set()
    lookups: set[bytes] = set()
    (generation,) = rows(old, "SELECT generation FROM register")[0]
    for raw in roots:
        root = RootKey(raw, REGISTER, generation)
        for name, kind, version, wrapped in rows(old, "SELECT id, kind, version, wrapped FROM keys"):
            with suppress(Tampered):
                key = root.unwrap(kind, name, version, wrapped)
                found.add(name)
                if name == "lookup":
                    lookups.add(key)
        for name, version, wrapped in rows(present, "SELECT id, version, wrapped FROM keys WHERE id = 'lookup'"):
            for at in (1, 2):
                with suppress(Tampered):
                    lookups.add(RootKey(raw, REGISTER, at).unwrap("register", name, version, wrapped))
    digests = {digest for (digest,) in rows(old, "SELECT digest FROM tokens")}
    tried = {
        f"NX{n:07}"
        for lookup in lookups
        for n in range(len(house.batches))
        if Tokens(lookup, bytes(32), REGISTER).token(identifier_value("passport", f"NX{n:07}")) in digests
    }
    return found, tried


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House.built(tmp_path_factory.mktemp("built") / "keys", 12)


@pytest.fixture
def house(built: House, tmp_path: Path) -> House:
    return copied(built, tmp_path / "keys")


def test_what_is_purged_is_gone_and_what_stays_stays(house: House) -> None:
    done = purge(house)
    assert (done.generation_before, done.generation_after, done.anchor_before, done.anchor_after) == (1, 2, 1, 2)
    assert (done.rows_dropped, done.tokens_dropped, done.tokens_kept) == (6 * 4, 6, 6)
    assert (done.anchor_kind, done.assurance) == ("file", "logical")
    house.check_survivors()
    house.check_gone()
    assert done.rows_kept == rows(house.folder, "SELECT count(*) FROM keys")[0][0]


def test_purges_follow_one_another(house: House) -> None:
    purge(house)
    with opened(house.folder) as store:
        run = Purge(store)
        third = run.forget(RunId("1" * 32), [], [], version=run.advance_anchor(), fence=1)
        run.destroy_old(fence=1)
    assert (third.generation_after, third.anchor_after, third.rows_dropped) == (3, 3, 0)
    house.check_survivors()


def test_an_old_copy_opens_nothing_with_what_is_present(house: House, tmp_path: Path) -> None:
    old = copied(house, tmp_path / "old")
    purge(house)
    assert attack(old.folder, house.folder, house) == (set(), set())


def test_control_the_old_copy_opens_all_while_its_anchor_lives(house: House, tmp_path: Path) -> None:
    old = copied(house, tmp_path / "old")
    with opened(house.folder) as store:
        run = Purge(store)
        run.forget(RUN, house.ids, house.identifiers, version=run.advance_anchor(), fence=1)  # step 5 left out
    found, tried = attack(old.folder, house.folder, house)
    assert set(house.ids) <= found
    assert len(tried) == len(house.batches)


def test_control_a_root_that_is_only_wrapped_anew_opens_the_old_copy(house: House, tmp_path: Path) -> None:
    """The wrong purge: rows dropped, anchor replaced, and the same root key under it."""
    old = copied(house, tmp_path / "old")
    anchor = FileAnchor(house.folder / "anchor")
    version = anchor.advance()
    with closing(sqlite3.connect(house.folder / "store" / "keys.sqlite")) as connection, connection:
        (wrapped,) = connection.execute("SELECT root FROM register").fetchone()
        raw = anchor.unwrap(1, wrapped, root_aad(REGISTER, 1))
        again = anchor.wrap(version, raw, root_aad(REGISTER, 1))
        connection.execute("UPDATE register SET root = ?, anchor_version = ?", (again, version))
        connection.executemany("DELETE FROM keys WHERE id = ?", [(one,) for one in house.ids])
        connection.executemany("DELETE FROM deliveries WHERE signal = ?", [(one,) for one in house.ids])
        connection.executemany("DELETE FROM revisions WHERE id = ?", [(one,) for one in house.ids])
        connection.executemany("DELETE FROM tokens WHERE identifier = ?", [(one,) for one in house.identifiers])
    anchor.destroy_below(version)
    house.check_survivors()
    house.check_gone()  # it looks right from inside
    found, tried = attack(old.folder, house.folder, house)
    assert set(house.ids) <= found
    assert {f"NX{n:07}" for n in house.due} <= tried


def test_control_a_lookup_key_that_stays_answers_for_the_old_copy(house: House, tmp_path: Path) -> None:
    """The other wrong purge: everything right, but the lookup key of before is put back under the new root."""
    old = copied(house, tmp_path / "old")
    with opened(house.folder) as store:
        ((version, wrapped),) = rows(house.folder, "SELECT version, wrapped FROM keys WHERE id = 'lookup'")
        lookup = store.root.unwrap("register", "lookup", version, wrapped)
    purge(house)
    with opened(house.folder) as store:
        again = store.root.wrap("register", "lookup", 2, lookup)
        with closing(sqlite3.connect(house.folder / "store" / "keys.sqlite")) as connection, connection:
            connection.execute("UPDATE keys SET wrapped = ? WHERE id = 'lookup'", (again,))
    found, tried = attack(old.folder, house.folder, house)
    assert found == set()
    assert {f"NX{n:07}" for n in house.due} <= tried


def test_survivors_of_an_old_graph_open_with_the_present_store(house: House) -> None:
    """The keys themselves do not change: sealed values from before the purge stay readable, purged ones do not."""
    purge(house)
    house.check_survivors()


def test_no_purged_id_value_or_old_row_is_left_in_the_files(house: House) -> None:
    old = rows(house.folder, "SELECT wrapped FROM keys UNION ALL SELECT wrapped FROM tokens")
    digests = rows(house.folder, "SELECT digest FROM tokens UNION ALL SELECT digest FROM deliveries")
    purge(house)
    content = b"".join(path.read_bytes() for path in (house.folder / "store").iterdir())
    for one in (*house.ids, *house.identifiers):
        assert one.encode() not in content
    for (blob,) in (*old, *digests):
        assert blob not in content


def test_of_a_purged_signals_delivery_only_the_receipt_remains(house: House) -> None:
    purge(house)
    with opened(house.folder) as store:
        lookup = Lookup(store)
        for n in house.due:
            receipt = house.batches[n].signals[0].receipt
            for content in (house.batches[n].signals[0].digest, b"other content"):
                found = lookup.deliveries({house.delivery(n): content})[house.delivery(n)]
                assert (found.done, found.same, found.signal, found.receipt) == (True, True, "", receipt)
                assert found.subjects == {}
            assert lookup.receipt("desk", receipt) is None
    left = rows(house.folder, "SELECT signal, forgotten_by FROM deliveries WHERE forgotten_by IS NOT NULL")
    assert left == [(None, RUN)] * len(house.due)


def test_a_purged_subject_leaves_the_delivery_of_a_signal_that_stays(house: House) -> None:
    n = house.staying[0]
    first, second = house.batches[n].created
    with opened(house.folder) as store:
        run = Purge(store)
        run.forget(RUN, [first.id], [], version=run.advance_anchor(), fence=1)
    with opened(house.folder) as store:
        found = Lookup(store).deliveries({house.delivery(n): b""})[house.delivery(n)]
    assert found.subjects == {1: second.id}


def test_a_purged_id_is_never_used_again(house: House) -> None:
    purge(house)
    gone, strong = house.batches[0].created[0], dict(house.batches[0].identifiers)
    with opened(house.folder) as store:
        with pytest.raises(Conflict):
            Sealer(store).seal(batch([signal([gone], reference="new")], created=[gone]))
        fresh = subject()
        with pytest.raises(Conflict):
            Sealer(store).seal(batch([signal([fresh], reference="new")], created=[fresh], identifiers=strong))


def test_forgetting_twice_is_forgetting_once(house: House) -> None:
    with opened(house.folder) as store:
        run = Purge(store)
        version = run.advance_anchor()
        done = run.forget(RUN, house.ids, house.identifiers, version=version, fence=1)
        assert run.forget(RUN, house.ids, house.identifiers, version=version, fence=1) == done
        assert run.forgotten(RUN) == done
    with opened(house.folder) as store:
        run = Purge(store)
        evidence = run.destroy_old(fence=1)
        assert run.destroy_old(fence=1) == evidence
        assert run.forgotten(RUN) == done
        assert run.forgotten(RunId("2" * 32)) is None
    house.check_survivors()


def test_a_process_of_the_old_generation_does_nothing_more(house: House) -> None:
    with opened(house.folder) as late:
        sealer, lookup = Sealer(late), Lookup(late)
        sealer.assert_current()
        purge(house)
        n = house.staying[0]
        record = house.sealed[n].signals[0]
        names = [(one.facts.id, one.facts.subject, one.sealed["names"]) for one in house.mentions(n)]
        tries: list[Callable[[], object]] = [
            sealer.assert_current,
            lambda: sealer.open_signal(record),
            lambda: sealer.open_mentions(record.mentions),
            lambda: list(sealer.open_names(names)),
            lambda: sealer.seal(one_signal(reference="new", number="NEW")),
            lambda: sealer.settle(house.sealed[n]),
            lambda: sealer.behind([("a", 1)]),
            lambda: lookup.identifiers([passport()]),
            lambda: lookup.deliveries({house.delivery(n): b""}),
            lambda: Purge(late).forget(RunId("3" * 32), [], [], version=9, fence=1),
        ]
        for attempt in tries:
            with pytest.raises(Unavailable) as caught:
                attempt()
            assert caught.value.code == "generation.moved"


def test_a_purge_needs_a_higher_live_anchor_version_and_the_fence(house: House) -> None:
    with opened(house.folder) as store:
        run = Purge(store)
        for version in (0, 1, 7):
            with pytest.raises(Unavailable):
                run.forget(RUN, house.ids, [], version=version, fence=1)
        store.take_fence(9)
        with pytest.raises(Unavailable) as caught:
            run.forget(RUN, house.ids, [], version=run.advance_anchor(), fence=8)
        assert caught.value.code == "fence.passed"
        with pytest.raises(Unavailable):
            run.destroy_old(fence=8)
        assert run.forgotten(RUN) is None
    assert rows(house.folder, "SELECT generation FROM register") == [(1,)]


def test_an_old_root_that_still_opens_is_an_alarm(house: House, tmp_path: Path) -> None:
    class Forgetful(FileAnchor):
        def destroy_below(self, version: int) -> Mapping[str, str]:
            return {"anchor": "file", "version": str(version), "below": "said-so"}

    with opened(house.folder, anchor=Forgetful(house.folder / "anchor")) as store:
        run = Purge(store)
        run.forget(RUN, house.ids, [], version=run.advance_anchor(), fence=1)
        with pytest.raises(Tampered) as caught:
            run.destroy_old(fence=1)
    assert caught.value.code == "anchor.survives"


def test_a_damaged_row_does_not_hold_up_the_purge(house: House) -> None:
    hit = house.ids_of(house.staying[0])[1]
    with closing(sqlite3.connect(house.folder / "store" / "keys.sqlite")) as connection, connection:
        connection.execute("UPDATE keys SET wrapped = zeroblob(66) WHERE id = ?", (hit,))
    purge(house)
    house.check_gone()
    with opened(house.folder) as store:
        assert Sealer(store).open_signal(house.sealed[house.staying[1]].signals[0])
        with pytest.raises(Tampered):
            Sealer(store).open_mentions(house.mentions(house.staying[0]))


def test_readers_that_hold_a_snapshot_hold_up_the_last_step_only(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.keystore.schema.WAIT_SECONDS", 0)
    monkeypatch.setattr("vault.keystore.schema._PRAGMAS", ("journal_mode=WAL", "secure_delete=ON", "busy_timeout=1"))
    with closing(sqlite3.connect(house.folder / "store" / "keys.sqlite", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM register").fetchall()
        with pytest.raises(Unavailable) as caught:
            purge(house)
        assert caught.value.code == "keystore.busy"
        reader.execute("ROLLBACK")
    purge(house)
    house.check_survivors()
    house.check_gone()


# --- killed ---


def in_child(action: Callable[[], object]) -> int:
    """Run `action` in a forked child; return its number."""
    child = os.fork()
    if child == 0:
        try:
            action()
        finally:
            os._exit(0)
    return child


def die() -> None:
    os.kill(os.getpid(), signals.SIGKILL)


class DyingAnchor(FileAnchor):
    """A file anchor whose process is killed at one point of the purge."""

    def __init__(self, folder: Path, point: str) -> None:
        super().__init__(folder)
        self.point = point

    def advance(self) -> int:
        version = super().advance()
        self._at("advanced")
        return version

    def wrap(self, version: int, blob: bytes, aad: bytes) -> bytes:
        self._at("everything rewritten, nothing committed")
        return super().wrap(version, blob, aad)

    def destroy_below(self, version: int) -> Mapping[str, str]:
        self._at("committed, nothing destroyed")
        evidence = super().destroy_below(version)
        self._at("destroyed, log not emptied")
        return evidence

    def _at(self, point: str) -> None:
        if point == self.point:
            die()


POINTS = (
    "advanced",
    "everything rewritten, nothing committed",
    "committed, nothing destroyed",
    "destroyed, log not emptied",
)


@pytest.mark.parametrize("point", POINTS)
def test_killed_between_two_steps(house: House, tmp_path: Path, point: str) -> None:
    old = copied(house, tmp_path / "old")
    child = in_child(lambda: purge(house, DyingAnchor(house.folder / "anchor", point)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signals.SIGKILL
    done = purge(house)
    assert (done.generation_after, done.rows_dropped) == (2, 6 * 4)
    house.check_survivors()
    house.check_gone()
    assert attack(old.folder, house.folder, house) == (set(), set())


@pytest.mark.parametrize("half", [b"", b"?" * 30])
def test_killed_while_an_anchor_version_was_overwritten(house: House, half: bytes) -> None:
    with opened(house.folder) as store:
        run = Purge(store)
        run.forget(RUN, house.ids, house.identifiers, version=run.advance_anchor(), fence=1)
    (house.folder / "anchor" / "0000000001.key").write_bytes(half)
    purge(house)
    house.check_survivors()
    house.check_gone()


def test_killed_at_random_points(tmp_path: Path) -> None:
    """At least thirty kills, spread over the time a whole purge takes, some before the commit and some after it.

    Each house then ends as if nothing had happened.
    """
    built = House.built(tmp_path / "built", 60)
    measured = copied(built, tmp_path / "measured")
    begun = time.monotonic()
    os.waitpid(in_child(lambda: purge(measured)), 0)
    whole = time.monotonic() - begun
    random = Random(20261124)  # noqa: S311 - points in time
    reached: set[int] = set()
    turn = 0
    while turn < 30 or reached != {1, 2}:
        assert turn < 200, "no kill fell on the other side of the commit"
        house = copied(built, tmp_path / f"keys-{turn}")
        old = copied(house, tmp_path / f"old-{turn}")
        child = in_child(lambda house=house: purge(house))  # type: ignore[misc]
        time.sleep(whole * 1.2 * (turn % 30 + random.random()) / 30)  # the point at which the child is killed
        os.kill(child, signals.SIGKILL)
        os.waitpid(child, 0)
        reached.add(rows(house.folder, "SELECT generation FROM register")[0][0])
        done = purge(house)
        assert done.generation_after == 2
        house.check_survivors()
        house.check_gone()
        assert attack(old.folder, house.folder, house) == (set(), set())
        shutil.rmtree(house.folder)
        shutil.rmtree(old.folder)
        turn += 1


# --- beside others ---


def seal_until_moved(folder: Path, writer: int, pipe: int) -> None:
    """Seal signals until the keys are replaced; hand over what was sealed whole."""
    done = []
    with opened(folder) as store, suppress(Unavailable):
        sealer = Sealer(store)
        for turn in range(10_000):
            accepted = one_signal(reference=f"w{writer}-{turn}", number=f"W{writer}{turn:06}")
            done.append(sealer.seal(accepted))
            if turn == 0:
                os.write(pipe, b"!")
    with open(pipe, "wb") as out:
        pickle.dump(done, out)


@pytest.mark.parametrize("turn", range(3))
def test_intakes_beside_a_purge_lose_nothing(house: House, turn: int) -> None:
    pipes = [os.pipe() for _ in range(2)]
    children = []
    for writer, (reading, writing) in enumerate(pipes):
        children.append(in_child(lambda w=writer, p=writing: seal_until_moved(house.folder, w, p)))  # type: ignore[misc]
        os.close(writing)
        assert os.read(reading, 1) == b"!"
    purge(house)
    count = 0
    with opened(house.folder) as store:
        sealer = Sealer(store)
        for child, (reading, _) in zip(children, pipes, strict=True):
            with open(reading, "rb") as pipe:
                kept = pickle.load(pipe)  # noqa: S301 - from our own child
            assert os.waitpid(child, 0)[1] == 0
            for sealed in kept:
                assert sealer.open_signal(sealed.signals[0], with_source=True)
                count += 1
    assert count >= 2
    house.check_survivors()
    house.check_gone()


def test_two_intakes_of_the_same_passport_make_one_identifier(house: House) -> None:
    """Four processes hand in the same passport at once: one wins, the others are told to look again."""

    def race(pipe: int) -> None:
        with opened(house.folder) as store:
            sealer, lookup = Sealer(store), Lookup(store)
            wins = 0
            for turn in range(20):
                with suppress(Conflict):
                    sealer.seal(one_signal(reference=mint(), number=f"RACE{turn}"))
                    wins += 1
                assert passport(f"RACE{turn}") in lookup.identifiers([passport(f"RACE{turn}")])
        os.write(pipe, bytes([wins]))

    reading, writing = os.pipe()
    children = [in_child(lambda: race(writing)) for _ in range(4)]
    os.close(writing)
    with open(reading, "rb") as pipe:
        wins = pipe.read()
    for child in children:
        os.waitpid(child, 0)
    assert len(wins) == 4
    assert sum(wins) == 20


def test_no_byte_of_the_file_names_what_was_purged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With these ids a row's copy stays between the rows of a page that it moved from, unless the file is remade."""
    random = Random(75)  # noqa: S311 - ids that fall so
    random.getrandbits(128)
    monkeypatch.setattr("tests.vault.builders.mint", lambda: f"{random.getrandbits(128):032x}")
    with closing(KeyStore.init(tmp_path, FileAnchor(tmp_path / "anchor"), REGISTER, rehearsal=True)) as store:
        sealer, signals_, subjects = Sealer(store), [], []
        for number in range(2):
            created, handed = [], []
            for place in range(12):
                two = (subject(), subject())
                created += two
                handed.append(signal(two, reference=f"ref-{number}-{place}"))
            sealed = sealer.seal(batch(handed, created=created))
            sealer.settle(sealed)
            signals_ += [one.facts.id for one in handed]
            subjects += [one.id for one in created]
        gone = {*subjects[::2], *signals_[::2]}
        forgetting = Purge(store)
        forgetting.forget(RUN, gone, [], version=forgetting.advance_anchor(), fence=1)
        forgetting.destroy_old(fence=1)
    content = (tmp_path / "store" / "keys.sqlite").read_bytes()
    assert [one for one in sorted(gone) if one.encode() in content] == []
    assert all(one.encode() in content for one in {*subjects, *signals_} - gone)

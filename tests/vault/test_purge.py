"""A purge of the key store: what is gone is gone from every copy, what stays stays readable, whatever happens between.

`attack` is what a thief can do who has an old copy of the keys' folder but not its anchor, and everything present: the
present anchor and the present store. It must find nothing; the variants that only wrap the root key anew, or keep the
lookup key, are the controls that prove it would find something.
"""

import hashlib
import os
import pickle
import signal as signals
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from register.accepted import AcceptedBatch
from register.errors import Conflict, RegisterError, Tampered, Unavailable
from register.ids import IdentifierId, RunId, mint
from register.interfaces import DeliveryKey
from register.runs import Forgotten, Gone
from register.sealed import SealedBatch, SealedMention
from register.subjects import NewIdentifier
from tests.vault.builders import TODAY, batch, gone, one_signal, passport, signal, subject
from tests.vault.places import KINDS, REGISTER, Place, new_place
from vault.anchors.file import FileAnchor
from vault.formats import RootKey, Tokens, identifier_value
from vault.keystore import Purge
from vault.keystore.rows import root_aad
from vault.lookup import Lookup
from vault.sealing import Sealer

RUN = RunId("0" * 32)


@dataclass(frozen=True)
class House:
    """A register of `pairs` signals about two subjects each; of the first half of them everything is due."""

    place: Place
    batches: tuple[AcceptedBatch, ...]
    sealed: tuple[SealedBatch, ...]

    @classmethod
    def built(cls, place: Place, pairs: int) -> "House":
        with closing(place.init()) as store:
            sealer = Sealer(store)
            accepted = tuple(one_signal(reference=f"ref-{n}", number=f"NX{n:07}") for n in range(pairs))
            sealed = tuple(map(sealer.seal, accepted))
            for one in sealed:
                sealer.settle(one)
        return cls(place, accepted, sealed)

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

    @property
    def gone(self) -> Gone:
        return gone(self.ids, self.identifiers)

    def passport(self, n: int) -> NewIdentifier:
        return passport(f"NX{n:07}")

    def delivery(self, n: int) -> DeliveryKey:
        return DeliveryKey(contributor="desk", reference=f"ref-{n}")

    def mentions(self, n: int) -> tuple[SealedMention, ...]:
        return self.sealed[n].signals[0].mentions

    def check_survivors(self) -> None:
        """Everything that stays opens and is found, with the present folder."""
        with closing(self.place.open()) as store:
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
        with closing(self.place.open()) as store:
            sealer, lookup = Sealer(store), Lookup(store)
            for n in self.due:
                with pytest.raises(Tampered):
                    sealer.open_signal(self.sealed[n].signals[0])
                with pytest.raises(Tampered):
                    sealer.open_mentions(self.mentions(n))
            assert lookup.identifiers([self.passport(n) for n in self.due]) == {}
            assert Purge(store).remains([*self.ids, *self.identifiers]) == ()


def purge(house: House, anchor: FileAnchor | None = None, *, fence: int = 1) -> Forgotten:
    """What the keeper does for one run, from wherever the last try got."""
    with closing(house.place.open(anchor)) as store:
        run = Purge(store)
        done = run.forgotten(RUN)
        if done is None:
            done = run.forget(RUN, house.gone, version=run.advance_anchor(), fence=fence)
    with closing(house.place.open(anchor)) as store:
        Purge(store).destroy_old(fence=fence)
    return done


def copied(house: House, to: Path) -> House:
    return replace(house, place=house.place.copied(to))


def attack(old: Place, present: Place, house: House) -> tuple[set[str], set[str]]:
    """Try everything present on an old copy of the store.

    Returns:
        Ids whose key rows open, and passports that can be tried against the old tokens.
    """
    anchor = present.anchor
    live = [int(path.stem) for path in (present.folder / "anchor").glob("*.key")]
    heads = old.run("SELECT generation, root FROM register") + present.run("SELECT generation, root FROM register")
    heads += present.run("SELECT generation, root FROM former_roots")
    roots = set()
    for generation, wrapped in heads:
        for version in live:
            with suppress(RegisterError):
                roots.add(anchor.unwrap(version, wrapped, root_aad(REGISTER, generation)))
    found: set[str] = set()
    lookups: set[bytes] = set()
    (generation,) = old.run("SELECT generation FROM register")[0]
    for raw in roots:
        root = RootKey(raw, REGISTER, generation)
        for name, kind, version, wrapped in old.run("SELECT id, kind, version, wrapped FROM keys"):
            with suppress(Tampered):
                key = root.unwrap(kind, name, version, wrapped)
                found.add(name)
                if name == "lookup":
                    lookups.add(key)
        for name, version, wrapped in present.run("SELECT id, version, wrapped FROM keys WHERE id = 'lookup'"):
            for at in (1, 2):
                with suppress(Tampered):
                    lookups.add(RootKey(raw, REGISTER, at).unwrap("register", name, version, wrapped))
    digests = {digest for (digest,) in old.run("SELECT digest FROM tokens")}
    tried = {
        f"NX{n:07}"
        for lookup in lookups
        for n in range(len(house.batches))
        if Tokens(lookup, bytes(32), REGISTER).token(identifier_value("passport", f"NX{n:07}")) in digests
    }
    return found, tried


@pytest.fixture(scope="module", params=KINDS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> House:
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    return House.built(new_place(tmp_path_factory.mktemp("built") / "keys", server), 12)


@pytest.fixture
def house(built: House, tmp_path: Path) -> House:
    return copied(built, tmp_path / "keys")


def test_what_is_purged_is_gone_and_what_stays_stays(house: House) -> None:
    """R40, C15: rows and tokens."""
    done = purge(house)
    assert (done.generation_before, done.generation_after, done.anchor_before, done.anchor_after) == (1, 2, 1, 2)
    assert (done.rows_dropped, done.tokens_dropped, done.tokens_kept) == (6 * 4, 6, 6)
    assert (done.anchor_kind, done.assurance) == ("file", "logical")
    house.check_survivors()
    house.check_gone()
    assert done.rows_kept == house.place.run("SELECT count(*) FROM keys")[0][0]


def test_purges_follow_one_another(house: House) -> None:
    purge(house)
    with closing(house.place.open()) as store:
        run = Purge(store)
        third = run.forget(RunId("1" * 32), gone(), version=run.advance_anchor(), fence=1)
        run.destroy_old(fence=1)
    assert (third.generation_after, third.anchor_after, third.rows_dropped) == (3, 3, 0)
    house.check_survivors()


def test_an_old_copy_opens_nothing_with_what_is_present(house: House, tmp_path: Path) -> None:
    old = copied(house, tmp_path / "old")
    purge(house)
    assert attack(old.place, house.place, house) == (set(), set())


def test_control_the_old_copy_opens_all_while_its_anchor_lives(house: House, tmp_path: Path) -> None:
    old = copied(house, tmp_path / "old")
    with closing(house.place.open()) as store:
        run = Purge(store)
        run.forget(RUN, house.gone, version=run.advance_anchor(), fence=1)  # step 5 left out
    found, tried = attack(old.place, house.place, house)
    assert set(house.ids) <= found
    assert len(tried) == len(house.batches)


def test_control_a_root_that_is_only_wrapped_anew_opens_the_old_copy(house: House, tmp_path: Path) -> None:
    """The wrong purge: rows dropped, anchor replaced, and the same root key under it."""
    old = copied(house, tmp_path / "old")
    anchor = FileAnchor(house.place.folder / "anchor")
    version = anchor.advance()
    ((wrapped,),) = house.place.run("SELECT root FROM register")
    raw = anchor.unwrap(1, wrapped, root_aad(REGISTER, 1))
    again = anchor.wrap(version, raw, root_aad(REGISTER, 1))
    house.place.run("UPDATE register SET root = ?, anchor_version = ?", again, version)
    for one in house.ids:
        house.place.run("DELETE FROM keys WHERE id = ?", one)
        house.place.run("DELETE FROM deliveries WHERE signal = ?", one)
        house.place.run("DELETE FROM revisions WHERE id = ?", one)
    for identifier in house.identifiers:
        house.place.run("DELETE FROM tokens WHERE identifier = ?", identifier)
    anchor.destroy_below(version)
    house.check_survivors()
    house.check_gone()  # it looks right from inside
    found, tried = attack(old.place, house.place, house)
    assert set(house.ids) <= found
    assert {f"NX{n:07}" for n in house.due} <= tried


def test_control_a_lookup_key_that_stays_answers_for_the_old_copy(house: House, tmp_path: Path) -> None:
    """The other wrong purge: everything right, but the lookup key of before is put back under the new root."""
    old = copied(house, tmp_path / "old")
    with closing(house.place.open()) as store:
        ((version, wrapped),) = house.place.run("SELECT version, wrapped FROM keys WHERE id = 'lookup'")
        lookup = store.root.unwrap("register", "lookup", version, wrapped)
    purge(house)
    with closing(house.place.open()) as store:
        again = store.root.wrap("register", "lookup", 2, lookup)
        house.place.run("UPDATE keys SET wrapped = ? WHERE id = 'lookup'", again)
    found, tried = attack(old.place, house.place, house)
    assert found == set()
    assert {f"NX{n:07}" for n in house.due} <= tried


def test_survivors_of_an_old_graph_open_with_the_present_store(house: House) -> None:
    """The keys themselves do not change: sealed values from before the purge stay readable, purged ones do not."""
    purge(house)
    house.check_survivors()


def test_no_purged_id_value_or_old_row_is_left_in_the_files(house: House) -> None:
    """R21: not from the key store's files."""
    old = house.place.run("SELECT wrapped FROM keys UNION ALL SELECT wrapped FROM tokens")
    digests = house.place.run("SELECT digest FROM tokens UNION ALL SELECT digest FROM deliveries")
    house.place.run("ANALYZE")  # as a server does by itself, and keeps samples of what it saw
    purge(house)
    content = house.place.files()
    for one in (*house.ids, *house.identifiers):
        assert one.encode() not in content
    for (blob,) in (*old, *digests):
        assert blob not in content


def test_of_a_purged_signals_delivery_only_the_receipt_remains(house: House) -> None:
    purge(house)
    with closing(house.place.open()) as store:
        lookup = Lookup(store)
        for n in house.due:
            receipt = house.batches[n].signals[0].receipt
            for content in (house.batches[n].signals[0].digest, b"other content"):
                found = lookup.deliveries({house.delivery(n): content})[house.delivery(n)]
                assert (found.done, found.same, found.signal, found.receipt) == (True, True, "", receipt)
                assert found.subjects == {}
            assert lookup.receipt("desk", receipt) is None
    left = house.place.run("SELECT signal, forgotten_by FROM deliveries WHERE forgotten_by IS NOT NULL")
    assert left == [(None, RUN)] * len(house.due)


def test_a_purged_subject_leaves_the_delivery_of_a_signal_that_stays(house: House) -> None:
    n = house.staying[0]
    first, second = house.batches[n].created
    with closing(house.place.open()) as store:
        run = Purge(store)
        run.forget(RUN, gone([first.id]), version=run.advance_anchor(), fence=1)
    with closing(house.place.open()) as store:
        found = Lookup(store).deliveries({house.delivery(n): b""})[house.delivery(n)]
    assert found.subjects == {1: second.id}


def test_a_redacted_signals_delivery_loses_the_digest_of_its_content(house: House) -> None:
    """The digest of what was handed in is a fingerprint of the subject who went: a guess could be compared with it.

    R40.
    """
    n = house.staying[0]
    first, _ = house.batches[n].created
    digest = hashlib.sha256(house.batches[n].signals[0].digest).digest()
    with closing(house.place.open()) as store:
        run = Purge(store)
        what = gone([first.id], redacted=[house.batches[n].signals[0].facts.id])
        run.forget(RUN, what, version=run.advance_anchor(), fence=1)
    with closing(house.place.open()) as store:
        found = Lookup(store).deliveries({house.delivery(n): b"any content"})[house.delivery(n)]
        assert (found.done, found.same) == (True, True)
        for receipt, wrapped in house.place.run("SELECT receipt, wrapped FROM deliveries WHERE signal IS NOT NULL"):
            payload = store.root.unwrap("delivery", receipt, 0, wrapped)
            assert (digest.hex().encode() in payload) is False
        other = house.delivery(house.staying[1])
        assert not Lookup(store).deliveries({other: b"other content"})[other].same


def test_what_is_left_of_a_delivery_ends_when_nobody_may_send_it_again(house: House) -> None:
    purge(house)
    left = "SELECT count(*) FROM deliveries WHERE forgotten_by IS NOT NULL"
    for run, before, expected in (("1", TODAY, 6), ("2", TODAY + timedelta(days=1), 0)):
        with closing(house.place.open()) as store:
            later = Purge(store)
            what = gone(deliveries_before=before)
            later.forget(RunId(run * 32), what, version=later.advance_anchor(), fence=1)
        assert house.place.run(left) == [(expected,)]
    house.check_survivors()


def test_a_purged_id_is_never_used_again(house: House) -> None:
    """R08, R24: neither a subject nor an identifier that is gone can be written to or come back under its id."""
    purge(house)
    gone, strong = house.batches[0].created[0], dict(house.batches[0].identifiers)
    with closing(house.place.open()) as store:
        with pytest.raises(Conflict):
            Sealer(store).seal(batch([signal([gone], reference="new")], created=[gone]))
        fresh = subject()
        with pytest.raises(Conflict):
            Sealer(store).seal(batch([signal([fresh], reference="new")], created=[fresh], identifiers=strong))


def test_forgetting_twice_is_forgetting_once(house: House) -> None:
    with closing(house.place.open()) as store:
        run = Purge(store)
        version = run.advance_anchor()
        done = run.forget(RUN, house.gone, version=version, fence=1)
        assert run.forget(RUN, house.gone, version=version, fence=1) == done
        assert run.forgotten(RUN) == done
    with closing(house.place.open()) as store:
        run = Purge(store)
        evidence = run.destroy_old(fence=1)
        assert run.destroy_old(fence=1) == evidence
        assert run.forgotten(RUN) == done
        assert run.forgotten(RunId("2" * 32)) is None
    house.check_survivors()


def test_a_process_of_the_old_generation_does_nothing_more(house: House) -> None:
    with closing(house.place.open()) as late:
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
            lambda: Purge(late).forget(RunId("3" * 32), gone(), version=9, fence=1),
        ]
        for attempt in tries:
            with pytest.raises(Unavailable) as caught:
                attempt()
            assert caught.value.code == "generation.moved"


def test_a_purge_needs_a_higher_live_anchor_version_and_the_fence(house: House) -> None:
    with closing(house.place.open()) as store:
        run = Purge(store)
        for version in (0, 1, 7):
            with pytest.raises(Unavailable):
                run.forget(RUN, house.gone, version=version, fence=1)
        store.take_fence(9)
        with pytest.raises(Unavailable) as caught:
            run.forget(RUN, house.gone, version=run.advance_anchor(), fence=8)
        assert caught.value.code == "fence.passed"
        with pytest.raises(Unavailable):
            run.destroy_old(fence=8)
        assert run.forgotten(RUN) is None
    assert house.place.run("SELECT generation FROM register") == [(1,)]


def test_an_old_root_that_still_opens_is_an_alarm(house: House, tmp_path: Path) -> None:
    class Forgetful(FileAnchor):
        def destroy_below(self, version: int) -> Mapping[str, str]:
            return {"anchor": "file", "version": str(version), "below": "said-so"}

    with closing(house.place.open(Forgetful(house.place.folder / "anchor"))) as store:
        run = Purge(store)
        run.forget(RUN, house.gone, version=run.advance_anchor(), fence=1)
        with pytest.raises(Tampered) as caught:
            run.destroy_old(fence=1)
    assert caught.value.code == "anchor.survives"


def test_a_damaged_row_does_not_hold_up_the_purge(house: House) -> None:
    hit = house.ids_of(house.staying[0])[1]
    house.place.run("UPDATE keys SET wrapped = X'00' WHERE id = ?", hit)
    purge(house)
    house.check_gone()
    with closing(house.place.open()) as store:
        assert Sealer(store).open_signal(house.sealed[house.staying[1]].signals[0])
        with pytest.raises(Tampered):
            Sealer(store).open_mentions(house.mentions(house.staying[0]))


def test_readers_that_hold_a_snapshot_hold_up_the_last_step_only(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.keystore.database.WAIT_SECONDS", 1)
    monkeypatch.setattr("vault.keystore.database._PRAGMAS", ("journal_mode=WAL", "secure_delete=ON", "busy_timeout=1"))
    with closing(house.place.database()) as reader, reader.reading() as connection:
        # A snapshot keeps what is deleted after it; on PostgreSQL also in tables that it never looked at.
        connection.exec_driver_sql("SELECT id FROM credentials" if house.place.url is None else "SELECT 1").all()
        with pytest.raises(Unavailable) as caught:
            purge(house)
        assert caught.value.code == "keystore.busy"
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
    child = in_child(lambda: purge(house, DyingAnchor(house.place.folder / "anchor", point)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signals.SIGKILL
    done = purge(house)
    assert (done.generation_after, done.rows_dropped) == (2, 6 * 4)
    house.check_survivors()
    house.check_gone()
    assert attack(old.place, house.place, house) == (set(), set())


@pytest.mark.parametrize("half", [b"", b"?" * 30])
def test_killed_while_an_anchor_version_was_overwritten(house: House, half: bytes) -> None:
    with closing(house.place.open()) as store:
        run = Purge(store)
        run.forget(RUN, house.gone, version=run.advance_anchor(), fence=1)
    (house.place.folder / "anchor" / "0000000001.key").write_bytes(half)
    purge(house)
    house.check_survivors()
    house.check_gone()


@pytest.mark.parametrize("built", ["sqlite", "postgresql"], indirect=True)
def test_killed_at_random_points(built: House, tmp_path: Path) -> None:
    """Kills spread over the time a whole purge takes, some before the commit and some after it.

    Each house then ends as if nothing had happened.
    """
    measured = copied(built, tmp_path / "measured")
    begun = time.monotonic()
    os.waitpid(in_child(lambda: purge(measured)), 0)
    whole = time.monotonic() - begun
    random = Random(20261124)  # noqa: S311 - points in time
    reached: set[int] = set()
    turn = 0
    rounds = 30 if built.place.url is None else 12  # copying a database takes PostgreSQL a second
    while turn < rounds or reached != {1, 2}:
        assert turn < 200, "no kill fell on the other side of the commit"
        house = copied(built, tmp_path / f"keys-{turn}")
        old = copied(house, tmp_path / f"old-{turn}")
        child = in_child(lambda house=house: purge(house))  # type: ignore[misc]
        time.sleep(whole * 1.2 * (turn % rounds + random.random()) / rounds)  # the point at which the child is killed
        os.kill(child, signals.SIGKILL)
        os.waitpid(child, 0)
        reached.add(house.place.run("SELECT generation FROM register")[0][0])
        done = purge(house)
        assert done.generation_after == 2
        house.check_survivors()
        house.check_gone()
        assert attack(old.place, house.place, house) == (set(), set())
        house.place.drop()
        old.place.drop()
        turn += 1


# --- beside others ---


def seal_until_moved(place: Place, writer: int, pipe: int) -> None:
    """Seal signals until the keys are replaced; hand over what was sealed whole."""
    done = []
    with closing(place.open()) as store, suppress(Unavailable):
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
        children.append(in_child(lambda w=writer, p=writing: seal_until_moved(house.place, w, p)))  # type: ignore[misc]
        os.close(writing)
        assert os.read(reading, 1) == b"!"
    purge(house)
    count = 0
    with closing(house.place.open()) as store:
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
        with closing(house.place.open()) as store:
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
    """With these ids a row's copy stays between the rows of a page that it moved from, unless the file is remade.

    R21.
    """
    random = Random(75)  # noqa: S311 - ids that fall so
    random.getrandbits(128)
    monkeypatch.setattr("tests.vault.builders.mint", lambda: f"{random.getrandbits(128):032x}")
    place = Place(tmp_path)
    with closing(place.init()) as store:
        sealer, signals_, subjects = Sealer(store), [], []
        for number in range(2):
            created, handed = [], []
            for turn in range(12):
                two = (subject(), subject())
                created += two
                handed.append(signal(two, reference=f"ref-{number}-{turn}"))
            sealed = sealer.seal(batch(handed, created=created))
            sealer.settle(sealed)
            signals_ += [one.facts.id for one in handed]
            subjects += [one.id for one in created]
        ids = {*subjects[::2], *signals_[::2]}
        forgetting = Purge(store)
        forgetting.forget(RUN, gone(ids), version=forgetting.advance_anchor(), fence=1)
        forgetting.destroy_old(fence=1)
    content = place.files()
    assert [one for one in sorted(ids) if one.encode() in content] == []
    assert all(one.encode() in content for one in {*subjects, *signals_} - ids)

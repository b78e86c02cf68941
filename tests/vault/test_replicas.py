"""Replicas that forget: an old copy of one opens nothing purged with the anchor that is there now; killed anywhere."""

import os
import random
import shutil
import signal as signals
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from register.errors import Conflict, Invalid, NotFound, Tampered, Unavailable
from register.ids import RegisterId, RunId, mint
from tests.openbao import OpenBao
from tests.vault.builders import NOW, gone
from tests.vault.conftest import REGISTER
from tests.vault.places import KINDS, Place, new_place
from tests.vault.test_anchor_crashes import Dying
from tests.vault.test_purge import House, attack, purge
from vault.anchors.file import FileAnchor
from vault.anchors.passphrase import PassphraseAnchor
from vault.anchors.transit import TransitAnchor
from vault.keystore import KeyStore, Purge
from vault.keystore.replicas import Copied, Replica, Replicas, copy_to
from vault.keystore.rows import KeyKind, root_aad

POINTS = ("advanced", "rewritten", "committed", "destroyed")
ROUNDS = 12


class Keeping(FileAnchor):
    """An anchor that destroys nothing."""

    def destroy_below(self, version: int) -> Mapping[str, str]:
        return {}


@pytest.fixture(scope="module", params=KINDS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> House:
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    return House.built(new_place(tmp_path_factory.mktemp("built") / "keys", server), 6)


@pytest.fixture
def house(built: House, tmp_path: Path) -> House:
    return replace(built, place=built.place.copied(tmp_path / "keys"))


@pytest.fixture
def replica(tmp_path: Path) -> Place:
    folder = tmp_path / "replica"
    folder.mkdir(mode=0o700)
    return Place(folder)


def replicate(house: House, replica: Place, anchor: FileAnchor | Dying | None = None) -> Copied:
    with closing(house.place.open()) as store:
        return copy_to(store, anchor or replica.anchor, replica.folder)


def test_a_replica_opens_like_the_register_with_its_own_anchor(house: House, replica: Place) -> None:
    done = replicate(house, replica)
    assert (done.generation, done.anchor_version) == (1, 1)
    assert done.rows == house.place.run("SELECT count(*) FROM keys")[0][0]
    house.place.drop()
    replace(house, place=replica).check_survivors()


def test_what_is_purged_is_gone_from_the_replica_and_from_old_copies_of_it(
    house: House, replica: Place, tmp_path: Path
) -> None:
    replicate(house, replica)
    old = Place(Path(shutil.copytree(replica.folder, tmp_path / "old")))
    purge(house)
    done = replicate(house, replica)
    assert (done.generation, done.anchor_version) == (2, 2)
    there = replace(house, place=replica)
    there.check_survivors()
    there.check_gone()
    assert attack(old, replica, house) == (set(), set())
    assert attack(old, house.place, house) == (set(), set())


def test_control_an_old_copy_opens_all_while_the_replica_keeps_its_old_version(
    house: House, replica: Place, tmp_path: Path
) -> None:
    anchor = Keeping(replica.folder / "anchor")
    replicate(house, replica, anchor)
    old = Place(Path(shutil.copytree(replica.folder, tmp_path / "old")))
    purge(house)
    replicate(house, replica, anchor)
    found, tried = attack(old, replica, house)
    assert set(house.ids) <= found
    assert len(tried) == len(house.batches)


def test_control_a_replica_whose_root_is_only_wrapped_anew_opens_what_was_purged(
    house: House, replica: Place, tmp_path: Path
) -> None:
    """The wrong replica: rows dropped in it, its anchor replaced, and the same root key under the new version."""
    replicate(house, replica)
    old = Place(Path(shutil.copytree(replica.folder, tmp_path / "old")))
    anchor = replica.anchor
    version = anchor.advance()
    ((wrapped,),) = replica.run("SELECT root FROM register")
    again = anchor.wrap(version, anchor.unwrap(1, wrapped, root_aad(REGISTER, 1)), root_aad(REGISTER, 1))
    replica.run("UPDATE register SET root = ?, anchor_version = ?", again, version)
    for one in house.ids:
        replica.run("DELETE FROM keys WHERE id = ?", one)
    anchor.destroy_below(version)
    found, tried = attack(old, replica, house)
    assert set(house.ids) <= found
    assert tried


@pytest.mark.openbao
def test_with_its_anchor_in_a_key_server_a_whole_old_copy_of_a_replica_opens_nothing(
    house: House, replica: Place, openbao: OpenBao, tmp_path: Path
) -> None:
    """Control: until the purge reached the replica, the same copy opens."""
    anchor = TransitAnchor(openbao.address, f"theme-register-{mint()}", openbao.token_file(tmp_path))
    with closing(house.place.open()) as store:
        copy_to(store, anchor, replica.folder)
    old = Place(Path(shutil.copytree(replica.folder, tmp_path / "old")))
    purge(house)
    with closing(old.open(anchor)) as opened:
        assert opened.value_keys(house.ids, *KeyKind)
    with closing(house.place.open()) as store:
        copy_to(store, anchor, replica.folder)
    with pytest.raises(Unavailable):
        old.open(anchor)
    with closing(replica.open(anchor)) as opened:
        assert not opened.value_keys(house.ids, *KeyKind)


def test_nothing_of_this_host_or_of_an_old_root_is_copied(house: House, replica: Place) -> None:
    with closing(house.place.open()) as store:
        run = Purge(store)
        run.forget(
            RunId("2" * 32), gone(), version=run.advance_anchor(), fence=1
        )  # the old root's end is not read back
    assert house.place.run("SELECT count(*) FROM former_roots") == [(1,)]
    replicate(house, replica)
    for table in ("former_roots", "leases", "keeper", "pauses"):
        assert replica.run(f"SELECT count(*) FROM {table}") == [(0,)]  # noqa: S608 - names of this list


def test_a_process_of_an_older_generation_brings_nothing(house: House, replica: Place) -> None:
    with closing(house.place.open()) as store:
        purge(house)
        with pytest.raises(Unavailable):
            copy_to(store, replica.anchor, replica.folder)
    assert not (replica.folder / "store" / "keys.sqlite").exists()


def test_a_folder_of_another_register_or_with_newer_keys_is_left_alone(house: House, replica: Place) -> None:
    before = house.place.copied(replica.folder.parent / "before")
    purge(house)
    replicate(house, replica)
    with pytest.raises(Conflict):
        replicate(replace(house, place=before), replica)
    other = Place(replica.folder.parent / "other")
    made = KeyStore.init(other.folder, other.anchor, RegisterId(mint()), rehearsal=True)
    with closing(made) as store, pytest.raises(Conflict):
        copy_to(store, replica.anchor, replica.folder)
    replace(house, place=replica).check_survivors()


def test_a_folder_that_others_may_use_is_refused(house: House, replica: Place) -> None:
    replica.folder.chmod(0o755)
    with pytest.raises(Invalid):
        replicate(house, replica)


def test_a_damaged_replica_is_made_anew(house: House, replica: Place) -> None:
    replicate(house, replica)
    (replica.folder / "store" / "keys.sqlite").write_bytes(b"no database" * 1000)
    replicate(house, replica)
    replace(house, place=replica).check_survivors()


def test_a_replica_under_a_passphrase_opens_with_it(house: House, replica: Place) -> None:
    anchor = PassphraseAnchor(replica.folder / "anchor", "a passphrase of the tests")
    with closing(house.place.open()) as store:
        copy_to(store, anchor, replica.folder)
    with closing(replica.open(anchor)) as opened:
        assert opened.register == REGISTER


def test_replicas_are_written_down_and_struck_off(house: House) -> None:
    with closing(house.place.database()) as database:
        known = Replicas(database)
        one = Replica(name="vault-two", folder=Path("/elsewhere"))
        known.keep(one)
        known.keep(replace(one, generation=1, rows=5, log_size=9, at=NOW))
        assert known.all() == (replace(one, generation=1, rows=5, log_size=9, at=NOW),)
        known.strike("vault-two")
        with pytest.raises(NotFound):
            known.one("vault-two")


def killed(house: House, replica: Place, anchor: Dying, after: float | None = None) -> bool:
    """Replicate in a process that is killed, at the anchor's point or `after` seconds; return whether it was."""
    child = os.fork()
    if child == 0:
        try:
            replicate(house, replica, anchor)
        finally:
            os._exit(0)
    if after is not None:
        time.sleep(after)
        os.kill(child, signals.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def check_after_a_kill(house: House, replica: Place, old: Place) -> None:
    """The replica opens, as before or as now; after the next replication nothing purged does, from any copy."""
    half = Place(Path(shutil.copytree(replica.folder, replica.folder.parent / "half")))
    replace(house, place=half).check_survivors()
    replicate(house, replica)
    there = replace(house, place=replica)
    there.check_survivors()
    there.check_gone()
    assert attack(old, replica, house) == (set(), set())
    assert attack(half, replica, house)[0] & set(house.ids) == set()
    assert [path.name for path in sorted((replica.folder / "store").iterdir())] == ["keys.sqlite"]
    shutil.rmtree(half.folder)


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_each_step_it_holds_one_whole_copy_and_the_next_run_ends_it(
    house: House, replica: Place, tmp_path: Path, point: str
) -> None:
    replicate(house, replica)
    old = Place(Path(shutil.copytree(replica.folder, tmp_path / "old")))
    purge(house)
    assert killed(house, replica, Dying(replica.anchor, point))
    check_after_a_kill(house, replica, old)


def test_killed_between_two_names_and_once_more_it_still_holds_the_copy_before(house: House, replica: Place) -> None:
    """Killed before the new copy took its place, the one before has two names; neither is overwritten by the next."""
    replicate(house, replica)
    there = replica.folder / "store" / "keys.sqlite"
    os.link(there, there.with_name("former.sqlite"))
    assert killed(house, replica, Dying(replica.anchor, "advanced"))
    replace(house, place=replica).check_survivors()


def test_killed_at_random_moments_it_holds_one_whole_copy(house: House, replica: Place, tmp_path: Path) -> None:
    moments = random.Random(20261125)  # noqa: S311 - moments of a test
    replicate(house, replica)
    old = Place(Path(shutil.copytree(replica.folder, tmp_path / "old")))
    purge(house)
    takes, hit = 1.0, 0
    for _ in range(ROUNDS):
        hit += killed(house, replica, Dying(replica.anchor), moments.uniform(0, takes))
        check_after_a_kill(house, replica, old)
        began = time.monotonic()
        assert not killed(house, replica, Dying(replica.anchor))
        takes = min(takes, time.monotonic() - began)
        shutil.rmtree(replica.folder)
        shutil.copytree(old.folder, replica.folder)
    assert hit >= ROUNDS // 3


def test_two_at_a_time_do_not_meet(house: House, replica: Place) -> None:
    with closing(house.place.open()) as store:

        class Meeting(FileAnchor):
            def advance(self) -> int:
                with pytest.raises(Unavailable):
                    copy_to(store, replica.anchor, replica.folder)
                return super().advance()

        assert copy_to(store, Meeting(replica.folder / "anchor"), replica.folder).anchor_version == 1


def test_a_copy_that_does_not_open_leaves_the_one_before(house: House, replica: Place) -> None:
    replicate(house, replica)

    class Wrong(FileAnchor):
        def wrap(self, version: int, blob: bytes, aad: bytes) -> bytes:
            return super().wrap(version, bytes(32), aad)

    purge(house)
    with pytest.raises(Tampered):
        replicate(house, replica, Wrong(replica.folder / "anchor"))
    replace(house, place=replica).check_survivors()

"""Making and opening a key store, its damage, its fence, its leases, the keys of actors."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from register.access import Role
from register.errors import Conflict, Invalid, NotFound, Tampered, Unavailable
from register.grading import HandlingCode
from register.ids import RunId, mint
from register.sealed import ApprovalFacts
from tests.vault.builders import NOW, gone, one_signal
from tests.vault.places import KINDS, REGISTER, Place, new_place
from vault.folders import check_folder
from vault.keystore import Credentials, KeyStore, Purge, Workers, process_start
from vault.lookup import Lookup
from vault.sealing import Sealer


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    return new_place(tmp_path / "register.keys", server)


ON_SQLITE = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


def test_a_store_opens_as_it_was_made(store: KeyStore, place: Place) -> None:
    again = place.open()
    assert (again.register, again.generation, again.rehearsal) == (REGISTER, 1, True)
    (sealed,) = Sealer(store).seal(one_signal()).signals
    assert Sealer(again).open_signal(sealed).reference == "ref-1"


def test_folders_and_files_are_their_owners_only(store: KeyStore, place: Place) -> None:
    Sealer(store).seal(one_signal())
    for path in (place.folder, *place.folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_nothing_is_made_where_something_is(store: KeyStore, place: Place) -> None:
    before = place.run("SELECT * FROM register, keys ORDER BY id")
    with pytest.raises(Conflict):  # an anchor alone is reason enough
        place.init()
    shutil.rmtree(place.folder / "anchor")
    with pytest.raises(Conflict):
        place.init()
    assert place.run("SELECT * FROM register, keys ORDER BY id") == before


def test_a_folder_that_others_can_use_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with pytest.raises(Invalid) as caught:
        Place(folder).init()
    assert [fault.rule for fault in caught.value.faults] == ["keys.exposed"]
    assert list(folder.iterdir()) == []


def test_an_opened_store_shows_no_key_and_is_not_pickled(store: KeyStore) -> None:
    assert repr(store) == f"<KeyStore of register {REGISTER}, generation 1>"
    with pytest.raises(TypeError):
        pickle.dumps(store)


def test_an_absent_store_is_named_and_never_made(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(Unavailable) as caught:
        Place(tmp_path).open()
    assert caught.value.code == "keystore.absent"
    assert list(tmp_path.iterdir()) == []


def test_an_absent_anchor_is_named_and_never_made(store: KeyStore, place: Place) -> None:
    (path,) = (place.folder / "anchor").iterdir()
    path.unlink()
    with pytest.raises(Unavailable) as caught:
        place.open()
    assert caught.value.code == "anchor.absent"
    assert list((place.folder / "anchor").iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (
            "UPDATE register SET root = X'00'",
            "root.damaged",
        ),
        ("UPDATE register SET generation = 2", "root.damaged"),
        ("UPDATE register SET register = 'ffffffffffffffffffffffffffffffff'", "root.damaged"),
        (
            "UPDATE register SET profile = X'00'",
            "keystore.damaged",
        ),
        ("UPDATE keys SET wrapped = X'00' WHERE id = 'lookup'", "keystore.damaged"),
        ("DELETE FROM keys WHERE id = 'facts-mac'", "keystore.damaged"),
        ("DELETE FROM register", "keystore.damaged"),
        ("DROP TABLE keys", "keystore.damaged"),
    ],
)
def test_damage_is_named_and_nothing_is_made_anew(store: KeyStore, place: Place, damage: str, code: str) -> None:
    store.close()
    place.run(damage)
    with pytest.raises(Tampered) as caught:
        place.open()
    assert caught.value.code == code


@ON_SQLITE
def test_a_file_that_is_no_database_is_named(store: KeyStore, place: Place) -> None:
    store.close()
    (place.folder / "store" / "keys.sqlite").write_bytes(b"no database at all, " * 500)
    with pytest.raises(Tampered) as caught:
        place.open()
    assert caught.value.code == "keystore.damaged"


def test_a_later_format_is_left_to_a_later_version(store: KeyStore, place: Place) -> None:
    place.run("UPDATE register SET format = 2")
    with pytest.raises(Unavailable) as caught:
        place.open()
    assert caught.value.code == "keystore.format"


def test_one_damaged_row_leaves_the_others_readable(store: KeyStore, place: Place) -> None:
    sealer = Sealer(store)
    hit, well = (sealer.seal(one_signal(reference=name, number=name)).signals[0] for name in ("P1", "P2"))
    place.run("UPDATE keys SET wrapped = X'00' WHERE id = ?", hit.facts.id)
    with pytest.raises(Tampered):
        sealer.open_signal(hit)
    assert sealer.open_signal(well).reference == "P2"


def test_a_row_put_in_place_of_another_does_not_open(store: KeyStore, place: Place) -> None:
    sealer = Sealer(store)
    one, two = (sealer.seal(one_signal(reference=name, number=name)).signals[0] for name in ("P1", "P2"))
    place.run(
        "UPDATE keys SET wrapped = (SELECT wrapped FROM keys WHERE id = ? AND kind = 'signal')"
        " WHERE id = ? AND kind = 'signal'",
        one.facts.id,
        two.facts.id,
    )
    with pytest.raises(Tampered):
        sealer.open_signal(two)


def test_an_error_of_the_database_tells_nothing(store: KeyStore, place: Place) -> None:
    place.run("DROP TABLE tokens")
    with pytest.raises(Tampered) as caught:
        Sealer(store).seal(one_signal(number="SECRETPASSPORT1"))
    assert caught.value.__cause__ is None
    assert "SECRETPASSPORT1" not in str(caught.value)


def test_the_database_keeps_no_value_in_clear(store: KeyStore, place: Place) -> None:
    sealer = Sealer(store)
    sealer.settle(sealer.seal(one_signal(reference="REFERENCE-4711", number="NX9R41KP2")))
    store.close()
    content = place.files()
    for value in ("REFERENCE-4711", "NX9R41KP2", "Terhorst", "envelope"):
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            assert value.encode(encoding) not in content


def test_a_lower_fence_is_refused(store: KeyStore, place: Place) -> None:
    store.take_fence(5)
    store.take_fence(5)
    with pytest.raises(Unavailable) as caught:
        store.take_fence(4)
    assert caught.value.code == "fence.passed"


def test_a_network_file_system_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    check_folder(tmp_path)
    device = tmp_path.stat().st_dev
    line = f"36 35 {os.major(device)}:{os.minor(device)} / /mnt rw - nfs4 server:/export rw\n"
    monkeypatch.setattr(Path, "read_text", lambda *_: line)
    with pytest.raises(Invalid) as caught:
        check_folder(tmp_path)
    assert [fault.rule for fault in caught.value.faults] == ["keys.network"]


class TestWorkers:
    def test_a_worker_is_stale_while_it_lives_and_serves_an_older_generation(
        self, store: KeyStore, place: Place
    ) -> None:
        workers = Workers(place.database())
        own = process_start(os.getpid())
        assert own is not None
        lease = workers.enrol("api", pid=os.getpid(), started=own, now=NOW)
        assert lease.generation == 1
        assert place.open(generation=lease.generation).generation == 1
        assert workers.stale(now=NOW) == ()
        purge = Purge(store)
        purge.forget(RunId(mint()), gone(), version=purge.advance_anchor(), fence=1)
        assert purge.stale_workers(now=NOW + timedelta(days=1)) == (lease.worker,)
        with pytest.raises(Unavailable) as caught:
            place.open(generation=lease.generation)
        assert caught.value.code == "generation.moved"
        workers.beat(lease.worker, now=NOW)
        workers.end(lease.worker)
        assert workers.stale(now=NOW) == ()
        with pytest.raises(Unavailable):
            workers.beat(lease.worker, now=NOW)

    def test_a_process_that_ended_is_not_waited_for(self, store: KeyStore, place: Place) -> None:
        workers = Workers(store.database)
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        started = process_start(child.pid)
        assert started is not None
        workers.enrol("import", pid=child.pid, started=started, now=NOW)
        purge = Purge(store)
        purge.forget(RunId(mint()), gone(), version=purge.advance_anchor(), fence=1)
        assert len(purge.stale_workers(now=NOW)) == 1
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process_start(child.pid) is None  # a zombie holds nothing
        assert purge.stale_workers(now=NOW) == ()
        child.communicate()

    def test_a_number_used_again_is_another_process(self, store: KeyStore) -> None:
        workers = Workers(store.database)
        workers.enrol("api", pid=os.getpid(), started="another boot/1", now=NOW)
        purge = Purge(store)
        purge.forget(RunId(mint()), gone(), version=purge.advance_anchor(), fence=1)
        assert purge.stale_workers(now=NOW) == ()

    def test_another_host_counts_by_its_sign_of_life(self, store: KeyStore, place: Place) -> None:
        workers = Workers(store.database)
        lease = workers.enrol("api", pid=1, started="there", now=NOW)
        place.run("UPDATE leases SET host = 'elsewhere'")
        purge = Purge(store)
        purge.forget(RunId(mint()), gone(), version=purge.advance_anchor(), fence=1)
        assert purge.stale_workers(now=NOW + timedelta(seconds=29)) == (lease.worker,)
        assert purge.stale_workers(now=NOW + timedelta(seconds=30)) == ()

    def test_leases_of_dead_processes_are_cleared_away(self, store: KeyStore, place: Place) -> None:
        workers = Workers(store.database)
        workers.enrol("api", pid=os.getpid(), started="another boot/1", now=NOW)
        workers.enrol("api", pid=os.getpid(), started=process_start(os.getpid()) or "", now=NOW)
        assert place.run("SELECT count(*) FROM leases") == [(1,)]


class TestCredentials:
    @pytest.fixture
    def credentials(self, store: KeyStore) -> Credentials:
        return Credentials(store.database)

    def add(self, credentials: Credentials, code: str = "a.jansen", expires: int | None = None) -> str:
        return credentials.add(
            code=code,
            role=Role.ANALYST,
            markings=frozenset({"joint-team-schelde", "organised-crime"}),
            handling=HandlingCode.H2,
            expires_at=None if expires is None else NOW + timedelta(days=expires),
        )

    def test_a_key_says_whose_it_is(self, credentials: Credentials) -> None:
        found = credentials.find(self.add(credentials), now=NOW)
        assert found is not None
        assert (found.code, found.role, found.handling) == ("a.jansen", Role.ANALYST, HandlingCode.H2)
        assert found.markings == {"joint-team-schelde", "organised-crime"}

    def test_another_secret_or_id_is_nobody(self, credentials: Credentials) -> None:
        one, two = self.add(credentials), self.add(credentials, "b.visser")
        mixed = one[:36] + two[36:]
        for key in (mixed, one + "x", one[:-1], "", "tr__", one.upper(), f"tr_{mint()}{one[35:]}"):
            assert credentials.find(key, now=NOW) is None

    def test_an_officer_of_another_register_is_nobody_here_and_their_approval_none(
        self, credentials: Credentials, store: KeyStore, tmp_path: Path
    ) -> None:
        key = self.add(credentials)
        agreed = ApprovalFacts(run=RunId(mint()), digest="ab" * 32, actor="a.jansen", at=NOW)
        with closing(Place(tmp_path / "other.keys").init()) as other:
            self.add(Credentials(other.database))  # of the same code
            assert Credentials(other.database).find(key, now=NOW) is None
            assert Sealer(other).mac(agreed) != Sealer(store).mac(agreed) == Sealer(store).mac(agreed)

    def test_an_ended_or_expired_key_is_nobodys(self, credentials: Credentials) -> None:
        key = self.add(credentials, expires=1)
        assert credentials.find(key, now=NOW + timedelta(hours=23)) is not None
        assert credentials.find(key, now=NOW + timedelta(days=1)) is None
        credentials.end("a.jansen")
        assert credentials.find(key, now=NOW) is None
        with pytest.raises(NotFound):
            credentials.end("a.jansen")

    def test_one_key_an_actor_at_a_time(self, credentials: Credentials) -> None:
        old = self.add(credentials)
        with pytest.raises(Conflict):
            self.add(credentials)
        credentials.end("a.jansen")
        assert credentials.find(self.add(credentials), now=NOW) is not None
        assert credentials.find(old, now=NOW) is None
        assert [(one["code"], one["ended"]) for one in credentials.all()].count(("a.jansen", True)) == 1

    def test_no_secret_is_kept(self, credentials: Credentials, store: KeyStore, place: Place) -> None:
        secret = self.add(credentials).rpartition("_")[2]
        assert secret not in json.dumps([dict(one) for one in credentials.all()])
        store.close()
        assert secret.encode() not in place.files()

    def test_keys_outlive_a_purge(self, credentials: Credentials, store: KeyStore) -> None:
        key = self.add(credentials)
        purge = Purge(store)
        purge.forget(RunId(mint()), gone(), version=purge.advance_anchor(), fence=1)
        assert credentials.find(key, now=NOW) is not None


def test_signing_and_the_bare_package_load_no_database_driver() -> None:
    program = "import sys, vault, vault.signing; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_threads_may_share_a_store(store: KeyStore) -> None:
    sealer = Sealer(store)

    def work(number: int) -> str:
        sealed = sealer.seal(one_signal(reference=f"t{number}", number=f"T{number:05}"))
        sealer.settle(sealed)
        sealer.assert_current()
        return sealer.open_signal(sealed.signals[0]).reference

    with ThreadPoolExecutor(24) as pool:
        assert list(pool.map(work, range(120))) == [f"t{number}" for number in range(120)]


def test_receipts_are_the_contributors_own(store: KeyStore) -> None:
    accepted = one_signal()
    Sealer(store).seal(accepted)
    lookup = Lookup(store)
    found = lookup.receipt("desk", accepted.signals[0].receipt)
    assert found is not None
    assert (found.done, found.signal) == (False, accepted.signals[0].facts.id)
    assert lookup.receipt("hotline", accepted.signals[0].receipt) is None


@ON_SQLITE
@pytest.mark.parametrize("replaced", [True, False])
def test_a_file_that_is_moved_away_under_a_process_is_noticed(store: KeyStore, place: Place, replaced: bool) -> None:
    sealer = Sealer(store)
    (sealed,) = sealer.seal(one_signal()).signals
    file = place.folder / "store" / "keys.sqlite"
    moved = file.rename(place.folder / "moved.sqlite")
    if replaced:
        shutil.copy(moved, file)
    tries: list[Callable[[], object]] = [
        sealer.assert_current,
        lambda: sealer.open_signal(sealed),
        lambda: sealer.seal(one_signal(reference="new", number="NEW")),
    ]
    for attempt in tries:
        with pytest.raises(Unavailable) as caught:
            attempt()
        assert caught.value.code == ("keystore.moved" if replaced else "keystore.absent")
    file.unlink(missing_ok=True)
    moved.rename(file)
    assert sealer.open_signal(sealed).reference == "ref-1"

"""The key of a backup, its parts, and the pause of writers while one is made."""

import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, date, datetime
from os import getpid

import pytest

from register.errors import Tampered, Unavailable
from register.ids import mint
from tests.vault.builders import gone, one_signal
from vault.backup import BackupKey
from vault.keystore.backups import Backups, Quarantine
from vault.keystore.leases import Workers, process_start
from vault.keystore.purge import Purge
from vault.keystore.store import KeyStore
from vault.sealing import Sealer

DAY = date(2026, 12, 29)


@pytest.fixture
def key(store: KeyStore) -> BackupKey:
    return BackupKey.new(store, mint(), DAY)


def test_parts_open_in_their_place_only(store: KeyStore, key: BackupKey) -> None:
    first, last = key.seal(1, b"one", last=False), key.seal(2, b"two", last=True)
    again = BackupKey(store, key.backup)
    assert (again.open(1, first), again.open(2, last)) == ((b"one", False), (b"two", True))
    other = BackupKey.new(store, mint(), DAY)
    for number, part in ((2, first), (1, last), (1, first[:-1]), (1, first + b"\0"), (1, b"")):
        with pytest.raises(Tampered):
            again.open(number, part)
    with pytest.raises(Tampered):
        other.open(1, first)


def test_on_its_day_the_key_is_due_and_a_purge_that_drops_it_closes_the_backup(store: KeyStore, key: BackupKey) -> None:
    """R40: a backup follows on its last day."""
    backups, purge = Backups(store.database), Purge(store)
    part = key.seal(1, b"one", last=True)
    assert backups.due(date(2026, 12, 28)) == ()
    assert backups.due(DAY) == (key.backup,)
    purge.forget(mint(), gone([key.backup]), version=purge.advance_anchor(), fence=1)
    purge.destroy_old(fence=1)
    later = KeyStore(store.database, store.anchor, store.cipher)
    with pytest.raises(Unavailable, match="no longer"):
        BackupKey(later, key.backup)
    with pytest.raises(Tampered):
        BackupKey.new(later, mint(), DAY).open(1, part)
    backups.drop(key.backup)
    assert key.backup not in backups.all()


def test_while_a_backup_is_made_no_new_key_is_written(store: KeyStore, sealer: Sealer) -> None:
    backups = Backups(store.database)
    workers = Workers(store.database)
    started, now = process_start(getpid()) or "", datetime(2026, 11, 24, tzinfo=UTC)
    me = workers.enrol("backup", pid=getpid(), started=started, now=now)
    with backups.paused(me.worker):
        with pytest.raises(Unavailable, match="a backup is being made"):
            sealer.seal(one_signal())
        with pytest.raises(Unavailable, match="a backup is being made"), backups.paused("another"):
            pass
    assert sealer.seal(one_signal()).signals


def test_a_backup_whose_process_was_killed_holds_nobody_up(store: KeyStore, sealer: Sealer) -> None:
    with (
        ExitStack() as never_ended,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child,
    ):
        started = process_start(child.pid) or ""
        now = datetime(2026, 11, 24, tzinfo=UTC)
        lease = Workers(store.database).enrol("backup", pid=child.pid, started=started, now=now)
        never_ended.enter_context(Backups(store.database).paused(lease.worker))
        with pytest.raises(Unavailable):
            sealer.seal(one_signal())
        child.kill()
        child.wait()
        assert sealer.seal(one_signal()).signals


def test_a_restored_state_is_the_newest_and_what_it_lacks_can_be_handed_in_again(
    store: KeyStore, sealer: Sealer
) -> None:
    batch, lost = one_signal(), one_signal(reference="ref-2", number="NX9R41KP3")
    for one in (batch, lost):
        sealer.settle(sealer.seal(one))
    (kept,) = (signal.facts for signal in batch.signals)
    quarantine = Quarantine(store.database)
    assert quarantine.since() is None
    quarantine.begin(17)
    assert quarantine.since() == 17
    assert quarantine.recall([(kept.id, 1)], {kept.id}) == 1
    newest = store.newest([kept.id, lost.signals[0].facts.id])
    assert newest == {kept.id: 1}
    again = sealer.seal(lost)
    assert [signal.facts.id for signal in again.signals] == [lost.signals[0].facts.id]
    quarantine.end()
    assert quarantine.since() is None

"""Making a backup, and reading one back."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import Final

from api.backups.parts import Told, file_lines, read_parts, write_parts
from api.logbook import VKEY
from api.settings import Settings
from api.wiring import LOG_KEYS, Workplace, origin
from evidence.durable import write_durably
from evidence.envelope import digest, seal
from evidence.manifest import MANIFEST, Backup, draft_manifest, listed_files, verify_backup
from evidence.note import encode_vkeys
from evidence.result import Finding, Status
from evidence.succession import read_former
from evidence.trust import Trust
from graph.copying import Copies
from register.audit import Act, Entry
from register.clock import civil_date
from register.errors import Conflict, Tampered, Unavailable
from register.ids import mint
from register.runs import Lease, RunState
from vault.backup import BackupKey
from vault.keystore.backups import Backups
from vault.keystore.leases import Keeper
from vault.signing import SignatureVerifier

KEPT: Final = timedelta(days=35)
"""How long a backup can be read: then its key is destroyed, whoever has the files."""

TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A backup: its id and folder, how many lines and bytes it holds, and the day its key is destroyed."""

    backup: str
    folder: Path
    lines: int
    size: int
    destroyed_by: date


def create(opened: Workplace, target: Path, told: Told = lambda _: None) -> Made:
    """Write a consistent, sealed copy of graph, archive and certificates to a new folder below `target`.

    Nobody else writes meanwhile: writers are answered with "try again", and no run begins.

    Raises:
        Unavailable: `backup.run-under-way`, `register.paused` (another backup), `backup.unsettled`.
        Conflict: `backup.exists`: there is something at its place already.
    """
    holder = mint()
    keeper = Keeper(opened.store.database)
    lease = keeper.take(holder, now=opened.clock.now(), seconds=opened.policy.lease_seconds)
    if lease is None:
        raise _under_way()
    try:
        if any(run.state is not RunState.PLANNED for run in opened.erasure.runs(unfinished=True)):
            raise _under_way()
        return _create(opened, target, lease, told)
    finally:
        keeper.give_back(lease)


def _create(opened: Workplace, target: Path, lease: Lease, told: Told) -> Made:
    now = opened.clock.now()
    backup, destroyed_by = mint(), civil_date(now) + KEPT
    folder = target / backup
    if folder.exists():
        raise Conflict("backup.exists", "there is something at the backup's place already; nothing was touched")
    folder.mkdir(mode=0o700, parents=True)
    opened.logbook.seal_trail()
    head = opened.logbook.head()
    if head is None:
        raise Unavailable("log.absent", "there is no log to say what happens after the backup")
    key = BackupKey.new(opened.store, backup, destroyed_by)
    with Backups(opened.store.database).paused(opened.worker):
        names, count = _copied(opened, folder, key, lease, told)
    write_durably(folder, [("vkey", (opened.logbook.log_folder / "vkey").read_bytes())], mode=0o600)
    stated = Backup(
        backup=backup,
        register=opened.store.register,
        origin=origin(opened.store.register),
        made_at=now.replace(microsecond=0),
        key_destroyed_by=destroyed_by.isoformat(),
        log_size=head.size,
        log_root=head.root.hex(),
        files=listed_files(folder, [*names, "vkey"]),
    )
    envelope = seal(draft_manifest(stated), name=stated.origin, signer=opened.logbook.signer)
    write_durably(folder, [(MANIFEST, envelope)], mode=0o600)
    detail: dict[str, str | int] = {"sha256": digest(envelope), "destroyed_by": destroyed_by.isoformat()}
    detail["log_size"] = head.size
    opened.trail.append([_entry(opened, Act.BACKUP_MADE, backup, count, detail)])
    size = sum(each.size for each in stated.files)
    return Made(backup=backup, folder=folder, lines=count, size=size, destroyed_by=destroyed_by)


def _copied(opened: Workplace, folder: Path, key: BackupKey, lease: Lease, told: Told) -> tuple[list[str], int]:
    """Write the parts; again when something moved meanwhile, which an act begun before the pause still may."""
    copies = Copies(opened.graph)

    def renewed(lines: int) -> None:
        seconds = opened.policy.lease_seconds
        Keeper(opened.store.database).take(lease.holder, now=opened.clock.now(), seconds=seconds)
        told(lines)

    for _ in range(TRIES):
        before = copies.fingerprint()
        written = write_parts(folder, key, chain(copies.lines(), file_lines(opened.settings.home)), renewed)
        if copies.fingerprint() == before:
            return written
    raise Unavailable("backup.unsettled", "the register did not hold still for a backup")


def read_back(opened: Workplace, folder: Path, told: Told = lambda _: None) -> tuple[Backup, int]:
    """Check a backup's list with this register's own keys and open every line; return what it states, and the lines.

    Raises:
        Tampered: a file is not the one listed, or does not open.
        Unavailable: its key was destroyed.
    """
    stated = checked(opened.settings, folder)
    count = 0
    for _ in read_parts(folder, BackupKey(opened.store, stated.backup)):
        count += 1
        told(1)
    return stated, count


def checked(settings: Settings, folder: Path) -> Backup:
    """Return what the backup in `folder` states, once its list is signed by this register's log keys, also former ones.

    Raises:
        Tampered: it is not.
    """
    vkey = (settings.home / "log" / VKEY).read_bytes()
    former = read_former(settings.keys_folder / LOG_KEYS)
    for keys in (vkey, *(encode_vkeys(one.keys) for one in reversed(former))):
        result = verify_backup(folder / MANIFEST, Trust.of_vkeys(keys), SignatureVerifier())
        if result.status is Status.VALID:
            break
    if result.status is not Status.VALID or result.backup is None:
        failed = next(check.reason for check in result.checks if check.finding is Finding.FAILED)
        raise Tampered("backup.altered", f"the backup is not the one that was made: {failed}")
    return result.backup


def _entry(opened: Workplace, act: Act, backup: str, count: int, detail: dict[str, str | int]) -> Entry:
    at = opened.clock.now()
    return Entry(at=at, actor="system", role="system", act=act, targets=(backup,), count=count, detail=detail)


def _under_way() -> Unavailable:
    return Unavailable("backup.run-under-way", "a retention run is under way: make the backup when it has ended")

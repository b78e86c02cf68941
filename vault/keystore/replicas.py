"""Replicas: copies of the key store in other places, each under an anchor of its own, that forget when it forgets.

A replica's folder is a folder of keys like any other, and opens like one. What makes it forget: each copy lies under a
new version of the replica's own anchor, and the version before is destroyed once the new copy is durable and opens. So
an old copy of the replica, taken before a purge reached it, opens nothing with the anchor that is there now.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Table, delete, func, insert, select

from register.errors import Conflict, NotFound, Tampered, Unavailable
from vault.anchors import Anchor
from vault.folders import check_folder, sync
from vault.keystore import place, schema
from vault.keystore.database import Database, many
from vault.keystore.rows import root_aad, unwrap_root
from vault.keystore.store import KeyStore

LOCK: Final = "copy.lock"
NAME: Final = re.compile("[a-z][a-z0-9]{0,19}(-[a-z0-9]{1,20}){0,5}")
_PAGE: Final = 20_000
_LEFT_OUT: Final = (schema.former_roots, schema.leases, schema.keeper, schema.pauses)
"""What is of this host and this moment, and old roots: of those no other place ever holds a copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a replica holds now.

    Attributes:
        generation: of the key store that was copied; anchor_version: of the replica's own anchor.
        rows: how many keys; evidence: of the end of the versions before, as codes.
    """

    generation: int
    anchor_version: int
    rows: int
    evidence: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """An enrolled replica, and what it was seen to hold when it was last reached.

    Attributes:
        name: code; folder: absolute path.
        generation: that it holds, all before being destroyed in it; 0: it was never reached.
        rows: keys it holds; log_size: entries of the log it holds.
        at: when it was last brought up to date (aware, UTC); it has all that was here then.
    """

    name: str
    folder: Path
    generation: int = 0
    rows: int = 0
    log_size: int = 0
    at: datetime | None = None


def copy_to(store: KeyStore, anchor: Anchor, folder: Path) -> Copied:
    """Bring `folder` to the state of `store`, under a new version of `anchor`, and end the version before.

    Killed anywhere, the folder holds the copy before or the new one, whole, and the next call ends what was begun.

    Args:
        store: opened at the present generation.
        anchor: the replica's own.
        folder: of the replica, mode 0700, on a file system of this host.

    Raises:
        Unavailable: somebody else copies there (`replica.busy`), or the generation moved meanwhile.
        Conflict: it holds another register's keys, or newer ones (`replica.other-register`, `replica.newer`).
        Tampered: the new copy does not open. OSError: the place is full or gone.
    """
    check_folder(folder)
    with _alone(folder):
        _refuse_foreign(store, folder)
        final = place.path(folder)
        final.parent.mkdir(mode=0o700, exist_ok=True)
        fresh, former = final.with_name("next.sqlite"), final.with_name("former.sqlite")
        _clear(fresh)
        if former.exists() and final.exists() and former.samefile(final):
            former.unlink()  # killed before the new copy took its place: that name is of the copy that is in force
        _clear(former)
        version = anchor.advance()
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(Database(fresh)) as target, store.reading() as source, target.founding() as connection:
            schema.metadata.create_all(connection)
            rows = _copy(source, connection, store, (anchor, version))
        with closing(KeyStore(Database(fresh), anchor, store.cipher, store.generation)) as opened:
            _assert_whole(opened)
        _sync_file(fresh)
        if final.exists():
            _unlink_beside(final)  # or SQLite would take what is left there for the new file's
            os.link(final, former)  # so that it can be overwritten once it is the copy before
        fresh.replace(final)
        sync(final.parent)
        evidence = anchor.destroy_below(version)
        _clear(former)
        return Copied(generation=store.generation, anchor_version=version, rows=rows, evidence=evidence)


class Replicas:
    """The replicas that a key store knows of; needs no key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[Replica, ...]:
        """Return them by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(schema.replicas).order_by(schema.replicas.c.name)).all()
        return tuple(
            Replica(
                name=row.name,
                folder=Path(row.folder),
                generation=row.generation,
                rows=row.rows,
                log_size=row.log_size,
                at=None if row.at is None else datetime.fromisoformat(row.at),
            )
            for row in rows
        )

    def one(self, name: str) -> Replica:
        """Return a replica by name. Raises NotFound."""
        for found in self.all():
            if found.name == name:
                return found
        raise NotFound("replica.absent", "there is no replica of that name")

    def keep(self, replica: Replica) -> None:
        """Write a replica down as it is now, in place of what was known of it."""
        at = None if replica.at is None else replica.at.isoformat()
        values = asdict(replica) | {"folder": str(replica.folder), "at": at}
        with self._database.writing() as connection:
            connection.execute(delete(schema.replicas).where(schema.replicas.c.name == replica.name))
            connection.execute(insert(schema.replicas).values(values))

    def strike(self, name: str) -> None:
        """Forget a replica: it is brought nothing any more, and no certificate names it."""
        with self._database.writing() as connection:
            connection.execute(delete(schema.replicas).where(schema.replicas.c.name == name))

    def rows(self) -> tuple[int, int]:
        """Return the present generation, and how many keys there are."""
        with self._database.reading() as connection:
            generation = connection.execute(select(schema.register.c.generation)).scalar_one()
            return generation, connection.execute(select(func.count()).select_from(schema.keys)).scalar_one()


def _copy(source: Connection, target: Connection, store: KeyStore, under: tuple[Anchor, int]) -> int:
    """Copy every table of one read state, with the root key under another anchor; return how many keys there were."""
    anchor, version = under
    head = source.execute(select(schema.register)).one()
    raw = unwrap_root(store.anchor, head.anchor_version, head.root, head.register, head.generation)
    root = anchor.wrap(version, raw, root_aad(head.register, head.generation))
    own = {"anchor_kind": anchor.kind, "anchor_version": version, "root": root}
    target.execute(insert(schema.register).values({**head._mapping, **own}))
    counts = {
        table.name: _copied(source, target, table)
        for table in schema.metadata.sorted_tables
        if table is not schema.register and table not in _LEFT_OUT
    }
    return counts[schema.keys.name]


def _copied(source: Connection, target: Connection, table: Table) -> int:
    names, count = tuple(column.name for column in table.columns), 0
    for page in source.execute(select(table)).partitions(_PAGE):
        many(target, insert(table), names, [tuple(row) for row in page])
        count += len(page)
    return count


def _assert_whole(copied: KeyStore) -> None:
    """Assert that the copy is sound as it lies in its place; that it was opened shows that its root key is the one."""
    with copied.reading() as connection:
        sound = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
    if sound != "ok":
        raise Tampered("replica.damaged", "the new copy is not what was written; the one before was kept")


def _refuse_foreign(store: KeyStore, folder: Path) -> None:
    if not place.path(folder).exists():
        return
    try:
        with closing(Database(place.path(folder))) as database, database.reading() as connection:
            there = connection.execute(select(schema.register)).one()
    except Tampered:
        return  # a damaged copy is what a new one is for
    if there.register != store.register:
        raise Conflict("replica.other-register", "that folder holds the keys of another register")
    if there.generation > store.generation:
        raise Conflict("replica.newer", "that replica holds newer keys than this register: restore from it instead")


def _sync_file(file: Path) -> None:
    """Sync a closed database file, and see that SQLite left nothing of it in another one."""
    if any(file.with_name(file.name + end).exists() for end in ("-wal", "-journal")):
        raise Unavailable("replica.busy", "somebody else has the new copy open")
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unlink_beside(file: Path) -> None:
    for end in ("-wal", "-shm", "-journal"):
        file.with_name(file.name + end).unlink(missing_ok=True)


def _clear(file: Path) -> None:
    """Overwrite a database file as far as the medium allows, and unlink it, with what SQLite keeps beside it."""
    _unlink_beside(file)
    if file.exists():
        with open(os.open(file, os.O_WRONLY | os.O_NOFOLLOW), "wb") as old:
            old.write(bytes(os.fstat(old.fileno()).st_size))
            old.flush()
            os.fsync(old.fileno())
        file.unlink()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable("replica.busy", "somebody else brings that replica up to date just now") from None
        yield
    finally:
        os.close(handle)

"""Which register is in a folder, where its key store is, whether its graph may be opened; being the one at work."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Final

from api.settings import Settings
from register.clock import SystemClock
from register.errors import Unavailable
from register.ids import RegisterId, mint
from vault.keystore.backups import Backups, Quarantine
from vault.keystore.database import Database
from vault.keystore.leases import Keeper
from vault.keystore.place import database_url, open_database
from vault.keystore.renewals import retired
from vault.keystore.rotations import Rotations

REGISTER: Final = "register.json"
LEASE_SECONDS: Final = 120


def register_of(home: Path) -> RegisterId:
    """Return the id of the register in this folder.

    Raises:
        Unavailable: there is none.
    """
    try:
        named = json.loads((home / REGISTER).read_bytes())
    except FileNotFoundError:
        raise Unavailable("register.absent", "there is no register here: run `theme-register init` first") from None
    return RegisterId(named["register"])


def keystore_url(settings: Settings) -> str | None:
    """Return the URL of the key store's database; None: it is the SQLite file in the keys' folder."""
    return database_url(settings.keys_folder, settings.keystore_url_file)


def refuse_quarantine(settings: Settings) -> None:
    """Raise Unavailable (`register.quarantined`) while a restored graph is not up to date yet."""
    with closing(open_database(settings.keys_folder, keystore_url(settings))) as database:
        check_quarantine(database, False)


def rotation_due(settings: Settings, on: date) -> bool:
    """Say whether a rotation is due on civil date `on`.

    The key of a backup is to be gone, or one that was replaced; or a rotation was interrupted.
    """
    with closing(open_database(settings.keys_folder, keystore_url(settings))) as database:
        over = bool(Backups(database).due(on)) or retired(database, on)
        return over or Rotations(database).begun() is not None


def check_quarantine(database: Database, wanted: bool) -> None:
    """Refuse to open a restored graph as any other, and the other way round. Raises Unavailable."""
    there = Quarantine(database).since() is not None
    if wanted and not there:
        raise Unavailable("register.no-quarantine", "nothing was restored: there is nothing to bring up to date")
    if there and not wanted:
        message = "the graph was restored and is not up to date yet: run `theme-register backup replay`"
        raise Unavailable("register.quarantined", message)


@contextmanager
def alone(settings: Settings) -> Iterator[int]:
    """Be the keeper for the length of the block, so that no run and no backup is under way; yield the lease's number.

    Raises:
        Unavailable: code `keys.run-under-way`: somebody else is.
    """
    with closing(open_database(settings.keys_folder, keystore_url(settings))) as database:
        keeper = Keeper(database)
        lease = keeper.take(mint(), now=SystemClock().now(), seconds=LEASE_SECONDS)
        if lease is None:
            raise Unavailable("keys.run-under-way", "a retention run or a backup is under way")
        try:
            yield lease.fence
        finally:
            keeper.give_back(lease)

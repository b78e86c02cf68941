"""Where the key store lies: an SQLite file in the keys' folder, or the PostgreSQL database that a file names."""

import os
from pathlib import Path
from typing import Final

from register.errors import Tampered, Unavailable
from vault.folders import check_folder, secret, sync
from vault.keystore import postgresql
from vault.keystore.database import Database

URL_FILE: Final = "keystore.url"


def path(folder: Path) -> Path:
    """Return where the SQLite file lies in the keys' folder."""
    return folder / "store" / "keys.sqlite"


def database_url(folder: Path, named: Path | None = None) -> str | None:
    """Return the URL in the file `named`, or in `keystore.url` of the keys' folder; None: neither, so it is SQLite.

    Raises:
        Unavailable: it cannot be read (`secret.absent`). Tampered: others may read it (`secret.exposed`).
    """
    file = named or folder / URL_FILE
    return None if named is None and not file.exists() else secret(file)


def open_database(folder: Path, url: str | None = None) -> Database:
    """Open the database of the key store in `folder` without its keys. Raises Unavailable, Invalid, Tampered."""
    if not (path(folder) if url is None else folder).exists():
        raise Unavailable("keystore.absent", "there is no key store in that folder")
    check_folder(folder)
    if url is None and path(folder).stat().st_size == 0:  # SQLite would make a database of it
        raise Tampered("keystore.damaged", "the key store's database is damaged")
    return _database(folder, url)


def make_database(folder: Path, url: str | None) -> Database:
    """Make the empty SQLite file, for its owner only, unless `url` names another database; open it."""
    if url is None:
        file = path(folder)
        file.parent.mkdir(mode=0o700)
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        sync(file.parent)
        sync(folder)
    return _database(folder, url)


def _database(folder: Path, url: str | None) -> Database:
    return Database(path(folder) if url is None else postgresql.address(url))

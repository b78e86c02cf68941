"""Digests of what somebody was asked about, under a key of the month, so that no name enters a log.

The same question in the same month has the same digest; without the month's key nobody can try names against it. The
key of a month is dropped when the bodies of its entries are.
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import delete

from register.errors import Conflict
from vault.formats import digest, keyed, new_keys
from vault.keystore import schema, statements
from vault.keystore.database import Database
from vault.keystore.rows import KeyKind, NewRows
from vault.keystore.store import KeyStore

LABEL: Final = b"theme-register/asked/1"
KEPT_YEARS: Final = 5
"""For how long bodies of the log are kept, and a month's key with them."""


class Searches:
    """Makes the digests of one register."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store

    def digest(self, month: str, asked: bytes) -> str:
        """Return the digest of `asked` under the key of `month` (`YYYY-MM`), in hexadecimal; draws the key if need be.

        Raises:
            Unavailable: the key store is not there, or serves another generation by now. Tampered: it is damaged.
        """
        raw = self._key(month)
        if raw is None:
            (fresh,) = new_keys(1)
            with suppress(Conflict):  # another process was first
                self._store.add(NewRows(keys=[(month, KeyKind.SEARCHES, fresh)], tokens=(), deliveries=()))
            raw = self._key(month)
        if raw is None:
            raise Conflict("token.raced", "the key of the month went while it was asked for")
        return digest(keyed(raw, LABEL, self._store.register.encode(), month.encode()), asked).hex()

    def _key(self, month: str) -> bytes | None:
        with self._store.reading() as connection:
            rows = connection.execute(statements.KEYS, {"ids": [month], "kinds": [KeyKind.SEARCHES]}).all()
        return next((self._store.root.unwrap(row.kind, row.id, row.version, row.wrapped) for row in rows), None)


def oldest_kept(now: datetime) -> str:
    """Return the earliest month (`YYYY-MM`, UTC) whose bodies may still be kept at `now` (aware)."""
    at = now.astimezone(UTC)
    return f"{at.year - KEPT_YEARS:04d}-{at.month:02d}"


def drop_searches(database: Database, before: str) -> int:
    """Drop the keys of the months before `before` (`YYYY-MM`); return how many.

    A copy of the store opens them until the next purge takes the old root.
    """
    keys = schema.keys
    with database.writing() as connection:
        done = connection.execute(delete(keys).where(keys.c.kind == KeyKind.SEARCHES, keys.c.id < before))
    return int(done.rowcount)

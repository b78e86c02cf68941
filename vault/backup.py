"""Seals and opens the parts of a backup, under a key of its own that is destroyed on the backup's last day.

A part is sealed value v1 (docs/formats/sealed-value-v1.md): its record is the backup's id, its field `part`, or `end`
for the last one, its content revision the part's number from 1. So none can be left out, doubled, moved, or taken from
another backup.
"""

from datetime import date
from typing import Final, Self

from register.errors import Tampered, Unavailable
from vault.formats import Opaque, ValueKey, new_keys, value_context, value_tail
from vault.keystore.backups import Backups
from vault.keystore.rows import KeyKind, NewRows
from vault.keystore.store import KeyStore

PART: Final = "part"
END: Final = "end"


class BackupKey(Opaque):
    """The key of one backup."""

    __slots__ = ("_context", "_key", "backup")

    def __init__(self, store: KeyStore, backup: str) -> None:
        """Take the key of `backup` from the store.

        Raises:
            Unavailable: code `backup.key-gone`: it was destroyed, or this store never had it.
        """
        ring = store.value_keys([backup], KeyKind.BACKUP).get((KeyKind.BACKUP, backup))
        if not ring:
            raise Unavailable(
                "backup.key-gone", "this register has no key of that backup, or no longer: it cannot be read"
            )
        self.backup = backup
        self._key: ValueKey = ring[-1]
        self._context = value_context(store.register, backup)

    @classmethod
    def new(cls, store: KeyStore, backup: str, destroyed_by: date) -> Self:
        """Draw the key of a new backup; on return it is durable, with the civil date of its destruction."""
        (key,) = new_keys(1)
        Backups(store.database).note(backup, destroyed_by)
        store.add(NewRows(keys=[(backup, KeyKind.BACKUP, key)], tokens=(), deliveries=()))
        return cls(store, backup)

    def seal(self, number: int, data: bytes, *, last: bool) -> bytes:
        """Return part `number` (from 1), sealed."""
        return self._key.seal(self._context, value_tail(END if last else PART, number), data)

    def open(self, number: int, part: bytes) -> tuple[bytes, bool]:
        """Return what part `number` holds, and whether it is the last. Raises Tampered."""
        for field in (PART, END):
            try:
                return self._key.open(self._context, value_tail(field, number), part), field is END
            except Tampered:
                continue
        raise Tampered

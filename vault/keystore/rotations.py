"""Rotations that were begun: each is noted before it does anything, until its audit entry is durable; needs no key.

So one that was killed, even with the old anchor destroyed and no old root left to tell of it, is found and entered.
"""

from datetime import datetime

from sqlalchemy import delete, insert, select

from register.ids import RunId
from vault.keystore import schema
from vault.keystore.database import Database


class Rotations:
    """What is noted of rotations in a key store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begun(self) -> tuple[RunId, datetime] | None:
        """Return the rotation that has no entry yet, and when it was begun (aware, UTC), or None."""
        with self._database.reading() as connection:
            row = connection.execute(select(schema.rotations).order_by(schema.rotations.c.at).limit(1)).one_or_none()
        return None if row is None else (RunId(row.run), datetime.fromisoformat(row.at))

    def begin(self, rotation: RunId, at: datetime) -> None:
        """Note a rotation, before it does anything."""
        with self._database.writing() as connection:
            connection.execute(insert(schema.rotations).values(run=rotation, at=at.isoformat()))

    def entered(self, rotation: RunId) -> None:
        """Take the note away: its audit entry is durable."""
        with self._database.writing() as connection:
            connection.execute(delete(schema.rotations).where(schema.rotations.c.run == rotation))

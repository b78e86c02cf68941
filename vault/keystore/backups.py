"""Backups: each has a key here until its day has come, and nobody else writes while one is made."""

import platform
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date

from sqlalchemy import Connection, delete, insert, null, select, update

from register.errors import Unavailable
from vault.keystore import schema, statements
from vault.keystore.database import Database, many
from vault.keystore.leases import process_start


class Backups:
    """The backups whose key this store holds; needs no key itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, backup: str, destroyed_by: date) -> None:
        """Write down on which civil date the key of `backup` is destroyed."""
        with self._database.writing() as connection:
            connection.execute(insert(schema.backups).values(id=backup, destroyed_by=destroyed_by.isoformat()))

    def all(self) -> dict[str, date]:
        """Return each backup's date of destruction, by id."""
        with self._database.reading() as connection:
            rows = connection.execute(select(schema.backups).order_by(schema.backups.c.id)).all()
        return {row.id: date.fromisoformat(row.destroyed_by) for row in rows}

    def due(self, on: date) -> tuple[str, ...]:
        """Return the backups whose key is to be gone on civil date `on`."""
        return tuple(backup for backup, destroyed_by in self.all().items() if destroyed_by <= on)

    def drop(self, backup: str) -> None:
        """Take the note of a backup away, once a purge has dropped its key."""
        with self._database.writing() as connection:
            connection.execute(delete(schema.backups).where(schema.backups.c.id == backup))

    @contextmanager
    def paused(self, worker: str) -> Iterator[None]:
        """Keep everybody from writing for the length of the block, or for as long as the process of `worker` lives.

        Raises:
            Unavailable: code `register.paused`: another backup is being made.
        """
        with self._database.writing() as connection:
            refuse_paused(connection)
            connection.execute(delete(schema.pauses))
            connection.execute(insert(schema.pauses).values(worker=worker))
        try:
            yield
        finally:
            with self._database.writing() as connection:
                connection.execute(delete(schema.pauses).where(schema.pauses.c.worker == worker))


class Quarantine:
    """Whether the graph is an older one that was restored and serves nobody yet; needs no key.

    Kept here and not in the graph: whoever puts an old graph in place does not say when it is fit to be used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, log_size: int) -> None:
        """Let nobody be served until what the log holds from place `log_size` on has been done again."""
        with self._database.writing() as connection:
            connection.execute(delete(schema.quarantine))
            connection.execute(insert(schema.quarantine).values(one=1, log_size=log_size))

    def since(self) -> int | None:
        """Return from which place on the log has to be replayed, or None: there is no quarantine."""
        with self._database.reading() as connection:
            return connection.execute(select(schema.quarantine.c.log_size)).scalar_one_or_none()

    def end(self) -> None:
        """Serve again."""
        with self._database.writing() as connection:
            connection.execute(delete(schema.quarantine))

    def recall(self, revisions: Iterable[tuple[str, int]], signals: Collection[str]) -> int:
        """Take the restored graph's state for the newest, in one transaction.

        Args:
            revisions: id and revision of every record it holds: these are remembered, and no others.
            signals: those it holds. Deliveries of others that are not purged are pending again, so that contributors
                can hand in once more what was lost, under the same ids and keys.

        Returns:
            How many deliveries are pending again.
        """
        deliveries = schema.deliveries.c
        with self._database.writing() as connection:
            # What an old copy holds is sealed under keys that were replaced since: they stay until it is sealed anew.
            connection.execute(update(schema.renewals).values(until=null()))
            connection.execute(delete(schema.revisions))
            statements.remember(connection, revisions)
            done = select(deliveries.receipt, deliveries.signal).where(
                deliveries.done == 1, deliveries.signal.is_not(None)
            )
            lost = [(row.receipt,) for row in connection.execute(done).all() if row.signal not in signals]
            many(connection, statements.PENDING, ("of_receipt",), lost)
        return len(lost)


def refuse_paused(connection: Connection) -> None:
    """Refuse to write while a backup is made. One whose process has ended holds nobody up.

    Raises:
        Unavailable: code `register.paused`.
    """
    pausing = select(schema.leases).join(schema.pauses, schema.pauses.c.worker == schema.leases.c.worker)
    for row in connection.execute(pausing).all():
        if row.host != platform.node() or process_start(row.pid) == row.started:
            raise Unavailable("register.paused", "a backup is being made: nothing is written for a moment")

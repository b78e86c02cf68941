"""Leases: of the one keeper, and of workers: every process that has held the root key, with its generation.

A worker counts as alive while its process exists (same host, same start, no zombie: a zombie holds no memory), or, on
another host, while its last sign of life is younger than 30 seconds.
"""

import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Row, delete, exists, insert, select, update

from register.errors import Tampered, Unavailable
from register.ids import mint
from register.runs import Lease
from vault.keystore import schema
from vault.keystore.database import Database

HIGHEST_FENCE: Final = 2**53
SILENCE: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLease:
    """Leave to hold the root key of one generation; `worker` is a code such as `api-4711-a3f0`."""

    worker: str
    generation: int


class Keeper:
    """The one keeper's lease. Who writes to the graph alone cannot take it, lengthen it or hold it off."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, holder: str, *, now: datetime, seconds: int, above: int = 0) -> Lease | None:
        """Take or renew the lease until `seconds` after `now` (aware, UTC); None while another holder's runs.

        Args:
            holder: code of the keeper.
            now: present instant.
            seconds: how long it lasts from now.
            above: a fence that the graph has seen; the new one is higher than this and than any taken here.

        Raises:
            Tampered: code `fence.forged`: no keeper can have taken the one that the graph has seen.
        """
        if above > HIGHEST_FENCE:
            raise Tampered("fence.forged", "the graph names a keeper's number that none can have taken")
        with self._database.writing() as connection:
            fence = connection.execute(select(schema.register.c.fence)).scalar_one()
            held = connection.execute(select(schema.keeper)).one_or_none()
            running = held is not None and now < datetime.fromisoformat(held.until)
            if held is not None and running and held.holder != holder:
                return None
            if not running or fence < above:
                fence = max(fence, above) + 1
                connection.execute(update(schema.register).values(fence=fence))
            until = (now + timedelta(seconds=seconds)).isoformat()
            connection.execute(delete(schema.keeper))
            connection.execute(insert(schema.keeper).values(one=1, holder=holder, until=until))
        return Lease(holder=holder, fence=fence)

    def give_back(self, lease: Lease) -> None:
        """Give the lease back, if it is still that one."""
        mine = exists(select(schema.register.c.one).where(schema.register.c.fence == lease.fence))
        with self._database.writing() as connection:
            connection.execute(delete(schema.keeper).where(schema.keeper.c.holder == lease.holder, mine))


class Workers:
    """The leases in a key store. Instants are aware, UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._host = platform.node()

    def enrol(self, kind: str, *, pid: int, started: str, now: datetime) -> WorkerLease:
        """Write a worker down, *before* it opens the root key: `KeyStore.open` then takes the lease's generation.

        So no process ever holds a root key without being known.

        Args:
            kind: what it does, such as `api`, `import`, `run`.
            pid: number of its process.
            started: what `process_start` says of it.
            now: present instant.
        """
        worker = f"{kind}-{pid}-{mint()[:4]}"
        with self._database.writing() as connection:
            generation = connection.execute(select(schema.register.c.generation)).scalar_one()
            for row in connection.execute(select(schema.leases)).all():
                if not self._alive(row, now):
                    connection.execute(delete(schema.leases).where(schema.leases.c.worker == row.worker))
            connection.execute(
                insert(schema.leases).values(
                    worker=worker,
                    host=self._host,
                    pid=pid,
                    started=started,
                    generation=generation,
                    heartbeat=now.isoformat(),
                )
            )
        return WorkerLease(worker=worker, generation=generation)

    def beat(self, worker: str, *, now: datetime) -> None:
        """Give a sign of life. Raises Unavailable (`lease.lost`): the lease is gone, and the worker ends."""
        with self._database.writing() as connection:
            lease = update(schema.leases).where(schema.leases.c.worker == worker).values(heartbeat=now.isoformat())
            if connection.execute(lease).rowcount != 1:
                raise Unavailable("lease.lost", "this worker's lease is gone; the process has to be started anew")

    def end(self, worker: str) -> None:
        """Take a worker's lease away, as the last thing it does."""
        with self._database.writing() as connection:
            connection.execute(delete(schema.leases).where(schema.leases.c.worker == worker))

    def stale(self, *, now: datetime) -> tuple[str, ...]:
        """Return the codes of the workers that are alive and serve an older generation than the store's."""
        with self._database.reading() as connection:
            generation = connection.execute(select(schema.register.c.generation)).scalar_one()
            older = (
                select(schema.leases).where(schema.leases.c.generation < generation).order_by(schema.leases.c.worker)
            )
            return tuple(row.worker for row in connection.execute(older).all() if self._alive(row, now))

    def counted(self, *, now: datetime) -> Mapping[str, int]:
        """Return how many workers are alive, by kind."""
        with self._database.reading() as connection:
            rows = connection.execute(select(schema.leases)).all()
        return Counter(row.worker.rsplit("-", 2)[0] for row in rows if self._alive(row, now))

    def _alive(self, row: Row[Any], now: datetime) -> bool:
        if row.host == self._host:
            return process_start(row.pid) == str(row.started)
        return now - datetime.fromisoformat(row.heartbeat) < SILENCE


def process_start(pid: int) -> str | None:
    """Return what tells this process from any other that had or gets its number; None: there is none, or a zombie.

    It is the boot's id and the start in clock ticks since then (proc_pid_stat(5), fields 3 and 22).

    Raises:
        Unavailable: code `host.unsupported`: this host does not tell (no /proc).
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        raise Unavailable("host.unsupported", "this host does not say when a process started (no /proc)") from None
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *rest = stat.rpartition(")")[2].split()
    return None if state in "ZX" else f"{boot}/{rest[18]}"

"""The keeper's lease: one node, taken by one holder at a time, under a number that only rises."""

from datetime import datetime, timedelta
from typing import Final

from neo4j import ManagedTransaction

from graph import run_queries as queries
from graph.records import microseconds
from register.errors import Unavailable
from register.runs import Lease

KEY: Final = "keeper"


def take(tx: ManagedTransaction, holder: str, *, now: datetime, seconds: int) -> Lease | None:
    """Take or renew the lease; None while another holder's runs. One that ran out or was given back rises by one."""
    until = microseconds(now + timedelta(seconds=seconds))
    row = tx.run(queries.TAKE_LEASE, key=KEY, holder=holder, now=microseconds(now), until=until).single()
    return Lease(holder=holder, fence=row["fence"]) if row else None


def give_back(tx: ManagedTransaction, lease: Lease) -> None:
    """Give the lease back, if it is still that one."""
    tx.run(queries.RELEASE_LEASE, key=KEY, holder=lease.holder, fence=lease.fence).consume()


def hold(tx: ManagedTransaction, lease: Lease) -> None:
    """Make sure, until this transaction ends, that nobody took the lease since; the first thing a run's write does.

    Raises:
        Unavailable: somebody did (`lease.lost`).
    """
    if tx.run(queries.HOLD_LEASE, key=KEY, holder=lease.holder, fence=lease.fence).single() is None:
        raise Unavailable("lease.lost", "another keeper writes here now")

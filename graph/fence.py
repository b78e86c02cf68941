"""The keeper's lease as the graph knows it: one node. The key store decides who has it, under a number that rises.

A lease that somebody wrote here by hand holds nobody off: the next keeper's number is higher than what stands here.
"""

from typing import Final

from neo4j import ManagedTransaction

from graph import run_queries as queries
from register.errors import Tampered, Unavailable
from register.runs import Lease

KEY: Final = "keeper"


def accept(tx: ManagedTransaction, lease: Lease) -> int:
    """Let this lease write from now on, unless a higher one did; return the fence that a newer lease has to exceed.

    Raises:
        Tampered: what stands here is no number.
    """
    row = tx.run(queries.ACCEPT_LEASE, key=KEY, holder=lease.holder, fence=lease.fence).single(strict=True)
    seen = row["fence"]
    if not isinstance(seen, int):
        raise Tampered
    return seen


def hold(tx: ManagedTransaction, lease: Lease) -> None:
    """Make sure, until this transaction ends, that nobody took the lease since; the first thing a run's write does.

    Raises:
        Unavailable: somebody did (`lease.lost`).
    """
    if tx.run(queries.HOLD_LEASE, key=KEY, holder=lease.holder, fence=lease.fence).single() is None:
        raise Unavailable("lease.lost", "another keeper writes here now")

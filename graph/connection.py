"""One open connection to Neo4j, as the other graph modules use it: managed transactions and nothing else."""

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any, Final, Protocol, Self, TypeVar, cast

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from graph.endpoint import Endpoint
from graph.faults import mapped
from graph.group import Group

T = TypeVar("T")

Work = Callable[[neo4j.ManagedTransaction], T]
"""Work inside one transaction. It may be run again after a transient failure, so it has no effect outside it."""


class Strand(Protocol):
    """Makes the audit entries of one process genuine, and missed when they are taken away (`vault.strands`)."""

    def stamp(self, contents: Sequence[bytes]) -> Sequence[tuple[str, str]]:
        """Return a stamp and a MAC for each entry (salt and body)."""

    def pledge(self, stamps: Iterable[str]) -> None:
        """Note that the entries with these stamps are durable."""


class Stamps:
    """The stamps of the audit entries of one transaction."""

    def __init__(self, strand: Strand | None) -> None:
        self._strand = strand
        self._written: list[str] = []

    def take(self, contents: Sequence[bytes]) -> Sequence[tuple[str, str]]:
        """Return a stamp and a MAC for each entry; empty ones where nobody vouches for them."""
        return [("", "")] * len(contents) if self._strand is None else self._strand.stamp(contents)

    def wrote(self, some: Iterable[str]) -> None:
        """Note which of them the transaction has written."""
        self._written += some

    def again(self) -> None:
        """Begin anew: the transaction before was rolled back."""
        self._written.clear()

    def pledge(self) -> None:
        """Vouch for what was written: the transaction is durable. Raises Unavailable."""
        if self._strand is not None and self._written:
            self._strand.pledge(self._written)


_STAMPS: Final[ContextVar[Stamps]] = ContextVar("stamps")


def stamps() -> Stamps:
    """Return the stamps of the write transaction under way in this thread."""
    return _STAMPS.get()


_CONNECT: Final = 10.0
_ACQUIRE: Final = 30.0
_RETRY: Final = 15.0


class Graph:
    """A Neo4j database, reached through a pool of connections; safe to share between threads.

    Reads see what this object wrote before, in a cluster too: the bookmarks are kept here.

    Args:
        endpoint: where the server answers and who we are there.
        retry_for: seconds for which a transaction is tried again after transient failures.
        pool: connections at most.
        strand: vouches for the audit entries written; None where nothing is logged (tests, tools).

    Raises:
        Unavailable: the address makes no sense (`graph.unreachable`). Nothing is contacted yet; see `verify`.
    """

    def __init__(
        self, endpoint: Endpoint, *, retry_for: float = _RETRY, pool: int = 50, strand: Strand | None = None
    ) -> None:
        self._strand = strand
        self._groups: dict[object, Group[Any]] = {}
        self.database = endpoint.database
        self._bookmarks = neo4j.GraphDatabase.bookmark_manager()
        self._driver = mapped(
            lambda: neo4j.GraphDatabase.driver(
                endpoint.uri,
                auth=(endpoint.user, endpoint.password),
                user_agent="theme-register",
                connection_timeout=_CONNECT,
                connection_acquisition_timeout=_ACQUIRE,
                max_connection_pool_size=pool,
                max_transaction_retry_time=retry_for,
                notifications_min_severity="OFF",  # they quote statements, and the driver would log them
                telemetry_disabled=True,
            )
        )

    def verify(self, timeout: float = _CONNECT) -> None:
        """Say hello to the server, with our credentials, within `timeout` seconds.

        Raises:
            Unavailable: no server answers there in time, or it does not know us.
        """

        def hello() -> None:
            with self._driver.session(database=self.database, connection_acquisition_timeout=timeout) as session:
                session.run("RETURN 1").consume()

        mapped(hello)

    def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads, and return its result.

        Its statements stand by themselves: the database reads what is committed, inside a transaction too, so that one
        around them would only cost two more messages. After a transient failure all is tried again in one.

        Raises:
            Unavailable: the server is not there, stays busy, or refuses a statement.
        """
        return mapped(lambda: self._read(work))

    def _read(self, work: Work[T]) -> T:
        try:
            return self._in_session(lambda session: work(cast("neo4j.ManagedTransaction", session)), neo4j.READ_ACCESS)
        except (DriverError, Neo4jError) as failure:
            if not failure.is_retryable():
                raise
        return self._in_session(lambda session: session.execute_read(work), neo4j.READ_ACCESS)

    def write(self, work: Work[T]) -> T:
        """Run `work` in one write transaction, commit, and return its result.

        Raises:
            Conflict: a uniqueness constraint forbids it; nothing is written.
            Unavailable: the server is not there, stays busy, or refuses a statement. Nothing is written, or if the
                connection broke while committing, everything may be: ask before trying again.
        """
        taken = Stamps(self._strand)

        def once(tx: neo4j.ManagedTransaction) -> T:
            taken.again()
            token = _STAMPS.set(taken)
            try:
                return work(tx)
            finally:
                _STAMPS.reset(token)

        done = mapped(lambda: self._in_session(lambda session: session.execute_write(once), neo4j.WRITE_ACCESS))
        taken.pledge()
        return done

    def grouped(self, writer: Callable[[neo4j.ManagedTransaction, Sequence[T]], None]) -> "Group[T]":
        """Return the group in which all threads write by `writer`: what comes at the same time shares a transaction."""
        known: Group[T] | None = self._groups.get(writer)
        if known is None:
            made: Group[T] = Group(lambda items: self.write(lambda tx: writer(tx, items)))
            known = self._groups.setdefault(writer, made)  # one of two threads that come at once wins
        return known

    def close(self) -> None:
        """Close all connections."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _in_session(self, use: Callable[[neo4j.Session], T], access: str) -> T:
        with self._driver.session(
            database=self.database, default_access_mode=access, bookmark_manager=self._bookmarks
        ) as session:
            return use(session)

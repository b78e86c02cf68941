"""Group commit: what many threads want written at the same time shares one transaction.

Nobody waits for company: whoever comes first writes at once, and what comes while that is under way is written together
by the next, up to 256 of them. So a lone reader loses nothing, and many are held up by one commit at most.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MOST: Final = 256


class _Ticket(Generic[T]):
    """One thing to write, and how that ended."""

    __slots__ = ("error", "item", "leads", "over")

    def __init__(self, item: T) -> None:
        self.item = item
        self.over = threading.Event()
        self.leads = False
        self.error: Exception | None = None


class Group(Generic[T]):
    """Writes what is handed in by several threads, in groups.

    Args:
        write: makes a group durable, all of it or nothing, and raises when it did not.
        most: how many a group has at most.
    """

    def __init__(self, write: Callable[[Sequence[T]], None], *, most: int = MOST) -> None:
        self._write = write
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[_Ticket[T]] = deque()
        self._busy = False
        self._under_way = 0

    @contextmanager
    def coming(self) -> Iterator[bool]:
        """Say whether this thread is the only one that is about to write something, for the length of the block."""
        with self._lock:
            self._under_way += 1
            alone = self._under_way == 1
        try:
            yield alone
        finally:
            with self._lock:
                self._under_way -= 1

    def submit(self, item: T) -> None:
        """Return once `item` is durable; raise what `write` raised for its group."""
        ticket = _Ticket(item)
        with self._lock:
            self._waiting.append(ticket)
            ticket.leads = not self._busy
            self._busy = True
        if not ticket.leads:
            ticket.over.wait()
        if ticket.leads:
            self._lead()
        if ticket.error is not None:
            raise ticket.error

    def _lead(self) -> None:
        """Write the group at the head of the queue, the first of which is this thread's; appoint the next leader."""
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        error: Exception | None = None
        try:
            self._write([ticket.item for ticket in group])
        except Exception as caught:  # everybody of the group has to be told, whatever it was
            error = caught
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._busy = following is not None
            if following is not None:
                following.leads = True
        if following is not None:
            following.over.set()
        for ticket in group:
            ticket.error = error
            ticket.over.set()

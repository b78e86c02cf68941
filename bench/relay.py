"""A TCP relay before a server, which can be cut: what is sent through it may be lost in either direction."""

import socket
import threading
from contextlib import suppress
from typing import Final, Self

_BLOCK: Final = 1 << 16
_CONNECT: Final = 5.0


class Relay:
    """Carries bytes between whoever connects to `port` and the server at `target`, until it is cut or closed.

    Args:
        target: host and port of the server.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._away = False
        self._deaf = False
        self.swallowed = 0
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens, on the loopback interface."""
        port: int = self._listening.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def deafen(self) -> None:
        """From now on let pass what is sent to the server, and lose all that it answers."""
        self._deaf = True

    def cut(self) -> int:
        """Break every connection, and let nobody through until `mend`. Return how many were broken."""
        self._away = True
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                _close(end)
        return len(pairs)

    def mend(self) -> None:
        """Let everything pass again."""
        self._away = self._deaf = False

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        try:
            far = None if self._away else socket.create_connection(self._target, timeout=_CONNECT)
        except OSError:
            far = None
        if far is None:
            _close(near)
            return
        far.settimeout(None)
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._pairs.append((near, far))
        if self._away:  # it was cut meanwhile
            self.cut()
        threading.Thread(target=self._carry, args=(near, far, False), daemon=True).start()
        self._carry(far, near, True)

    def _carry(self, from_: socket.socket, to: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while block := from_.recv(_BLOCK):
                if answers and self._deaf:
                    self.swallowed += len(block)
                else:
                    to.sendall(block)
        for end in (from_, to):
            _close(end)


def _close(end: socket.socket) -> None:
    """Close a connection at both ends at once, also for a thread that waits on it."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        end.close()

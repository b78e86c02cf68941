"""Parents that hold no key, and the children that do: every process that has held the root key can be replaced.

A child that finds itself a generation behind ends with REPLACED, and its parent starts a fresh one at once.
"""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from types import FrameType
from typing import Final

from register.errors import Unavailable

REPLACED: Final = 75
"""Exit status of a child that has to be replaced (EX_TEMPFAIL of sysexits.h)."""

_GRACE: Final = 20.0
_CRASHES: Final = 5
_QUICK: Final = 10.0


def start(
    arguments: Iterable[str], *, pass_fds: Iterable[int] = (), stdout: int | None = None
) -> subprocess.Popen[bytes]:
    """Start a fresh child: the hidden command `theme-register worker`, in this environment, output to ours."""
    command = [sys.executable, "-m", "api.cli", "worker", "--parent", str(os.getpid()), *arguments]
    return subprocess.Popen(command, pass_fds=tuple(pass_fds), stdin=subprocess.DEVNULL, stdout=stdout)


def run(*arguments: str) -> int:
    """Run one child to its end, again while it ends with REPLACED; return its exit status."""
    while (status := start(arguments).wait()) == REPLACED:
        continue
    return status


def run_in_bulk() -> None:
    """Fit this process for much work of one sort, done by two threads.

    The collector of cycles looks seldom: much is made, in no cycles, and little of it kept. A thread that has an answer
    from the database waits half a millisecond for its turn, instead of five.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    sys.setswitchinterval(0.0005)


class Kept:
    """A child that is always there: replaced when it ends, until `stop` is called.

    Args:
        arguments: of the child.
        pass_fds: open files it inherits, such as the socket it serves.
    """

    def __init__(self, *arguments: str, pass_fds: Iterable[int] = ()) -> None:
        self._arguments = arguments
        self._fds = tuple(pass_fds)
        self._over = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def run(self) -> None:
        """Keep a child running until `stop`.

        Raises:
            Unavailable: five children in a row ended by an error within ten seconds of their start.
        """
        crashes = 0
        while True:
            with self._lock:
                if self._over.is_set():
                    return
                self._child = start(self._arguments, pass_fds=self._fds)
            began = time.monotonic()
            status = self._child.wait()
            if self._over.is_set():
                return
            crashes = crashes + 1 if status != REPLACED and time.monotonic() - began < _QUICK else 0
            if crashes == _CRASHES:
                raise Unavailable("child.crashes", f"the process that should work ends at once (status {status})")
            if status != REPLACED:
                self._over.wait(min(2.0**crashes / 4, 5.0))

    def stop(self) -> None:
        """Ask the child to end, and do not replace it; kill it if it takes too long."""
        self._over.set()
        with self._lock:
            child = self._child
        if child is None or child.poll() is not None:
            return
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(_GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def on_end(callback: threading.Event) -> None:
    """Set `callback` when this process is asked to end (SIGTERM, SIGINT)."""

    def told(_signal: int, _frame: FrameType | None) -> None:
        callback.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)


def die_with_parent(parent: int) -> None:
    """End this child when its parent is gone, however that ended: polled each second from a thread of its own.

    The parent says its own number: one that ended before this child first looked would otherwise never be missed.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()

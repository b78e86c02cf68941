"""Commands of backups: create, verify, restore. They work on the folders; the key store is never in a backup."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from api.cli import show
from api.cli.client import emit
from api.cli.options import AsJson

backup = typer.Typer(no_args_is_help=True, help="Backups of graph, archive and certificates, readable for 35 days.")

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", exists=True, file_okay=False, help="Folder of the backup.")]


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

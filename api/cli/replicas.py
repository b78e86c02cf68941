"""Commands of replicas: keys replicate add, run, status, strike, restore. They work on the folders."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import show
from api.cli.client import emit
from api.cli.options import Address, AsJson, Authorities, PassphraseFile, TokenFile, anchor_options
from vault.anchors import AnchorKind

if TYPE_CHECKING:
    from api.replicas import Replication

replicate = typer.Typer(no_args_is_help=True, help="Copies of keys and log in other places, which forget as they do.")

Name = Annotated[str, typer.Argument(help="Code of the replica; it stands on certificates.")]


@replicate.command()
def add(
    name: Name,
    to: Annotated[Path, typer.Option("--to", help="Its folder: on another disk, absent or empty.")],
    anchor: Annotated[AnchorKind, typer.Option(help="What its root key is wrapped under.")] = AnchorKind.FILE,
    passphrase_file: PassphraseFile = None,
    address: Address = None,
    token_file: TokenFile = None,
    authorities: Authorities = None,
    as_json: AsJson = False,
) -> None:
    """Enrol a replica under an anchor of its own, and bring keys and log there."""
    options = anchor_options(passphrase_file, address, token_file, authorities)
    with _replication() as replication:
        made = replication.add(name, to, anchor, options)
    answer = {"name": made.name, "folder": str(made.folder), "generation": made.generation, "keys": made.rows}
    answer |= {"log_entries": made.log_size}
    emit(answer) if as_json else show.table("replica", ("what", "value"), answer.items())


@replicate.command()
def run(as_json: AsJson = False) -> None:
    """Bring every replica up to date; ends with status 1 if one was not reached."""
    with _replication() as replication:
        reached = replication.reach()
    answer = [{"name": one.name, "reached": one.reached, "code": one.code} for one in reached]
    if as_json:
        emit({"replicas": answer})
    else:
        show.table("replicas", ("name", "reached", "why not"), (tuple(one.values()) for one in answer))
    if not all(one.reached for one in reached):
        raise SystemExit(1)


@replicate.command()
def status(as_json: AsJson = False) -> None:
    """Show each replica, and what would be lost with this host: keys and log entries that it lacks."""
    from api.replicas import window

    with _replication() as replication:
        found = window(replication.store, replication.logbook)
    if as_json:
        emit({"replicas": found})
    else:
        columns = ("name", "reached_at", "generation", "current", "rows_missing", "entries_missing", "folder")
        show.table("replicas", columns, ([one[column] for column in columns] for one in found))


@replicate.command()
def strike(
    name: Name,
    approved_by: Annotated[
        list[Path], typer.Option(help="File (0600) with the API key of a compliance officer; twice, of two of them.")
    ],
    as_json: AsJson = False,
) -> None:
    """Strike off a replica that cannot be reached any more: two officers answer for it."""
    from vault.folders import secret

    with _replication() as replication:
        officers = replication.strike(name, [secret(path) for path in approved_by])
    answer = {"name": name, "approved_by": list(officers)}
    emit(answer) if as_json else show.console().print(f"{name} is struck off by {' and '.join(officers)}")


@replicate.command()
def restore(
    from_: Annotated[
        Path, typer.Option("--from", exists=True, file_okay=False, help="Folder of the replica; it is only read.")
    ],
    anchor: Annotated[AnchorKind, typer.Option(help="The new host's own anchor.")] = AnchorKind.FILE,
    as_json: AsJson = False,
) -> None:
    """Reopen keys and log of a lost host from a replica; the graph comes from a backup afterwards."""
    from api.replicas import restore as reopen
    from api.settings import Settings

    answer = reopen(Settings(), from_, anchor)
    emit(answer) if as_json else show.table("keys and log", ("what", "value"), answer.items())


@contextmanager
def _replication() -> Iterator["Replication"]:
    from api.replicas import Replication
    from api.settings import Settings
    from api.wiring import workplace

    with workplace(Settings(), "keys") as opened:
        yield Replication(opened.settings, opened.store, opened.logbook, opened.trail, opened.clock)

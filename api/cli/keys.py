"""Commands of keys: status, check, rotate, renew, export-public. They work on the folders; no key is ever shown."""

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import show
from api.cli.client import emit
from api.cli.options import Address, AsJson, Authorities, PassphraseFile, TokenFile, anchor_options, reason_in
from vault.anchors import AnchorKind

keys = typer.Typer(no_args_is_help=True, help="The key store: what is in it, what is hit, and its rotation.")


@keys.command()
def status(
    orphans: Annotated[
        bool, typer.Option("--orphans", help="Also count keys of records that the graph does not hold.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show generation, anchor, rows by kind and leases, without opening anything."""
    from api.keys import orphans as counted
    from api.keys import status as found
    from api.settings import Settings
    from api.wiring import workplace

    settings = Settings()
    answer = found(settings)
    if orphans:
        with workplace(settings, "keys") as opened:
            answer["orphans"] = counted(opened)
    _told("keys", answer, as_json)


@keys.command()
def check(as_json: AsJson = False) -> None:
    """Try every row of the key store, and name by id what is hit. Nothing is mended, swept or made anew."""
    from api.keys import check as checked
    from api.settings import Settings

    answer = checked(Settings())
    if as_json:
        emit(answer)
    else:
        hits = answer.pop("hits")
        show.table("key store", ("what", "value"), _flat(answer))
        rows = ((one["table"], one["kind"], one["code"], len(one["ids"])) for one in hits)
        show.table("what is hit (`--json` names each id)", ("table", "of", "why", "rows"), rows)
        answer["hits"] = hits
    if answer["closed"] is not None or answer["hits"]:
        raise SystemExit(1)


@keys.command()
def rotate(
    anchor: Annotated[
        AnchorKind | None, typer.Option(help="Move to a new anchor of this kind, and end the one before.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    address: Address = None,
    token_file: TokenFile = None,
    authorities: Authorities = None,
    log: Annotated[
        bool, typer.Option("--log", help="Instead replace the keys that sign log and certificates.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Replace the root key and the lookup key, and destroy the old ones. Safe to interrupt and to run again."""
    from api.keys import NewAnchor
    from api.keys import rotate as rotated
    from api.logkeys import rotate_log_keys
    from api.settings import Settings

    options = anchor_options(passphrase_file, address, token_file, authorities)
    if log:
        if anchor is not None or options:
            raise typer.BadParameter("the log keys lie under no anchor: replace them by a command of their own")
        _told("log keys replaced", rotate_log_keys(Settings()), as_json)
        return
    if anchor is None and options:
        raise typer.BadParameter("these options are of a new anchor: name its kind with --anchor")
    to = None if anchor is None else NewAnchor(kind=anchor, options=options)
    _told("keys replaced", rotated(Settings(), to), as_json)


@keys.command()
def renew(
    records: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RECORD]...", help="Subjects and signals; none: end what was begun before."),
    ] = None,
    reason_file: Annotated[
        Path | None, typer.Option(help="File with the reason in words; `-`: standard input.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give records a new key, and seal them anew under it. Safe to interrupt and to run again."""
    from api.settings import Settings
    from api.wiring import workplace

    if (reason_file is None) == bool(records):
        raise typer.BadParameter("give a reason with the records whose key is to be renewed, and neither without")
    reason = "" if reason_file is None else reason_in(reason_file)
    with workplace(Settings(), "keys") as opened:
        renewal = opened.offices.renewal
        done = renewal.renew(records, reason) if records else renewal.finish()
    if as_json:
        emit({"renewed": [{"record": one.record, "values": one.values, "until": str(one.until)} for one in done]})
    else:
        rows = ((one.record, one.values, one.until) for one in done)
        show.table("keys renewed", ("record", "values sealed anew", "former key until"), rows)


@keys.command("export-public")
def export_public(
    to: Annotated[Path, typer.Option("--to", help="New file for the public keys of log and certificates.")],
    as_json: AsJson = False,
) -> None:
    """Write the public keys with which anybody can verify this register's log and certificates."""
    from api.settings import Settings
    from evidence.durable import write_durably

    content = (Settings().home / "log" / "vkey").read_bytes()
    with open(to, "xb"):
        pass
    write_durably(to.parent, [(to.name, content)])
    _told("public keys", {"file": str(to), "keys": len(content.splitlines())}, as_json)


def _told(title: str, answer: dict[str, Any], as_json: bool) -> None:
    emit(answer) if as_json else show.table(title, ("what", "value"), _flat(answer))


def _flat(answer: dict[str, Any]) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = []
    for name, value in answer.items():
        if isinstance(value, dict):
            rows += [(f"{name}.{part}", each) for part, each in value.items()]
        else:
            rows.append((name, ", ".join(map(str, value)) if isinstance(value, list) else value))
    return rows

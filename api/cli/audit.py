"""`audit …`: officers ask the log through the API, with purpose and case; `audit check` is offline."""

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

import typer

from api.cli import show
from api.cli.client import Client, emit, fail
from api.cli.options import AsJson, Case, KeyFile, Url, settings_with
from api.cli.trusted import TrustFile, Vkey, read, trusted

audit = typer.Typer(no_args_is_help=True, help="The audit log: who did what, proofs, reports, exports.")

OVERSIGHT: Final = "oversight"

Why = Annotated[str, typer.Option("--purpose", help="oversight, or rights-request.")]
Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Civil date, included.")]
MaybeDay = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Civil date, included.")]
ByActor = Annotated[str, typer.Option("--actor", help="Code of who acted.")]
ByAct = Annotated[str, typer.Option("--act", help="What was done, such as subject.open.")]
ByTarget = Annotated[str, typer.Option("--target", help="Id that the entries are about.")]
ByPurpose = Annotated[str, typer.Option("--under", help="Purpose under which it was done.")]
ByCase = Annotated[str, typer.Option("--of-case", help="Case under which it was done.")]
Refused = Annotated[bool, typer.Option("--refused", help="Refused attempts only.")]


@audit.command()
def entries(
    case: Case,
    actor: ByActor = "",
    act: ByAct = "",
    target: ByTarget = "",
    under: ByPurpose = "",
    of_case: ByCase = "",
    refused: Refused = False,
    since: MaybeDay = None,
    until: MaybeDay = None,
    after: Annotated[str, typer.Option(help="Go on after the page that ended with this.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    purpose: Why = OVERSIGHT,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Who saw this subject, what did this actor do, what happened under this case, what was refused: newest first."""
    asked = _asked(actor, act, target, under, of_case, refused, since, until)
    asked |= {"after": after, "limit": str(limit)}
    answer = _client(key_file, url, purpose, case).get(f"/v1/audit/entries?{_query(asked)}")
    if as_json:
        emit(answer)
        return
    rows = (
        (
            one["index"],
            one["at"][:19],
            one["actor"],
            one["act"],
            one["outcome"],
            one["purpose"],
            one["case"],
            _about(one),
        )
        for one in answer["entries"]
    )
    columns = ("entry", "at (UTC)", "actor", "act", "outcome", "purpose", "case", "about")
    show.table(f"{len(answer['entries'])} entries, newest first", columns, rows)
    if answer["after"]:
        show.console().print(f"more: --after {answer['after']}")


@audit.command()
def report(
    case: Case,
    since: Day,
    until: Day,
    purpose: Why = OVERSIGHT,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say what was done, and all destroyed and removed by rule; exits with 1 where log and certificates differ."""
    asked = {"since": since.date().isoformat(), "until": until.date().isoformat()}
    answer = _client(key_file, url, purpose, case).get(f"/v1/audit/report?{_query(asked)}")
    emit(answer) if as_json else _show_report(answer)
    if answer["differences"]:
        raise SystemExit(1)


@audit.command()
def prove(
    entry: Annotated[str, typer.Argument(help="Id of the entry.")],
    case: Case,
    output: Annotated[Path, typer.Option(help="File to write, a .tlog-proof.")],
    purpose: Why = OVERSIGHT,
    key_file: KeyFile = None,
    url: Url = None,
) -> None:
    """Write the proof that an entry is in the log; anybody can check it offline."""
    client = _client(key_file, url, purpose, case)
    _write(output, client.lines(f"/v1/audit/proofs/{entry}"))


@audit.command()
def checkpoint(key_file: KeyFile = None, url: Url = None) -> None:
    """Print the newest signed checkpoint, to be kept elsewhere."""
    text = b"".join(Client(settings_with(key_file, url)).lines("/v1/audit/checkpoint"))
    typer.echo(text.decode("utf-8"), nl=False)


@audit.command()
def export(
    case: Case,
    output: Annotated[Path, typer.Option(help="File to write.")],
    form: Annotated[Literal["ndjson", "csv"], typer.Option("--format", help="Form of the lines.")] = "ndjson",
    destroyed: Annotated[bool, typer.Option("--destroyed", help="What was destroyed and removed, by rule.")] = False,
    actor: ByActor = "",
    act: ByAct = "",
    target: ByTarget = "",
    under: ByPurpose = "",
    of_case: ByCase = "",
    refused: Refused = False,
    since: MaybeDay = None,
    until: MaybeDay = None,
    purpose: Why = OVERSIGHT,
    key_file: KeyFile = None,
    url: Url = None,
) -> None:
    """Write entries, oldest first, or what was destroyed in a period; the export is itself an entry of the log."""
    asked = _asked(actor, act, target, under, of_case, refused, since, until) | {"format": form}
    path = "/v1/audit/report/export" if destroyed else "/v1/audit/export"
    _write(output, _client(key_file, url, purpose, case).lines(f"{path}?{_query(asked)}"))


@audit.command()
def pack(
    case: Case,
    since: Day,
    until: Day,
    output: Annotated[Path, typer.Option(help="New folder to write.")],
    purpose: Why = OVERSIGHT,
    key_file: KeyFile = None,
    url: Url = None,
) -> None:
    """Gather the evidence for a period (Wpg art. 33) in a new folder: report, checkpoint, certificates, proofs."""
    asked = {"since": since.date().isoformat(), "until": until.date().isoformat()}
    client = _client(key_file, url, purpose, case)
    try:
        output.mkdir(parents=True)
    except FileExistsError:
        fail("there is such a folder already; name a new one")
    count = 0
    for line in _lines(client.lines(f"/v1/audit/pack?{_query(asked)}")):
        told = json.loads(line)
        path = _inside(output, told["name"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(told["text"], "utf-8")
        count += 1
    typer.echo(f"{count} files written; check them: theme-register audit check {output}", err=True)


@audit.command()
def absence(
    case: Case,
    output: Annotated[Path, typer.Option(help="File for the signed statement, written when they are absent.")],
    purpose: Annotated[str, typer.Option(help="rights-request, or oversight.")] = "rights-request",
    born_on: Annotated[str | None, typer.Option(help="YYYY, YYYY-MM or YYYY-MM-DD.")] = None,
    identifier: Annotated[list[str] | None, typer.Option(help="KIND:VALUE, such as kvk:12345678; repeat it.")] = None,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Ask whether somebody is absent; the name is asked for, or read from standard input, and enters no log."""
    name = typer.prompt("Name", err=True) if sys.stdin.isatty() else sys.stdin.readline().strip()
    numbers = [dict(zip(("kind", "value"), one.split(":", 1), strict=False)) for one in identifier or ()]
    wanted = {"name": name, "born_on": born_on, "identifiers": numbers}
    answer = _client(key_file, url, purpose, case).post("/v1/absence", wanted)
    if answer["absent"]:
        output.write_text(answer["statement"], "ascii")
    if as_json:
        emit({name: value for name, value in answer.items() if name != "statement"})
        return
    said = f"absent; the signed statement: {output}" if answer["absent"] else "not absent: something comes near enough"
    show.console().print(f"{said} ({answer['names']} names searched, log of {answer['log_size']} entries)")


@audit.command()
def check(
    path: Annotated[Path, typer.Argument(exists=True, help="A .tlog-proof, a statement of absence, or a pack.")],
    vkey: Vkey = None,
    trust: TrustFile = None,
    as_json: AsJson = False,
) -> None:
    """Check proofs of entries and a whole evidence pack, offline, with public keys only; exits with 1 if one fails."""
    from api.auditor import examine_pack, examine_proof
    from evidence.succession import TRUST

    folder = path if path.is_dir() else path.parent
    replaced = (folder / TRUST).is_file()
    whom, beside = trusted(vkey, trust, folder / (TRUST if replaced else "vkey"))
    found = examine_pack(path, whom) if path.is_dir() else (examine_proof(path.name, read(path), whom),)
    if as_json:
        emit({"files": [{"file": one.file, "holds": one.holds, "says": one.says} for one in found]})
    else:
        rows = ((one.file, "holds" if one.holds else "FAILS", one.says) for one in found)
        show.table("checked offline", ("file", "result", "what"), rows)
        if beside:
            typer.echo("The keys were taken from beside the proofs: compare them with the published ones.", err=True)
    if not found or not all(one.holds for one in found):
        raise SystemExit(1)


def _client(key_file: Path | None, url: str | None, purpose: str, case: str) -> Client:
    return Client(settings_with(key_file, url), purpose=purpose, case=case)


def _asked(
    actor: str,
    act: str,
    target: str,
    under: str,
    of_case: str,
    refused: bool,
    since: datetime | None,
    until: datetime | None,
) -> dict[str, str]:
    return {
        "actor": actor,
        "act": act,
        "target": target,
        "purpose": under,
        "of-case": of_case,
        "outcome": "refused" if refused else "",
        "since": since.date().isoformat() if since else "",
        "until": until.date().isoformat() if until else "",
    }


def _query(asked: Mapping[str, str]) -> str:
    return urlencode({name: text for name, text in asked.items() if text})


def _about(entry: Mapping[str, Any]) -> str:
    first = [show.short(target) for target in entry["targets"][:2]]
    more = len(entry["targets"]) - len(first)
    return " ".join([*first, *([f"+{more}"] if more else []), *map("=".join, _codes(entry["detail"]))])


def _codes(detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in detail.items():
        text = str(value)
        yield name, show.short(text) if len(text) > 32 else text


def _show_report(answer: Mapping[str, Any]) -> None:
    title = f"destroyed and removed from {answer['since']} to {answer['until']}, by rule"
    show.table(title, ("rule", "act", "number"), answer["by_rule"])
    rows = (
        (
            one["sequence"],
            show.short(one["certificate"]),
            one["ended_at"][:19],
            one["requested_by"],
            ", ".join(sorted({each["actor"] for each in one["approvals"]})) or "none",
            one["ids"],
            one["logged"],
        )
        for one in answer["ended"]
    )
    columns = ("number", "certificate", "ended (UTC)", "requested by", "approved by", "ids gone", "entries in the log")
    show.table("certificates", columns, rows)
    acts = ((one["act"], one["role"], one["outcome"], one["purpose"], one["count"]) for one in answer["acts"])
    show.table("what was done", ("act", "role", "outcome", "purpose", "number"), acts)
    if not answer["differences"]:
        show.console().print("certificates and log say the same")
    for one in answer["differences"]:
        told = f"certificate says {one['certificate'] or 'nothing'}, log says {one['log'] or 'nothing'}"
        show.console().print(f"DIFFERENCE: {one['what']} of {one['about']}: {told}", style="bold red")


def _write(output: Path, chunks: Iterator[bytes]) -> None:
    size = 0
    first = next(chunks, b"")  # what is refused leaves no file
    with open(output, "wb") as file:
        for chunk in chain((first,), chunks):
            size += file.write(chunk)
    typer.echo(f"{size} bytes written: {output}", err=True)


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for chunk in chunks:
        *whole, held = (held + chunk).split(b"\n")
        yield from whole
    if held:
        fail("the evidence broke off: delete the folder and gather it again")


def _inside(folder: Path, name: str) -> Path:
    parts = name.split("/")
    if any(not part or part.startswith(".") for part in parts) or len(parts) > 3:
        fail("the API named a file that is none of an evidence pack")
    return folder.joinpath(*parts)

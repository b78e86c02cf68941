"""Commands of a return by order (Wpg art. 14(3)): return propose, agree, decline. They speak to the API."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from api.cli import show
from api.cli.client import Client, emit, fail
from api.cli.options import AsJson, Case, KeyFile, Purpose, ReasonFile, Url, reason_in, settings_with

return_ = typer.Typer(no_args_is_help=True, help="Return by order: one officer proposes, another agrees.")

PURPOSE: Final = "theme-insight"

Dossier = Annotated[str, typer.Argument(help="Id of the proposal's dossier.")]
Record = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="What `archive open --export` wrote; delete it afterwards.")
]


@return_.command()
def propose(
    record: Record,
    case: Case,
    reason_file: ReasonFile,
    authority: Annotated[str, typer.Option(help="Who ordered it, such as the public prosecutor's office.")],
    ordered_on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Civil date of the order.")],
    purpose: Purpose = PURPOSE,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Propose that an archived record returns by a written order; --case is the order's reference."""
    body = {"record": _read(record), "authority": authority, "ordered_on": ordered_on.date().isoformat()}
    client = Client(settings_with(key_file, url), purpose=purpose, case=case)
    answer = client.post("/v1/returns", body | {"reason": reason_in(reason_file)})
    emit(answer) if as_json else show.console().print(f"proposed: {answer['dossier']}; a second person has to agree")


@return_.command()
def agree(
    dossier: Dossier,
    record: Record,
    case: Case,
    reason_file: ReasonFile,
    purpose: Purpose = PURPOSE,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Agree as the second person, with the same export: it is live again, and a run destroys the archived copy."""
    body = {"agreed": True, "reason": reason_in(reason_file), "record": _read(record)}
    client = Client(settings_with(key_file, url), purpose=purpose, case=case)
    answer = client.post(f"/v1/returns/{dossier}/settlement", body)
    told = f"agreed; subject {answer['subject']} is live, run {answer['run']} is ordered"
    emit(answer) if as_json else show.console().print(told)


@return_.command()
def decline(
    dossier: Dossier,
    case: Case,
    reason_file: ReasonFile,
    purpose: Purpose = PURPOSE,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Decline as the second person: nothing changes."""
    client = Client(settings_with(key_file, url), purpose=purpose, case=case)
    body = {"agreed": False, "reason": reason_in(reason_file)}
    answer = client.post(f"/v1/returns/{dossier}/settlement", body)
    emit(answer) if as_json else show.console().print("declined; nothing changes")


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        fail("the file is no export")

"""Commands of early ends and the desk: end propose, list, agree, decline; desk queue, leave. All speak to the API."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from api.cli import show
from api.cli.client import Client, emit
from api.cli.options import AsJson, Case, KeyFile, Purpose, ReasonFile, Url, reason_in, settings_with

end = typer.Typer(no_args_is_help=True, help="Early ends: one officer proposes, another agrees.")
desk = typer.Typer(no_args_is_help=True, help="Signals that lost one of several subjects.")

PURPOSE: Final = "necessity-review"

Dossier = Annotated[str, typer.Argument(help="Id of the proposal's dossier.")]


@end.command()
def propose(
    ground: Annotated[
        str,
        typer.Argument(
            help="no-longer-necessary, ordered-by-court, ordered-by-supervisor, recalled-by-supplier, incorrect,"
            " unlawful, or of a signal indirectly-identifying."
        ),
    ],
    case: Case,
    reason_file: ReasonFile,
    subject: Annotated[str, typer.Option(help="Id of a subject; with --revision.")] = "",
    revision: Annotated[int, typer.Option(help="The revision of the subject that was seen.")] = 0,
    signal: Annotated[str, typer.Option(help="Id of a signal, all of which ends.")] = "",
    purpose: Purpose = PURPOSE,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Propose that a subject or a whole signal ends today."""
    body = {
        "ground": ground,
        "reason": reason_in(reason_file),
        "subject": subject or None,
        "revision": revision or None,
        "signal": signal or None,
    }
    answer = Client(settings_with(key_file, url), purpose=purpose, case=case).post("/v1/decisions", body)
    emit(answer) if as_json else show.console().print(f"proposed: {answer['dossier']}; a second person has to agree")


@end.command("list")
def listed(
    case: Case, purpose: Purpose = PURPOSE, key_file: KeyFile = None, url: Url = None, as_json: AsJson = False
) -> None:
    """List the proposals that wait for a second person."""
    answer = Client(settings_with(key_file, url), purpose=purpose, case=case).get("/v1/decisions")
    if as_json:
        emit(answer)
        return
    columns = ("dossier", "ground", "on", "by", "case", "target", "reason")
    show.table("proposals", columns, ([one[name] for name in columns] for one in answer["proposals"]))


@end.command()
def agree(
    dossier: Dossier,
    case: Case,
    reason_file: ReasonFile,
    purpose: Purpose = PURPOSE,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Agree to a proposal as the second person: it is hidden at once, and a run is ordered."""
    client = Client(settings_with(key_file, url), purpose=purpose, case=case)
    answer = _settled(client, dossier, reason_file, agreed=True)
    emit(answer) if as_json else show.console().print(f"agreed; run {answer['run']} is ordered")


@end.command()
def decline(
    dossier: Dossier,
    case: Case,
    reason_file: ReasonFile,
    purpose: Purpose = PURPOSE,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Decline a proposal as the second person: nothing changes."""
    client = Client(settings_with(key_file, url), purpose=purpose, case=case)
    answer = _settled(client, dossier, reason_file, agreed=False)
    emit(answer) if as_json else show.console().print("declined; nothing changes")


def _settled(client: Client, dossier: str, reason_file: Path, *, agreed: bool) -> Any:
    body = {"agreed": agreed, "reason": reason_in(reason_file)}
    return client.post(f"/v1/decisions/{dossier}/settlement", body)


@desk.command()
def queue(
    case: Case,
    purpose: Purpose = PURPOSE,
    after: Annotated[str, typer.Option(help="Go on where a page before ended.")] = "",
    limit: Annotated[int, typer.Option(help="Signals on a page, 1 to 200.")] = 50,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List the signals that wait for a look at indirect identification, the longest first."""
    path = f"/v1/desk?limit={limit}" + (f"&after={after}" if after else "")
    answer = Client(settings_with(key_file, url), purpose=purpose, case=case).get(path)
    if as_json:
        emit(answer)
        return
    columns = ("signal", "since", "subjects", "revision")
    show.table("waiting", columns, ([one[name] for name in columns] for one in answer["items"]))
    if answer["after"]:
        show.console().print(f"more: --after {answer['after']}")


@desk.command()
def leave(
    signal: Annotated[str, typer.Argument(help="Id of the signal.")],
    case: Case,
    reason_file: ReasonFile,
    revision: Annotated[int, typer.Option(help="The revision seen: of another one nothing is judged.")],
    purpose: Purpose = PURPOSE,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Judge that a signal may stay as it is; to end all of it, see `end propose --signal`."""
    body = {"revision": revision, "reason": reason_in(reason_file)}
    answer = Client(settings_with(key_file, url), purpose=purpose, case=case).post(f"/v1/desk/{signal}/leave", body)
    emit(answer) if as_json else show.console().print("left as it is")

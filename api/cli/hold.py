"""Commands of those who lay holds: hold lay, list, show, lift. All speak to the API."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from api.cli import show
from api.cli.client import Client, emit
from api.cli.options import AsJson, Case, KeyFile, ReasonFile, Url, reason_in, settings_with

hold = typer.Typer(
    no_args_is_help=True, help="Holds postpone a destruction; what is due leaves the register all the same."
)

Hold = Annotated[str, typer.Argument(metavar="HOLD", help="Id of the hold.")]
Ids = Annotated[list[str], typer.Option(help="Id it lies on; may be repeated.")]


@hold.command()
def lay(
    ground: Annotated[str, typer.Argument(help="wpg-14-4, wpg-28-2-a or wpg-28-2-b.")],
    case: Case,
    title_file: Annotated[Path, typer.Option(help="File with the title.")],
    mandate_file: Annotated[Path, typer.Option(help="File with the mandate: who may ask for it, and on what.")],
    reason_file: ReasonFile,
    from_: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    review_on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Day by which somebody looks again.")],
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day; without it until it is lifted.")
    ] = None,
    subject: Ids = [],  # noqa: B006
    signal: Ids = [],  # noqa: B006
    archived: Ids = [],  # noqa: B006
    start: Annotated[str, typer.Option(help="Subject from which a query, made anew every night, starts.")] = "",
    depth: Annotated[int, typer.Option(help="Links away from --start, 1 to 3.")] = 0,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Lay a hold on a ground of the law; without one it is refused."""
    body = {
        "case": case,
        "title": reason_in(title_file),
        "mandate": reason_in(mandate_file),
        "ground": ground,
        "reason": reason_in(reason_file),
        "from": from_.date().isoformat(),
        "until": until.date().isoformat() if until else None,
        "review_on": review_on.date().isoformat(),
        "subjects": subject,
        "signals": signal,
        "archived": archived,
        "start": start,
        "depth": depth,
    }
    answer = Client(settings_with(key_file, url)).post("/v1/holds", body)
    emit(answer) if as_json else show.console().print(f"hold {answer['hold']}")


@hold.command("list")
def listed(key_file: KeyFile = None, url: Url = None, as_json: AsJson = False) -> None:
    """List all holds, lifted and ended ones too."""
    answer = Client(settings_with(key_file, url)).get("/v1/holds")
    if as_json:
        emit(answer)
        return
    columns = ("hold", "ground", "from", "until", "review_on", "case", "by", "lifted_on")
    show.table("holds", columns, ([one[name] for name in columns] for one in answer["holds"]))


@hold.command("show")
def shown(hold_id: Hold, key_file: KeyFile = None, url: Url = None, as_json: AsJson = False) -> None:
    """Show one hold with its title, mandate and reason."""
    answer = Client(settings_with(key_file, url)).get(f"/v1/holds/{hold_id}")
    if as_json:
        emit(answer)
        return
    rows = [(name.replace("_", " "), _plain(value)) for name, value in answer["hold"].items()]
    rows += [(name.replace("_", " "), text) for name, text in answer["texts"].items()]
    show.table("stands" if answer["stands"] else "does not stand", ("what", "value"), rows)


@hold.command()
def lift(hold_id: Hold, case: Case, reason_file: ReasonFile, key_file: KeyFile = None, url: Url = None) -> None:
    """Lift a hold from today on; what it held back goes on where it stood."""
    body = {"case": case, "reason": reason_in(reason_file)}
    Client(settings_with(key_file, url)).post(f"/v1/holds/{hold_id}/lifting", body)
    show.console().print(f"lifted {hold_id}")


def _plain(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value

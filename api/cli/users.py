"""Commands of the administrator: users add, list, end. All speak to the API."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from api.cli import show
from api.cli.client import Client, emit
from api.cli.options import AsJson, KeyFile, Url, settings_with

users = typer.Typer(no_args_is_help=True, help="Who may come in.")


@users.command()
def add(
    code: Annotated[str, typer.Argument(help="Code of the person or machine; never a name.")],
    role: Annotated[
        str,
        typer.Argument(
            help="contributor, analyst, desk-officer, reviewer, privacy-officer, compliance-officer or administrator."
        ),
    ],
    handling: Annotated[str, typer.Option(help="Cleared up to this handling code.")] = "H0",
    marking: Annotated[list[str], typer.Option(help="Compartment granted; may be repeated.")] = [],  # noqa: B006
    expires: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day from which the key ends.")] = None,
    key_to: Annotated[Path | None, typer.Option(help="Write the new key to this new file (0600).")] = None,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Enrol somebody; their key is shown once."""
    wanted: dict[str, object] = {"code": code, "role": role, "handling": handling, "markings": marking}
    wanted["expires_on"] = expires.date().isoformat() if expires else None
    answer = Client(settings_with(key_file, url)).post("/v1/actors", wanted)
    if key_to is not None:
        write_key(key_to, answer["key"])
        show.console().print(f"{code}: key written to {key_to}")
    elif as_json:
        emit(answer)
    else:
        show.console().print(f"{code}: {answer['key']}\nThis key is not shown again.")


@users.command("list")
def listed(key_file: KeyFile = None, url: Url = None, as_json: AsJson = False) -> None:
    """List who is enrolled."""
    answer = Client(settings_with(key_file, url)).get("/v1/actors")
    if as_json:
        emit(answer)
        return
    columns = ("code", "role", "handling", "markings", "expires_at", "ended")
    show.table("users", columns, ([one[name] for name in columns] for one in answer["actors"]))


@users.command()
def end(
    code: Annotated[str, typer.Argument(help="Code of the person or machine.")],
    key_file: KeyFile = None,
    url: Url = None,
) -> None:
    """End somebody's key at once."""
    Client(settings_with(key_file, url)).delete(f"/v1/actors/{code}")
    show.console().print(f"{code}: ended")


def write_key(path: Path, key: str) -> None:
    """Write a key to a new file that only its owner may read."""
    import os

    with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(key + "\n")

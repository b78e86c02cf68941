"""`retention policies`: those that come with the software, and the versions of this register's own policy.

All but `shipped` speak to the API: who proposes a version, and who activates it, are two keys of two people.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import show
from api.cli.client import Client, emit
from api.cli.evaluate import shipped
from api.cli.options import AsJson, KeyFile, Url, settings_with

policies = typer.Typer(no_args_is_help=True, help="Versions of the policy: proposed, looked at, activated.")
policies.command()(shipped)

Digest = Annotated[str, typer.Argument(metavar="POLICY", help="SHA-256 of the version's file.")]
_PATH = "/v1/retention/policies"


@policies.command("list")
def listed(key_file: KeyFile = None, url: Url = None, as_json: AsJson = False) -> None:
    """List the versions of this register's policy, each with its state and who proposed and activated it."""
    answer = Client(settings_with(key_file, url)).get(_PATH)
    if as_json:
        emit(answer)
        return
    heads = ("in force", "state", "from", "file", "SHA-256", "proposed by", "activated by")
    show.table("versions of the policy", heads, map(_row, answer["policies"]))


@policies.command()
def propose(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Called <valid_from>-<name>.toml.")],
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Hand a version in. A file with a fault is refused whole, every fault named with its line."""
    body = {"file": file.name, "text": file.read_text("utf-8")}
    answer = Client(settings_with(key_file, url)).post(_PATH, body)
    emit(answer) if as_json else show.console().print(f"proposed policy {answer['policy']}")


@policies.command("show")
def shown(digest: Digest, key_file: KeyFile = None, url: Url = None) -> None:
    """Write the text of a version: with it, every date of its time can be reckoned again."""
    typer.echo(Client(settings_with(key_file, url)).get(f"{_PATH}/{digest}")["text"], nl=False)


@policies.command()
def impact(digest: Digest, key_file: KeyFile = None, url: Url = None, as_json: AsJson = False) -> None:
    """Show what a version would change, record by record, with the digest that its activation has to name."""
    answer = Client(settings_with(key_file, url)).post(f"{_PATH}/{digest}/impact", {})
    if as_json:
        emit(answer)
        return
    show.table(f"on {answer['on']}, instead of {answer['instead_of'][:16]}…", ("effect", "records"), _counts(answer))
    rows = ((show.short(one["id"]), one["effect"], _ends(one["before"]), _ends(one["after"])) for one in _some(answer))
    show.table("what changes (`--json` has all of it)", ("id", "effect", "ends now", "would end"), rows)
    show.console().print(f"impact list {answer['impact']}")


@policies.command()
def approve(
    digest: Digest,
    impact: Annotated[str, typer.Option(help="Digest of the impact list that was looked at.")],
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Activate a version as the second person; it comes into force after the grace period."""
    answer = Client(settings_with(key_file, url)).post(f"{_PATH}/{digest}/approval", {"impact": impact})
    emit(answer) if as_json else show.console().print(f"in force from {answer['in_force_from']}")


@policies.command()
def withdraw(digest: Digest, key_file: KeyFile = None, url: Url = None, as_json: AsJson = False) -> None:
    """Take a version back before it comes into force."""
    answer = Client(settings_with(key_file, url)).post(f"{_PATH}/{digest}/withdrawal", {})
    emit(answer) if as_json else show.console().print(f"withdrawn: {answer['file']}")


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    people = (one.get("proposed_by", "-"), one.get("approved_by") or "-")
    return (
        "yes" if one["in_force"] else "",
        one["state"],
        one.get("in_force_from") or "-",
        one["file"],
        one["digest"],
        *people,
    )


def _counts(answer: dict[str, Any]) -> list[tuple[str, int]]:
    return [(effect, count) for effect, count in answer["counts"].items() if count]


def _some(answer: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer["changes"][:100]
    return found


def _ends(told: dict[str, Any] | None) -> str:
    return "-" if told is None else str(told["ends_on"] or "-")

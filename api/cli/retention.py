"""Commands of compliance officers: retention plan, run, runs, approve; certificate list, show. All speak to the API."""

import json
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from api.cli import show
from api.cli.client import Client, emit, fail
from api.cli.options import AsJson, KeyFile, Url, settings_with

retention = typer.Typer(no_args_is_help=True, help="What is due, runs and their approval.")
certificate = typer.Typer(no_args_is_help=True, help="Certificates of destruction.")

On = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Civil date; later than today for a plan or a rehearsal register only."),
]
ENDED: Final = ("certified", "nothing-due", "waiting", "superseded", "refused", "failed")


@retention.command()
def plan(on: On = None, key_file: KeyFile = None, url: Url = None, as_json: AsJson = False) -> None:
    """Show what a run would do on a date, and why; nothing is changed."""
    wanted = {"on": on.date().isoformat() if on else None}
    answer = Client(settings_with(key_file, url)).post("/v1/retention/plans", wanted)
    emit(answer) if as_json else _show_plan(answer)


@retention.command()
def run(
    on: On = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for its end; 0: do not wait.")] = 0,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Order a run; the keeper carries it out."""
    client = Client(settings_with(key_file, url))
    ordered = client.post("/v1/retention/runs", {"on": on.date().isoformat() if on else None})["run"]
    state = _wait(client, ordered, wait)
    if as_json:
        emit(state)
    else:
        show.console().print(f"run {ordered}: {state['state']}")
        _show_run(state)
    if state["state"] in ("failed", "refused"):
        raise SystemExit(1)


@retention.command()
def clock(
    confirm: Annotated[bool, typer.Option("--confirm", help="It is right; two officers have to say so.")] = False,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show whether the machine's clock is believed; after a jump nobody can explain no run begins.

    Once two officers confirmed it within an hour, runs begin again.
    """
    client = Client(settings_with(key_file, url))
    answer = client.post("/v1/retention/clock/confirmation", {}) if confirm else client.get("/v1/retention/clock")
    emit(answer) if as_json else show.table("clock", ("what", "value"), answer.items())


@retention.command()
def runs(key_file: KeyFile = None, url: Url = None, as_json: AsJson = False) -> None:
    """List runs and orders, newest first."""
    answer = Client(settings_with(key_file, url)).get("/v1/retention/runs")
    if as_json:
        emit(answer)
        return
    rows = ((one["run"], one["state"], one["as_of"], one["requested_by"]) for one in answer["runs"])
    show.table("runs", ("run", "state", "for", "requested by"), rows)


@retention.command()
def approve(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Id of the run.")],
    digest: Annotated[str, typer.Argument(help="Digest of the plan, as `retention runs` shows it.")],
    key_file: KeyFile = None,
    url: Url = None,
) -> None:
    """Approve a waiting plan as the second person."""
    Client(settings_with(key_file, url)).post(f"/v1/retention/runs/{run_id}/approval", {"digest": digest})
    show.console().print(f"approved run {run_id}")


@certificate.command("list")
def listed(key_file: KeyFile = None, url: Url = None, as_json: AsJson = False) -> None:
    """List certificates, newest first."""
    answer = Client(settings_with(key_file, url)).get("/v1/retention/certificates")
    if as_json:
        emit(answer)
        return
    rows = ((one["sequence"], one["certificate"], one["issued_at"]) for one in answer["certificates"])
    show.table("certificates", ("number", "certificate", "issued"), rows)


@certificate.command("show")
def shown(
    certificate_id: Annotated[str, typer.Argument(metavar="CERTIFICATE", help="Id of the certificate.")],
    save: Annotated[
        Path | None, typer.Option(help="Write its files to this new folder, for `verify certificate`.")
    ] = None,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show one certificate, or save its files."""
    files = Client(settings_with(key_file, url)).get(f"/v1/retention/certificates/{certificate_id}")
    if save is not None:
        save.mkdir(parents=True, exist_ok=False)
        for name, text in files.items():
            if "/" in name or name.startswith("."):
                fail("the API named a file that is none of a certificate's")
            (save / name).write_text(text, "utf-8")
    if as_json:
        emit(files)
    elif save is None:
        from evidence.envelope import decode, parse_form

        statement = decode(parse_form(files["certificate.json"].encode())).payload
        show.console().print(json.dumps(json.loads(statement), indent=2))
    else:
        typer.echo(f"{len(files)} files written; check them: theme-register verify certificate {save.name}")


@certificate.command("print")
def printed(
    certificate_id: Annotated[
        str, typer.Argument(metavar="CERTIFICATE", help="Id of the certificate, or the folder of its files.")
    ],
    output: Annotated[Path, typer.Option(help="File to write.")],
    language: Annotated[Literal["en", "nl"], typer.Option(help="Language of the words.")] = "nl",
) -> None:
    """Print a certificate as an accessible PDF, offline, from the folder of its files; checks it first."""
    from api.print.check import ENVELOPE, IDS, POLICY, PROOF, VKEY, certificate_pdf
    from api.settings import Settings
    from register.ids import is_id

    folder = Settings().home / "certificates" / certificate_id if is_id(certificate_id) else Path(certificate_id)
    if not (folder / ENVELOPE).is_file():
        fail("there is no such certificate here")
    names = (ENVELOPE, PROOF, VKEY, POLICY, IDS)
    found = {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}
    output.write_bytes(certificate_pdf(found, language))
    typer.echo(f"printed: {output}", err=True)


def _wait(client: Client, run_id: str, seconds: float) -> dict[str, Any]:
    # Each look is an entry of the audit log: the longer it takes, the less often it is looked.
    end, pause = time.monotonic() + seconds, 0.2
    while True:
        found = [one for one in client.get("/v1/retention/runs")["runs"] if one["run"] == run_id]
        state: dict[str, Any] = found[0] if found else {"run": run_id, "state": "ordered"}
        if state["state"] in (*ENDED, "planned") or time.monotonic() >= end:
            return state
        time.sleep(pause)
        pause = min(1.5 * pause, 5.0)


def _show_plan(answer: dict[str, Any]) -> None:
    live = answer["live"]
    show.console().print(f"plan for {answer['as_of']}, policy {answer['policy']}, digest {answer['digest'][:16]}…")
    show.console().print(f"the register holds {live['subjects']} subjects and {live['signals']} signals")
    show.table("what would go", ("what", "number"), answer["counts"].items())
    rows = (
        (show.short(one["id"]), one["kind"], one["fate"], one["remove_by"], _arithmetic(one["because"]))
        for one in answer["due"]
    )
    show.table("due, and why (`--json` has every step)", ("id", "kind", "fate", "due on", "because"), rows)
    for finding in answer["findings"]:
        show.console().print(f"INCIDENT: {finding['kind']} {finding['id']}: {finding['reason']}", style="bold red")
    waiting = Counter((one["kind"], one["reason"]) for one in answer["waiting"])
    for (kind, reason), count in waiting.items():
        show.console().print(f"waits: {count} {kind} [{reason}]", style="bold")
    fates = Counter(one["fate"] for one in answer["due"])
    if fates["removed"]:
        show.console().print(f"{fates['removed']} go to the closed archive, each until the day after five full years")
    if fates["destroyed"]:
        show.console().print(f"{fates['destroyed']} are destroyed")
    if answer["needs_approval"]:
        show.console().print("more than the blast radius: the run waits for a second person's approval")


def _arithmetic(because: list[str]) -> str:
    """Return the step that says what the term runs from and to."""
    return next((step for step in because if " + " in step), because[-1])


def _show_run(state: dict[str, Any]) -> None:
    rows = ((name.replace("_", " "), _plain(value)) for name, value in state.items() if name not in ("run", "state"))
    show.table("what happened", ("what", "value"), rows)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_plain(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "none"
    return str(value)

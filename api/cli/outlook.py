"""Commands that look ahead: `retention explain`, `calendar`, `rehearse`. They speak to the API and change nothing."""

import sys
from datetime import datetime
from typing import Annotated, Any

import typer

from api.cli import show
from api.cli.client import Client, emit
from api.cli.options import AsJson, KeyFile, Url, settings_with

Weeks = Annotated[int, typer.Option(min=1, max=60, help="How many weeks.")]
On = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Civil date; today when absent.")]


def explain(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="Id of the subject, or of an archived record.")],
    on: On = None,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say where a live subject or an archived record stands on a day, with the arithmetic in words.

    With --json also the facts, in the form that `retention evaluate` takes: anybody can compute the same from them.
    """
    query = f"?on={on.date().isoformat()}" if on else ""
    answer = Client(settings_with(key_file, url)).get(f"/v1/retention/subjects/{subject}{query}")
    if as_json:
        emit(answer)
        return
    if answer["state"] is not None:
        show.console().print(f"{answer['state']} on {answer['on']}, by rule {answer['rule']} ({answer['citation']})")
    names = ("review_by", "hidden_from", "remove_by", "destroy_on")
    show.table("dates", ("what", "day"), ((name.replace("_", " "), answer[name] or "-") for name in names))
    for step in answer["because"]:
        show.console().print(f"- {step}")
    if answer["restricted"]:
        show.console().print("- restricted: hidden whatever its dates say")
    if done := answer.get("archived", {}).get("destroyed_on"):
        show.console().print(f"- its file was destroyed by the run of {done}")
    if answer["verdict"] != "verifies":
        show.console().print(f"INCIDENT: its facts are not believed: {answer['verdict']}", style="bold red")
    show.console().print(f"policy {answer['policy']}, SHA-256 {answer['policy_sha256'][:16]}…")


def cases(key_file: KeyFile = None, url: Url = None) -> None:
    """Write the facts of every live record as cases, one line of JSON each, for `retention evaluate` and `impact`."""
    for part in Client(settings_with(key_file, url)).lines("/v1/retention/cases"):
        sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()


def calendar(weeks: Weeks = 13, key_file: KeyFile = None, url: Url = None, as_json: AsJson = False) -> None:
    """Show how much becomes due in each of the coming weeks, if nothing more happens."""
    answer = Client(settings_with(key_file, url)).get(f"/v1/retention/calendar?weeks={weeks}")
    if as_json:
        emit(answer)
        return
    what = ("reviews", "removals", "destructions")
    late = ("late", *(answer["late"][one] for one in what))
    rows = ((f"{one['from']} to {one['until']}", *(one[each] for each in what)) for one in answer["weeks"])
    show.table(f"from {answer['on']}, policy {answer['policy']}", ("week", *what), [late, *rows])
    if answer["unsure"]:
        show.console().print(f"{answer['unsure']} records do not verify: see `retention plan`", style="bold red")


def processing(key_file: KeyFile = None, url: Url = None, as_json: AsJson = False) -> None:
    """Show the controller's register of processing (Wpg art. 31d), gathered from what is in force."""
    answer = Client(settings_with(key_file, url)).get("/v1/retention/processing")
    if as_json:
        emit(answer)
        return
    named = ("on", "controller", "processing")
    show.table("register of processing", ("what", "value"), ((name, answer[name]) for name in named))
    show.table(
        "terms", ("rule", "term", "citation"), ((one["rule"], one["term"], one["citation"]) for one in answer["terms"])
    )
    people = answer["authorisations"]["people"]
    show.table("authorisations", ("who", "role", "ended"), ((one["code"], one["role"], one["ended"]) for one in people))


def rehearse(weeks: Weeks = 13, key_file: KeyFile = None, url: Url = None, as_json: AsJson = False) -> None:
    """Show the runs of the coming weeks on paper, if nothing more happens; nothing is changed."""
    answer = Client(settings_with(key_file, url)).get(f"/v1/retention/rehearsal?weeks={weeks}")
    if as_json:
        emit(answer)
        return
    show.console().print("REHEARSAL: nothing was removed, and no certificate stands behind these numbers")
    heads = ("run for", "subjects", "signals alone", "signals gone", "signals redacted", "second person")
    show.table(f"from {answer['on']}, policy {answer['policy']}", heads, map(_row, answer["runs"]))


def _row(run: dict[str, Any]) -> tuple[object, ...]:
    counts = (run[name] for name in ("subjects", "signals_alone", "signals_gone", "signals_redacted"))
    return (run["as_of"], *counts, "yes" if run["needs_approval"] else "no")

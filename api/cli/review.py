"""Commands of reviewers: review queue, show, decide. All speak to the API."""

from typing import Annotated, Any, Final

import typer

from api.cli import show
from api.cli.client import Client, emit
from api.cli.options import AsJson, Case, KeyFile, Purpose, ReasonFile, Url, reason_in, settings_with

review = typer.Typer(no_args_is_help=True, help="Periodic reviews: is it still needed?")

PURPOSE: Final = "necessity-review"

Subject = Annotated[str, typer.Argument(help="Id of the subject.")]


@review.command()
def queue(
    case: Case,
    purpose: Purpose = PURPOSE,
    after: Annotated[str, typer.Option(help="Go on where a page before ended.")] = "",
    limit: Annotated[int, typer.Option(help="Subjects on a page, 1 to 200.")] = 50,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List what is due within 90 days or overdue, the longest overdue first."""
    path = f"/v1/reviews?limit={limit}" + (f"&after={after}" if after else "")
    answer = Client(settings_with(key_file, url), purpose=purpose, case=case).get(path)
    if as_json:
        emit(answer)
        return
    columns = ("subject", "kind", "name", "standing", "review_by", "hidden_from", "ends_on", "revision")
    rows = ([one[name] for name in columns] for one in answer["items"])
    headings = ("subject", "kind", "name", "standing", "review by", "hidden from", "removed on", "revision")
    show.table(f"{len(answer['items'])} to review", headings, rows)
    if answer["after"]:
        show.console().print(f"more: --after {answer['after']}")


@review.command("show")
def shown(
    subject: Subject,
    case: Case,
    purpose: Purpose = PURPOSE,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show everything about one subject, and why its dates are what they are."""
    page = Client(settings_with(key_file, url), purpose=purpose, case=case).get(f"/v1/reviews/{subject}")
    if as_json:
        emit(page)
        return
    facts = ("kind", "revision", "restricted", "review_by", "hidden_from", "remove_by", "rule", "citation")
    rows: list[tuple[str, Any]] = [(name.replace("_", " "), page[name]) for name in facts]
    show.table(f"subject {subject}", ("what", "value"), [*rows, ("because", "\n".join(page["because"]))])
    stated = ((one["signal"], one["category"], " / ".join(one["names"]), one["born_on"]) for one in page["statements"])
    show.table("statements", ("signal", "category", "names", "born"), stated)
    signals = ((one["signal"], one["received_on"], one["accepted_on"]) for one in page["signals"])
    show.table("signals", ("signal", "received", "accepted"), signals)
    show.table(
        "decisions", ("on", "kind", "code"), ((one["on"], one["kind"], one["code"]) for one in page["decisions"])
    )
    show.console().print("questions: " + ", ".join(page["questions"]))


@review.command()
def decide(
    subject: Subject,
    outcome: Annotated[
        str,
        typer.Argument(
            help="still-needed, needed-on-new-information, no-longer-necessary, restrict or lift-restriction."
        ),
    ],
    case: Case,
    reason_file: ReasonFile,
    revision: Annotated[int, typer.Option(help="The revision seen: of another one nothing is decided.")],
    yes: Annotated[list[str], typer.Option(help="Question answered with yes; may be repeated.")] = [],  # noqa: B006
    no: Annotated[list[str], typer.Option(help="Question answered with no; may be repeated.")] = [],  # noqa: B006
    information: Annotated[list[str], typer.Option(help="Signal with new information; may be repeated.")] = [],  # noqa: B006
    ground: Annotated[str, typer.Option(help="Of a restriction: dispute or request.")] = "",
    purpose: Purpose = PURPOSE,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Decide about one subject; the reason is read from a file, or from standard input (`-`)."""
    body = {
        "revision": revision,
        "outcome": outcome,
        "reason": reason_in(reason_file),
        "answers": dict.fromkeys(yes, True) | dict.fromkeys(no, False),
        "information": information,
        "ground": ground or None,
    }
    client = Client(settings_with(key_file, url), purpose=purpose, case=case)
    answer = client.post(f"/v1/reviews/{subject}/decisions", body)
    if as_json:
        emit(answer)
        return
    show.table(f"{answer['state']}: {outcome}", ("what", "value"), answer.items())

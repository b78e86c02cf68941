"""Many names at once: `find --batch`, and for the second person batch list, agree, decline. All speak to the API."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from api.cli import show
from api.cli.client import Client, emit, fail
from api.cli.options import AsJson, Case, KeyFile, Purpose, ReasonFile, Url, reason_in, settings_with

batch = typer.Typer(no_args_is_help=True, help="Orders to look many names up: one orders, another agrees.")

PURPOSE: Final = "oversight"

Batch = Annotated[str, typer.Argument(metavar="ID", help="Id of the order, as `batch list` shows it.")]


@batch.command("list")
def listed(
    case: Case, purpose: Purpose = PURPOSE, key_file: KeyFile = None, url: Url = None, as_json: AsJson = False
) -> None:
    """List the orders that wait for a second person; the names are not kept and not shown."""
    answer = Client(settings_with(key_file, url), purpose=purpose, case=case).get("/v1/batches")
    if as_json:
        emit(answer)
        return
    columns = ("batch", "on", "by", "purpose", "case", "names", "reason")
    show.table("batches", columns, ([one[name] for name in columns] for one in answer["batches"]))


@batch.command()
def agree(
    batch_id: Batch,
    case: Case,
    reason_file: ReasonFile,
    purpose: Purpose = PURPOSE,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Agree, as the second person, that the names of an order are looked up."""
    client = Client(settings_with(key_file, url), purpose=purpose, case=case)
    answer = _settled(client, batch_id, reason_file, agreed=True)
    emit(answer) if as_json else show.console().print("agreed; who ordered it can collect the answers")


@batch.command()
def decline(
    batch_id: Batch,
    case: Case,
    reason_file: ReasonFile,
    purpose: Purpose = PURPOSE,
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Decline an order as the second person."""
    client = Client(settings_with(key_file, url), purpose=purpose, case=case)
    answer = _settled(client, batch_id, reason_file, agreed=False)
    emit(answer) if as_json else show.console().print("declined")


def ordered(client: Client, path: Path, reason_file: Path, *, as_json: bool) -> None:
    """File an order to look up the names in a file."""
    answer = client.post("/v1/batches", {"names": names_in(path), "reason": reason_in(reason_file)})
    emit(answer) if as_json else show.console().print(
        f"ordered: {answer['batch']}; once a second person has agreed: find --batch FILE --order {answer['batch']}"
    )


def collected(client: Client, path: Path, order: str, *, as_json: bool) -> None:
    """Collect the answers to an order, with a progress bar for people."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    names = names_in(path)
    body = {"names": names}
    rows: list[tuple[object, ...]] = []
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=show.console(stderr=True), transient=True, disable=as_json) as progress:
        task = progress.add_task("names", total=len(names))
        for line in client.told(f"/v1/batches/{order}/results", body):
            if "error" in line:
                fail(f"the answers broke off ({line['error']}): {line['message']}")
            progress.advance(task)
            if as_json:
                emit(line)
            else:
                rows += _rows(names[line["number"] - 1]["name"], line)
    if not as_json:
        found = sum(1 for row in rows if row[2])
        show.table(f"{len(names)} names, {found} hits", ("#", "asked", "subject", "names", "born", "score"), rows)


def names_in(path: Path) -> list[dict[str, Any]]:
    """Return the names in a file: CSV with a column `name` (and `born_on`), or NDJSON with these fields."""
    try:
        text = path.read_text("utf-8-sig")
        rows = list(_csv(text) if path.suffix.lower() == ".csv" else _ndjson(text))
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        fail(f"cannot read names from {path} ({type(error).__name__}): CSV or NDJSON with name and born_on is needed")
    return [{"name": str(row["name"]), "born_on": row.get("born_on") or None} for row in rows]


def _csv(text: str) -> Iterator[dict[str, Any]]:
    import csv
    import io

    rows = csv.DictReader(io.StringIO(text, newline=""))
    if "name" not in (rows.fieldnames or ()):
        raise ValueError
    yield from rows


def _ndjson(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        if line.strip():
            row = json.loads(line)
            yield {"name": row["name"], "born_on": row.get("born_on")}


def _rows(asked: str, line: dict[str, Any]) -> Iterator[tuple[object, ...]]:
    if "errors" in line:
        yield line["number"], asked, "", "; ".join(one["message"] for one in line["errors"]), "", ""
        return
    if not line["hits"]:
        yield line["number"], asked, "", "nobody", "", ""
    for hit in line["hits"]:
        names = " / ".join(hit["names"])
        yield line["number"], asked, hit["subject"], names, hit["born_on"], f"{hit['score']:.0f}"


def _settled(client: Client, batch_id: str, reason_file: Path, *, agreed: bool) -> Any:
    body = {"agreed": agreed, "reason": reason_in(reason_file)}
    return client.post(f"/v1/batches/{batch_id}/settlement", body)

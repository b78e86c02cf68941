"""Commands of readers: find, subject, signal, source, network, paths. All speak to the API."""

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import batches, show
from api.cli.client import Client, emit
from api.cli.options import AsJson, Case, KeyFile, Purpose, Url, settings_with

Kinds = Annotated[list[str], typer.Option("--kind", help="Only links of this kind; may be repeated.")]


def find(
    name: Annotated[str, typer.Argument(help="Name to look for; typing errors are forgiven.")] = "",
    identifier: Annotated[
        str, typer.Option(help="Strong identifier instead of a name, as KIND:VALUE, such as kvk:99169940.")
    ] = "",
    born: Annotated[str, typer.Option(help="Birth date, YYYY, YYYY-MM or YYYY-MM-DD; breaks ties.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=50, help="At most so many hits.")] = 10,
    batch: Annotated[
        Path | None,
        typer.Option(help="Many names instead: CSV or NDJSON with name, born_on; a second person agrees."),
    ] = None,
    reason_file: Annotated[
        Path | None, typer.Option(help="With --batch, to order it: file with the reason in words; `-`: standard input.")
    ] = None,
    order: Annotated[str, typer.Option(help="With --batch, to collect the answers: id of the order.")] = "",
    purpose: Purpose = "theme-insight",
    case: Case = "",
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Find subjects by name or by strong identifier, or many by name once a second person has agreed."""
    if bool(name) + bool(identifier) + bool(batch) != 1:
        raise typer.BadParameter("give either a name, --identifier or --batch")
    if batch is not None:
        client = Client(settings_with(key_file, url), purpose=purpose, case=case)
        if order:
            batches.collected(client, batch, order, as_json=as_json)
        elif reason_file is not None:
            batches.ordered(client, batch, reason_file, as_json=as_json)
        else:
            raise typer.BadParameter("give --reason-file to order a batch, or --order to collect one")
        return
    wanted: dict[str, Any] = {"limit": limit}
    if identifier:
        kind, _, value = identifier.partition(":")
        wanted["identifier"] = {"kind": kind, "value": value}
    else:
        wanted |= {"name": name, "born_on": born or None}
    answer = Client(settings_with(key_file, url), purpose=purpose, case=case).post("/v1/subjects/search", wanted)
    emit(answer) if as_json else show.hits(answer["hits"])


def subject(
    subject_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the subject, as `find` shows it.")],
    purpose: Purpose = "theme-insight",
    case: Case = "",
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show everything visible about one subject, and until when it stays."""
    client = Client(settings_with(key_file, url), purpose=purpose, case=case)
    answer = client.get(f"/v1/subjects/{subject_id}")
    emit(answer) if as_json else show.subject(answer)


def signal(
    signal_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the signal.")],
    purpose: Purpose = "theme-insight",
    case: Case = "",
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show one signal."""
    answer = Client(settings_with(key_file, url), purpose=purpose, case=case).get(f"/v1/signals/{signal_id}")
    emit(answer) if as_json else show.signal(answer)


def source(
    signal_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the signal.")],
    ground: Annotated[str, typer.Option(help="reliability, safety, order or correction; it is logged.")],
    purpose: Purpose = "theme-insight",
    case: Case = "",
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show who or what the source of a signal is, to a desk officer."""
    client = Client(settings_with(key_file, url), purpose=purpose, case=case)
    answer = client.post(f"/v1/signals/{signal_id}/source", {"ground": ground})
    emit(answer) if as_json else show.console().print(show.clean(answer["description"]))


def network(
    start: Annotated[str, typer.Argument(metavar="ID", help="Subject in the middle.")],
    depth: Annotated[int, typer.Option(min=1, max=3, help="So many links away from the middle.")] = 2,
    kind: Kinds = [],  # noqa: B006 (typer reads the default, nothing writes to it)
    budget: Annotated[int, typer.Option(min=1, max=2000, help="At most so many links.")] = 500,
    picture: Annotated[
        Path | None, typer.Option(help="Write a picture (SVG) to this file; it shows names: keep it as a provision.")
    ] = None,
    purpose: Purpose = "theme-insight",
    case: Case = "",
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show the link network around a subject."""
    wanted = {"start": start, "depth": depth, "kinds": kind, "budget": budget}
    answer = Client(settings_with(key_file, url), purpose=purpose, case=case).post("/v1/network", wanted)
    if picture is not None:
        from api.cli.drawing import draw

        picture.touch(mode=0o600, exist_ok=False)
        picture.write_text(draw(answer, start), "utf-8")
    emit(answer) if as_json else show.network(answer, start)


def paths(
    one: Annotated[str, typer.Argument(metavar="FROM", help="Id of the subject at one end.")],
    other: Annotated[str, typer.Argument(metavar="TO", help="Id of the subject at the other end.")],
    steps: Annotated[int, typer.Option(min=1, max=6, help="At most so many links.")] = 6,
    kind: Kinds = [],  # noqa: B006 (typer reads the default, nothing writes to it)
    most: Annotated[int, typer.Option(min=1, max=20, help="At most so many alternatives.")] = 5,
    purpose: Purpose = "theme-insight",
    case: Case = "",
    key_file: KeyFile = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show the shortest paths between two subjects."""
    wanted = {"from": one, "to": other, "steps": steps, "kinds": kind, "most": most}
    answer = Client(settings_with(key_file, url), purpose=purpose, case=case).post("/v1/paths", wanted)
    emit(answer) if as_json else show.paths(answer)

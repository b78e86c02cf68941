"""Answers of the API as tables for people. Stored text never reaches the terminal with control characters in it."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from api.cli.bundles import Bundle, bundled

if TYPE_CHECKING:
    from rich.console import Console

SHOWN: Final = 40
"""Rows of links at most, for people."""

NOT_SHOWN: Final = "not shown"
"""In place of a date of removal that does not follow from what the reader may see."""

_SHORT: Final = 8
_WIDTH: Final = 120

Item = Mapping[str, Any]


def console(*, stderr: bool = False) -> "Console":
    """Return the console that answers (or, on `stderr`, progress) are printed on."""
    from rich.console import Console

    made = Console(highlight=False, markup=False, stderr=stderr)
    # Where nobody looks on (a file, a pipe) there is no width to fit into.
    return made if made.is_terminal else Console(highlight=False, markup=False, stderr=stderr, width=_WIDTH)


def clean(text: str) -> str:
    """Return `text` with control and bidi-override characters made visible (a terminal would obey them)."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs"} else "\N{REPLACEMENT CHARACTER}"
        for char in text
    )


def short(identifier: str) -> str:
    """Return the beginning of an id, enough for people to tell it from others."""
    return f"{identifier[:_SHORT]}…"


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table; every cell is shown as plain text."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(clean("" if cell is None else str(cell))) for cell in row))
    console().print(drawn)


def hits(found: list[Item]) -> None:
    """Print what a search found."""
    table(
        f"{len(found)} found",
        ("subject", "kind", "names", "born", "score", "because", "removed on"),
        (
            (
                one["subject"],
                one["kind"],
                " / ".join(one["names"]),
                one["born_on"],
                f"{one['score']:.0f}",
                ", ".join(one["reasons"]),
                one["remove_by"] or NOT_SHOWN,
            )
            for one in found
        ),
    )


def subject(page: Item) -> None:
    """Print a subject's page."""
    console().print(f"{page['kind']} {page['subject']}, removed on {page['remove_by'] or NOT_SHOWN}")
    table(
        f"{len(page['statements'])} statements",
        ("signal", "category", "names", "born", "position", "identifiers"),
        (
            (
                one["signal"],
                one["category"],
                " / ".join(one["names"]),
                one["born_on"],
                one["position"],
                ", ".join(f"{each['kind']} {each['value']}" for each in one["identifiers"]),
            )
            for one in page["statements"]
        ),
    )
    names = {page["subject"]: "this subject"}
    _links(page["links"], names)


def signal(page: Item) -> None:
    """Print a signal."""
    facts = ("received_on", "origin", "source_grade", "information_grade", "handling", "contributor")
    rows = [(name.replace("_", " "), page[name]) for name in facts]
    rows += [("markings", ", ".join(page["markings"])), ("ports", ", ".join(page["ports"]))]
    rows += [(name.replace("_", " "), text) for name, text in page["texts"].items()]
    table(f"signal {page['signal']}", ("what", "value"), rows)
    names = {one["subject"]: one["names"][0] for one in page["statements"]}
    stated = (
        (one["subject"], one["category"], " / ".join(one["names"]), one["position"]) for one in page["statements"]
    )
    table("subjects", ("subject", "category", "names", "position"), stated)
    if page["unstated"]:
        rows = [(one["field"], one["words"]) for one in page["unstated"]]
        table("names in the texts that the signal does not state", ("text", "words"), rows)
    _links(page["links"], names)


def network(picture: Item, start: str) -> None:
    """Print a link network: its subjects, then its links as sentences."""
    subjects = sorted(picture["subjects"], key=lambda one: (one["subject"] != start, one["name"]))
    table(
        f"subjects: {len(subjects)}, harbours: {len(picture['harbours'])}"
        + (f"; {picture['left_out']} more links left out by the budget" if picture["left_out"] else ""),
        ("subject", "kind", "name", "removed on"),
        ((one["subject"], one["kind"], one["name"], one["remove_by"] or NOT_SHOWN) for one in subjects),
    )
    _links(picture["links"], _names(picture))


def paths(answer: Item) -> None:
    """Print paths as sentences."""
    names = _names(answer["network"])
    links = {one["id"]: one for one in answer["network"]["links"]}
    if not answer["paths"]:
        console().print("no path within these steps")
    for number, path in enumerate(answer["paths"], 1):
        parts = [names[path["stops"][0]]]
        for link_id, stop in zip(path["links"], path["stops"][1:], strict=True):
            link = links[link_id]
            arrow = f"—{link['kind']}→" if link["to"] == stop else f"←{link['kind']}—"
            parts += [arrow, names[stop]]
        console().print(f"{number}. " + clean(" ".join(parts)))


def _names(picture: Item) -> dict[str, str]:
    names = {one["subject"]: one["name"] for one in picture["subjects"]}
    return names | {one["code"]: f"{one['name']} ({one['code']})" for one in picture["harbours"]}


def _links(links: list[Item], names: Mapping[str, str]) -> None:
    def named(end: str) -> str:
        return names.get(end, end if len(end) == 5 else short(end))

    def basis(bundle: Bundle) -> str:
        parts = ((bundle.facts, "fact"), (bundle.count - bundle.facts, "assessed"))
        return ", ".join(f"{count} {word}" for count, word in parts if count)

    bundles = bundled(links)
    rows = (
        (named(one.from_), one.kind, named(one.to), one.count, basis(one), one.first, one.last, short(one.signals[0]))
        for one in bundles[:SHOWN]
    )
    title = f"{len(links)} links, {len(bundles)} of different kind or ends"
    table(title, ("from", "kind", "to", "times", "basis", "first", "last", "a signal"), rows)
    if len(bundles) > SHOWN:
        console().print(f"{len(bundles) - SHOWN} more rows: --json has every link, --picture draws them")

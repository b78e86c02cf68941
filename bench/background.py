"""Names among which a name has to be found: drawn from lists of real names where they are at hand, or made up."""

import csv
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Final

LISTS: Final = Path(__file__).parents[2] / "shared" / "data" / "names"
"""Where real lists are looked for: beside the project."""

_SEED: Final = "theme-register background 1"


def background(count: int) -> tuple[str, Iterator[str]]:
    """Return what the names come from, and `count` of them: the same at every call, namesakes included."""
    random = Random(_SEED)  # noqa: S311 - no secret
    if LISTS.is_dir():
        return "lists of real names", _real(random, count)
    return "made-up names", _made_up(random, count)


def _real(random: Random, count: int) -> Iterator[str]:
    """Draw given and family names of the Netherlands, the common ones more often, and one in ten of the world."""
    given = [row["name"] for row in _rows("nl-first-names-ranked.csv")]
    common = _rows("nl-family-names-top1000-2007.csv")
    heads = list(accumulate(int(row["count_2007"]) for row in common))
    names = [row["name"] for row in common]
    rare = (LISTS / "nl-family-names-5-or-more.txt").read_text("utf-8").splitlines()
    world = [(row["Localized Name"], row["Romanized Name"]) for row in _rows("world-common-surnames-by-country.csv")]
    abroad = [(row["Localized Name"], row["Romanized Name"]) for row in _rows("world-common-forenames-by-country.csv")]
    for _ in range(count):
        draw = random.random()
        if draw < 0.1:
            script = random.randrange(2)
            first, last = (random.choice(rows)[script] for rows in (abroad, world))
            yield f"{first} {last}".strip() or names[0]
            continue
        first = given[int(len(given) * random.random() ** 2)]
        last = random.choices(names, cum_weights=heads)[0] if draw < 0.64 else random.choice(rare)
        yield f"{first} {last}"


def _made_up(random: Random, count: int) -> Iterator[str]:
    """Put names of the demonstration's cast together: two given names and a double family name."""
    cast = tomllib.loads((files("api.demo") / "names.toml").read_text("utf-8"))
    for _ in range(count):
        first, second = random.sample(cast["first"], 2)
        last, born = random.sample(cast["last"], 2)
        yield f"{first} {second} {last}-{born}"


def _rows(name: str) -> list[dict[str, str]]:
    with (LISTS / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))

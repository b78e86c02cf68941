"""Recall on real pairs of names, among 20,000 names of the Netherlands and the world.

The floors lie a little under what was measured on these same pairs, on which the scoring was tuned too: they guard
against loss, and say nothing about other names. Many pairs that miss share little (a married name, a first name alone).
"""

import csv
import random

import pytest

from matching.table import NamedSubject, NameTable
from register.errors import Invalid

BACKGROUND = 20_000
SAMPLE = 150
FLOORS = {
    "dnb-company-names": 0.94,
    "febrl-dataset1": 0.87,
    "febrl-dataset3": 0.81,
    "nomenklatura-name-bench": 0.93,
    "opensanctions-aliases": 0.62,
    "patstat-nl": 0.89,
    "splink-historical-50k": 0.81,
    "transliteration-name-parts": 0.85,
    "un-sanctions-treated": 0.99,
    "wikidata-cross-script": 0.84,
}


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def background(shared_data):
    chosen = random.Random(20261124)  # noqa: S311 — a sample, not a secret
    folder = shared_data / "names"
    given = [row["name"] for row in rows(folder / "nl-first-names-ranked.csv")[:3000]]
    family = (folder / "nl-family-names-5-or-more.txt").read_text(encoding="utf-8").split("\n")
    common = [row["name"] for row in rows(folder / "nl-family-names-top1000-2007.csv")]
    world = [row["Romanized Name"] for row in rows(folder / "world-common-surnames-by-country.csv")]
    surnames = (family, common, [name for name in world if name])
    return [f"{chosen.choice(given)} {chosen.choice(chosen.choice(surnames))}" for _ in range(BACKGROUND)]


@pytest.mark.shared_data
@pytest.mark.parametrize("file", FLOORS)
def test_recall(shared_data, background, file):
    pairs = [row for row in rows(shared_data / "name-pairs" / f"{file}.csv") if row["is_match"] == "true"]
    random.Random(5).shuffle(pairs)  # noqa: S311
    pairs = pairs[:SAMPLE]
    names = sorted({row["name1"] for row in pairs})
    table = NameTable()
    table.load(NamedSubject(subject_id=f"{number:08}", names=(name,)) for number, name in enumerate(names + background))
    hits = sum(f"{names.index(row['name1']):08}" in first_ten(table, row["name2"]) for row in pairs)
    assert hits / len(pairs) >= FLOORS[file]


def first_ten(table, query):
    try:
        return {found.subject_id for found in table.search(query, limit=10)}
    except Invalid:
        return set()

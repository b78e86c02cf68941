"""Search by name on labelled pairs of names, against the engine's own fuzzy full-text search over the plain names.

Of each pair of all files `name1` is registered, among background names, and `name2` is asked for, through the table of
names that serves users. A pair that is a match is found when `name1` is among the first hits; one that is none is a
false hit when `name1` is shown all the same: among the first ten, above the threshold below which nothing is shown. Of
a file without the column `is_match` only the times say something.
"""

import argparse
import csv
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

if not __package__:  # run as a script: its own folder's modules are no top-level modules
    sys.path[0] = str(Path(__file__).parents[1])

import neo4j

from api.names import Names
from bench.background import background
from bench.ground import ground
from bench.report import emit, machine, milliseconds, table
from register.enquiry import CANDIDATES
from register.errors import Invalid

ANSWERS: Final = 10
"""How many hits somebody sees; in the first of them a match has to be."""

ANALYZER: Final = "standard-folding"
INDEX: Final = f"""
CREATE FULLTEXT INDEX plain_names IF NOT EXISTS FOR (n:PlainName) ON EACH [n.name]
OPTIONS {{indexConfig: {{`fulltext.analyzer`: '{ANALYZER}'}}}}
"""
ADD: Final = "UNWIND $rows AS row CREATE (n:PlainName) SET n = row"
SEARCH: Final = f"""
CALL db.index.fulltext.queryNodes('plain_names', $words, {{limit: {ANSWERS}}}) YIELD node, score
RETURN node.id AS id, node.name AS name
"""
ROWS: Final = 10_000

_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two names, and whether they are somebody's and the same; None where the file does not say."""

    registered: str
    asked: str
    match: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one question on one side: the place of the registered name, from 0, or None; and the seconds."""

    place: int | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The table of names that serves users, and the engine's index over the same names."""

    names: Names
    session: neo4j.Session

    def add(self, names: Iterable[tuple[str, str]]) -> None:
        """Register names by id on both sides."""
        stream = iter(names)
        while rows := list(islice(stream, ROWS)):
            for key, name in rows:
                self.names.put(key, (name,), None)
            self._write(ADD, rows=[{"id": key, "name": name} for key, name in rows])
        self.session.run("CALL db.awaitIndexes(3600)").consume()

    def ours(self, asked: str) -> list[str]:
        """Search as `register.enquiry` does for users, who see the first ten and why."""
        try:
            found = self.names.search(asked, born_on=None, limit=CANDIDATES)
        except Invalid:
            return []
        return [key for key, _ in ((one.key, one.reasons) for one in found[:ANSWERS])]

    def peer(self, asked: str) -> list[str]:
        """Search the index, and fetch the names found."""
        words = fuzzy(asked)
        if not words:
            return []
        return self.session.execute_read(lambda tx: [row["id"] for row in tx.run(SEARCH, words=words)])

    def _write(self, statement: str, **parameters: Any) -> None:
        self.session.execute_write(lambda tx: tx.run(statement, parameters).consume())


def fuzzy(asked: str) -> str:
    """Return a query of the index that forgives up to two typing errors in each word, Lucene's own default."""
    return " ".join(f"{word}~" for word in _WORD.findall(asked.lower()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the bench with command-line arguments (default: those of this process)."""
    options = _parser().parse_args(arguments)
    files = {path: _pairs(path, options.most) for path in options.pairs}
    with ground() as place, place.driver.session() as session:
        session.run(INDEX).consume()
        session.run("CREATE CONSTRAINT IF NOT EXISTS FOR (n:PlainName) REQUIRE n.id IS UNIQUE").consume()
        sides = Sides(names=Names(), session=session)
        registered = dict.fromkeys(pair.registered for pairs in files.values() for pair in pairs)
        source, drawn = background(options.background)
        ids = dict(zip(registered, _ids(), strict=False))
        names = [*ids.items(), *zip((one for one in drawn if one not in registered), _ids(2), strict=False)]
        # In one order by chance, for names that the engine thinks equal stand in the order in which they came.
        Random(1).shuffle(names)  # noqa: S311 - no secret
        began = time.perf_counter()
        sides.add((key, name) for name, key in names)
        loaded = time.perf_counter() - began
        _progress(f"{options.background:,} names on both sides after {loaded:.0f} s")
        _warm(sides, options.warm_up)
        measured = []
        for path, pairs in files.items():
            _progress(f"{path.name}: {len(pairs):,} pairs")
            measured.append(_file(sides, path, pairs, ids))
            _progress(", ".join(f"{name} {value}" for name, value in measured[-1].items() if name in TOLD[2:]))
    if options.json:
        emit({"files": [{name: value for name, value in one.items() if name in TOLD} for one in measured]})
        return
    sizes = {"background": options.background, "drawn from": source, "seconds to load both": round(loaded, 1)}
    table("names: machine and sizes", ("what", "value"), [*machine().items(), *sizes.items()])
    table("names", list(measured[0]), [tuple(one.values()) for one in measured])


TOLD: Final = (
    "file",
    "pairs",
    "recall_at_1",
    "recall_at_10",
    "false_hits",
    "p50_ms",
    "p95_ms",
    "peer_recall_at_10",
    "peer_p95_ms",
)
"""What the line of JSON says of each file; the table for people says more."""


def _progress(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.name_search", description=__doc__)
    parser.add_argument("--pairs", type=Path, nargs="+", required=True, metavar="CSV", help="files of labelled pairs")
    parser.add_argument("--background", type=int, default=100_000, metavar="N", help="names beside those of the pairs")
    parser.add_argument("--most", type=int, default=0, help="pairs of each file, drawn by chance (0: all)")
    parser.add_argument("--warm-up", type=int, default=300, help="questions put to both sides before, uncounted")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser


def _pairs(path: Path, most: int) -> list[Pair]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if most and len(rows) > most:
        rows = Random(1).sample(rows, most)  # noqa: S311 - no secret
    return [_pair(row) for row in rows]


def _pair(row: dict[str, str]) -> Pair:
    if "is_match" in row:
        return Pair(registered=row["name1"], asked=row["name2"], match=row["is_match"].strip().lower() == "true")
    return Pair(registered=row["result_name"], asked=row["query_name"], match=None)


def _warm(sides: Sides, count: int) -> None:
    """Ask for names of the background without their last letter."""
    for name in background(count)[1]:
        sides.ours(name[:-1])
        sides.peer(name[:-1])


def _ids(series: int = 1) -> Iterator[str]:
    """Yield ids like the register's: nobody's place among equals says who was registered first."""
    random = Random(f"theme-register ids {series}")  # noqa: S311 - no secret
    while True:
        yield f"{random.getrandbits(128):032x}"


def _file(sides: Sides, path: Path, pairs: Sequence[Pair], ids: Mapping[str, str]) -> dict[str, Any]:
    """Ask for the names of one file; one name is one entry, however often it stands in whatever file."""
    asked = [
        (pair, _asked(sides.ours, pair, ids[pair.registered]), _asked(sides.peer, pair, ids[pair.registered]))
        for pair in pairs
    ]
    matches = [(mine, peer) for pair, mine, peer in asked if pair.match]
    others = [(mine, peer) for pair, mine, peer in asked if pair.match is False]
    told, of_peer = (milliseconds([one[side].seconds for one in asked]) for side in (1, 2))  # type: ignore[union-attr]
    return {
        "file": path.name,
        "pairs": len(pairs),
        "matches": len(matches),
        "recall_at_1": _share([mine.place == 0 for mine, _ in matches]),
        "recall_at_10": _share([mine.place is not None for mine, _ in matches]),
        "false_hits": sum(mine.place is not None for mine, _ in others),
        **told,
        "peer_recall_at_1": _share([peer.place == 0 for _, peer in matches]),
        "peer_recall_at_10": _share([peer.place is not None for _, peer in matches]),
        "peer_false_hits": sum(peer.place is not None for _, peer in others),
        **{f"peer_{name}": value for name, value in of_peer.items()},
    }


def _asked(search: Callable[[str], list[str]], pair: Pair, wanted: str) -> Answer:
    began = time.perf_counter()
    found = search(pair.asked)
    seconds = time.perf_counter() - began
    return Answer(place=found.index(wanted) if wanted in found else None, seconds=seconds)


def _share(found: Sequence[bool]) -> float | None:
    return round(sum(found) / len(found), 4) if found else None


if __name__ == "__main__":
    main()

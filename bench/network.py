"""Link networks and shortest paths, authorised, opened and audited, against bare Cypher on the same plain graph.

Each side has a server of its own, and the same question is put to one right after the other.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

import neo4j

from api.wiring import workplace
from bench import plain
from bench.ground import Ground, ground
from bench.importing import fresh, ours, signals_of
from bench.intake import written
from bench.report import milliseconds, told
from graph.labels import LINKS
from register.access import Actor, Reason, Role
from register.answers import Picture, Route
from register.clock import SystemClock
from register.enquiry import Enquiry
from register.grading import HandlingCode
from register.ids import SubjectId
from register.subjects import STRONG, NewIdentifier

REASON: Final = Reason(purpose="theme-insight", case="BENCH-2026/1")
BUDGET: Final = 500
STEPS: Final = 6
MOST: Final = 5

_ANY: Final = "|".join(LINKS)
NETWORK: Final = f"""
MATCH (s:Subject {{id: $start}}) ((:Subject)-[r:{_ANY}]-()){{1,2}}
UNWIND r AS link
WITH DISTINCT link LIMIT $budget
WITH link, startNode(link) AS a, endNode(link) AS b
RETURN type(link) AS type, properties(link) AS link, a.id AS from, a.name AS from_name, b.id AS to, b.name AS to_name
"""
PATHS: Final = f"""
MATCH (a:Subject {{id: $from}}), (b:Subject {{id: $to}})
MATCH p = ALL SHORTEST (a) (()-[:{_ANY}]-(:Subject)){{1,{STEPS}}} (b)
RETURN [n IN nodes(p) | [n.id, n.name]] AS stops, [r IN relationships(p) | properties(r)] AS links LIMIT {MOST}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One subject as each side knows it."""

    ours: SubjectId
    plain: SubjectId


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one question took here: seconds, and processor seconds of this process."""

    seconds: float
    processor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The same question on both sides, and how many links both answered."""

    ours: Spent
    peer: Spent
    links: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both sides, and how each is asked."""

    enquiry: Enquiry
    reader: Actor
    session: neo4j.Session

    def network(self, start: Asked) -> Compared:
        """Ask both for the network around `start`."""
        picture, mine = _timed(lambda: self.enquiry.network(self.reader, REASON, start.ours, budget=BUDGET))
        rows, bare = _timed(lambda: self._bare(NETWORK, start=start.plain, budget=BUDGET))
        _same("links around a subject", len(picture.links), len(rows))
        return Compared(ours=mine, peer=bare, links=len(rows))

    def paths(self, ends: tuple[Asked, Asked]) -> Compared:
        """Ask both for the shortest paths between `ends`; the links are those of one path."""
        one, other = ends

        def ask() -> tuple[tuple[Route, ...], Picture]:
            return self.enquiry.paths(self.reader, REASON, (one.ours, other.ours), steps=STEPS, most=MOST)

        (routes, _), mine = _timed(ask)
        rows, bare = _timed(lambda: self._bare(PATHS, **{"from": one.plain, "to": other.plain}))
        long = len(rows[0]["links"]) if rows else 0
        _same("links of the shortest path", len(routes[0].links) if routes else 0, long)
        return Compared(ours=mine, peer=bare, links=long)

    def _bare(self, query: str, **parameters: Any) -> list[Mapping[str, Any]]:
        return self.session.execute_read(lambda tx: [row.data() for row in tx.run(query, parameters)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the bench with command-line arguments (default: those of this process)."""
    options = _parser().parse_args(arguments)
    with ExitStack() as stack:
        place, peer = (stack.enter_context(ground(options.ports)) for _ in range(2))
        path = options.file or written(place.folder / "story.ndjson", options.signals)
        graph = _loaded(place, peer, path)
        opened = stack.enter_context(workplace(place.settings, "bench"))
        sides = Sides(
            enquiry=opened.enquiry,
            reader=_reader(path),
            session=stack.enter_context(peer.driver.session()),
        )
        starts = _starts(sides, graph, options.starts)
        pairs = _pairs(starts, graph, options.starts)
        for start, pair in list(zip(starts, pairs, strict=False))[: options.warm_up]:
            sides.network(start)
            sides.paths(pair)
        questions = {
            "network": [partial(sides.network, start) for start in starts],
            "paths": [partial(sides.paths, pair) for pair in pairs],
        }
        measured = {}
        for name, asking in questions.items():
            before = place.server_seconds(), peer.server_seconds()
            compared = [ask() for ask in asking]
            after = place.server_seconds(), peer.server_seconds()
            measured[name] = _measured(compared, after[0] - before[0], after[1] - before[1])
        sizes = {"file": path.name, "starts": len(starts), "pairs": len(pairs), "budget": BUDGET, **place.census()}
    told("network", sizes, {"questions": measured}, as_json=options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.network", description=__doc__)
    parser.add_argument("--signals", type=int, default=2000, help="signals of the made-up story (at least 80)")
    parser.add_argument("--file", type=Path, help="signals to load instead, NDJSON")
    parser.add_argument("--ports", type=Path, help="official list of harbours that the file needs, CSV")
    parser.add_argument("--starts", type=int, default=300, help="subjects to start from, and pairs of them")
    parser.add_argument("--warm-up", type=int, default=200, help="questions of each sort put before, uncounted")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser


def _loaded(place: Ground, peer: Ground, path: Path) -> plain.Plain:
    """Load both sides; return the plain graph."""
    fresh(ours, place.register(), path, False, False)
    peer.register()
    peer.clear()
    graph = plain.plain(signals_of(path), SystemClock().now())
    plain.write(peer.driver, graph.chunks)
    _same("nodes and relationships", sorted(place.census().items()), sorted(peer.census().items()))
    return graph


def _reader(path: Path) -> Actor:
    """Return a reader who may see everything in the file."""
    markings = frozenset(marking for signal in signals_of(path) for marking in signal.markings)
    return Actor(code="reader", role=Role.ANALYST, markings=markings, handling=frozenset(HandlingCode))


def _starts(sides: Sides, graph: plain.Plain, count: int) -> list[Asked]:
    """Return subjects by chance, found on both sides by an identifier that they alone carry."""
    carriers: dict[NewIdentifier, set[SubjectId]] = {}
    names = {id_: one for one, id_ in graph.batch.identifiers.items()}
    for subject in graph.batch.created:
        for identifier in subject.identifiers:
            carriers.setdefault(names[identifier], set()).add(subject.id)
    alone = [(one, ids.pop()) for one, ids in carriers.items() if len(ids) == 1 and one.kind in STRONG]
    chosen = Random(1).sample(alone, min(count, len(alone)))  # noqa: S311 - no secret
    found = [
        (sides.enquiry.find_by_identifier(sides.reader, REASON, one.kind, one.value), subject)
        for one, subject in chosen
    ]
    return [Asked(ours=hits[0].subject, plain=subject) for hits, subject in found]


def _pairs(starts: Sequence[Asked], graph: plain.Plain, count: int) -> list[tuple[Asked, Asked]]:
    """Return pairs by chance of `starts` that some path joins: those of the largest part that hangs together."""
    whole = _largest_part(graph)
    joined = [one for one in starts if one.plain in whole]
    random = Random(1)  # noqa: S311 - no secret
    return [(one, other) for one, other in (random.sample(joined, 2) for _ in range(count))]


def _largest_part(graph: plain.Plain) -> set[str]:
    neighbours: dict[str, set[str]] = {one.id: set() for one in graph.batch.created}
    for signal in graph.batch.signals:
        for link in signal.links:
            if not link.to_port:
                neighbours[link.from_].add(link.to)
                neighbours[link.to].add(link.from_)
    parts: list[set[str]] = []
    while neighbours:
        part: set[str] = set()
        edge = {next(iter(neighbours))}
        while edge:
            part |= edge
            edge = set().union(*(neighbours.pop(one) for one in edge)) - part
        parts.append(part)
    return max(parts, key=len)


def _timed(work: Callable[[], Any]) -> tuple[Any, Spent]:
    began = time.perf_counter(), time.process_time()
    answer = work()
    return answer, Spent(seconds=time.perf_counter() - began[0], processor=time.process_time() - began[1])


def _same(what: str, one: object, other: object) -> None:
    if one != other:
        raise SystemExit(f"the sides differ in {what}: {one} and {other}")


def _measured(asked: Sequence[Compared], server: float, peer_server: float) -> dict[str, float]:
    mine, peer = milliseconds([one.ours.seconds for one in asked]), milliseconds([one.peer.seconds for one in asked])
    work = server + sum(one.ours.processor for one in asked)
    peer_work = peer_server + sum(one.peer.processor for one in asked)
    return {
        **mine,
        **{f"peer_{name}": value for name, value in peer.items()},
        "ratio_p50": round(mine["p50_ms"] / peer["p50_ms"], 3),
        "ratio_p95": round(mine["p95_ms"] / peer["p95_ms"], 3),
        "processor_ms": round(1000 * work / len(asked), 2),
        "peer_processor_ms": round(1000 * peer_work / len(asked), 2),
        "links_on_average": round(sum(one.links for one in asked) / len(asked), 1),
    }


if __name__ == "__main__":
    main()

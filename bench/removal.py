"""Removal and destruction of everybody who is due, certificate included, against a bare DETACH DELETE of the same.

The register plans, erases, replaces its keys, reads back, certifies and closes, as a nightly run does; the peer deletes
the same signals, subjects and identifiers of the same graph in clear text, a thousand in a transaction.
"""

import argparse
import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Final

import neo4j

from api.exchange.signal_v1 import to_json
from api.wiring import workplace
from bench import plain
from bench.beside import beside
from bench.ground import Ground, ground
from bench.importing import fresh, ours, signals_of
from bench.night import carried_out
from bench.population import AHEAD, due_by_then, passport, strangers
from bench.report import told
from register.clock import SystemClock, civil_date

DELETING: Final = {
    "signals": "UNWIND $ids AS id MATCH (n:Signal {id: id}) DETACH DELETE n",
    "subjects": "UNWIND $ids AS id MATCH (n:Subject {id: id}) DETACH DELETE n",
    "identifiers": "UNWIND $ids AS id MATCH (n:Identifier {id: id}) DETACH DELETE n",
}
CHUNK: Final = 1000
STARTS: Final = 30
"""Readers ask for the networks of so many people who stay."""
HANDED_IN: Final = 3000
DESTROYED: Final = ("subject", "signal", "mention", "link", "identifier", "redacted", "skipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """Whose networks are asked for, and what is handed in, beside a run."""

    passports: Sequence[str]
    path: Path


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the bench with command-line arguments (default: those of this process)."""
    options = _parser().parse_args(arguments)
    today = civil_date(SystemClock().now())
    rounds: list[dict[str, Any]] = []
    with ground() as place:
        aside = _aside(place.folder / "aside.ndjson", today, options) if options.beside else None
        warm = _written(place.folder / "warm.ndjson", today, options.warm_up, options.warm_up // 2)
        path = _written(place.folder / "due.ndjson", today, options.subjects, options.due)
        _round(place, warm, today, first="peer")
        for turn in range(options.rounds):
            rounds.append(_round(place, path, today, first=("register", "peer")[turn % 2], aside=aside))
    sizes = {"subjects": options.subjects, "due": options.due, "rounds": options.rounds, **rounds[0]["sizes"]}
    told("removal", sizes, _measured(rounds), as_json=options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.removal", description=__doc__)
    parser.add_argument("--subjects", type=int, default=10_000, help="subjects in the register")
    parser.add_argument("--due", type=int, default=1000, help="how many of them are due")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, the sides taking turns to be first")
    parser.add_argument("--warm-up", type=int, default=400, help="subjects of a round before, uncounted")
    parser.add_argument("--beside", action="store_true", help="a reader and a contributor are at work meanwhile")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser


def _aside(path: Path, today: date, options: argparse.Namespace) -> Aside:
    path.write_bytes(b"".join(to_json(one) + b"\n" for one in strangers(today, HANDED_IN)))
    step = max(1, (options.subjects - options.due) // STARTS)
    return Aside(passports=[passport(one) for one in range(options.due, options.subjects, step)][:STARTS], path=path)


def _written(path: Path, today: date, subjects: int, due: int) -> Path:
    path.write_bytes(b"".join(to_json(one) + b"\n" for one in due_by_then(today, subjects, due)))
    return path


def _round(place: Ground, path: Path, today: date, *, first: str, aside: Aside | None = None) -> dict[str, Any]:
    """Load and remove on both sides, `first` before the other, and make sure that both removed the same."""
    found: dict[str, Any] = {}
    for side in (first, "peer" if first == "register" else "register"):
        found[side] = _peer(place, path, today) if side == "peer" else _register(place, path, today, aside)
        left = place.census()
        if found.setdefault("left", left) != left and aside is None:
            raise SystemExit(f"the sides left different graphs: {found['left']} and {left}")
    if found["register"]["outcome"]["signal"] != found["peer"]["signals"]:
        raise SystemExit("the sides deleted different signals")
    return found | {"sizes": found["register"].pop("sizes")}


def _register(place: Ground, path: Path, today: date, aside: Aside | None) -> dict[str, Any]:
    settings = place.register()
    loaded = fresh(ours, settings, path, False, False)
    sizes = place.census()
    with workplace(settings, "bench") as opened:
        opened.logbook.seal_trail()  # as the keeper does every second: the entries of the intake are not the run's work
    before = _work(place)
    with ExitStack() as stack:
        others = None if not aside else stack.enter_context(beside(settings, aside.passports, aside.path))
        night = carried_out(settings, today + AHEAD)
    work = _work(place) - before
    return {
        "seconds": night.seconds,
        "work": work,
        "steps": night.steps,
        "outcome": night.outcome,
        "intake": loaded.signals / loaded.seconds,
        "beside": others.told(night.began, night.ended) if others else {},
        "sizes": sizes,
    }


def _peer(place: Ground, path: Path, today: date) -> dict[str, Any]:
    place.clear()
    graph = plain.plain(signals_of(path), SystemClock().now())
    plain.write(place.driver, graph.chunks)
    due = {one.id for one in graph.batch.created if one.remove_by <= today + AHEAD}
    ids: dict[str, Collection[str]] = {
        "signals": [
            one.facts.id for one in graph.batch.signals if all(mention.facts.subject in due for mention in one.mentions)
        ],
        "subjects": due,
        "identifiers": {id_ for one in graph.batch.created if one.id in due for id_ in one.identifiers},
    }
    before = _work(place)
    began = time.perf_counter()
    with place.driver.session() as session:
        for name, statement in DELETING.items():
            rest = iter(ids[name])
            while some := list(islice(rest, CHUNK)):
                session.execute_write(_delete, statement, some)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "work": _work(place) - before, "signals": len(ids["signals"])}


def _work(place: Ground) -> float:
    """Return the processor seconds of this process and the server so far."""
    return time.process_time() + place.server_seconds()


def _delete(tx: neo4j.ManagedTransaction, statement: str, ids: Sequence[str]) -> None:
    tx.run(statement, ids=ids).consume()


def _measured(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    signals = rounds[0]["peer"]["signals"]
    mine, peer = (median(one[side]["seconds"] for one in rounds) for side in ("register", "peer"))
    work, peer_work = (median(one[side]["work"] for one in rounds) for side in ("register", "peer"))
    steps = {name: median(one["register"]["steps"][name] for one in rounds) for name in rounds[0]["register"]["steps"]}
    return {
        "signals": signals,
        "seconds": round(mine, 3),
        "peer_seconds": round(peer, 3),
        "signals_per_second": round(signals / mine, 1),
        "peer_signals_per_second": round(signals / peer, 1),
        "ratio": round(peer / mine, 3),
        "processor_ratio": round(peer_work / work, 3),
        "of_intake": round(signals / mine / median(one["register"]["intake"] for one in rounds), 3),
        "intake_signals_per_second": round(median(one["register"]["intake"] for one in rounds), 1),
        "destroyed": {name: {"number": rounds[0]["register"]["outcome"][name]} for name in DESTROYED},
        "steps": {name: {"seconds": round(took, 3), "share": round(took / mine, 3)} for name, took in steps.items()},
        **({"beside": rounds[0]["register"]["beside"]} if rounds[0]["register"]["beside"] else {}),
    }


if __name__ == "__main__":
    main()

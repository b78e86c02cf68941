"""Somebody whom thousands know is removed while a reader and a contributor work, against a bare DETACH DELETE.

The register archives the hub in parts, takes it out of every signal, replaces its keys, reads back and certifies; the
peer deletes the hub's node with all its links from the same graph in clear text.
"""

import argparse
import resource
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from api.exchange.signal_v1 import to_json
from api.wiring import workplace
from bench import plain
from bench.beside import beside
from bench.ground import Ground, ground
from bench.importing import fresh, ours, signals_of
from bench.night import carried_out
from bench.population import AHEAD, hub_with, passport, strangers
from bench.removal import HANDED_IN, STARTS
from bench.report import told
from register.clock import SystemClock, civil_date

DELETING: Final = "MATCH (s:Subject {id: $id}) DETACH DELETE s"
COUNTED: Final = ("mention", "link", "redacted", "archived")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the bench with command-line arguments (default: those of this process)."""
    options = _parser().parse_args(arguments)
    today = civil_date(SystemClock().now())
    with ground() as place:
        path, aside = place.folder / "hub.ndjson", place.folder / "aside.ndjson"
        path.write_bytes(b"".join(to_json(one) + b"\n" for one in hub_with(today, *_shape(options))))
        aside.write_bytes(b"".join(to_json(one) + b"\n" for one in strangers(today, HANDED_IN)))
        peer = _peer(place, path, today)
        mine = _register(place, path, aside, today)
    sizes = {"links": options.links, "links_a_signal": options.each, "around": options.around, **mine.pop("sizes")}
    told("hub", sizes, mine | peer | {"ratio": round(peer["peer_seconds"] / mine["seconds"], 4)}, as_json=options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.hub", description=__doc__)
    parser.add_argument("--links", type=int, default=100_000, help="links of the hub")
    parser.add_argument("--each", type=int, default=20, help="of them in one signal")
    parser.add_argument("--around", type=int, default=4000, help="people whom it is linked with, who stay")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser


def _shape(options: argparse.Namespace) -> tuple[int, int, int]:
    return options.links, options.each, options.around


def _register(place: Ground, path: Path, aside: Path, today: date) -> dict[str, Any]:
    settings = place.register()
    loaded = fresh(ours, settings, path, False, False)
    sizes = place.census()
    with workplace(settings, "bench") as opened:
        opened.logbook.seal_trail()
    with beside(settings, [passport(number) for number in range(1, STARTS + 1)], aside) as others:
        night = carried_out(settings, today + AHEAD)
    return {
        "seconds": round(night.seconds, 3),
        "intake_signals_per_second": round(loaded.signals / loaded.seconds, 1),
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "gone": {name: {"number": night.outcome.get(name, 0)} for name in COUNTED},
        "steps": {name: {"seconds": round(took, 3)} for name, took in night.steps.items()},
        "beside": others.told(night.began, night.ended),
        "sizes": sizes,
    }


def _peer(place: Ground, path: Path, today: date) -> dict[str, Any]:
    place.register()
    place.clear()
    graph = plain.plain(signals_of(path), SystemClock().now())
    plain.write(place.driver, graph.chunks)
    (hub,) = (one.id for one in graph.batch.created if one.remove_by <= today + AHEAD)
    began = time.perf_counter()
    with place.driver.session() as session:
        session.execute_write(lambda tx: tx.run(DELETING, id=hub).consume())
    return {"peer_seconds": round(time.perf_counter() - began, 3)}


if __name__ == "__main__":
    main()

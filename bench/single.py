"""One signal over HTTP, durable and audited, against the same in clear text in one transaction of the bare driver.

One at a time, on a connection that stays open; the time is that of whoever hands in, from request to receipt.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from http.client import HTTPConnection
from typing import Final
from urllib.parse import urlsplit

import neo4j

from api.exchange.signal_v1 import to_json
from bench import plain
from bench.ground import Ground, ground
from bench.importing import signals_of
from bench.intake import written
from bench.report import milliseconds, told
from register.clock import SystemClock
from register.signals import NewSignal
from tests.journeys.installation import PURPOSE, Installation

CREATED: Final = 201


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the bench with command-line arguments (default: those of this process)."""
    parser = argparse.ArgumentParser(prog="python -m bench single", description=__doc__)
    parser.add_argument("--signals", type=int, default=500, help="signals of the made-up story (at least 80)")
    parser.add_argument("--warm-up", type=int, default=300, help="signals that each side writes before, uncounted")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    options = parser.parse_args(arguments)
    with ground() as place:
        signals = signals_of(written(place.folder / "story.ndjson", options.warm_up + options.signals))
        sides = {
            "register": _handed_in(place, signals)[options.warm_up :],
            "peer": _written(place, signals)[options.warm_up :],
        }
    table = {name: milliseconds(took) for name, took in sides.items()}
    ours, peer = table["register"], table["peer"]
    ratios = {f"ratio_{what}": round(ours[f"{what}_ms"] / peer[f"{what}_ms"], 2) for what in ("p50", "p95")}
    sizes = {"signals": options.signals, "warm_up": options.warm_up}
    told("single", sizes, {**ratios, "one signal": table}, as_json=options.json)


def _handed_in(place: Ground, signals: Sequence[NewSignal]) -> list[float]:
    settings = place.register()
    server = {
        "NEO4J_URI": place.endpoint.uri,
        "NEO4J_USERNAME": place.endpoint.user,
        "NEO4J_PASSWORD_FILE": str(settings.neo4j_password_file),
    }
    register = Installation(folder=place.folder / "served", server=server)
    register.folder.mkdir(mode=0o700)
    place.clear()
    register.init()
    with register.serving():
        register.enrol("desk", "contributor")
        connection = HTTPConnection(urlsplit(register.url).netloc, timeout=60)
        heads = {"Authorization": f"Bearer {register.keys['desk']}", "Content-Type": "application/json", **PURPOSE}
        return [_timed(partial(_posted, connection, to_json(one), heads)) for one in signals]


def _posted(connection: HTTPConnection, body: bytes, heads: dict[str, str]) -> None:
    connection.request("POST", "/v1/signals", body, heads)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != CREATED:
        raise SystemExit(f"refused with {answer.status}: {content.decode()}")


def _written(place: Ground, signals: Sequence[NewSignal]) -> list[float]:
    place.clear()  # only the constraints and indexes of the register are left
    now = SystemClock().now()
    ready = plain.plain(signals, now, chunk=1)
    with neo4j.GraphDatabase.driver(place.endpoint.uri, auth=(place.endpoint.user, place.endpoint.password)) as driver:
        driver.verify_connectivity()
        return [_timed(partial(plain.write, driver, [chunk])) for chunk in ready.chunks]


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

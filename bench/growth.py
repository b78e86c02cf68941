"""What each operation costs in a register ten times as large: intake, a network, and every step of a nightly run.

Whole registers are read every night, so planning and reading back count per record, the keys per key; what is
archived and erased counts per signal that goes.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

from api.exchange.signal_v1 import to_json
from api.wiring import workplace
from bench.beside import REASON
from bench.ground import Ground, ground, started
from bench.importing import DESK, fresh, ours, signals_of
from bench.night import carried_out
from bench.population import AHEAD, crowd, passport, strangers
from bench.report import percentile, told
from register.access import Actor, Role
from register.clock import SystemClock, civil_date
from register.grading import HandlingCode
from register.subjects import IdentifierKind

STARTS: Final = 40
DUE: Final = 400
ASKED: Final = 300
HANDED_IN: Final = 300
READER: Final = Actor(code="reader", role=Role.ANALYST, handling=frozenset(HandlingCode))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the bench with command-line arguments (default: those of this process)."""
    options = _parser().parse_args(arguments)
    if options.prepare:
        options.prepare.mkdir(mode=0o700, parents=True)
        with started(options.prepare) as place:
            _load(place, options.subjects)
        return
    if options.prepared:
        grounds: list[Callable[[], Any]] = [lambda folder=folder: started(folder) for folder in options.prepared]
    else:
        grounds = [
            lambda subjects=subjects: _loaded(subjects) for subjects in (options.subjects, 10 * options.subjects)
        ]
    sizes, costs = [], []
    for open_ground in grounds:
        with open_ground() as place:
            size, cost = _measured(place)
            sizes.append(size)
            costs.append(cost)
    small, large = costs
    compared = {
        name: {"small": round(small[name], 4), "large": round(large[name], 4), "ratio": round(large[name] / took, 3)}
        for name, took in small.items()
    }
    shown = {
        f"{which}_{name}": count
        for which, size in zip(("small", "large"), sizes, strict=True)
        for name, count in size.items()
    }
    told("growth", shown, {"milliseconds": compared}, as_json=options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--subjects", type=int, default=10_000, help="subjects of the small register")
    parser.add_argument("--prepare", type=Path, help="only load a register of --subjects into this new folder")
    parser.add_argument("--prepared", type=Path, nargs=2, help="folders made before, the small register first; used up")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser


@contextmanager
def _loaded(subjects: int) -> Iterator[Ground]:
    with ground() as place:
        _load(place, subjects)
        yield place


def _load(place: Ground, subjects: int) -> None:
    settings = place.register()
    path = place.folder / "crowd.ndjson"
    with path.open("wb") as file:
        file.writelines(to_json(one) + b"\n" for one in crowd(_today(), subjects, DUE))
    fresh(ours, settings, path, False, False)
    path.unlink()
    with workplace(settings, "bench") as opened:
        opened.logbook.seal_trail()


def _measured(place: Ground) -> tuple[dict[str, int], dict[str, float]]:
    """Return the size of a register, and what each operation costs there, in milliseconds."""
    size, settings = place.census(), place.settings
    path = place.folder / "strangers.ndjson"
    path.write_bytes(b"".join(to_json(one) + b"\n" for one in strangers(_today(), HANDED_IN)))
    with workplace(settings, "bench") as opened:
        passports = [passport(DUE + number) for number in range(STARTS)]
        find = opened.enquiry.find_by_identifier
        starts = [find(READER, REASON, IdentifierKind.PASSPORT, one)[0].subject for one in passports]
        asked = [
            _timed(lambda start=start: opened.enquiry.network(READER, REASON, start, depth=1))  # type: ignore[misc]
            for start in (starts * (ASKED // STARTS + 1))[:ASKED]
        ]
        handed_in = [_timed(lambda one=one: opened.intake.record(DESK, one)) for one in signals_of(path)]  # type: ignore[misc]
        opened.logbook.seal_trail()
    night = carried_out(settings, _today() + AHEAD)
    records = size["Subject"] + size["Signal"]
    gone, steps = int(night.outcome["signal"]), night.steps
    return size, {
        "a network, p50": 1000 * percentile(asked[STARTS:], 50),
        "a network, p95": 1000 * percentile(asked[STARTS:], 95),
        "an intake, p50": 1000 * percentile(handed_in[STARTS:], 50),
        "an intake, p95": 1000 * percentile(handed_in[STARTS:], 95),
        "plan, per record": 1000 * steps["plan"] / records,
        "archive and erase, per signal that goes": 1000 * steps["archive and erase"] / gone,
        "replace keys, per record": 1000 * steps["replace keys"] / records,
        "read back, per record": 1000 * steps["read back"] / records,
    }


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _today() -> date:
    return civil_date(SystemClock().now())


if __name__ == "__main__":
    main()

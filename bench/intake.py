"""Bulk intake with everything on, against the same graph in clear text written by the bare driver."""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from api.demo.story import signals as story
from bench.ground import Ground, ground
from bench.importing import Imported, bare, fresh, ours
from bench.report import told
from register.clock import SystemClock, civil_date

SIDES = ("register", "peer", "null cipher")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the bench with command-line arguments (default: those of this process)."""
    options = _parser().parse_args(arguments)
    with ground(options.ports) as place:
        path = options.file or written(place.folder / "story.ndjson", options.signals)
        warm = place.folder / "warm.ndjson"
        lines = path.read_bytes().splitlines(keepends=True)
        warm.write_bytes(b"".join(lines[: options.warm_up]))
        for side in SIDES:
            _imported(place, side, warm)
        rounds, census = _rounds(place, path, options.rounds)
        profile = fresh(ours, place.register(), path, False, True).phases
    sizes = {"file": path.name, "signals": len(lines), "rounds": options.rounds, "warm_up": options.warm_up, **census}
    told("intake", sizes, _measured(rounds, profile), as_json=options.json)


def written(path: Path, count: int) -> Path:
    """Write `count` signals of the made-up story to `path`, and return it."""
    today = civil_date(SystemClock().now())
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in story(today, count)), "utf-8")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.intake", description=__doc__)
    parser.add_argument("--signals", type=int, default=5000, help="signals of the made-up story (at least 80)")
    parser.add_argument("--file", type=Path, help="signals to take in instead, NDJSON")
    parser.add_argument("--ports", type=Path, help="official list of harbours that the file needs, CSV")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, each with another order of the sides")
    parser.add_argument("--warm-up", type=int, default=2000, help="signals that each side writes before, uncounted")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser


def _rounds(place: Ground, path: Path, count: int) -> tuple[dict[str, list[Imported]], dict[str, int]]:
    """Return what each side measured, round by round, and how many nodes and relationships both graphs have."""
    rounds: dict[str, list[Imported]] = defaultdict(list)
    census: dict[str, int] = {}
    for turn in range(count):
        first = turn % len(SIDES)
        order = SIDES[first:] + SIDES[:first]
        for side in order if turn % 2 == 0 else reversed(order):
            rounds[side].append(_imported(place, side, path))
            found = place.census()
            if census and found != census:
                raise SystemExit(f"the sides wrote different graphs: {census} and {found}")
            census = found
    return rounds, census


def _imported(place: Ground, side: str, path: Path) -> Imported:
    settings = place.register(null_cipher=side == "null cipher")
    if side == "peer":
        place.clear()  # only the constraints and indexes of the register are left
        return fresh(bare, place.endpoint, path)
    return fresh(ours, settings, path, side == "null cipher", False)


def _measured(rounds: dict[str, list[Imported]], profile: dict[str, dict[str, float]]) -> dict[str, Any]:
    rates = {side: median(one.signals / one.seconds for one in of) for side, of in rounds.items()}
    seconds = {side: median(one.seconds for one in of) for side, of in rounds.items()}
    return {
        "signals_per_second": round(rates["register"], 1),
        "peer_signals_per_second": round(rates["peer"], 1),
        "ratio": round(rates["register"] / rates["peer"], 3),
        "null_cipher_signals_per_second": round(rates["null cipher"], 1),
        "encryption_share": round(1 - seconds["null cipher"] / seconds["register"], 3),
        "peak_memory_mib": max(one.peak_mib for one in rounds["register"]),
        "peer_peak_memory_mib": max(one.peak_mib for one in rounds["peer"]),
        "rounds": {
            f"round {turn + 1}": {side: round(of[turn].signals / of[turn].seconds, 1) for side, of in rounds.items()}
            for turn in range(len(rounds["register"]))
        },
        "profile": profile,
    }


if __name__ == "__main__":
    main()

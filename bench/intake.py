"""Bulk intake with everything on, against the same graph in clear text written by the bare driver."""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from api.demo.story import signals as story
from bench.ground import Ground, ground
from bench.importing import Imported, bare, fresh, ours
from bench.report import told
from register.clock import SystemClock, civil_date

SIDES: Final = ("register", "peer", "null cipher")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one side measured in one round; `server_seconds` is the server's processor time meanwhile."""

    imported: Imported
    server_seconds: float


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


def _rounds(place: Ground, path: Path, count: int) -> tuple[dict[str, list[Round]], dict[str, int]]:
    """Return what each side measured, round by round, and how many nodes and relationships both graphs have."""
    rounds: dict[str, list[Round]] = defaultdict(list)
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


def _imported(place: Ground, side: str, path: Path) -> Round:
    settings = place.register(null_cipher=side == "null cipher")
    if side == "peer":
        place.clear()  # only the constraints and indexes of the register are left
    before = place.server_seconds()
    if side == "peer":
        imported = fresh(bare, place.endpoint, path)
    else:
        imported = fresh(ours, settings, path, side == "null cipher", False)
    return Round(imported=imported, server_seconds=place.server_seconds() - before)


def _measured(rounds: dict[str, list[Round]], profile: dict[str, dict[str, float]]) -> dict[str, Any]:
    rates = {side: [one.imported.signals / one.imported.seconds for one in of] for side, of in rounds.items()}
    typical = {side: median(of) for side, of in rates.items()}
    work = {side: _work(of) for side, of in rounds.items()}
    total = {side: one["client_ms"] + one["server_ms"] for side, one in work.items()}
    return {
        "signals_per_second": round(typical["register"], 1),
        "peer_signals_per_second": round(typical["peer"], 1),
        "ratio": round(typical["register"] / typical["peer"], 3),
        "null_cipher_signals_per_second": round(typical["null cipher"], 1),
        "encryption_share": round(1 - typical["register"] / typical["null cipher"], 3),
        "processor_ratio": round(total["peer"] / total["register"], 3),
        "encryption_share_of_client_processor": round(
            1 - work["null cipher"]["client_ms"] / work["register"]["client_ms"], 3
        ),
        "peak_memory_mib": max(one.imported.peak_mib for one in rounds["register"]),
        "peer_peak_memory_mib": max(one.imported.peak_mib for one in rounds["peer"]),
        "rounds": {
            f"round {turn + 1}": {side: round(of[turn], 1) for side, of in rates.items()}
            for turn in range(len(rates["register"]))
        },
        "processor": work,
        "profile": profile,
    }


def _work(rounds: Sequence[Round]) -> dict[str, float]:
    """Return the processor time a signal took in the importing process and in the server, in milliseconds."""
    client = median(one.imported.processor_seconds / one.imported.signals for one in rounds)
    server = median(one.server_seconds / one.imported.signals for one in rounds)
    return {"client_ms": round(1000 * client, 3), "server_ms": round(1000 * server, 3)}


if __name__ == "__main__":
    main()

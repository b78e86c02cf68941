"""Single bytes changed at random in certificates and logs: `verify certificate` and `verify log` have to find each."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.report import told
from tests.evidence.mutations import PARTS, attempt, made


def main(arguments: Sequence[str] | None = None) -> None:
    """Change, verify, and tell; ends with status 1 if one change was not found."""
    parser = argparse.ArgumentParser(prog="python -m bench mutations", description=__doc__)
    parser.add_argument("--changes", type=int, default=2_000, help="to each of the parts")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    rows: dict[str, dict[str, Any]] = {}
    with TemporaryDirectory(prefix="theme-register-bench-") as name:
        issued = made(Path(name))
        for part in PARTS:
            began = time.perf_counter()
            found = attempt(issued, part, chosen.changes)
            seconds = round(time.perf_counter() - began, 1)
            rows[part] = {"changes": found.changes, "missed": len(found.missed), "seconds": seconds}
    changes, missed = (sum(row[name] for row in rows.values()) for name in ("changes", "missed"))
    summary = {"changes": changes, "missed": missed, "found_percent": round(100 * (1 - missed / changes), 3)}
    told("mutations", {"changes a part": chosen.changes}, {**summary, "parts": rows}, as_json=chosen.json)
    if missed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

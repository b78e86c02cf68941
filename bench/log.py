"""The log: how fast entries are sealed, and how fast a stranger verifies all of it offline.

The peer of verifying is the least that anybody has to do: read every file and hash every entry and body once.
"""

import argparse
import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.report import told
from evidence.checkpoint import CheckpointSigner, publish
from evidence.log import Log
from evidence.note import encode_vkeys
from evidence.shelves import LogEntry
from evidence.survey import verify_log
from evidence.trust import Trust
from vault.signing import LogKeys, SignatureVerifier

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BATCH = 1000


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="python -m bench log", description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="theme-register-bench-") as name:
        found = _measured(Path(name), chosen.entries)
    told("log", {"entries": chosen.entries, "batch": BATCH}, found, as_json=chosen.json)


def _measured(folder: Path, number: int) -> dict[str, Any]:
    verifier = SignatureVerifier()
    signer = CheckpointSigner(
        origin="register.example/bench",
        signer=LogKeys.create(folder / "keys"),
        verifier=verifier,
        memory=folder / "last",
    )
    signer.begin(at=NOW)
    began = time.perf_counter()
    with Log.open(folder / "log") as log:
        for start in range(0, number, BATCH):
            log.append([_entry(place, number) for place in range(start, min(start + BATCH, number))])
            publish(folder / "log", signer.sign(log, at=NOW))
    sealing = time.perf_counter() - began
    trust = Trust.of_vkeys(encode_vkeys(signer.keys))
    began = time.perf_counter()
    _least(folder / "log")
    least = time.perf_counter() - began
    began = time.perf_counter()
    result = verify_log(folder / "log", trust, verifier)
    took = time.perf_counter() - began
    if (result.exit_code, result.size, result.bodies) != (0, number, number):
        raise SystemExit("the log that was measured is not whole")
    return {
        "sealed_per_second": round(number / sealing, 1),
        "verify_seconds": round(took, 3),
        "verify_seconds_a_million": round(took * 1_000_000 / number, 2),
        "least_seconds": round(least, 3),
        "ratio": round(least / took, 3),
    }


def _entry(place: int, number: int) -> LogEntry:
    body = b'{"act":"subject.find","actor":"a-1","detail":{},"id":"%032x","more":"%b"}' % (place, b"x" * 250)
    at = NOW.replace(month=1 + place * 12 // number)
    return LogEntry(id=f"{place:032x}", at=at, salt=place.to_bytes(16, "big"), body=body)


def _least(folder: Path) -> None:
    """Read every byte, and hash each entry's leaf, each inner node and each body once."""
    entries = 0
    for path in sorted((folder / "tile" / "entries").rglob("*")):
        if path.is_file() and path.parent.suffix != ".p":
            content = path.read_bytes()
            for start in range(0, len(content), 34):
                hashlib.sha256(b"\0" + content[start + 2 : start + 34]).digest()
                entries += 1
    for _ in range(entries):
        hashlib.sha256(b"\1" * 65).digest()
    for path in (folder / "bodies").rglob("*-*"):
        for line in path.read_bytes().splitlines():
            hashlib.sha256(line).digest()


if __name__ == "__main__":
    main()

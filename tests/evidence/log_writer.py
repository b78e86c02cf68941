"""Appends to a log until it is killed: `python -m tests.evidence.log_writer FOLDER BATCH SALT`.

Prints, after each batch that `append` has returned from, the size reached. Entries are numbered from the committed
size on, and their content depends on SALT, so that two lives of the writer never log the same.
"""

import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path

from evidence.log import Log
from evidence.shelves import LogEntry


def entry(number: int, salt: str) -> LogEntry:
    digest = hashlib.sha256(f"{salt} {number}".encode()).digest()
    return LogEntry(
        id=digest.hex()[:32],
        at=datetime(2026, 1 + number % 3, 1, tzinfo=UTC),
        salt=digest[:16],
        body=b'{"number":%d}' % number,
    )


def main(folder: Path, batch: int, salt: str) -> None:
    with Log.open(folder) as log:
        print("open", flush=True)
        while True:
            size = log.size
            log.append([entry(size + i, salt) for i in range(batch)])
            print(log.size, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])

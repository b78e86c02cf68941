"""An import under way, seen from outside: how far it has come, what memory it takes, how it is killed."""

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.journeys.installation import Installation

PATIENCE = 300.0


@dataclass(frozen=True, kw_only=True)
class Importing:
    """The processes of one `import` command."""

    register: Installation
    parent: subprocess.Popen[str]

    def taken(self) -> int:
        """Return how many deliveries the key store knows: these lines have a key, and soon a place in the graph."""
        return deliveries(self.register)[0]

    def wait_for(self, taken: int) -> None:
        """Wait until so many deliveries are known; the import must still be under way then."""
        end = time.monotonic() + PATIENCE
        while self.taken() < taken:
            assert self.parent.poll() is None, "the import ended too early to be killed"
            assert time.monotonic() < end
            time.sleep(0.01)

    def child(self) -> int:
        """Return the process that holds the keys."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == self.parent.pid:
                return int(stat.parent.name)
        raise AssertionError("the import ended too early to be watched or killed")

    def kill(self) -> None:
        """Kill parent and child at once."""
        assert self.parent.poll() is None, "the import ended too early to be killed"
        os.killpg(self.parent.pid, signal.SIGKILL)
        assert self.parent.wait(60) == -signal.SIGKILL

    def kill_child(self) -> None:
        """Kill the child; the parent says so by its exit status."""
        os.kill(self.child(), signal.SIGKILL)
        assert self.parent.wait(60) not in (0, None)

    def tally(self) -> dict[str, Any]:
        """Wait for the end and return the last line of JSON."""
        out, _ = self.parent.communicate(timeout=PATIENCE)
        assert self.parent.returncode == 0
        return dict(json.loads(out.splitlines()[-1]))


@contextmanager
def begun(register: Installation, path: Path, *options: str) -> Iterator[Importing]:
    """Begin to import `path`; what the processes say goes to `import.log`, and none of them outlives the block."""
    with (register.folder / "import.log").open("a") as log:
        parent = subprocess.Popen(
            register.command("import", str(path), "--json", *options),
            env=register.environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        with parent:
            try:
                yield Importing(register=register, parent=parent)
            finally:
                if parent.poll() is None:
                    os.killpg(parent.pid, signal.SIGKILL)


def deliveries(register: Installation) -> tuple[int, int]:
    """Return how many deliveries the key store knows, and how many of them are not done."""
    path = register.settings.keys_folder / "store" / "keys.sqlite"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        count, done = connection.execute("SELECT count(*), coalesce(sum(done), 0) FROM deliveries").fetchone()
    return int(count), int(count) - int(done)


def resident(process: int) -> int:
    """Return the resident memory of a process in MiB, 0 once it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text("ascii", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) >> 10 for line in status.splitlines() if line.startswith("VmRSS:"))

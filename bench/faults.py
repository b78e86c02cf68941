"""Faults at random moments of intake and retention runs, and after each an independent checker's verdict.

Each round begins from the same register, with its own embedded Neo4j and a run ordered: a removal to the archive, or
the destruction of what was archived with the removal of all others. Signals come in beside it. One fault, drawn from
the seed, befalls real processes, their network, disk or clock; what ended is started again, as whoever runs a register
would, and the run and the intake come to their ends.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import neo4j

from api.demo import story
from api.demo.story import FEWEST, landmarks
from api.settings import Settings
from bench.checker import gone_by
from bench.field import Beginning, Field
from bench.report import told
from bench.round import Round
from bench.rounds import DESTRUCTION, REMOVAL, RIGHT, Played, draw, judged, play
from bench.state import State
from bench.strikes import STRIKES
from graph.embedded.java import Memory
from graph.embedded.server import attach, install, stop
from register.clock import SystemClock, civil_date
from tests.journeys.installation import Installation
from tests.journeys.rounds import serving

DISK: Final = "900m"
DISK_OF_KEYS: Final = "48m"
"""Sizes of the file systems that can be full."""

SMALL: Final = Memory(heap_at_start="128m", heap_at_most="512m", page_cache="64m")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the bench with command-line arguments (default: those of this process); exits with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="how many rounds")
    parser.add_argument("--first", type=int, default=0, help="number of the first round, to repeat one")
    parser.add_argument("--seed", default="1", help="what is drawn follows from it and the number of the round")
    parser.add_argument("--fault", choices=sorted(STRIKES), action="append", help="only this one; may be given again")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    options = parser.parse_args(arguments)
    rounds: list[Played] = []
    with ground() as field:
        beginnings = begin(field)
        for number in range(options.first, options.first + options.rounds):
            one = play(field, beginnings, draw(options.seed, number, options.fault or tuple(STRIKES)))
            rounds.append(one)
            told_so_far = "; ".join((one.verdict, *one.notes))
            sys.stderr.write(f"{number} {one.fault} ({one.beginning}) {one.seconds:.1f} s: {told_so_far}\n")
            sys.stderr.flush()
    before = beginnings[0].state
    sizes = {
        "rounds": len(rounds),
        "first": options.first,
        "seed": options.seed,
        "subjects": len(before.ids("Subject")),
        "due": len(gone_by(before, beginnings[0].on) & before.ids("Subject")),
        "disks": f"tmpfs of {DISK} and {DISK_OF_KEYS}" if field.mounted else "the machine's own",
    }
    told("faults", sizes, _measured(rounds), as_json=options.json)
    if any(one.wrong for one in rounds):
        raise SystemExit(1)


@contextmanager
def ground() -> Iterator[Field]:
    """A new rehearsal register with the story in it, on file systems of its own where that is possible."""
    settings = Settings()
    today = civil_date(SystemClock().now())
    with ExitStack() as opened:
        aside = Path(opened.enter_context(TemporaryDirectory(prefix="theme-register-faults-")))
        disk = aside / "disk"
        installation = Installation(folder=disk, server={})
        mounted = all(
            _mounted(opened, folder, size)
            for folder, size in ((disk, DISK), (installation.settings.keys_folder, DISK_OF_KEYS))
        )
        installation.init()
        home = installation.home / "graph"
        opened.callback(stop, home)
        java = install(settings.cache_folder, java_home=settings.java_home)
        endpoint = opened.enter_context(attach(home, java, memory=SMALL))
        driver = opened.enter_context(
            neo4j.GraphDatabase.driver(
                endpoint.uri,
                auth=(endpoint.user, endpoint.password),
                notifications_min_severity="OFF",
                connection_timeout=5,
                max_transaction_retry_time=60,
            )
        )
        lines = aside / "story.ndjson"
        lines.write_text("".join(json.dumps(one) + "\n" for one in story.signals(today, FEWEST)))
        installation.json("import", str(lines))
        with serving(installation):
            installation.enrol("douane", "contributor")
        yield Field(installation=installation, driver=driver, endpoint=endpoint, aside=aside, mounted=mounted)


def _mounted(opened: ExitStack, folder: Path, size: str) -> bool:
    """Make a folder, on a small file system of its own; say whether that was possible."""
    folder.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        return False
    opened.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
    return True


def begin(field: Field) -> tuple[Beginning, Beginning]:
    """Return what rounds begin from: before a removal, and before the destruction of what that archived."""
    removal, after = before_removal(field)
    (certificate,) = after.certificates
    gone = removal.state.everything - after.everything
    last = max(stub["destroy_on"].to_native() for stub in after.stubs().values()) + timedelta(days=1)
    # Who is removed with the destruction of the others is itself destroyed five years after that.
    field.installation.run("archive", "extend", "--months", "180", *field.installation.custodian)
    destruction, _ = _beginning(field, DESTRUCTION, last, {certificate: frozenset(gone)})
    return removal, destruction


def before_removal(field: Field) -> tuple[Beginning, State]:
    """Return the first of what rounds begin from, and what its run leaves to which nothing happens."""
    return _beginning(field, REMOVAL, landmarks(civil_date(SystemClock().now()), FEWEST).due_on, {})


def _beginning(field: Field, name: str, on: date, earlier: Mapping[str, frozenset[str]]) -> tuple[Beginning, State]:
    """Order a run, and let it come to its end with nothing happening to it; also return what it leaves."""
    field.order(on)
    made = Beginning(
        name=name,
        on=on,
        snapshot=field.take(name),
        state=field.read(),
        opened=field.opened(),
        earlier=earlier,
        takes=0,
    )
    around = Round(ground=field, beginning=made, name=name, random=Random(0))  # noqa: S311
    began = time.monotonic()
    around.carry_on()
    takes = time.monotonic() - began
    around.settle()
    if wrong := judged(around):
        raise SystemExit(f"the run to which nothing happened: {wrong}")
    return replace(made, takes=takes), field.read()


def _measured(rounds: Sequence[Played]) -> dict[str, Any]:
    by: dict[str, list[Played]] = {}
    for one in rounds:
        by.setdefault(one.fault, []).append(one)
    measured: dict[str, Any] = {
        **_counted(rounds),
        "faults": {
            fault: {**_counted(some), "seconds": round(median(one.seconds for one in some), 1)}
            for fault, some in sorted(by.items())
        },
    }
    if any(one.wrong for one in rounds):
        measured["found"] = {
            f"round {one.number}": {"fault": one.fault, "run": one.beginning, "what": one.verdict}
            for one in rounds
            if one.wrong
        }
    return measured


def _counted(rounds: Sequence[Played]) -> dict[str, int]:
    return {
        "rounds": len(rounds),
        "struck_at_work": sum(one.struck for one in rounds),
        "right": sum(one.verdict == RIGHT for one in rounds),
        "wrong": sum(bool(one.wrong) for one in rounds),
        "not_possible_here": sum(not one.possible for one in rounds),
    }


if __name__ == "__main__":
    main()

"""A reader and a contributor at work beside what is measured, each in a process of its own."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final

from api.settings import Settings
from api.wiring import Workplace, workplace
from bench.importing import DESK, signals_of
from bench.report import milliseconds
from register.access import Actor, Reason, Role
from register.errors import NotFound, Unavailable
from register.grading import HandlingCode
from register.ids import SubjectId
from register.subjects import IdentifierKind

REASON: Final = Reason(purpose="theme-insight", case="BENCH-2026/2")
THINKING: Final = 0.02
"""Seconds between two questions of the reader, and between two signals of the contributor."""
BEFORE: Final = 5.0
"""Seconds for which both are at work alone, before what is measured begins."""

Done = tuple[float, float]
"""When something began, on the clock of `time.perf_counter`, and how many seconds it took."""


@dataclass(slots=True)
class Beside:
    """What was done beside."""

    reads: Sequence[Done] = ()
    intakes: Sequence[Done] = ()

    def told(self, began: float, ended: float) -> dict[str, dict[str, float]]:
        """Return how long both took before, and between, these moments."""
        told = {}
        for name, done in (("reader", self.reads), ("contributor", self.intakes)):
            before = [seconds for at, seconds in done if at < began]
            during = [seconds for at, seconds in done if began <= at < ended]
            alone, with_it = milliseconds(before), milliseconds(during)
            told[name] = {
                "alone": len(before),
                "beside": len(during),
                **{f"alone_{what}": value for what, value in alone.items()},
                **{f"beside_{what}": value for what, value in with_it.items()},
                "ratio_p95": round(with_it["p95_ms"] / alone["p95_ms"], 2),
            }
        return told


@contextmanager
def beside(settings: Settings, passports: Sequence[str], path: Path) -> Iterator[Beside]:
    """Have networks asked for and signals handed in for the length of the block, and for a while before it.

    Args:
        settings: of the register.
        passports: numbers of people who stay, whose networks are asked for.
        path: NDJSON, the signals to hand in.
    """
    found, context = Beside(), get_context("forkserver")
    stop = context.Event()
    pipes = [context.Pipe(duplex=False) for _ in range(2)]
    works: list[Any] = [
        context.Process(target=_reader, args=(settings, tuple(passports), stop, pipes[0][1])),
        context.Process(target=_contributor, args=(settings, path, stop, pipes[1][1])),
    ]
    for work in works:
        work.start()
    try:
        for ours, _ in pipes:
            ours.recv()  # both have begun
        time.sleep(BEFORE)
        yield found
    finally:
        stop.set()
        (found.reads, found.intakes) = (ours.recv() for ours, _ in pipes)
        for work in works:
            work.join()


def _reader(settings: Settings, passports: Sequence[str], stop: Event, told: Connection) -> None:
    actor = Actor(code="reader", role=Role.ANALYST, handling=frozenset(HandlingCode))

    def starts(opened: Workplace) -> list[SubjectId]:
        hits = (opened.enquiry.find_by_identifier(actor, REASON, IdentifierKind.PASSPORT, one) for one in passports)
        return [some[0].subject for some in hits if some]

    def ask(opened: Workplace, start: SubjectId) -> None:
        with suppress(NotFound):  # removed meanwhile
            opened.enquiry.network(actor, REASON, start, depth=1)

    with workplace(settings, "bench") as opened:
        asked = cycle(starts(opened))
    _work(settings, lambda opened: ask(opened, next(asked)), stop, told)


def _contributor(settings: Settings, path: Path, stop: Event, told: Connection) -> None:
    signals = iter(signals_of(path))
    _work(settings, lambda opened: opened.intake.record(DESK, next(signals)), stop, told)


def _work(settings: Settings, act: Callable[[Workplace], object], stop: Event, told: Connection) -> None:
    """Act again and again, as a worker of the register does: one that serves an old generation is replaced."""
    done: list[Done] = []
    begun = False
    while not stop.is_set():
        with suppress(Unavailable), workplace(settings, "bench") as opened:
            act(opened)
            if not begun:
                told.send("begun")
                begun = True
            while not stop.is_set():
                began = time.perf_counter()
                act(opened)
                opened.sealer.assert_current()
                done.append((began, time.perf_counter() - began))
                time.sleep(THINKING)
    told.send(done)

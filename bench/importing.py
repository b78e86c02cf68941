"""Both sides of the bulk intake, each in a fresh process of its own that reads the same file."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, TypeVar

import neo4j

from api.children import run_in_bulk
from api.exchange.ndjson import Rejects, Tally, take_in
from api.exchange.signal_v1 import read
from api.settings import Settings
from api.wiring import Workplace, workplace
from bench import plain
from bench.stopwatch import Stopwatch
from graph.endpoint import Endpoint
from graph.signals import Signals
from register.access import Actor, Role
from register.clock import SystemClock
from register.handed import Answer
from register.intake import Intake
from register.signals import NewSignal
from tests.vault.test_null_cipher import NullCipher
from vault.formats import AESGCM
from vault.lookup import Lookup
from vault.sealing import Sealer

T = TypeVar("T")

DESK: Final = Actor(code="desk", role=Role.CONTRIBUTOR)
PHASES: Final = ("parse", "check", "compose", "lookup", "seal", "key store", "graph")
KEY_STORE_VERBS: Final = ("value_keys", "newest", "add", "settle", "identifiers", "deliveries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What one importing process measured.

    Attributes:
        seconds: from the first byte read (the register) or the first row sent (the peer) to the last commit.
        processor_seconds: of these, the time this process was at work; the server's is not in it.
        peak_mib: the most memory the process had at any moment.
        phases: wall and processor seconds by phase, where they were asked for.
    """

    signals: int
    seconds: float
    processor_seconds: float
    peak_mib: float
    phases: dict[str, dict[str, float]]


def fresh(work: Callable[..., T], *arguments: Any) -> T:
    """Do `work` in a process that has done nothing else, and return its result."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["bench.importing"])
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *arguments).result()


def signals_of(path: Path) -> tuple[NewSignal, ...]:
    """Return the signals of an NDJSON file."""
    return tuple(map(read, path.read_bytes().splitlines()))


def bare(endpoint: Endpoint, path: Path) -> Imported:
    """Write the plain graph of `path` by the bare driver; its rows are made ready before the clock starts."""
    signals = signals_of(path)
    graph = plain.plain(signals, SystemClock().now())
    with neo4j.GraphDatabase.driver(endpoint.uri, auth=(endpoint.user, endpoint.password)) as driver:
        driver.verify_connectivity()
        began = _clocks()
        plain.write(driver, graph.chunks)
        seconds, processor = _since(began)
    return Imported(signals=len(signals), seconds=seconds, processor_seconds=processor, peak_mib=_peak_mib(), phases={})


def ours(settings: Settings, path: Path, null_cipher: bool, profiled: bool) -> Imported:
    """Take `path` in as the importing child of `theme-register import` does."""
    with ExitStack() as opened:
        cipher = NullCipher if null_cipher else AESGCM
        place = opened.enter_context(workplace(settings, "import", cipher=cipher))
        rejects = opened.enter_context(Rejects(path.with_name("rejects.ndjson")))
        file = opened.enter_context(path.open("rb"))
        intake: Any = place.intake
        watch = Stopwatch()
        if profiled:
            intake = _timed(place, watch)
        run_in_bulk()
        began = _clocks()
        tally: Tally = watch.time("parse", take_in, file, intake, DESK, rejects, dry_run=False, progress=lambda _: None)
        seconds, processor = _since(began)
        phases = _phases(watch, _check(place.intake, path)) if profiled else {}
    if tally.rejected:
        raise SystemExit(f"{tally.rejected} of the signals break a rule (harbours? see --ports): nothing is measured")
    return Imported(
        signals=tally.accepted + tally.already,
        seconds=seconds,
        processor_seconds=processor,
        peak_mib=_peak_mib(),
        phases=phases,
    )


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> tuple[float, float]:
    return time.perf_counter() - began[0], time.process_time() - began[1]


@dataclass(frozen=True, slots=True)
class OneByOne:
    """An intake that begins a batch when the one before is there, so that every stage can be timed."""

    intake: Intake

    def record_each(self, actor: Actor, batches: Iterable[Sequence[NewSignal]]) -> Iterator[tuple[Answer, ...]]:
        """Yield what comes of each batch."""
        return (self.intake.record_all(actor, batch) for batch in batches)


def _timed(place: Workplace, watch: Stopwatch) -> Any:
    store = watch.over("key store", place.store, KEY_STORE_VERBS)
    intake = replace(
        place.intake,
        lookup=watch.over("lookup", Lookup(store), ("deliveries", "identifiers")),
        sealing=watch.over("seal", Sealer(store), ("seal", "settle", "settled", "verifies")),
        store=watch.over("graph", Signals(place.graph), ("seen", "record")),
    )
    timed = watch.over("compose", intake, ("record_all",))
    return OneByOne(timed)


def _check(intake: Intake, path: Path) -> Stopwatch:
    """Time the rules alone: a dry run stores nothing and looks nothing up."""
    watch = Stopwatch()
    watch.time("check", intake.fault, signals_of(path))
    return watch


def _phases(watch: Stopwatch, checking: Stopwatch) -> dict[str, dict[str, float]]:
    for total, rules in ((watch.wall, checking.wall), (watch.processor, checking.processor)):
        total["check"] = rules["check"]
        total["compose"] -= rules["check"]
    whole = sum(watch.wall.values())
    return {
        name: {
            "seconds": round(watch.wall[name], 3),
            "processor_seconds": round(watch.processor[name], 3),
            "share": round(watch.wall[name] / whole, 3),
        }
        for name in PHASES
    }


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text("ascii", "replace")
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return round(int(kib) / 1024, 1)

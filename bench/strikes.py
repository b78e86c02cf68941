"""What befalls a register in a round: each a fault that real processes, files and clocks can have."""

import errno
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from api.ticks import Ticks, tick
from graph.embedded.layout import Layout
from graph.embedded.server import stopped
from register.clock import SystemClock
from retention.clockguard import Tick

if TYPE_CHECKING:
    from bench.round import Round

JUMP: Final = timedelta(days=40)


def kill_child(around: "Round") -> bool:
    """The keeper's child at work is killed."""
    return _kill(around.child_pid())


def kill_importer(around: "Round") -> bool:
    """The process that takes signals in is killed."""
    return _kill(around.importer_pid())


def kill_api(around: "Round") -> bool:
    """The process that serves is killed while signals are posted to it."""
    return _kill(around.api_pid())


def kill_graph(around: "Round") -> bool:
    """Neo4j itself is killed."""
    return _kill(Layout(around.graph_home).read_state().get("java", 0))


def kill_supervisor(around: "Round") -> bool:
    """The process that owns Neo4j is killed, and Neo4j ends by itself for the want of it."""
    state = Layout(around.graph_home).read_state()
    hit = _kill(state.get("supervisor", 0))
    if hit:
        around.until(lambda: not _lives(state.get("java", 0)))
    return hit


def stop_graph(around: "Round") -> bool:
    """Neo4j is stopped in mid batch, in good order, and stays away for a while."""
    at_work = bool(around.child_pid())
    with stopped(around.graph_home):
        time.sleep(around.random.uniform(0.2, 2.0))
    return at_work


def cut(around: "Round") -> bool:
    """The network to Neo4j breaks in mid batch, and nobody gets through for a while."""
    at_work, relay = bool(around.child_pid()), around.relay_in_use
    broken = relay.cut()
    time.sleep(around.random.uniform(0.2, 2.0))
    relay.mend()
    return at_work and broken > 0


def lose_answers(around: "Round") -> bool:
    """What Neo4j answers is lost, the word that a transaction was committed too; then the network breaks."""
    at_work, relay = bool(around.child_pid()), around.relay_in_use
    relay.deafen()
    time.sleep(around.random.uniform(0.2, 1.0))
    relay.cut()
    time.sleep(around.random.uniform(0.0, 0.5))
    relay.mend()
    return at_work and relay.swallowed > 0


def asleep(around: "Round") -> bool:
    """The keeper's child is stopped, another keeper goes on once its lease has run out, and the first one wakes up."""
    pid = around.child_pid()
    if not pid:
        return False
    around.another_keeper()
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        around.leave_child()
        time.sleep(around.random.uniform(0.5, 4.0))
        os.kill(pid, signal.SIGCONT)
        return True
    return False


def two_keepers(around: "Round") -> bool:
    """A second keeper starts beside the first one, and both go on."""
    at_work = bool(around.child_pid())
    around.beside_keeper()
    return at_work


def graph_disk_full(around: "Round") -> bool:
    """The file system of graph, log and archive is full for a while; who runs it starts Neo4j again where it broke."""
    hit = _full(around, around.folder)
    around.revive()
    return hit


def keys_disk_full(around: "Round") -> bool:
    """The file system of the key store is full for a while."""
    return _full(around, around.keys_folder)


def kill_keeper(around: "Round") -> bool:
    """The keeper itself is killed, whatever its children do then; another one goes on."""
    hit = _kill(around.keeper_pid())
    around.another_keeper()
    return hit


def clock_back(around: "Round") -> bool:
    """The machine's clock was set back: as if the last tick believed were of weeks to come."""
    return _jumped(around, JUMP)


def clock_forward(around: "Round") -> bool:
    """The machine's clock was set forward: as if the last tick believed, of this same start, were weeks ago."""
    return _jumped(around, -JUMP)


def _jumped(around: "Round", by: timedelta) -> bool:
    """Let a keeper look at a clock that jumped, make sure that it begins nothing, and confirm the time."""
    ticks, now = Ticks(folder=around.keys_folder), tick(SystemClock())
    ticks.believe(Tick(at=now.at + by, boot=now.boot, uptime=now.uptime))
    around.keep()
    around.until(lambda: any(code in around.incidents() for code in ("clock.back", "clock.ahead")))
    doubted = around.state() == "ordered"
    if not doubted:
        around.notes.append("a run began although the clock had jumped")
        around.broken.append("clock-not-doubted")
    ticks.believe(tick(SystemClock()))
    around.until(around.certified)
    return doubted


STRIKES: Final[Mapping[str, Callable[["Round"], bool]]] = {
    "kill-child": kill_child,
    "kill-keeper": kill_keeper,
    "kill-importer": kill_importer,
    "kill-api": kill_api,
    "kill-neo4j": kill_graph,
    "kill-supervisor": kill_supervisor,
    "stop-neo4j": stop_graph,
    "cut": cut,
    "lose-answers": lose_answers,
    "two-keepers": two_keepers,
    "asleep": asleep,
    "disk-full": graph_disk_full,
    "disk-of-keys-full": keys_disk_full,
    "clock-back": clock_back,
    "clock-forward": clock_forward,
}
"""What can befall a register, by name."""

WHOLE_KEEPER: Final = frozenset({"kill-keeper", "clock-back", "clock-forward"})
"""Strikes at a keeper with all its clockwork, instead of at its children alone."""

RELAYED: Final = frozenset({"cut", "lose-answers"})
"""Strikes at the network: all processes of the round reach Neo4j through a relay."""

POSTED: Final = frozenset({"kill-api", "disk-full", "disk-of-keys-full"})
"""Strikes beside which signals are posted to an API, instead of imported."""

ON_A_DISK: Final = frozenset({"disk-full", "disk-of-keys-full"})
"""Strikes at file systems of their own, small enough to be filled: it takes root to mount them."""


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return pid > 0


def _kill(pid: int) -> bool:
    if not pid:
        return False
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _full(around: "Round", folder: Path) -> bool:
    at_work = bool(around.child_pid())
    ballast = folder / "ballast"
    try:
        _fill(ballast)
        time.sleep(around.random.uniform(0.5, 3.0))
    finally:
        ballast.unlink(missing_ok=True)
    return at_work


def _fill(path: Path) -> None:
    """Write until nothing more goes in."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for size in (1 << 24, 1 << 16, 1 << 12):
            block = bytes(size)
            try:
                while True:
                    os.write(file, block)
            except OSError as full:
                if full.errno != errno.ENOSPC:
                    raise
    finally:
        os.close(file)

"""One round of faults: the keeper that carries a run on, and the intake beside it."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import httpx
import neo4j

from api.exchange.signal_v1 import to_json
from api.wiring import workplace
from bench.field import OFFICERS, Beginning, Field
from bench.handed import deliver, to_hand_in
from bench.relay import Relay
from graph.embedded.layout import Layout
from register.errors import RegisterError
from register.ids import mint
from register.signals import NewSignal
from tests.journeys import killed
from tests.journeys.installation import PURPOSE
from tests.journeys.killed import Child, Kept, Place, Work

VERBS: Final = ("until_forgotten", "finish")
LEASE: Final = timedelta(seconds=61)
"""A keeper's lease has run out after this."""

ENDED: Final = frozenset({"certified", "nothing-due", "waiting", "superseded", "refused", "failed"})
REFUSALS: Final = frozenset({503, 507})
"""What an API may answer that cannot store anything now; whoever hands in tries again."""
PATIENCE: Final = 180.0
STRANGE: Final = 40.0
"""Neo4j starts within this; one that still does not answer then has to be started again."""
PAUSE: Final = 0.05


@dataclass(kw_only=True)
class Round:
    """One round: the keeper that carries the run on, the intake beside, and what a fault may lay hands on.

    Attributes:
        relay: what all processes of the round reach Neo4j through; None: they do without.
        notes: what is worth telling; broken: what is wrong, whatever the register looks like in the end.
        receipts: every receipt that was given, by the reference of what was handed in.
    """

    ground: Field
    beginning: Beginning
    name: str
    random: Random
    relay: Relay | None = None
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    receipts: dict[str, set[str]] = field(default_factory=dict)
    _child: Child | None = None
    _left: list[Child] = field(default_factory=list)
    _keeper: Child | None = None
    _holder: str = field(default_factory=mint)
    _later: timedelta = timedelta()
    _importer: Child | None = None
    _api: Kept | None = None
    _beside: list[threading.Thread] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def place(self) -> Place:
        """Where the children of this round work."""
        return self.ground.place if self.relay is None else self.ground.through(self.relay.port)

    @property
    def relay_in_use(self) -> Relay:
        """The relay. Raises ValueError: the round has none."""
        if self.relay is None:
            raise ValueError("no relay in this round")
        return self.relay

    @property
    def folder(self) -> Path:
        """The register's folders lie in it, on one file system."""
        return self.ground.installation.folder

    @property
    def graph_home(self) -> Path:
        return self.ground.installation.home / "graph"

    @property
    def keys_folder(self) -> Path:
        return self.ground.installation.settings.keys_folder

    def child_pid(self) -> int:
        return _pid(self._child)

    def keeper_pid(self) -> int:
        return _pid(self._keeper)

    def importer_pid(self) -> int:
        return _pid(self._importer)

    def api_pid(self) -> int:
        return _pid(self._api.child) if self._api is not None else 0

    def another_keeper(self) -> None:
        """From now on another keeper carries on, once the lease of the one before has run out."""
        self._holder, self._later = mint(), self._later + LEASE

    def leave_child(self) -> None:
        """Go on without waiting for the child at work; it is waited for at the end."""
        if self._child is not None:
            self._left.append(self._child)

    def beside_keeper(self) -> None:
        """Let a keeper of its own carry on beside, in a thread."""
        self.beside(partial(self._carry, mint(), None))

    def beside(self, work: Callable[[], object]) -> threading.Thread:
        """Do `work` in a thread of its own; what it fails with breaks the round."""

        def told() -> None:
            try:
                work()
            except Exception as error:  # whatever it is, the round has to tell of it
                self.broken.append(f"a thread failed: {type(error).__name__}: {error}")

        thread = threading.Thread(target=told)
        self._beside.append(thread)
        thread.start()
        return thread

    def keep(self) -> None:
        """Start a keeper with all its clockwork."""
        self._keeper = killed.start(killed.command, self.place, "keep")

    def state(self) -> str:
        """State of the run that the round is about; `ordered` before it begins, `away` where the graph does not answer.

        Another one, that a keeper ordered by itself, comes to its end first.
        """
        known = [run["id"] for run in self.beginning.state.others.get("Run", ())]
        ((ours,),) = ([order["id"]] for order in self.beginning.state.others["Order"])
        query = (
            "MATCH (o:Order) RETURN o.id AS id, 'ordered' AS state"
            " UNION MATCH (r:Run) WHERE NOT r.id IN $known RETURN r.id AS id, r.state AS state"
        )
        try:
            with self.ground.driver.session() as session:
                found = {row["id"]: str(row["state"]) for row in session.run(query, known=known)}
        except (neo4j.exceptions.DriverError, neo4j.exceptions.Neo4jError):
            return "away"
        return next((state for state in found.values() if state not in ENDED), found[ours])

    def graph_answers(self) -> bool:
        """Say whether the graph takes a write now."""
        try:
            with self.ground.driver.session() as session:
                session.run("CREATE (n:Probe) DELETE n").consume()
        except (neo4j.exceptions.DriverError, neo4j.exceptions.Neo4jError):
            return False
        return True

    def revive(self) -> None:
        """Wait until the graph answers. One that runs and does not is killed, as who runs it would: it starts anew."""
        end = time.monotonic() + PATIENCE
        strange = time.monotonic() + STRANGE
        while not self.graph_answers():
            if time.monotonic() > end:
                self.broken.append("the graph does not answer")
                return
            if time.monotonic() > strange and (java := Layout(self.graph_home).read_state().get("java", 0)):
                self.notes.append("neo4j had to be started again")
                with suppress(ProcessLookupError):
                    os.kill(java, signal.SIGKILL)
                strange = end
            time.sleep(PAUSE)

    def incidents(self) -> set[str]:
        """Codes of incidents told since the round began, those that are sealed already too."""
        found = set()
        query = "MATCH (n:Entry) WHERE n.body CONTAINS 'integrity.incident' RETURN n.body AS body"
        with self.ground.driver.session() as session:
            bodies = [row["body"] for row in session.run(query)]
        for path in (self.ground.installation.home / "log" / "bodies").rglob("*"):
            with suppress(OSError, UnicodeDecodeError):
                bodies.append(path.read_text("utf-8"))
        for code in ("clock.back", "clock.ahead"):
            if any(code in body for body in bodies):
                found.add(code)
        return found

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait until it has happened; whoever waits too long is broken."""
        end = time.monotonic() + PATIENCE
        while not happened():
            if time.monotonic() > end:
                self.broken.append("waited-too-long")
                return
            time.sleep(PAUSE)

    def certified(self) -> bool:
        """Say whether the run is certified; a plan that waits for a second person is approved."""
        state = self.state()
        if state == "planned":
            self._approve()
        return state == "certified"

    def carry_on(self) -> None:
        """Start children, one after the other, until the run is certified."""
        self._carry(None, self)

    def _carry(self, holder: str | None, shown: "Round | None") -> None:
        end = time.monotonic() + PATIENCE
        while (state := self.state()) != "certified":
            if time.monotonic() > end or state in ENDED:
                if shown is not None:
                    self.broken.append(f"run-{state}")
                return
            if state == "planned":
                self._approve()
            for verb in VERBS:
                told_to = self.ground.aside / f"told-{mint()}"
                work = Work(verb=verb, holder=holder or self._holder, told=told_to, later=self._later, batch=7)
                child = killed.start(killed.carry, self.place, work)
                if shown is not None:
                    self._child = child
                while child.status is None and child not in self._left and time.monotonic() < end:
                    time.sleep(PAUSE / 5)
                if child.status:
                    time.sleep(PAUSE)
                    break

    def _approve(self) -> None:
        with self.ground.driver.session() as session:
            rows = session.run("MATCH (r:Run {state: 'planned'}) RETURN r.id AS id, r.digest AS digest").values()
        with suppress(RegisterError), workplace(self.ground.installation.settings, "bench") as opened:
            for run, digest in rows:
                opened.custody.approve(OFFICERS[1], run, digest)

    def hand_in(self, *, posted: bool) -> None:
        """Let signals come in beside: by an import, or `posted` to an API."""
        signals = list(to_hand_in(self.name, self.random))
        self.receipts = {one.reference: set() for one in signals}
        work = partial(self._post, signals) if posted else partial(self._import, signals)
        if posted:
            listening = killed.listening()
            self.ground.installation.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            self._api = Kept(killed.serve, self.place, listening)
        self.beside(work)

    def _planned(self) -> None:
        """Where everybody is due, whoever comes in before the plan would be due with them."""
        if self.beginning.name == "destruction":
            while self.state() in ("ordered", "away") and not self._over.is_set():
                time.sleep(PAUSE)

    def _import(self, signals: Sequence[NewSignal]) -> None:
        self._planned()
        path = self.ground.aside / f"{self.name}.ndjson"
        path.write_bytes(b"".join(to_json(one) + b"\n" for one in signals))
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self._importer = killed.start(deliver, self.place, path)
            if self._importer.wait() == 0:
                break
            time.sleep(PAUSE)
        for line in path.with_suffix(".receipts").read_text("ascii").splitlines():
            reference, receipt = line.split()
            self.receipts[reference].add(receipt)

    def _post(self, signals: Sequence[NewSignal]) -> None:
        self._planned()
        key = self.ground.installation.keys["douane"]
        headers = {"Authorization": f"Bearer {key}", **PURPOSE}
        end = time.monotonic() + PATIENCE
        for one in signals:
            while time.monotonic() < end:
                try:
                    url = f"{self.ground.installation.url}/v1/signals"
                    answer = httpx.post(url, json=json.loads(to_json(one)), headers=headers, timeout=30)
                except httpx.TransportError:
                    time.sleep(PAUSE)
                    continue
                if answer.is_success:
                    self.receipts[one.reference].add(answer.json()["receipt"])
                    break
                if answer.status_code not in REFUSALS:
                    self.broken.append(f"the API answered {answer.status_code}")
                time.sleep(PAUSE)

    def settle(self) -> None:
        """Let everything beside come to its end, and nobody have the register open."""
        self._over.set()
        for thread in self._beside:
            thread.join(PATIENCE + 30)
            if thread.is_alive():
                self.broken.append("a thread does not end")
        for child in (*self._left, self._child, self._keeper, self._importer):
            if child is not None:
                if child is self._keeper:
                    child.kill()
                elif child.wait(30) is None:
                    self.broken.append("a child does not end")
                    child.kill()
        if self._api is not None:
            self._api.stop()
        self.revive()


def _pid(child: Child | None) -> int:
    return child.pid if child is not None and child.status is None else 0

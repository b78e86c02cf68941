"""One nightly run as the keeper carries it out, and how long each of its steps took."""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from api.children import run_in_bulk
from api.settings import Settings
from api.wiring import workplace
from register.access import Actor, Role
from register.ids import mint
from register.runs import Run, RunState
from retention.detail import Detail
from retention.steps import Point, Step

OFFICERS: Final = tuple(Actor(code=code, role=Role.COMPLIANCE_OFFICER) for code in ("chris", "drew"))
PAUSE: Final = 0.05

STEPS: Final = {
    Point.BEGUN: "plan",
    Point.ARCHIVED: "archive and erase",
    Point.BATCH: "archive and erase",
    Point.DESTROYED: "destroy files",
    Point.ERASED: "archive and erase",
    Point.ANCHOR: "anchor",
    Point.KEYS: "replace keys",
    Point.OLD_KEYS: "destroy old keys",
    Point.FORGOTTEN: "destroy old keys",
    Point.WORKERS: "open anew",
    Point.READ_BACK: "read back",
    Point.CERTIFIED: "certify",
    Point.CLOSED: "close",
}
"""The step that each point ends, in the words of the report; one batch is archived while another is erased."""


@dataclass(slots=True)
class Steps:
    """How long each step of a run took, in seconds, from what the run tells; the wait for an approval is left out."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _since: float = 0.0

    def begin(self) -> None:
        """Start the clock of the next step."""
        self._since = time.perf_counter()

    def __call__(self, step: Step) -> None:
        """Note the time since the step before."""
        self.end(STEPS[step.point])

    def end(self, name: str) -> None:
        """Note the time since the step before under `name`."""
        now = time.perf_counter()
        self.seconds[name] += now - self._since
        self._since = now


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """A run that ended certified.

    Attributes:
        began, ended: on the clock of `time.perf_counter`.
        seconds: from the order to the certificate; the wait for the officers is left out.
        steps: of these, by step.
        outcome: how many of each kind went.
    """

    began: float
    ended: float
    seconds: float
    steps: Mapping[str, float]
    outcome: Mapping[str, str | int]


def carried_out(settings: Settings, on: date) -> Night:
    """Order a run for civil date `on`, have it approved where it has to be, and carry it out to its certificate."""
    steps, keeper = Steps(), mint()
    run_in_bulk()  # as the keeper's own children do
    began = time.perf_counter()
    waited = _forgotten(settings, keeper, on, steps)
    run = _finished(settings, keeper, steps)
    ended = time.perf_counter()
    if run.state is not RunState.CERTIFIED:
        raise SystemExit(f"the run ended as {run.state}")
    return Night(
        began=began,
        ended=ended,
        seconds=ended - began - waited,
        steps=dict(steps.seconds),
        outcome=Detail.read(run.detail).outcome,
    )


def _forgotten(settings: Settings, keeper: str, on: date, steps: Steps) -> float:
    """Order, plan, have approved, erase and forget; return the seconds that officers took."""
    with workplace(settings, "run") as opened:
        began = time.perf_counter()
        opened.custody.order(OFFICERS[0], on)
        waited = time.perf_counter() - began
        carrier = opened.run(keeper, steps, lambda: time.sleep(PAUSE))
        steps.begin()
        run = carrier.until_forgotten()
        if run is not None and run.state is RunState.PLANNED:
            began = time.perf_counter()
            opened.custody.approve(OFFICERS[1], run.id, run.digest)
            waited += time.perf_counter() - began
            steps.begin()
            run = carrier.until_forgotten()
        if run is None or run.state is not RunState.FORGOTTEN:
            raise SystemExit(f"the run did not forget: {run and run.state}")
    return waited


def _finished(settings: Settings, keeper: str, steps: Steps) -> Run:
    with workplace(settings, "run") as opened:
        run = opened.run(keeper, steps, lambda: time.sleep(PAUSE)).finish()
    if run is None:
        raise SystemExit("there was nothing to finish")
    return run

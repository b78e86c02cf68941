"""A retention run is killed, anywhere, beside an import and a reader, and ends as the run that was not killed."""

import signal
import time
from collections.abc import Iterator
from random import Random

import pytest

from graph.endpoint import Endpoint
from register.ids import mint
from retention.steps import Point
from tests.journeys.rounds import VERBS, Scene, made
from tests.journeys.rounds_beside import LEASE, beside, killed_after, resumed

POINTS = tuple(point for point in Point if point is not Point.DESTROYED)
HALF = POINTS.index(Point.WORKERS)
BATCH = 7
"""Items of a batch, where one of several is to be killed: thirteen subjects are due."""

TIMES = 20
DRAWS = 8


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, neo4j_endpoint: Endpoint) -> Iterator[Scene]:
    with made(tmp_path_factory.mktemp("register"), neo4j_endpoint) as scene:
        yield scene


@pytest.fixture(scope="module")
def lasting(scene: Scene) -> list[float]:
    """Seconds that runs beside an import and a reader took to which nothing happened; their ends are checked too."""
    with beside(scene, "whole", _random("whole")) as around:
        began = time.monotonic()
        resumed(scene, around, mint())
        took = time.monotonic() - began
        around.settle()
        end = scene.end(around.handed_in)
    scene.same_as_reference(end, around.handed_in)
    return [took]


def test_a_run_takes_what_its_dates_say_and_nothing_else(scene):
    """`Scene.end` compares what is left with a model of its own, reckoned from the dates before."""
    assert scene.reference.stated["scope"]["ids"]["count"] == len(scene.purged.ids)


@pytest.mark.parametrize("point", POINTS)
def test_killed_right_after_a_step(scene, point):
    """Once each, right after the step is durable; the same keeper goes on.

    R22, C19, C25: whatever was half done, the next keeper ends it.
    """
    place, holder = POINTS.index(point), mint()
    verb, at = (VERBS[0], place + 1) if place < HALF else (VERBS[1], place + 1 - HALF)
    with beside(scene, f"after-{point}", _random(point)) as around:
        if verb == VERBS[1]:
            first, _ = scene.start(VERBS[0], holder)
            assert around.until(first) == 0, scene.log
        child, work = scene.start(verb, holder, at=at, batch=BATCH if point is Point.BATCH else 0)
        assert around.until(child) == -signal.SIGKILL, scene.log
        assert tuple(work.told.read_text().split()) == POINTS[place + 1 - at : place + 1]
        resumed(scene, around, holder)
        around.settle()
        end = scene.end(around.handed_in)
    scene.same_as_reference(end, around.handed_in)


@pytest.mark.parametrize("number", range(TIMES))
def test_killed_at_any_time(scene, lasting, number):
    """From outside, whichever child is at work; the same keeper goes on, or another one once the lease has run out.

    R22, C19.
    """
    random = _random(f"at any time {number}")
    for draw in range(DRAWS):
        holder, seconds = mint(), random.uniform(0, min(lasting))
        with beside(scene, f"time-{number}-{draw}", random) as around:
            began = time.monotonic()
            hit = killed_after(scene, around, holder, seconds)
            if not hit and scene.state() == "certified":
                lasting.append(time.monotonic() - began)  # machines have faster and slower hours
            if number % 2:
                resumed(scene, around, holder, later=LEASE)
            else:
                resumed(scene, around, holder)
            around.settle()
            end = scene.end(around.handed_in)
        scene.same_as_reference(end, around.handed_in)
        if hit:
            return
    raise AssertionError("every run had ended before its time came")


def _random(name: str) -> Random:
    return Random(name)  # noqa: S311 - which signals and when is no secret

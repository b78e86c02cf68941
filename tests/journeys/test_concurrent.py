"""Two keepers, a keeper that was asleep, an API of the old generation: one works, and nobody does what is not his."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from api.wiring import workplace
from graph.endpoint import Endpoint
from register.access import Reason
from register.ids import mint
from retention.steps import Point
from tests.journeys.installation import PURPOSE
from tests.journeys.rounds import VERBS, Scene, made
from tests.journeys.rounds_beside import LEASE
from tests.journeys.rounds_state import certificates, held, keys

POINTS = tuple(point for point in Point if point is not Point.DESTROYED)
HALF = POINTS.index(Point.WORKERS)
OVERTAKEN = {"lease.lost", "fence.passed", "generation.moved"}
FOUND_DONE = {Point.ANCHOR: [Point.KEYS], Point.WORKERS: [Point.READ_BACK]}
"""What it may tell before it learns that it was overtaken: another one did the former, the latter only reads."""

REASON = Reason(purpose=PURPOSE["Purpose"], case=PURPOSE["Case"])
PATIENCE = 60.0


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, neo4j_endpoint: Endpoint) -> Iterator[Scene]:
    with made(tmp_path_factory.mktemp("register"), neo4j_endpoint) as scene:
        yield scene


@pytest.fixture
def fresh(scene: Scene) -> Scene:
    """The register as at the beginning, with nobody at work."""
    assert scene.reference
    scene.restore()
    return scene


def test_of_two_keepers_at_once_one_works_and_one_leaves(fresh):
    holders = [mint(), mint()]
    for verb, points in zip(VERBS, (POINTS[:HALF], POINTS[HALF:]), strict=True):
        both = [fresh.start(verb, holder) for holder in holders]
        ends = sorted((child.wait(), _told(work)) for child, work in both)
        # Whoever was opened before the other replaced the keys, and comes after, ends as one that `keep` starts anew.
        late = [(0, list(points)), (1, ["! generation.moved"])]
        assert ends in ([(0, []), (0, list(points))], late), fresh.log
    fresh.same_as_reference(fresh.end({}), {})


def test_a_keeper_leaves_while_the_other_one_is_in_the_middle(fresh):
    holder = mint()
    first, work = fresh.start(VERBS[0], holder, at=3, by=signal.SIGSTOP)
    _wait_stopped(first.pid)
    second, nothing = fresh.start(VERBS[0], mint())
    assert (second.wait(), _told(nothing)) == (0, [])
    os.kill(first.pid, signal.SIGCONT)
    assert (first.wait(), _told(work)) == (0, list(POINTS[:HALF]))
    _finished(fresh, holder)


@pytest.mark.parametrize("point", POINTS)
def test_a_keeper_that_slept_past_its_lease_writes_nothing(fresh, point):
    place, sleeper, other = POINTS.index(point), mint(), mint()
    early = place < HALF
    if not early:
        _carried(fresh, VERBS[0], sleeper)
    at = place + 1 if early else place + 1 - HALF
    child, work = fresh.start(VERBS[not early], sleeper, at=at, by=signal.SIGSTOP)
    _wait_stopped(child.pid)
    before = _told(work)
    _carried(fresh, VERBS[0], other, later=LEASE)
    if early:
        # Asleep or not, it holds the old root key.
        waiting, told = fresh.start(VERBS[1], other, later=LEASE, pause=0)
        assert (waiting.wait(), _told(told)) == (1, ["! workers.stale"])
        assert certificates(fresh.installation.home) == {}
    else:
        _carried(fresh, VERBS[1], other, later=LEASE)
    then = _state(fresh)
    os.kill(child.pid, signal.SIGCONT)
    status = child.wait()
    assert _state(fresh) == then
    after = _told(work)[len(before) :]
    if point in (Point.FORGOTTEN, Point.CLOSED):  # there its work was done
        assert (status, after) == (0, [])
    else:
        *steps, last = after
        assert (status, last[2:] in OVERTAKEN) == (1, True), last
        assert steps in ([], FOUND_DONE.get(point))
    _finished(fresh, other)


def test_a_keeper_that_slept_while_it_signed_leaves_the_certificate_as_it_is(fresh):
    sleeper, other = mint(), mint()
    _carried(fresh, VERBS[0], sleeper)
    child, work = fresh.start(VERBS[1], sleeper, signing=True, by=signal.SIGSTOP)
    _wait_stopped(child.pid)
    for verb in VERBS:
        _carried(fresh, verb, other, later=LEASE)
    then = _state(fresh)
    os.kill(child.pid, signal.SIGCONT)
    assert (child.wait(), _told(work)[-1]) == (1, "! lease.lost")
    assert _state(fresh) == then
    _finished(fresh, other)


def test_a_signal_that_is_redacted_while_somebody_opens_it_is_shown_as_it_is_now(fresh):
    """Read before, checked after: what does not verify then is read once more before it counts as tampered with."""
    installation = fresh.installation
    holder, redacted = mint(), min(fresh.purged.redacted)

    def redact():
        child, _ = fresh.start(VERBS[0], holder, at=POINTS.index(Point.ERASED) + 1)
        assert child.wait() == -signal.SIGKILL

    with workplace(installation.settings, "api") as opened:
        actor = opened.actor_of(installation.keys["ana"])
        store = Meanwhile(opened.enquiry.signals, [redact])
        page = replace(opened.enquiry, signals=store).open_signal(actor, REASON, redacted)
    assert not store.happens
    assert page.facts.revision == fresh.before.nodes["Signal", redacted]["revision"] + 1
    assert page.statements
    assert not {one.subject for one in page.statements} & fresh.purged.subjects
    _finished(fresh, holder)


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """A store of signals after whose reading something happens, once."""

    store: Any
    happens: list[Callable[[], None]]

    def open(self, *arguments):
        found = self.store.open(*arguments)
        if self.happens:
            self.happens.pop()()
        return found


def test_an_api_of_the_old_generation_sends_nothing_more_and_holds_up_the_certificate(fresh):
    """Stopped with questions before it, it is still there when the keys are replaced; woken up, it answers none."""
    holder = mint()
    installation = fresh.installation
    with installation.serving(keeper=False):
        old = _api(fresh)
        carriers = fresh.opened.carriers(fresh.before.mentions)
        gone = carriers[fresh.marks.gone.kind, fresh.marks.gone.value]
        headers = {"Authorization": f"Bearer {installation.keys['ana']}", **PURPOSE}
        with httpx.Client(base_url=installation.url, headers=headers, timeout=PATIENCE) as client:
            assert gone in client.get(f"/v1/subjects/{gone}").text
            os.kill(old, signal.SIGSTOP)
            _wait_stopped(old)
            answers: list[int | str] = []
            asking = [Thread(target=_ask, args=(installation.url, headers, gone, answers)) for _ in range(4)]
            for one in asking:
                one.start()
            _carried(fresh, VERBS[0], holder)
            child, told = fresh.start(VERBS[1], holder, pause=0)
            assert (child.wait(), _told(told)) == (1, ["! workers.stale"])
            assert certificates(installation.home) == {}
            os.kill(old, signal.SIGCONT)
            _carried(fresh, VERBS[1], holder)
            assert not Path(f"/proc/{old}").exists(), "the certificate was issued before the old process had ended"
            for one in asking:
                one.join()
            assert set(answers) <= {404, 503, "broken"}
            installation.wait_until_ready()
            assert _api(fresh) != old
            assert client.get(f"/v1/subjects/{gone}").status_code == 404
    fresh.same_as_reference(fresh.end({}), {})


def _ask(url, headers, subject, answers):
    try:
        answers.append(httpx.get(f"{url}/v1/subjects/{subject}", headers=headers, timeout=PATIENCE).status_code)
    except httpx.TransportError:
        answers.append("broken")


def _api(scene):
    """Number of the one process that serves."""
    store = scene.installation.settings.keys_folder / "store" / "keys.sqlite"
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        found = [pid for (pid,) in database.execute("SELECT pid FROM leases WHERE worker LIKE 'api-%'")]
    (alive,) = [pid for pid in found if Path(f"/proc/{pid}").exists()]
    return alive


def _carried(scene, verb, holder, **more):
    """Let a keeper's child do its work."""
    child, _ = scene.start(verb, holder, **more)
    assert child.wait() == 0, scene.log


def _finished(scene, holder):
    """Let a keeper carry the run to its end, if it has not come there, and check that end."""
    for verb in VERBS:
        _carried(scene, verb, holder, later=LEASE)
    scene.same_as_reference(scene.end({}), {})


def _told(work):
    return work.told.read_text().splitlines() if work.told.exists() else []


def _state(scene):
    """All that is durable, but for leases: of graph, key store and certificates."""
    found, stored = held(scene.graph), keys(scene.installation.settings)
    folder = scene.installation.home / "certificates"
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return found.nodes, found.ties, found.runs, found.paper, replace(stored, leases=frozenset()), files


def _wait_stopped(pid):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T":
            return
        time.sleep(0.01)
    raise AssertionError("the process did not stop")

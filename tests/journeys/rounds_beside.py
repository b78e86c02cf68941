"""What goes on beside a run, and how a run is carried on through it: reader, imports, an API, keepers' children."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx

from api.exchange.signal_v1 import to_json
from register.clock import SystemClock, civil_date
from register.grading import Category, SubjectKind
from register.ids import mint
from register.subjects import IdentifierKind, NewIdentifier, NewSubject
from tests.builders import a_signal
from tests.journeys import killed
from tests.journeys.installation import PURPOSE
from tests.journeys.killed import Child, Place
from tests.journeys.rounds import VERBS, Handed, Scene, serving
from tests.journeys.rounds_state import ID

LEASE = timedelta(seconds=61)
"""A keeper's lease has run out after this."""

COMMANDS = ("run", "finish")
"""What the two children of a keeper are called."""

DONE = ("erased", "forgotten", "certified")
_PATIENCE = 120.0
_POLL = 0.04
_KINDS = {"passport": SubjectKind.PERSON, "kvk": SubjectKind.ORGANISATION}


def to_hand_in(scene: Scene, name: str, random: Random) -> tuple[dict[str, Handed], dict[str, Handed]]:
    """Two dozen signals about who stays and who is new, and a dozen about who is purged, to be handed in after that."""
    carriers = {one: who for one, who in scene.opened.carriers(scene.before.mentions).items() if one[0] in _KINDS}
    stay = sorted(one for one, who in carriers.items() if who not in scene.purged.subjects)
    gone = sorted(one for one, who in carriers.items() if who in scene.purged.subjects)
    known = [(one, carriers[one]) for one in random.sample(stay, 12)]
    fresh = [(("passport", f"X{random.randrange(10**8):08}"), None) for _ in range(6)]
    back = [(one, None) for one in random.sample(gone, min(6, len(gone)))]
    early = [_handed(f"{name}-{number}", *one) for number, one in enumerate(random.sample(known + fresh + fresh, 24))]
    late = [_handed(f"{name}-back-{number}", *one) for number, one in enumerate(back + back)]
    return {one.signal.reference: one for one in early}, {one.signal.reference: one for one in late}


def _handed(reference: str, identifier: tuple[str, str], subject: str | None) -> Handed:
    kind, value = identifier
    stated = NewSubject(
        ref="s1",
        kind=_KINDS[kind],
        category=Category.INVOLVED,
        names=(f"Named anew {kind} {value[-3:]}",),
        identifiers=(NewIdentifier(kind=IdentifierKind(kind), value=value),),
    )
    signal = a_signal(
        reference=reference,
        received_on=civil_date(SystemClock().now()) - timedelta(days=1),
        subjects=(stated,),
        ports=(),
        links=(),
        narrative=f"Told beside the run: {reference}.",
    )
    return Handed(signal=signal, identifier=identifier, subject=subject)


class Reader(threading.Thread):
    """Asks again and again, and writes down what it was answered.

    Attributes:
        gone_since: monotonic time since which nothing purged may be shown.
        answers: (asked at, status, ids shown), status 0 where the connection broke.
        wrong: what was asked and answered, where nobody may be answered so.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        marks = scene.marks
        carriers = scene.opened.carriers(scene.before.mentions)
        gone, stays = (carriers[one.kind, one.value] for one in (marks.gone, marks.stays))
        redacted = min(scene.purged.redacted)
        identifier = {"identifier": {"kind": marks.gone.kind, "value": marks.gone.value}}
        self.questions: list[tuple[str, str, Any]] = [
            ("POST", "/v1/subjects/search", identifier),
            ("GET", f"/v1/subjects/{gone}", None),
            ("POST", "/v1/network", {"start": stays, "depth": 2}),
            ("POST", "/v1/subjects/search", {"name": marks.stays.name}),
            ("GET", f"/v1/signals/{redacted}", None),
            ("POST", "/v1/network", {"start": gone}),
        ]
        self.gone_since = float("inf")
        self.answers: list[tuple[float, int, frozenset[str]]] = []
        self.wrong: list[tuple[str, str]] = []
        self._url = scene.installation.url
        self._headers = {"Authorization": f"Bearer {scene.installation.keys['ana']}", **PURPOSE}
        self._over = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=self._url, headers=self._headers, timeout=60) as client:
            while not self._over.is_set():
                for question in self.questions:
                    self.ask(client, *question)
                    self._over.wait(_POLL)

    def ask(self, client: httpx.Client, method: str, path: str, body: Any) -> None:
        began = time.monotonic()
        try:
            answer = client.request(method, path, json=body)
        except httpx.TransportError:
            self.answers.append((began, 0, frozenset()))
            return
        self.answers.append((began, answer.status_code, frozenset(ID.findall(answer.text))))
        if answer.status_code not in (200, 404, 503):
            self.wrong.append((path, answer.text))

    def stop(self) -> None:
        self._over.set()
        self.join()

    def judge(self, purged: frozenset[str]) -> None:
        """Check that every answer was one that may be given."""
        assert self.wrong == []
        shown = [shown & purged for began, _, shown in self.answers if began > self.gone_since]
        assert not any(shown), "a reader saw what is purged"
        assert any(status == 200 and shown & purged for began, status, shown in self.answers if began < self.gone_since)
        assert any(status == 200 for began, status, _ in self.answers if began > self.gone_since)
        assert any(status == 404 for began, status, _ in self.answers if began > self.gone_since)


class Beside:
    """What goes on beside a run: an API, a reader, and imports, each in processes and threads of its own."""

    def __init__(self, scene: Scene, name: str, random: Random, stack: ExitStack) -> None:
        self._scene = scene
        self._early, self._late = to_hand_in(scene, name, random)
        self._stack = stack
        self.api = stack.enter_context(serving(scene.installation))
        self.reader = Reader(scene)
        stack.callback(self.reader.stop)
        self.reader.start()
        self._imports = [self._import("early", self._early)]
        self._seen_before = threading.Event()
        end = time.monotonic() + _PATIENCE
        while len(self.reader.answers) < len(self.reader.questions) and time.monotonic() < end:
            time.sleep(_POLL)

    @property
    def handed_in(self) -> dict[str, Handed]:
        return self._early | self._late

    def watch(self) -> None:
        """Once all is erased, nothing purged may be shown, and signals about those purged come in."""
        if len(self._imports) == 1 and self._scene.state() in DONE:
            self.reader.gone_since = time.monotonic()
            self._imports.append(self._import("late", self._late))

    def until(self, child: Child, seconds: float = _PATIENCE) -> int | None:
        """Wait for a child's end, or so long, watching; return its status, None where it still lives."""
        end = time.monotonic() + seconds
        while (status := child.status) is None and (left := end - time.monotonic()) > 0:
            child.wait(min(_POLL, left))
            self.watch()
        return status

    def settle(self) -> None:
        """Let imports and API come to their ends: everything handed in, a fresh API answering, the reader done."""
        self.watch()
        end = time.monotonic() + _PATIENCE
        for one in self._imports:
            while not one.statuses and time.monotonic() < end:
                time.sleep(_POLL)
            assert one.statuses == [0], (one.statuses, self._scene.log)
        self._scene.installation.wait_until_ready()
        answered = len(self.reader.answers) + len(self.reader.questions) + 1
        while len(self.reader.answers) < answered and time.monotonic() < end:
            time.sleep(_POLL)
        self.reader.stop()
        self.reader.judge(self._scene.purged.ids)
        assert set(self.api.statuses) == {killed.REPLACED}

    def _import(self, name: str, handed: dict[str, Handed]) -> "Importing":
        path = self._scene.installation.folder / f"{name}.ndjson"
        path.write_bytes(b"".join(to_json(one.signal) + b"\n" for one in handed.values()))
        importing = Importing(self._scene.place, path)
        self._stack.callback(importing.join)
        importing.start()
        return importing


class Importing(threading.Thread):
    """An import: a child that is followed by a fresh one, over the file again, while it ends to be replaced."""

    def __init__(self, place: Place, path: Path) -> None:
        super().__init__()
        self.statuses: list[int | None] = []
        self._place, self._path = place, path

    def run(self) -> None:
        while True:
            status = killed.start(killed.hand_in, self._place, self._path).wait()
            if status != killed.REPLACED:
                self.statuses.append(status)
                return


@contextmanager
def beside(scene: Scene, name: str, random: Random) -> Iterator[Beside]:
    """A round's surroundings, from the beginning that all rounds have."""
    scene.restore()
    with ExitStack() as stack:
        yield Beside(scene, name, random, stack)


def resumed(scene: Scene, around: Beside, holder: str, *, later: timedelta = timedelta()) -> None:
    """Go on as a keeper does, with ordinary children (or, `later`, with another keeper's) until the run has ended."""
    another = mint()
    for _ in range(20):
        for command, verb in zip(COMMANDS, VERBS, strict=True):
            if later:
                child, _work = scene.start(verb, another, later=later)
            else:
                child = killed.start(killed.command, scene.place, "worker", command, "--holder", holder)
            status = around.until(child)
            assert status is not None
            if status:
                break
        if scene.state() == "certified":
            return
    raise AssertionError(f"the run did not end: {scene.state()}\n{scene.log}")


def killed_after(scene: Scene, around: Beside, holder: str, seconds: float) -> bool:
    """Carry the run on with ordinary children and kill the one at work after so long; say whether there was one."""
    end = time.monotonic() + seconds
    for command in COMMANDS:
        child = killed.start(killed.command, scene.place, "worker", command, "--holder", holder)
        around.until(child, max(end - time.monotonic(), 0.0))
        if status := child.kill():
            return status == -signal.SIGKILL
    return False

"""Where the time of a call goes: timers around the interfaces, put there from outside."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection
from functools import partial
from typing import Any


class Stopwatch:
    """Times calls to the objects it is laid over; every second counts once, for the innermost call under way.

    Attributes:
        wall: seconds by name; processor: of these, seconds in which this process was at work.
    """

    def __init__(self) -> None:
        self.wall: dict[str, float] = defaultdict(float)
        self.processor: dict[str, float] = defaultdict(float)
        self._under_way: list[str] = []
        self._since = (0.0, 0.0)

    def over(self, name: str, thing: object, verbs: Collection[str]) -> Any:
        """Return what behaves as `thing`, the time of whose `verbs` is noted under `name`."""
        return _Timed(self, name, thing, frozenset(verbs))

    def time(self, name: str, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Do `work` and note its time under `name`."""
        self._note()
        self._under_way.append(name)
        try:
            return work(*arguments, **named)
        finally:
            self._note()
            self._under_way.pop()

    def _note(self) -> None:
        now = time.perf_counter(), time.process_time()
        if self._under_way:
            self.wall[self._under_way[-1]] += now[0] - self._since[0]
            self.processor[self._under_way[-1]] += now[1] - self._since[1]
        self._since = now


class _Timed:
    def __init__(self, watch: Stopwatch, name: str, thing: object, verbs: frozenset[str]) -> None:
        self._watch, self._name, self._thing, self._verbs = watch, name, thing, verbs

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._thing, attribute)
        return partial(self._watch.time, self._name, found) if attribute in self._verbs else found

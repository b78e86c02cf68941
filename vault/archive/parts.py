"""What is gathered about each item of a batch while its signals stream by, cut where it becomes much."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

LARGEST: Final = 8 << 20
"""Bytes of signals in one record, before it is closed."""
AT_ONCE: Final = 64 << 20
"""Bytes of signals that are gathered at a time, of all items together."""


@dataclass(slots=True)
class Part:
    """The signals of one record, each as bytes.

    Attributes:
        number: which of the records about `item` it is, from 1; last: whether it is the last of them.
    """

    item: str
    number: int
    signals: list[bytes] = field(default_factory=list)
    size: int = 0
    last: bool = False

    @property
    def told(self) -> Mapping[str, Any]:
        """What a record says of this: nothing where it is the only one."""
        return {} if (self.number, self.last) == (1, True) else {"part": self.number, "last": self.last}


class Gathering:
    """Keeps what is gathered, and gives it back in parts."""

    def __init__(self) -> None:
        self._open: dict[str, Part] = {}
        self._size = 0

    def add(self, item: str, signal: bytes) -> Iterator[Part]:
        """Add a signal to what is known of `item`; yield a part that has become large enough."""
        part = self._of(item)
        part.signals.append(signal)
        part.size += len(signal)
        self._size += len(signal)
        if part.size > LARGEST:
            yield self._closed(part)
        elif self._size > AT_ONCE:
            yield self._closed(max(self._open.values(), key=lambda one: one.size))

    def last(self, item: str) -> Part:
        """Return the last part about `item`, which may hold nothing."""
        part = self._of(item)
        part.last = True
        return part

    def _of(self, item: str) -> Part:
        return self._open.setdefault(item, Part(item, 1))

    def _closed(self, part: Part) -> Part:
        self._size -= part.size
        self._open[part.item] = Part(part.item, part.number + 1)
        return part

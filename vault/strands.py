"""Strands of audit entries: what makes an entry of the trail genuine, and a missing one noticed, before it is logged.

Each process that writes entries has a strand of its own: a random name and a running number, its *turns*. An entry
bears its stamp (`<strand>:<turn>`) and a MAC over stamp, salt and body, under a key beside the log keys, which nobody
who only reaches the database has. Once its transaction is durable, and before anything is released, the turn is
pledged: one byte in the strand's file in KEYS. The keeper looks for every turn pledged, so nobody takes an entry away
unnoticed, not even in the second before it is logged. A turn whose transaction failed is not pledged, and not missed.

Pledges are written, not synced: they outlive a killed process, not a power cut in that second.
"""

import errno
import fcntl
import hashlib
import hmac
import os
import secrets
import stat
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from typing import Final, Self

from register.errors import Conflict, Tampered, Unavailable

KEY: Final = "trail-key"
STRANDS: Final = "strands"
_SIZE: Final = 32
_PLEDGED: Final = b"\x01"
_SETTLED: Final = b"\x02"


class TrailKey:
    """The key of the entries' MACs. Shows nothing of itself."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod=hashlib.sha256)

    @classmethod
    def create(cls, folder: Path) -> "TrailKey":
        """Draw the key and keep it in `folder` (0600), durably.

        Raises:
            Conflict: there is one already (`trail-key.exists`).
        """
        key = secrets.token_bytes(_SIZE)
        try:
            with open(folder / KEY, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            raise Conflict("trail-key.exists", "there is a key of the audit trail already") from None
        return cls(key)

    @classmethod
    def load(cls, folder: Path) -> "TrailKey":
        """Read the key.

        Raises:
            Unavailable: there is none (`trail-key.absent`).
            Tampered: it has another length, or others than its owner may read it (`trail-key.damaged`).
        """
        try:
            handle = os.open(folder / KEY, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise Unavailable("trail-key.absent", "there is no key of the audit trail in that folder") from None
        with open(handle, "rb") as file:
            key = file.read(_SIZE + 1)
            if len(key) != _SIZE or stat.S_IMODE(os.fstat(handle).st_mode) & 0o077:
                raise Tampered("trail-key.damaged", "the key of the audit trail is damaged, or open to others")
        return cls(key)

    def mac(self, stamp: str, content: bytes) -> str:
        """Return the MAC of an entry's stamp and content (salt and body), in hexadecimal."""
        keyed = self._keyed.copy()
        keyed.update(b"%d %b " % (len(stamp), stamp.encode("utf-8")) + content)
        return keyed.hexdigest()

    def holds(self, stamp: str, mac: str, content: bytes) -> bool:
        """Say whether this is the MAC of that entry."""
        return hmac.compare_digest(self.mac(stamp, content).encode(), mac.encode("utf-8", "replace"))

    def __repr__(self) -> str:
        return "<TrailKey>"


class Strand:
    """The strand of this process. Safe to share between threads; given up when the process ends."""

    def __init__(self, folder: Path, key: TrailKey) -> None:
        self._key = key
        self._lock = threading.Lock()
        self._turn = 0
        self._held = ExitStack()
        (folder / STRANDS).mkdir(mode=0o700, exist_ok=True)
        self.name: Final = secrets.token_hex(16)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        self._file = os.open(folder / STRANDS / self.name, flags, 0o600)
        self._held.callback(os.close, self._file)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def stamp(self, contents: Sequence[bytes]) -> tuple[tuple[str, str], ...]:
        """Take a turn for each of these entries (salt and body); return stamps and MACs."""
        with self._lock:
            first = self._turn
            self._turn += len(contents)
        stamps = [f"{self.name}:{turn}" for turn in range(first, first + len(contents))]
        return tuple((stamp, self._key.mac(stamp, content)) for stamp, content in zip(stamps, contents, strict=True))

    def pledge(self, stamps: Iterable[str]) -> None:
        """Put down that the entries with these stamps are durable.

        Raises:
            Unavailable: it cannot be written: nothing may be released (`trail.pledge`).
        """
        try:
            for first, count in _runs(sorted({int(stamp.partition(":")[2]) for stamp in stamps})):
                if os.pwrite(self._file, _PLEDGED * count, first) != count:
                    raise OSError(errno.ENOSPC, "written in part")
        except OSError as error:
            raise Unavailable("trail.pledge", f"the trail's pledge failed ({type(error).__name__})") from error

    def close(self) -> None:
        """Give the strand up."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _runs(turns: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the ascending `turns` as runs without a gap, (first, how many): each is one write to the file."""
    for _, run in groupby(enumerate(turns), key=lambda one: one[1] - one[0]):
        found = [turn for _, turn in run]
        yield found[0], len(found)


class Strands:
    """All strands, as the keeper sees them: which pledged turns it still has to find.

    Args:
        folder: that of the log keys.
        key: of the MACs.
    """

    def __init__(self, folder: Path, key: TrailKey) -> None:
        self._folder = folder / STRANDS
        self.key: Final = key

    def pledged(self) -> Mapping[str, tuple[int, ...]]:
        """Return the pledged turns of each strand that were not settled yet; the files of ended, settled ones go."""
        found: dict[str, tuple[int, ...]] = {}
        for path in sorted(self._folder.glob("*")):
            ended = _ended(path)
            turns = tuple(turn for turn, state in enumerate(path.read_bytes()) if state == _PLEDGED[0])
            if turns:
                found[path.name] = turns
            elif ended:
                path.unlink(missing_ok=True)
        return found

    def settle(self, stamps: Iterable[str]) -> None:
        """Note that the entries with these stamps have been seen in the log."""
        by_strand: dict[str, list[int]] = {}
        for stamp in stamps:
            name, _, turn = stamp.partition(":")
            by_strand.setdefault(name, []).append(int(turn))
        for name, turns in by_strand.items():
            try:
                file = os.open(self._folder / name, os.O_WRONLY)
            except FileNotFoundError:
                continue
            try:
                for place in turns:
                    os.pwrite(file, _SETTLED, place)
            finally:
                os.close(file)


def _ended(path: Path) -> bool:
    """Whether the process of a strand is gone."""
    file = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True

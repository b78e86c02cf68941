"""The archive's folder: one opaque file a record, `MONTH/ID`, written once, durable before anything relies on it.

A run writes into a folder of its own first, `pending/RUN/…`, with a list of what is in it, and then moves the files
to their months. Whatever of them has no stub in the end is deleted, and nothing else ever is for the want of a stub. So
a graph that was put back from an older copy, and knows fewer stubs, costs no archived record. A process that slept
while another one settled its run finds its folder gone and moves nothing any more.
"""

import hashlib
import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from register.ids import ArchiveId, RunId, is_id, mint
from vault.archive.record import MONTH_PATTERN
from vault.folders import private, sync

PENDING: Final = "pending"
LIST: Final = "list"
SETTLED: Final = "settled-"
_WRITERS: Final = 16
"""Files are synced side by side, and while the next are sealed: the disk joins what it would wait for each time."""

_AT_ONCE: Final = 16 << 20
"""Bytes of files that are in memory at a time; one file may be larger."""

Place = tuple[str, ArchiveId]
"""Month and id of a file."""


class Laying(NamedTuple):
    """A file to be written, and the id of what it is about.

    Only the SHA-256 of that id is kept, and no longer than until the run is settled for the last time.
    """

    place: Place
    content: bytes
    about: str = ""


class ArchiveFiles:
    """The files below one folder, made with mode 0700 at the first writing. Verbs raise OSError: the disk failed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def lay_down(self, run: RunId, files: Iterable[Laying]) -> None:
        """Write new files, which are durable on return, and which `settle` of this run will judge.

        Args:
            run: on whose behalf.
            files: consumed once; only a few of them are in memory at a time.

        Raises:
            FileExistsError: one is there already; a file is never written twice.
            FileNotFoundError: another process has settled this run meanwhile.
        """
        staging = self._pending(run) / mint()
        laid: list[Place] = []
        lines: list[str] = []
        writing: deque[tuple[Future[None], int]] = deque()
        size = 0
        with ThreadPoolExecutor(_WRITERS) as writers:
            for one in files:
                if not laid:
                    self._make(staging)
                writing.append((writers.submit(_write, staging / one.place[1], one.content), len(one.content)))
                size += len(one.content)
                while size > _AT_ONCE:
                    written, gone = writing.popleft()
                    written.result()
                    size -= gone
                laid.append(one.place)
                lines.append(f"{'/'.join(one.place)}/{one.about and _named(one.about)}\n")
            for written, _ in writing:
                written.result()
        if not laid:
            return
        _write(staging / LIST, "".join(lines).encode("ascii"))
        sync(staging)
        months = sorted({month for month, _ in laid})
        for month in months:
            self._make(self._folder / month)
        for place in laid:
            # A link, unlike a rename, never takes the place of a file that is there.
            os.link(staging / place[1], self._path(*place))
        for month in months:
            sync(self._folder / month)

    def settle(self, run: RunId, stubs: Collection[str], *, last: bool = True) -> int:
        """Delete what was laid down for this run and has no stub among `stubs`; return how many files that were.

        Unless it is the `last` time, the lists stay, and `laid` reads them.
        """
        pending = self._pending(run)
        if not pending.exists():
            return 0
        gone = 0
        for staging in sorted(pending.iterdir()):
            # From here on nobody can move a file out of it.
            settled = (
                staging if staging.name.startswith(SETTLED) else staging.rename(pending / (SETTLED + staging.name))
            )
            gone += self.destroy(place for place, _ in _listed(settled) if place[1] not in stubs)
            for one in (path for path in settled.iterdir() if path.name != LIST):
                one.unlink(missing_ok=True)
            if last:
                (settled / LIST).unlink(missing_ok=True)
                settled.rmdir()
        if last:
            pending.rmdir()
        sync(pending.parent)
        return gone

    def laid(self, run: RunId, items: Iterable[str]) -> Mapping[str, ArchiveId]:
        """Return about which of `items` a file of this run was left when it was settled, each with the file's id."""
        listed = (one for staging in self._pending(run).glob(f"{SETTLED}*") for one in _listed(staging))
        found = {about: place[1] for place, about in listed if self._path(*place).exists()}
        return {item: found[named] for item in items if (named := _named(item)) in found} if found else {}

    def destroy(self, places: Iterable[Place]) -> int:
        """Delete files, durably gone on return; one that is absent is no fault. Return how many were there."""
        gone, touched = 0, set()
        for month, archive in places:
            path = self._path(month, archive)
            if path.exists():
                path.unlink()
                gone += 1
            if path.parent.exists():
                touched.add(path.parent)
        for folder in sorted(touched):
            sync(folder)
        return gone

    def present(self) -> Iterator[Place]:
        """Yield every file of every month, in order."""
        if not self._folder.exists():
            return
        for month in sorted(one for one in self._folder.iterdir() if MONTH_PATTERN.fullmatch(one.name)):
            yield from ((month.name, ArchiveId(one.name)) for one in sorted(month.iterdir()) if is_id(one.name))

    def read(self, place: Place) -> bytes:
        """Return the content of a file. Raises FileNotFoundError."""
        return self._path(*place).read_bytes()

    def digest(self, place: Place) -> str | None:
        """Return the SHA-256 of a file, hexadecimal, or None where there is none."""
        try:
            return hashlib.sha256(self.read(place)).hexdigest()
        except FileNotFoundError:
            return None

    def _pending(self, run: RunId) -> Path:
        return self._folder / PENDING / run

    def _make(self, folder: Path) -> None:
        """Make a folder, durably, with those above it."""
        if not folder.exists():
            if folder != self._folder:
                self._make(folder.parent)
            folder.mkdir(mode=0o700, parents=folder == self._folder, exist_ok=True)
            sync(folder.parent)

    def _path(self, month: str, archive: ArchiveId) -> Path:
        if not MONTH_PATTERN.fullmatch(month) or not is_id(archive):
            raise ValueError("no place in the archive")
        return self._folder / month / archive


def _write(path: Path, content: bytes) -> None:
    with open(path, "xb", opener=private) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _listed(staging: Path) -> tuple[tuple[Place, str], ...]:
    """Return what is in a staging folder, or was to be, and about what; nothing was moved before the list was whole."""
    try:
        lines = (staging / LIST).read_text("ascii").splitlines()
    except FileNotFoundError:
        return ()
    places = (line.split("/") for line in lines)
    return tuple(((parts[0], ArchiveId(parts[1])), parts[2]) for parts in places if len(parts) == 3 and is_id(parts[1]))


def _named(item: str) -> str:
    return hashlib.sha256(item.encode()).hexdigest()

"""The archive's folder: one opaque file a record, `MONTH/ID`, written once, durable before anything relies on it.

A run first writes down, durably, which files it is about to write (`pending/RUN`): whatever of them has no stub in the
end is deleted, and nothing else ever is for the want of a stub. So a graph that was put back from an older copy, and
knows fewer stubs, costs no archived record.
"""

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from register.ids import ArchiveId, RunId, is_id
from vault.archive.record import MONTH_PATTERN
from vault.folders import private, sync

PENDING: Final = "pending"
_WRITERS: Final = 16
"""Files are synced side by side: the disk then joins what one sync after the other would wait for each time."""

Place = tuple[str, ArchiveId]
"""Month and id of a file."""


class ArchiveFiles:
    """The files below one folder, made with mode 0700 at the first writing. Verbs raise OSError: the disk failed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def lay_down(self, run: RunId, files: Sequence[tuple[Place, bytes]]) -> None:
        """Write new files, which are durable on return, and which `settle` of this run will judge.

        Raises:
            FileExistsError: one is there already; a file is never written twice.
        """
        if not files:
            return
        self._note(run, [place for place, _ in files])
        for month in sorted({month for (month, _), _ in files}):
            self._make(self._folder / month)
        with ThreadPoolExecutor(_WRITERS) as writers:
            for _ in writers.map(self._write, files):
                continue
        for month in sorted({month for (month, _), _ in files}):
            sync(self._folder / month)

    def pending(self, run: RunId) -> tuple[Place, ...]:
        """Return what `lay_down` wrote for this run, or was about to write, since it was last settled."""
        try:
            lines = (self._folder / PENDING / run).read_text("ascii").splitlines()
        except FileNotFoundError:
            return ()
        places = (line.split("/") for line in lines)
        # the last line may have been cut off when a process died: its file was not begun
        return tuple((parts[0], ArchiveId(parts[1])) for parts in places if len(parts) == 2 and is_id(parts[1]))

    def settle(self, run: RunId, stubs: Collection[str]) -> int:
        """Delete what is pending of this run and has no stub among `stubs`; return how many files that were."""
        left = [place for place in self.pending(run) if place[1] not in stubs]
        gone = self.destroy(left)
        note = self._folder / PENDING / run
        if note.exists():
            note.unlink()
            sync(note.parent)
        return gone

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

    def _note(self, run: RunId, places: Iterable[Place]) -> None:
        self._make(self._folder)
        self._make(self._folder / PENDING)
        with open(self._folder / PENDING / run, "ab", opener=private) as file:
            # begins with a line feed: whatever an interrupted writing left before it is a line of its own
            file.write(b"".join(f"\n{month}/{archive}".encode("ascii") for month, archive in places))
            file.flush()
            os.fsync(file.fileno())
        sync(self._folder / PENDING)

    def _write(self, file: tuple[Place, bytes]) -> None:
        place, content = file
        with open(self._path(*place), "xb", opener=private) as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())

    def _make(self, folder: Path) -> None:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync(folder.parent)

    def _path(self, month: str, archive: ArchiveId) -> Path:
        if not MONTH_PATTERN.fullmatch(month) or not is_id(archive):
            raise ValueError("no place in the archive")
        return self._folder / month / archive

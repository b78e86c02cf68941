"""A copy of the log in another place, brought up to date file by file: what is there already is not read again."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from evidence.durable import sync_folders, write_durably
from evidence.log import Log

_INDEX: Final = "index.sqlite"
_LAST: Final = (_INDEX, "vkey", "checkpoint")
"""In this order, after all else: what the index does not count yet is cut off when the copy is opened as a log."""

_OWN: Final = ("lock", f"{_INDEX}-journal")


def mirror(log: Log, source: Path, target: Path) -> int:
    """Bring `target` to the state of the log in `source`; return the size it has now.

    Killed anywhere, the copy opens as a log, at the size before or at the new one. Files that are gone from the log
    (bodies whose term is over) go from the copy too.

    Args:
        log: that log, held open for writing, so that nobody else writes meanwhile.
        source: its folder.
        target: the copy's.

    Raises:
        OSError: the place is full or gone.
    """
    target.mkdir(mode=0o700, exist_ok=True)
    names = [*sorted(_names(source) - set(_LAST)), *(name for name in _LAST if (source / name).exists())]
    for name in names:
        _bring(source, target, name)
    gone = _names(target) - set(names)
    for name in gone:
        (target / name).unlink()
    sync_folders(target, gone)
    return log.size


def _names(folder: Path) -> set[str]:
    return set(_files(folder, folder))


def _files(folder: Path, below: Path) -> Iterator[str]:
    for path in below.iterdir():
        if path.is_dir():
            yield from _files(folder, path)
        elif not path.name.startswith(".") and path.name not in _OWN:
            yield str(path.relative_to(folder))


def _bring(source: Path, target: Path, name: str) -> None:
    state = (source / name).stat()
    there = target / name
    if there.exists() and (there.stat().st_size, there.stat().st_mtime_ns) == (state.st_size, state.st_mtime_ns):
        return
    write_durably(target, [(name, (source / name).read_bytes())], mode=0o600)
    os.utime(there, ns=(state.st_mtime_ns, state.st_mtime_ns))

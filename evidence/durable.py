"""Writing files so that each is there whole or not at all, and still there after a power cut."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path


def write_durably(folder: Path, files: Sequence[tuple[str, bytes]], *, mode: int = 0o640) -> None:
    """Write files (path below `folder`, content), each through a new file that is synced and then renamed.

    Raises:
        OSError: the disk is full or failed. After a failed sync nothing is known about what is on the disk.
    """
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(_new(path), "wb", opener=lambda place, flags: os.open(place, flags, mode)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    for name, _ in files:
        _new(folder / name).replace(folder / name)
    sync_folders(folder, (name for name, _ in files))


def overwrite_tail(folder: Path, name: str, start: int, content: bytes) -> None:
    """Put `content` at byte `start` of a file, in place of all that follows, and sync it.

    Raises:
        OSError: the disk is full or failed.
    """
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "r+b" if path.exists() else "w+b") as file:
        file.truncate(start)
        file.seek(start)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_folders(folder, [name])


def sync_folders(folder: Path, names: Iterable[str]) -> None:
    """Make the names of these files durable, in every folder from theirs up to `folder`."""
    changed = {folder}
    for name in names:
        changed.update(folder / parent for parent in Path(name).parents)
    for each in sorted(changed, reverse=True):
        handle = os.open(each, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _new(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")

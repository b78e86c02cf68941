"""Advisory file locks, which the kernel releases when a process ends, however it ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from register.errors import Unavailable

_POLL: Final = 0.05


def take(path: Path, *, shared: bool = False, patience: float = 0.0) -> int | None:
    """Take the lock of `path`, making the file (mode 0600) where it is absent.

    Args:
        path: the lock file; its folder exists.
        shared: whether others may hold it too, if they share as well.
        patience: seconds to keep trying while somebody else holds it.

    Returns:
        A file descriptor that holds the lock until it is closed, or None if the lock could not be had in time.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(descriptor)
                return None
            time.sleep(_POLL)
        else:
            return descriptor


@contextmanager
def held(path: Path, *, shared: bool = False, patience: float = 0.0) -> Iterator[int]:
    """Hold the lock of `path` for the length of the block; the value is its file descriptor.

    Raises:
        Unavailable: somebody else held it all the time (`graph.locked`).
    """
    descriptor = take(path, shared=shared, patience=patience)
    if descriptor is None:
        raise Unavailable("graph.locked", f"another process holds {path.name}")
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Say whether some process holds the lock of `path` exclusively at this moment."""
    if not path.exists():
        return False
    descriptor = take(path, shared=True)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False

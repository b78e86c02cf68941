"""Versions of an anchor as files: one file per version in `KEYS/anchor/`, readable by its owner only.

Why no number is ever used twice: `add` takes the number above all files there are, and the highest file is never
destroyed, because `destroy_below` keeps the version it is given, which is there. A crash between `add` and the key
store's transaction leaves a higher file that wraps nothing; a crash inside `add` leaves no file, or one whose number
nobody was told. Either way the next purge takes a higher one.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from register.errors import Tampered, Unavailable
from vault.folders import private, sync

_NAME: Final = re.compile(r"([0-9]{10})\.key")
_CHECK_BYTES: Final = 32


class VersionFiles:
    """A folder of versions, made with mode 0700 at the first `add`.

    A file holds the provider's magic line, the version (u32), a body of a fixed length and the SHA-256 of all of these.
    One that does not check is `Tampered` and never replaced: it may be the only key to the register.
    """

    def __init__(self, folder: Path, magic: bytes, size: int) -> None:
        self._folder = folder
        self._magic = magic
        self._size = size

    def add(self, make: Callable[[int], bytes], above: int = 0) -> int:
        """Write a version above every one there is, durable on return, and return its number.

        Args:
            make: returns the body of the version with this number.
            above: the number is higher than this one, too.

        Raises:
            Unavailable: another process added one at the same time. Tampered: the highest version is damaged.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        sync(self._folder.parent)
        version = max(self.highest() or 0, above) + 1
        fresh = self._folder / f".{version:010}.new"
        fresh.unlink(missing_ok=True)
        with open(fresh, "xb", opener=private) as file:
            file.write(self._content(version, make(version)))
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link, unlike a rename, never takes the place of a version that is there.
            os.link(fresh, self._path(version))
        except FileExistsError:
            raise Unavailable("anchor.raced", "another process advanced the anchor at the same time") from None
        finally:
            fresh.unlink()
        sync(self._folder)
        return version

    def highest(self) -> int | None:
        """Return the highest version, None: there is none. Raises Tampered: it is damaged."""
        versions = self._versions() if self._folder.exists() else []
        if not versions:
            return None
        version = max(versions)
        if self.read(version) is None:
            raise Unavailable("anchor.absent", "the anchor changed while it was advanced")
        return version

    def read(self, version: int) -> bytes | None:
        """Return a version's body, None: it is not there.

        Raises:
            Unavailable: it cannot be read. Tampered: it is damaged, or others may read it.
        """
        try:
            handle = os.open(self._path(version), os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError:
            raise Unavailable("anchor.unreadable", f"anchor version {version} cannot be read") from None
        with open(handle, "rb") as file:
            state = os.fstat(handle)
            if stat.S_IMODE(state.st_mode) & 0o077 or state.st_uid != os.geteuid():
                raise Tampered("anchor.exposed", f"others than its owner may read anchor version {version}")
            content = file.read()
        body = content[-self._size - _CHECK_BYTES : -_CHECK_BYTES]
        if len(body) != self._size or content != self._content(version, body):
            raise Tampered("anchor.damaged", f"anchor version {version} is damaged")
        return body

    def destroy_below(self, version: int) -> None:
        """Overwrite, sync and unlink every lower version, damaged ones too; then sync the folder.

        Raises:
            Unavailable: `version` itself is not there; nothing was destroyed. Tampered: a destroyed one is back.
        """
        if self.read(version) is None:
            raise Unavailable("anchor.absent", "the version to keep is not there; nothing was destroyed")
        for each in self._versions():
            if each < version:
                path = self._path(each)
                with open(os.open(path, os.O_WRONLY | os.O_NOFOLLOW), "wb") as file:
                    file.write(os.urandom(os.fstat(file.fileno()).st_size))
                    file.flush()
                    os.fsync(file.fileno())
                path.unlink()
        sync(self._folder)
        if any(each < version for each in self._versions()):
            raise Tampered("anchor.survives", "a version that was destroyed is there again")

    def _content(self, version: int, body: bytes) -> bytes:
        checked = self._magic + version.to_bytes(4, "big") + body
        return checked + hashlib.sha256(checked).digest()

    def _versions(self) -> list[int]:
        found = (_NAME.fullmatch(path.name) for path in self._folder.iterdir())
        return [int(match[1]) for match in found if match]

    def _path(self, version: int) -> Path:
        return self._folder / f"{version:010}.key"


def absent(version: int) -> Unavailable:
    """Return the error of a version that is not there."""
    return Unavailable("anchor.absent", f"anchor version {version} is not there")

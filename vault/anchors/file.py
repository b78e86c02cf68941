"""The anchor as files: one file per version in `KEYS/anchor/`, readable by its owner only.

Why no number is ever used twice: `advance` takes the number above all files there are, and the highest file is never
destroyed, because `destroy_below` refuses a version that is not live and keeps it. A crash between `advance` and the
key store's transaction leaves a higher file that wraps nothing; a crash inside `advance` leaves no file, or one whose
number nobody was told. Either way the next purge takes a higher one.

Assurance is *logical*: whoever copied this folder before a destruction can still open what was destroyed.
"""

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from register.errors import Tampered, Unavailable
from vault.folders import private, sync
from vault.formats import KEY_BYTES, NONCE_BYTES, new_keys, nonce, unlock

_NAME: Final = re.compile(r"([0-9]{10})\.key")
_MAGIC: Final = b"theme-register anchor v1\n"
_CHECK_BYTES: Final = 32


class FileAnchor:
    """Anchor in a folder, made with mode 0700 at the first `advance`.

    A file holds a magic line, the version (u32), 32 key bytes and the SHA-256 of all of these. One that does not check
    is `Tampered` and never replaced: it may be the only key to the register.
    """

    kind: Final = "file"
    assurance: Final = "logical"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def advance(self) -> int:
        """See `vault.anchors.Anchor`."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        sync(self._folder.parent)
        versions = self._versions()
        if versions and not self.probe(max(versions)):
            raise Unavailable("anchor.absent", "the anchor changed while it was advanced")
        version = max(versions, default=0) + 1
        fresh = self._folder / f".{version:010}.new"
        fresh.unlink(missing_ok=True)
        (key,) = new_keys(1)
        with open(fresh, "xb", opener=private) as file:
            file.write(_content(version, key.raw))
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

    def wrap(self, version: int, blob: bytes, aad: bytes) -> bytes:
        """See `vault.anchors.Anchor`. Nonce (12 bytes), ciphertext, tag (16 bytes); AES-256-GCM."""
        iv = nonce()
        return iv + self._aead(version).encrypt(iv, blob, aad)

    def unwrap(self, version: int, blob: bytes, aad: bytes) -> bytes:
        """See `vault.anchors.Anchor`."""
        return unlock(self._aead(version), blob[:NONCE_BYTES], blob[NONCE_BYTES:], aad)

    def destroy_below(self, version: int) -> Mapping[str, str]:
        """See `vault.anchors.Anchor`. Each file is overwritten, synced and unlinked; then the folder is synced."""
        if not self.probe(version):
            raise Unavailable("anchor.absent", "the version to keep is not there; nothing was destroyed")
        for each in self._versions():
            if each < version:
                path = self._path(each)
                with open(path, "r+b") as file:
                    file.write(os.urandom(path.stat().st_size))
                    file.flush()
                    os.fsync(file.fileno())
                path.unlink()
        sync(self._folder)
        if any(each < version for each in self._versions()):
            raise Tampered("anchor.survives", "a version that was destroyed is there again")
        return {"anchor": self.kind, "version": str(version), "below": "overwritten-unlinked"}

    def probe(self, version: int) -> bool:
        """See `vault.anchors.Anchor`."""
        return self._read(version) is not None

    def _aead(self, version: int) -> AESGCM:
        content = self._read(version)
        if content is None:
            raise Unavailable("anchor.absent", f"anchor version {version} is not there")
        return AESGCM(content[-KEY_BYTES - _CHECK_BYTES : -_CHECK_BYTES])

    def _read(self, version: int) -> bytes | None:
        try:
            handle = os.open(self._path(version), os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError:
            raise Unavailable("anchor.unreadable", f"anchor version {version} cannot be read") from None
        with open(handle, "rb") as file:
            if stat.S_IMODE(os.fstat(handle).st_mode) & 0o077:
                raise Tampered("anchor.exposed", f"others than its owner may read anchor version {version}")
            content = file.read()
        key = content[-KEY_BYTES - _CHECK_BYTES : -_CHECK_BYTES]
        if content != _content(version, key) or len(key) != KEY_BYTES:
            raise Tampered("anchor.damaged", f"anchor version {version} is damaged")
        return content

    def _versions(self) -> list[int]:
        found = (_NAME.fullmatch(path.name) for path in self._folder.iterdir())
        return [int(match[1]) for match in found if match]

    def _path(self, version: int) -> Path:
        return self._folder / f"{version:010}.key"


def _content(version: int, key: bytes) -> bytes:
    body = _MAGIC + version.to_bytes(4, "big") + key
    return body + hashlib.sha256(body).digest()

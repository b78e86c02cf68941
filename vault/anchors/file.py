"""The anchor as files that hold the keys themselves.

Assurance is *logical*: whoever copied the folder before a destruction can still open what was destroyed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.anchors.versions import VersionFiles, absent
from vault.formats import KEY_BYTES, NONCE_BYTES, new_keys, nonce, unlock

_MAGIC: Final = b"theme-register anchor v1\n"


class FileAnchor:
    """Anchor in a folder; the body of a version is its key of 32 bytes."""

    kind: Final = "file"
    assurance: Final = "logical"

    def __init__(self, folder: Path) -> None:
        self._files = VersionFiles(folder, _MAGIC, KEY_BYTES)

    def advance(self, above: int = 0) -> int:
        """See `vault.anchors.Anchor`."""
        return self._files.add(lambda _: new_keys(1)[0].raw, above)

    def wrap(self, version: int, blob: bytes, aad: bytes) -> bytes:
        """See `vault.anchors.Anchor`. Nonce (12 bytes), ciphertext, tag (16 bytes); AES-256-GCM."""
        iv = nonce()
        return iv + self._aead(version).encrypt(iv, blob, aad)

    def unwrap(self, version: int, blob: bytes, aad: bytes) -> bytes:
        """See `vault.anchors.Anchor`."""
        return unlock(self._aead(version), blob[:NONCE_BYTES], blob[NONCE_BYTES:], aad)

    def destroy_below(self, version: int) -> Mapping[str, str]:
        """See `vault.anchors.Anchor`."""
        self._files.destroy_below(version)
        return {"anchor": self.kind, "version": str(version), "below": "overwritten-unlinked"}

    def probe(self, version: int) -> bool:
        """See `vault.anchors.Anchor`."""
        return self._files.read(version) is not None

    def _aead(self, version: int) -> AESGCM:
        key = self._files.read(version)
        if key is None:
            raise absent(version)
        return AESGCM(key)

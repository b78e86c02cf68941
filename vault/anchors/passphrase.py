"""The anchor as files whose keys are sealed under a passphrase: a copied folder opens only to who knows it.

The key that seals is Argon2id (RFC 9106) of the passphrase and a salt of the version's own. Assurance is *logical* all
the same: the passphrase stays when a version goes, so whoever knows it and copied the folder before can still open.
"""

import os
import struct
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from register.errors import Fault, Invalid, Tampered, Unavailable
from vault.anchors.versions import VersionFiles, absent
from vault.formats import KEY_BYTES, NONCE_BYTES, TAG_BYTES, Secret, new_keys, nonce, prefixed, unlock

LEAST_LETTERS: Final = 12
_MAGIC: Final = b"theme-register passphrase anchor v1\n"
_LABEL: Final = b"theme-register/passphrase-anchor/1"
_HEAD: Final = struct.Struct(">III16s")
"""Memory in KiB, iterations, lanes, salt."""

_COST: Final = (65_536, 3, 4)
"""RFC 9106 section 4, second recommendation: 64 MiB, three passes, four lanes; also the least that is read."""

_MOST: Final = (1_048_576, 16, 16)
"""What is read at most, so that a planted file cannot fill the memory of this host or hold it up."""


class PassphraseAnchor:
    """Anchor in a folder.

    A version's body: memory in KiB, iterations, lanes (u32 each), salt (16), nonce (12), and its key sealed with
    AES-256-GCM (48).

    Args:
        folder: of the versions.
        passphrase: of at least twelve letters, taken in Unicode form NFC, as RFC 8265 does.

    Raises:
        Invalid: rule `passphrase.short`.
    """

    kind: Final = "passphrase"
    assurance: Final = "logical"

    def __init__(self, folder: Path, passphrase: str) -> None:
        text = unicodedata.normalize("NFC", passphrase)
        if len(text) < LEAST_LETTERS:
            message = f"a passphrase has at least {LEAST_LETTERS} letters"
            raise Invalid([Fault(pointer="/passphrase", rule="passphrase.short", message=message)])
        self._passphrase = Secret(text.encode("utf-8", "surrogatepass"))
        self._files = VersionFiles(folder, _MAGIC, _HEAD.size + NONCE_BYTES + KEY_BYTES + TAG_BYTES)

    def advance(self, above: int = 0) -> int:
        """See `vault.anchors.Anchor`. Raises Unavailable (`anchor.passphrase`): not that of the version before."""
        before = self._files.highest()
        if before is not None:
            self._aead(before)  # a slip of the pen must not become a second passphrase
        return self._files.add(self._sealed, above)

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
        """See `vault.anchors.Anchor`. Whether it is there and whole; the passphrase is not tried."""
        return self._files.read(version) is not None

    def _sealed(self, version: int) -> bytes:
        head, iv = _HEAD.pack(*_COST, os.urandom(16)), nonce()
        return head + iv + self._derived(head).encrypt(iv, new_keys(1)[0].raw, _aad(version, head))

    def _aead(self, version: int) -> AESGCM:
        body = self._files.read(version)
        if body is None:
            raise absent(version)
        head, iv, sealed = body[: _HEAD.size], body[_HEAD.size : -KEY_BYTES - TAG_BYTES], body[-KEY_BYTES - TAG_BYTES :]
        try:
            return AESGCM(unlock(self._derived(head), iv, sealed, _aad(version, head)))
        except Tampered as cause:
            if cause.code != "tampered":
                raise
        # The file's own checksum held: it is the passphrase that does not fit.
        raise Unavailable("anchor.passphrase", "this is not the passphrase of this anchor")

    def _derived(self, head: bytes) -> AESGCM:
        memory, iterations, lanes, salt = _HEAD.unpack(head)
        asked = (memory, iterations, lanes)
        if not all(least <= one <= most for least, one, most in zip(_COST, asked, _MOST, strict=True)):
            raise Tampered("anchor.parameters", "the anchor asks for a derivation that is too weak or too costly")
        kdf = Argon2id(salt=salt, length=KEY_BYTES, iterations=iterations, lanes=lanes, memory_cost=memory)
        return AESGCM(kdf.derive(self._passphrase.raw))


def _aad(version: int, head: bytes) -> bytes:
    return prefixed(_LABEL, version.to_bytes(4, "big"), head)

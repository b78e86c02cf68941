"""The log keys, which sign checkpoints and certificates, and the verification of such signatures.

Two keys, Ed25519 (RFC 8032) and ML-DSA-44 (FIPS 204, pure, empty context), so that what is signed now holds for decades
even if one of them falls. They never seal anything. Only `cryptography` is imported: verifying has to start fast.
"""

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from register.errors import Conflict, Tampered, Unavailable

ED25519: Final = "ed25519"
ML_DSA_44: Final = "ml-dsa-44"
LOG_KEYS_FILE: Final = "log-keys.json"
COMING_FILE: Final = "log-keys-next.json"
"""Keys that were drawn and have not yet taken the place of those in force."""

_FORMAT: Final = "theme-register log keys v1"


class LogKeys:
    """The two private log keys. Made by `create` or `load`; shows no key in any representation, cannot be pickled."""

    __slots__ = ("_keys", "public_keys")

    def __init__(self, ed25519: Ed25519PrivateKey, ml_dsa_44: MLDSA44PrivateKey) -> None:
        self._keys: dict[str, Ed25519PrivateKey | MLDSA44PrivateKey] = {ED25519: ed25519, ML_DSA_44: ml_dsa_44}
        self.public_keys: Mapping[str, bytes] = MappingProxyType(
            {name: key.public_key().public_bytes_raw() for name, key in self._keys.items()}
        )

    @classmethod
    def create(cls, folder: Path, *, name: str = LOG_KEYS_FILE) -> "LogKeys":
        """Draw both keys and keep them in `folder` (made with mode 0700), durably, before returning.

        Args:
            folder: of the log keys.
            name: of the file.

        Raises:
            Conflict: there are log keys already (`log-keys.exist`).
            OSError: the folder cannot be written.
        """
        keys = cls(Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = folder / f".{name}.{os.getpid()}"
        with open(fresh, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(keys._encode())
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link, unlike a rename, never takes the place of keys that are there.
            os.link(fresh, folder / name)
        except FileExistsError:
            raise Conflict("log-keys.exist", "there are log keys already") from None
        finally:
            fresh.unlink()
        for path in (folder, folder.parent):
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            os.fsync(handle)
            os.close(handle)
        return keys

    @classmethod
    def load(cls, folder: Path, *, name: str = LOG_KEYS_FILE) -> "LogKeys":
        """Read the keys from the file `name` in `folder`.

        Raises:
            Unavailable: there are none (`log-keys.absent`).
            Tampered: the file was altered, or others than its owner may read it (`log-keys.damaged`, `log-keys.open`).
        """
        try:
            handle = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise Unavailable("log-keys.absent", "there are no log keys in that folder") from None
        with open(handle, "rb") as file:
            if stat.S_IMODE(os.fstat(handle).st_mode) & 0o077:
                raise Tampered("log-keys.open", "others than the owner may read the log keys")
            return cls._decode(file.read())

    def sign(self, algorithm: str, message: bytes) -> bytes:
        """Return the signature of `message` under the key of `algorithm` ("ed25519" or "ml-dsa-44").

        Raises:
            KeyError: there is no key of that algorithm.
        """
        return self._keys[algorithm].sign(message)

    def _encode(self) -> bytes:
        content = {
            "format": _FORMAT,
            "private": {name: key.private_bytes_raw().hex() for name, key in self._keys.items()},
            "public_sha256": {name: hashlib.sha256(key).hexdigest() for name, key in self.public_keys.items()},
        }
        return json.dumps(content, sort_keys=True, indent=1).encode("ascii") + b"\n"

    @classmethod
    def _decode(cls, content: bytes) -> "LogKeys":
        """Rebuild the keys; encoding them must give back every byte of the file."""
        try:
            private = json.loads(content)["private"]
            keys = cls(
                Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private[ED25519])),
                MLDSA44PrivateKey.from_seed_bytes(bytes.fromhex(private[ML_DSA_44])),
            )
        except (ValueError, KeyError, TypeError):
            keys = None
        # Compared outside the handler, and raised without a cause: a chained error could quote the file.
        if keys is None or keys._encode() != content:
            raise Tampered("log-keys.damaged", "the file of log keys is damaged")
        return keys

    def __repr__(self) -> str:
        return f"<LogKeys {', '.join(self._keys)}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("log keys are not copied or pickled")


class PresentLogKeys:
    """The log keys in force: read anew when others have taken their place, however long this process runs.

    Raises what `LogKeys.load` raises, whenever it is used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read = self._present()

    @property
    def public_keys(self) -> Mapping[str, bytes]:
        """The raw public keys by algorithm."""
        return self._keys().public_keys

    def sign(self, algorithm: str, message: bytes) -> bytes:
        """See `LogKeys.sign`."""
        return self._keys().sign(algorithm, message)

    def _keys(self) -> LogKeys:
        if self._identity() != self._read[0]:
            self._read = self._present()
        return self._read[1]

    def _present(self) -> tuple[tuple[int, int] | None, LogKeys]:
        return self._identity(), LogKeys.load(self._folder)  # in this order: at worst they are read once more

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = (self._folder / LOG_KEYS_FILE).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns


class SignatureVerifier:
    """Verifies signatures of the algorithms that `LogKeys` signs with."""

    def verifies(self, algorithm: str, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Say whether `signature` is that of `message` by the holder of `public_key` (raw); False if malformed."""
        try:
            if algorithm == ED25519:
                Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
            elif algorithm == ML_DSA_44:
                MLDSA44PublicKey.from_public_bytes(public_key).verify(signature, message)
            else:
                return False
        except (InvalidSignature, ValueError):
            return False
        return True

"""Archived record, version 1: HPKE (RFC 9180) to the public key of a destruction month (see docs/formats/).

Whatever does not open is `Tampered`, one error for every cause.
"""

import hashlib
import re
import struct
from datetime import date
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from register.errors import Tampered
from register.ids import ArchiveId, RegisterId
from vault.formats import Opaque, pad, prefixed, unpad

MONTH_PATTERN: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
MAGIC: Final = 0xA3
ALGORITHM: Final = 0x01
HEADER: Final = struct.Struct(">BBHB4s")
RECORD_LABEL: Final = b"theme-register/archived-record/1"
CHECK_LABEL: Final = b"theme-register/archive-key-check/1"

# DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; base mode, one message an encapsulation.
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def month_of(day: date) -> str:
    """Return the month of a civil date, as `YYYY-MM`."""
    return day.isoformat()[:7]


class PublicHalf:
    """The public key of one destruction month: what the running register seals to, and cannot open with.

    Args:
        month: `YYYY-MM`.
        raw: 32 bytes (RFC 7748).

    Attributes:
        header: the first nine bytes of every record sealed to it.

    Raises:
        Tampered: month or key is not well formed.
    """

    __slots__ = ("_key", "header", "month", "raw")

    def __init__(self, month: str, raw: bytes) -> None:
        if not MONTH_PATTERN.fullmatch(month) or len(raw) != 32:
            raise Tampered
        self.month = month
        self.raw = raw
        self._key = X25519PublicKey.from_public_bytes(raw)
        check = hashlib.sha256(prefixed(CHECK_LABEL, raw)).digest()[:4]
        self.header = HEADER.pack(MAGIC, ALGORITHM, int(month[:4]), int(month[5:]), check)

    def seal(self, register: RegisterId, archive: ArchiveId, content: bytes) -> bytes:
        """Return archived record v1 of `content`, of any length."""
        info = _info(self.header, register, archive, self.month)
        return self.header + _SUITE.encrypt(pad(content), self._key, info=info)


class PrivateHalf(Opaque):
    """The private key of one destruction month: the custodian's.

    Args:
        month: `YYYY-MM`.
        raw: 32 bytes (RFC 7748).

    Raises:
        Tampered: month or key is not well formed.
    """

    __slots__ = ("_key", "public", "raw")

    def __init__(self, month: str, raw: bytes) -> None:
        if len(raw) != 32:
            raise Tampered
        self._key = X25519PrivateKey.from_private_bytes(raw)
        self.raw = raw
        self.public = PublicHalf(month, self._key.public_key().public_bytes_raw())

    @classmethod
    def draw(cls, month: str) -> "PrivateHalf":
        """Return a new one."""
        return cls(month, X25519PrivateKey.generate().private_bytes_raw())

    def open(self, register: RegisterId, archive: ArchiveId, record: bytes) -> bytes:
        """Return what was sealed. Raises Tampered."""
        header = self.public.header
        if record[: len(header)] != header:
            raise Tampered
        info = _info(header, register, archive, self.public.month)
        try:
            padded = _SUITE.decrypt(record[len(header) :], self._key, info=info)
        except (InvalidTag, ValueError):
            raise Tampered from None
        return unpad(padded)


def month_named(record: bytes) -> str:
    """Return the month that the header of an archived record names, to choose the key by. Raises Tampered."""
    if len(record) < HEADER.size:
        raise Tampered
    magic, algorithm, year, month, _ = HEADER.unpack_from(record)
    named = f"{year:04}-{month:02}"
    if (magic, algorithm) != (MAGIC, ALGORITHM) or not MONTH_PATTERN.fullmatch(named):
        raise Tampered
    return named


def _info(header: bytes, register: RegisterId, archive: ArchiveId, month: str) -> bytes:
    return prefixed(header, RECORD_LABEL, register.encode("ascii"), archive.encode("ascii"), month.encode("ascii"))

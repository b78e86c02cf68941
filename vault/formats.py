"""The vault's stored formats, version 1: sealed value, wrapped key, facts MAC, lookup token (see docs/formats/).

Everything here is bytes in, bytes out. Whatever does not open is `Tampered`, one error for every cause. No function
takes a nonce: they are drawn here, in blocks, and dropped in a forked child.
"""

import os
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NoReturn, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM as AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from register.errors import Tampered


class Aead(Protocol):
    """Authenticated encryption under one key, with a nonce of 12 bytes and a tag of 16 behind the ciphertext."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """Return ciphertext and tag."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """Return the plaintext. Raises InvalidTag."""


Cipher = Callable[[bytes], Aead]
"""Makes the encryption for a key of 32 bytes. AES-256-GCM; another is only ever handed in by a test."""

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
ALGORITHM: Final = 0x01
VALUE_MAGIC: Final = 0xA1
KEY_MAGIC: Final = 0xA2
VALUE_HEADER: Final = struct.Struct(">BBH4s")
KEY_HEADER: Final = struct.Struct(">BBI")
VALUE_LABEL: Final = b"theme-register/sealed-value/1"
CHECK_LABEL: Final = b"theme-register/key-check/1"
KEY_LABEL: Final = b"theme-register/wrapped-key/1"
FACTS_LABEL: Final = b"theme-register/facts-mac/1"
TOKEN_LABEL: Final = b"theme-register/lookup-token/1"
DELIVERY_LABEL: Final = b"theme-register/delivery/1"

_BLOCK: Final = 1024
_nonces: list[bytes] = []
os.register_at_fork(after_in_child=_nonces.clear)


def nonce() -> bytes:
    """Return 12 random bytes that were never returned before, also not to a process this one was forked from."""
    while True:
        try:
            return _nonces.pop()
        except IndexError:  # also when other threads were faster with the block drawn below
            block = os.urandom(NONCE_BYTES * _BLOCK)
            _nonces.extend([block[at : at + NONCE_BYTES] for at in range(0, len(block), NONCE_BYTES)])


def prefixed(*parts: bytes) -> bytes:
    """Return the parts in a row, each behind its length (u16, big-endian), so that no two lists give the same bytes."""
    return b"".join([len(part).to_bytes(2, "big") + part for part in parts])


def keyed(key: bytes, *parts: bytes) -> HMAC:
    """Return an HMAC-SHA-256 context (RFC 2104) that has taken in `parts`, length-prefixed; `copy()` it to use it."""
    context = HMAC(key, _SHA256)
    context.update(prefixed(*parts))
    return context


def digest(context: HMAC, data: bytes) -> bytes:
    """Return the 32 bytes of a kept context over further `data`."""
    fresh = context.copy()
    fresh.update(data)
    return fresh.finalize()


def unlock(aead: Aead, iv: bytes, data: bytes, aad: bytes) -> bytes:
    """Return the plaintext of ciphertext and tag. Raises Tampered."""
    try:
        return aead.decrypt(iv, data, aad)
    except (InvalidTag, ValueError):
        raise Tampered from None


def bucket(size: int) -> int:
    """Return how long a plaintext of `size` bytes, its end mark included, becomes: 16 to 256, then multiples of 256."""
    return _BUCKETS[size] if size <= 256 else -(-size // 256) * 256


_BUCKETS: Final = tuple(1 << max(4, (size - 1).bit_length()) for size in range(257))


def pad(data: bytes) -> bytes:
    """Return `data`, the end mark 0x80, and zeros up to the bucket."""
    marked = data + b"\x80"
    return marked.ljust(bucket(len(marked)), b"\0")


def unpad(padded: bytes) -> bytes:
    """Return what `pad` was given. Raises Tampered."""
    marked = padded.rstrip(b"\0")
    if not marked.endswith(b"\x80") or bucket(len(marked)) != len(padded):
        raise Tampered
    return marked[:-1]


_SHA256: Final = SHA256()
_LENGTHS: Final = tuple(size.to_bytes(2, "big") for size in range(256))
_CHECK_PART: Final = prefixed(CHECK_LABEL)


class Opaque:
    """Holds key material: shows nothing of it in any representation, and cannot be pickled or copied."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("key material is never pickled or copied")


class Secret(Opaque):
    """The 32 bytes of a key on their way from one place to another."""

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw


def new_keys(count: int) -> list[Secret]:
    """Return `count` new keys of 32 random bytes."""
    block = os.urandom(KEY_BYTES * count)
    return [Secret(block[at : at + KEY_BYTES]) for at in range(0, len(block), KEY_BYTES)]


class ValueKey(Opaque):
    """The key of one subject, signal or source, in one version, ready to seal and open values.

    Args:
        raw: 32 bytes.
        version: from 1; named in the header of every value sealed under it.

    Attributes:
        header: the first eight bytes of every value sealed under it.
    """

    __slots__ = ("_aead", "_header_part", "header")

    def __init__(self, raw: bytes, version: int, *, cipher: Cipher = AESGCM) -> None:
        check = HMAC(raw, _SHA256)
        check.update(_CHECK_PART)
        self._aead = cipher(raw)
        self.header = VALUE_HEADER.pack(VALUE_MAGIC, ALGORITHM, version, check.finalize()[:4])
        self._header_part = _LENGTHS[VALUE_HEADER.size] + self.header

    def seal(self, context: bytes, tail: bytes, data: bytes) -> bytes:
        """Return sealed value v1 of `data`, of any length; `context` and `tail` are those of `value_context`."""
        iv = nonce()
        return b"".join((self.header, iv, self._aead.encrypt(iv, pad(data), self._header_part + context + tail)))

    def open(self, context: bytes, tail: bytes, value: bytes) -> bytes:
        """Return what was sealed. Raises Tampered."""
        if value[:8] != self.header:
            raise Tampered
        return unpad(unlock(self._aead, value[8:20], value[20:], self._header_part + context + tail))


def value_context(register: str, record: str) -> bytes:
    """Return the part of a sealed value's AAD that all fields of a record (its id: ASCII, below 256) share."""
    return b"".join((_register_part(register), _LENGTHS[len(record)], record.encode("ascii")))


@lru_cache
def _register_part(register: str) -> bytes:
    return prefixed(VALUE_LABEL, register.encode())


def value_tail(field: str, content: int) -> bytes:
    """Return the part of a sealed value's AAD that says which field and content revision it is."""
    return prefixed(field.encode(), content.to_bytes(4, "big"))


class RootKey(Opaque):
    """The root key of one generation: wraps keys and other short values of the key store (wrapped key v1).

    Args:
        raw: 32 bytes.
        register: id of the register.
        generation: of the key store; named in the header of everything wrapped.
    """

    __slots__ = ("_aead", "_header", "_kinds", "_register", "generation")

    def __init__(self, raw: bytes, register: str, generation: int, *, cipher: Cipher = AESGCM) -> None:
        self.generation = generation
        self._aead = cipher(raw)
        self._register = register
        self._header = KEY_HEADER.pack(KEY_MAGIC, ALGORITHM, generation)
        self._kinds: dict[str, bytes] = {}

    def wrap(self, kind: str, name: str, version: int, payload: bytes) -> bytes:
        """Return wrapped key v1 of `payload`, bound to the row's kind, id and version."""
        iv = nonce()
        return b"".join((self._header, iv, self._aead.encrypt(iv, payload, self._aad(kind, name, version))))

    def unwrap(self, kind: str, name: str, version: int, wrapped: bytes) -> bytes:
        """Return what was wrapped. Raises Tampered."""
        if wrapped[:6] != self._header:
            raise Tampered
        return unlock(self._aead, wrapped[6:18], wrapped[18:], self._aad(kind, name, version))

    def rewrapping(self, new: "RootKey") -> Callable[[str, str, int, bytes], bytes]:
        """Return what wraps under `new` what is wrapped under this key; its arguments and error are those of `unwrap`.

        In one go, since a purge does it to every row there is.
        """
        before, after = self._start, new._start
        header, fresh = self._header, new._header
        decrypt, encrypt = self._aead.decrypt, new._aead.encrypt

        def rewrap(kind: str, name: str, version: int, wrapped: bytes) -> bytes:
            if wrapped[:6] != header:
                raise Tampered
            row = _row(name, version)
            try:
                payload = decrypt(wrapped[6:18], wrapped[18:], before(kind) + row)
            except (InvalidTag, ValueError):
                raise Tampered from None
            iv = nonce()
            return fresh + iv + encrypt(iv, payload, after(kind) + row)

        return rewrap

    def _aad(self, kind: str, name: str, version: int) -> bytes:
        return self._start(kind) + _row(name, version)

    def _start(self, kind: str) -> bytes:
        start = self._kinds.get(kind)
        if start is None:
            start = prefixed(KEY_LABEL, self._header, self._register.encode(), kind.encode())
            self._kinds[kind] = start
        return start


def _row(name: str, version: int) -> bytes:
    return _LENGTHS[len(name)] + name.encode("ascii") + _version_part(version)


@lru_cache
def _version_part(version: int) -> bytes:
    return prefixed(version.to_bytes(2, "big"))


class Tokens(Opaque):
    """Lookup tokens v1 under one lookup key.

    A delivery's value is first made a digest under a key that stays, so that the token of a delivery can be made anew
    when the lookup key is replaced although the contributor's reference itself is kept nowhere.
    """

    __slots__ = ("_deliveries", "_lookup")

    def __init__(self, lookup: bytes, deliveries: bytes, register: str) -> None:
        self._lookup = keyed(lookup, TOKEN_LABEL, register.encode())
        self._deliveries = keyed(deliveries, DELIVERY_LABEL, register.encode())

    def token(self, value: bytes) -> bytes:
        """Return the token, 32 bytes, of a value made by `identifier_value` or `delivery_value`."""
        return digest(self._lookup, value)

    def delivery_value(self, contributor: str, reference: str) -> bytes:
        """Return what stands for a contributor's reference: a keyed digest."""
        return prefixed(b"delivery", digest(self._deliveries, prefixed(contributor.encode(), _text(reference))))


def identifier_value(kind: str, normalised: str) -> bytes:
    """Return the typed, length-prefixed value of an identifier."""
    return prefixed(b"identifier", kind.encode(), _text(normalised))


def _text(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

"""The vault's formats a second time, written from docs/formats/ alone, to compare the first with."""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def parts(*items: bytes | str) -> bytes:
    result = b""
    for item in items:
        data = item if isinstance(item, bytes) else item.encode("utf-8")
        result += len(data).to_bytes(2, "big") + data
    return result


def padded(content: bytes) -> bytes:
    marked = content + b"\x80"
    for size in (16, 32, 64, 128, 256):
        if len(marked) <= size:
            return marked + bytes(size - len(marked))
    return marked + bytes(-len(marked) % 256)


def sealed_value(
    key: bytes, version: int, nonce: bytes, register: str, record: str, field: str, content: int, data: bytes
) -> bytes:
    check = hmac.digest(key, parts("theme-register/key-check/1"), "sha256")[:4]
    header = b"\xa1\x01" + version.to_bytes(2, "big") + check
    aad = parts(header, "theme-register/sealed-value/1", register, record, field, content.to_bytes(4, "big"))
    return header + nonce + AESGCM(key).encrypt(nonce, padded(data), aad)


def wrapped_key(
    root: bytes, generation: int, nonce: bytes, register: str, kind: str, name: str, version: int, data: bytes
) -> bytes:
    header = b"\xa2\x01" + generation.to_bytes(4, "big")
    aad = parts("theme-register/wrapped-key/1", header, register, kind, name, version.to_bytes(2, "big"))
    return header + nonce + AESGCM(root).encrypt(nonce, data, aad)


def facts_mac(key: bytes, register: str, facts: bytes) -> bytes:
    return hmac.digest(key, parts("theme-register/facts-mac/1", register) + facts, "sha256")


def token(key: bytes, register: str, value: bytes) -> bytes:
    return hmac.digest(key, parts("theme-register/lookup-token/1", register) + value, "sha256")


def delivery_value(key: bytes, register: str, contributor: str, reference: str) -> bytes:
    inner = parts("theme-register/delivery/1", register) + parts(contributor, reference)
    return parts("delivery", hmac.digest(key, inner, "sha256"))


def identifier_value(kind: str, value: str) -> bytes:
    return parts("identifier", kind, value)


def anchor_file(version: int, key: bytes) -> bytes:
    body = b"theme-register anchor v1\n" + version.to_bytes(4, "big") + key
    return body + hashlib.sha256(body).digest()


def _extract(salt: bytes, suite: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")


def _expand(key: bytes, suite: bytes, label: bytes, info: bytes, size: int) -> bytes:
    labelled = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(key, labelled + b"\x01", "sha256")[:size]


def hpke(private: bytes, ephemeral: bytes, info: bytes, plaintext: bytes) -> bytes:
    """RFC 9180, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, one message, to `private`'s public."""
    sender, recipient = (X25519PrivateKey.from_private_bytes(raw) for raw in (ephemeral, private))
    public = recipient.public_key().public_bytes_raw()
    enc = sender.public_key().public_bytes_raw()
    kem, suite = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x02"
    shared = _extract(b"", kem, b"eae_prk", sender.exchange(recipient.public_key()))
    shared = _expand(shared, kem, b"shared_secret", enc + public, 32)
    context = b"\x00" + _extract(b"", suite, b"psk_id_hash", b"") + _extract(b"", suite, b"info_hash", info)
    secret = _extract(shared, suite, b"secret", b"")
    key, nonce = (_expand(secret, suite, label, context, size) for label, size in ((b"key", 32), (b"base_nonce", 12)))
    return enc + AESGCM(key).encrypt(nonce, plaintext, b"")


def archived_record(private: bytes, ephemeral: bytes, register: str, archive: str, month: str, content: bytes) -> bytes:
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    check = hashlib.sha256(parts("theme-register/archive-key-check/1", public)).digest()[:4]
    header = b"\xa3\x01" + int(month[:4]).to_bytes(2, "big") + bytes([int(month[5:])]) + check
    info = parts(header, "theme-register/archived-record/1", register, archive, month)
    return header + hpke(private, ephemeral, info, padded(content))

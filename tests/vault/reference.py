"""The vault's formats a second time, written from docs/formats/ alone, to compare the first with."""

import hashlib
import hmac

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

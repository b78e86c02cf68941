"""Signed notes and verifier keys: C2SP signed-note, with the cosignature types of C2SP tlog-cosignature.

A log's own two lines are a plain Ed25519 signature of the text (type 0x01) and an ML-DSA-44 cosignature (type 0x06):
the only type assigned to ML-DSA-44, and the one that tlog-checkpoint asks logs to use. It carries the time of signing.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, Protocol

from register.errors import Fault, Invalid

MAX_NOTE: Final = 256 * 1024
MAX_SIGNATURES: Final = 64
_NAME: Final = re.compile(r"[^\s+]{1,255}")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE_LINE: Final = re.compile(r"\u2014 ([^\s+]{1,255}) ([A-Za-z0-9+/]+={0,2})")
_VKEY: Final = re.compile(r"([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")


class Algorithm(StrEnum):
    """Signature algorithms, by the names under which signers and verifiers know them."""

    ED25519 = "ed25519"
    ML_DSA_44 = "ml-dsa-44"


class Signer(Protocol):
    """Holds private keys, one for each algorithm it names, and signs."""

    @property
    def public_keys(self) -> Mapping[str, bytes]:
        """The raw public key (RFC 8032, FIPS 204) of each algorithm there is a key for."""

    def sign(self, algorithm: str, message: bytes) -> bytes:
        """Return the signature of `message`."""


class Verifier(Protocol):
    """Checks signatures with public keys."""

    def verifies(self, algorithm: str, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Say whether `signature` is that of `message` by the holder of `public_key`; False for any malformed input."""


class SignatureType(IntEnum):
    """Assigned signature type bytes that are known here."""

    ED25519 = 0x01
    ED25519_COSIGNATURE = 0x04
    ML_DSA_44_COSIGNATURE = 0x06

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm behind this type."""
        return Algorithm.ML_DSA_44 if self is SignatureType.ML_DSA_44_COSIGNATURE else Algorithm.ED25519

    @property
    def timed(self) -> bool:
        """Whether signatures of this type begin with a time (eight bytes, seconds since the epoch)."""
        return self is not SignatureType.ED25519


KEY_SIZE: Final = {Algorithm.ED25519: 32, Algorithm.ML_DSA_44: 1312}
LOG_TYPES: Final = {
    Algorithm.ED25519: SignatureType.ED25519,
    Algorithm.ML_DSA_44: SignatureType.ML_DSA_44_COSIGNATURE,
}
"""With which type a log, or whoever signs certificates, uses a key of each algorithm."""


def invalid(rule: str, message: str) -> Invalid:
    """Return an error of one fault about the whole of what was read."""
    return Invalid([Fault(pointer="", rule=rule, message=message)], code=rule)


def strict_base64(text: str | bytes, rule: str) -> bytes:
    """Decode standard base64, accepting only the one spelling that encoding gives back.

    Raises:
        Invalid: under `rule`.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        content = None
    if content is None or base64.b64encode(content) != (text.encode("ascii") if isinstance(text, str) else text):
        raise invalid(rule, "this is not canonical base64")
    return content


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key with the name and type it signs under ("vkey" of signed-note)."""

    name: str
    type: SignatureType
    public_key: bytes

    @property
    def id(self) -> bytes:
        """The four bytes by which signatures name this key."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public_key).digest()[:4]

    @property
    def label(self) -> str:
        """Name and id, `<name>+<id>`: how envelopes and trust files name this key."""
        return f"{self.name}+{self.id.hex()}"

    def text(self) -> str:
        """Return the vkey: `<name>+<id>+<base64 of type and key>`."""
        return f"{self.label}+{base64.b64encode(bytes([self.type]) + self.public_key).decode('ascii')}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a vkey.

        Raises:
            Invalid: it is malformed, of an unknown type, or its id is not that of the key (`vkey`).
        """
        match = _VKEY.fullmatch(text)
        content = strict_base64(match[3], "vkey") if match else b""
        if match is None or content[0] not in set(SignatureType):
            raise invalid("vkey", "this is not a verifier key of a known type")
        key = cls(name=match[1], type=SignatureType(content[0]), public_key=content[1:])
        if len(key.public_key) != KEY_SIZE[key.type.algorithm] or key.id.hex() != match[2]:
            raise invalid("vkey", "this verifier key is damaged: length or id do not fit")
        return key


def own_keys(name: str, signer: Signer) -> tuple[VerifierKey, ...]:
    """Return the verifier keys of `signer` under `name`, Ed25519 first."""
    return tuple(
        VerifierKey(name=name, type=LOG_TYPES[algorithm], public_key=signer.public_keys[algorithm])
        for algorithm in Algorithm
        if algorithm in signer.public_keys
    )


def encode_vkeys(keys: Iterable[VerifierKey]) -> bytes:
    """Return the content of a `vkey` file: one verifier key a line."""
    return "".join(f"{key.text()}\n" for key in keys).encode()


def parse_vkeys(content: bytes) -> tuple[VerifierKey, ...]:
    """Read a `vkey` file.

    Raises:
        Invalid: it is not UTF-8, a line is no verifier key, a key stands twice, or there is none (`vkey`).
    """
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise invalid("vkey", "this is not a file of verifier keys") from None
    keys = tuple(VerifierKey.parse(line) for line in lines)
    if not keys or len(set(keys)) != len(keys):
        raise invalid("vkey", "a file of verifier keys holds at least one key, and none twice")
    return keys


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line: who, with which key, and the bytes after the key's id."""

    name: str
    key_id: bytes
    content: bytes

    def line(self) -> str:
        """Return the line as it stands in a note, with its newline."""
        return f"\u2014 {self.name} {base64.b64encode(self.key_id + self.content).decode('ascii')}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A text that ends in a newline, and its signatures (not verified yet)."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> bytes:
        """Return the note's bytes."""
        return f"{self.text}\n{''.join(signature.line() for signature in self.signatures)}".encode()

    @classmethod
    def parse(cls, data: bytes) -> "Note":
        """Read a signed note.

        Raises:
            Invalid: `note.size`, `note.text` (UTF-8, control characters, final newlines) or `note.signature-line`.
        """
        if len(data) > MAX_NOTE:
            raise invalid("note.size", f"a note has at most {MAX_NOTE} bytes")
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError:
            raise invalid("note.text", "a note is UTF-8") from None
        text, blank, tail = whole.rpartition("\n\n")
        if not blank or not text or not tail.endswith("\n") or _CONTROL.search(whole):
            raise invalid("note.text", "a note is a text without control characters, a blank line, and signatures")
        lines = tail[:-1].split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise invalid("note.signature-line", f"a note has at most {MAX_SIGNATURES} signatures")
        return cls(text=f"{text}\n", signatures=tuple(map(_signature, lines)))


def _signature(line: str) -> NoteSignature:
    match = _SIGNATURE_LINE.fullmatch(line)
    content = strict_base64(match[2], "note.signature-line") if match else b""
    if match is None or len(content) < 5:
        raise invalid("note.signature-line", "a line after the text is not a signature line")
    return NoteSignature(name=match[1], key_id=content[:4], content=content[4:])


def check_name(name: str) -> str:
    """Return `name` if it can be a key's name and a log's origin.

    Raises:
        Invalid: it is empty, too long, or holds a space or a plus (`note.name`).
    """
    if not _NAME.fullmatch(name) or _CONTROL.search(name):
        raise invalid("note.name", "the name of a key has no spaces and no plus")
    return name

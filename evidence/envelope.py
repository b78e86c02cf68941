"""The envelope of a certificate: DSSE (Dead Simple Signing Envelope, protocol v1) around an in-toto Statement v1.

What is signed are the payload's very bytes together with their type, so nothing depends on how JSON is spelt.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from evidence.note import Signer, Verifier, VerifierKey, invalid, own_keys, strict_base64
from evidence.strict import canonical_json, parse_json

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
MAX_ENVELOPE: Final = 4 * 1024 * 1024
_MAX_SIGNATURES: Final = 32


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding: "DSSEv1", and type and payload each after its length in bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeSignature:
    """A signature and the name of its key, `<name>+<id>`. The name is a hint and is trusted for nothing."""

    keyid: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An envelope that was read; nothing in it is verified yet."""

    payload_type: str
    payload: bytes
    signatures: tuple[EnvelopeSignature, ...]

    def verified(self, keys: Sequence[VerifierKey], verifier: Verifier) -> tuple[VerifierKey, ...]:
        """Return which of `keys` signed, each once. Signatures by other keys are passed over.

        Raises:
            Invalid: a signature that names one of `keys` does not hold, or names it twice (`envelope.signature`).
        """
        known = {key.label: key for key in keys}
        message = pae(self.payload_type, self.payload)
        found: list[VerifierKey] = []
        for signature in self.signatures:
            key = known.get(signature.keyid)
            if key is None:
                continue
            held = verifier.verifies(key.type.algorithm, key.public_key, message, signature.content)
            if not held or key in found:
                raise invalid("envelope.signature", f"the signature by {key.label} does not hold, or stands twice")
            found.append(key)
        return tuple(found)


def seal(payload: bytes, *, name: str, signer: Signer) -> bytes:
    """Sign `payload` (an in-toto statement) with every key of `signer` under `name`; return the envelope's bytes."""
    message = pae(PAYLOAD_TYPE, payload)
    signatures = [
        {"keyid": key.label, "sig": _base64(signer.sign(key.type.algorithm, message))} for key in own_keys(name, signer)
    ]
    return canonical_json({"payload": _base64(payload), "payloadType": PAYLOAD_TYPE, "signatures": signatures})


def digest(envelope: bytes) -> str:
    """Return the SHA-256 of the envelope's bytes in hexadecimal: what the log's entry and the next certificate name."""
    return hashlib.sha256(envelope).hexdigest()


def parse_form(data: bytes) -> dict[str, Any]:
    """Read the envelope's JSON and check its form: keys, types, numbers of things.

    Raises:
        Invalid: what `parse_json` raises, or `envelope.form`.
    """
    value = parse_json(data, limit=MAX_ENVELOPE)
    if (
        not isinstance(value, dict)
        or value.keys() != {"payload", "payloadType", "signatures"}
        or not isinstance(value["payload"], str)
        or not isinstance(value["payloadType"], str)
        or not isinstance(value["signatures"], list)
        or not 1 <= len(value["signatures"]) <= _MAX_SIGNATURES
        or not all(map(_is_signature, value["signatures"]))
    ):
        raise invalid("envelope.form", "an envelope has payload, payloadType and signatures, and nothing else")
    return value


def _is_signature(value: Any) -> bool:
    return (
        isinstance(value, dict) and value.keys() == {"keyid", "sig"} and all(isinstance(v, str) for v in value.values())
    )


def decode(form: dict[str, Any]) -> Envelope:
    """Turn what `parse_form` returned into an envelope.

    Raises:
        Invalid: payload or a signature is not canonical base64 (`envelope.base64`).
    """
    return Envelope(
        payload_type=form["payloadType"],
        payload=_decoded(form["payload"]),
        signatures=tuple(
            EnvelopeSignature(keyid=each["keyid"], content=_decoded(each["sig"])) for each in form["signatures"]
        ),
    )


def _decoded(text: str) -> bytes:
    if not text.isascii():
        raise invalid("envelope.base64", "this is not canonical base64")
    return strict_base64(text, "envelope.base64")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")

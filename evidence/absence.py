"""Statements of absence: an in-toto statement in a DSSE envelope, as certificates are, signed by the log's keys."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from evidence.envelope import decode, parse_form, seal
from evidence.note import Signer, Verifier, invalid
from evidence.predicate import STATEMENT_TYPE
from evidence.strict import canonical_json, parse_json
from evidence.trust import Role, Trust

ABSENCE: Final = "urn:theme-register:absence:v1"


def state_absence(predicate: Mapping[str, object], *, name: str, signer: Signer) -> bytes:
    """Return the envelope of a statement by the log of this name; its subject is the digest of what it states."""
    stated = {"register": name, **predicate}
    fingerprint = hashlib.sha256(canonical_json(stated)).hexdigest()
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "absence", "digest": {"sha256": fingerprint}}],
        "predicateType": ABSENCE,
        "predicate": stated,
    }
    return seal(canonical_json(statement), name=name, signer=signer)


def examine_absence(envelope: bytes, trust: Trust, verifier: Verifier) -> dict[str, Any]:
    """Return what a statement of absence states, once enough trusted keys signed it, as for a certificate.

    Raises:
        Invalid: it is malformed, a signature does not hold or is missing (`absence.signature`), or it is no statement
            of absence of the trusted log (`absence.form`).
    """
    read = decode(parse_form(envelope))
    if len(read.verified(trust.of(Role.CERTIFICATE), verifier)) < trust.threshold:
        raise invalid("absence.signature", "not enough of the register's keys signed this statement")
    told = parse_json(read.payload, limit=len(read.payload))
    predicate = told.get("predicate") if isinstance(told, dict) else None
    if not isinstance(predicate, dict) or told.get("predicateType") != ABSENCE:
        raise invalid("absence.form", "this is no statement of absence")
    if predicate.get("register") != trust.origin:
        raise invalid("absence.form", "this statement is of another register")
    return predicate

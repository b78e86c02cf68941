"""A statement of absence is checked with public keys alone; a changed byte anywhere is found."""

import base64
import json

import pytest

from evidence.absence import examine_absence, state_absence
from evidence.note import encode_vkeys, own_keys
from evidence.trust import Trust
from register.errors import Invalid
from tests.evidence.builders import LOG_KEYS, ORIGIN, VERIFIER, keys

STATED = {"answer": "absent", "case": "RR-1", "at": "2026-11-24T12:00:00Z", "asked": {"digest": "9f" * 32}}
TRUST = Trust.of_vkeys(encode_vkeys(own_keys(ORIGIN, LOG_KEYS)))


def test_what_was_stated_is_read_back():
    envelope = state_absence(STATED, name=ORIGIN, signer=LOG_KEYS)
    assert examine_absence(envelope, TRUST, VERIFIER) == {"register": ORIGIN, **STATED}


def test_any_changed_byte_is_found():
    envelope = state_absence(STATED, name=ORIGIN, signer=LOG_KEYS)
    for place in range(0, len(envelope), 37):
        changed = bytearray(envelope)
        changed[place] ^= 1
        with pytest.raises(Invalid):
            examine_absence(bytes(changed), TRUST, VERIFIER)


def test_another_register_another_kind_and_a_missing_signature_are_refused():
    others = Trust.of_vkeys(encode_vkeys(own_keys(ORIGIN, keys(2))))
    with pytest.raises(Invalid):
        examine_absence(state_absence(STATED, name=ORIGIN, signer=LOG_KEYS), others, VERIFIER)
    elsewhere = state_absence(STATED, name="other.example/theme", signer=LOG_KEYS)
    with pytest.raises(Invalid):
        examine_absence(elsewhere, TRUST, VERIFIER)
    form = json.loads(state_absence(STATED, name=ORIGIN, signer=LOG_KEYS))
    form["signatures"].pop()
    with pytest.raises(Invalid) as missing:
        examine_absence(json.dumps(form, separators=(",", ":")).encode(), TRUST, VERIFIER)
    assert missing.value.code == "absence.signature"
    assert b"predicateType" in base64.b64decode(form["payload"])

"""Writes tests/vectors/evidence/trusted.json: `python -m tests.evidence.make_trust_vectors`.

Certificates that fail, or are stale, only for what the verifying party knows besides: checks 9 to 12. As with
`make_vectors`, the committed file is kept and not made anew.
"""

import base64
import json
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from evidence import envelope
from evidence.checkpoint import Checkpoint, sign_checkpoint, with_cosignatures
from evidence.log import Log
from evidence.note import Note, SignatureType, own_keys
from evidence.trust import FORMAT
from tests.evidence.builders import ENDED, LOG_KEYS, LOGGED, ORIGIN, Issued, cosigned, issue, keys, witness
from tests.evidence.make_vectors import FOLDER

ED25519 = SignatureType.ED25519_COSIGNATURE
SEEN = LOGGED + timedelta(minutes=1)


def trust(issued: Issued, **changes: Any) -> dict[str, Any]:
    """A trust file that asks for nothing but the log's keys, with `changes`."""
    plain = {"roles": ["certificate", "log"], "valid_from": None, "valid_until": None, "revoked_at": None}
    listed = [{"vkey": line, **plain} for line in issued.vkeys.decode().splitlines()]
    made = {"format": FORMAT, "origin": ORIGIN, "threshold": 2, "keys": listed, "witnesses": [], "quorum": 0}
    return {**made, "superseded": [], "fresh_seconds": None, **changes}


def _spelt(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _revoked(issued: Issued, at: datetime, **changes: Any) -> dict[str, Any]:
    made = trust(issued, **changes)
    made["keys"][0]["revoked_at"] = _spelt(at)
    return made


def _signed(checkpoint: Checkpoint, signer: Any = LOG_KEYS) -> str:
    lines = sign_checkpoint(checkpoint, own_keys(checkpoint.origin, signer), signer, at=LOGGED)
    return Note(text=checkpoint.text(), signatures=lines).encode().decode()


def _known(log: Log, size: int, **changes: Any) -> dict[str, Any]:
    signer = changes.pop("signer", LOG_KEYS)
    told = {"origin": ORIGIN, "size": size, "root": log.root_at(size)} | changes
    proof = [base64.b64encode(part).decode() for part in log.consistency(size, log.size)]
    return {"checkpoint": _signed(Checkpoint(**told), signer), "proof": proof}


def vectors(folder: Path) -> dict[str, Any]:
    """Cases with the trust file, and what they must come to; without proof or known they are about the good one's."""
    good = issue(folder)
    one, two = witness(3), witness(4)
    both = [one.text(), witness(3, ED25519).text()]
    seen = cosigned(good.proof, 3, at=SEEN).decode()
    twice = cosigned(seen.encode(), 3, at=SEEN, kind=ED25519).decode()
    early = cosigned(good.proof, 3, at=ENDED - timedelta(seconds=1)).decode()
    head, _, note = good.proof.partition(b"\n\n")
    forged = sign_checkpoint(Checkpoint.parse(Note.parse(note).text), [one], keys(5), at=SEEN)
    spoilt = (head + b"\n\n" + with_cosignatures(note, forged)).decode()
    asked = trust(good, witnesses=[one.text(), two.text()], quorum=1)
    digest = envelope.digest(good.envelope)
    later = {"certificate": digest, "by": "00" * 32}
    late = _spelt(LOGGED + timedelta(days=3))
    with Log.open(good.folder, read_only=True) as log:
        continued = _known(log, 4)
        forked = _known(log, 4, root=bytes(32))
        foreign = _known(log, 4, signer=keys(9))
        unproved = continued | {"proof": continued["proof"][:-1]}
    cases: list[tuple[str, int, str, dict[str, Any]]] = [
        ("seen by one of two witnesses", 0, "", {"trust": asked, "proof": seen}),
        ("no witness, and one is asked for", 19, "witness.quorum", {"trust": asked}),
        ("one witness of two asked for", 19, "witness.quorum", {"trust": asked | {"quorum": 2}, "proof": seen}),
        (
            "one witness with two keys, and two asked for", 19, "witness.quorum",
            {"trust": trust(good, witnesses=[*both, two.text()], quorum=2), "proof": twice},
        ),
        ("a witness that signed before the run ended", 19, "witness.time", {"trust": asked, "proof": early}),
        ("a stranger's under a witness's name", 19, "checkpoint.signature", {"trust": asked, "proof": spoilt}),
        ("continues the checkpoint kept", 0, "", {"trust": trust(good), "known": continued}),
        ("another tree than the one kept", 20, "consistency.proof", {"trust": trust(good), "known": forked}),
        ("a consistency proof cut short", 20, "consistency.proof", {"trust": trust(good), "known": unproved}),
        ("a checkpoint kept that others signed", 20, "checkpoint.threshold", {"trust": trust(good), "known": foreign}),
        ("a key revoked later, and no witness", 21, "revocation.key", {"trust": _revoked(good, SEEN)}),
        (
            "a key revoked before a witness saw it", 21, "revocation.key",
            {"trust": _revoked(good, SEEN, witnesses=[one.text()], quorum=1), "proof": seen},
        ),
        (
            "a key revoked after a witness saw it", 0, "",
            {"trust": _revoked(good, SEEN + timedelta(1), witnesses=[one.text()], quorum=1), "proof": seen},
        ),
        ("superseded", 10, "stale.superseded", {"trust": trust(good, superseded=[later])}),
        ("nothing recent confirms the log", 10, "stale.age", {"trust": trust(good, fresh_seconds=86400), "now": late}),
    ]  # fmt: skip
    return {
        "good": {"envelope": good.envelope.decode(), "proof": good.proof.decode()},
        "cases": [{"name": name, "exit": code, "reason": reason, **case} for name, code, reason, case in cases],
    }


def main() -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory() as folder:
        (FOLDER / "trusted.json").write_text(json.dumps(vectors(Path(folder)), indent=1) + "\n")


if __name__ == "__main__":
    main()

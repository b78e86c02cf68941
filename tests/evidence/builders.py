"""A certificate as a run could have issued it, with keys that everybody knows, a real log and a real signer."""

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from evidence import envelope
from evidence.checkpoint import Checkpoint, CheckpointSigner, sign_checkpoint, with_cosignatures
from evidence.log import Log
from evidence.merkle import EMPTY_ROOT, ids_root
from evidence.note import Note, SignatureType, VerifierKey, encode_vkeys
from evidence.proof import prove
from evidence.shelves import LogEntry
from evidence.statement import draft
from evidence.trust import Trust
from evidence.verify import DETAIL_KEY, Evidence
from register.audit import Act, Entry
from register.ids import EntryId
from vault.signing import LogKeys, SignatureVerifier

ORIGIN: Final = "register.example/theme"
POLICY: Final = b"[policy]\nname = 'wpg-10'\n"
IDS: Final = tuple(hashlib.sha256(b"id %d" % number).hexdigest()[:32] for number in range(12))
ENDED: Final = datetime(2026, 11, 24, 2, 1, 0, tzinfo=UTC)
LOGGED: Final = datetime(2026, 11, 24, 2, 1, 5, tzinfo=UTC)
VERIFIER: Final = SignatureVerifier()


def mth(entries: Sequence[bytes]) -> bytes:
    """The Merkle tree hash as RFC 6962 section 2.1 defines it, word for word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = max(1 << i for i in range(20) if 1 << i < len(entries))
    return hashlib.sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def node_of(entries: Sequence[bytes]) -> Callable[[int, int], bytes]:
    """The perfect subtrees over these entries."""
    return lambda level, index: mth(entries[index << level : (index + 1) << level])


def keys(seed: int) -> LogKeys:
    """Log keys whose seeds are no secret: one byte, repeated."""
    raw = bytes([seed]) * 32
    return LogKeys(Ed25519PrivateKey.from_private_bytes(raw), MLDSA44PrivateKey.from_seed_bytes(raw))


LOG_KEYS: Final = keys(1)


def ids_file() -> bytes:
    """The list of purged ids, as it lies beside a certificate."""
    return "".join(sorted(f"{hashlib.sha256(each.encode()).hexdigest()}\n" for each in IDS)).encode()


def predicate(**sections: Any) -> dict[str, Any]:
    """A predicate in which every section says something; `sections` take the place of those of the same name."""
    made: dict[str, Any] = {
        "certificate": {
            "id": "c" * 32,
            "sequence": 2,
            "rehearsal": "none",
            "previous": "ab" * 32,
            "supersedes": [{"sha256": "cd" * 32, "reason": "replica-attested"}],
        },
        "register": {"id": "d" * 32, "origin": ORIGIN},
        "controller": {"name": "College van procureurs-generaal"},
        "run": {"id": "e" * 32, "trigger": "schedule", "fence": 7, "plan": "12" * 32, "site": "rotterdam-1"},
        "policy": {"name": "wpg-10", "valid_from": "2026-01-01", "sha256": hashlib.sha256(POLICY).hexdigest()},
        "grounds": [
            {
                "rule": "wpg-10-6",
                "act": "removed",
                "category": "theme",
                "citation": {"article": "Wpg 10(6)", "source": "BWBR0022463", "version_on": "2025-07-01"},
                "count": 3,
            },
            {
                "rule": "wpg-14-2",
                "act": "destroyed",
                "category": "theme",
                "citation": {"article": "Wpg 14(2)", "source": "BWBR0022463", "version_on": None},
                "count": 2,
            },
        ],
        "terms": [
            _term("wpg-10-6", "removed", "signal-accepted", "2021-11-24", "P5Y", "2026-11-24", 2),
            _term("wpg-10-6", "removed", "necessity-decided", "2021-11-20", "P5Y", "2026-11-20", 1),
            _term("wpg-14-2", "destroyed", "removed", "2021-11-23", "P5Y", "2026-11-24", 2),
        ],
        "scope": {
            "counts": [
                {"kind": "subject", "act": "removed", "count": 3},
                {"kind": "mention", "act": "removed", "count": 4},
                {"kind": "link", "act": "removed", "count": 2},
                {"kind": "signal", "act": "removed", "count": 1},
                {"kind": "archived-record", "act": "destroyed", "count": 2},
            ],
            "ids": {"count": 12, "root": ids_root(IDS).hex()},
            "redacted": [{"kind": "signal", "count": 2}],
        },
        "stores": [
            _store("graph", None, "row-delete", "done", "clear", 10),
            _store("key-store", None, "key-destruction", "done", "logical", 7),
            _store("anchor", None, "key-destruction", "done", "logical", 1),
            _store("archive", None, "file-deletion", "done", "clear", 2),
            _store("memory", None, "process-replacement", "done", "clear", 2),
            _store("replica", "utrecht", "key-destruction", "not-reached", "none", 0),
            _store("backup", "nightly", "expiry", "pending", "none", 0),
        ],
        "keys": {
            "generation_before": 4,
            "generation_after": 5,
            "rows_dropped": 7,
            "tokens_dropped": 3,
            "rows_rewrapped": 900,
            "lookup_key_replaced": True,
            "anchor": {
                "provider": "file",
                "version_before": 4,
                "version_after": 6,
                "destroyed_at": "2026-11-24T02:00:40Z",
                "old_root_opens": False,
                "assurance": "logical",
            },
        },
        "readback": [
            _check("graph", "ids", 12, 0),
            _check("key-store", "rows", 7, 0),
            _check("graph", "stubs", 3, 3),
        ],
        "cascade": [
            {"kind": "subject", "act": "removed", "through": None, "count": 3},
            {"kind": "mention", "act": "removed", "through": "subject", "count": 4},
            {"kind": "link", "act": "removed", "through": "subject", "count": 2},
            {"kind": "signal", "act": "removed", "through": "subject", "count": 1},
            {"kind": "archived-record", "act": "destroyed", "through": None, "count": 2},
        ],
        "skipped": [
            {"kind": "archived-record", "reason": "held", "count": 1},
            {"kind": "subject", "reason": "changed", "count": 1},
        ],
        "holds": [{"ground": "wpg-28-2-b", "considered": 2, "kept": 1}],
        "exceptions": [
            {"store": "replica", "name": "utrecht", "reason": "not-reached", "until": None},
            {"store": "backup", "name": "nightly", "reason": "in-older-backups", "until": "2026-12-28"},
        ],
        "requested_by": {"role": "system", "actor": "system"},
        "approvals": [
            {
                "of": "plan",
                "sha256": "12" * 32,
                "role": "compliance-officer",
                "actor": "co-1",
                "at": "2026-11-24T01:00:00Z",
            }
        ],
        "operator": {"role": "system", "actor": "system"},
        "software": {"name": "theme-register", "version": "0.1.0", "settings": "ef" * 32},
        "times": {"as_of": "2026-11-24", "started_at": "2026-11-24T02:00:00Z", "ended_at": "2026-11-24T02:01:00Z"},
        "backups": {
            "unreadable_by": "2026-12-28",
            "sets": [{"id": "f" * 32, "key": "live", "key_destroyed_by": "2026-12-28"}],
        },
        "recalls": {"sent": 3, "confirmed": 1, "owed": 2},
        "stubs": {"count": 3, "root": ids_root([each[::-1] for each in IDS[:3]]).hex()},
    }
    return copy.deepcopy(made | sections)


def _term(rule: str, act: str, event: str, event_on: str, period: str, due_on: str, count: int) -> dict[str, Any]:
    dated = {"event": event, "event_on": event_on, "period": period, "due_on": due_on}
    return {"rule": rule, "act": act, **dated, "count": count}


def _store(store: str, name: str | None, method: str, result: str, assurance: str, count: int) -> dict[str, Any]:
    return {
        "store": store, "name": name, "method": method, "result": result, "assurance": assurance, "count": count
    }  # fmt: skip


def _check(store: str, check: str, asked: int, found: int) -> dict[str, Any]:
    return {
        "store": store, "check": check, "asked": asked, "expected": found, "found": found, "at": "2026-11-24T02:00:50Z"
    }  # fmt: skip


def paper() -> dict[str, Any]:
    """A predicate of a rehearsal on paper: the same plan, and nothing touched."""
    made = predicate()
    return made | {
        "certificate": made["certificate"] | {"rehearsal": "paper"},
        "stores": [_store("graph", None, "row-delete", "planned", "none", 10)],
        "keys": None,
        "readback": [],
        "exceptions": [],
        "stubs": {"count": 0, "root": EMPTY_ROOT.hex()},
    }


def entries(number: int) -> tuple[LogEntry, ...]:
    """Entries of no meaning, the same in every run."""
    made = []
    for i in range(number):
        salt, name = hashlib.sha256(b"salt %d" % i).digest()[:16], hashlib.sha256(b"entry %d" % i).hexdigest()[:32]
        at = datetime(2026, 10 + i % 3, 1 + i % 27, tzinfo=UTC)
        made.append(LogEntry(id=name, at=at, salt=salt, body=b'{"entry":%d}' % i))
    return tuple(made)


def logged(entry: Entry) -> LogEntry:
    """An audit entry as it is appended."""
    return LogEntry(id=entry.id, at=entry.at, salt=bytes.fromhex(entry.salt), body=entry.body())


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate in its log."""

    folder: Path
    envelope: bytes
    proof: bytes
    checkpoint: bytes
    vkeys: bytes

    def evidence(self, **more: Any) -> Evidence:
        return Evidence(**({"envelope": self.envelope, "proof": self.proof} | more))

    def trust(self) -> Trust:
        return Trust.of_vkeys(self.vkeys)


def issue(
    folder: Path,
    *,
    payload: bytes | None = None,
    sealed: bytes | None = None,
    before: int = 5,
    after: int = 2,
    logged: datetime = LOGGED,
    act: Act = Act.CERTIFICATE_ISSUED,
    named: str | None = None,
) -> Issued:
    """Sign a certificate and log its issue between `before` and `after` other entries."""
    sealed = sealed or envelope.seal(payload or draft(predicate()), name=ORIGIN, signer=LOG_KEYS)
    entry = Entry(
        id=EntryId("a" * 32),
        at=ENDED,
        actor="system",
        role="system",
        act=act,
        targets=("c" * 32,),
        detail={DETAIL_KEY: named or envelope.digest(sealed)},
        salt="5a" * 16,
    )
    made = entries(before + after)
    logged_entry = LogEntry(id=entry.id, at=entry.at, salt=bytes.fromhex(entry.salt), body=entry.body())
    signer = CheckpointSigner(origin=ORIGIN, signer=LOG_KEYS, verifier=VERIFIER, memory=folder / "memory")
    with Log.open(folder / "log") as log:
        signer.begin(at=logged)
        log.append([*made[:before], logged_entry, *made[before:]])
        checkpoint = signer.sign(log, at=logged)
        proof = prove(log, before, checkpoint).encode()
    return Issued(
        folder=folder / "log",
        envelope=sealed,
        proof=proof,
        checkpoint=checkpoint,
        vkeys=encode_vkeys(signer.keys),
    )


def witness(seed: int, kind: SignatureType = SignatureType.ML_DSA_44_COSIGNATURE) -> VerifierKey:
    """The key of a witness."""
    return VerifierKey(name=f"witness.example/{seed}", type=kind, public_key=keys(seed).public_keys[kind.algorithm])


def cosigned(
    proof: bytes, seed: int, *, at: datetime, kind: SignatureType = SignatureType.ML_DSA_44_COSIGNATURE
) -> bytes:
    """The proof with a witness's cosignature added to its checkpoint."""
    head, _, note = proof.partition(b"\n\n")
    checkpoint = Checkpoint.parse(Note.parse(note).text)
    lines = sign_checkpoint(checkpoint, [witness(seed, kind)], keys(seed), at=at)
    return head + b"\n\n" + with_cosignatures(note, lines)

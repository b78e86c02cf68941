"""Writes tests/vectors/evidence: `python -m tests.evidence.make_vectors`.

ML-DSA-44 signatures are randomised, so each run writes other bytes; the committed files are kept and not made anew,
for they say what certificates written today must mean to every later version.
"""

import base64
import json
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from evidence import envelope, merkle
from evidence.checkpoint import Checkpoint, sign_checkpoint
from evidence.note import Note, own_keys
from evidence.proof import Proof
from evidence.statement import draft
from evidence.strict import canonical_json
from register.audit import Act
from tests.evidence import builders
from tests.evidence.builders import mth, node_of

FOLDER = Path(__file__).parents[1] / "vectors" / "evidence"
ENTRIES = [bytes.fromhex(h) for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "60" * 16)]


def merkle_vectors() -> dict[str, Any]:
    """Roots of the tree of certificate-transparency fame, proofs of it, and proofs spoilt in every way."""
    proofs: list[dict[str, Any]] = []
    for size in range(1, len(ENTRIES) + 1):
        some = ENTRIES[:size]
        for index in range(size):
            proof = [part.hex() for part in merkle.inclusion_proof(index, size, node_of(some))]
            leaf, root = merkle.leaf_hash(some[index]).hex(), mth(some).hex()
            good = {"kind": "inclusion", "index": index, "size": size, "leaf": leaf, "root": root, "proof": proof}
            proofs.append(good | {"name": f"inclusion {index} of {size}", "holds": True})
            if size == 7:
                proofs += _spoilt(good, f"inclusion {index} of {size}", {"index": index ^ 1, "leaf": "00" * 32})
        for old in range(1, size + 1):
            proof = [part.hex() for part in merkle.consistency_proof(old, size, node_of(some))]
            roots = {"old_root": mth(some[:old]).hex(), "root": mth(some).hex()}
            good = {"kind": "consistency", "old": old, "size": size, **roots, "proof": proof}
            proofs.append(good | {"name": f"consistency {old} to {size}", "holds": True})
            if size == 7 and old < size:
                proofs += _spoilt(good, f"consistency {old} to {size}", {"old": 0, "old_root": "00" * 32})
    roots_ = [{"size": size, "root": mth(ENTRIES[:size]).hex()} for size in range(len(ENTRIES) + 1)]
    return {"entries": [entry.hex() for entry in ENTRIES], "roots": roots_, "proofs": proofs}


def _spoilt(good: dict[str, Any], name: str, changes: dict[str, Any]) -> list[dict[str, Any]]:
    proof = good["proof"]
    changes = changes | {"root": "00" * 32, "proof": [*proof, "00" * 32]}
    spoilt = [good | {key: value, "name": f"{name}: {key}", "holds": False} for key, value in changes.items()]
    return [*spoilt, good | {"proof": proof[:-1], "name": f"{name}: short", "holds": False}]


def _sealed(payload: bytes, /, **changes: Any) -> bytes:
    form = json.loads(envelope.seal(payload, name=builders.ORIGIN, signer=builders.LOG_KEYS))
    return canonical_json(form | changes)


def _statement(change: Callable[[dict[str, Any]], None]) -> bytes:
    statement = json.loads(draft(builders.predicate()))
    change(statement["predicate"])
    statement["subject"][0]["digest"]["sha256"] = statement["predicate"]["scope"]["ids"]["root"]
    return canonical_json(statement)


def _set(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(value: Any) -> None:
        for key in path[:-1]:
            value = value[key]
        value[path[-1]] = to

    return change


def _resealed_envelopes() -> dict[str, tuple[bytes, str]]:
    """Envelopes that are wrong before anybody looks at what they state."""
    payload = draft(builders.predicate())
    good = json.loads(_sealed(payload))
    first, second = good["signatures"]
    foreign = json.loads(envelope.seal(payload, name=builders.ORIGIN, signer=builders.keys(9)))["signatures"]
    other = json.loads(_sealed(payload.replace(b'"fence":7', b'"fence":8')))
    raw = canonical_json(good)
    base64_ = good["payload"]
    twice = payload.replace(b'"fence":7', b'"fence":7,"fence":7')
    return {
        "an unknown key beside the payload": (canonical_json(good | {"note": ""}), "envelope.form"),
        "no signature": (canonical_json(good | {"signatures": []}), "envelope.form"),
        "a key twice in the envelope": (raw.replace(b"{", b'{"payload":"",', 1), "json.duplicate-key"),
        "bytes after the envelope": (raw + b"{}", "json.syntax"),
        "nested too deep": (b"[" * 30 + b"]" * 30, "json.depth"),
        "nested far too deep": (b"[" * 2_000, "json.depth"),
        "not UTF-8": (raw.replace(b"payloadType", b"payloadTyp\xff"), "json.syntax"),
        "another payload type": (_sealed(payload, payloadType="application/json"), "envelope.payload-type"),
        "a newline in base64": (_sealed(payload, payload=f"{base64_[:8]}\n{base64_[8:]}"), "envelope.base64"),
        "base64 without padding": (
            _sealed(payload, signatures=[first | {"sig": first["sig"].rstrip("=")}, second]), "envelope.base64"
        ),
        "base64 for URLs": (_sealed(payload, payload=base64_[:-4] + "-_-_"), "envelope.base64"),
        "the payload not encoded": (_sealed(payload, payload=payload.decode()), "envelope.base64"),
        "the payload of another": (_sealed(payload, payload=other["payload"]), "envelope.signature"),
        "one signature of two": (_sealed(payload, signatures=[first]), "envelope.threshold"),
        "the same signature twice": (_sealed(payload, signatures=[first, first]), "envelope.signature"),
        "signatures changed over": (
            _sealed(payload, signatures=[first | {"sig": second["sig"]}, second | {"sig": first["sig"]}]),
            "envelope.signature",
        ),
        "signed by nobody known": (_sealed(payload, signatures=foreign), "envelope.threshold"),
        "signed by others under a known name": (
            _sealed(payload, signatures=[a | {"sig": b["sig"]} for a, b in zip((first, second), foreign, strict=True)]),
            "envelope.signature",
        ),
        "a key twice in the payload": (_sealed(twice), "json.duplicate-key"),
        "a fraction": (_sealed(payload.replace(b'"fence":7', b'"fence":7.0')), "json.number"),
        "not a number": (_sealed(payload.replace(b'"fence":7', b'"fence":NaN')), "json.number"),
        "a number of 5,000 digits": (_sealed(payload.replace(b'"fence":7', b'"fence":' + b"7" * 5000)), "json.number"),
    }  # fmt: skip


def _senseless() -> dict[str, tuple[bytes, str]]:
    """Well signed statements that cannot be true, or do not say what they must."""
    stores = builders.predicate()["stores"]
    cases: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
        "a section left out": (lambda p: p.pop("holds"), "shape.key-missing"),
        "a section too many": (lambda p: p.update(names=[]), "shape.key-unknown"),
        "a name where an id belongs": (_set("certificate", "id", to="Jan Jansen"), "shape.text"),
        "counts that do not add up": (_set("scope", "counts", 0, "count", to=4), "sense.sum"),
        "a deadline after the act": (_set("terms", 0, "due_on", to="2026-11-25"), "sense.deadline"),
        "a day that is not in the calendar": (_set("terms", 0, "event_on", to="2021-02-29"), "sense.date"),
        "a generation that did not rise": (_set("keys", "generation_after", to=4), "sense.generation"),
        "an old root that still opens": (_set("keys", "anchor", "old_root_opens", to=True), "sense.replaced"),
        "a copy not reached, and no exception": (lambda p: p["exceptions"].pop(0), "sense.exception"),
        "assurance of what was not done": (_set("stores", 5, "assurance", to="clear"), "sense.assurance"),
        "a graph that is not mentioned": (_set("stores", to=stores[1:]), "sense.graph"),
        "something found on reading back": (_set("readback", 0, "found", to=1), "sense.found"),
        "an approval of one's own wish": (_set("requested_by", "actor", to="co-1"), "sense.two-persons"),
        "an approval of another plan": (_set("approvals", 0, "sha256", to="34" * 32), "sense.approved"),
        "a second certificate without a first": (_set("certificate", "previous", to=None), "sense.chain"),
        "a run ended before it started": (_set("times", "started_at", to="2026-11-24T03:00:00Z"), "sense.order"),
        "a day yet to come": (_set("times", "as_of", to="2027-01-01"), "sense.future"),
        "nothing done, called a rehearsal on paper": (_set("certificate", "rehearsal", to="paper"), "sense.paper"),
    }
    return {name: (_sealed(_statement(change)), rule) for name, (change, rule) in cases.items()}


def _proofs(good: Proof) -> dict[str, tuple[bytes, str, int]]:
    """Proofs and checkpoints that are wrong, beside a certificate that is right."""
    note = Note.parse(good.checkpoint)
    head = Checkpoint.parse(note.text)
    keys = own_keys(builders.ORIGIN, builders.LOG_KEYS)

    def proof(**changes: Any) -> bytes:
        return Proof(**({k: getattr(good, k) for k in ("extra", "index", "hashes", "checkpoint")} | changes)).encode()

    def signed(at: datetime = builders.LOGGED, **changes: Any) -> bytes:
        other = Checkpoint(**({"origin": head.origin, "size": head.size, "root": head.root} | changes))
        lines = sign_checkpoint(other, keys, builders.LOG_KEYS, at=at)
        return Note(text=other.text(), signatures=lines).encode()

    encoded, checkpoint = good.encode(), good.checkpoint
    sizes = checkpoint.replace(b"\n8\n", b"\n9\n")
    return {
        "an empty proof": (b"", "proof.text", 16),
        "a proof without its header": (encoded.partition(b"\n")[2], "proof.text", 16),
        "a proof without the entry": (encoded.replace(encoded.split(b"\n")[1] + b"\n", b""), "proof.text", 16),
        "an index with a leading zero": (encoded.replace(b"index 5", b"index 05"), "proof.text", 16),
        "the entry of another": (proof(extra=bytes(16) + b'{"entry":5}'), "leaf.digest", 16),
        "one hash more": (proof(hashes=(*good.hashes, bytes(32))), "inclusion.proof", 17),
        "one hash less": (proof(hashes=good.hashes[:-1]), "inclusion.proof", 17),
        "hashes in another order": (proof(hashes=good.hashes[::-1]), "inclusion.proof", 17),
        "the index of another": (proof(index=4), "inclusion.proof", 17),
        "an index beyond the tree": (proof(index=8), "inclusion.proof", 17),
        "a checkpoint of another root": (proof(checkpoint=signed(root=bytes(32))), "inclusion.proof", 17),
        "a checkpoint of another log": (proof(checkpoint=signed(origin="other.example/log")), "checkpoint.origin", 18),
        "a checkpoint signed before the run ended": (
            proof(checkpoint=signed(at=builders.ENDED - timedelta(hours=1))), "checkpoint.time", 18
        ),
        "a checkpoint of another size": (proof(checkpoint=sizes), "checkpoint.signature", 18),
        "a checkpoint with a leading zero": (
            proof(checkpoint=checkpoint.replace(b"\n8\n", b"\n08\n")), "checkpoint.text", 18
        ),
        "a checkpoint with an extension line": (
            proof(checkpoint=checkpoint.replace(b"\n\n", b"\nmore\n\n")), "checkpoint.text", 18
        ),
        "a checkpoint with one signature of two": (
            proof(checkpoint=Note(text=note.text, signatures=note.signatures[:1]).encode()), "checkpoint.threshold", 18
        ),
        "a checkpoint with one signature twice": (
            proof(checkpoint=Note(text=note.text, signatures=note.signatures[:1] * 2).encode()),
            "checkpoint.signature",
            18,
        ),
        "a checkpoint without signatures": (proof(checkpoint=note.text.encode() + b"\n"), "note.text", 18),
        "a checkpoint with a hyphen for a dash": (
            proof(checkpoint=checkpoint.replace("\u2014".encode(), b"-")), "note.signature-line", 18
        ),
        "a checkpoint with Windows line ends": (proof(checkpoint=checkpoint.replace(b"\n", b"\r\n")), "note.text", 18),
    }  # fmt: skip


def certificate_vectors(folder: Path) -> dict[str, Any]:
    """One good certificate, and bad ones with the exit code and reason each must give.

    A vector without an envelope, or without a proof, is about the good one's.
    """
    good = builders.issue(folder / "good")
    vectors: list[dict[str, Any]] = []
    for name, (sealed, rule) in (_resealed_envelopes() | _senseless()).items():
        vectors.append({"name": name, "exit": _exit(rule), "reason": rule} | _spelt("envelope", sealed))
    for name, (proof, rule, code) in _proofs(Proof.parse(good.proof)).items():
        vectors.append({"name": name, "exit": code, "reason": rule} | _spelt("proof", proof))
    denied = builders.issue(folder / "denied", sealed=good.envelope, act=Act.CERTIFICATE_SHOW)
    other = builders.issue(folder / "other", sealed=good.envelope, named="00" * 32)
    for name, case in (("logged as another act", denied), ("logged with another digest", other)):
        vectors.append({"name": name, "exit": 16, "reason": "leaf.digest"} | _spelt("proof", case.proof))
    return {
        "vkey": good.vkeys.decode(),
        "policy": builders.POLICY.decode(),
        "ids": builders.ids_file().decode(),
        "good": _spelt("envelope", good.envelope) | _spelt("proof", good.proof),
        "bad": vectors,
    }


def _spelt(key: str, content: bytes) -> dict[str, str]:
    try:
        return {key: content.decode("utf-8")}
    except UnicodeDecodeError:
        return {f"{key}_base64": base64.b64encode(content).decode("ascii")}


def _exit(rule: str) -> int:
    by_rule = {"envelope.payload-type": 12, "envelope.base64": 13, "envelope.signature": 14, "envelope.threshold": 14}
    if rule.startswith(("json.", "envelope.form")):
        return 11
    return by_rule.get(rule, 15)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        made = {
            "merkle.json": merkle_vectors(),
            "certificates.json": certificate_vectors(Path(folder)),
        }
    for name, content in made.items():
        (FOLDER / name).write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""What an outside auditor does with an evidence pack: each proof and certificate checked offline, with public keys."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidence.absence import examine_absence
from evidence.checkpoint import Checkpoint
from evidence.proof import Proof
from evidence.strict import parse_json
from evidence.trust import Trust
from evidence.verify import Evidence, verify_certificate
from register.errors import Invalid
from vault.signing import SignatureVerifier

CERTIFICATE: Final = "certificate.json"
REPORT: Final = "report.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One file of a pack: whether it holds, and what it says or why not."""

    file: str
    holds: bool
    says: str


def examine_proof(name: str, proof: bytes, trust: Trust) -> Checked:
    """Check that the entry in a tlog-proof is in the trusted log; or a statement of absence."""
    try:
        if proof.startswith(b"{"):
            stated = examine_absence(proof, trust, SignatureVerifier())
            return Checked(file=name, holds=True, says=f"absent at {stated['at']}, asked under case {stated['case']}")
        read = Proof.parse(proof)
        signed, _ = trust.signed(read.checkpoint, SignatureVerifier())
        if signed.origin != trust.origin or not read.includes(signed):
            return Checked(file=name, holds=False, says="the proof does not lead to a checkpoint of this log")
        body = parse_json(read.body(), limit=len(proof))
    except Invalid as wrong:
        return Checked(file=name, holds=False, says=wrong.message)
    return Checked(file=name, holds=True, says=f"entry {read.index} of {signed.size}: {body['act']} at {body['at']}")


def examine_pack(folder: Path, trust: Trust) -> tuple[Checked, ...]:
    """Check everything in a pack: the checkpoint, each certificate, each proof, and that the report fits them."""
    return tuple(_checked(folder, trust))


def _checked(folder: Path, trust: Trust) -> Iterator[Checked]:
    try:
        head, _ = trust.signed((folder / "checkpoint").read_bytes(), SignatureVerifier())
        yield Checked(file="checkpoint", holds=True, says=f"{head.size} entries, {head.origin}")
    except (Invalid, OSError) as wrong:
        yield Checked(file="checkpoint", holds=False, says=type(wrong).__name__)
        return
    certificates = sorted((folder / "certificates").glob("*"))
    for one in certificates:
        yield _certificate(one, trust)
    proofs = sorted((folder / "proofs").glob("*.tlog-proof"))
    deleted: dict[str, int] = {}
    for path in proofs:
        content = path.read_bytes()
        checked = examine_proof(f"proofs/{path.name}", content, trust)
        yield checked
        if checked.holds:
            body = json.loads(Proof.parse(content).body())
            if "run" in body["detail"] and body["act"] in ("destruction", "removal"):
                deleted[body["detail"]["run"]] = deleted.get(body["detail"]["run"], 0) + int(body["count"])
    yield _report(folder, head, {one.name for one in certificates}, deleted)


def _certificate(folder: Path, trust: Trust) -> Checked:
    name = f"certificates/{folder.name}"
    try:
        files = {one.name: one.read_bytes() for one in folder.iterdir()}
        evidence = Evidence(
            envelope=files[CERTIFICATE], proof=files["certificate.tlog-proof"], policy=files.get("policy.toml")
        )
        result = verify_certificate(evidence, trust, SignatureVerifier())
    except (Invalid, KeyError, OSError) as wrong:
        return Checked(file=name, holds=False, says=type(wrong).__name__)
    return Checked(file=name, holds=result.predicate is not None, says=str(result.status))


def _report(folder: Path, head: Checkpoint, certificates: set[str], deleted: dict[str, int]) -> Checked:
    """Compare the report with what lies beside it: its certificates, and what proved deletions add up to."""
    try:
        told = json.loads((folder / REPORT).read_bytes())
        ended = {one["certificate"]: one for one in told["ended"]}
        stated = {one["run"]: one["ids"] for one in ended.values() if one["rehearsal"] != "paper" and one["ids"]}
        fits = ended.keys() == certificates and all(deleted.get(run, 0) == ids for run, ids in stated.items())
        agrees = fits and not told["differences"] and told["log_size"] <= head.size
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        return Checked(file=REPORT, holds=False, says=type(wrong).__name__)
    total = sum(stated.values())
    says = f"{len(ended)} certificates, {total} ids gone, {sum(deleted.values())} of them proved entry by entry"
    return Checked(file=REPORT, holds=agrees, says=says if agrees else f"{says}: it does not fit what lies beside it")

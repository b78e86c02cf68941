"""Offline verification of a purge certificate: public keys only; no driver, no network, no database.

Twelve checks, each with its own exit code (10 + its number) and a reason; docs/formats/certificate-v1.md describes them
so that somebody else can write the same verifier. What a verified certificate does not prove is part of the result.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from evidence import envelope as dsse
from evidence.checkpoint import Checkpoint, Signature, verify_checkpoint, witnesses_of
from evidence.merkle import leaf_hash, root_of, verify_consistency
from evidence.note import Verifier, VerifierKey, invalid
from evidence.proof import Proof
from evidence.result import CHECKS, FAILED_EXIT, QUORUM_EXIT, STALE_EXIT, Check, Finding, Result, Status
from evidence.statement import faults
from evidence.strict import parse_json
from evidence.trust import Role, Trust
from register.audit import Act, Outcome
from register.errors import Invalid

DETAIL_KEY: Final = "sha256"
"""Under this key the detail of the audit entry `certificate.issued` holds the SHA-256 of the envelope."""

_CLOCK_SLACK: Final = timedelta(minutes=5)
_SHOWN_FAULTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCheckpoint:
    """A signed checkpoint from elsewhere, older or newer, and the consistency proof between the two."""

    checkpoint: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is verified: the files as they are.

    Attributes:
        envelope, proof: the certificate and its `.tlog-proof`.
        policy: the text of the policy file, if it is at hand.
        ids: the list of purged ids, if at hand: ascending SHA-256 digests in hexadecimal, one a line.
        known: a checkpoint that is trusted already, if there is one.
    """

    envelope: bytes
    proof: bytes
    policy: bytes | None = None
    ids: bytes | None = None
    known: KnownCheckpoint | None = None


@dataclass(slots=True)
class _Case:
    """What the checks have established so far; each step sets what later ones use."""

    evidence: Evidence
    trust: Trust
    verifier: Verifier
    now: datetime | None
    form: dict[str, Any] = field(init=False)
    envelope: dsse.Envelope = field(init=False)
    signers: tuple[VerifierKey, ...] = field(init=False)
    statement: Any = field(init=False)
    predicate: dict[str, Any] = field(init=False)
    proof: Proof = field(init=False)
    checkpoint: Checkpoint = field(init=False)
    logged_at: datetime | None = field(init=False)
    cosigned: tuple[Signature, ...] = field(init=False)
    latest: datetime | None = field(init=False)
    status: Status = Status.VALID
    limits: list[str] = field(default_factory=lambda: ["other-copies", "truth-of-statement"])

    def not_before(self) -> datetime | None:
        """Return the end of the run; None in rehearsals, whose clock is handed in."""
        real = self.predicate["certificate"]["rehearsal"] == "none"
        return datetime.fromisoformat(self.predicate["times"]["ended_at"]) if real else None


def _envelope_form(case: _Case) -> None:
    case.form = dsse.parse_form(case.evidence.envelope)


def _payload_type(case: _Case) -> None:
    if case.form["payloadType"] != dsse.PAYLOAD_TYPE:
        raise invalid("envelope.payload-type", f"the payload's type is not {dsse.PAYLOAD_TYPE}")


def _base64(case: _Case) -> None:
    case.envelope = dsse.decode(case.form)


def _signatures(case: _Case) -> None:
    case.signers = case.envelope.verified(case.trust.of(Role.CERTIFICATE), case.verifier)
    if len(case.signers) < case.trust.threshold:
        raise invalid("envelope.threshold", f"signed by {len(case.signers)} of {case.trust.threshold} keys needed")


def _payload_form(case: _Case) -> None:
    case.statement = parse_json(case.envelope.payload, limit=dsse.MAX_ENVELOPE)


def _sense(case: _Case) -> None:
    if found := faults(case.statement):
        raise Invalid(found, code=found[0].rule)
    case.predicate = case.statement["predicate"]
    policy = case.evidence.policy
    if policy is None:
        case.limits.append("policy-text")
    elif hashlib.sha256(policy).hexdigest() != case.predicate["policy"]["sha256"]:
        raise invalid("sense.policy-text", "the policy text at hand is another than the certificate names")
    if case.evidence.ids is None:
        case.limits.append("ids-list")
    else:
        _ids(case.evidence.ids, case.predicate["scope"]["ids"])
    _state_limits(case)


def _ids(content: bytes, stated: dict[str, Any]) -> None:
    try:
        digests = [bytes.fromhex(line) for line in content.decode("ascii").splitlines()]
    except ValueError:
        digests = [b""]
    spelt = "".join(f"{digest.hex()}\n" for digest in digests).encode("ascii")
    ordered = all(earlier < later for earlier, later in pairwise(digests))
    if spelt != content or not ordered or any(len(digest) != 32 for digest in digests):
        raise invalid("sense.ids-list", "the list of ids is not ascending digests, one a line")
    if len(digests) != stated["count"] or root_of(map(leaf_hash, digests)).hex() != stated["root"]:
        raise invalid("sense.ids-list", "the list of ids is another than the certificate names")


def _state_limits(case: _Case) -> None:
    """Note what the certificate itself says it does not reach."""
    predicate = case.predicate
    if predicate["certificate"]["rehearsal"] != "none":
        case.limits.append(f"rehearsal-{predicate['certificate']['rehearsal']}")
    keys = predicate["keys"]
    if keys is not None and keys["anchor"]["assurance"] in ("logical", "clear"):
        case.limits.append(f"assurance-{keys['anchor']['assurance']}")
    if predicate["exceptions"]:
        case.limits.append("exceptions")
    if predicate["backups"]["sets"]:
        case.limits.append("backups")
    if predicate["recalls"]["owed"]:
        case.limits.append("recalls-owed")
    if not predicate["approvals"]:
        case.limits.append("no-approvals")


def _leaf(case: _Case) -> None:
    case.proof = Proof.parse(case.evidence.proof)
    entry = parse_json(case.proof.body(), limit=len(case.evidence.proof))
    detail = entry.get("detail") if isinstance(entry, dict) else None
    if (
        not isinstance(detail, dict)
        or entry.get("act") != Act.CERTIFICATE_ISSUED
        or entry.get("outcome") != Outcome.DONE
        or detail.get(DETAIL_KEY) != dsse.digest(case.evidence.envelope)
    ):
        raise invalid("leaf.digest", "the logged entry is not the issue of this certificate")


def _checkpoint(case: _Case) -> None:
    checkpoint, signatures = case.trust.signed(case.proof.checkpoint, case.verifier)
    if {checkpoint.origin, case.predicate["register"]["origin"]} != {case.trust.origin}:
        raise invalid("checkpoint.origin", "certificate and checkpoint are not both of the trusted log")
    case.checkpoint = checkpoint
    case.logged_at = case.latest = max((s.at for s in signatures if s.at), default=None)
    ended = case.not_before()
    if ended and case.logged_at and case.logged_at < ended:
        raise invalid("checkpoint.time", "the checkpoint was signed before the run ended")
    _not_ahead(case, case.logged_at, "checkpoint.time")


def _not_ahead(case: _Case, at: datetime | None, rule: str) -> None:
    if at and case.now and case.not_before() and at > case.now + _CLOCK_SLACK:
        raise invalid(rule, "a signature carries a time that is yet to come")


def _validity(case: _Case) -> None:
    """The log's time decides, never a time the certificate gives itself."""
    for trusted in case.trust.keys:
        if (
            trusted.key in case.signers
            and trusted.bounded
            and not (case.logged_at and trusted.valid_at(case.logged_at))
        ):
            raise invalid("envelope.validity", f"{trusted.key.label} was not valid when the certificate was logged")


def _inclusion(case: _Case) -> None:
    if not case.proof.includes(case.checkpoint):
        raise invalid("inclusion.proof", "the proof does not lead from the entry to the checkpoint's root")


def _witnesses(case: _Case) -> str | None:
    _, cosignatures = verify_checkpoint(case.proof.checkpoint, case.trust.witnesses, case.verifier, threshold=0)
    ended = case.not_before()
    for cosignature in cosignatures:
        if ended and cosignature.at and cosignature.at < ended:
            raise invalid("witness.time", "a witness signed before the run ended")
        _not_ahead(case, cosignature.at, "witness.time")
    case.cosigned = cosignatures
    case.latest = max((at for at in (case.latest, *_times(cosignatures)) if at), default=None)
    if len(witnesses_of(cosignatures)) >= max(case.trust.quorum, 1):
        return None
    case.limits.append("not-witnessed")
    case.status = Status.NOT_WITNESSED
    return "witness.none" if case.trust.quorum == 0 else "witness.quorum"


def _times(signatures: tuple[Signature, ...]) -> tuple[datetime, ...]:
    """Return the times of cosignatures. One without a time does not say that it saw the newest tree: not counted."""
    return tuple(sorted(signature.at for signature in signatures if signature.at))


def _consistency(case: _Case) -> str | None:
    known = case.evidence.known
    if known is None:
        case.limits.append("no-earlier-checkpoint")
        return "consistency.none"
    other, signatures = case.trust.signed(known.checkpoint, case.verifier)
    if other.origin != case.trust.origin:
        raise invalid("consistency.checkpoint", "the checkpoint known before is of another log")
    old, new = sorted((other, case.checkpoint), key=lambda each: each.size)
    if old.size and not verify_consistency(
        old=old.size, size=new.size, old_root=old.root, root=new.root, proof=known.proof
    ):
        raise invalid("consistency.proof", "the two checkpoints are not of one growing log")
    case.latest = max((at for at in (case.latest, *_times(signatures)) if at), default=None)
    return None


def _revocation(case: _Case) -> None:
    for trusted in case.trust.keys:
        if trusted.revoked_at is None or trusted.key not in (*case.signers, *case.trust.of(Role.LOG)):
            continue
        # Whoever holds a stolen key can write any log time, so only witnesses can vouch for "before".
        before = [one for one in case.cosigned if one.at and one.at < trusted.revoked_at]
        if len(witnesses_of(before)) < max(case.trust.quorum, 1):
            raise invalid("revocation.key", f"{trusted.key.label} was revoked, and no witness saw this before")


def _verdict(case: _Case) -> str | None:
    fresh = case.trust.fresh
    if dsse.digest(case.evidence.envelope) in case.trust.superseded:
        case.status = Status.STALE
        return "stale.superseded"
    if fresh is not None and case.now is not None and not (case.latest and case.now - case.latest <= fresh):
        case.status = Status.STALE
        return "stale.age"
    return None


_STEPS: Final[tuple[tuple[int, Callable[[_Case], str | None]], ...]] = (
    (1, _envelope_form),
    (2, _payload_type),
    (3, _base64),
    (4, _signatures),
    (1, _payload_form),  # only once it is signed
    (5, _sense),
    (6, _leaf),
    (8, _checkpoint),  # a proof says nothing until the root it leads to is signed
    (7, _inclusion),
    (4, _validity),  # needs the log's time
    (9, _witnesses),
    (10, _consistency),
    (11, _revocation),
    (12, _verdict),
)


def verify_certificate(evidence: Evidence, trust: Trust, verifier: Verifier, *, now: datetime | None = None) -> Result:
    """Run the twelve checks, up to the first that fails.

    Args:
        evidence: the files, as they are.
        trust: whose signatures count.
        verifier: what checks a signature.
        now: aware; needed only to judge ages and times to come (None: neither is judged).

    Returns:
        Always a result; whatever is wrong with the evidence is a failed check, never an exception.
    """
    case = _Case(evidence=evidence, trust=trust, verifier=verifier, now=now)
    found: dict[int, Check] = {}
    exit_code = 0
    for number, step in _STEPS:
        try:
            reason = step(case)
        except Invalid as error:
            case.status, exit_code = Status.INVALID, FAILED_EXIT + number
            detail = "; ".join(map(str, error.faults[:_SHOWN_FAULTS]))
            found[number] = Check(
                number=number, code=CHECKS[number], finding=Finding.FAILED, reason=error.faults[0].rule, detail=detail
            )
            break
        finding = Finding.PASSED if reason is None else Finding.NOT_DONE
        found[number] = Check(number=number, code=CHECKS[number], finding=finding, reason=reason or "")
    else:
        exit_code = _soft_exit(case)
    checks = tuple(
        found.get(number, Check(number=number, code=code, finding=Finding.NOT_REACHED))
        for number, code in CHECKS.items()
    )
    return Result(
        status=case.status,
        exit_code=exit_code,
        checks=checks,
        limits=() if case.status is Status.INVALID else tuple(case.limits),
        predicate=case.predicate if case.status is not Status.INVALID else None,
        digest=dsse.digest(evidence.envelope),
    )


def _soft_exit(case: _Case) -> int:
    if case.status is Status.STALE:
        return STALE_EXIT
    return QUORUM_EXIT if case.status is Status.NOT_WITNESSED and case.trust.quorum else 0

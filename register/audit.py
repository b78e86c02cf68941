"""What is recorded of every act and every disclosure (Wpg art. 32a; Directive (EU) 2016/680 art. 25).

An entry holds ids, codes, counts and times; never a value, a name or a text.
"""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from register.ids import EntryId, mint


class Act(StrEnum):
    """What was done."""

    SIGNAL_RECORD = "signal.record"
    SIGNAL_OPEN = "signal.open"
    SOURCE_OPEN = "source.open"
    SUBJECT_FIND = "subject.find"
    BATCH_ORDER = "batch.order"
    BATCH_LIST = "batch.list"
    BATCH_SETTLE = "batch.settle"
    BATCH_RUN = "batch.run"
    SUBJECT_OPEN = "subject.open"
    NETWORK_SHOW = "network.show"
    PATHS_SHOW = "paths.show"
    RETENTION_PLAN = "retention.plan"
    RETENTION_EXPLAIN = "retention.explain"
    RETENTION_SEE = "retention.see"
    RETENTION_ORDER = "retention.order"
    RETENTION_APPROVE = "retention.approve"
    POLICY_SHOW = "policy.show"
    POLICY_IMPACT = "policy.impact"
    POLICY_PROPOSE = "policy.propose"
    POLICY_APPROVE = "policy.approve"
    POLICY_WITHDRAW = "policy.withdraw"
    POLICY_APPLIED = "policy.applied"
    REMOVAL = "removal"
    DESTRUCTION = "destruction"
    ARCHIVE_KEEP = "archive.keep"
    KEYS_REPLACED = "keys.replaced"
    KEYS_RENEWED = "keys.renewed"
    CERTIFICATE_ISSUED = "certificate.issued"
    CERTIFICATE_SHOW = "certificate.show"
    BODIES_DELETED = "bodies.deleted"
    CLOCK_CONFIRM = "clock.confirm"
    RECEIPT_SHOW = "receipt.show"
    ACTOR_ENROL = "actor.enrol"
    ACTOR_END = "actor.end"
    ACTOR_LIST = "actor.list"
    INTEGRITY_INCIDENT = "integrity.incident"
    AUDIT_SHOW = "audit.show"
    AUDIT_EXPORT = "audit.export"
    REVIEW_QUEUE = "review.queue"
    REVIEW_OPEN = "review.open"
    REVIEW_DECIDE = "review.decide"
    SUBJECT_RESTRICT = "subject.restrict"
    EARLY_END_LIST = "early-end.list"
    EARLY_END_PROPOSE = "early-end.propose"
    EARLY_END_SETTLE = "early-end.settle"
    TEXT_ENDED = "text.ended"
    RETURN_PROPOSE = "return.propose"
    RETURN_SETTLE = "return.settle"
    DESK_QUEUE = "desk.queue"
    DESK_JUDGE = "desk.judge"
    NAME_FOUND = "name.found"
    HOLD_SHOW = "hold.show"
    HOLD_LAY = "hold.lay"
    HOLD_LIFT = "hold.lift"
    ABSENCE_STATE = "absence.state"
    ARCHIVE_KEYS = "archive.keys"
    ARCHIVE_OPEN = "archive.open"
    ARCHIVE_KEY_DESTROYED = "archive.key-destroyed"
    BACKUP_MADE = "backup.made"
    BACKUP_RESTORED = "backup.restored"
    LOG_KEYS_REPLACED = "log-keys.replaced"
    REPLICA_ATTESTED = "replica.attested"
    REPLICA_STRUCK = "replica.struck"


_PRUNED: Final = frozenset(
    {
        Act.SIGNAL_RECORD,
        Act.SIGNAL_OPEN,
        Act.SOURCE_OPEN,
        Act.SUBJECT_FIND,
        Act.BATCH_ORDER,
        Act.BATCH_LIST,
        Act.BATCH_SETTLE,
        Act.BATCH_RUN,
        Act.SUBJECT_OPEN,
        Act.NETWORK_SHOW,
        Act.PATHS_SHOW,
        Act.RETENTION_PLAN,
        Act.RETENTION_EXPLAIN,
        Act.RETENTION_SEE,
        Act.ACTOR_LIST,
        Act.POLICY_SHOW,
        Act.POLICY_IMPACT,
        Act.CERTIFICATE_SHOW,
        Act.RECEIPT_SHOW,
        Act.AUDIT_SHOW,
        Act.AUDIT_EXPORT,
        Act.ABSENCE_STATE,
    }
)
"""Acts that tighten nothing: a restored graph is brought up to date without them."""


class Outcome(StrEnum):
    """How it ended. A refusal is recorded like an act."""

    DONE = "done"
    REFUSED = "refused"


class Term(StrEnum):
    """How long the body of an entry is kept: its own term, or, of what tightens, as long as a copy lives (ledger)."""

    STANDARD = "standard"
    LEDGER = "ledger"

    @classmethod
    def of(cls, act: Act, outcome: Outcome) -> "Term":
        """Return the term of an entry. Whatever is not known to tighten nothing is the ledger's."""
        return cls.STANDARD if act in _PRUNED or outcome is Outcome.REFUSED else cls.LEDGER


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the audit log.

    Attributes:
        at: aware, UTC.
        actor, role: codes of who acted; `system` for the keeper.
        purpose, case: code of the closed list and case reference, "" where the act discloses nothing.
        targets: ids concerned (subjects, signals, runs, certificates), sorted.
        count: how many items were found or touched.
        detail: further codes and digests, values of str or int only.
        salt: 16 random bytes in hexadecimal, so that the log's leaf says nothing about the body once the body is gone.
    """

    id: EntryId = field(default_factory=lambda: EntryId(mint()))
    at: datetime
    actor: str
    role: str
    act: Act
    outcome: Outcome = Outcome.DONE
    purpose: str = ""
    case: str = ""
    targets: tuple[str, ...] = ()
    count: int = 0
    detail: Mapping[str, str | int] = field(default_factory=dict)
    salt: str = field(default_factory=lambda: secrets.token_hex(16))

    def found(self, targets: Iterable[str], count: int) -> "Entry":
        """Return this entry with what the act found: ids (sorted here) and their number."""
        return replace(self, targets=tuple(sorted(targets)), count=count)

    def body(self) -> bytes:
        """Return the canonical body (JSON, sorted keys, ASCII, no salt); the log's leaf is SHA-256(salt | body)."""
        content: dict[str, Any] = {
            "id": self.id,
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "actor": self.actor,
            "role": self.role,
            "act": self.act,
            "outcome": self.outcome,
            "purpose": self.purpose,
            "case": self.case,
            "targets": self.targets,
            "count": self.count,
            "detail": dict(self.detail),
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")


def refused_entry(actor: str, role: str, act: Act, at: datetime, code: str) -> Entry:
    """Return the entry of an attempt that was refused at `at` (aware, UTC), with the refusal's code."""
    return Entry(at=at, actor=actor, role=role, act=act, outcome=Outcome.REFUSED, detail={"code": code})

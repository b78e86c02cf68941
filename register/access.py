"""Who may do what: deny by default, one decision function.

`Grant` is made by `authorise` only, and stores demand one. The administrator sees no content.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from register.errors import Fault, Invalid, Refused
from register.grading import HandlingCode


class Role(StrEnum):
    """What somebody is here for."""

    CONTRIBUTOR = "contributor"
    ANALYST = "analyst"
    DESK_OFFICER = "desk-officer"
    REVIEWER = "reviewer"
    PRIVACY_OFFICER = "privacy-officer"
    COMPLIANCE_OFFICER = "compliance-officer"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"


class Permission(StrEnum):
    """What can be permitted."""

    SIGNAL_RECORD = "signal.record"
    RECEIPT_SEE = "receipt.see"
    SIGNAL_OPEN = "signal.open"
    SOURCE_OPEN = "source.open"
    SUBJECT_FIND = "subject.find"
    BATCH_ORDER = "batch.order"
    BATCH_SETTLE = "batch.settle"
    SUBJECT_OPEN = "subject.open"
    NETWORK_SHOW = "network.show"
    PATHS_SHOW = "paths.show"
    RETENTION_PLAN = "retention.plan"
    RETENTION_ORDER = "retention.order"
    RETENTION_APPROVE = "retention.approve"
    CERTIFICATE_SEE = "certificate.see"
    CLOCK_CONFIRM = "clock.confirm"
    POLICY_SEE = "policy.see"
    POLICY_PROPOSE = "policy.propose"
    POLICY_APPROVE = "policy.approve"
    ACTOR_MANAGE = "actor.manage"
    AUDIT_SEE = "audit.see"
    AUDIT_EXPORT = "audit.export"
    ABSENCE_STATE = "absence.state"
    REVIEW_SEE = "review.see"
    REVIEW_DECIDE = "review.decide"
    SUBJECT_RESTRICT = "subject.restrict"
    EARLY_END_SEE = "early-end.see"
    EARLY_END_PROPOSE = "early-end.propose"
    EARLY_END_SETTLE = "early-end.settle"
    RETURN_PROPOSE = "return.propose"
    RETURN_SETTLE = "return.settle"
    DESK_SEE = "desk.see"
    DESK_JUDGE = "desk.judge"
    HOLD_SEE = "hold.see"
    HOLD_LAY = "hold.lay"
    HOLD_LIFT = "hold.lift"


_P = Permission
PERMISSIONS: Final = MappingProxyType(
    {
        Role.CONTRIBUTOR: frozenset({_P.SIGNAL_RECORD, _P.RECEIPT_SEE}),
        Role.ANALYST: frozenset(
            {_P.SIGNAL_OPEN, _P.SUBJECT_FIND, _P.BATCH_ORDER, _P.SUBJECT_OPEN, _P.NETWORK_SHOW, _P.PATHS_SHOW}
        ),
        Role.DESK_OFFICER: frozenset(
            {
                _P.SIGNAL_OPEN,
                _P.SOURCE_OPEN,
                _P.DESK_SEE,
                _P.DESK_JUDGE,
                _P.EARLY_END_SEE,
                _P.EARLY_END_PROPOSE,
                _P.EARLY_END_SETTLE,
            }
        ),
        Role.REVIEWER: frozenset(
            {
                _P.SIGNAL_OPEN,
                _P.SUBJECT_OPEN,
                _P.REVIEW_SEE,
                _P.REVIEW_DECIDE,
                _P.EARLY_END_SEE,
                _P.EARLY_END_PROPOSE,
                _P.EARLY_END_SETTLE,
            }
        ),
        Role.PRIVACY_OFFICER: frozenset(
            {
                _P.SIGNAL_OPEN,
                _P.SUBJECT_FIND,
                _P.SUBJECT_OPEN,
                _P.CERTIFICATE_SEE,
                _P.AUDIT_SEE,
                _P.AUDIT_EXPORT,
                _P.ABSENCE_STATE,
                _P.REVIEW_SEE,
                _P.SUBJECT_RESTRICT,
                _P.RETURN_PROPOSE,
                _P.RETURN_SETTLE,
                _P.EARLY_END_SEE,
                _P.EARLY_END_PROPOSE,
                _P.EARLY_END_SETTLE,
            }
        ),
        Role.COMPLIANCE_OFFICER: frozenset(
            {
                _P.BATCH_SETTLE,
                _P.HOLD_SEE,
                _P.HOLD_LAY,
                _P.HOLD_LIFT,
                _P.RETENTION_PLAN,
                _P.RETENTION_ORDER,
                _P.RETENTION_APPROVE,
                _P.CERTIFICATE_SEE,
                _P.CLOCK_CONFIRM,
                _P.POLICY_SEE,
                _P.POLICY_PROPOSE,
                _P.POLICY_APPROVE,
                _P.AUDIT_SEE,
                _P.AUDIT_EXPORT,
            }
        ),
        Role.ADMINISTRATOR: frozenset(
            {
                _P.ACTOR_MANAGE,
            }
        ),
        Role.SYSTEM: frozenset({_P.RETENTION_PLAN}),
    }
)

DISCLOSING: Final = frozenset(
    {
        _P.SIGNAL_OPEN,
        _P.SOURCE_OPEN,
        _P.SUBJECT_FIND,
        _P.BATCH_ORDER,
        _P.BATCH_SETTLE,
        _P.SUBJECT_OPEN,
        _P.NETWORK_SHOW,
        _P.PATHS_SHOW,
        _P.AUDIT_SEE,
        _P.AUDIT_EXPORT,
        _P.ABSENCE_STATE,
        _P.REVIEW_SEE,
        _P.REVIEW_DECIDE,
        _P.SUBJECT_RESTRICT,
        _P.EARLY_END_SEE,
        _P.EARLY_END_PROPOSE,
        _P.EARLY_END_SETTLE,
        _P.RETURN_PROPOSE,
        _P.RETURN_SETTLE,
        _P.DESK_SEE,
        _P.DESK_JUDGE,
    }
)
"""What may show content, who looked at it or that it is there, or decides about it: with purpose and case."""


class Purpose(StrEnum):
    """The closed list of purposes, each with its legal basis (see `PURPOSE_BASIS`)."""

    THEME_INSIGHT = "theme-insight"
    NECESSITY_REVIEW = "necessity-review"
    PROVISION = "provision"
    RIGHTS_REQUEST = "rights-request"
    OVERSIGHT = "oversight"


PURPOSE_BASIS: Final = MappingProxyType(
    {
        Purpose.THEME_INSIGHT: "Wpg art. 10(1)(b)",
        Purpose.NECESSITY_REVIEW: "Wpg art. 10(6)",
        Purpose.PROVISION: "Wpg art. 15",
        Purpose.RIGHTS_REQUEST: "Wpg art. 25-28",
        Purpose.OVERSIGHT: "Wpg art. 32a",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why somebody looks or decides: a purpose of the closed list and a case reference; both land in the audit log."""

    purpose: str
    case: str


CASE_PATTERN: Final = re.compile(r"^[A-Z0-9/-]{1,40}$")
MARKING_PATTERN: Final = re.compile(r"^[a-z0-9][a-z0-9-]{0,39}$")
ACTOR_PATTERN: Final = re.compile(r"^[a-z0-9][a-z0-9.-]{1,39}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody who has shown who they are.

    Attributes:
        code: stable code of the person or machine, matching ACTOR_PATTERN.
        markings: compartments granted to this actor.
        handling: handling codes this actor is cleared for (the policy's strictness order, up to a code).
    """

    code: str
    role: Role
    markings: frozenset[str] = frozenset()
    handling: frozenset[HandlingCode] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Leave to do one thing, once. Made by `authorise`."""

    actor: Actor
    permission: Permission
    purpose: str
    case: str
    as_of: datetime


def authorise(actor: Actor, permission: Permission, *, as_of: datetime, purpose: str = "", case: str = "") -> Grant:
    """Decide whether `actor` may use `permission` at `as_of` (aware, UTC).

    Raises:
        Refused: the role does not have the permission.
        Invalid: the permission discloses, and purpose or case reference is missing or malformed.
    """
    if permission not in PERMISSIONS.get(actor.role, frozenset()):
        raise Refused("access.denied", "this role may not do that")
    if permission in DISCLOSING:
        faults = []
        if purpose not in set(Purpose):
            listed = ", ".join(Purpose)
            faults.append(Fault(pointer="/purpose", rule="purpose.unknown", message=f"a purpose is needed: {listed}"))
        if not CASE_PATTERN.fullmatch(case):
            rule = f"a case reference is needed, matching {CASE_PATTERN.pattern}"
            faults.append(Fault(pointer="/case", rule="case.malformed", message=rule))
        if faults:
            raise Invalid(faults)
    return Grant(actor=actor, permission=permission, purpose=purpose, case=case, as_of=as_of)

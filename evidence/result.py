"""What verifying a certificate comes to: twelve checks, a status, and the exit code of the process that reports it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

CHECKS: Final = {
    1: "form",
    2: "payload-type",
    3: "base64",
    4: "signatures",
    5: "sense",
    6: "leaf",
    7: "inclusion",
    8: "checkpoint",
    9: "witnesses",
    10: "consistency",
    11: "revocation",
    12: "verdict",
}
STALE_EXIT: Final = 10
FAILED_EXIT: Final = 10
"""A failed check gives this plus its number: 11 to 22."""
QUORUM_EXIT: Final = 19
"""Fewer witnesses than were asked for."""


class Status(StrEnum):
    """What the verification comes to."""

    VALID = "valid"
    NOT_WITNESSED = "valid-but-not-witnessed"
    STALE = "stale"
    INVALID = "invalid"


class Finding(StrEnum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_DONE = "not-done"
    NOT_REACHED = "not-reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One of the twelve checks.

    Attributes:
        code: stable name of the check.
        reason: why it failed or was not done, as a stable code; "" otherwise.
        detail: the same in a sentence, in English, without any value of the certificate.
    """

    number: int
    code: str
    finding: Finding
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was found.

    Attributes:
        exit_code: 0 valid (also where no witness was asked for), 10 stale, 10 + number of the check that failed.
        checks: all twelve, in order.
        limits: codes of what this does not prove; `evidence.words` puts them into sentences.
        predicate: what the certificate states, once it has passed checks 1 to 5; None before.
        digest: SHA-256 of the envelope.
    """

    status: Status
    exit_code: int
    checks: tuple[Check, ...]
    limits: tuple[str, ...]
    predicate: dict[str, Any] | None
    digest: str

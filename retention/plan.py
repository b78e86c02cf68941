"""A plan: what is due on a date, why, what goes with it, and whether a second person has to agree. No rules here."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from register.ids import SignalId, SubjectId
from retention.rules import Policy

DueItem = tuple[str, int]
"""Id and revision of one item, as a run keeps it."""


class Kind(StrEnum):
    """What is due in its own right."""

    SUBJECT = "subject"
    SIGNAL = "signal"


class Reason(StrEnum):
    """What is wrong with a record; each is an incident.

    `does-not-verify`: facts that this register did not write; `behind`: an older state put back; `no-event`: nothing
    explains why it is kept; `stated-later`, `stated-earlier`: its date is not the one that its events give.
    """

    DOES_NOT_VERIFY = "does-not-verify"
    BEHIND = "behind"
    NO_EVENT = "no-event"
    STATED_LATER = "stated-later"
    STATED_EARLIER = "stated-earlier"


DISTRUSTED = frozenset({Reason.DOES_NOT_VERIFY, Reason.BEHIND, Reason.NO_EVENT})
"""Findings after which a record is hidden at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A record that is not as it should be."""

    id: str
    kind: Kind
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """How a deadline came about, as certificates state it. `event` is an event's kind, `discovery` or `stated-date`."""

    rule: str
    event: str
    event_on: date
    period: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One item that is due in its own right, in the revision planned, with the arithmetic in words."""

    id: str
    kind: Kind
    revision: int
    term: Term
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """What goes with the subjects that are due, by name, as the register stands now.

    Attributes:
        gone: signals of which no subject stays, each with the due subjects it names.
        redacted: signals that stay for other subjects, each with the due subjects taken out of it.
        identifiers: how many the due subjects carry; one that somebody who stays carries too stays.
    """

    gone: tuple[tuple[SignalId, tuple[SubjectId, ...]], ...] = ()
    redacted: tuple[tuple[SignalId, tuple[SubjectId, ...]], ...] = ()
    mentions: int = 0
    links: int = 0
    identifiers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run on civil date `as_of` would do.

    Attributes:
        live_subjects, live_signals: how many the register holds.
        due: items due in their own right, subjects first, by id.
        findings: records that do not verify or whose date is not what their events give.
    """

    as_of: date
    policy: Policy
    live_subjects: int
    live_signals: int
    due: tuple[Due, ...]
    cascade: Cascade
    findings: tuple[Finding, ...]

    @property
    def subjects(self) -> tuple[tuple[SubjectId, int], ...]:
        """The subjects due, each with its revision."""
        return tuple((SubjectId(one.id), one.revision) for one in self.due if one.kind is Kind.SUBJECT)

    @property
    def signals(self) -> tuple[tuple[SignalId, int], ...]:
        """The signals due in their own right, each with its revision."""
        return tuple((SignalId(one.id), one.revision) for one in self.due if one.kind is Kind.SIGNAL)

    @property
    def digest(self) -> str:
        """What a second person agrees to: SHA-256 over date, policy and items."""
        return digest(self.as_of, self.policy.digest, self.subjects, self.signals)

    @property
    def needs_approval(self) -> bool:
        """Whether so much is due that a second person has to agree."""
        radius = self.policy.blast_radius
        subjects = radius.exceeded(len(self.subjects), self.live_subjects)
        return subjects or radius.exceeded(len(self.signals), self.live_signals)

    def difference(self, previous: Collection[str]) -> Mapping[str, int]:
        """Return how many items are new, and how many gone, against the `fingerprint`s of an earlier plan's items."""
        now = {fingerprint(one.id) for one in self.due}
        return {"new": len(now - set(previous)), "gone": len(set(previous) - now)}

    def told(self) -> Mapping[str, object]:
        """The plan for people and programs: ids, codes, dates and counts, in values of JSON."""
        return {
            "as_of": self.as_of.isoformat(),
            "policy": self.policy.name,
            "policy_sha256": self.policy.digest,
            "outcome": self.policy.rule.outcome.value,
            "digest": self.digest,
            "needs_approval": self.needs_approval,
            "live": {"subjects": self.live_subjects, "signals": self.live_signals},
            "counts": {
                "subjects": len(self.subjects),
                "signals that name nobody": len(self.signals),
                "signals that go with their last subject": len(self.cascade.gone),
                "signals that stay, redacted": len(self.cascade.redacted),
                "mentions": self.cascade.mentions,
                "links": self.cascade.links,
                "identifiers, unless others carry them": self.cascade.identifiers,
            },
            "due": [
                {
                    "kind": one.kind.value,
                    "id": one.id,
                    "remove_by": one.term.due_on.isoformat(),
                    "rule": one.term.rule,
                    "because": list(one.because),
                }
                for one in self.due
            ],
            "gone": [{"id": signal, "with": list(subjects)} for signal, subjects in self.cascade.gone],
            "redacted": [{"id": signal, "without": list(subjects)} for signal, subjects in self.cascade.redacted],
            "findings": [{"kind": one.kind.value, "id": one.id, "reason": one.reason.value} for one in self.findings],
        }


def digest(as_of: date, policy: str, subjects: Iterable[DueItem], signals: Iterable[DueItem]) -> str:
    """Return the digest of a plan's items: SHA-256, hexadecimal, over canonical JSON.

    Also of those that a run has kept, so that what was agreed to can be told from the run itself.
    """
    content = {"as_of": as_of.isoformat(), "policy": policy, "subjects": sorted(subjects), "signals": sorted(signals)}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def fingerprint(item: str) -> str:
    """Return the SHA-256 of an id, hexadecimal: all that is kept of it once it is gone."""
    return hashlib.sha256(item.encode("ascii")).hexdigest()

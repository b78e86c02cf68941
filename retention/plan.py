"""A plan: what is due on a date, why, what goes with it, and whether a second person has to agree. No rules here."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from register.ids import ArchiveId, IdentifierId, SignalId, SubjectId
from register.runs import Fate
from retention.planned import Ground, Kind, Planned, Term, Wait, digest, fingerprint, iso
from retention.rules import Policy


class Reason(StrEnum):
    """What is wrong with a record; each is an incident.

    `does-not-verify`: facts that this register did not write; `behind`: an older state put back; `purged`: it was
    purged and is there again; `no-event`: nothing explains why it is kept; `stated-later`, `stated-earlier`: its date
    is not the one that its events give; `no-file`: the archive has a stub and no file; `no-stub`: the other way round;
    `hold-gone`: a hold that covered a removed record is no longer there.
    """

    DOES_NOT_VERIFY = "does-not-verify"
    BEHIND = "behind"
    PURGED = "purged"
    NO_EVENT = "no-event"
    STATED_LATER = "stated-later"
    STATED_EARLIER = "stated-earlier"
    NO_FILE = "no-file"
    NO_STUB = "no-stub"
    HOLD_GONE = "hold-gone"


DISTRUSTED = frozenset({Reason.DOES_NOT_VERIFY, Reason.BEHIND, Reason.PURGED, Reason.NO_EVENT})
"""Findings after which a live record is hidden at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A record that is not as it should be."""

    id: str
    kind: Kind
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One item that is due in its own right, in the revision planned, with the arithmetic in words.

    Attributes:
        fate: removed to the archive, or destroyed.
        destroy_on: of what is removed: when it will be destroyed.
        holds: ids of the holds on it, sorted.
    """

    id: str
    kind: Kind
    revision: int
    term: Term
    because: tuple[str, ...]
    fate: Fate
    destroy_on: date | None = None
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One item whose day has come and that stays for now."""

    id: str
    kind: Kind
    reason: Wait
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """What goes with the subjects that are due, by name, as the register stands now.

    Attributes:
        gone: signals of which no subject stays, each with the due subjects it names.
        redacted: signals that stay for other subjects, each with the due subjects taken out of it.
        identifiers: those that the due subjects carry; one that somebody who stays carries too stays.
    """

    gone: tuple[tuple[SignalId, tuple[SubjectId, ...]], ...] = ()
    redacted: tuple[tuple[SignalId, tuple[SubjectId, ...]], ...] = ()
    mentions: int = 0
    links: int = 0
    identifiers: tuple[IdentifierId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run on civil date `as_of` would do.

    Attributes:
        live_subjects, live_signals: how many the register holds; archived: how many records the archive keeps.
        due: items due in their own right: subjects, signals, archived records, each by id.
        waiting: items whose day has come and that stay for now; reviews_due: subjects whose review is overdue.
        findings: records that do not verify or whose date is not what their events give.
        holds: every hold that was considered, with its ground.
    """

    as_of: date
    policy: Policy
    live_subjects: int
    live_signals: int
    archived: int
    due: tuple[Due, ...]
    waiting: tuple[Waiting, ...]
    reviews_due: int
    cascade: Cascade
    findings: tuple[Finding, ...]
    holds: Mapping[str, str]

    @property
    def subjects(self) -> tuple[tuple[SubjectId, int], ...]:
        """The subjects due, each with its revision."""
        return tuple((SubjectId(one.id), one.revision) for one in self.due if one.kind is Kind.SUBJECT)

    @property
    def signals(self) -> tuple[tuple[SignalId, int], ...]:
        """The signals due in their own right, each with its revision."""
        return tuple((SignalId(one.id), one.revision) for one in self.due if one.kind is Kind.SIGNAL)

    @property
    def records(self) -> tuple[tuple[ArchiveId, int], ...]:
        """The archived records whose destruction is due, each with the revision of its stub."""
        return tuple((ArchiveId(one.id), one.revision) for one in self.due if one.kind is Kind.ARCHIVED)

    @property
    def planned(self) -> Planned:
        """What a run keeps of this beside the items."""
        policy = self.policy
        going = {signal for signal, _ in self.cascade.gone} | set(self.cascade.identifiers)
        return Planned(
            policy={"name": policy.name, "valid_from": policy.valid_from.isoformat(), "sha256": policy.digest},
            live={"subjects": self.live_subjects, "signals": self.live_signals},
            grounds=tuple(_grounds(policy)),
            terms={one.id: one.term for one in self.due},
            fates={one.id: (one.fate, one.destroy_on) for one in self.due},
            held={one.id: one.holds for one in self.due if one.holds},
            holds=self.holds,
            waiting=Counter((one.kind, one.reason) for one in self.waiting),
            kept=Counter(self.holds[one.holds[0]] for one in self.waiting if one.reason is Wait.HELD),
            going=tuple(sorted(going)),
        )

    @property
    def digest(self) -> str:
        """What a second person agrees to: SHA-256 over date, policy, items and how each came to be due."""
        return digest(self.as_of, self.planned, self.subjects, self.signals, self.records)

    @property
    def needs_approval(self) -> bool:
        """Whether so much is due that a second person has to agree."""
        radius = self.policy.blast_radius
        return (
            radius.exceeded(len(self.subjects), self.live_subjects)
            or radius.exceeded(len(self.signals), self.live_signals)
            or radius.exceeded(len(self.records), self.archived)
        )

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
            "archived": self.archived,
            "counts": {
                "subjects": len(self.subjects),
                "signals in their own right": len(self.signals),
                "signals that go with their last subject": len(self.cascade.gone),
                "signals that stay, redacted": len(self.cascade.redacted),
                "mentions": self.cascade.mentions,
                "links": self.cascade.links,
                "identifiers, unless others carry them": len(self.cascade.identifiers),
                "archived records to destroy": len(self.records),
                "review overdue": self.reviews_due,
            },
            "due": [
                {
                    "kind": one.kind.value,
                    "id": one.id,
                    "remove_by": one.term.due_on.isoformat(),
                    "fate": one.fate.value,
                    "destroy_on": iso(one.destroy_on),
                    "rule": one.term.rule,
                    "holds": list(one.holds),
                    "because": list(one.because),
                }
                for one in self.due
            ],
            "waiting": [
                {"kind": one.kind.value, "id": one.id, "reason": one.reason.value, "holds": list(one.holds)}
                for one in self.waiting
            ],
            "gone": [{"id": signal, "with": list(subjects)} for signal, subjects in self.cascade.gone],
            "redacted": [{"id": signal, "without": list(subjects)} for signal, subjects in self.cascade.redacted],
            "findings": [{"kind": one.kind.value, "id": one.id, "reason": one.reason.value} for one in self.findings],
        }


def _grounds(policy: Policy) -> Iterable[Ground]:
    """Yield every rule by which something may be due, with its citation."""
    own = [rule for rule in policy.rules if rule.ground is policy.ground]
    cited = [(rule.id, rule.category, rule.citation) for rule in own]
    cited += [(flaw.id, policy.rule.category, flaw.citation) for flaw in policy.flaws]
    cited += [(policy.distrust.id, policy.distrust.category, policy.distrust.citation)]
    if policy.archive is not None:
        cited += [(policy.archive.id, policy.rule.category, policy.archive.citation)]
    for rule, category, citation in cited:
        yield Ground(
            rule=rule,
            category=category,
            article=str(citation),
            source=citation.source,
            version_on=citation.version_on,
        )

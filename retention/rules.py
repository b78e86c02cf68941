"""The typed form of a policy file: rules as data, with their citations. What the rules come to is in `terms`."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from register.grading import HandlingCode, SubjectKind
from register.lifetime import EventKind, HoldGround
from retention.calendar import Period


class Ground(StrEnum):
    """The article of the Wpg under which data are processed."""

    WPG_8 = "wpg-8"
    WPG_9 = "wpg-9"
    WPG_10_1_A = "wpg-10-1-a"
    WPG_10_1_B = "wpg-10-1-b"
    WPG_10_1_C = "wpg-10-1-c"
    WPG_12 = "wpg-12"
    WPG_13 = "wpg-13"


class Basis(StrEnum):
    """Where a rule comes from: the statute's text, or our own choice, mostly stricter, where the law leaves room."""

    STATUTE = "statute"
    POLICY = "policy"


class Outcome(StrEnum):
    """What happens at the end of a term."""

    ARCHIVE_THEN_DESTROY = "archive-then-destroy"
    DESTROY = "destroy"


class Combine(StrEnum):
    """From which of its start events a term runs: the latest, the first, or the day on which each kind has happened."""

    LATEST = "latest"
    EARLIEST = "earliest"
    ALL = "all"


class Silence(StrEnum):
    """What a review that nobody decides comes to: hidden first, then dealt with as at the end of the term."""

    RESTRICT_THEN_END = "restrict-then-end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where a rule comes from: article and paragraph, the law's number in wetten.overheid.nl, the text's date."""

    law: str
    article: str
    source: str
    version_on: date | None

    def __str__(self) -> str:
        return f"{self.law} art. {self.article}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A periodic check whether data are still needed.

    Attributes:
        interval: how long after the latest of `starts`, or after a review, the next one has to be done.
        notice: how long before that it is announced.
        restricted, ended: how long after it, if nobody decides, the record is hidden, and comes to its end.
        starts: kinds of event that count as a check, by the day of their acceptance (of a decision or order: its own).
    """

    title: str
    citation: Citation
    basis: Basis
    checked: bool
    interval: Period
    notice: Period
    restricted: Period
    ended: Period
    starts: frozenset[EventKind]
    silence: Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A term of the law: title, mandate, scope, trigger, period and action.

    Attributes:
        kinds: what it applies to; None stands for a signal that names nobody.
        category: of the processing, as certificates call it.
        checked: whether the law's text was read for it.
        starts: kinds of event from which the term runs, `combine` says from which of several.
        opens: kinds that bring data in without a term running yet; ends: kinds that end it that day.
        term: how long; `NOTHING` where it is `written` down beforehand for each file (Wpg art. 13(4)).
        check: the periodic check, or None where the law has none.
        outcome: at the end of the term; early: when it is found to be no longer necessary.
        searchable: how long it may be searched freely, if that is shorter than the term (Wpg art. 8(1)).
    """

    id: str
    title: str
    scope: str
    ground: Ground
    kinds: frozenset[SubjectKind | None]
    category: str
    citation: Citation
    basis: Basis
    checked: bool
    starts: frozenset[EventKind]
    combine: Combine
    opens: frozenset[EventKind]
    ends: frozenset[EventKind]
    term: Period
    written: bool
    check: Check | None
    outcome: Outcome
    early: Outcome
    searchable: Period | None

    def revives(self, kind: EventKind) -> bool:
        """Say whether this kind of event brings back what has ended: an order, where the ground knows one."""
        return kind is EventKind.ORDER and kind in self.starts | self.opens


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Data that may not be kept at all: destroyed without an archive, unless a hold on one of some grounds stands."""

    kind: EventKind
    id: str
    title: str
    citation: Citation
    basis: Basis
    held_by: frozenset[HoldGround]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """How long removed data are kept in the closed archive, for complaints and accountability only."""

    id: str
    title: str
    citation: Citation
    basis: Basis
    term: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Distrust:
    """How long a record whose facts do not verify may still be there, hidden, after its discovery."""

    id: str
    title: str
    category: str
    citation: Citation
    basis: Basis
    term: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Within which term after its receipt an informant's signal may be handed on, in months (Wpg art. 12)."""

    id: str
    title: str
    citation: Citation
    basis: Basis
    months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A ground on which a destruction may be put off, with its citation."""

    ground: HoldGround
    title: str
    citation: Citation


class RequestKind(StrEnum):
    """What a person can ask of the controller (Wpg art. 25 and 28)."""

    ACCESS = "access"
    RECTIFICATION = "rectification"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTerm:
    """Within which term a request is answered; `postponed` is by how much that may be put off, once and in writing."""

    kind: RequestKind
    title: str
    citation: Citation
    basis: Basis
    checked: bool
    term: Period
    postponed: Period | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlastRadius:
    """How many items a run may take without a second person: `at_least`, or `percent` of the live ones if that is more.

    Counted apart for subjects and for signals that name nobody.
    """

    at_least: int
    percent: int

    def exceeded(self, due: int, live: int) -> bool:
        """Say whether `due` of `live` items are too many for one person, or for none, to decide on."""
        return due > self.at_least and due * 100 > self.percent * live


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy file.

    Attributes:
        supersedes: file names of policies that it takes the place of altogether: they are in force on no date.
        digest: SHA-256 of the file's bytes, hexadecimal; versions are never edited.
        authors: codes of the actors who wrote it: none of them is a run's second person.
        ground: under which this register processes; `rule` is its term.
        flaws: data that may not be kept at all; archive: None in a policy that destroys everything at once.
        handling: handling codes by strictness, the mildest first; codes of one group are equally strict.
        proposed: how long a signal may wait for acceptance; canary: the term of each installation's made-up record.
        backlog: how long something due may stay undone before intake is refused.
        grace: how long after its activation the next version comes into force.
        searches_per_hour: of one user; batch_names_per_day: names one user may search for in batches.
        resend_days: how long a receipt outlives its signal, at most 90.
        batch: items of one deleting transaction; lease_seconds: how long a keeper may be silent.
    """

    name: str
    title: str
    valid_from: date
    supersedes: frozenset[str]
    digest: str
    authors: frozenset[str]
    ground: Ground
    rules: tuple[Rule, ...]
    flaws: tuple[Flaw, ...]
    archive: Archive | None
    distrust: Distrust
    informant: HandOver
    holds: tuple[Hold, ...]
    requests: tuple[RequestTerm, ...]
    handling: tuple[frozenset[HandlingCode], ...]
    proposed: Period
    canary: Period
    backlog: Period
    grace: Period
    searches_per_hour: int
    batch_names_per_day: int
    blast_radius: BlastRadius
    resend_days: int
    batch: int
    lease_seconds: int

    @property
    def version(self) -> str:
        """What its file is called, without folder and ending."""
        return f"{self.valid_from}-{self.name}"

    @property
    def rule(self) -> Rule:
        """The rule of this register's ground for persons; the loader saw to it that there is exactly one."""
        return self.rule_for(self.ground, SubjectKind.PERSON)

    def rule_for(self, ground: Ground, kind: SubjectKind | None) -> Rule:
        """Return the one rule for data of this ground and kind; None stands for a signal that names nobody.

        Raises:
            LookupError: there is none, so such data may not be kept.
        """
        for rule in self.rules:
            if rule.ground is ground and kind in rule.kinds:
                return rule
        raise LookupError("no rule for this ground")

    def flaw(self, kind: EventKind) -> Flaw | None:
        """Return what the policy says of data found to be incorrect or unlawful."""
        return next((flaw for flaw in self.flaws if flaw.kind is kind), None)

    def request(self, kind: RequestKind) -> RequestTerm:
        """Return within which term such a request is answered.

        Raises:
            LookupError: the policy does not say.
        """
        for term in self.requests:
            if term.kind is kind:
                return term
        raise LookupError("no term for such a request")

    def cleared(self, up_to: HandlingCode) -> frozenset[HandlingCode]:
        """Return the codes that somebody cleared up to `up_to` may see: those not stricter than it."""
        level = next(level for level, codes in enumerate(self.handling) if up_to in codes)
        return frozenset[HandlingCode]().union(*self.handling[: level + 1])

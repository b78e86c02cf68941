"""The typed form of a policy file: rules as data, with their citations. What the rules come to is in `terms`."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from register.grading import HandlingCode
from register.lifetime import EventKind
from retention.calendar import Period


class Ground(StrEnum):
    """The article of the Wpg under which data are processed."""

    WPG_8 = "wpg-8"
    WPG_9 = "wpg-9"
    WPG_10_1_A = "wpg-10-1-a"
    WPG_10_1_B = "wpg-10-1-b"
    WPG_10_1_C = "wpg-10-1-c"
    WPG_12 = "wpg-12"


class HoldGround(StrEnum):
    """The statutory grounds of a hold."""

    ARCHIVAL_VALUE = "wpg-14-4"
    ACCURACY_DISPUTED = "wpg-28-2-a"
    EVIDENCE = "wpg-28-2-b"


class Basis(StrEnum):
    """How sure a rule is: read in the statute's text, chosen where the law leaves room, or not checked yet."""

    STATUTE = "statute"
    POLICY = "policy"
    UNCHECKED = "unchecked"


class Outcome(StrEnum):
    """What happens at the end of a term."""

    DESTROY = "destroy"


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
class Rule:
    """A term of the law.

    Attributes:
        category: of the processing, as certificates call it.
        starts: kinds of event from which the term runs, the latest one counting; ends: kinds that end it that day.
    """

    id: str
    title: str
    scope: str
    ground: Ground
    category: str
    citation: Citation
    basis: Basis
    starts: frozenset[EventKind]
    ends: frozenset[EventKind]
    term: Period
    outcome: Outcome


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
        digest: SHA-256 of the file's bytes, hexadecimal; versions are never edited.
        authors: codes of the actors who wrote it: none of them is a run's second person.
        ground: under which this register processes; `rule` is its term.
        handling: handling codes by strictness, the mildest first; codes of one group are equally strict.
        resend_days: how long a receipt outlives its signal, at most 90.
        batch: items of one deleting transaction; lease_seconds: how long a keeper may be silent.
    """

    name: str
    title: str
    valid_from: date
    digest: str
    authors: frozenset[str]
    ground: Ground
    rules: tuple[Rule, ...]
    distrust: Distrust
    informant: HandOver
    holds: tuple[Hold, ...]
    handling: tuple[frozenset[HandlingCode], ...]
    blast_radius: BlastRadius
    resend_days: int
    batch: int
    lease_seconds: int

    @property
    def rule(self) -> Rule:
        """The rule of this register's ground; the loader saw to it that there is exactly one."""
        return next(rule for rule in self.rules if rule.ground is self.ground)

    def cleared(self, up_to: HandlingCode) -> frozenset[HandlingCode]:
        """Return the codes that somebody cleared up to `up_to` may see: those not stricter than it."""
        level = next(level for level, codes in enumerate(self.handling) if up_to in codes)
        return frozenset[HandlingCode]().union(*self.handling[: level + 1])

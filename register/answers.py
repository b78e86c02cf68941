"""What an enquiry answers, in clear text: shown to one reader, kept nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from register.accepted import OpenedMention
from register.grading import SubjectKind
from register.ids import SignalId, SubjectId
from register.narrative import read
from register.sealed import LinkFacts, SignalFacts
from register.stores import HarbourNode, Node
from register.subjects import NewIdentifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A subject found: how a visible signal names it, and, of a search by name, a score of 0 to 100 with reasons."""

    subject: SubjectId
    kind: SubjectKind
    names: tuple[str, ...]
    born_on: str | None
    remove_by: date | None
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one signal states about a subject."""

    signal: SignalId
    subject: SubjectId
    category: str
    names: tuple[str, ...]
    born_on: str | None
    position: str | None
    identifiers: tuple[NewIdentifier, ...]
    special: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectPage:
    """A subject with every visible statement about it and every visible link of it."""

    subject: SubjectId
    kind: SubjectKind
    remove_by: date | None
    statements: tuple[Statement, ...]
    links: tuple[LinkFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPage:
    """A signal as a reader may see it, its texts with placeholders where a subject is gone or hidden.

    Attributes:
        unstated: field and words of what looks like a name that the signal does not state; for the desk, else empty.
    """

    facts: SignalFacts
    texts: Mapping[str, str]
    unstated: tuple[tuple[str, str], ...] = ()
    statements: tuple[Statement, ...]
    links: tuple[LinkFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A subject in a picture: id, kind, and the name by which a visible signal calls it."""

    subject: SubjectId
    kind: SubjectKind
    name: str
    remove_by: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A link network: subjects, harbours and links; `left_out` visible links were beyond the budget."""

    subjects: tuple[Caption, ...]
    harbours: tuple[HarbourNode, ...]
    links: tuple[LinkFacts, ...]
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One path: subjects or harbours along it, and the links between them."""

    stops: tuple[str, ...]
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePage:
    """Who or what the source of a signal is."""

    signal: SignalId
    description: str


def hit_of(node: Node, mention: OpenedMention, remove_by: date | None, score: float, reasons: tuple[str, ...]) -> Hit:
    """Return a search's hit: what one opened mention states of a visible subject."""
    facts = node.subject.facts
    return Hit(
        subject=facts.id,
        kind=facts.kind,
        names=mention.names,
        born_on=mention.born_on,
        remove_by=remove_by,
        score=score,
        reasons=reasons,
    )


def statement_of(mention: OpenedMention, present: Mapping[int, OpenedMention], *, gone: str) -> Statement:
    """Return what an opened mention states; `gone` stands for mentions that are not `present`."""
    labels = {place: one.labels for place, one in present.items()}
    return Statement(
        signal=mention.facts.signal,
        subject=mention.facts.subject,
        category=mention.facts.category,
        names=mention.names,
        born_on=mention.born_on,
        position=None if mention.position is None else read(mention.position, labels, gone=gone),
        identifiers=mention.identifiers,
        special=mention.facts.special,
    )

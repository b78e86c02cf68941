"""The graph's model, declared once: which nodes and relationships there are and what each property is.

What is a fact follows from `register.sealed`: every field of a facts class is a property of the same name, unless the
graph says it by its shape (the ends and the type of a relationship). Mapping, deleting, reading back and the
constraints follow from this declaration; tests compare them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, get_args, get_type_hints

from register.archived import ArchivedFacts
from register.dossiers import DossierFacts, HoldFacts
from register.links import LinkKind
from register.sealed import (
    DOSSIER_FIELDS,
    MENTION_FIELDS,
    SIGNAL_FIELDS,
    Facts,
    LinkFacts,
    MentionFacts,
    SignalFacts,
    SubjectFacts,
)


class Label(StrEnum):
    """Labels of nodes. A subject also has the label of its kind, `Person` or `Organisation`."""

    SUBJECT = "Subject"
    PERSON = "Person"
    ORGANISATION = "Organisation"
    SIGNAL = "Signal"
    IDENTIFIER = "Identifier"
    PORT = "Port"
    ENTRY = "Entry"
    REGISTER = "Register"
    RUN = "Run"
    ORDER = "Order"
    JOURNAL = "Journal"
    GONE = "Gone"
    DOSSIER = "Dossier"
    HOLD = "Hold"
    ARCHIVED = "Archived"
    LEASE = "Lease"


class Tie(StrEnum):
    """Types of relationships, but for those of links: `LINKS` has these."""

    MENTIONS = "MENTIONS"
    CARRIES = "CARRIES"
    AT = "AT"


VISIBLE_MARKINGS: Final = "markings"
"""The property that the visibility clause must find, or what bears it is hidden."""

LINKS: Final = tuple(kind.relationship for kind in LinkKind)
"""One relationship type for each kind of link."""


class Kind(StrEnum):
    """Types of property values, in Neo4j's names, and byte arrays, which have none there.

    Instants are kept as microseconds since 1970-01-01T00:00Z: the driver takes a tenth of a millisecond to convert one
    zoned datetime, which was a third of its time in a bulk intake.
    """

    STRING = "STRING"
    INTEGER = "INTEGER"
    FLOAT = "FLOAT"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    INSTANT = "INTEGER NOT NULL"
    STRINGS = "LIST<STRING NOT NULL>"
    INTEGERS = "LIST<INTEGER NOT NULL>"
    BYTES = "BYTES"


class Part(StrEnum):
    """What a property is: a fact under the record's MAC, that MAC, a sealed value, or the store's own."""

    FACT = "fact"
    MAC = "mac"
    SEALED = "sealed"
    OWN = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property. `names_ids`: its values are ids of nodes or relationships, other than the bearer's own.

    An empty list of facts is kept as no property, but for that of VISIBLE_MARKINGS.
    """

    name: str
    kind: Kind
    part: Part = Part.OWN
    names_ids: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """All nodes of one label.

    Attributes:
        key: properties that together are unique.
        indexes: properties with an index of their own.
        paper: what a run or the audit trail keeps about ids that are gone, so no remains of them.
    """

    label: Label
    properties: tuple[Property, ...]
    key: tuple[str, ...] = ("id",)
    indexes: tuple[str, ...] = ()
    paper: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationships:
    """All relationships of some types, each from `source` to one of `targets`.

    Attributes:
        shaped: facts that the graph says by the relationship's ends and type.
        unique: property that is unique in the type; indexes: properties with an index of their own.
    """

    types: tuple[str, ...]
    source: Label
    targets: tuple[Label, ...]
    properties: tuple[Property, ...]
    shaped: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()


def _kind(hint: object) -> Kind:
    options = get_args(hint)
    if options and options[-1] is type(None):
        hint = options[0]
    elif options:
        return Kind.STRINGS
    plain = {int: Kind.INTEGER, bool: Kind.BOOLEAN, date: Kind.DATE, datetime: Kind.INSTANT}
    return next((kind for known, kind in plain.items() if hint is known), Kind.STRING)


def _facts(
    facts: type[Facts], *, shaped: Collection[str] = (), names_ids: Collection[str] = ()
) -> tuple[Property, ...]:
    return tuple(
        Property(name=name, kind=_kind(hint), part=Part.FACT, names_ids=name in names_ids)
        for name, hint in get_type_hints(facts).items()
        if name not in shaped
    )


def _sealed(names: Collection[str]) -> tuple[Property, ...]:
    return tuple(Property(name=name, kind=Kind.BYTES, part=Part.SEALED) for name in names)


def _own(kind: Kind, *names: str, names_ids: bool = False) -> tuple[Property, ...]:
    return tuple(Property(name=name, kind=kind, names_ids=names_ids) for name in names)


MAC: Final = Property(name="mac", kind=Kind.BYTES, part=Part.MAC)
DISTRUSTED: Final = Property(name="distrusted_on", kind=Kind.DATE)
"""Set on what does not verify, from that day on invisible: no fact, for its facts can no longer be relied upon."""
LEAVING: Final = Property(name="leaving", kind=Kind.BOOLEAN)
"""Set on a subject whose removal takes several transactions, by the first: nothing may change it any more."""
MARKED: Final = Property(name="marked_at", kind=Kind.INSTANT)
"""When a signal's markings were changed last: names in memory move to another compartment (`register.roster`)."""

_MENTION_ENDS = ("signal", "subject")
_LINK_ENDS = ("kind", "from_", "to", "to_port")

SUBJECT: Final = Nodes(
    label=Label.SUBJECT,
    properties=(*_facts(SubjectFacts, names_ids=("identifiers",)), MAC, DISTRUSTED, LEAVING),
    indexes=("review_by", "remove_by", "distrusted_on"),
)
SIGNAL: Final = Nodes(
    label=Label.SIGNAL,
    properties=(
        *_facts(SignalFacts, names_ids=("mentions", "links")),
        MAC,
        DISTRUSTED,
        MARKED,
        *_sealed(SIGNAL_FIELDS),
    ),
    indexes=("entered_at", "remove_by", "redacted_on", "distrusted_on", "marked_at"),
)
IDENTIFIER: Final = Nodes(label=Label.IDENTIFIER, properties=_own(Kind.STRING, "id", "kind"))
PORT: Final = Nodes(
    label=Label.PORT,
    properties=(*_own(Kind.STRING, "code", "name"), *_own(Kind.FLOAT, "latitude", "longitude")),
    key=("code",),
)
ENTRY: Final = Nodes(
    label=Label.ENTRY,
    properties=(
        *_own(Kind.STRING, "id", "salt", "body", "stamp", "mac"),
        *_own(Kind.INSTANT, "at", "waits"),
        *_own(Kind.INTEGER, "index"),
    ),
    key=("at", "id"),
    indexes=("waits", "index", "stamp"),
    paper=True,
)
REGISTER: Final = Nodes(
    label=Label.REGISTER,
    properties=(
        *_own(Kind.STRING, "key", "id", "policy"),
        *_own(Kind.INTEGER, "schema"),
        *_own(Kind.DATE, "canary_received_on", "canary_planted_on"),
    ),
    key=("key",),
)
LEASE: Final = Nodes(
    label=Label.LEASE,
    properties=(
        *_own(Kind.STRING, "key", "holder"),
        *_own(Kind.INTEGER, "fence"),
    ),
    key=("key",),
)
RUN: Final = Nodes(
    label=Label.RUN,
    properties=(
        *_own(Kind.STRING, "id", "state", "digest", "requested_by", "detail", "mac"),
        *_own(Kind.BOOLEAN, "approval_needed"),
        *_own(Kind.DATE, "as_of"),
        *_own(Kind.INSTANT, "started_at"),
        *_own(Kind.STRINGS, "approved_by", "approval_macs"),
        *_own(Kind.STRINGS, "due_subjects", "due_signals", "due_archived", names_ids=True),
        *_own(Kind.INTEGERS, "approved_at", "due_subject_revisions", "due_signal_revisions", "due_archived_revisions"),
    ),
    paper=True,
)
ORDER: Final = Nodes(
    label=Label.ORDER,
    properties=(
        *_own(Kind.STRING, "id", "requested_by"),
        *_own(Kind.DATE, "as_of"),
        *_own(Kind.INSTANT, "requested_at"),
    ),
    paper=True,
)
JOURNAL: Final = Nodes(
    label=Label.JOURNAL,
    properties=(
        *_own(Kind.STRING, "run", "fate"),
        *_own(Kind.INTEGER, "number", "part"),
        *_own(Kind.BOOLEAN, "last"),
        *_own(Kind.STRINGS, "subjects", "signals", "mentions", "links", "identifiers", "redacted", names_ids=True),
        *_own(Kind.STRINGS, "archived", "destroyed", "skipped", names_ids=True),
        *_own(Kind.STRINGS, "reasons"),
    ),
    key=("run", "number", "part"),
    paper=True,
)
DOSSIER: Final = Nodes(
    label=Label.DOSSIER,
    properties=(*_facts(DossierFacts, names_ids=("targets", "grounds")), MAC, *_sealed(DOSSIER_FIELDS)),
    indexes=("state",),
    paper=True,
)
HOLD: Final = Nodes(
    label=Label.HOLD,
    properties=(*_facts(HoldFacts, names_ids=("subjects", "signals", "archived", "start")), MAC),
    paper=True,
)
ARCHIVED: Final = Nodes(
    label=Label.ARCHIVED, properties=(*_facts(ArchivedFacts, names_ids=("holds",)), MAC), paper=True
)
GONE: Final = Nodes(label=Label.GONE, properties=_own(Kind.STRING, "id", "run"), indexes=("run",), paper=True)

MENTIONS: Final = Relationships(
    types=(Tie.MENTIONS,),
    source=Label.SIGNAL,
    targets=(Label.SUBJECT,),
    properties=(
        *_facts(MentionFacts, shaped=_MENTION_ENDS, names_ids=("identifiers",)),
        MAC,
        DISTRUSTED,
        *_sealed(MENTION_FIELDS),
    ),
    shaped=_MENTION_ENDS,
    unique=("id",),
)
CARRIES: Final = Relationships(types=(Tie.CARRIES,), source=Label.SUBJECT, targets=(Label.IDENTIFIER,), properties=())
AT: Final = Relationships(types=(Tie.AT,), source=Label.SIGNAL, targets=(Label.PORT,), properties=())
LINK: Final = Relationships(
    types=LINKS,
    source=Label.SUBJECT,
    targets=(Label.SUBJECT, Label.PORT),
    properties=(*_facts(LinkFacts, shaped=_LINK_ENDS, names_ids=("signal",)), MAC, DISTRUSTED),
    shaped=_LINK_ENDS,
)

NODES: Final = (
    SUBJECT,
    SIGNAL,
    IDENTIFIER,
    PORT,
    ENTRY,
    REGISTER,
    LEASE,
    RUN,
    ORDER,
    JOURNAL,
    GONE,
    DOSSIER,
    HOLD,
    ARCHIVED,
)
RELATIONSHIPS: Final = (MENTIONS, CARRIES, AT, LINK)

"""Sealed forms and the clear facts beside them: all that a store may hold and name.

A store keeps, per record, *facts* (ids, code-list values, dates the law counts with), a MAC over them, and sealed
values that it cannot open. Every fact about a subject belongs to the signal that stated it: names, birth date, position
and identifiers lie, sealed under the subject's key, on the mention by which a signal names the subject, never on the
subject itself, so that they are hidden with their signal's markings and go with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from json.encoder import encode_basestring_ascii
from operator import attrgetter
from typing import Any, Final, get_args

from register.archived import ArchivedFacts, ArchiveKeysFacts
from register.clock import civil_date
from register.dossiers import DossierFacts, HoldFacts
from register.grading import (
    Category,
    EvaluationScheme,
    HandlingCode,
    InformationGrade,
    Origin,
    SourceGrade,
    SubjectKind,
)
from register.ids import IdentifierId, LinkId, MentionId, RunId, SignalId, SubjectId
from register.links import Basis, LinkKind

MENTION_FIELDS: Final = ("names", "details", "labels")
DOSSIER_FIELDS: Final = ("title", "mandate", "reason", "answers", "settlement")
SIGNAL_FIELDS: Final = (
    "narrative",
    "necessity",
    "obtained",
    "source_description",
    "conditions",
    "reference",
    "unstated",
)


class Sealed:
    """A sealed value: opaque bytes that show nothing of themselves. Opening is an explicit call to the vault."""

    __slots__ = ("blob",)

    def __init__(self, blob: bytes) -> None:
        self.blob = blob

    def __repr__(self) -> str:
        return "<sealed>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and self.blob == other.blob

    def __hash__(self) -> int:
        return hash(self.blob)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectFacts:
    """What the law counts with for one person or organisation.

    Attributes:
        revision: raised by one at every change, a new signal about the subject included.
        remove_by: civil date on which its term ends: removed, unless a missed review ends it before.
        review_by: civil date by which its necessity has to be looked at again (Wpg art. 10(6)).
        hidden_from: civil date from whose 00:00 on it is invisible: `remove_by`, or earlier by a missed review.
        restricted: invisible for another reason than its term (dispute, request, data that do not verify).
        identifiers: ids of the strong identifiers that signals state about it, sorted. Under the subject's own MAC, so
            that nobody ties an identifier to somebody else and has later signals laid on the wrong person.
        acts: what was decided about it, oldest first, one line a decision in the form of `register.decisions`.
    """

    id: SubjectId
    kind: SubjectKind
    revision: int
    remove_by: date
    review_by: date
    hidden_from: date
    restricted: bool = False
    identifiers: tuple[IdentifierId, ...] = ()
    acts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFacts:
    """Dates, codes and composition of one signal.

    Attributes:
        revision: raised by one at every change, such as the removal of one of several subjects.
        content: content revision, raised when a sealed field changes; all sealed fields are bound to it.
        received_on: civil date on which the contributor received the information.
        handed_in_on: civil date on which it was handed to this register.
        entered_at: instant of entry (aware, UTC); `accepted_on` is its civil date.
        contributor: code of the actor who handed it in.
        remove_by: of a signal without subjects, which ends by its own term, and of one that was ended early; else
            None: it lives by its subjects.
        mentions, links: ids of all its mentions and links, sorted; ports: UN/LOCODEs, sorted.
        redacted_on: civil date since which the desk has to look whether it still tells who a removed subject was; None
            where nothing was taken out of it, or the desk has looked since.
        acts: what was decided about it, as of a subject.
    """

    id: SignalId
    revision: int
    content: int
    received_on: date
    handed_in_on: date
    entered_at: datetime
    observed_from: date | None = None
    observed_until: date | None = None
    contributor: str
    origin: Origin
    scheme: EvaluationScheme
    source_grade: SourceGrade | None = None
    information_grade: InformationGrade | None = None
    handling: HandlingCode
    markings: tuple[str, ...] = ()
    remove_by: date | None = None
    mentions: tuple[MentionId, ...] = ()
    links: tuple[LinkId, ...] = ()
    ports: tuple[str, ...] = ()
    redacted_on: date | None = None
    acts: tuple[str, ...] = ()

    @property
    def accepted_on(self) -> date:
        """Civil date of acceptance in Europe/Amsterdam: the day of entry."""
        return civil_date(self.entered_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionFacts:
    """That a signal names a subject, in which category of Wpg art. 10(3), carrying which identifiers.

    Handling code and markings are those of its signal, repeated here and so under the mention's own MAC: whether a
    reader may see the mention must not hang on a record that is not read with it.

    Attributes:
        place: which of the signal's subjects it is, from 0; the gaps in the signal's texts refer to it.
        special: special categories of Wpg art. 5 that the signal states about the subject, sorted.
        identifiers: ids of the strong identifiers stated, sorted.
    """

    id: MentionId
    signal: SignalId
    subject: SubjectId
    place: int
    category: Category
    special: tuple[str, ...] = ()
    identifiers: tuple[IdentifierId, ...] = ()
    handling: HandlingCode
    markings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """One stated link; `to` is a subject's id, or the UN/LOCODE of a harbour when `to_port` holds.

    Handling code and markings are those of its signal, repeated here so that a traversal can be filtered link by link.
    """

    id: LinkId
    signal: SignalId
    kind: LinkKind
    from_: SubjectId
    to: str
    to_port: bool = False
    basis: Basis
    since: date | None = None
    until: date | None = None
    handling: HandlingCode
    markings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What a retention run was begun for: nobody who can only write to the database has a run of their own carried out.

    Attributes:
        digest: of the plan, over date, policy and items.
        approval_needed: whether a second person has to agree.
    """

    id: RunId
    as_of: date
    digest: str
    requested_by: str
    approval_needed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalFacts:
    """That `actor` agreed to the plan with this digest, at `at` (aware, UTC)."""

    run: RunId
    digest: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyBookFacts:
    """The book of the policy's versions (`sha256` of its content), so that nobody puts another there."""

    id: str
    revision: int
    sha256: str


Facts = (
    SubjectFacts
    | SignalFacts
    | MentionFacts
    | LinkFacts
    | RunFacts
    | ApprovalFacts
    | DossierFacts
    | HoldFacts
    | ArchivedFacts
    | ArchiveKeysFacts
    | PolicyBookFacts
)


def canonical(facts: Facts) -> bytes:
    """Return the bytes that a facts MAC covers: kind and every field, as JSON with sorted keys (RFC 8259, ASCII)."""
    values, form = _FORMS[type(facts)]
    return (form % tuple([_encoders[type(value)](value) for value in values(facts)])).encode("ascii")


class _Encoders(dict[type, Callable[[Any], str]]):
    """How a value of each type is written; code lists are texts, and of other types there are none."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        if not issubclass(kind, str):
            raise TypeError(kind.__name__)
        self[kind] = encode_basestring_ascii
        return encode_basestring_ascii


def _form(kind: type[Facts]) -> tuple[Callable[[Facts], tuple[Any, ...]], str]:
    names = sorted(field.name for field in fields(kind))
    keys = dict.fromkeys(names, "%s") | {"facts": f'"{kind.__name__}"'}
    return attrgetter(*names), "{" + ",".join(f'"{name}":{keys[name]}' for name in sorted(keys)) + "}"


# By hand, because every record is encoded at every intake and every reading: json's own encoder takes several times as
# long for the same bytes.
_encoders: Final = _Encoders(
    {
        type(None): lambda _: "null",
        bool: lambda value: "true" if value else "false",
        int: str,
        date: lambda value: f'"{value.isoformat()}"',
        datetime: lambda value: f'"{value.isoformat()}"',
        tuple: lambda value: f"[{','.join(map(encode_basestring_ascii, value))}]" if value else "[]",
    }
)
_FORMS: Final = {kind: _form(kind) for kind in get_args(Facts)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSubject:
    """A subject as a store holds it: no content of its own, only facts and their MAC."""

    facts: SubjectFacts
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedStub:
    """The stub of a removed record as a store holds it: clear facts and their MAC."""

    facts: ArchivedFacts
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedMention:
    """A mention as a store holds it; `sealed` has the keys of MENTION_FIELDS, each under the *subject's* key."""

    facts: MentionFacts
    mac: bytes
    sealed: Mapping[str, Sealed]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedLink:
    """A link as a store holds it: clear facts and their MAC."""

    facts: LinkFacts
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSignal:
    """A signal as a store holds it, with the mentions and links at hand; `sealed` has keys of SIGNAL_FIELDS.

    Everything is under the signal's key, but `source_description`, which has a key of its own.
    """

    facts: SignalFacts
    mac: bytes
    sealed: Mapping[str, Sealed]
    mentions: tuple[SealedMention, ...]
    links: tuple[SealedLink, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedDossier:
    """A dossier as a store holds it; `sealed` has keys of DOSSIER_FIELDS, each under the dossier's own key."""

    facts: DossierFacts
    mac: bytes
    sealed: Mapping[str, Sealed]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedHold:
    """A hold as a store holds it; its texts are in the dossier of the same id."""

    facts: HoldFacts
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBatch:
    """All that one intake transaction writes.

    Attributes:
        signals: new signals, with their mentions and links.
        created: subjects that are new.
        moved: subjects that exist, with their facts as they will be (revision raised by one over what was seen).
        identifiers: (id, kind) of identifiers the graph does not hold yet.
    """

    signals: tuple[SealedSignal, ...]
    created: tuple[SealedSubject, ...]
    moved: tuple[SealedSubject, ...]
    identifiers: tuple[tuple[IdentifierId, str], ...]

"""Between the sealed forms of `register` and properties in the graph, after the declaration in `graph.labels`.

What is read may have been altered by whoever can write to the database. A fact that cannot even be read, such as a code
of no list, makes a record whose MAC is empty and so never verifies: it is refused where content is shown, and the
nightly run finds it like any other record that was tampered with, instead of falling over it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from operator import attrgetter
from typing import Any, Final, NamedTuple, NewType, TypeVar, get_args, get_origin, get_type_hints

from graph.labels import (
    ARCHIVED,
    DOSSIER,
    HOLD,
    LINK,
    MENTIONS,
    PORT,
    SIGNAL,
    SUBJECT,
    VISIBLE_MARKINGS,
    Kind,
    Nodes,
    Part,
    Relationships,
)
from register.archived import ArchivedFacts
from register.clock import civil_date
from register.dossiers import DossierFacts, HoldFacts
from register.errors import Tampered
from register.ids import IdentifierId, LinkId, MentionId, SignalId, SubjectId
from register.links import LinkKind
from register.runs import Naming
from register.sealed import (
    Facts,
    LinkFacts,
    MentionFacts,
    Sealed,
    SealedDossier,
    SealedHold,
    SealedLink,
    SealedMention,
    SealedSignal,
    SealedStub,
    SealedSubject,
    SignalFacts,
    SubjectFacts,
)
from register.stores import HarbourNode, Node

Row = Mapping[str, Any]
Properties = dict[str, Any]
S = TypeVar("S")
T = TypeVar("T")
F = TypeVar("F", SubjectFacts, SignalFacts, MentionFacts, LinkFacts, DossierFacts, HoldFacts, ArchivedFacts)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FOREVER: Final = date(9999, 12, 31)
_INSTEAD: Final = {str: "", int: 0, bool: True}


def _date(value: Any) -> date:
    native = value.to_native()
    if type(native) is not date:
        raise TypeError
    return native


def instant(value: Any) -> datetime:
    """Return the instant, aware, UTC, that the database keeps as microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=_exactly(int, value))


def microseconds(value: datetime) -> int:
    """Return an aware instant as the database keeps it: microseconds since 1970-01-01T00:00Z."""
    return (value - _EPOCH) // timedelta(microseconds=1)


def intact(read: Callable[[S], T], stored: S) -> T:
    """Read what this register alone writes and what has no MAC. Raises Tampered: it is not what was written."""
    try:
        return read(stored)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Tampered from None


def dates(received_on: Any, entered_at: Any) -> tuple[date, date] | None:
    """Return the civil dates on which a signal was received and accepted, or None where they cannot be read."""
    try:
        return _date(received_on), civil_date(instant(entered_at))
    except (TypeError, ValueError, AttributeError, OverflowError):
        return None


def _exactly(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not {*map(type, value)} <= _TEXT:
        raise TypeError
    return tuple(value)


_TEXT: Final = {str}


class _Field(NamedTuple):
    """How one fact is read: whether it may be absent and what it is then; what stands for one that cannot be read."""

    name: str
    optional: bool
    absent: Any
    decode: Callable[[Any], Any]
    instead: Any


def _field(name: str, hint: Any) -> _Field:
    options = [option for option in get_args(hint) if option is not type(None)]
    if type(None) in get_args(hint):
        return _field(name, options[0])._replace(optional=True)
    if isinstance(hint, NewType):
        hint = hint.__supertype__
    if get_origin(hint) is tuple:
        return _Field(name, name != VISIBLE_MARKINGS, (), _texts, ())
    if hint is date:
        return _Field(name, False, None, _date, _FOREVER)
    if hint is datetime:
        return _Field(name, False, None, instant, datetime(9999, 12, 1, tzinfo=UTC))
    if issubclass(hint, StrEnum):
        # By a table: every code of every record is read every night.
        return _Field(name, False, None, {one.value: one for one in hint}.__getitem__, next(iter(hint)))
    return _Field(name, False, None, partial(_exactly, hint), _INSTEAD[hint])


_READING: Final = {
    facts: tuple(_field(name, hint) for name, hint in get_type_hints(facts).items())
    for facts in (SubjectFacts, SignalFacts, MentionFacts, LinkFacts, DossierFacts, HoldFacts, ArchivedFacts)
}
_UNREADABLE: Final = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


def _read(facts: type[F], row: Row) -> tuple[F, bytes]:
    """Return the facts in `row` and their MAC, empty where one of them could not be read."""
    get, mac = row.get, row.get("mac")
    try:
        values = {
            name: absent if (value := get(name)) is None and optional else decode(value)
            for name, optional, absent, decode, _ in _READING[facts]
        }
    except _UNREADABLE:
        return _read_doubted(facts, row), b""
    return facts(**values), mac if isinstance(mac, bytes) else b""


def _read_doubted(facts: type[F], row: Row) -> F:
    """Return the facts in `row`, something else standing for each that cannot be read."""
    values: Properties = {}
    for name, optional, absent, decode, instead in _READING[facts]:
        value = row.get(name)
        try:
            values[name] = absent if value is None and optional else decode(value)
        except _UNREADABLE:
            values[name] = instead
    return facts(**values)


def sealed(blob: Any) -> Sealed:
    """Return a sealed value of the database; one that is no byte array opens to nothing."""
    return Sealed(blob if isinstance(blob, bytes) else b"")


def _sealed(row: Row, names: Collection[str]) -> dict[str, Sealed]:
    return {name: sealed(blob) for name in names if (blob := row.get(name)) is not None}


def _names(declared: Nodes | Relationships, part: Part) -> tuple[str, ...]:
    return tuple(one.name for one in declared.properties if one.part is part)


def _writing(declared: Nodes | Relationships) -> tuple[tuple[str, ...], Callable[[Facts], tuple[Any, ...]]]:
    names = _names(declared, Part.FACT)
    return names, attrgetter(*names)


_DECLARED: Final[dict[type[Facts], Nodes | Relationships]] = {
    SubjectFacts: SUBJECT,
    SignalFacts: SIGNAL,
    MentionFacts: MENTIONS,
    LinkFacts: LINK,
    DossierFacts: DOSSIER,
    HoldFacts: HOLD,
    ArchivedFacts: ARCHIVED,
}
_WRITING: Final = {facts: _writing(declared) for facts, declared in _DECLARED.items()}
_LISTS: Final = {
    facts: tuple(one.name for one in declared.properties if one.kind is Kind.STRINGS and one.name != VISIBLE_MARKINGS)
    for facts, declared in _DECLARED.items()
}
_SIGNAL_SEALED: Final = _names(SIGNAL, Part.SEALED)
_MENTION_SEALED: Final = _names(MENTIONS, Part.SEALED)
_DOSSIER_SEALED: Final = _names(DOSSIER, Part.SEALED)
_PORT: Final = tuple(one.name for one in PORT.properties)


class Rows(list[Properties]):
    """Rows for a statement; they show nothing of themselves, for the driver makes a text of all it is given."""

    def __repr__(self) -> str:
        return f"<{len(self)} rows>"


def properties(facts: Facts, mac: bytes, values: Mapping[str, Sealed] | None = None) -> Properties:
    """Return what is stored of a record on its node or relationship: facts, MAC, sealed values."""
    names, read = _WRITING[type(facts)]
    stored: Properties = dict(zip(names, read(facts), strict=True))
    for name in _LISTS[type(facts)]:
        if not stored[name]:
            stored[name] = None
    if isinstance(facts, SignalFacts):
        stored["entered_at"] = microseconds(facts.entered_at)
    stored["mac"] = mac
    if values:
        stored.update((name, value.blob) for name, value in values.items())
    return stored


def redaction(facts: SignalFacts, mac: bytes) -> Properties:
    """Return what changes of a signal when mentions and links are taken out of it."""
    return {
        "id": facts.id,
        "revision": facts.revision,
        "mentions": list(facts.mentions) or None,
        "links": list(facts.links) or None,
        "redacted_on": facts.redacted_on,
        "mac": mac,
    }


def resealing(mention: SealedMention) -> Properties:
    """Return what is written of a mention whose values were sealed anew, and where."""
    values = {name: value.blob for name, value in mention.sealed.items()}
    return {"id": mention.facts.id, "signal": mention.facts.signal, "values": values}


def subject(row: Row) -> SealedSubject:
    """Return the subject whose properties are in `row`."""
    facts, mac = _read(SubjectFacts, row)
    return SealedSubject(facts=facts, mac=mac)


def mention(row: Row) -> SealedMention:
    """Return the mention whose properties, and the ids of its ends as `signal` and `subject`, are in `row`."""
    facts, mac = _read(MentionFacts, row)
    return SealedMention(facts=facts, mac=mac, sealed=_sealed(row, _MENTION_SEALED))


def link(row: Row) -> SealedLink:
    """Return the link of `row`: its properties, its `type`, the ids of its ends as `from_` and `to`, and `to_port`."""
    facts, mac = _read(LinkFacts, {**row, "kind": _KINDS.get(row["type"])})
    return SealedLink(facts=facts, mac=mac)


_KINDS: Final = {kind.relationship: kind for kind in LinkKind}


def signal(row: Row, mentions: Collection[Row], links: Collection[Row]) -> SealedSignal:
    """Return the signal in `row` with the mentions, by place, and the links, by id, at hand."""
    facts, mac = _read(SignalFacts, row)
    read = sorted(map(mention, mentions), key=lambda one: (one.facts.place, one.facts.id))
    return SealedSignal(
        facts=facts,
        mac=mac,
        sealed=_sealed(row, _SIGNAL_SEALED),
        mentions=tuple(read),
        links=tuple(sorted(map(link, links), key=lambda one: one.facts.id)),
    )


def naming(signal: Any, mentions: Iterable[Sequence[Any]], links: Iterable[Sequence[Any]]) -> Naming:
    """Return whom a signal names, from `[id, subject, identifiers]` and `[id, end, end]`; "" is what is no text."""
    return Naming(
        signal=SignalId(_text(signal)),
        mentions=tuple(
            (MentionId(_text(id_)), SubjectId(_text(subject)), tuple(map(IdentifierId, _listed(identifiers))))
            for id_, subject, identifiers in mentions
        ),
        links=tuple((LinkId(_text(id_)), _text(one), _text(other)) for id_, one, other in links),
    )


def _text(value: Any) -> str:
    return value if type(value) is str else ""


def _listed(value: Any) -> tuple[str, ...]:
    return tuple(filter(None, map(_text, value))) if isinstance(value, list) else ()


def dossier(row: Row) -> SealedDossier:
    """Return the dossier whose properties are in `row`."""
    facts, mac = _read(DossierFacts, row)
    return SealedDossier(facts=facts, mac=mac, sealed=_sealed(row, _DOSSIER_SEALED))


def hold(row: Row) -> SealedHold:
    """Return the hold whose properties are in `row`."""
    facts, mac = _read(HoldFacts, row)
    return SealedHold(facts=facts, mac=mac)


def received_on(row: Row) -> date | None:
    """Return the civil date in `row` on which a mention's signal was received, or None where it cannot be read."""
    try:
        return _date(row.get("received_on"))
    except (TypeError, AttributeError):
        return None


def stub(row: Row) -> SealedStub:
    """Return the stub of an archived record whose properties are in `row`."""
    facts, mac = _read(ArchivedFacts, row)
    return SealedStub(facts=facts, mac=mac)


def node(row: Row, named_by: Row) -> Node:
    """Return the subject of `row` with the mention of `named_by` that names it."""
    return Node(subject=subject(row), mention=mention(named_by), received_on=received_on(named_by))


def harbour(row: Row) -> HarbourNode:
    """Return the harbour whose properties are in `row`."""
    return HarbourNode(code=row["code"], name=row["name"], latitude=row.get("latitude"), longitude=row.get("longitude"))


def harbour_properties(harbour: HarbourNode) -> Properties:
    """Return what is stored of a harbour."""
    return {name: getattr(harbour, name) for name in _PORT}

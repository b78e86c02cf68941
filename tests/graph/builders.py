"""Sealed things for the tests of the graph: random bytes stand for sealed values, no vault is needed."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from register.access import Actor, Grant, Permission, Role, authorise
from register.audit import Act, Entry
from register.grading import Category, EvaluationScheme, HandlingCode, Origin, SubjectKind
from register.ids import IdentifierId, LinkId, MentionId, SignalId, SubjectId, mint
from register.links import Basis, LinkKind
from register.sealed import (
    MENTION_FIELDS,
    SIGNAL_FIELDS,
    LinkFacts,
    MentionFacts,
    Sealed,
    SealedBatch,
    SealedLink,
    SealedMention,
    SealedSignal,
    SealedSubject,
    SignalFacts,
    SubjectFacts,
)
from register.stores import HarbourNode

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
FAR = TODAY + timedelta(days=1500)


def blob(size: int = 48) -> Sealed:
    return Sealed(secrets.token_bytes(size))


def mac() -> bytes:
    return secrets.token_bytes(32)


def a_subject(
    *,
    remove_by: date = FAR,
    review_by: date = FAR,
    hidden_from: date | None = None,
    restricted: bool = False,
    kind: SubjectKind = SubjectKind.PERSON,
    acts: tuple[str, ...] = (),
) -> SealedSubject:
    facts = SubjectFacts(
        id=SubjectId(mint()),
        kind=kind,
        revision=1,
        remove_by=remove_by,
        review_by=review_by,
        hidden_from=hidden_from or remove_by,
        restricted=restricted,
        acts=acts,
    )
    return SealedSubject(facts=facts, mac=mac())


def an_identifier() -> IdentifierId:
    return IdentifierId(mint())


@dataclass(frozen=True, kw_only=True)
class Tied:
    """A link to build: positions of its ends among the signal's subjects, or a harbour's code for the second."""

    a: int
    b: int | str
    kind: LinkKind = LinkKind.LINKED_TO


def a_signal(
    subjects: Sequence[SubjectId],
    *,
    links: Sequence[Tied] = (),
    ports: Sequence[str] = (),
    handling: HandlingCode = HandlingCode.H0,
    markings: Collection[str] = (),
    identifiers: Mapping[int, Sequence[IdentifierId]] | None = None,
    remove_by: date | None = None,
    entered_at: datetime = NOW,
    received_on: date = TODAY,
    signal_id: SignalId | None = None,
) -> SealedSignal:
    """A signal that mentions `subjects`, with the links of `links`; `identifiers` by position of the subject."""
    signal = signal_id or SignalId(mint())
    marked = tuple(sorted(markings))
    mentions = tuple(
        SealedMention(
            facts=MentionFacts(
                id=MentionId(mint()),
                signal=signal,
                subject=subject,
                place=place,
                category=Category.INVOLVED,
                identifiers=tuple(sorted((identifiers or {}).get(place, ()))),
                handling=handling,
                markings=marked,
            ),
            mac=mac(),
            sealed={name: blob() for name in MENTION_FIELDS},
        )
        for place, subject in enumerate(subjects)
    )
    sealed_links = tuple(
        SealedLink(
            facts=LinkFacts(
                id=LinkId(mint()),
                signal=signal,
                kind=tied.kind,
                from_=subjects[tied.a],
                to=tied.b if isinstance(tied.b, str) else subjects[tied.b],
                to_port=isinstance(tied.b, str),
                basis=Basis.ASSESSMENT,
                since=date(2024, 2, 29),
                handling=handling,
                markings=marked,
            ),
            mac=mac(),
        )
        for tied in links
    )
    facts = SignalFacts(
        id=signal,
        revision=1,
        content=1,
        received_on=received_on,
        handed_in_on=received_on,
        entered_at=entered_at,
        contributor="desk.rotterdam",
        origin=Origin.WITNESS,
        scheme=EvaluationScheme.EU_4X4,
        handling=handling,
        markings=marked,
        remove_by=remove_by if subjects else remove_by or FAR,
        mentions=tuple(sorted(one.facts.id for one in mentions)),
        links=tuple(sorted(one.facts.id for one in sealed_links)),
        ports=tuple(sorted({*ports, *(tied.b for tied in links if isinstance(tied.b, str))})),
    )
    sealed = {name: blob() for name in SIGNAL_FIELDS if name != "conditions"}
    return SealedSignal(facts=facts, mac=mac(), sealed=sealed, mentions=mentions, links=sealed_links)


def a_batch(
    signals: Sequence[SealedSignal],
    *,
    created: Sequence[SealedSubject] = (),
    moved: Sequence[SealedSubject] = (),
    identifiers: Sequence[IdentifierId] = (),
) -> SealedBatch:
    return SealedBatch(
        signals=tuple(signals),
        created=tuple(created),
        moved=tuple(moved),
        identifiers=tuple((one, "kvk") for one in identifiers),
    )


def moved(subject: SealedSubject, **changes: object) -> SealedSubject:
    """The subject as it will be after one more change."""
    facts = replace(subject.facts, revision=subject.facts.revision + 1, **changes)  # type: ignore[arg-type]
    return SealedSubject(facts=facts, mac=mac())


def harbours(batch: SealedBatch) -> tuple[HarbourNode, ...]:
    codes = sorted({code for signal in batch.signals for code in signal.facts.ports})
    return tuple(HarbourNode(code=code, name=f"Harbour {code}", latitude=51.9, longitude=None) for code in codes)


def an_entry(act: Act = Act.SIGNAL_RECORD, at: datetime = NOW) -> Entry:
    return Entry(at=at, actor="desk.rotterdam", role=Role.CONTRIBUTOR, act=act)


def a_grant(
    permission: Permission = Permission.NETWORK_SHOW,
    *,
    handling: Collection[HandlingCode] = (HandlingCode.H0,),
    markings: Collection[str] = (),
    as_of: datetime = NOW,
) -> Grant:
    actor = Actor(code="analyst.one", role=Role.ANALYST, handling=frozenset(handling), markings=frozenset(markings))
    return authorise(actor, permission, as_of=as_of, purpose="theme-insight", case="CASE-1")


@dataclass
class Witness:
    """Makes the audit entry of a read and keeps what it was told."""

    act: Act = Act.NETWORK_SHOW
    targets: tuple[str, ...] = ()
    count: int = -1
    entries: list[Entry] = field(default_factory=list)

    def __call__(self, targets: Collection[str], count: int) -> Entry:
        self.targets, self.count = tuple(sorted(targets)), count
        entry = an_entry(self.act).found(targets, count)
        self.entries.append(entry)
        return entry

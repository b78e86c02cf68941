"""Accepted signals, as intake would hand them to the vault."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from register.accepted import AcceptedBatch, AcceptedMention, AcceptedSignal
from register.grading import Category, EvaluationScheme, HandlingCode, Origin, SubjectKind
from register.ids import IdentifierId, LinkId, MentionId, ReceiptId, SignalId, SubjectId, mint
from register.links import Basis, LinkKind
from register.narrative import Gap
from register.runs import Gone
from register.sealed import LinkFacts, MentionFacts, SignalFacts, SubjectFacts
from register.subjects import IdentifierKind, NewIdentifier

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
TODAY = date(2026, 11, 24)


def subject(**changes: Any) -> SubjectFacts:
    values: dict[str, Any] = {
        "id": mint(),
        "kind": SubjectKind.PERSON,
        "revision": 1,
        "remove_by": date(2031, 11, 24),
        "review_by": date(2027, 11, 24),
        "hidden_from": date(2027, 12, 24),
    }
    return SubjectFacts(**{**values, **changes})


def mention(signal: SignalId, of: SubjectId, place: int = 0, **changes: Any) -> AcceptedMention:
    identifiers = changes.pop("strong", {})
    facts = MentionFacts(
        id=MentionId(mint()),
        signal=signal,
        subject=of,
        place=place,
        category=Category.INVOLVED,
        identifiers=tuple(sorted(identifiers.values())),
        handling=HandlingCode.H1,
    )
    values: dict[str, Any] = {
        "names": ("Adriaan Terhorst-Vermeer", "A. Terhorst"),
        "born_on": "1971-03",
        "position": ("Chief of the quay of ", Gap(number=1, mentions=(1 - min(place, 1),)), "."),
        "identifiers": (*identifiers, NewIdentifier(kind=IdentifierKind.EMAIL, value="a@example.org")),
        "labels": {0: "Terhorst-Vermeer", 2: b"\x00\xff"},
    }
    return AcceptedMention(facts=facts, **{**values, **changes})


def signal(
    subjects: Iterable[SubjectFacts],
    *,
    reference: str = "ref-1",
    strong: Mapping[NewIdentifier, IdentifierId] | None = None,
    ids: AcceptedSignal | None = None,
    **texts: Any,
) -> AcceptedSignal:
    """Return a signal about `subjects`; `strong` identifiers belong to the first. `ids`: take those of another try."""
    subjects = tuple(subjects)
    own = ids.facts.id if ids else SignalId(mint())
    mentions = tuple(
        mention(own, one.id, place, strong=strong if place == 0 and strong else {})
        for place, one in enumerate(subjects)
    )
    links: tuple[LinkFacts, ...] = ()
    if len(subjects) > 1:
        links = (
            LinkFacts(
                id=LinkId(mint()),
                signal=own,
                kind=LinkKind.PAID,
                from_=subjects[0].id,
                to=subjects[1].id,
                basis=Basis.FACT,
                handling=HandlingCode.H1,
            ),
        )
    facts = SignalFacts(
        id=own,
        revision=1,
        content=1,
        received_on=TODAY,
        handed_in_on=TODAY,
        entered_at=NOW,
        contributor="desk",
        origin=Origin.HOTLINE,
        scheme=EvaluationScheme.EU_4X4,
        handling=HandlingCode.H1,
        mentions=tuple(sorted(one.facts.id for one in mentions)),
        links=tuple(sorted(one.id for one in links)),
        ports=("NLRTM",),
    )
    content: dict[str, Any] = {
        "narrative": ("An envelope was handed to ", Gap(number=0, mentions=(0,)), " behind the customs shed."),
        "necessity": ("Insight into bribery at the terminal.",),
        "obtained": ("Told by a witness.",),
        "source_description": ("A crane driver of the second shift.",),
        **texts,
    }
    return AcceptedSignal(
        facts=facts,
        receipt=ids.receipt if ids else ReceiptId(mint()),
        reference=reference,
        digest=json.dumps([reference, str(content)]).encode(),
        texts={name: text for name, text in content.items() if text is not None},
        mentions=mentions,
        links=links,
        created={place: about.id for place, about in enumerate(subjects) if about.revision == 1},
    )


def batch(
    signals: Iterable[AcceptedSignal],
    *,
    created: Iterable[SubjectFacts] = (),
    moved: Iterable[SubjectFacts] = (),
    identifiers: Mapping[NewIdentifier, IdentifierId] | None = None,
    replaced: Mapping[NewIdentifier, IdentifierId] | None = None,
) -> AcceptedBatch:
    return AcceptedBatch(
        signals=tuple(signals),
        created=tuple(created),
        moved=tuple(moved),
        identifiers=identifiers or {},
        replaced=replaced or {},
    )


def passport(number: str = "NX9R41KP2") -> NewIdentifier:
    return NewIdentifier(kind=IdentifierKind.PASSPORT, value=number)


def one_signal(**changes: Any) -> AcceptedBatch:
    """Return a batch of one signal about two new subjects, the first with a passport."""
    number = changes.pop("number", "NX9R41KP2")
    subjects = (subject(), subject())
    strong = {passport(number): IdentifierId(mint())}
    return batch([signal(subjects, strong=strong, **changes)], created=subjects, identifiers=strong)


def gone(
    records: Iterable[str] = (),
    identifiers: Iterable[str] = (),
    *,
    redacted: Iterable[str] = (),
    on: date = TODAY,
    deliveries_before: date = date(2026, 8, 26),
) -> Gone:
    return Gone(
        records=frozenset(records),
        identifiers=frozenset(identifiers),
        redacted=frozenset(redacted),
        on=on,
        deliveries_before=deliveries_before,
    )

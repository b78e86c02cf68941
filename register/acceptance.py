"""From signals as handed in to a batch ready for sealing: who is who, which ids, which deadlines. No I/O.

Subjects are matched by strong identifier or `same_as`, and only while they are live: what has expired is not revived, a
new signal then makes a new subject. Names alone never merge people.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from register.accepted import AcceptedBatch, AcceptedMention, AcceptedSignal
from register.clock import civil_date
from register.errors import Fault, Invalid
from register.grading import SubjectKind
from register.ids import IdentifierId, LinkId, MentionId, ReceiptId, SignalId, SubjectId, mint
from register.lifetime import DeadlineOf
from register.narrative import FreeText, Named, RedactedText, Redaction, redact
from register.reviewing import ReviewTerms
from register.sealed import LinkFacts, MentionFacts, SignalFacts, SubjectFacts
from register.signals import NewSignal
from register.subjects import STRONG, NewIdentifier, NewSubject, normalise
from register.unstated import UNSTATED, Found, Unstated, find


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """The ids of one signal: minted now, or those of a delivery that was begun before and not finished."""

    signal: SignalId
    receipt: ReceiptId
    subjects: Mapping[int, SubjectId]
    begun: bool = False

    @classmethod
    def minted(cls) -> "Ids":
        """Return new ids."""
        return cls(signal=SignalId(mint()), receipt=ReceiptId(mint()), subjects={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known before a batch is composed.

    Attributes:
        identifiers: id of each strong identifier (normalised) that has a token.
        gone: ids that a purge under way has deleted.
        held: identifier ids that the graph holds.
        carriers: subjects that carry an identifier.
        subjects: facts of the subjects asked for, only those whose facts verify.
    """

    identifiers: Mapping[NewIdentifier, IdentifierId]
    gone: frozenset[str]
    held: frozenset[IdentifierId]
    carriers: Mapping[IdentifierId, tuple[SubjectId, ...]]
    subjects: Mapping[SubjectId, SubjectFacts]


def strong(subject: NewSubject) -> tuple[NewIdentifier, ...]:
    """Return the subject's strong identifiers, normalised, those that say most first, each once."""
    values = {
        NewIdentifier(kind=one.kind, value=normalise(one.kind, one.value))
        for one in subject.identifiers
        if one.kind in STRONG
    }
    return tuple(sorted((one for one in values if one.value), key=lambda one: (STRONG[one.kind], one.value)))


@dataclass(slots=True, kw_only=True)
class Composer:
    """Composes one batch, signal by signal; later signals of the batch see the subjects of earlier ones."""

    known: Known
    deadline: DeadlineOf
    review: ReviewTerms
    now: datetime
    contributor: str
    _signals: list[AcceptedSignal] = field(default_factory=list)
    _created: dict[SubjectId, SubjectFacts] = field(default_factory=dict)
    _moved: dict[SubjectId, SubjectFacts] = field(default_factory=dict)
    _minted: dict[NewIdentifier, IdentifierId] = field(default_factory=dict)
    _replaced: dict[NewIdentifier, IdentifierId] = field(default_factory=dict)
    _carriers: dict[IdentifierId, list[SubjectId]] = field(default_factory=dict)
    _named: dict[tuple[tuple[str, ...], bool], Named] = field(default_factory=dict)
    _today: date = field(init=False)

    def __post_init__(self) -> None:
        """Take the civil date of the batch once."""
        self._today = civil_date(self.now)

    def add(self, signal: NewSignal, ids: Ids, content: bytes) -> tuple[Found, ...]:
        """Compose `signal` under `ids`; `content` is its canonical content.

        Returns:
            Where its texts hold what looks like a name that it does not state.

        Raises:
            Invalid: a `same_as` names no live subject of that kind (rule `same-as.unknown`); nothing was added.
        """
        same_as = self._same_as(signal)
        subject_ids: list[SubjectId] = []
        identifiers: list[tuple[IdentifierId, ...]] = []
        for place, subject in enumerate(signal.subjects):
            stated = strong(subject)
            known = same_as.get(place) or self._match(subject, stated, taken={*subject_ids, *same_as.values()})
            subject_ids.append(known or ids.subjects.get(place) or SubjectId(mint()))
            identifiers.append(self._identifiers(stated, subject_ids[-1]))
            if known is None:
                self._create(subject_ids[-1], subject.kind, signal.received_on, identifiers[-1])
            else:
                self._move(known, signal.received_on, identifiers[-1])
        named = [self._named_as(one.names, one.kind is SubjectKind.PERSON) for one in signal.subjects]
        texts, positions, redaction, unstated = _redacted(signal, named)
        mentions = tuple(
            AcceptedMention(
                facts=_mention(signal, ids.signal, place, subject_ids[place], identifiers[place]),
                names=subject.names,
                born_on=subject.born_on,
                position=positions[place],
                identifiers=subject.identifiers,
                labels=redaction.labels[place],
            )
            for place, subject in enumerate(signal.subjects)
        )
        links = tuple(_links(signal, ids.signal, subject_ids))
        if unstated.kept:
            texts[UNSTATED] = (unstated.kept,)
        self._signals.append(
            AcceptedSignal(
                facts=self._facts(signal, ids.signal, mentions, links),
                receipt=ids.receipt,
                reference=signal.reference,
                digest=content,
                texts=texts,
                mentions=mentions,
                links=links,
                created={at: one for at, one in enumerate(subject_ids) if one in self._created},
            )
        )
        return unstated.places

    def batch(self) -> AcceptedBatch:
        """Return everything composed so far."""
        return AcceptedBatch(
            signals=tuple(self._signals),
            created=tuple(self._created.values()),
            moved=tuple(self._moved.values()),
            identifiers=self._minted,
            replaced=self._replaced,
        )

    def _same_as(self, signal: NewSignal) -> dict[int, SubjectId]:
        found, faults, seen = {}, [], set()
        for place, subject in enumerate(signal.subjects):
            if subject.same_as is None:
                continue
            facts = self.known.subjects.get(subject.same_as)
            if facts is None or facts.kind is not subject.kind or not self._live(facts) or facts.id in seen:
                pointer = f"/subjects/{place}/same_as"
                faults.append(Fault(pointer=pointer, rule="same-as.unknown", message="names no subject of that type"))
            else:
                found[place] = facts.id
                seen.add(facts.id)
        if faults:
            raise Invalid(faults)
        return found

    def _live(self, facts: SubjectFacts) -> bool:
        return min(facts.remove_by, self.review.ends(facts.review_by)) > self._today

    def _match(
        self, subject: NewSubject, stated: Iterable[NewIdentifier], *, taken: set[SubjectId]
    ) -> SubjectId | None:
        for identifier in stated:
            known = self._known_id(identifier)
            if known is None:
                continue
            carriers: set[SubjectId] = {*self.known.carriers.get(known, ()), *self._carriers.get(known, ())} - taken
            fitting = sorted(one for one in carriers if self._fits(one, subject.kind, known))
            if fitting:
                return fitting[0]
        return None

    def _fits(self, subject: SubjectId, kind: SubjectKind, identifier: IdentifierId) -> bool:
        """Say whether this carrier is a match: its own facts name the identifier, whatever the graph ties to it."""
        facts = self._created.get(subject) or self._moved.get(subject) or self.known.subjects.get(subject)
        return facts is not None and facts.kind is kind and identifier in facts.identifiers and self._live(facts)

    def _known_id(self, identifier: NewIdentifier) -> IdentifierId | None:
        known = self._minted.get(identifier) or self.known.identifiers.get(identifier)
        return None if known in self.known.gone else known

    def _identifiers(self, stated: Iterable[NewIdentifier], subject_id: SubjectId) -> tuple[IdentifierId, ...]:
        """Return the ids of the subject's strong identifiers, sorted, minting what is not known."""
        found = []
        for identifier in stated:
            known = self._known_id(identifier)
            if known is None:
                known = IdentifierId(mint())
                self._minted[identifier] = known
                if identifier in self.known.identifiers:
                    self._replaced[identifier] = self.known.identifiers[identifier]
            elif known not in self.known.held:
                self._minted[identifier] = known
            self._carriers.setdefault(known, []).append(subject_id)
            found.append(known)
        return tuple(sorted(found))

    def _create(
        self, subject: SubjectId, kind: SubjectKind, received_on: date, identifiers: tuple[IdentifierId, ...]
    ) -> None:
        remove_by = self.deadline(received_on).remove_by
        review_by = self.review.due(self._today)
        self._created[subject] = SubjectFacts(
            id=subject,
            kind=kind,
            revision=1,
            remove_by=remove_by,
            review_by=review_by,
            hidden_from=self.review.hidden_from(remove_by, review_by),
            identifiers=identifiers,
        )

    def _move(self, subject: SubjectId, received_on: date, identifiers: tuple[IdentifierId, ...]) -> None:
        where, facts = self._created, self._created.get(subject)
        if facts is None:
            where, facts = self._moved, self._moved.get(subject)
        if facts is None:
            seen = self.known.subjects[subject]
            facts = where[subject] = replace(seen, revision=seen.revision + 1)
        remove_by = max(facts.remove_by, self.deadline(received_on).remove_by)
        review_by = max(facts.review_by, self.review.due(self._today))
        new = set(identifiers).difference(facts.identifiers)
        if new or remove_by != facts.remove_by or review_by != facts.review_by:
            where[subject] = replace(
                facts,
                remove_by=remove_by,
                review_by=review_by,
                hidden_from=self.review.hidden_from(remove_by, review_by),
                identifiers=tuple(sorted({*facts.identifiers, *new})),
            )

    def _facts(
        self, signal: NewSignal, signal_id: SignalId, mentions: Iterable[AcceptedMention], links: Iterable[LinkFacts]
    ) -> SignalFacts:
        return SignalFacts(
            id=signal_id,
            revision=1,
            content=1,
            received_on=signal.received_on,
            handed_in_on=signal.handed_in_on or self._today,
            entered_at=self.now,
            observed_from=signal.observed_from,
            observed_until=signal.observed_until,
            contributor=self.contributor,
            origin=signal.source.origin,
            scheme=signal.evaluation_scheme,
            source_grade=signal.source.grade,
            information_grade=signal.information_grade,
            handling=signal.handling.code,
            markings=tuple(sorted(signal.markings)),
            remove_by=None if signal.subjects else self.deadline(signal.received_on).remove_by,
            mentions=tuple(sorted(one.facts.id for one in mentions)),
            links=tuple(sorted(one.id for one in links)),
            ports=tuple(sorted(signal.ports)),
        )

    def _named_as(self, names: tuple[str, ...], person: bool) -> Named:
        """Return how one mention is called; who is named again in the batch is not taken apart again."""
        named = self._named.get((names, person))
        if named is None:
            named = self._named[names, person] = Named(names=names, person=person)
        return named


def _mention(
    signal: NewSignal, signal_id: SignalId, place: int, subject_id: SubjectId, identifiers: tuple[IdentifierId, ...]
) -> MentionFacts:
    subject = signal.subjects[place]
    return MentionFacts(
        id=MentionId(mint()),
        signal=signal_id,
        subject=subject_id,
        place=place,
        category=subject.category,
        special=tuple(sorted(subject.special_categories)),
        identifiers=identifiers,
        handling=signal.handling.code,
        markings=tuple(sorted(signal.markings)),
    )


def unstated_in(signal: NewSignal) -> tuple[Found, ...]:
    """Return where the signal's own texts hold what looks like a name that it does not state."""
    named = [Named(names=one.names, person=one.kind is SubjectKind.PERSON) for one in signal.subjects]
    return _redacted(signal, named)[3].places


def _redacted(
    signal: NewSignal, named: Sequence[Named]
) -> tuple[dict[str, RedactedText], tuple[RedactedText | None, ...], Redaction, Unstated]:
    """Redact all texts of the signal at once: its own by name, its subjects' positions, each about its subject."""
    own = {
        "narrative": signal.narrative,
        "necessity": signal.necessity,
        "obtained": signal.source.obtained,
        "source_description": signal.source.description,
        "conditions": signal.handling.conditions,
    }
    given = {name: text for name, text in own.items() if text is not None}
    placed = {place: one.position for place, one in enumerate(signal.subjects) if one.position is not None}
    redaction = redact(
        [FreeText(text=text) for text in given.values()]
        + [FreeText(text=text, owner=place) for place, text in placed.items()],
        named,
        bytes_of=secrets.token_bytes,
    )
    texts = dict(zip(given, redaction.texts, strict=False))
    positions = dict(zip(placed, redaction.texts[len(given) :], strict=True))
    found = find(texts, dict(zip(given, redaction.starts, strict=False)))
    return texts, tuple(positions.get(place) for place in range(len(signal.subjects))), redaction, found


def _links(signal: NewSignal, signal_id: SignalId, subject_ids: list[SubjectId]) -> Iterable[LinkFacts]:
    ends = {subject.ref: subject_ids[place] for place, subject in enumerate(signal.subjects)}
    for link in signal.links:
        yield LinkFacts(
            id=LinkId(mint()),
            signal=signal_id,
            kind=link.kind,
            from_=ends[link.from_ref],
            to=ends.get(link.to_ref, link.to_ref),
            to_port=link.to_ref not in ends,
            basis=link.basis,
            since=link.since,
            until=link.until,
            handling=signal.handling.code,
            markings=tuple(sorted(signal.markings)),
        )

"""A register in memory for the rules of those who decide: what a store keeps, and a MAC that nobody can forge."""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final

from register.accepted import OpenedMention
from register.access import Actor, Grant, Reason, Role
from register.audit import Entry
from register.clock import civil_date
from register.deciding import Deciding, may_see
from register.decision_stores import Accepted, Change, WholeSubject
from register.decisions import DossierState
from register.dossiers import DossierFacts
from register.errors import Conflict, Tampered
from register.grading import Category, EvaluationScheme, HandlingCode, Origin, SubjectKind
from register.ids import DossierId, HoldId, MentionId, SignalId, SubjectId, mint
from register.runs import SubjectRecord
from register.sealed import (
    Facts,
    MentionFacts,
    Sealed,
    SealedDossier,
    SealedHold,
    SealedMention,
    SealedSignal,
    SealedSubject,
    SignalFacts,
    SubjectFacts,
    canonical,
)
from register.stores import Node, Witnessed
from retention.casework import dates_of
from retention.policy import shipped
from retention.terms import review_terms

POLICY: Final = shipped("2020-01-01-theme-bribery.toml")
TERMS: Final = review_terms(POLICY)
WHY: Final = Reason(purpose="necessity-review", case="RR-2026/1")


def somebody(code: str, role: Role, *, markings: Iterable[str] = ()) -> Actor:
    return Actor(code=code, role=role, markings=frozenset(markings), handling=frozenset(HandlingCode))


@dataclass
class Watch:
    """A clock that stands where it is put, at noon UTC."""

    day: date = date(2026, 11, 24)

    def now(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, 12, tzinfo=UTC)


@dataclass
class Texts:
    """Fills `register.interfaces.DossierSealing`."""

    key: bytes = b"a key that the database operator does not have"
    newest: dict[str, int] = field(default_factory=dict)

    def seal(self, facts: DossierFacts, texts: Mapping[str, str]) -> SealedDossier:
        facts = replace(facts, texts=tuple(sorted(texts)))
        return SealedDossier(facts=facts, mac=self.mac(facts), sealed={k: Sealed(v.encode()) for k, v in texts.items()})

    def add(self, dossier: SealedDossier, facts: DossierFacts, texts: Mapping[str, str]) -> SealedDossier:
        fresh = self.seal(facts, texts)
        return replace(fresh, sealed={**dossier.sealed, **fresh.sealed})

    def open(self, dossier: SealedDossier) -> Mapping[str, str]:
        self.check([dossier])
        return {name: one.blob.decode() for name, one in dossier.sealed.items()}

    def mac(self, facts: Facts) -> bytes:
        return hmac.digest(self.key, canonical(facts), hashlib.sha256)

    def check(self, records: Iterable[SealedSubject | SealedSignal | SealedDossier | SealedHold]) -> None:
        for one in records:
            if one.mac != self.mac(one.facts) or one.facts.revision < self.newest.get(one.facts.id, 0):
                raise Tampered

    def remember(self, revisions: Iterable[tuple[str, int]]) -> None:
        for name, revision in revisions:
            self.newest[name] = max(revision, self.newest.get(name, 0))


@dataclass
class Shelves:
    """Fills `DecisionStore`, `HoldStore` and `Trail`: dictionaries, changed as a whole or not at all."""

    subjects: dict[str, SealedSubject] = field(default_factory=dict)
    signals: dict[str, SealedSignal] = field(default_factory=dict)
    dossiers: dict[str, SealedDossier] = field(default_factory=dict)
    laid: dict[str, SealedHold] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    orders: list[Any] = field(default_factory=list)

    def append(self, entries: Sequence[Entry]) -> None:
        self.entries += entries

    def _about(self, subject: str) -> list[SealedSignal]:
        return [one for one in self.signals.values() if any(m.facts.subject == subject for m in one.mentions)]

    def _whole(self, grant: Grant, subject: str) -> bool:
        about = self._about(subject)
        held = self.subjects.get(subject)
        going_on = held is not None and held.facts.remove_by > civil_date(grant.as_of)
        return going_on and bool(about) and all(may_see(grant, one) for one in about)

    def due(
        self, grant: Grant, *, until: date, after: tuple[date, SubjectId] | None, limit: int, witnessed: Witnessed
    ) -> tuple[Node, ...]:
        places = sorted((one.facts.review_by, one.facts.id) for one in self.subjects.values())
        found = [
            Node(
                subject=self.subjects[item],
                mention=next(m for one in self._about(item) for m in one.mentions if m.facts.subject == item),
            )
            for on, item in places
            if on <= until and (after is None or (on, item) > after) and self._whole(grant, item)
        ][:limit]
        self.entries.append(witnessed([one.subject.facts.id for one in found], len(found)))
        return tuple(found)

    def subject(self, grant: Grant, subject: SubjectId, witnessed: Witnessed | None) -> WholeSubject | None:
        found = None
        if self._whole(grant, subject):
            about = self._about(subject)
            found = WholeSubject(
                subject=self.subjects[subject],
                signals=tuple(
                    Accepted(signal=g.facts.id, received_on=g.facts.received_on, accepted_on=g.facts.accepted_on)
                    for g in sorted(about, key=lambda g: (g.facts.accepted_on, g.facts.id))
                ),
                mentions=tuple(m for g in about for m in g.mentions if m.facts.subject == subject),
                links=(),
            )
        if witnessed is not None:
            self.entries.append(witnessed([subject] if found else [], int(found is not None)))
        return found

    def signal(self, signal: SignalId) -> tuple[SealedSignal, tuple[SubjectRecord, ...]] | None:
        if signal not in self.signals:
            return None
        found = self.signals[signal]
        records = tuple(
            SubjectRecord(
                subject=self.subjects[one.facts.subject],
                signals=tuple(
                    sorted(
                        (other.facts.received_on, other.facts.accepted_on)
                        for other in self._about(one.facts.subject)
                        if other is not found and other.facts.remove_by is None
                    )
                ),
            )
            for one in found.mentions
        )
        return found, records

    def partial(
        self, grant: Grant, *, after: tuple[date, SignalId] | None, limit: int, witnessed: Witnessed
    ) -> tuple[SealedSignal, ...]:
        waiting = sorted(
            (one.facts.redacted_on, one.facts.id) for one in self.signals.values() if one.facts.redacted_on is not None
        )
        found = [self.signals[item] for on, item in waiting if after is None or (on, item) > after]
        found = [one for one in found if may_see(grant, one)][:limit]
        self.entries.append(witnessed([one.facts.id for one in found], len(found)))
        return tuple(found)

    def change(self, change: Change, entries: Sequence[Entry]) -> None:
        shelves: tuple[tuple[dict[str, Any], tuple[Any, ...]], ...] = (
            (self.subjects, change.subjects),
            (self.signals, change.signals),
            (self.dossiers, change.settled),
        )
        for shelf, changed in shelves:
            for one in changed:
                if one.facts.id not in shelf or shelf[one.facts.id].facts.revision != one.facts.revision - 1:
                    raise Conflict("graph.moved", "moved")
        for one in change.signals:
            kept = self.signals[one.facts.id]
            self.signals[one.facts.id] = replace(
                one, mentions=one.mentions or kept.mentions, links=one.links or kept.links
            )
        self.subjects |= {one.facts.id: one for one in change.subjects}
        self.dossiers |= {one.facts.id: one for one in (*change.created, *change.settled)}
        self.orders += [change.order] if change.order else []
        self.entries += entries

    def dossier(self, dossier: DossierId) -> SealedDossier | None:
        return self.dossiers.get(dossier)

    def over(self, today: date) -> tuple[SealedDossier, ...]:
        return tuple(one for one in self.dossiers.values() if one.facts.keep_until <= today)

    def proposed(self) -> tuple[SealedDossier, ...]:
        return tuple(one for one in self.dossiers.values() if one.facts.state is DossierState.PROPOSED)

    def lay(self, hold: SealedHold, dossier: SealedDossier, entry: Entry) -> None:
        self.laid[hold.facts.id] = hold
        self.dossiers[dossier.facts.id] = dossier
        self.entries.append(entry)

    def lift(self, hold: SealedHold, dossier: SealedDossier, entry: Entry) -> None:
        if self.laid[hold.facts.id].facts.revision != hold.facts.revision - 1:
            raise Conflict("graph.moved", "moved")
        self.lay(hold, dossier, entry)

    def hold(self, hold: HoldId) -> SealedHold | None:
        return self.laid.get(hold)

    def holds(self) -> tuple[SealedHold, ...]:
        return tuple(sorted(self.laid.values(), key=lambda one: (one.facts.on, one.facts.id)))

    def present(self, ids: Collection[str]) -> frozenset[str]:
        return frozenset(ids) & (self.subjects.keys() | self.signals.keys())

    def reach(self, starts: Mapping[HoldId, tuple[str, int]]) -> Mapping[HoldId, frozenset[SubjectId]]:
        return {hold: frozenset({SubjectId(start)}) for hold, (start, _) in starts.items()}


@dataclass
class Office:
    """A register under test."""

    watch: Watch = field(default_factory=Watch)
    texts: Texts = field(default_factory=Texts)
    shelves: Shelves = field(default_factory=Shelves)

    @property
    def deciding(self) -> Deciding:
        return Deciding(
            store=self.shelves,
            sealing=self.texts,
            trail=self.shelves,
            clock=self.watch,
            dates=partial(dates_of, POLICY),
            keep=lambda on: on + timedelta(days=1826),
        )

    def signal(
        self, *subjects: SubjectId, on: date, markings: tuple[str, ...] = (), redacted_on: date | None = None
    ) -> SignalId:
        """A signal received and accepted on one day, about subjects whose dates follow from it."""
        signal = SignalId(mint())
        mentions = []
        for place, subject in enumerate(subjects):
            facts = MentionFacts(
                id=MentionId(mint()),
                signal=signal,
                subject=subject,
                place=place,
                category=Category.INVOLVED,
                handling=HandlingCode.H0,
                markings=markings,
            )
            mentions.append(SealedMention(facts=facts, mac=self.texts.mac(facts), sealed={}))
        facts = SignalFacts(
            id=signal,
            revision=1,
            content=1,
            received_on=on,
            handed_in_on=on,
            entered_at=datetime(on.year, on.month, on.day, 9, tzinfo=UTC),
            contributor="douane",
            origin=Origin.HOTLINE,
            scheme=EvaluationScheme.EU_4X4,
            handling=HandlingCode.H0,
            markings=markings,
            mentions=tuple(sorted(one.facts.id for one in mentions)),
            redacted_on=redacted_on,
        )
        self.shelves.signals[signal] = SealedSignal(
            facts=facts, mac=self.texts.mac(facts), sealed={}, mentions=tuple(mentions), links=()
        )
        for subject in subjects:
            self._stamp(subject, on)
        return signal

    def facts(self, subject: SubjectId) -> SubjectFacts:
        return self.shelves.subjects[subject].facts

    def _stamp(self, subject: SubjectId, on: date) -> None:
        held = self.shelves.subjects.get(subject)
        remove_by = max(POLICY.rule.term.after(on), held.facts.remove_by if held else date.min)
        review_by = max(TERMS.due(on), held.facts.review_by if held else date.min)
        facts = SubjectFacts(
            id=subject,
            kind=SubjectKind.PERSON,
            revision=held.facts.revision + 1 if held else 1,
            remove_by=remove_by,
            review_by=review_by,
            hidden_from=TERMS.hidden_from(remove_by, review_by),
            acts=held.facts.acts if held else (),
        )
        self.shelves.subjects[subject] = SealedSubject(facts=facts, mac=self.texts.mac(facts))


@dataclass
class Names:
    """Of `Sealing` what a review needs: a subject is called by its id."""

    texts: Texts

    def check(self, records: Iterable[SealedSubject]) -> None:
        self.texts.check(records)

    def open_mentions(self, mentions: Sequence[SealedMention]) -> tuple[OpenedMention, ...]:
        return tuple(OpenedMention(facts=one.facts, names=(one.facts.subject,), born_on=None, position=None,
                                   identifiers=(), labels={}) for one in mentions)  # fmt: skip

    def assert_current(self) -> None:
        """A purge never comes in between here."""

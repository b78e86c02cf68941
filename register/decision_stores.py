"""The verbs that reviews, early ends, the desk and holds need from a store of sealed things; no clear text.

An audit entry is written in the transaction of its act; that of a read is durable before anything is returned.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from register.access import Grant
from register.audit import Entry
from register.ids import DossierId, HoldId, MentionId, SignalId, SubjectId
from register.runs import Order, SubjectRecord
from register.sealed import (
    Sealed,
    SealedDossier,
    SealedHold,
    SealedLink,
    SealedMention,
    SealedSignal,
    SealedStub,
    SealedSubject,
)
from register.stores import Node, Witnessed


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """When a signal was received by its contributor, and accepted here; civil dates."""

    signal: SignalId
    received_on: date
    accepted_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeSubject:
    """Everything about a subject, for somebody who may see all of it."""

    subject: SealedSubject
    signals: tuple[Accepted, ...]
    mentions: tuple[SealedMention, ...]
    links: tuple[SealedLink, ...]

    @property
    def record(self) -> SubjectRecord:
        """The subject with the dates of its signals."""
        return SubjectRecord(
            subject=self.subject, signals=tuple(sorted((one.received_on, one.accepted_on) for one in self.signals))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one decision changes, in one transaction: records with revision raised by one, dossiers new or changed.

    Attributes:
        subjects, signals: existing ones; of a signal its mentions and links at hand are written anew too, and what is
            sealed of it and at hand.
        resealed: mentions whose values are sealed anew, and whose facts stay as they are.
        created: dossiers that are new; settled: existing ones.
        stubs: of archived records, existing ones.
        order: a run to file for the keeper.
    """

    subjects: tuple[SealedSubject, ...] = ()
    signals: tuple[SealedSignal, ...] = ()
    resealed: tuple[SealedMention, ...] = ()
    created: tuple[SealedDossier, ...] = ()
    settled: tuple[SealedDossier, ...] = ()
    stubs: tuple[SealedStub, ...] = ()
    order: Order | None = None


class DecisionStore(Protocol):
    """Keeps decisions; filled by `graph.decisions`.

    A subject is found only by somebody who may see everything about it: nobody decides on what is half hidden. What a
    missed review or a restriction hides from readers is found here, what has ended is not.
    """

    def due(
        self, grant: Grant, *, until: date, after: tuple[date, SubjectId] | None, limit: int, witnessed: Witnessed
    ) -> tuple[Node, ...]:
        """Return subjects whose `review_by` is `until` or before, by that date and id, those after `after`."""

    def subject(self, grant: Grant, subject: SubjectId, witnessed: Witnessed | None) -> WholeSubject | None:
        """Return a subject, or None (absent, ended or not wholly visible).

        Without `witnessed` no entry is written: nothing of it is released, and the act itself writes one.
        """

    def signal(self, signal: SignalId) -> tuple[SealedSignal, tuple[SubjectRecord, ...]] | None:
        """Return a signal with all its mentions and links, and the subjects it names, whoever may see them."""

    def partial(
        self, grant: Grant, *, after: tuple[date, SignalId] | None, limit: int, witnessed: Witnessed
    ) -> tuple[SealedSignal, ...]:
        """Return visible signals that lost one of several subjects and nobody has looked at, by day and id."""

    def change(self, change: Change, entries: Sequence[Entry]) -> None:
        """Write `change` with its entries in one transaction. Safe to run twice.

        Raises:
            Conflict: code `graph.moved`: something changed or went since it was seen; nothing was written.
        """

    def dossier(self, dossier: DossierId) -> SealedDossier | None:
        """Return a dossier, or None."""

    def over(self, today: date) -> tuple[SealedDossier, ...]:
        """Return the dossiers whose text is kept no longer from civil date `today` on, by date and id."""

    def proposed(self) -> tuple[SealedDossier, ...]:
        """Return the proposals that wait for a second person, by date and id."""


class RenewalStore(Protocol):
    """Reads records whole, whose keys are renewed; filled by `graph.renewals`. What has ended is not found."""

    def subject(self, subject: SubjectId, on: date) -> tuple[SealedSubject, tuple[SealedMention, ...]] | None:
        """Return a subject that goes on after civil date `on`, with all its mentions and what is sealed of them."""

    def signal(self, signal: SignalId, on: date) -> SealedSignal | None:
        """Return a signal that goes on after civil date `on`, with what is sealed of it; no mentions, no links."""

    def there(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of `ids` that the graph holds, whatever their term."""


class UnstatedStore(Protocol):
    """Reads what names are compared with at a removal; filled by `graph.unstated`."""

    def names_of(self, subjects: Collection[SubjectId]) -> Iterator[tuple[MentionId, SubjectId, Sealed]]:
        """Stream every mention of these subjects, with its sealed names."""

    def naming(self, subjects: Collection[SubjectId]) -> frozenset[SignalId]:
        """Return the signals that mention one of these subjects."""

    def unstated(self, signals: Collection[SignalId] | None = None) -> Iterator[SealedSignal]:
        """Stream the signals, or those of `signals`, that hold names they do not state and do not wait for the desk.

        With what is sealed of them, by id; without mentions and links, and without those that are distrusted.
        """


class HoldStore(Protocol):
    """Keeps holds; filled by `graph.holds`."""

    def lay(self, hold: SealedHold, dossier: SealedDossier, entry: Entry) -> None:
        """Write a new hold with its dossier, in one transaction; nothing where it is there already."""

    def lift(self, hold: SealedHold, dossier: SealedDossier, entry: Entry) -> None:
        """Write a hold's facts after its lifting, with the dossier of that. Raises Conflict (`graph.moved`)."""

    def hold(self, hold: HoldId) -> SealedHold | None:
        """Return a hold, or None."""

    def holds(self) -> tuple[SealedHold, ...]:
        """Return all holds, by date and id."""

    def present(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of `ids` that are live subjects or signals."""

    def reach(self, starts: Mapping[HoldId, tuple[str, int]]) -> Mapping[HoldId, frozenset[SubjectId]]:
        """Return per hold the subjects up to some links away from a start, itself included, as the graph is now."""

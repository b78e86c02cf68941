"""The few verbs that the use cases need from outside. Rooms satisfy them structurally; `api.wiring` lets the type checker compare.

Every verb is one round trip for the whole batch handed to it, and safe to run twice.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from register.access import Grant
from register.accepted import AcceptedBatch, OpenedMention, OpenedSignal
from register.audit import Entry
from register.ids import IdentifierId, MentionId, ReceiptId, SignalId, SubjectId
from register.links import LinkKind
from register.sealed import Sealed, SealedBatch, SealedLink, SealedMention, SealedSignal, SealedSubject
from register.subjects import NewIdentifier

Witnessed = Callable[[Collection[str], int], Entry]
"""Makes the audit entry of a read from what was found: target ids and count. Called inside the reading transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryKey:
    """A contributor's own reference: the same pair is the same signal."""

    contributor: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What the key store remembers of an earlier delivery.

    Attributes:
        done: stored whole; otherwise pending: its ids are to be used again, none minted.
        same: the content is what was delivered then.
        subjects: id minted then for the subject at each position of the signal that was new.
    """

    done: bool
    same: bool
    signal: SignalId
    receipt: ReceiptId
    subjects: Mapping[int, SubjectId]


class Lookup(Protocol):
    """Finds by value, through keyed tokens in the key store; filled by `vault.lookup`."""

    def deliveries(self, wanted: Mapping[DeliveryKey, bytes]) -> Mapping[DeliveryKey, Delivery]:
        """Return the deliveries known under `wanted` (key → canonical content); unknown ones are absent."""

    def receipt(self, contributor: str, receipt: ReceiptId) -> Delivery | None:
        """Return the delivery of `contributor` with this receipt, or None."""

    def identifiers(self, wanted: Collection[NewIdentifier]) -> Mapping[NewIdentifier, IdentifierId]:
        """Return the ids of strong identifiers (values normalised inside); unknown ones are absent."""


class Sealing(Protocol):
    """Seals and opens; filled by `vault.sealing`."""

    def seal(self, batch: AcceptedBatch) -> SealedBatch:
        """Seal `batch`; on return keys, tokens and deliveries (pending) are durable in one key-store transaction.

        Raises:
            Conflict: code `token.raced`: another intake wrote one of the tokens or deliveries first; look up again.
            Unavailable: the key store moved to another generation; this process must end.
        """

    def settle(self, batch: SealedBatch) -> None:
        """Remember the revisions written by the graph's commit, and mark the batch's deliveries done."""

    def settled(self, signals: Collection[SignalId]) -> None:
        """Mark the deliveries of `signals` done: the graph holds them already, from an intake that was interrupted."""

    def verifies(self, record: SealedSubject) -> bool:
        """Say whether the record's facts are what this register wrote."""

    def open_mentions(self, mentions: Sequence[SealedMention]) -> tuple[OpenedMention, ...]:
        """Open mentions, in the order given, after checking their MACs. Raises Tampered."""

    def open_names(
        self, rows: Iterable[tuple[MentionId, SubjectId, Sealed]]
    ) -> Iterator[tuple[tuple[str, ...], str | None]]:
        """Open the names only, (names, born_on) a row, in the order given, streaming; for the table of names."""

    def open_signal(self, signal: SealedSignal, *, with_source: bool = False) -> OpenedSignal:
        """Open a signal with the mentions at hand, after checking MACs and remembered revision. Raises Tampered."""

    def check(self, records: Iterable[SealedSubject | SealedLink]) -> None:
        """Check the MACs of facts that are shown without opening anything. Raises Tampered."""

    def assert_current(self) -> None:
        """Assert, right before the first byte goes out, that this process still serves the key store's generation.

        Raises:
            Unavailable: it does not; the process sends nothing more and ends.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the graph holds of the ids that an intake asked about.

    Attributes:
        carriers: per identifier id that the graph holds, the subjects that carry it (possibly none).
        subjects: the subjects asked for by id or found as carriers, whatever their term.
        signals: of the signal ids asked about, those the graph holds.
        gone: ids that a purge under way has deleted: neither held nor absent, never to be created again.
    """

    carriers: Mapping[IdentifierId, tuple[SubjectId, ...]]
    subjects: Mapping[SubjectId, SealedSubject]
    signals: frozenset[SignalId]
    gone: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HarbourNode:
    """What the graph holds of a harbour: public reference data."""

    code: str
    name: str
    latitude: float | None
    longitude: float | None


class SignalStore(Protocol):
    """Keeps sealed signals; filled by `graph.signals`."""

    def seen(
        self,
        *,
        identifiers: Collection[IdentifierId],
        subjects: Collection[SubjectId],
        signals: Collection[SignalId],
    ) -> Seen:
        """Return what the graph holds of these ids, in one read."""

    def record(self, batch: SealedBatch, harbours: Collection[HarbourNode], entries: Sequence[Entry]) -> None:
        """Write everything of `batch` and the audit entries in one transaction.

        New things by CREATE, known subjects by MATCH on `revision = seen`, ids of a purge under way refused.
        A signal id that is there already makes the whole call do nothing (it ran before).

        Raises:
            Conflict: code `graph.moved`: a subject changed or went since it was seen; nothing was written; see again.
        """

    def open(self, grant: Grant, signal: SignalId, witnessed: Witnessed) -> SealedSignal | None:
        """Return the signal with its visible mentions and links, or None (absent or hidden), its audit entry durable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A subject in a network or path, with one visible mention that names it."""

    subject: SealedSubject
    mention: SealedMention


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedNetwork:
    """What a traversal found.

    Attributes:
        nodes: subjects; harbours: ports reached; links: each once; left_out: how many visible links the budget cut off.
    """

    nodes: tuple[Node, ...]
    harbours: tuple[HarbourNode, ...]
    links: tuple[SealedLink, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One path: ids of subjects or ports along it, and the link ids between them."""

    stops: tuple[str, ...]
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPaths:
    """Alternatives of equal, shortest length, with the nodes and links they use."""

    paths: tuple[Path, ...]
    network: SealedNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectView:
    """A subject with all its mentions and links that a reader may see, and the signals they belong to."""

    subject: SealedSubject
    mentions: tuple[SealedMention, ...]
    links: tuple[SealedLink, ...]


class NetworkStore(Protocol):
    """Finds subjects, networks and paths under a grant; filled by `graph.network`.

    The visibility clause is inside every traversal; an audit entry is durable before anything is returned.
    """

    def carriers(self, grant: Grant, identifiers: Collection[IdentifierId], witnessed: Witnessed) -> tuple[Node, ...]:
        """Return the visible subjects that a visible signal says carry one of `identifiers`."""

    def named(self, grant: Grant, mentions: Collection[MentionId], witnessed: Witnessed) -> tuple[Node, ...]:
        """Return, of `mentions` (a fixed number, padded with random ids), the visible ones with their subjects."""

    def subject(self, grant: Grant, subject: SubjectId, witnessed: Witnessed) -> SubjectView | None:
        """Return the subject with everything visible about it, or None (absent or hidden)."""

    def network(
        self,
        grant: Grant,
        start: SubjectId,
        *,
        depth: int,
        kinds: Collection[LinkKind],
        budget: int,
        witnessed: Witnessed,
    ) -> SealedNetwork | None:
        """Return the network around `start` (depth 1-3, kinds empty = all, at most `budget` links), or None."""

    def paths(
        self,
        grant: Grant,
        ends: tuple[SubjectId, SubjectId],
        *,
        steps: int,
        kinds: Collection[LinkKind],
        most: int,
        witnessed: Witnessed,
    ) -> SealedPaths | None:
        """Return the shortest visible paths between `ends` (at most `steps` links, at most `most` alternatives), or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRow:
    """What the table of names needs of a mention: no content but sealed names."""

    mention: MentionId
    subject: SubjectId
    entered_at: datetime
    names: Sealed


class RosterStore(Protocol):
    """Streams sealed names; filled by `graph.signals`."""

    def roster(self, *, since: datetime | None) -> Iterator[RosterRow]:
        """Yield the mentions of signals entered at or after `since` (all when None), in no order, streaming."""


class Trail(Protocol):
    """Keeps audit entries; filled by `graph.trail`."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Make `entries` durable. Raises Unavailable: nothing may then be released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A likely hit of a search by name: the key handed to the table, a score of 0 to 100, and the reasons as codes."""

    key: str
    score: float
    reasons: tuple[str, ...]


class NameTable(Protocol):
    """The table of names in memory; filled by `matching.table` (through a thin adapter in `api.wiring` where names differ)."""

    def put(self, key: str, names: Sequence[str], born_on: str | None) -> None:
        """Add or replace the names under `key`."""

    def search(self, name: str, *, born_on: str | None, limit: int) -> tuple[Candidate, ...]:
        """Return the best candidates, best first. Raises Invalid (fewer than three letters)."""

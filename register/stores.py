"""The verbs that the use cases need from a store of sealed things: no clear text can even be named here.

Apart from `register.interfaces`, whose verbs speak of clear text, so that a store can import this and nothing more.
Every verb is one round trip for the whole batch handed to it, and safe to run twice.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from register.access import Grant
from register.audit import Entry
from register.grading import HandlingCode
from register.ids import IdentifierId, MentionId, SignalId, SubjectId
from register.links import LinkKind
from register.sealed import Sealed, SealedBatch, SealedLink, SealedMention, SealedSignal, SealedSubject

Witnessed = Callable[[Collection[str], int], Entry]
"""Makes the audit entry of a read from what was found: target ids and count. Called inside the reading transaction."""


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
    """Keeps sealed signals; filled by `graph.signals`. An audit entry is durable before anything is released."""

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
        Signals that are all there already make the whole call do nothing (it ran before).

        Raises:
            Conflict: code `graph.moved`: a subject changed or went since it was seen, or another intake stored some of
                the signals; nothing was written; see again.
        """

    def open(self, grant: Grant, signal: SignalId, witnessed: Witnessed) -> SealedSignal | None:
        """Return the signal with its visible mentions and links, or None (absent or hidden)."""

    def distrust(self, ids: Collection[str], *, on: date, entry: Entry) -> None:
        """Hide subjects and signals that do not verify, with what these signals state; `entry` is written with it.

        `on` is kept as the day of discovery of those that have none yet.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A subject in a network or path, with one visible mention that names it, and when its signal was received."""

    subject: SealedSubject
    mention: SealedMention
    received_on: date | None = None


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
    """A subject with all its mentions and links that a reader may see.

    Attributes:
        received: civil dates on which the signals of these mentions were received, each once, ascending.
    """

    subject: SealedSubject
    mentions: tuple[SealedMention, ...]
    links: tuple[SealedLink, ...]
    received: tuple[date, ...] = ()


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
        """Return at most `most` shortest visible paths of at most `steps` links, or None (an end is not visible)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRow:
    """What the table of names needs of a mention: no content but sealed names, and who may see them."""

    mention: MentionId
    subject: SubjectId
    names: Sealed
    handling: HandlingCode
    markings: frozenset[str]


class RosterStore(Protocol):
    """Streams sealed names; filled by `graph.signals`."""

    def roster(self, *, since: datetime | None) -> Iterator[RosterRow]:
        """Yield the mentions of signals entered or marked anew at or after `since` (all when None), streaming.

        In no order; one that was both stands there twice.
        """


class Trail(Protocol):
    """Keeps audit entries; filled by `graph.trail`."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Make `entries` durable. Raises Unavailable: nothing may then be released."""

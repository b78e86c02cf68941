"""What a retention run needs from outside: erasing in the graph, forgetting in the key store, evidence. Clear text never passes here."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from register.audit import Entry
from register.ids import IdentifierId, LinkId, MentionId, RunId, SignalId, SubjectId
from register.sealed import Facts, SealedLink, SealedMention, SealedSignal, SealedSubject, SignalFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Leave to change things as the one keeper; every write asserts the fencing number."""

    holder: str
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRecord:
    """A live subject's facts with the dates of the signals that mention it: (received_on, accepted_on) each."""

    subject: SealedSubject
    signals: tuple[tuple[date, date], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run's own record in the graph.

    Attributes:
        as_of: civil date for which the run decides; state: `planned`, `approved`, `erasing`, `erased`, `forgotten`, `certified`, `failed`.
        digest: of the plan; requested_by, approved_by: actor codes.
        due_subjects, due_signals: the plan's items (id, revision) while the run is under way, emptied when certified.
        detail: JSON text of what later steps need (counts, key-store result), ids as hashes only once certified.
    """

    id: RunId
    state: str
    as_of: date
    started_at: datetime
    digest: str
    requested_by: str
    approved_by: tuple[str, ...] = ()
    due_subjects: tuple[tuple[SubjectId, int], ...] = ()
    due_signals: tuple[tuple[SignalId, int], ...] = ()
    detail: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A run that somebody asked for and the keeper has not begun."""

    id: RunId
    as_of: date
    requested_by: str
    requested_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureBatch:
    """What one deleting transaction does.

    Attributes:
        subjects: (id, planned revision) to delete with their mentions, links and last identifiers.
        signals: (id, revision read just now) to delete whole: their last subject goes here, or their own term ended.
        redacted: signals that stay, with facts as they will be (revision raised by one, the gone mentions and links taken out) and MAC.
    """

    subjects: tuple[tuple[SubjectId, int], ...]
    signals: tuple[tuple[SignalId, int], ...]
    redacted: tuple[tuple[SignalFacts, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What one deleting transaction did, as journalled in it; `skipped` are (id, reason) of planned items that changed."""

    subjects: tuple[SubjectId, ...]
    signals: tuple[SignalId, ...]
    mentions: tuple[MentionId, ...]
    links: tuple[LinkId, ...]
    identifiers: tuple[IdentifierId, ...]
    redacted: tuple[SignalId, ...]
    skipped: tuple[tuple[str, str], ...]


class Erasure(Protocol):
    """The graph's side; filled by `graph.erasure`. Every write asserts the lease's fence."""

    def lease(self, holder: str, *, now: datetime, seconds: int) -> Lease | None:
        """Take or renew the one lease; None while another holder's has not run out. A new holder gets a higher fence."""

    def release(self, lease: Lease) -> None:
        """Give the lease back."""

    def subjects(self) -> Iterator[SubjectRecord]:
        """Stream every live subject, by id, in pages."""

    def signals(self) -> Iterator[SealedSignal]:
        """Stream every signal with facts and MACs of its mentions and links, by id, in pages; nothing sealed is read: `sealed` is empty."""

    def mentioning(self, subjects: Collection[SubjectId]) -> tuple[SealedSignal, ...]:
        """Return the signals that mention one of `subjects`, in the bare form of `signals`."""

    def links_of(self, subjects: Collection[SubjectId]) -> tuple[SealedLink, ...]:
        """Return all links of `subjects`, facts and MACs."""

    def file_order(self, order: Order, entry: Entry) -> None:
        """File an order for the keeper."""

    def orders(self) -> tuple[Order, ...]:
        """Return the orders not yet begun, oldest first."""

    def begin(self, run: Run, lease: Lease, entry: Entry) -> None:
        """Write the intent durably, taking the order of the same id away; does nothing if the run is there already."""

    def approve(self, run: RunId, digest: str, actor: str, entry: Entry) -> None:
        """Record an approval of this plan digest. Raises Conflict: other digest, or not waiting; NotFound."""

    def runs(self, *, unfinished: bool = False) -> tuple[Run, ...]:
        """Return the runs, newest first; only those neither certified nor failed when `unfinished`."""

    def advance(self, run: RunId, state: str, lease: Lease, *, detail: str, entries: Sequence[Entry] = ()) -> None:
        """Set the run's state and detail (JSON), with audit entries, in one transaction."""

    def erase(self, run: RunId, batch: ErasureBatch, lease: Lease, entry: Entry) -> Erased:
        """Delete one batch and journal it in the same transaction; `entry` is completed with what was deleted.

        A subject or signal whose revision is not as given is left alone, and so are the signals it decides about: `skipped`.
        """

    def journal(self, run: RunId) -> tuple[Erased, ...]:
        """Return the journal lines of a run, one a batch, in order."""

    def remains(self, ids: Collection[str]) -> tuple[str, ...]:
        """Return what is still there of `ids`, in every label, relationship type and list property, as `label:id`."""

    def close(self, run: RunId, lease: Lease, *, detail: str, entries: Sequence[Entry]) -> None:
        """Set the run certified, take away its journal lines, markers of gone ids and planned items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What the key store says of a purge, kept durably there under the run's id."""

    run: RunId
    generation_before: int
    generation_after: int
    anchor_before: int
    anchor_after: int
    anchor_kind: str
    assurance: str
    rows_dropped: int
    rows_kept: int
    tokens_dropped: int
    tokens_kept: int


class Forgetting(Protocol):
    """The key store's side (crypto.md, a purge, steps 3 to 6); filled by `vault.keystore`."""

    def forgotten(self, run: RunId) -> Forgotten | None:
        """Return what step 4 of this run did, or None if it has not been committed."""

    def advance_anchor(self) -> int:
        """Step 3: make a higher anchor version, both live; return it."""

    def forget(
        self, run: RunId, ids: Collection[str], identifiers: Collection[IdentifierId], *, version: int, fence: int
    ) -> Forgotten:
        """Step 4: one transaction: new root and lookup keys, survivors re-wrapped, rows and tokens of `ids` dropped, tombstones.

        Raises:
            Unavailable: generation or fence is not as read; nothing changed.
        """

    def destroy_old(self, *, fence: int) -> Mapping[str, str]:
        """Step 5: destroy every anchor version below the committed root's, read back that the old root no longer opens.

        Returns evidence as codes. Raises Tampered if an old version still opens.
        """

    def stale_workers(self, *, now: datetime) -> tuple[str, ...]:
        """Step 6: return the workers, as codes, that are alive and hold a key of an older generation."""

    def remains(self, ids: Collection[str]) -> tuple[str, ...]:
        """Return which of `ids` still have a row or token, as `table:id`."""


class FactsCheck(Protocol):
    """MACs over facts; filled by `vault.sealing`."""

    def mac(self, facts: Facts) -> bytes:
        """Return the MAC of `facts`."""

    def verifies(self, record: SealedSubject | SealedMention | SealedLink | SealedSignal) -> bool:
        """Say whether the record's facts are what this register wrote (its parts are not looked at)."""

    def behind(self, revisions: Iterable[tuple[str, int]]) -> tuple[str, ...]:
        """Return the ids whose revision is lower than the newest this register remembers."""

    def remember(self, revisions: Iterable[tuple[str, int]]) -> None:
        """Remember revisions after a graph commit (never lowers one)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """Where a certificate was filed: its id, the digest of its envelope, its index in the log."""

    certificate: str
    digest: str
    index: int


class Evidence(Protocol):
    """Log and signatures; filled in `api.wiring` from `evidence` and `vault.signing`."""

    def certify(self, body: Mapping[str, object], *, at: datetime) -> Filed:
        """Sign `body` (the predicate of certificate/1), log its digest, file it with its proof; the same id twice is filed once."""

    def previous(self) -> str | None:
        """Return the digest of the newest certificate, or None."""

    def seal_trail(self) -> int:
        """Copy the audit entries that are not yet in the log there; return how many."""

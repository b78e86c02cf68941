"""The verbs the use cases need from outside that speak of clear text; those of the stores are in `register.stores`.

Rooms satisfy them structurally; `api.wiring` lets the type checker compare. Every verb is one round trip for the whole
batch handed to it, and safe to run twice.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from register.accepted import AcceptedBatch, OpenedMention, OpenedSignal
from register.access import Role
from register.audit import Entry
from register.dossiers import DossierFacts
from register.grading import HandlingCode
from register.ids import IdentifierId, MentionId, ReceiptId, RunId, SignalId, SubjectId
from register.sealed import (
    Facts,
    Sealed,
    SealedBatch,
    SealedDossier,
    SealedHold,
    SealedLink,
    SealedMention,
    SealedSignal,
    SealedStub,
    SealedSubject,
)
from register.subjects import NewIdentifier


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
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
    ) -> Iterator[tuple[tuple[str, ...], str | None] | None]:
        """Open the names only, (names, born_on) a row, in the order given, streaming; for the table of names.

        None stands for names that do not open: one damaged record does not take the search from all others.
        """

    def open_signal(self, signal: SealedSignal, *, with_source: bool = False) -> OpenedSignal:
        """Open a signal with the mentions at hand, after checking MACs and remembered revision. Raises Tampered."""

    def check(self, records: Iterable[SealedSubject | SealedLink]) -> None:
        """Check the MACs of facts that are shown without opening anything. Raises Tampered."""

    def assert_current(self) -> None:
        """Assert, right before the first byte goes out, that this process still serves the key store's generation.

        Raises:
            Unavailable: it does not; the process sends nothing more and ends.
        """


class DossierSealing(Protocol):
    """Seals the texts of decisions, and certifies the facts they change; filled by `vault.dossiers`."""

    def seal(self, facts: DossierFacts, texts: Mapping[str, str]) -> SealedDossier:
        """Seal a new dossier, under a key of its own that is durable on return. Raises Unavailable."""

    def add(self, dossier: SealedDossier, facts: DossierFacts, texts: Mapping[str, str]) -> SealedDossier:
        """Return a dossier with its new facts and further texts. Raises Tampered."""

    def open(self, dossier: SealedDossier) -> Mapping[str, str]:
        """Return the texts of a dossier, after checking it. Raises Tampered."""

    def mac(self, facts: Facts) -> bytes:
        """Return the MAC of facts as they will be."""

    def check(self, records: Iterable[SealedSubject | SealedSignal | SealedDossier | SealedHold | SealedStub]) -> None:
        """Check MACs, and that none is an older state put back. Raises Tampered."""

    def remember(self, revisions: Iterable[tuple[str, int]]) -> None:
        """Remember revisions after a graph commit."""


class KeyRenewing(Protocol):
    """Seals a record anew under a new version of its key; filled by `vault.renewing`."""

    def under_way(self) -> tuple[str, ...]:
        """Return the records that have a new key and may not be sealed anew yet."""

    def subject(
        self, subject: SealedSubject, mentions: Sequence[SealedMention]
    ) -> tuple[SealedSubject, tuple[SealedMention, ...]] | None:
        """Return a subject and all its mentions sealed anew, under a key that is durable; None: they are already.

        Raises:
            Tampered: it does not verify or open. Conflict: it can have no further key. Unavailable.
        """

    def signal(self, signal: SealedSignal) -> SealedSignal | None:
        """Return a signal with what is its own sealed anew; None: it is already. Raises as `subject`."""

    def settle(self, record: str, revision: int, today: date) -> date:
        """Let the former key end once the graph holds `record` sealed anew; return its last day."""


class Candidate(Protocol):
    """A likely hit of a search by name."""

    @property
    def key(self) -> str:
        """The key handed to the table."""

    @property
    def score(self) -> float:
        """How well it fits, 0 to 100."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, as codes; found out when asked for, since few candidates are shown."""


class NameTable(Protocol):
    """The table of names in memory; filled by `matching.table`, through a thin adapter in `api.wiring`."""

    def put(self, key: str, names: Sequence[str], born_on: str | None, compartment: str) -> None:
        """Add or replace the names under `key`, for who may see `compartment`."""

    def drop(self, key: str) -> None:
        """Forget the names under `key`."""

    def search(self, name: str, *, born_on: str | None, limit: int, among: Collection[str]) -> Sequence[Candidate]:
        """Return the best candidates of these compartments, best first. Raises Invalid (fewer than three letters).

        What other compartments hold changes neither the answer nor the time it takes.
        """


class Keeping(Protocol):
    """What officers ask of retention: ids, codes, counts and dates only; filled through `api.wiring`."""

    def plan(self, on: date) -> Mapping[str, object]:
        """Return what a run on civil date `on` would do, with reasons; nothing is changed."""

    def order(self, on: date, requested_by: str, entry: Entry) -> RunId:
        """File an order for the keeper. Raises Invalid: `on` is in the future and this is no rehearsal register."""

    def approve(self, run: RunId, digest: str, approved_by: str, entry: Entry) -> None:
        """Approve a waiting plan. Raises NotFound, Conflict (other digest, not waiting), Refused (own request)."""

    def explain(self, subject: SubjectId, on: date) -> Mapping[str, object] | None:
        """Return where a live subject stands on civil date `on` and why; None: there is none."""

    def cases(self, on: date) -> Iterator[Mapping[str, object]]:
        """Stream the facts of every live record with dates of its own as retention-case/1, for civil date `on`."""

    def calendar(self, on: date, weeks: int) -> Mapping[str, object]:
        """Return how much becomes due in each week from civil date `on`, if nothing more happens."""

    def rehearse(self, on: date, weeks: int) -> Mapping[str, object]:
        """Return the runs of the weeks from civil date `on` on paper; nothing is changed."""

    def clock(self) -> Mapping[str, object]:
        """Return whether the machine's clock can be believed, its time, what was believed last, and who confirms it."""

    def confirm_clock(self, entry: Entry) -> None:
        """Note that the entry's actor says the machine's clock is right, and believe it once two did.

        `entry` is durable before.
        """

    def runs(self) -> tuple[Mapping[str, object], ...]:
        """Return the runs and the orders not yet begun, newest first."""

    def processing(self, on: date) -> Mapping[str, object]:
        """Return the register of processing as of civil date `on`: articles, terms, measures, who may what."""

    def certificates(self) -> tuple[Mapping[str, object], ...]:
        """Return the certificates filed, newest first: id, when, counts."""

    def certificate(self, certificate: str) -> Mapping[str, str] | None:
        """Return the files of one certificate by name, or None."""


class Versions(Protocol):
    """Keeps the versions of the policy; filled through `api.wiring`. An entry is durable before what it speaks of."""

    def all(self, on: date) -> tuple[Mapping[str, object], ...]:
        """Return every version with its state on civil date `on`."""

    def text(self, digest: str) -> Mapping[str, str]:
        """Return `file` and `text` of a version. Raises NotFound."""

    def propose(self, file: str, text: bytes, by: str, on: date, entry: Entry) -> str:
        """Take a version in; return its digest. Raises Invalid (every fault, with its line), Conflict."""

    def impact(self, digest: str, to: str, on: date, entry: Entry) -> Mapping[str, object]:
        """Return what a version would change if it were activated on civil date `on`. Raises NotFound."""

    def approve(self, digest: str, impact: str, by: str, on: date, entry: Entry) -> Mapping[str, object]:
        """Activate a version. Raises NotFound, Refused, Conflict."""

    def withdraw(self, digest: str, by: str, on: date, entry: Entry) -> Mapping[str, object]:
        """Take a version back. Raises NotFound, Conflict."""


class Credentials(Protocol):
    """Who may come in; keys are kept hashed, in the key store. Filled by `vault.keystore`."""

    def add(
        self,
        *,
        code: str,
        role: Role,
        markings: frozenset[str],
        handling: HandlingCode,
        expires_at: datetime | None,
    ) -> str:
        """Enrol `code`, cleared up to `handling`; return its key, shown this once. Raises Conflict (enrolled)."""

    def end(self, code: str) -> None:
        """End the key of `code`. Raises NotFound."""

    def all(self) -> tuple[Mapping[str, object], ...]:
        """Return everybody enrolled: code, role, markings, handling, expires_at, ended; no key."""

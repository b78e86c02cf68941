"""What a retention run needs from outside: erasing in the graph, forgetting in the key store, evidence.

Clear text never passes here. What these verbs speak of lies in `register.runs`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from register.audit import Entry
from register.ids import ArchiveId, HoldId, RunId, SignalId, SubjectId
from register.runs import (
    Approval,
    Archived,
    Canary,
    Changed,
    Erased,
    ErasureBatch,
    Filed,
    Forgotten,
    Gone,
    Lease,
    Naming,
    Order,
    Reached,
    Run,
    RunState,
    SubjectRecord,
    ToArchive,
)
from register.sealed import Facts, SealedHold, SealedLink, SealedMention, SealedSignal, SealedStub, SealedSubject


class Erasure(Protocol):
    """The graph's side; filled by `graph.erasure`. Every write asserts the lease's fence."""

    def accept(self, lease: Lease) -> int:
        """Let nobody but this keeper write from now on; return the highest fence seen, this lease's if it counts."""

    def subjects(self, ids: Collection[str] | None = None) -> Iterator[SubjectRecord]:
        """Stream every live subject, by id, in pages; or read those of `ids` that are there."""

    def signals(self, ids: Collection[str] | None = None) -> Iterator[SealedSignal]:
        """Stream every signal with facts and MACs of its mentions and links, by id, in pages; or read those of `ids`.

        Nothing sealed is read: every `sealed` is empty.
        """

    def naming(self, subjects: Collection[SubjectId]) -> Iterator[Naming]:
        """Stream whom the signals name that mention one of `subjects`, each signal once; nothing is checked."""

    def mentioning(self, subjects: Collection[SubjectId]) -> Iterator[SealedSignal]:
        """Stream the signals that mention one of `subjects`, by id, in the bare form of `signals`."""

    def about(self, subjects: Collection[SubjectId], signals: Collection[SignalId]) -> Iterator[SealedSignal]:
        """Stream the signals that mention one of `subjects`, and `signals`, by id, in the form of `contents`."""

    def contents(self, signals: Collection[SignalId], subjects: Collection[SubjectId]) -> Iterator[SealedSignal]:
        """Stream those of `signals` that are there, with what is sealed of them and of their mentions of `subjects`.

        Of other mentions only the facts.
        """

    def stubs(self, ids: Collection[str] | None = None) -> Iterator[SealedStub]:
        """Stream every stub of an archived record, by id, in pages; or read those of `ids` that are there."""

    def distrust(self, ids: Collection[str], *, on: date, lease: Lease, entry: Entry) -> None:
        """Hide subjects and signals that do not verify: whatever they name is invisible from now on.

        The day on which an id was distrusted first is kept durably and never moved; `entry` is written with it.
        """

    def distrusted(self) -> Mapping[str, date]:
        """Return the ids that are distrusted and still there, each with the day on which that was discovered."""

    def canary(self) -> Canary | None:
        """Return the made-up record of this installation, or None before the first was planted."""

    def plant(self, canary: Canary, lease: Lease) -> None:
        """Take the made-up record away that is there, and put this one in its place."""

    def file_order(self, order: Order, entry: Entry) -> None:
        """File an order for the keeper."""

    def orders(self) -> tuple[Order, ...]:
        """Return the orders not yet begun, oldest first."""

    def begin(self, run: Run, lease: Lease, entry: Entry) -> None:
        """Write the run durably, taking the order of the same id away; does nothing if the run is there already."""

    def approve(self, run: RunId, digest: str, approval: Approval, entry: Entry) -> None:
        """Record an approval of this plan digest; a run that is `planned` becomes `approved`.

        Raises:
            Conflict: other digest, or not `planned`.
            NotFound: no such run.
        """

    def runs(self, *, unfinished: bool = False) -> tuple[Run, ...]:
        """Return the runs, newest first; only those in no state of FINISHED when `unfinished`."""

    def advance(self, run: RunId, state: RunState, lease: Lease, *, detail: str, entries: Sequence[Entry] = ()) -> None:
        """Set the run's state and detail (JSON), with audit entries, in one transaction."""

    def erase(
        self,
        run: RunId,
        batch: ErasureBatch,
        renew: Callable[[], Lease],
        entry: Entry,
        kept: Sequence[Entry] = (),
    ) -> Erased | Changed:
        """Delete one batch and journal it in the same transaction; `entry` is completed with what was deleted.

        `renew` gives the lease of each transaction. `kept` are the entries of the stubs, written with these.

        All or nothing: where a subject or signal is not there in the revision given (for `redacted`: the one before),
        nothing is deleted or journalled, and `Changed` names every such item. A number that is in the journal already
        whole returns its line and does nothing. The mentions and links deleted are those found in the graph. `entry`
        names the subjects, signals and stubs concerned; its count is that of all elements.

        Where the holds of the register are not those given, nothing is done either, and `Changed.holds` says so. Stubs
        are created with the first of the transactions, so that nothing that was archived is deleted without one.

        A batch of very many signals may go in several transactions, each whole in itself, journalled and audited, the
        subjects with the last; from the first on nobody may change these. Interrupted, its line in the journal says
        what was done; the rest is composed anew under the next number.
        """

    def journal(self, run: RunId) -> tuple[Erased, ...]:
        """Return the journal lines of a run, one a batch, in order."""

    def there(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of `ids` that a subject, signal or identifier has: by their indexes, unlike `remains`."""

    def remains(self, ids: Collection[str]) -> tuple[str, ...]:
        """Return what is still there of `ids`, in every label, relationship type and list property, as `label:id`.

        But for the runs' own records (planned items, journal, markers of gone ids), which `close` takes away.
        """

    def witness(self, run: RunId, lease: Lease, entries: Sequence[Entry]) -> None:
        """Write audit entries for a run that is `forgotten`, as its one keeper.

        Raises:
            Unavailable: somebody took the lease since (`lease.lost`). Conflict: the run is in another state.
        """

    def close(self, run: RunId, state: RunState, lease: Lease, *, detail: str, entries: Sequence[Entry]) -> None:
        """Set the run's last state; take away its journal lines, markers of gone ids and planned items."""


class Holds(Protocol):
    """Reads the holds; filled by `graph.holds`."""

    def holds(self) -> tuple[SealedHold, ...]:
        """Return all holds."""

    def reach(self, starts: Mapping[HoldId, tuple[str, int]]) -> Mapping[HoldId, frozenset[SubjectId]]:
        """Return per hold the subjects up to some links away from a start, itself included, as the graph is now."""


class Archive(Protocol):
    """The closed archive: records that the register can put there and not open; filled by `vault.archive`."""

    @property
    def months(self) -> frozenset[str]:
        """The destruction months, `YYYY-MM`, that there is a key of. Raises Tampered: the keys are not ours."""

    def put(self, run: RunId, items: Sequence[ToArchive], signals: Iterable[SealedSignal]) -> tuple[Archived, ...]:
        """Seal records of each item; the files are durable on return, and kept once `settle` was told of their stubs.

        What is known of an item may be more than one record holds: then it has several, all of them whole.

        Args:
            run: on whose behalf.
            items: subjects, and signals in their own right.
            signals: every signal about them, with what is sealed; consumed once.
        """

    def settle(self, run: RunId, stubs: Collection[str], *, last: bool) -> int:
        """Delete the files of this run that have no stub among `stubs`; return how many. No other file is touched.

        After the `last` time nothing tells any more what the files are about; before it, `laid` does.
        """

    def laid(self, run: RunId, items: Iterable[str]) -> Mapping[str, ArchiveId]:
        """Return of which of `items` records of this run were left when it was settled, each with the id of one."""

    def destroy(self, places: Iterable[tuple[str, ArchiveId]]) -> int:
        """Delete the files at these places (month, id), durably; one that is absent is no fault. Return how many."""

    def files(self) -> Mapping[ArchiveId, str]:
        """Return the ids of all records that there is a file of, each with its month."""

    def intact(self, files: Iterable[tuple[str, ArchiveId, str]]) -> frozenset[ArchiveId]:
        """Return the ids of those of these files (month, id, SHA-256) that are there as they were written."""


class Forgetting(Protocol):
    """The key store's side (crypto.md, a purge, steps 3 to 6); filled by `vault.keystore`."""

    def lease(self, holder: str, *, now: datetime, seconds: int, above: int = 0) -> Lease | None:
        """Take or renew the one lease until `seconds` after `now`; None while another holder's runs.

        A new holder has a higher fence, and so has the same one once its own lease has run out; it is above `above`.

        Raises:
            Tampered: code `fence.forged`: no keeper can have taken the fence `above`.
        """

    def release(self, lease: Lease) -> None:
        """Give the lease back."""

    def forgotten(self, run: RunId) -> Forgotten | None:
        """Return what step 4 of this run did, or None if it has not been committed."""

    def advance_anchor(self) -> int:
        """Step 3: make a higher anchor version, both live; return it."""

    def forget(self, run: RunId, gone: Gone, *, version: int, fence: int) -> Forgotten:
        """Step 4, in one transaction: new root and lookup keys, survivors re-wrapped, rows and tokens dropped.

        Records and identifiers become tombstones.

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


class Replicas(Protocol):
    """Copies of keys and log in other places; filled in `api.replicas`."""

    def reach(self) -> tuple[Reached, ...]:
        """Bring each to the present generation and destroy the one before in it; say which were not reached."""


class FactsCheck(Protocol):
    """MACs over facts; filled by `vault.sealing`."""

    def mac(self, facts: Facts) -> bytes:
        """Return the MAC of `facts`."""

    def verifies(
        self, record: SealedSubject | SealedMention | SealedLink | SealedSignal | SealedStub | SealedHold
    ) -> bool:
        """Say whether the record's facts are what this register wrote (not its parts, nor its revision)."""

    def behind(self, revisions: Iterable[tuple[str, int]]) -> tuple[str, ...]:
        """Return the ids whose revision is lower than the newest this register remembers, or that were purged."""

    def purged(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of `ids` that were purged: whoever put them back, they are to go again."""

    def remember(self, revisions: Iterable[tuple[str, int]]) -> None:
        """Remember revisions after a graph commit (never lowers one)."""


class Resemblance(Protocol):
    """Finds those who go in texts of signals that stay; filled by `register.resembling`."""

    def look(self, subjects: Collection[SubjectId], leaving: Collection[SignalId], on: date) -> int:
        """Send signals that stay to the desk whose texts name one of `subjects` without stating it. Safe to repeat.

        `leaving` go by themselves, `on` is the civil date since which the desk has to look. Returns how many.
        """


class Evidence(Protocol):
    """Log and signatures; filled in `api.wiring` from `evidence` and `vault.signing`."""

    def certify(self, body: Mapping[str, object], *, at: datetime, witness: Callable[[Sequence[Entry]], None]) -> Filed:
        """Sign `body` (the predicate of certificate/1), log its digest, file it with its proof.

        `witness` writes the entry by which it is issued; where it refuses, nothing is issued.

        A certificate id that is filed already is not filed again: what was filed then is returned.
        """

    def previous(self) -> Filed | None:
        """Return the newest certificate filed, or None before the first."""

    def seal_trail(self) -> int:
        """Copy the audit entries that are not yet in the log there; return how many."""

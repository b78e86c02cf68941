"""What passes between a retention run and the rooms that carry it out: no content, only ids, dates, states and counts.

Apart from the verbs in `retention.interfaces`, so that the rooms that fill those verbs can name what they answer.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from register.ids import ArchiveId, IdentifierId, LinkId, MentionId, RunId, SignalId, SubjectId
from register.sealed import ApprovalFacts, RunFacts, SealedStub, SealedSubject, SignalFacts, SubjectFacts


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
class Naming:
    """Whom a signal names, by id alone: what a plan tells by name.

    Attributes:
        mentions: id, subject and identifiers of each; links: id and both ends of each.
    """

    signal: SignalId
    mentions: tuple[tuple[MentionId, SubjectId, tuple[IdentifierId, ...]], ...]
    links: tuple[tuple[LinkId, str, str], ...]


class RunState(StrEnum):
    """Where a run stands; each step is durable before the next begins.

    `planned` waits for a second person; `approved` may begin; `erasing` deletes; `erased` has deleted; `forgotten` has
    replaced the keys; the others are the ends of a run. `waiting` has ended too: all that is due waits, for a reason
    that the run tells.
    """

    PLANNED = "planned"
    APPROVED = "approved"
    ERASING = "erasing"
    ERASED = "erased"
    FORGOTTEN = "forgotten"
    CERTIFIED = "certified"
    NOTHING_DUE = "nothing-due"
    WAITING = "waiting"
    SUPERSEDED = "superseded"
    REFUSED = "refused"
    FAILED = "failed"


FINISHED: Final = frozenset(
    {
        RunState.CERTIFIED,
        RunState.NOTHING_DUE,
        RunState.WAITING,
        RunState.SUPERSEDED,
        RunState.REFUSED,
        RunState.FAILED,
    }
)
"""The states in which a run has ended. Only a failed one still holds its items and its journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """That somebody (an actor's code) agreed to a plan, and when (aware, UTC); `mac` of these facts, hexadecimal."""

    actor: str
    at: datetime
    mac: str = ""

    def facts(self, run: RunId, digest: str) -> ApprovalFacts:
        """Return what the MAC covers, for the plan of `run` with this digest."""
        return ApprovalFacts(run=run, digest=digest, actor=self.actor, at=self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run's own record in the graph.

    Attributes:
        as_of: civil date for which the run decides.
        digest: of the plan.
        requested_by: actor code; `system` for the keeper's own nightly order.
        due_subjects, due_signals, due_archived: the plan's items (id, revision) while the run is under way, emptied by
            `close`; of the last the files in the closed archive are to be destroyed.
        detail: JSON text of what later steps need (terms, counts, key-store result); holds ids of items only while the
            run is under way, their SHA-256 once it is closed.
        approval_needed: whether a second person has to agree.
        mac: of `facts`, hexadecimal: a run without it was not begun by this register.
    """

    id: RunId
    state: RunState
    as_of: date
    started_at: datetime
    digest: str
    requested_by: str
    approvals: tuple[Approval, ...] = ()
    due_subjects: tuple[tuple[SubjectId, int], ...] = ()
    due_signals: tuple[tuple[SignalId, int], ...] = ()
    due_archived: tuple[tuple[ArchiveId, int], ...] = ()
    detail: str = "{}"
    approval_needed: bool = False
    mac: str = ""

    @property
    def facts(self) -> RunFacts:
        """What the MAC covers."""
        return RunFacts(
            id=self.id,
            as_of=self.as_of,
            digest=self.digest,
            requested_by=self.requested_by,
            approval_needed=self.approval_needed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A run that somebody asked for and the keeper has not begun."""

    id: RunId
    as_of: date
    requested_by: str
    requested_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """The made-up record of an installation: when it was planted, and when it says that it was received. Of nobody."""

    received_on: date
    planted_on: date

    def outlived(self, today: date) -> bool:
        """Say whether it is there longer than any run that works would leave it: the day after it was due, or later."""
        return (today - self.planted_on).days >= 2


class Fate(StrEnum):
    """What becomes of an item: `removed` to the closed archive, or `destroyed`."""

    REMOVED = "removed"
    DESTROYED = "destroyed"


class Skip(StrEnum):
    """Why a planned item was left alone.

    `changed`: its revision is not the planned one. `unknown`: it is not there, and no journal line says who deleted it.
    `held`: a hold that came since the plan puts its destruction off.
    """

    CHANGED = "changed"
    UNKNOWN = "unknown"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToArchive:
    """A record that goes to the closed archive.

    Attributes:
        item: id of a subject, or of a signal that names nobody; kind: `subject` or `signal`.
        facts: the subject's.
        month: `YYYY-MM` of its destruction, whose key it is sealed to.
        removed_on, rule: when it is removed, and by what.
    """

    item: str
    kind: str
    facts: SubjectFacts | None
    month: str
    removed_on: date
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """Where `item` lies in the closed archive: under which id and month, in a file with which SHA-256 (hexadecimal)."""

    item: str
    archive: ArchiveId
    month: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureBatch:
    """What one deleting transaction does.

    Attributes:
        number: of the batch in its run, from 0: how many journal lines came before it.
        fate: what becomes of everything that this batch takes.
        subjects: (id, planned revision) to delete with their mentions, links and last identifiers.
        signals: (id, revision) to delete whole: their last subject goes here (revision read just now), or they name
            nobody and their own term ended (planned revision).
        redacted: signals that stay, with facts as they will be (revision raised by one, the gone mentions and links
            taken out) and MAC; a signal whose facts did not verify keeps its old MAC, which still does not.
        stubs: of the records that were archived before, to create.
        destroyed: stubs of records whose files go next, with facts as they will be (revision raised by one) and MAC.
        holds: every hold (id, revision) that was considered.
        skipped: planned items left alone, found by an earlier try of this batch: only journalled.
    """

    number: int
    fate: Fate = Fate.DESTROYED
    subjects: tuple[tuple[SubjectId, int], ...]
    signals: tuple[tuple[SignalId, int], ...]
    redacted: tuple[tuple[SignalFacts, bytes], ...]
    stubs: tuple[SealedStub, ...] = ()
    destroyed: tuple[SealedStub, ...] = ()
    holds: tuple[tuple[str, int], ...] = ()
    skipped: tuple[tuple[str, Skip], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What one deleting transaction did, as journalled in it, and what it left alone.

    Attributes:
        fate: what became of the subjects, signals and their parts.
        archived: ids of the stubs created; destroyed: ids of the stubs marked destroyed.
    """

    fate: Fate = Fate.DESTROYED
    subjects: tuple[SubjectId, ...] = ()
    signals: tuple[SignalId, ...] = ()
    mentions: tuple[MentionId, ...] = ()
    links: tuple[LinkId, ...] = ()
    identifiers: tuple[IdentifierId, ...] = ()
    redacted: tuple[SignalId, ...] = ()
    archived: tuple[ArchiveId, ...] = ()
    destroyed: tuple[ArchiveId, ...] = ()
    skipped: tuple[tuple[str, Skip], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Nothing was deleted or journalled: these items of the batch are not as given, or the `holds` are others now."""

    items: tuple[tuple[str, Skip], ...]
    holds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What the key store is to forget, as the journal says it was deleted.

    Attributes:
        records: ids of subjects and signals, and of what else has keys of its own.
        identifiers: those that went with their last subject.
        redacted: signals that stay and lost a subject.
        on: civil date on which they are forgotten.
        deliveries_before: what is left of deliveries forgotten before this date ends now.
    """

    records: frozenset[str]
    identifiers: frozenset[str]
    redacted: frozenset[str]
    on: date
    deliveries_before: date


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Whether a replica of the keys, by its code, is as they are: the generation before is destroyed in it too.

    Attributes:
        code: why it was not reached, "" if it was; assurance: what the destruction in it is worth, `none` if not.
    """

    name: str
    reached: bool
    code: str
    assurance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """Where a certificate was filed: its id, its number, the digest of its envelope, its index in the log."""

    certificate: str
    sequence: int
    digest: str
    index: int

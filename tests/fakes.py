"""In-memory stand-ins for what a retention run needs: they keep every promise of `retention.interfaces`.

One contract suite runs on these and on the real graph and key store. All state is plain and public, so that a test can
compare two of them, or play the database operator who changes it by hand.
"""

import hashlib
import hmac
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from evidence.merkle import leaf_hash
from evidence.statement import draft
from register.audit import Act, Entry
from register.errors import Conflict, NotFound, Tampered, Unavailable
from register.ids import ArchiveId, HoldId, IdentifierId, RunId, SignalId, SubjectId
from register.runs import (
    FINISHED,
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
    Skip,
    SubjectRecord,
    ToArchive,
)
from register.sealed import (
    Facts,
    SealedHold,
    SealedLink,
    SealedMention,
    SealedSignal,
    SealedStub,
    SealedSubject,
    canonical,
)


@dataclass(slots=True)
class SetClock:
    """A clock that stands still until it is set."""

    at: datetime = datetime(2026, 11, 24, 0, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@dataclass(slots=True)
class FakeGraph:
    """`Erasure` and `Trail` in memory."""

    clock: SetClock
    subjects_held: dict[SubjectId, SealedSubject] = field(default_factory=dict)
    signals_held: dict[SignalId, SealedSignal] = field(default_factory=dict)
    identifiers_held: set[IdentifierId] = field(default_factory=set)
    orders_held: dict[RunId, Order] = field(default_factory=dict)
    runs_held: dict[RunId, Run] = field(default_factory=dict)
    journals: dict[RunId, list[Erased]] = field(default_factory=dict)
    gone: dict[RunId, set[str]] = field(default_factory=dict)
    stubs_held: dict[ArchiveId, SealedStub] = field(default_factory=dict)
    holds_held: dict[str, SealedHold] = field(default_factory=dict)
    doubted: dict[str, date] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    current: Lease | None = None
    canary_held: Canary | None = None

    def append(self, entries: Sequence[Entry]) -> None:
        self.entries.extend(entries)

    def accept(self, lease: Lease) -> int:
        if self.current is None or self.current.fence < lease.fence:
            self.current = lease
        return self.current.fence + (self.current != lease and self.current.fence == lease.fence)

    def _fenced(self, lease: Lease) -> None:
        if lease != self.current:
            raise Unavailable("lease.lost", "another keeper writes here now")

    def subjects(self, ids: Collection[str] | None = None) -> Iterator[SubjectRecord]:
        for subject, held in sorted(self.subjects_held.items()):
            if ids is not None and subject not in ids:
                continue
            dates = sorted(
                (one.facts.received_on, one.facts.accepted_on)
                for one in tuple(self.signals_held.values())  # another thread may erase meanwhile
                if _names(one, {subject})
            )
            yield SubjectRecord(subject=held, signals=tuple(dates))

    def signals(self, ids: Collection[str] | None = None) -> Iterator[SealedSignal]:
        for signal, held in sorted(self.signals_held.items()):
            if ids is None or signal in ids:
                yield held

    def naming(self, subjects: Collection[SubjectId]) -> Iterator[Naming]:
        for one in self.mentioning(subjects):
            yield Naming(
                signal=one.facts.id,
                mentions=tuple((part.facts.id, part.facts.subject, part.facts.identifiers) for part in one.mentions),
                links=tuple((part.facts.id, part.facts.from_, part.facts.to) for part in one.links),
            )

    def mentioning(self, subjects: Collection[SubjectId]) -> Iterator[SealedSignal]:
        return (one for one in self.signals() if _names(one, subjects))

    def about(self, subjects: Collection[SubjectId], signals: Collection[SignalId]) -> Iterator[SealedSignal]:
        return (one for one in self.signals() if one.facts.id in signals or _names(one, subjects))

    def contents(self, signals: Collection[SignalId], subjects: Collection[SubjectId]) -> Iterator[SealedSignal]:
        return self.signals(signals)

    def stubs(self, ids: Collection[str] | None = None) -> Iterator[SealedStub]:
        for one, held in sorted(self.stubs_held.items()):
            if ids is None or one in ids:
                yield held

    def holds(self) -> tuple[SealedHold, ...]:
        return tuple(self.holds_held.values())

    def reach(self, starts: Mapping[HoldId, tuple[str, int]]) -> Mapping[HoldId, frozenset[SubjectId]]:
        """Of depth 0 and 1 only."""
        found: dict[HoldId, frozenset[SubjectId]] = {}
        for hold, (start, depth) in starts.items():
            near = {SubjectId(start)} if start in self.subjects_held else set[SubjectId]()
            for held in self.signals_held.values():
                for link in held.links:
                    ends = {link.facts.from_, link.facts.to}
                    if depth and start in ends:
                        near |= {SubjectId(one) for one in ends if one in self.subjects_held}
            found[hold] = frozenset(near)
        return found

    def canary(self) -> Canary | None:
        return self.canary_held

    def plant(self, canary: Canary, lease: Lease) -> None:
        self._fenced(lease)
        self.canary_held = canary

    def distrust(self, ids: Collection[str], *, on: date, lease: Lease, entry: Entry) -> None:
        self._fenced(lease)
        for one in ids:
            self.doubted.setdefault(one, on)
        self.entries.append(entry)

    def distrusted(self) -> Mapping[str, date]:
        held: set[str] = {*self.subjects_held, *self.signals_held}
        return {one: on for one, on in self.doubted.items() if one in held}

    def file_order(self, order: Order, entry: Entry) -> None:
        self.orders_held.setdefault(order.id, order)
        self.entries.append(entry)

    def orders(self) -> tuple[Order, ...]:
        return tuple(sorted(self.orders_held.values(), key=lambda one: one.requested_at))

    def begin(self, run: Run, lease: Lease, entry: Entry) -> None:
        self._fenced(lease)
        if run.id not in self.runs_held:
            self.orders_held.pop(run.id, None)
            self.runs_held[run.id] = run
            self.entries.append(entry)

    def approve(self, run: RunId, digest: str, approval: Approval, entry: Entry) -> None:
        held = self.runs_held.get(run)
        if held is None:
            raise NotFound
        if held.state is not RunState.PLANNED or held.digest != digest:
            raise Conflict("approval.other", "not waiting for an approval of this digest")
        self.runs_held[run] = replace(held, state=RunState.APPROVED, approvals=(*held.approvals, approval))
        self.entries.append(entry)

    def runs(self, *, unfinished: bool = False) -> tuple[Run, ...]:
        newest = reversed(self.runs_held.values())
        return tuple(run for run in newest if not (unfinished and run.state in FINISHED))

    def advance(self, run: RunId, state: RunState, lease: Lease, *, detail: str, entries: Sequence[Entry] = ()) -> None:
        self._fenced(lease)
        self.runs_held[run] = replace(self.runs_held[run], state=state, detail=detail)
        self.entries.extend(entries)

    def erase(
        self, run: RunId, batch: ErasureBatch, renew: Callable[[], Lease], entry: Entry, kept: Sequence[Entry] = ()
    ) -> Erased | Changed:
        self._fenced(renew())
        lines = self.journals.setdefault(run, [])
        if batch.number < len(lines):
            return lines[batch.number]
        changed = tuple(self._changed(batch))
        holds = tuple(sorted((one.facts.id, one.facts.revision) for one in self.holds_held.values())) != batch.holds
        if changed or holds:
            return Changed(items=changed, holds=holds)
        going = frozenset(subject for subject, _ in batch.subjects)
        line = self._deleted(batch, going)
        lines.append(line)
        ids = (*line.subjects, *line.signals, *line.mentions, *line.links, *line.identifiers)
        self.gone.setdefault(run, set()).update(ids)
        self.stubs_held |= {one.facts.id: one for one in (*batch.stubs, *batch.destroyed)}
        self.entries.append(entry.found((*ids, *line.destroyed), len(ids) + len(line.destroyed)))
        self.entries.extend(kept)
        return line

    def _changed(self, batch: ErasureBatch) -> Iterator[tuple[str, Skip]]:
        wanted: list[tuple[str, int]] = [*batch.subjects, *batch.signals]
        wanted += [(facts.id, facts.revision - 1) for facts, _ in batch.redacted]
        wanted += [(one.facts.id, one.facts.revision - 1) for one in batch.destroyed]
        revisions: dict[str, int] = {one: held.facts.revision for one, held in self.subjects_held.items()}
        revisions |= {one: held.facts.revision for one, held in self.signals_held.items()}
        revisions |= {one: held.facts.revision for one, held in self.stubs_held.items()}
        for one, revision in wanted:
            if one not in revisions:
                yield one, Skip.UNKNOWN
            elif revisions[one] != revision:
                yield one, Skip.CHANGED

    def _deleted(self, batch: ErasureBatch, going: frozenset[SubjectId]) -> Erased:
        whole = {signal for signal, _ in batch.signals}
        facts = {one.id: (one, mac) for one, mac in batch.redacted}
        mentions, links = [], []
        for one, held in list(self.signals_held.items()):
            kept = tuple(part for part in held.mentions if one not in whole and part.facts.subject not in going)
            tied = tuple(
                part
                for part in held.links
                if one not in whole and part.facts.from_ not in going and part.facts.to not in going
            )
            mentions += [part.facts for part in held.mentions if part not in kept]
            links += [part.facts.id for part in held.links if part not in tied]
            if one in whole:
                del self.signals_held[one]
            else:
                new, mac = facts.get(one, (held.facts, held.mac))
                self.signals_held[one] = replace(held, facts=new, mac=mac, mentions=kept, links=tied)
        for subject in going:
            del self.subjects_held[subject]
        carried = {
            each for held in self.signals_held.values() for part in held.mentions for each in part.facts.identifiers
        }
        last = {each for part in mentions for each in part.identifiers} - carried
        self.identifiers_held -= last
        return Erased(
            fate=batch.fate,
            archived=tuple(sorted(one.facts.id for one in batch.stubs)),
            destroyed=tuple(sorted(one.facts.id for one in batch.destroyed)),
            subjects=tuple(sorted(going)),
            signals=tuple(sorted(whole)),
            mentions=tuple(sorted(part.id for part in mentions)),
            links=tuple(sorted(links)),
            identifiers=tuple(sorted(last)),
            redacted=tuple(sorted(facts)),
            skipped=batch.skipped,
        )

    def journal(self, run: RunId) -> tuple[Erased, ...]:
        return tuple(self.journals.get(run, ()))

    def there(self, ids: Collection[str]) -> frozenset[str]:
        held: set[str] = {*self.subjects_held, *self.signals_held, *self.identifiers_held}
        return frozenset(held & set(ids))

    def remains(self, ids: Collection[str]) -> tuple[str, ...]:
        wanted = set(ids)
        found = {f"Subject:{one}" for one in self.subjects_held if one in wanted}
        found |= {f"Identifier:{one}" for one in self.identifiers_held if one in wanted}
        for one, held in self.signals_held.items():
            named: set[str] = {one, *held.facts.mentions, *held.facts.links}
            named |= {part.facts.id for part in held.mentions} | {part.facts.subject for part in held.mentions}
            named |= {each for part in held.links for each in (part.facts.id, part.facts.from_, part.facts.to)}
            found |= {f"Signal:{each}" for each in named & wanted}
        return tuple(sorted(found))

    def witness(self, run: RunId, lease: Lease, entries: Sequence[Entry]) -> None:
        self._fenced(lease)
        if self.runs_held[run].state is not RunState.FORGOTTEN:
            raise Conflict("run.moved", "the run is in another state")
        self.entries.extend(entries)

    def close(self, run: RunId, state: RunState, lease: Lease, *, detail: str, entries: Sequence[Entry]) -> None:
        self._fenced(lease)
        held = self.runs_held[run]
        self.runs_held[run] = replace(
            held, state=state, detail=detail, due_subjects=(), due_signals=(), due_archived=()
        )
        self.journals.pop(run, None)
        self.gone.pop(run, None)
        self.entries.extend(entries)


def _names(signal: SealedSignal, subjects: Collection[SubjectId]) -> bool:
    return any(mention.facts.subject in subjects for mention in signal.mentions)


@dataclass(slots=True)
class FakeArchive:
    """`Archive` in memory: which record lies under which id and month, and which of them no stub is known of yet."""

    months: frozenset[str] = frozenset(f"{year}-{month:02}" for year in range(2020, 2045) for month in range(1, 13))
    records: dict[ArchiveId, tuple[ToArchive, tuple[SealedSignal, ...]]] = field(default_factory=dict)
    pending: dict[RunId, set[ArchiveId]] = field(default_factory=dict)
    minted: int = 0
    altered: set[ArchiveId] = field(default_factory=set)

    def put(self, run: RunId, items: Sequence[ToArchive], signals: Iterable[SealedSignal]) -> tuple[Archived, ...]:
        held = tuple(signals)
        put = []
        for one in items:
            self.minted += 1
            archive = ArchiveId(f"{self.minted:032x}")
            about = tuple(each for each in held if each.facts.id == one.item or _names(each, [SubjectId(one.item)]))
            self.records[archive] = (one, about)
            self.pending.setdefault(run, set()).add(archive)
            put.append(Archived(item=one.item, archive=archive, month=one.month, sha256="00" * 32))
        return tuple(put)

    def settle(self, run: RunId, stubs: Collection[str], *, last: bool) -> int:
        every = self.pending.pop(run, set()) if last else self.pending.get(run, set())
        left = every - set(stubs)
        for archive in left:
            self.records.pop(archive, None)
        every -= left
        return len(left)

    def laid(self, run: RunId, items: Iterable[str]) -> Mapping[str, ArchiveId]:
        about = {self.records[one][0].item: one for one in self.pending.get(run, ())}
        return {item: about[item] for item in items if item in about}

    def destroy(self, places: Iterable[tuple[str, ArchiveId]]) -> int:
        return sum(self.records.pop(archive, None) is not None for _, archive in places)

    def files(self) -> Mapping[ArchiveId, str]:
        return {archive: one.month for archive, (one, _) in self.records.items()}

    def intact(self, files: Iterable[tuple[str, ArchiveId, str]]) -> frozenset[ArchiveId]:
        return frozenset(archive for _, archive, _ in files if archive in self.records.keys() - self.altered)

    def of(self, item: str) -> list[ArchiveId]:
        """Return the ids of the records about `item`."""
        return [archive for archive, (one, _) in self.records.items() if one.item == item]


@dataclass(slots=True)
class FakeKeyStore:
    """`Forgetting` in memory: which ids have a row or token, under which generation and anchor version."""

    rows: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    tombstones: set[str] = field(default_factory=set)
    generation: int = 1
    versions: set[int] = field(default_factory=lambda: {1})
    committed: int = 1
    workers: dict[str, int] = field(default_factory=dict)
    results: dict[RunId, Forgotten] = field(default_factory=dict)

    fence: int = 0
    current: Lease | None = None
    until: datetime | None = None
    gone: list[Gone] = field(default_factory=list)

    def lease(self, holder: str, *, now: datetime, seconds: int, above: int = 0) -> Lease | None:
        running = self.current is not None and self.until is not None and now < self.until
        if self.current is not None and running and self.current.holder != holder:
            return None
        if self.current is None or not running or self.fence < above:
            self.fence = max(self.fence, above) + 1
        self.current = Lease(holder=holder, fence=self.fence)
        self.until = now + timedelta(seconds=seconds)
        return self.current

    def release(self, lease: Lease) -> None:
        if lease == self.current:
            self.current = None

    def forgotten(self, run: RunId) -> Forgotten | None:
        return self.results.get(run)

    def advance_anchor(self) -> int:
        self.versions.add(max(self.versions) + 1)
        return max(self.versions)

    def forget(self, run: RunId, gone: Gone, *, version: int, fence: int) -> Forgotten:
        if version not in self.versions or version <= self.committed:
            raise Unavailable("keys.moved", "this anchor version is not the newest")
        dropped, unhashed = self.rows & gone.records, self.tokens & gone.identifiers
        self.rows -= dropped
        self.tokens -= unhashed
        self.tombstones |= gone.records | gone.identifiers
        self.gone.append(gone)
        done = Forgotten(
            run=run,
            generation_before=self.generation,
            generation_after=self.generation + 1,
            anchor_before=self.committed,
            anchor_after=version,
            anchor_kind="file",
            assurance="logical",
            rows_dropped=len(dropped),
            rows_kept=len(self.rows),
            tokens_dropped=len(unhashed),
            tokens_kept=len(self.tokens),
        )
        self.generation, self.committed = done.generation_after, version
        self.results[run] = done
        return done

    def destroy_old(self, *, fence: int) -> Mapping[str, str]:
        self.versions = {one for one in self.versions if one >= self.committed}
        if self.committed not in self.versions:
            raise Tampered
        return {"old-root": "does-not-open"}

    def stale_workers(self, *, now: datetime) -> tuple[str, ...]:
        return tuple(sorted(one for one, generation in self.workers.items() if generation < self.generation))

    def remains(self, ids: Collection[str]) -> tuple[str, ...]:
        wanted = set(ids)
        return (*(f"row:{one}" for one in self.rows & wanted), *(f"token:{one}" for one in self.tokens & wanted))


@dataclass(slots=True)
class FakeResemblance:
    """`Resemblance` over no texts at all: remembers who was looked for, and what was said to leave by itself."""

    looked: list[tuple[frozenset[str], frozenset[str], date]] = field(default_factory=list)

    def look(self, subjects: Collection[SubjectId], leaving: Collection[SignalId], on: date) -> int:
        self.looked.append((frozenset(subjects), frozenset(leaving), on))
        return 0


@dataclass(slots=True)
class FakeFacts:
    """`FactsCheck` in memory, with a real MAC over the real canonical form."""

    key: bytes = b"a key for tests"
    newest: dict[str, int] = field(default_factory=dict)
    tombstones: set[str] = field(default_factory=set)

    def mac(self, facts: Facts) -> bytes:
        return hmac.digest(self.key, canonical(facts), "sha256")

    def verifies(
        self, record: SealedSubject | SealedMention | SealedLink | SealedSignal | SealedStub | SealedHold
    ) -> bool:
        return hmac.compare_digest(record.mac, self.mac(record.facts))

    def behind(self, revisions: Iterable[tuple[str, int]]) -> tuple[str, ...]:
        return tuple(
            one for one, revision in revisions if one in self.tombstones or revision < self.newest.get(one, revision)
        )

    def purged(self, ids: Collection[str]) -> frozenset[str]:
        return frozenset(ids) & self.tombstones

    def remember(self, revisions: Iterable[tuple[str, int]]) -> None:
        for one, revision in revisions:
            self.newest[one] = max(revision, self.newest.get(one, revision))


@dataclass(slots=True)
class FakeEvidence:
    """`Evidence` in memory: files what is well formed and makes sense, and nothing else."""

    trail: FakeGraph
    filed: list[tuple[Filed, Mapping[str, Any]]] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    sealed: int = 0

    def certify(self, body: Mapping[str, Any], *, at: datetime, witness: Callable[[Sequence[Entry]], None]) -> Filed:
        for one, _ in self.filed:
            if one.certificate == body["certificate"]["id"]:
                return one
        digest = hashlib.sha256(draft(body)).digest()
        detail = {"sha256": digest.hex()}
        issued = Entry(at=at, actor="system", role="system", act=Act.CERTIFICATE_ISSUED, detail=detail)
        witness([replace(issued, targets=(body["certificate"]["id"],))])
        self.leaves.append(leaf_hash(digest))
        filed = Filed(
            certificate=body["certificate"]["id"],
            sequence=body["certificate"]["sequence"],
            digest=digest.hex(),
            index=len(self.leaves) - 1,
        )
        self.filed.append((filed, body))
        return filed

    def previous(self) -> Filed | None:
        return self.filed[-1][0] if self.filed else None

    def seal_trail(self) -> int:
        new = self.trail.entries[self.sealed :]
        self.leaves.extend(leaf_hash(bytes.fromhex(entry.salt) + entry.body()) for entry in new)
        self.sealed += len(new)
        return len(new)


class Killed(BaseException):
    """A process that died: no handler of ours may catch it."""


@dataclass(slots=True)
class Fate:
    """Counts the moments at which a process may die, and lets it die at one of them (0 is the first; None: never)."""

    at: int | None = None
    moments: int = 0

    def moment(self) -> None:
        self.moments += 1
        if self.at is not None and self.moments > self.at:
            raise Killed

    def over(self, inner: Any) -> Any:
        """Return `inner` as seen by a process that may die right before or right after each of its verbs."""
        return _Mortal(inner, self)


class _Mortal:
    def __init__(self, inner: Any, fate: Fate) -> None:
        self._inner, self._fate = inner, fate

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._inner, name)
        if not callable(verb):
            return verb

        def call(*args: Any, **kwargs: Any) -> Any:
            self._fate.moment()
            result = verb(*args, **kwargs)
            self._fate.moment()
            return result

        return call


@dataclass(slots=True)
class FakeReplicas:
    """Replicas by name: whether each is reached."""

    reachable: dict[str, bool] = field(default_factory=dict)

    def reach(self) -> tuple[Reached, ...]:
        return tuple(
            Reached(
                name=name,
                reached=there,
                code="" if there else "replica.storage",
                assurance="logical" if there else "none",
            )
            for name, there in sorted(self.reachable.items())
        )

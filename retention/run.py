"""A retention run, from the order to the certificate; the numbers in comments are the steps of docs/architecture.md.

Every state is durable before the next step begins. Whatever is interrupted, anywhere, is taken up by the next process
and ends as if nothing had happened. Two processes share the work: one that holds the old root key deletes and forgets
(`until_forgotten`), a fresh one reads back and certifies (`finish`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from hmac import compare_digest
from typing import Final

from register.archived import ArchivedFacts
from register.audit import Act, Entry
from register.clock import Clock, civil_date
from register.errors import Unavailable
from register.ids import ArchiveId, mint
from register.runs import FINISHED, Filed, Gone, Lease, Run, RunState, Skip
from register.stores import Trail
from retention.batches import Batches
from retention.certificate import Account, IdsRoot, Issuer
from retention.detail import Detail, Purged
from retention.holding import read_holds
from retention.intent import Intent
from retention.interfaces import Archive, Erasure, Evidence, FactsCheck, Forgetting, Holds, Replicas, Resemblance
from retention.journal import Check, Done, skipped
from retention.planned import digest
from retention.rules import Policy
from retention.steps import SYSTEM, Point, Progress, Step, own_entry
from retention.tenure import Tenure

LEASE_TRIES: Final = 3
"""How often a lease is taken above a fence that the graph has seen meanwhile."""

PATIENCE: Final = 120
"""How many pauses a run waits for the processes that still hold the old root key to end, before it gives up for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRun:
    """Carries runs out.

    Attributes:
        holder: code of the keeper these processes work for, minted anew by each keeper: they share its lease, and no
            other keeper does.
        progress: told of each step once it is durable.
        pause: waits a moment, between two looks at processes that should end.
    """

    erasure: Erasure
    holds: Holds
    archive: Archive
    forgetting: Forgetting
    replicas: Replicas
    check: FactsCheck
    names: Resemblance
    evidence: Evidence
    trail: Trail
    clock: Clock
    policy: Policy
    issuer: Issuer
    ids_root: IdsRoot
    holder: str
    progress: Progress
    pause: Callable[[], None]

    def until_forgotten(self) -> Run | None:
        """Take up the unfinished run, or begin the oldest order; carry it on until its keys are gone.

        Returns:
            The run as it stands: waiting for a second person, ended, or `forgotten` and ready for `finish` in a fresh
            process. None when there is nothing to do, or another keeper is at work.

        Raises:
            Unavailable, Tampered: something failed on the way; a later call in a fresh process goes on from there.
        """
        lease = self._lease()  # 2
        if lease is None:
            return None
        run = self._unfinished(lease) or self._begin(lease)
        if run is None or run.state in FINISHED or run.state is RunState.PLANNED:
            self.forgetting.release(lease)
            return run
        if run.state is RunState.APPROVED:
            run = self._advance(run, RunState.ERASING, lease)
        if run.state is RunState.ERASING:
            run = self._erase(run, lease)
        if run.state is RunState.ERASED:
            run = self._forget(run, lease)
        return run

    def finish(self) -> Run | None:
        """Read back, certify and close the run that is `forgotten`, in a process that never saw the old root key.

        Returns:
            The run as it ended: certified, or failed when something was left. None when there is nothing to finish, or
            another keeper is at work.

        Raises:
            Unavailable: code `workers.stale`: some process still holds the old root key; a later call goes on.
        """
        lease = self._lease()
        if lease is None:
            return None
        run = next((run for run in self.erasure.runs(unfinished=True) if run.state is RunState.FORGOTTEN), None)
        if run is not None and not self._ours(run):
            run = self._failed(run, "not-ours", (), lease)
        elif run is not None:
            workers = self._replaced(run, lease)
            run = self._certify(run, workers, lease)
        self.forgetting.release(lease)
        return run

    def _lease(self) -> Lease | None:
        """Take or renew the lease where nobody who only writes to the graph can, and let the graph accept it."""
        seen = 0
        for _ in range(LEASE_TRIES):
            now, seconds = self.clock.now(), self.policy.lease_seconds
            lease = self.forgetting.lease(self.holder, now=now, seconds=seconds, above=seen)
            if lease is None:
                return None
            seen = self.erasure.accept(lease)
            if seen == lease.fence:
                return lease
        raise Unavailable("lease.lost", "another keeper writes here now")

    def _renewed(self, lease: Lease) -> Lease:
        """Return the same lease once more. Raises Unavailable when it ran out, even if nobody else has it."""
        again = self._lease()
        if again != lease:
            raise Unavailable("lease.lost", "the lease ran out on the way; the next call goes on")
        return again

    def _unfinished(self, lease: Lease) -> Run | None:
        """Return the run to take up. One that is not as this register began it, or as was agreed to, has failed."""
        for run in self.erasure.runs(unfinished=True):
            if run.state is not RunState.PLANNED:
                return run if self._ours(run) else self._failed(run, "not-ours", (), lease)
        return None

    def _ours(self, run: Run) -> bool:
        """Say whether this register began the run with these items, and a second person agreed where one has to."""
        planned = Detail.read(run.detail).planned
        items = digest(run.as_of, planned, run.due_subjects, run.due_signals, run.due_archived)
        if items != run.digest or not compare_digest(run.mac, self.check.mac(run.facts).hex()):
            return False
        barred = {run.requested_by, SYSTEM} | self.policy.authors
        agreed = (
            one.actor not in barred and compare_digest(one.mac, self.check.mac(one.facts(run.id, run.digest)).hex())
            for one in run.approvals
        )
        return any(agreed) or not run.approval_needed

    def _begin(self, lease: Lease) -> Run | None:
        intent = Intent(
            erasure=self.erasure,
            holds=self.holds,
            archive=self.archive,
            check=self.check,
            trail=self.trail,
            clock=self.clock,
            policy=self.policy,
            rehearsal=self.issuer.rehearsal,
        )
        run = intent.begin(lease)  # 1, 3, 4
        if run is not None:
            self._tell(Point.BEGUN, run)
        return run

    def _erase(self, run: Run, lease: Lease) -> Run:
        batches = Batches(
            erasure=self.erasure,
            holds=self.holds,
            archive=self.archive,
            check=self.check,
            clock=self.clock,
            renew=Tenure(partial(self._renewed, lease), self.clock, self.policy.lease_seconds),
            progress=self.progress,
            size=self.policy.batch,
        )
        going = [item for item, _ in run.due_subjects]
        self.names.look(going, [item for item, _ in run.due_signals], run.as_of)  # while there still are names
        batches.erase(run)  # 5 and 6, batch by batch
        unknown = skipped(self.erasure.journal(run.id), Skip.UNKNOWN)
        entries = [self._incident(run, "unknown", unknown)] if unknown else []
        run = self._advance(run, RunState.ERASED, lease, entries=entries)
        self._tell(Point.ERASED, run)
        return run

    def _forget(self, run: Run, lease: Lease) -> Run:
        """Let the key store forget what the journal says is deleted, never what was planned (crypto.md, a purge)."""
        gone = Done.of(self.erasure.journal(run.id))
        forgotten = self.forgetting.forgotten(run.id)
        if forgotten is None:
            lease = self._renewed(lease)
            version = self.forgetting.advance_anchor()  # 6, purge 3
            self._tell(Point.ANCHOR, run)
            lost = self._planned(run) & gone.keyed - self._still_there(gone)
            today = civil_date(self.clock.now())
            what = Gone(
                records=lost - gone.of_kind("identifier"),
                identifiers=lost & gone.of_kind("identifier"),
                redacted=gone.redacted,
                on=today,
                deliveries_before=today - timedelta(days=self.policy.resend_days),
            )
            forgotten = self.forgetting.forget(run.id, what, version=version, fence=lease.fence)  # 6, purge 4
            self._tell(Point.KEYS, run)
        evidence = self.forgetting.destroy_old(fence=self._renewed(lease).fence)  # 6, purge 5
        self._tell(Point.OLD_KEYS, run)
        now = self.clock.now()
        purged = Purged(forgotten=forgotten, fence=lease.fence, destroyed_at=now)
        detail = replace(Detail.read(run.detail), certificate=mint(), purged=purged)
        told = dict[str, str | int](evidence, generation=forgotten.generation_after, anchor=forgotten.anchor_after)
        entry = own_entry(now, Act.KEYS_REPLACED, targets=(run.id,), count=forgotten.rows_dropped, detail=told)
        run = self._advance(run, RunState.FORGOTTEN, lease, detail=detail, entries=[entry])
        self._tell(Point.FORGOTTEN, run)
        return run

    def _planned(self, run: Run) -> frozenset[str]:
        """Return all that the plan lets go, by its digest: no other key is dropped, whatever the journal says."""
        planned = Detail.read(run.detail).planned
        return frozenset((*planned.terms, *planned.going))

    def _still_there(self, gone: Done) -> frozenset[str]:
        """Return what the journal says is deleted and the graph holds all the same: a line that somebody forged.

        No such key is dropped, nor one that the plan does not name, or whoever can write to the database could destroy
        what is not due; the read-back fails.
        """
        return self.erasure.there(gone.keyed)

    def _replaced(self, run: Run, lease: Lease) -> int:
        """Wait for the processes with the old root key to end (6, purge 6); return how many there were at first."""
        first = self.forgetting.stale_workers(now=self.clock.now())
        stale = first
        for _ in range(PATIENCE):
            if not stale:
                self._tell(Point.WORKERS, run)
                return len(first)
            self.pause()
            self._renewed(lease)
            stale = self.forgetting.stale_workers(now=self.clock.now())
        raise Unavailable("workers.stale", f"{len(stale)} processes still hold the old root key")

    def _certify(self, run: Run, workers: int, lease: Lease) -> Run:
        detail, journal = Detail.read(run.detail), self.erasure.journal(run.id)
        purged, gone = detail.purged, Done.of(journal)
        if purged is None or purged.forgotten != self.forgetting.forgotten(run.id):
            return self._failed(run, "no-key-store-result", (), lease)
        stubs = {one.facts.id: one.facts for one in self.erasure.stubs(gone.archived | gone.destroyed)}
        left, readback = self._read_back(gone, stubs, max(self.clock.now(), purged.destroyed_at))  # 7
        if left:
            return self._failed(run, "read-back", left, lease)
        self._tell(Point.READ_BACK, run)
        reached = self.replicas.reach()  # by this process, which holds the new root key and never held the old one
        lease = self._renewed(lease)
        self.evidence.seal_trail()
        account = Account(  # 8
            issuer=self.issuer,
            run=run,
            detail=detail,
            purged=purged,
            gone=gone,
            stubs=stubs,
            held=self._held(gone),
            readback=readback,
            workers=workers,
            replicas=reached,
            previous=self.evidence.previous(),
            ended_at=max(self.clock.now(), readback[0].at),
            ids_root=self.ids_root,
        )
        filed = self.evidence.certify(  # 9, once for each certificate id, and by the one keeper only
            account.body(), at=account.ended_at, witness=partial(self.erasure.witness, run.id, lease)
        )
        self._tell(Point.CERTIFIED, run)
        run = self._close(run, detail, gone, filed, lease)  # 10
        self._tell(Point.CLOSED, run)
        self.evidence.seal_trail()
        return run

    def _read_back(
        self, gone: Done, stubs: Mapping[ArchiveId, ArchivedFacts], at: datetime
    ) -> tuple[tuple[str, ...], tuple[Check, ...]]:
        """Return what is not as it should be, and the checks made (`destroy_old` has tried the old root)."""
        in_graph, in_keys = self.erasure.remains(gone.ids), self.forgetting.remains(gone.keyed)
        checks = [
            Check(store="graph", check="ids", asked=len(gone.ids), found=len(in_graph), at=at),
            Check(store="key-store", check="rows-and-tokens", asked=len(gone.keyed), found=len(in_keys), at=at),
            Check(store="anchor", check="old-root-opens", asked=1, found=0, at=at),
        ]
        left = [*in_graph, *in_keys]
        if gone.archived or gone.destroyed:
            kept = [stubs[one] for one in sorted(gone.archived & stubs.keys()) if stubs[one].destroyed_on is None]
            asked = len(gone.archived)
            there = self.archive.intact((one.month, one.id, one.sha256) for one in kept)
            checks.append(Check(store="archive", check="files", asked=asked, expected=asked, found=len(there), at=at))
            still = sorted(gone.destroyed & self.archive.files().keys())
            checks.append(Check(store="archive", check="destroyed", asked=len(gone.destroyed), found=len(still), at=at))
            unmarked = [one for one in gone.destroyed if one not in stubs or stubs[one].destroyed_on is None]
            left += [f"archive:{one}" for one in (*(gone.archived - there), *still, *unmarked)]
        return tuple(left), tuple(checks)

    def _held(self, gone: Done) -> Mapping[str, str]:
        """Return by which ground each item is held that a hold kept since the plan."""
        skipped = [item for item, why in gone.skipped.items() if why is Skip.HELD]
        holding = read_holds(self.holds, self.check) if skipped else None
        grounds = {item: holding.on(item) for item in skipped} if holding else {}
        return {item: holding.holds[holds[0]].ground for item, holds in grounds.items() if holding and holds}

    def _close(self, run: Run, detail: Detail, gone: Done, filed: Filed, lease: Lease) -> Run:
        outcome: dict[str, str | int] = {}
        for (fate, kind), ids in gone.counted.items():
            outcome[kind] = int(outcome.get(kind, 0)) + len(ids)
            outcome[fate.value] = int(outcome.get(fate.value, 0)) + len(ids)
        outcome |= {"archived": len(gone.archived), "redacted": len(gone.redacted), "skipped": len(gone.skipped)}
        outcome |= {"certificate": filed.certificate, "digest": filed.digest, "index": filed.index}
        told: dict[str, str | int] = {"digest": filed.digest, "index": filed.index}
        now, targets = self.clock.now(), (filed.certificate, run.id)
        entry = own_entry(now, Act.CERTIFICATE_ISSUED, targets=targets, count=len(gone.ids), detail=told)
        text = detail.closed(outcome).text()
        self.erasure.close(run.id, RunState.CERTIFIED, lease, detail=text, entries=[entry])
        return replace(run, state=RunState.CERTIFIED, due_subjects=(), due_signals=(), due_archived=(), detail=text)

    def _failed(self, run: Run, code: str, left: tuple[str, ...], lease: Lease) -> Run:
        """Record that the run failed. Its items and journal stay, for whoever looks into it."""
        detail = replace(Detail.read(run.detail), outcome={"failure": code, "left": len(left)})
        return self._advance(run, RunState.FAILED, lease, detail=detail, entries=[self._incident(run, code, left)])

    def _advance(
        self, run: Run, state: RunState, lease: Lease, *, detail: Detail | None = None, entries: Sequence[Entry] = ()
    ) -> Run:
        text = run.detail if detail is None else detail.text()
        self.erasure.advance(run.id, state, lease, detail=text, entries=entries)
        return replace(run, state=state, detail=text)

    def _incident(self, run: Run, code: str, targets: tuple[str, ...]) -> Entry:
        detail = {"code": code, "run": run.id}
        return own_entry(self.clock.now(), Act.INTEGRITY_INCIDENT, targets=targets, count=len(targets), detail=detail)

    def _tell(self, point: Point, run: Run) -> None:
        of = len(run.due_subjects) + len(run.due_signals) + len(run.due_archived)
        self.progress(Step(point=point, run=run.id, done=0 if point is Point.BEGUN else of, of=of))

"""The beginning of a run, from an order to a durable plan; the numbers in comments are those of `retention.run`."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from register.audit import Act, Outcome
from register.clock import Clock, civil_date
from register.runs import Lease, Order, Run, RunState
from register.stores import Trail
from retention.canary import due, planted
from retention.checking import checked_signals, checked_stubs, checked_subjects
from retention.detail import Detail
from retention.holding import read_holds
from retention.interfaces import Archive, Erasure, FactsCheck, Holds
from retention.neighbours import together
from retention.plan import DISTRUSTED, Plan
from retention.planned import Kind, Wait
from retention.planning import make_plan
from retention.rules import Policy
from retention.steps import own_entry

CANARY_OUTLIVED: Final = "canary.outlived"
"""That the made-up record was there for longer than a day after it was due: some night no run went all the way."""

_LIVE: Final = frozenset({Kind.SUBJECT, Kind.SIGNAL})


def survey(erasure: Erasure, holds: Holds, archive: Archive, check: FactsCheck, policy: Policy, as_of: date) -> Plan:
    """Return the plan for civil date `as_of` from all facts, checked; nothing is changed."""
    return make_plan(
        policy,
        as_of,
        signals=checked_signals(erasure.signals(), check, erasure.signals),
        subjects=checked_subjects(erasure.subjects(), check, erasure.subjects),
        stubs=checked_stubs(erasure.stubs(), check, erasure.stubs),
        naming=erasure.naming,
        distrusted=erasure.distrusted(),
        holding=read_holds(holds, check),
        months=archive.months,
        files=archive.files(),
    )


def refusal(as_of: date, *, today: date, policy: Policy, rehearsal: bool) -> str | None:
    """Return the code of the rule by which no run may decide for `as_of`, or None.

    A date to come is for plans, and for registers made for rehearsal; before the policy was in force nothing was due.
    """
    if as_of > today and not rehearsal:
        return "date.future"
    return "policy.not-in-force" if as_of < policy.valid_from else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Begins runs. `rehearsal`: the register was made for rehearsal, where any date may be decided for."""

    erasure: Erasure
    holds: Holds
    archive: Archive
    check: FactsCheck
    trail: Trail
    clock: Clock
    policy: Policy
    rehearsal: bool

    def begin(self, lease: Lease) -> Run | None:
        """Begin the oldest order, if any: plan anew, hide what does not verify, write the intent.

        Returns:
            The run, durable: `erasing`, `planned` when it waits for a second person, or ended at once.
        """
        orders = self.erasure.orders()
        if not orders:
            return None
        order, now = orders[0], self.clock.now()  # 1
        code = refusal(order.as_of, today=civil_date(now), policy=self.policy, rehearsal=self.rehearsal)
        if code is not None:
            return self._refuse(order, code, lease)
        plan = survey(self.erasure, self.holds, self.archive, self.check, self.policy, order.as_of)  # 3, 4
        self._distrust(plan, lease)
        self._alarm(plan)
        self._supersede(order, lease)
        self._canary(order, lease)
        run = Run(
            id=order.id,
            state=_state(plan),
            as_of=order.as_of,
            started_at=now,
            digest=plan.digest,
            requested_by=order.requested_by,
            due_subjects=together(plan.subjects, (named for _, named in (*plan.cascade.gone, *plan.cascade.redacted))),
            due_signals=plan.signals,
            due_archived=plan.records,
            detail=Detail.of(plan).text(),
            approval_needed=plan.needs_approval,
        )
        run = replace(run, mac=self.check.mac(run.facts).hex())
        detail = {
            "as_of": run.as_of.isoformat(),
            "digest": run.digest,
            "policy": self.policy.digest,
            "state": run.state,
        }
        entry = own_entry(now, Act.RETENTION_PLAN, targets=(run.id,), count=len(plan.due), detail=detail)
        self.erasure.begin(run, lease, entry)
        return run

    def _refuse(self, order: Order, code: str, lease: Lease) -> Run:
        now = self.clock.now()
        run = Run(
            id=order.id,
            state=RunState.REFUSED,
            as_of=order.as_of,
            started_at=now,
            digest="",
            requested_by=order.requested_by,
        )
        entry = own_entry(now, Act.RETENTION_PLAN, targets=(run.id,), detail={"code": code})
        self.erasure.begin(run, lease, replace(entry, outcome=Outcome.REFUSED))
        return run

    def _alarm(self, plan: Plan) -> None:
        """Say whose removal waits for a key of the archive: hidden, and not destroyed for want of a key."""
        ids = tuple(sorted(one.id for one in plan.waiting if one.reason is Wait.NO_ARCHIVE_KEY))
        if ids:
            detail = {"code": Wait.NO_ARCHIVE_KEY.value}
            self.trail.append(
                [own_entry(self.clock.now(), Act.INTEGRITY_INCIDENT, targets=ids, count=len(ids), detail=detail)]
            )

    def _canary(self, order: Order, lease: Lease) -> None:
        """Take the made-up record away where it is due, and plant the next; say so if it outlived what it may."""
        now = self.clock.now()
        today, standing = civil_date(now), self.erasure.canary()
        if standing is not None and not due(self.policy, standing, order.as_of):
            return
        if standing is not None and standing.outlived(today):
            detail = {"code": CANARY_OUTLIVED, "on": standing.planted_on.isoformat()}
            self.trail.append([own_entry(now, Act.INTEGRITY_INCIDENT, detail=detail)])
        self.erasure.plant(planted(self.policy, today), lease)

    def _distrust(self, plan: Plan, lease: Lease) -> None:
        """Hide at once what does not verify; every other finding is an incident too."""
        now = self.clock.now()
        for reason in sorted({finding.reason for finding in plan.findings}):
            ids = tuple(sorted(finding.id for finding in plan.findings if finding.reason is reason))
            detail = {"code": reason.value}
            entry = own_entry(now, Act.INTEGRITY_INCIDENT, targets=ids, count=len(ids), detail=detail)
            live = tuple(one.id for one in plan.findings if one.reason is reason and one.kind in _LIVE)
            if reason in DISTRUSTED and live:
                self.erasure.distrust(live, on=plan.as_of, lease=lease, entry=entry)
            else:
                self.trail.append([entry])

    def _supersede(self, order: Order, lease: Lease) -> None:
        """End the plans that still wait for a second person, and of which the new one holds all that is due."""
        for run in self.erasure.runs(unfinished=True):
            if run.as_of > order.as_of:
                continue
            detail = Detail.read(run.detail).closed({"superseded_by": order.id})
            entry = own_entry(self.clock.now(), Act.RETENTION_PLAN, targets=(run.id,), detail={"code": "superseded"})
            self.erasure.close(run.id, RunState.SUPERSEDED, lease, detail=detail.text(), entries=[entry])


def _state(plan: Plan) -> RunState:
    if plan.due:
        return RunState.PLANNED if plan.needs_approval else RunState.ERASING
    return RunState.WAITING if plan.waiting else RunState.NOTHING_DUE

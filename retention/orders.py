"""What people ask of retention: a plan, a run, an approval, the runs. They only file; the keeper carries out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date

from register.audit import Act, Entry, Outcome
from register.clock import Clock, civil_date
from register.errors import Conflict, Fault, Invalid, NotFound, Refused
from register.ids import RunId, mint
from register.runs import Approval, Order, Run, RunState
from register.stores import Trail
from retention.detail import Detail
from retention.intent import refusal, survey
from retention.interfaces import Archive, Erasure, FactsCheck, Holds
from retention.rules import Policy
from retention.steps import SYSTEM, own_entry

_REFUSALS: Mapping[str, str] = {
    "date.future": "a run for a day to come is for registers made for rehearsal only",
    "policy.not-in-force": "the policy is not in force on that day",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Files what officers ask for; who may ask is decided before.

    Attributes:
        in_force: gives the policy in force on a civil date. A run goes by today's, or that of the day to come that it
            decides for.
        rehearsal: the register was made for rehearsal: any date may be decided for.
    """

    erasure: Erasure
    holds: Holds
    archive: Archive
    check: FactsCheck
    trail: Trail
    clock: Clock
    in_force: Callable[[date], Policy]
    rehearsal: bool

    def plan(self, on: date) -> Mapping[str, object]:
        """Return what a run on civil date `on` would do, with reasons and the difference from the last plan."""
        policy = self.in_force(max(on, civil_date(self.clock.now())))
        plan = survey(self.erasure, self.holds, self.archive, self.check, policy, on)
        last = next((run for run in self.erasure.runs() if run.state is not RunState.REFUSED), None)
        return {**plan.told(), "difference": plan.difference(() if last is None else _planned(last))}

    def order(self, on: date, requested_by: str, entry: Entry) -> RunId:
        """File the order of a run for civil date `on`; return the id that the run will have.

        The same order once more, while the first one waits, is the first one: asking again after a lost answer is safe.

        Raises:
            Invalid: no run may decide for that date.
        """
        now = self.clock.now()
        today = civil_date(now)
        policy = self.in_force(on)
        code = refusal(on, today=today, policy=policy, rehearsal=self.rehearsal)
        if on < today and policy != self.in_force(today):
            code = "policy.not-in-force"  # stamped dates are by the version of today
        if code is not None:
            raise Invalid([Fault(pointer="/on", rule=code, message=_REFUSALS[code])])
        asked = (requested_by, on)
        waiting = next((one for one in self.erasure.orders() if (one.requested_by, one.as_of) == asked), None)
        if waiting is not None:
            self.trail.append([replace(entry, targets=(waiting.id,))])
            return waiting.id
        order = Order(id=RunId(mint()), as_of=on, requested_by=requested_by, requested_at=now)
        self.erasure.file_order(order, replace(entry, targets=(order.id,)))
        return order.id

    def approve(self, run: RunId, digest: str, approved_by: str, entry: Entry) -> None:
        """Record that a second person agrees to the plan with this digest.

        Raises:
            NotFound: no such run is under way.
            Refused: the approver asked for the run, or wrote the policy.
            Conflict: another digest, not waiting, or planned by another policy than the one in force.
        """
        waiting = next((one for one in self.erasure.runs(unfinished=True) if one.id == run), None)
        if waiting is None:
            raise NotFound
        policy = self.in_force(max(waiting.as_of, civil_date(self.clock.now())))
        if approved_by in {waiting.requested_by, SYSTEM} | policy.authors:
            refused = replace(entry, outcome=Outcome.REFUSED, detail={**entry.detail, "code": "approval.second-person"})
            self.trail.append([refused])
            raise Refused(
                "approval.second-person", "neither who asked for the run nor who wrote the policy may approve"
            )
        if Detail.read(waiting.detail).planned.policy["sha256"] != policy.digest:
            raise Conflict("policy.changed", "the plan was made by another policy: order a new one")
        approval = Approval(actor=approved_by, at=self.clock.now())
        mac = self.check.mac(approval.facts(run, digest)).hex()
        self.erasure.approve(run, digest, replace(approval, mac=mac), entry)

    def runs(self) -> tuple[Mapping[str, object], ...]:
        """Return orders not yet begun, then runs, newest first, in values of JSON."""
        orders = tuple(
            {
                "run": one.id,
                "state": "ordered",
                "as_of": one.as_of.isoformat(),
                "requested_by": one.requested_by,
                "requested_at": one.requested_at.astimezone(UTC).isoformat(),
            }
            for one in reversed(self.erasure.orders())
        )
        return (*orders, *map(_told, self.erasure.runs()))


def nightly(erasure: Erasure, clock: Clock) -> RunId | None:
    """File the keeper's own order for today, unless it was filed before; return its id. Needs no key."""
    now = clock.now()
    today = civil_date(now)
    filed = {(one.requested_by, one.as_of) for one in erasure.orders()}
    filed |= {(one.requested_by, one.as_of) for one in erasure.runs()}
    if (SYSTEM, today) in filed:
        return None
    order = Order(id=RunId(mint()), as_of=today, requested_by=SYSTEM, requested_at=now)
    detail = {"on": today.isoformat()}
    erasure.file_order(order, own_entry(now, Act.RETENTION_ORDER, targets=(order.id,), detail=detail))
    return order.id


def pending(erasure: Erasure) -> bool:
    """Say whether there is something for the keeper to carry out. Needs no key."""
    if erasure.orders():
        return True
    return any(run.state is not RunState.PLANNED for run in erasure.runs(unfinished=True))


def carried(erasure: Erasure) -> date | None:
    """Return the civil date that the next run to be carried out decides for; None: there is none."""
    under_way = (run.as_of for run in erasure.runs(unfinished=True) if run.state is not RunState.PLANNED)
    return next(under_way, next((order.as_of for order in erasure.orders()), None))


def _planned(run: Run) -> tuple[str, ...]:
    detail = Detail.read(run.detail)
    return detail.fingerprints or detail.closed({}).fingerprints


def _told(run: Run) -> Mapping[str, object]:
    told: dict[str, object] = {
        "run": run.id,
        "state": run.state.value,
        "as_of": run.as_of.isoformat(),
        "started_at": run.started_at.astimezone(UTC).isoformat(),
        "digest": run.digest,
        "requested_by": run.requested_by,
        "approvals": [{"actor": one.actor, "at": one.at.astimezone(UTC).isoformat()} for one in run.approvals],
    }
    if run.state is not RunState.REFUSED:
        detail = Detail.read(run.detail)
        told |= {
            "policy": detail.planned.policy["name"],
            "planned": {
                "subjects": len(run.due_subjects),
                "signals": len(run.due_signals),
                "archived": len(run.due_archived),
            },
            "waiting": [
                {"kind": kind.value, "reason": reason.value, "count": count}
                for (kind, reason), count in sorted(detail.planned.waiting.items())
            ],
            "outcome": dict(detail.outcome),
        }
    return told

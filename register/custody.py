"""Officers' use case: see what is due, order and approve runs, see certificates. No content passes here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from register.access import Actor, Grant, Permission, authorise
from register.audit import Act, Entry, refused_entry
from register.clock import Clock, civil_date
from register.errors import NotFound, Refused
from register.ids import RunId, SubjectId
from register.interfaces import Keeping
from register.stores import Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """Answers compliance officers."""

    keeping: Keeping
    trail: Trail
    clock: Clock

    def plan(self, actor: Actor, on: date | None = None) -> Mapping[str, object]:
        """Return what a run on civil date `on` (default: today) would do and why, changing nothing. Raises Refused."""
        grant = self._enter(actor, Permission.RETENTION_PLAN, Act.RETENTION_PLAN)
        day = on or civil_date(grant.as_of)
        self.trail.append([_entry(grant, Act.RETENTION_PLAN, detail={"on": day.isoformat()})])
        return self.keeping.plan(day)

    def order(self, actor: Actor, on: date | None = None) -> RunId:
        """File the order of a run for the keeper. Raises Refused, Invalid (a future date outside a rehearsal)."""
        grant = self._enter(actor, Permission.RETENTION_ORDER, Act.RETENTION_ORDER)
        day = on or civil_date(grant.as_of)
        return self.keeping.order(day, actor.code, _entry(grant, Act.RETENTION_ORDER, detail={"on": day.isoformat()}))

    def approve(self, actor: Actor, run: RunId, digest: str) -> None:
        """Approve the plan with this digest as the second person. Raises Refused, NotFound, Conflict."""
        grant = self._enter(actor, Permission.RETENTION_APPROVE, Act.RETENTION_APPROVE)
        entry = _entry(grant, Act.RETENTION_APPROVE, targets=(run,), detail={"digest": digest})
        self.keeping.approve(run, digest, actor.code, entry)

    def explain(self, actor: Actor, subject: SubjectId, on: date | None = None) -> Mapping[str, object]:
        """Return where a live subject stands on civil date `on` (default: today), and why. Raises Refused, NotFound."""
        grant = self._enter(actor, Permission.RETENTION_PLAN, Act.RETENTION_EXPLAIN)
        day = on or civil_date(grant.as_of)
        found = self.keeping.explain(subject, day)
        detail = {"on": day.isoformat()}
        count = int(found is not None)
        entry = _entry(grant, Act.RETENTION_EXPLAIN, targets=(subject,), count=count, detail=detail)
        self.trail.append([entry])
        if found is None:
            raise NotFound
        return found

    def cases(self, actor: Actor) -> Iterator[Mapping[str, object]]:
        """Stream the facts of every live record as retention-case/1, for today. Raises Refused."""
        grant = self._enter(actor, Permission.RETENTION_PLAN, Act.RETENTION_EXPLAIN)
        day = civil_date(grant.as_of)
        self.trail.append([_entry(grant, Act.RETENTION_EXPLAIN, detail={"on": day.isoformat()})])
        return self.keeping.cases(day)

    def calendar(self, actor: Actor, weeks: int) -> Mapping[str, object]:
        """Return how much becomes due in each of the coming weeks. Raises Refused."""
        grant = self._look_ahead(actor, weeks)
        return self.keeping.calendar(civil_date(grant.as_of), weeks)

    def rehearse(self, actor: Actor, weeks: int) -> Mapping[str, object]:
        """Return the runs of the coming weeks on paper, changing nothing. Raises Refused."""
        grant = self._look_ahead(actor, weeks)
        return self.keeping.rehearse(civil_date(grant.as_of), weeks)

    def _look_ahead(self, actor: Actor, weeks: int) -> Grant:
        grant = self._enter(actor, Permission.RETENTION_PLAN, Act.RETENTION_PLAN)
        detail = {"on": civil_date(grant.as_of).isoformat(), "weeks": str(weeks)}
        self.trail.append([_entry(grant, Act.RETENTION_PLAN, detail=detail)])
        return grant

    def see_clock(self, actor: Actor) -> Mapping[str, object]:
        """Return whether the machine's clock is believed; while it is not, no run begins. Raises Refused."""
        grant = self._enter(actor, Permission.RETENTION_PLAN, Act.RETENTION_SEE)
        found = self.keeping.clock()
        self.trail.append([_entry(grant, Act.RETENTION_SEE, detail={"code": str(found["state"])})])
        return found

    def confirm_clock(self, actor: Actor) -> Mapping[str, object]:
        """Say that the machine's clock is right, after a jump that nobody can explain; two officers have to.

        Returns:
            As `see_clock`: `steady` once both did, until then who was the first.

        Raises:
            Refused: not this role.
        """
        grant = self._enter(actor, Permission.CLOCK_CONFIRM, Act.CLOCK_CONFIRM)
        before = self.keeping.clock()
        detail = {"code": str(before["state"]), "first": str(before["confirmed_by"] or actor.code)}
        self.keeping.confirm_clock(_entry(grant, Act.CLOCK_CONFIRM, detail=detail))
        return self.keeping.clock()

    def runs(self, actor: Actor) -> tuple[Mapping[str, object], ...]:
        """Return runs and orders, newest first. Raises Refused."""
        grant = self._enter(actor, Permission.RETENTION_PLAN, Act.RETENTION_SEE)
        found = self.keeping.runs()
        self.trail.append([_entry(grant, Act.RETENTION_SEE, count=len(found))])
        return found

    def processing(self, actor: Actor) -> Mapping[str, object]:
        """Return the register of processing (Wpg art. 31d) as of today. Raises Refused."""
        grant = self._enter(actor, Permission.RETENTION_PLAN, Act.RETENTION_SEE)
        found = self.keeping.processing(civil_date(grant.as_of))
        self.trail.append([_entry(grant, Act.RETENTION_SEE, detail={"on": civil_date(grant.as_of).isoformat()})])
        return found

    def certificates(self, actor: Actor) -> tuple[Mapping[str, object], ...]:
        """Return the certificates filed, newest first. Raises Refused."""
        grant = self._enter(actor, Permission.CERTIFICATE_SEE, Act.CERTIFICATE_SHOW)
        found = self.keeping.certificates()
        self.trail.append([_entry(grant, Act.CERTIFICATE_SHOW, count=len(found))])
        return found

    def certificate(self, actor: Actor, certificate: str) -> Mapping[str, str]:
        """Return the files of one certificate: what `verify certificate` needs. Raises Refused, NotFound."""
        grant = self._enter(actor, Permission.CERTIFICATE_SEE, Act.CERTIFICATE_SHOW)
        files = self.keeping.certificate(certificate)
        self.trail.append([_entry(grant, Act.CERTIFICATE_SHOW, targets=(certificate,), count=int(files is not None))])
        if files is None:
            raise NotFound
        return files

    def _enter(self, actor: Actor, permission: Permission, act: Act) -> Grant:
        now = self.clock.now()
        try:
            return authorise(actor, permission, as_of=now)
        except Refused as refused:
            self.trail.append([refused_entry(actor.code, actor.role, act, now, refused.code)])
            raise


def _entry(
    grant: Grant, act: Act, *, targets: tuple[str, ...] = (), count: int = 0, detail: Mapping[str, str] | None = None
) -> Entry:
    return Entry(
        at=grant.as_of,
        actor=grant.actor.code,
        role=grant.actor.role,
        act=act,
        targets=targets,
        count=count,
        detail=detail or {},
    )

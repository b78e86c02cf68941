"""Oversight: who saw, did and destroyed what, from the sealed log. Ids and codes only; each question is logged.

The logs serve the checking of lawfulness, internal oversight, integrity and security, and criminal proceedings, nothing
else (Wpg art. 32a), so each question needs one of the purposes of oversight and a case.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from register.access import Actor, Grant, Permission, Purpose, authorise
from register.audit import Act, Entry, refused_entry
from register.clock import AMSTERDAM, Clock
from register.errors import Fault, Invalid, NotFound, Refused
from register.ids import is_id
from register.logged import AuditLog, Certified, LoggedEntry, LoggedPage, Question, Tally
from register.reporting import DELETING, Report, earliest, report
from register.stores import Trail

PURPOSES: Final = frozenset({Purpose.OVERSIGHT, Purpose.RIGHTS_REQUEST})
"""What the log may be asked for."""

PAGE: Final = 500
"""Entries of one page at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What was done in a period, counted, and everything destroyed and removed in it."""

    tallies: tuple[Tally, ...]
    report: Report
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Entries on their way out, oldest first: those among the first `size` of the log."""

    entries: Iterator[LoggedEntry]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversight:
    """Answers compliance and privacy officers about the log."""

    log: AuditLog
    trail: Trail
    clock: Clock

    def entries(
        self, actor: Actor, purpose: str, case: str, question: Question, *, after: str = "", limit: int = 100
    ) -> LoggedPage:
        """Return a page of entries, newest first.

        Raises:
            Refused, Invalid (purpose, case, limit, `after`), Unavailable, Tampered.
        """
        grant = self._enter(actor, Permission.AUDIT_SEE, Act.AUDIT_SHOW, purpose, case)
        if not 1 <= limit <= PAGE:
            raise Invalid([Fault(pointer="/limit", rule="number.range", message=f"must be 1 to {PAGE}")])
        page = self.log.page(question, after=after, limit=limit)
        self._written(grant, Act.AUDIT_SHOW, question, len(page.entries))
        return page

    def checkpoint(self, actor: Actor) -> bytes:
        """Return the newest signed checkpoint; it discloses nothing. Raises Refused, Unavailable."""
        now = self.clock.now()
        try:
            authorise(actor, Permission.CERTIFICATE_SEE, as_of=now)
        except Refused as refused:
            self.trail.append([refused_entry(actor.code, actor.role, Act.AUDIT_SHOW, now, refused.code)])
            raise
        return self.log.checkpoint()

    def proof(self, actor: Actor, purpose: str, case: str, entry: str) -> bytes:
        """Return the proof that an entry is in the log, with its body. Raises Refused, Invalid, NotFound."""
        grant = self._enter(actor, Permission.AUDIT_SEE, Act.AUDIT_SHOW, purpose, case)
        found = self.log.proof(entry)
        self._written(grant, Act.AUDIT_SHOW, Question(target=entry), int(found is not None))
        if found is None:
            raise NotFound
        return found

    def activity(self, actor: Actor, purpose: str, case: str, since: date, until: date) -> Activity:
        """Return what was done, and all that was destroyed and removed by rule, on these civil dates (both included).

        Raises:
            Refused, Invalid (purpose, case, dates in the wrong order), Unavailable, Tampered.
        """
        grant = self._enter(actor, Permission.AUDIT_SEE, Act.AUDIT_SHOW, purpose, case)
        begins, ends = period(since, until)
        size = self.log.size()
        found = Activity(tallies=self.log.tallies(begins, ends), report=self._report(since, until, size), size=size)
        self._written(grant, Act.AUDIT_SHOW, Question(since=begins, until=ends), len(found.report.ended))
        return found

    def export(self, actor: Actor, purpose: str, case: str, question: Question) -> Export:
        """Return all entries of a question, to be streamed; the export is logged before the first goes out.

        Raises:
            Refused, Invalid (purpose, case), Unavailable, Tampered.
        """
        grant = self._enter(actor, Permission.AUDIT_EXPORT, Act.AUDIT_EXPORT, purpose, case)
        size = self.log.size()
        self._written(grant, Act.AUDIT_EXPORT, question, self.log.count(question), size=size)
        return Export(entries=self.log.stream(question, size=size), size=size)

    def pack(
        self, actor: Actor, purpose: str, case: str, since: date, until: date
    ) -> tuple[Activity, Iterator[tuple[str, bytes]]]:
        """Return the report on a period, and the evidence for it, file by file (Wpg art. 33).

        The evidence: checkpoint, public keys, certificates, and the proof of each deletion, approval and issue.

        Raises:
            Refused, Invalid (purpose, case, dates in the wrong order), Unavailable, Tampered.
        """
        grant = self._enter(actor, Permission.AUDIT_EXPORT, Act.AUDIT_EXPORT, purpose, case)
        begins, ends = period(since, until)
        size = self.log.size()
        found = self._report(since, until, size)
        activity = Activity(tallies=self.log.tallies(begins, ends), report=found, size=size)
        self._written(
            grant, Act.AUDIT_EXPORT, Question(since=begins, until=ends), len(found.ended), size=size, what="pack"
        )
        return activity, self._evidence(found, since, until, size)

    def _report(self, since: date, until: date, size: int) -> Report:
        certificates = self.log.certificates()
        return report(certificates, self._telling(certificates, since, until, size), since, until)

    def _telling(self, certificates: Sequence[Certified], since: date, until: date, size: int) -> Iterator[LoggedEntry]:
        """Yield the entries that certificates are compared with, from the start of the first run that ended then.

        An issue may be logged just after the period.
        """
        begins, ends = period(since, until)
        start = min(earliest(certificates, since, until) or begins, begins)
        for act in (*sorted(DELETING), Act.RETENTION_APPROVE, Act.CERTIFICATE_ISSUED):
            late = ends + timedelta(days=1) if act == Act.CERTIFICATE_ISSUED else ends
            yield from self.log.stream(Question(act=act, since=start, until=late), size=size)

    def _evidence(self, found: Report, since: date, until: date, size: int) -> Iterator[tuple[str, bytes]]:
        yield "checkpoint", self.log.checkpoint()
        yield from self.log.keys().items()
        for one in found.ended:
            for name, text in (self.log.certificate_files(one.certificate) or {}).items():
                yield f"certificates/{one.certificate}/{name}", text.encode("utf-8")
        for entry in self._telling(self.log.certificates(), since, until, size):
            proof = self.log.proof(str(entry.body["id"]))
            if proof is not None:
                yield f"proofs/{entry.body['id']}.tlog-proof", proof

    def _enter(self, actor: Actor, permission: Permission, act: Act, purpose: str, case: str) -> Grant:
        now = self.clock.now()
        try:
            grant = authorise(actor, permission, as_of=now, purpose=purpose, case=case)
        except Refused as refused:
            self.trail.append([refused_entry(actor.code, actor.role, act, now, refused.code)])
            raise
        if grant.purpose not in PURPOSES:
            listed = ", ".join(sorted(PURPOSES))
            raise Invalid([Fault(pointer="/purpose", rule="purpose.oversight", message=f"the log serves: {listed}")])
        return grant

    def _written(self, grant: Grant, act: Act, question: Question, count: int, **more: str | int) -> None:
        """Write down the question before anything is answered: in codes and ids, as it was asked."""
        detail: Mapping[str, str | int] = {**question.codes(), **more}
        entry = Entry(
            at=grant.as_of,
            actor=grant.actor.code,
            role=grant.actor.role,
            act=act,
            purpose=grant.purpose,
            case=grant.case,
            targets=(question.target,) if is_id(question.target) else (),
            count=count,
            detail=detail,
        )
        self.trail.append([entry])


def period(since: date, until: date) -> tuple[datetime, datetime]:
    """Return the instants at which these civil dates (Europe/Amsterdam, both included) begin and end.

    Raises:
        Invalid: the last comes before the first.
    """
    if until < since:
        raise Invalid([Fault(pointer="/until", rule="period.order", message="the last day comes before the first")])
    begins, ends = (datetime.combine(day, time.min, AMSTERDAM) for day in (since, until + timedelta(days=1)))
    return begins, ends

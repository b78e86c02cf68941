"""What officers ask of retention, put together from orders, logbook and the machine's clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from api.logbook import Logbook
from api.processing import Processing
from api.ticks import Ticks, tick
from graph.trail import AuditTrail
from register.audit import Entry
from register.clock import SystemClock
from register.errors import Tampered
from register.ids import RunId, SubjectId
from retention.clockguard import judge
from retention.orders import Orders
from retention.outlook import Outlook


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepingDesk:
    """What officers ask of retention: `register.interfaces.Keeping` from orders and logbook."""

    orders: Orders
    outlook: Outlook
    logbook: Logbook
    trail: AuditTrail
    ticks: Ticks
    gathered: Processing

    def plan(self, on: date) -> Mapping[str, object]:
        """Return what a run on civil date `on` would do."""
        return self.orders.plan(on)

    def order(self, on: date, requested_by: str, entry: Entry) -> RunId:
        """File an order for the keeper."""
        return self.orders.order(on, requested_by, entry)

    def approve(self, run: RunId, digest: str, approved_by: str, entry: Entry) -> None:
        """Approve a waiting plan."""
        self.orders.approve(run, digest, approved_by, entry)

    def explain(self, subject: SubjectId, on: date) -> Mapping[str, object] | None:
        """Return where a live subject stands on a day, and why, or None."""
        return replace(self.outlook, policy=self.orders.in_force(on)).explain(subject, on)

    def cases(self, on: date) -> Iterator[Mapping[str, object]]:
        """Stream the facts of every live record."""
        return self.outlook.cases(on)

    def calendar(self, on: date, weeks: int) -> Mapping[str, object]:
        """Return how much becomes due in each of the coming weeks."""
        return self.outlook.calendar(on, weeks)

    def rehearse(self, on: date, weeks: int) -> Mapping[str, object]:
        """Return the runs of the coming weeks on paper."""
        return self.outlook.rehearse(on, weeks)

    def clock(self) -> Mapping[str, object]:
        """Return whether the machine's clock is believed."""
        now = tick(SystemClock())
        try:
            last = self.ticks.last()
        except Tampered as damaged:
            state, believed = damaged.code, None
        else:
            state = judge(now, last=last, sealed_at=self.logbook.sealed_at()).value
            believed = _iso(last.at) if last else None
        confirmed_by = self.ticks.confirmed_by(now) or None
        return {"state": state, "now": _iso(now.at), "believed_at": believed, "confirmed_by": confirmed_by}

    def confirm_clock(self, entry: Entry) -> None:
        """Note that who did this says the machine's clock is right; of two people, it is believed."""
        self.trail.append([entry])
        self.ticks.confirm(tick(SystemClock()), entry.actor)

    def runs(self) -> tuple[Mapping[str, object], ...]:
        """Return orders and runs, newest first."""
        return self.orders.runs()

    def processing(self, on: date) -> Mapping[str, object]:
        """Return the register of processing."""
        return self.gathered.document(on)

    def certificates(self) -> tuple[Mapping[str, object], ...]:
        """Return the certificates filed, newest first."""
        return self.logbook.listed()

    def certificate(self, certificate: str) -> Mapping[str, str] | None:
        """Return the files of one certificate, or None."""
        return self.logbook.files(certificate)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()

"""Measures what `/metrics` shows: from the graph's counts, the log's index, the leases and the table of names."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from api.auditing import AuditDesk
from api.metrics import WEEK_DAYS, Metrics, Sample
from api.wiring import Workplace
from api.witnessing import witnessing
from evidence.cosigned import Cosignatures
from graph.connection import Graph
from graph.gauges import holdings
from register.audit import Act, Outcome
from register.clock import Clock, civil_date
from register.errors import RegisterError
from register.logged import Question
from register.reporting import DELETING
from register.roster import Roster
from vault.keystore.leases import Workers

_log: Final = logging.getLogger(__name__)


def metrics(workplace: Workplace) -> Metrics:
    """Return what monitoring reads of an opened register."""
    sampler = Sampler(
        graph=workplace.graph,
        desk=AuditDesk(workplace.logbook),
        workers=workplace.workers,
        roster=workplace.roster,
        clock=workplace.clock,
        cosignatures=witnessing(workplace.logbook, workplace.settings).cosignatures,
    )
    return Metrics(sampler.measure, monotonic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """Measures one opened register."""

    graph: Graph
    desk: AuditDesk
    workers: Workers
    roster: Roster
    clock: Clock
    cosignatures: Cosignatures

    def measure(self) -> Sample | None:
        """Measure; None when something could not be, which is logged by its code."""
        try:
            return self._measured(self.clock.now())
        except RegisterError as error:
            _log.warning("nothing is measured: %s", error.code)
            return None

    def _measured(self, now: datetime) -> Sample:
        today = civil_date(now)
        held = holdings(self.graph, today)
        since = now - timedelta(days=WEEK_DAYS)
        size = self.desk.size()
        issued = self.desk.page(Question(act=Act.CERTIFICATE_ISSUED), after="", limit=1).entries
        purged = sum(
            len(one.body["targets"])
            for act in sorted(DELETING)
            for one in self.desk.stream(Question(act=act, since=since), size=size)
        )
        seen = self.cosignatures.newest()
        return Sample(
            at=now,
            today=today,
            subjects=held.subjects,
            signals=held.signals,
            due=held.due,
            reviews_late=held.reviews_late,
            oldest_due=held.oldest,
            taken_in=self.desk.count(Question(act=Act.SIGNAL_RECORD, outcome=Outcome.DONE, since=since)),
            purged=purged,
            sealed_at=self.desk.logbook.sealed_at(),
            certified_at=datetime.fromisoformat(issued[0].body["at"]) if issued else None,
            log_size=size,
            workers=self.workers.counted(now=now),
            names=self.roster.size,
            names_complete=self.roster.complete,
            canary_alive=None if held.canary is None else held.canary.outlived(today),
            witnesses=0 if seen is None else len(seen.witnesses),
            witnessed_size=0 if seen is None else seen.checkpoint.size,
        )

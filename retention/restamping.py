"""When another version of the policy comes into force, the dates stamped on live records are reckoned anew by it.

Readers are shown what the stamped dates allow, and a run takes a stamped date that is later than what the facts give
for an incident. So the first run under a new version begins here. What changes is what its impact list told.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from register.audit import Act, Entry
from register.clock import Clock
from register.decision_stores import Change
from register.errors import Conflict, Invalid, Tampered, Unavailable
from register.runs import SubjectRecord
from register.sealed import SealedSignal, SealedSubject
from retention.assessment import Case, assess
from retention.casework import dates_of
from retention.checking import Verdict, checked_signals, checked_subjects, pages
from retention.interfaces import Erasure, FactsCheck
from retention.rules import Policy
from retention.steps import own_entry
from retention.terms import signal_event

BATCH: Final = 500
TRIES: Final = 5
"""How often a batch is reckoned again of which something changed meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restamping:
    """Stamps by `policy`; `change` writes records and entries in one transaction, or raises Conflict."""

    erasure: Erasure
    check: FactsCheck
    change: Callable[[Change, Sequence[Entry]], None]
    clock: Clock
    policy: Policy

    def apply(self, on: date) -> int:
        """Stamp what has other dates by this policy on civil date `on`; return how many. Safe to interrupt and repeat.

        What does not verify keeps what it states: its own rule says when it goes.

        Raises:
            Unavailable: the graph is not there, or records of a batch changed again and again.
        """
        count = 0
        for subjects in pages((one.subject.facts.id for one in self.erasure.subjects()), BATCH):
            count += self._stamped(subjects, self._subjects, on)
        for signals in pages((one.facts.id for one in self.erasure.signals() if not one.mentions), BATCH):
            count += self._stamped(signals, self._signals, on)
        return count

    def _stamped(self, ids: Collection[str], reckon: Callable[[Collection[str], date], Change], on: date) -> int:
        for _ in range(TRIES):
            change = reckon(ids, on)
            moved: list[tuple[str, int]] = [(one.facts.id, one.facts.revision) for one in change.subjects]
            moved += [(one.facts.id, one.facts.revision) for one in change.signals]
            if not moved:
                return 0
            detail = {"policy": self.policy.digest, "on": on.isoformat()}
            targets = tuple(id_ for id_, _ in moved)
            entry = own_entry(self.clock.now(), Act.POLICY_APPLIED, targets=targets, count=len(moved), detail=detail)
            try:
                self.change(change, [entry])
            except Conflict:
                continue
            self.check.remember(moved)
            return len(moved)
        raise Unavailable("policy.busy", "records changed again and again while they were stamped by a new policy")

    def _subjects(self, ids: Collection[str], on: date) -> Change:
        found = checked_subjects(self.erasure.subjects(ids), self.check, self.erasure.subjects)
        stamped = (self._subject(record, on) for record, verdict in found if verdict is Verdict.VERIFIES)
        return Change(subjects=tuple(one for one in stamped if one is not None))

    def _signals(self, ids: Collection[str], on: date) -> Change:
        found = checked_signals(self.erasure.signals(ids), self.check, self.erasure.signals)
        stamped = (self._signal(signal, on) for signal, verdict in found if verdict is Verdict.VERIFIES)
        return Change(signals=tuple(one for one in stamped if one is not None))

    def _subject(self, record: SubjectRecord, on: date) -> SealedSubject | None:
        """Return the subject with the dates that the policy gives it; None where it has them, or there are none."""
        facts = record.subject.facts
        try:
            dates = dates_of(self.policy, record, on)
        except (Invalid, Tampered):
            return None  # nothing explains why it is kept: the run says so
        given = replace(facts, remove_by=dates.remove_by, review_by=dates.review_by, hidden_from=dates.hidden_from)
        if given == facts:
            return None
        fresh = replace(given, revision=facts.revision + 1)
        return SealedSubject(facts=fresh, mac=self.check.mac(fresh))

    def _signal(self, signal: SealedSignal, on: date) -> SealedSignal | None:
        """Return a signal that names nobody with its end by the policy; what was ended early keeps its own."""
        facts = signal.facts
        if facts.acts or facts.remove_by is None:
            return None
        event = signal_event(facts.received_on, facts.accepted_on)
        try:
            told = assess(self.policy, Case(kind=None, ground=self.policy.ground, events=(event,)), on)
        except Invalid:
            return None
        if told.remove_by in (None, facts.remove_by):
            return None
        fresh = replace(facts, revision=facts.revision + 1, remove_by=told.remove_by)
        return SealedSignal(facts=fresh, mac=self.check.mac(fresh), sealed={}, mentions=(), links=())

"""Judging one record: whether its day has come, by which term, and what becomes of it. Dates are never trusted.

Every date is reckoned again from what happened; of two that differ the earlier one rules.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from register.archived import ArchivedFacts
from register.decisions import decode_all
from register.errors import Invalid, Tampered
from register.ids import SubjectId
from register.lifetime import EventKind, State
from register.runs import Fate, SubjectRecord
from register.sealed import SealedSignal, SealedStub
from retention.assessment import Assessment, Case, assess
from retention.calendar import DAY, NOTHING
from retention.casework import case_of, decided_events, span, stub_case
from retention.checking import Verdict
from retention.holding import Holding
from retention.plan import Due, Finding, Reason, Waiting
from retention.planned import Kind, Term, Wait
from retention.rules import Outcome, Policy
from retention.terms import FLAWED, signal_event

DISCOVERY, PURGED, STATED, MISSED, REMOVAL = "discovery", "purged", "stated-date", "missed-review", "removal"
_OVER: Final = frozenset({State.REMOVAL_DUE, State.DESTRUCTION_DUE})
_OVERDUE: Final = frozenset({State.REVIEW_OVERDUE, State.RESTRICTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was found about one live record.

    Attributes:
        case, told: its case, and where that stands; None where it cannot be told.
        term, because: by which it ends; term is None while it does not.
    """

    case: Case | None
    told: Assessment | None
    term: Term | None
    because: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Judge:
    """Judges record by record and gathers counts and findings. Signals come first: they say whose dates to believe.

    Attributes:
        as_of: civil date in Europe/Amsterdam to decide for.
        distrusted: ids found not to verify before, each with the day of that discovery.
        holding: the holds.
        months: `YYYY-MM` of the destruction months that the archive has a key of.
        waiting: what stays although its day has come; reviews_due: subjects whose review is overdue.
    """

    policy: Policy
    as_of: date
    distrusted: Mapping[str, date]
    holding: Holding
    months: Collection[str]
    live_subjects: int = 0
    live_signals: int = 0
    archived: int = 0
    reviews_due: int = 0
    findings: list[Finding] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    _doubted: set[SubjectId] = field(default_factory=set)

    def signal(self, signal: SealedSignal, verdict: Verdict) -> Due | None:
        """Return the signal if its own term has ended; one that names subjects lives by them, unless it was ended."""
        facts = signal.facts
        self.live_signals += 1
        trusted = self._trusted(facts.id, Kind.SIGNAL, verdict)
        if not trusted:
            self._doubted.update(mention.facts.subject for mention in signal.mentions)
        if verdict is Verdict.PURGED:
            return self._again(facts.id, Kind.SIGNAL, facts.revision)
        if signal.mentions and (facts.remove_by is None or not trusted):
            return None
        holds = self.holding.on(facts.id)
        decided = decided_events(decode_all(facts.acts)) if trusted else ()  # anybody can write what is not under a MAC
        case = Case(
            kind=None,
            ground=self.policy.ground,
            events=(signal_event(facts.received_on, facts.accepted_on), *decided),
            holds=tuple(map(span, self.holding.of(holds))),
        )
        told = self._assessed(case)
        if not trusted:
            found = self._untrusted(facts.id, facts.remove_by, case, told)
        elif signal.mentions and facts.remove_by is not None:
            found = self._stated(case, told, facts.remove_by, f"ended early by a decision of {facts.remove_by}")
        else:
            found = self._ruling(facts.id, Kind.SIGNAL, facts.remove_by or _termed(told), case, told)
        return self._due(facts.id, Kind.SIGNAL, facts.revision, holds, found)

    def subject(self, record: SubjectRecord, verdict: Verdict) -> Due | None:
        """Return the subject if its term, or the time for a missed review, is over."""
        facts = record.subject.facts
        self.live_subjects += 1
        holds = self.holding.on(facts.id)
        trusted = self._trusted(facts.id, Kind.SUBJECT, verdict)
        if verdict is Verdict.PURGED:
            return self._again(facts.id, Kind.SUBJECT, facts.revision)
        case: Case | None
        told: Assessment | None
        try:
            # decisions written beside a MAC that does not hold may be anybody's: they turn no archive into destruction
            case = case_of(self.policy, record if trusted else _undecided(record), self.holding.of(holds))
            told = self._assessed(case)
        except (Invalid, Tampered):
            case = told = None
        if case is None or told is None:
            if trusted and facts.id in self._doubted:
                found = self._sealed(record, None, None)
            else:
                found = self._untrusted(facts.id, facts.remove_by, None, None)
                if trusted:
                    self._note(facts.id, Kind.SUBJECT, Reason.NO_EVENT)
            return self._due(facts.id, Kind.SUBJECT, facts.revision, holds, found)
        self.reviews_due += told.state in _OVERDUE
        if not trusted:
            found = self._untrusted(facts.id, facts.remove_by, case, told)
        elif facts.id in self._doubted:
            found = self._sealed(record, case, told)
        else:
            if facts.hidden_from > (told.hidden_from or date.max) and facts.remove_by <= _termed(told):
                self._note(facts.id, Kind.SUBJECT, Reason.STATED_LATER)
            found = self._ruling(facts.id, Kind.SUBJECT, facts.remove_by, case, told)
        return self._due(facts.id, Kind.SUBJECT, facts.revision, holds, found)

    def record(self, stub: SealedStub, verdict: Verdict, *, has_file: bool) -> Due | None:
        """Return an archived record if its destruction is due and no hold puts it off."""
        facts = stub.facts
        if facts.destroyed_on is not None:
            return None
        self.archived += 1
        if not has_file:
            self._note(facts.id, Kind.ARCHIVED, Reason.NO_FILE)
        sure = self._trusted(facts.id, Kind.ARCHIVED, verdict)
        holds = self.holding.on(facts.id, known=facts.holds)
        if set(facts.holds) - set(holds):
            self._note(facts.id, Kind.ARCHIVED, Reason.HOLD_GONE)
            sure = False
        if not sure:  # when in doubt, the later destruction
            self.waiting.append(Waiting(id=facts.id, kind=Kind.ARCHIVED, reason=Wait.CANNOT_EVALUATE))
            return None
        if facts.removed_on > self.as_of:  # a run for an earlier day: on that day it was not archived yet
            return None
        if facts.void:
            return self._void(facts, holds)
        case = stub_case(self.policy, facts)
        try:
            unheld = assess(self.policy, case, self.as_of)
            told = assess(self.policy, replace(case, holds=tuple(map(span, self.holding.of(holds)))), self.as_of)
        except Invalid:  # one record that the policy in force cannot date holds up no other
            self._note(facts.id, Kind.ARCHIVED, Reason.NO_EVENT)
            self.waiting.append(Waiting(id=facts.id, kind=Kind.ARCHIVED, reason=Wait.CANNOT_EVALUATE))
            return None
        if told.state is not State.DESTRUCTION_DUE or told.destroy_on is None:
            if unheld.state is State.DESTRUCTION_DUE:
                self.waiting.append(Waiting(id=facts.id, kind=Kind.ARCHIVED, reason=Wait.HELD, holds=holds))
            return None
        term = self._kept(facts, told, told.destroy_on)
        return Due(
            id=facts.id,
            kind=Kind.ARCHIVED,
            revision=facts.revision,
            term=term,
            because=told.because,
            fate=Fate.DESTROYED,
            holds=holds,
        )

    def _void(self, facts: ArchivedFacts, holds: tuple[str, ...]) -> Due | None:
        """Return the copy of a record that an order brought back, unless a hold stands (Wpg art. 14(3))."""
        if any(self.holding.holds[hold].stands(self.as_of) for hold in holds):
            self.waiting.append(Waiting(id=facts.id, kind=Kind.ARCHIVED, reason=Wait.HELD, holds=holds))
            return None
        rule = self.policy.rule if self.policy.archive is None else self.policy.archive
        term = Term(
            rule=rule.id, event=facts.event, event_on=facts.event_on, period=str(NOTHING), due_on=facts.event_on
        )
        return Due(
            id=facts.id,
            kind=Kind.ARCHIVED,
            revision=facts.revision,
            term=term,
            because=(f"an order of {facts.event_on} brought the record back: its archived copy is void",),
            fate=Fate.DESTROYED,
            holds=holds,
        )

    def _assessed(self, case: Case) -> Assessment:
        """Return where a case stands on the day decided for, or on the day of its latest fact, if that is later.

        What was accepted since that day counts: a run for a day that is over, or one at midnight, sees no less. Raises
        Invalid: it cannot be computed.
        """
        later = (*(event.accepted_on for event in case.events), *(review.on for review in case.reviews))
        return assess(self.policy, case, max((self.as_of, *later)))

    def _sealed(self, record: SubjectRecord, case: Case | None, told: Assessment | None) -> _Found:
        """Return the dates that a subject states itself, under its own seal: a signal's may be anybody's."""
        facts = record.subject.facts
        check = self.policy.rule_for(self.policy.ground, facts.kind).check
        ended = facts.remove_by if check is None else min(facts.remove_by, check.ended.after(facts.review_by))
        return self._stated(case, told, ended, "a signal about it does not verify: the date it states rules")

    def _kept(self, facts: ArchivedFacts, told: Assessment, destroy_on: date) -> Term:
        """Return the term of an archived record: five full years, or none where the data were flawed."""
        archive = self.policy.archive
        flawed = facts.event in FLAWED
        if archive is None or flawed:
            return Term(
                rule=told.rule,
                event=facts.event or REMOVAL,
                event_on=facts.event_on,
                period=str(NOTHING),
                due_on=destroy_on,
            )
        return Term(
            rule=archive.id, event=REMOVAL, event_on=facts.removed_on, period=str(archive.term), due_on=destroy_on
        )

    def _trusted(self, item: str, kind: Kind, verdict: Verdict) -> bool:
        """Say whether the record's own term rules: its facts verify now, whatever day of distrust the graph names."""
        if verdict is not Verdict.VERIFIES:
            self._note(item, kind, Reason(verdict))
        return verdict is Verdict.VERIFIES

    def _note(self, item: str, kind: Kind, reason: Reason) -> None:
        self.findings.append(Finding(id=item, kind=kind, reason=reason))

    def _ruling(self, item: str, kind: Kind, stated: date, case: Case, told: Assessment) -> _Found:
        """Return the reckoned date, or the stated one where that is earlier; a difference is noted."""
        termed = _termed(told)
        ends = min(told.remove_by or termed, termed)
        if stated > termed:
            self._note(item, kind, Reason.STATED_LATER)
        elif stated < ends:
            self._note(item, kind, Reason.STATED_EARLIER)
            why = f"it states {stated}, its events give {termed}: the earlier rules"
            return self._stated(case, told, stated, why)
        if told.state not in _OVER or ends > self.as_of:
            return _Found(case=case, told=told, term=None, because=told.because)
        return _Found(case=case, told=told, term=self._term(case, told, ends), because=told.because)

    def _term(self, case: Case, told: Assessment, ends: date) -> Term:
        if ends < _termed(told):  # nobody reviewed it
            check = self.policy.rule_for(case.ground, case.kind).check
            by = assess(self.policy, case, ends - timedelta(days=1)).review_by
            if check is not None and by is not None:
                return Term(rule=told.rule, event=MISSED, event_on=by, period=str(check.ended), due_on=ends)
        event, on = told.event or EventKind.SIGNAL, told.event_on or ends
        return Term(rule=told.rule, event=event.value, event_on=on, period=str(told.period), due_on=ends)

    def _untrusted(self, item: str, stated: date | None, case: Case | None, told: Assessment | None) -> _Found:
        """Return the earlier of the stated date and the policy's term after discovery."""
        rule = self.policy.distrust
        found_on = self.distrusted.get(item, self.as_of)
        until = rule.term.after(found_on)
        why = f"found on {found_on} not to verify; {rule.term.words} later is {until}"
        if stated is not None and stated <= until:
            return self._stated(case, told, stated, why, f"it states {stated}, which is earlier")
        term = Term(rule=rule.id, event=DISCOVERY, event_on=found_on, period=str(rule.term), due_on=until)
        return _Found(case=case, told=told, term=term if until <= self.as_of else None, because=(why,))

    def _again(self, item: str, kind: Kind, revision: int) -> Due:
        """Return what was purged before and is there again: it goes at once, and its key is gone already."""
        rule = self.policy.distrust
        term = Term(rule=rule.id, event=PURGED, event_on=self.as_of, period=str(NOTHING), due_on=self.as_of)
        why = ("it was purged before, and an older copy of the graph brought it back",)
        return Due(id=item, kind=kind, revision=revision, term=term, because=why, fate=Fate.DESTROYED)

    def _stated(self, case: Case | None, told: Assessment | None, on: date, *because: str) -> _Found:
        rule = self.policy.rule
        term = Term(rule=rule.id, event=STATED, event_on=on, period=str(NOTHING), due_on=on)
        return _Found(case=case, told=told, term=term if on <= self.as_of else None, because=because)

    def _due(self, item: str, kind: Kind, revision: int, holds: tuple[str, ...], found: _Found) -> Due | None:
        """Say what becomes of a record whose term is over; it waits where it may neither be archived nor destroyed."""
        if found.term is None:
            return None
        due = Due(
            id=item,
            kind=kind,
            revision=revision,
            term=found.term,
            because=found.because,
            fate=Fate.DESTROYED,
            holds=holds,
        )
        if self._at_once(found, holds):
            return due
        destroy_on = self._destroy_on(found)
        if destroy_on is None:
            self.waiting.append(Waiting(id=item, kind=kind, reason=Wait.HELD, holds=holds))
            return None
        if destroy_on.isoformat()[:7] not in self.months:
            self.waiting.append(Waiting(id=item, kind=kind, reason=Wait.NO_ARCHIVE_KEY))
            return None
        return replace(due, fate=Fate.REMOVED, destroy_on=destroy_on)

    def _at_once(self, found: _Found, holds: Collection[str]) -> bool:
        """Say whether a record is destroyed without an archive."""
        if found.told is not None and found.told.state is State.DESTRUCTION_DUE:
            return True
        if self.policy.rule.outcome is Outcome.ARCHIVE_THEN_DESTROY:
            return False
        return not any(self.holding.holds[hold].stands(self.as_of) for hold in holds)

    def _destroy_on(self, found: _Found) -> date | None:
        """Return the day on which a record that is removed now will be destroyed; None in a policy without archive."""
        archive = self.policy.archive
        if archive is None:
            return None
        kept = DAY.after(archive.term.after(self.as_of))
        if found.case is None:
            return kept
        told = assess(self.policy, replace(found.case, removed_on=self.as_of), self.as_of)
        return told.destroy_on or kept


def _undecided(record: SubjectRecord) -> SubjectRecord:
    """Return the record without a decision taken about it."""
    return replace(record, subject=replace(record.subject, facts=replace(record.subject.facts, acts=())))


def _termed(told: Assessment) -> date:
    """Return where the term itself ends, whatever reviews were missed."""
    return told.period.after(told.event_on) if told.event_on is not None else date.max

"""Making a plan: a pure function of the checked facts, the policy and a date.

Streams over the register; only what is due, or does not verify, stays in memory. Stamped dates are never trusted: every
date is reckoned again from the events, and of two that differ the earlier one rules.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from register.errors import Invalid
from register.ids import IdentifierId, LinkId, MentionId, SignalId, SubjectId
from register.runs import SubjectRecord
from register.sealed import SealedSignal
from retention.calendar import NOTHING
from retention.checking import Verdict, pages
from retention.plan import Cascade, Due, Finding, Kind, Plan, Reason, Term
from retention.rules import Policy
from retention.terms import Reckoned, reckon, signal_event

Mentioning = Callable[[Collection[SubjectId]], Iterable[SealedSignal]]
"""Gives the signals that mention one of some subjects."""

PAGE = 500


def make_plan(
    policy: Policy,
    as_of: date,
    *,
    signals: Iterable[tuple[SealedSignal, Verdict]],
    subjects: Iterable[tuple[SubjectRecord, Verdict]],
    mentioning: Mentioning,
    distrusted: Mapping[str, date],
) -> Plan:
    """Return what is due on civil date `as_of` (Europe/Amsterdam).

    Args:
        policy: the policy in force.
        as_of: the date to decide for.
        signals: every signal of the register, checked; consumed once, before `subjects`.
        subjects: every live subject, checked; consumed once.
        mentioning: asked for the signals of the subjects that are due.
        distrusted: ids found not to verify before, each with the day of that discovery.
    """
    judging = _Judging(policy=policy, as_of=as_of, distrusted=distrusted)
    due_signals = [due for one, verdict in signals if (due := judging.signal(one, verdict))]
    due_subjects = [due for one, verdict in subjects if (due := judging.subject(one, verdict))]
    in_order = sorted(due_subjects, key=lambda due: due.id) + sorted(due_signals, key=lambda due: due.id)
    return Plan(
        as_of=as_of,
        policy=policy,
        live_subjects=judging.live_subjects,
        live_signals=judging.live_signals,
        due=tuple(in_order),
        cascade=cascade(frozenset(SubjectId(due.id) for due in due_subjects), mentioning),
        findings=tuple(judging.findings),
    )


def cascade(due: frozenset[SubjectId], mentioning: Mentioning) -> Cascade:
    """Return what goes with the subjects `due`, by name."""
    gone: dict[SignalId, tuple[SubjectId, ...]] = {}
    redacted: dict[SignalId, tuple[SubjectId, ...]] = {}
    mentions: set[MentionId] = set()
    links: set[LinkId] = set()
    identifiers: set[IdentifierId] = set()
    for page in pages(sorted(due), PAGE):
        for signal in mentioning(page):
            going = [mention.facts for mention in signal.mentions if mention.facts.subject in due]
            through = tuple(sorted({mention.subject for mention in going}))
            (gone if len(going) == len(signal.mentions) else redacted)[signal.facts.id] = through
            mentions.update(mention.id for mention in going)
            identifiers.update(one for mention in going for one in mention.identifiers)
            ends = ((link.facts.id, {link.facts.from_, link.facts.to}) for link in signal.links)
            links.update(link for link, between in ends if between & due)
    return Cascade(
        gone=tuple(sorted(gone.items())),
        redacted=tuple(sorted(redacted.items())),
        mentions=len(mentions),
        links=len(links),
        identifiers=len(identifiers),
    )


@dataclass(slots=True, kw_only=True)
class _Judging:
    """Judges record by record and gathers counts and findings. Signals come first: they say whose dates to believe."""

    policy: Policy
    as_of: date
    distrusted: Mapping[str, date]
    live_subjects: int = 0
    live_signals: int = 0
    findings: list[Finding] = field(default_factory=list)
    _doubted: set[SubjectId] = field(default_factory=set)

    def signal(self, signal: SealedSignal, verdict: Verdict) -> Due | None:
        """Return the signal if its own term has ended; one that names subjects lives by them, unless it was ended."""
        facts = signal.facts
        self.live_signals += 1
        trusted = self._trusted(facts.id, Kind.SIGNAL, verdict)
        if not trusted:
            self._doubted.update(mention.facts.subject for mention in signal.mentions)
        if signal.mentions and (facts.remove_by is None or not trusted):
            return None
        if not trusted:
            found = self._untrusted(facts.id, facts.remove_by)
        elif signal.mentions and facts.remove_by is not None:
            found = self._stated(facts.remove_by), (f"ended early by a decision of {facts.remove_by}",)
        else:
            reckoned = reckon(self.policy, [signal_event(facts.received_on, facts.accepted_on)])
            found = self._ruling(facts.id, Kind.SIGNAL, facts.remove_by or reckoned.due_on, reckoned)
        return self._due(facts.id, Kind.SIGNAL, facts.revision, *found)

    def subject(self, record: SubjectRecord, verdict: Verdict) -> Due | None:
        """Return the subject if its term has ended."""
        facts = record.subject.facts
        self.live_subjects += 1
        reckoned = self._reckoned(record)
        trusted = self._trusted(facts.id, Kind.SUBJECT, verdict)
        if trusted and reckoned is None:
            self._note(facts.id, Kind.SUBJECT, Reason.NO_EVENT)
        if not trusted or reckoned is None:
            found = self._untrusted(facts.id, facts.remove_by)
        elif facts.id in self._doubted and facts.remove_by != reckoned.due_on:
            # the date it states is ours, the signals' dates may not be
            found = self._stated(facts.remove_by), ("a signal about it does not verify: the date it states rules",)
        else:
            found = self._ruling(facts.id, Kind.SUBJECT, facts.remove_by, reckoned)
        return self._due(facts.id, Kind.SUBJECT, facts.revision, *found)

    def _reckoned(self, record: SubjectRecord) -> Reckoned | None:
        try:
            return reckon(self.policy, [signal_event(*dates) for dates in record.signals])
        except Invalid:
            return None

    def _trusted(self, item: str, kind: Kind, verdict: Verdict) -> bool:
        """Say whether the record's own term rules: its facts verify now, whatever day of distrust the graph names."""
        if verdict is not Verdict.VERIFIES:
            self._note(item, kind, Reason(verdict))
        return verdict is Verdict.VERIFIES

    def _note(self, item: str, kind: Kind, reason: Reason) -> None:
        self.findings.append(Finding(id=item, kind=kind, reason=reason))

    def _ruling(self, item: str, kind: Kind, stated: date, reckoned: Reckoned) -> tuple[Term, tuple[str, ...]]:
        """Return the reckoned date, or the stated one where that is earlier; a difference is noted."""
        if stated > reckoned.due_on:
            self._note(item, kind, Reason.STATED_LATER)
        elif stated < reckoned.due_on:
            self._note(item, kind, Reason.STATED_EARLIER)
            return self._stated(stated), (f"it states {stated}, its events give {reckoned.due_on}: the earlier rules",)
        term = Term(
            rule=reckoned.rule.id,
            event=reckoned.event.value,
            event_on=reckoned.event_on,
            period=str(reckoned.period),
            due_on=reckoned.due_on,
        )
        return term, reckoned.because if reckoned.due_on <= self.as_of else ()

    def _untrusted(self, item: str, stated: date | None) -> tuple[Term, tuple[str, ...]]:
        """Return the earlier of the stated date and the policy's term after discovery."""
        rule = self.policy.distrust
        found_on = self.distrusted.get(item, self.as_of)
        until = rule.term.after(found_on)
        why = f"found on {found_on} not to verify; {rule.term.words} later is {until}"
        if stated is not None and stated <= until:
            return self._stated(stated), (why, f"it states {stated}, which is earlier")
        term = Term(rule=rule.id, event="discovery", event_on=found_on, period=str(rule.term), due_on=until)
        return term, (why,)

    def _stated(self, on: date) -> Term:
        rule = self.policy.rule
        return Term(rule=rule.id, event="stated-date", event_on=on, period=str(NOTHING), due_on=on)

    def _due(self, item: str, kind: Kind, revision: int, term: Term, because: tuple[str, ...]) -> Due | None:
        if term.due_on > self.as_of:
            return None
        return Due(id=item, kind=kind, revision=revision, term=term, because=because)

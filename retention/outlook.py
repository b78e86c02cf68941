"""What is to come: one record's dates explained, a calendar of what becomes due, and the coming runs on paper.

Pure reading over the facts of live and of archived records, checked; nothing is changed. What the future brings
(signals, reviews, holds) is not guessed: these are the dates if nothing more happens.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from register.errors import Invalid
from register.ids import SubjectId
from register.lifetime import State
from register.runs import SubjectRecord
from register.sealed import SealedSignal, SealedStub
from retention.assessment import Assessment, Case, assess
from retention.casework import case_of, span, stub_case
from retention.checking import Verdict, checked_signals, checked_stubs, checked_subjects
from retention.holding import Holding, read_holds
from retention.impact import Change, impact
from retention.interfaces import Erasure, FactsCheck, Holds
from retention.rules import Policy
from retention.terms import signal_event

QUARTER: Final = 13
"""Weeks of the coming quarter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Looks ahead under one policy."""

    erasure: Erasure
    holds: Holds
    check: FactsCheck
    policy: Policy

    def explain(self, subject: SubjectId, on: date) -> Mapping[str, object] | None:
        """Return where a live subject stands on civil date `on` and why, in values of JSON; None: there is none.

        `facts` is the `subject` of a retention-case/1: with it and the policy's version everybody can compute the same.
        Holds are left out: they move no date of a live subject. An archived record is explained by its archive id.
        """
        found = checked_subjects(self.erasure.subjects([subject]), self.check, self.erasure.subjects)
        for record, verdict in found:
            case = case_of(self.policy, record)
            return {
                "subject": subject,
                "on": on.isoformat(),
                "policy": self.policy.version,
                "policy_sha256": self.policy.digest,
                "verdict": verdict.value,
                "restricted": record.subject.facts.restricted,
                "facts": _facts(case),
                **_dates(self._subject(record, on)),
            }
        return self._archived(subject, on)

    def _archived(self, archive: str, on: date) -> Mapping[str, object] | None:
        """Return where an archived record stands: until when its file is kept, and by what."""
        for stub, verdict in checked_stubs(self.erasure.stubs([archive]), self.check, self.erasure.stubs):
            case = self._stub(stub, read_holds(self.holds, self.check))
            told = assess(self.policy, case, on) if on >= stub.facts.removed_on else None
            done = stub.facts.destroyed_on
            return {
                "subject": archive,
                "on": on.isoformat(),
                "policy": self.policy.version,
                "policy_sha256": self.policy.digest,
                "verdict": verdict.value,
                "restricted": False,
                "facts": _facts(case),
                "archived": {"kind": stub.facts.kind, "month": stub.facts.month, "holds": list(stub.facts.holds)}
                | {"destroyed_on": done.isoformat() if done else None},
                **_dates(told),
            }
        return None

    def _stub(self, stub: SealedStub, holding: Holding) -> Case:
        holds = holding.of(holding.on(stub.facts.id, known=stub.facts.holds))
        return replace(stub_case(self.policy, stub.facts), holds=tuple(map(span, holds)))

    def cases(self, on: date) -> Iterator[Mapping[str, object]]:
        """Yield the facts of every live record with dates of its own as retention-case/1, for civil date `on`; streams.

        One that does not verify is left out: its facts are not ours.
        """
        for record, verdict in checked_subjects(self.erasure.subjects(), self.check, self.erasure.subjects):
            if verdict is Verdict.VERIFIES:
                facts = _facts(case_of(self.policy, record))
                yield {"case": record.subject.facts.id, "date": on.isoformat(), "subject": facts}
        for signal, verdict in checked_signals(self.erasure.signals(), self.check, self.erasure.signals):
            if verdict is Verdict.VERIFIES and not signal.mentions:
                yield {"case": signal.facts.id, "date": on.isoformat(), "subject": _facts(self._alone(signal))}

    def calendar(self, on: date, weeks: int) -> Mapping[str, object]:
        """Return how much becomes due in each of the `weeks` weeks from civil date `on`, if nothing more happens.

        Reviews by the last day on which they are on time, removals by their day, for want of a review too, and
        destructions of archived records by theirs, as holds stand now; `late` is what was due before `on`. A record
        that does not verify is counted as `unsure` only.
        """
        until = on + timedelta(weeks=weeks)
        late: Counter[str] = Counter()
        by_week: dict[date, Counter[str]] = {on + timedelta(weeks=week): Counter() for week in range(weeks)}
        unsure = 0
        for told in self._all(on):
            if told is None:
                unsure += 1
                continue
            gone = told.state in (State.REMOVED, State.DESTRUCTION_DUE) and told.ends_on is None
            ends = (("reviews", told.review_by), ("removals", told.ends_on))
            for what, day in (("destructions", told.destroy_on),) if gone else ends:
                if day is None or day >= until:
                    continue
                if day < on:
                    late[what] += 1
                else:
                    by_week[on + timedelta(weeks=(day - on).days // 7)][what] += 1
        return {
            "on": on.isoformat(),
            "policy": self.policy.version,
            "late": _counts(late),
            "weeks": [
                {"from": first.isoformat(), "until": (first + timedelta(days=6)).isoformat(), **_counts(counted)}
                for first, counted in by_week.items()
            ],
            "unsure": unsure,
        }

    def rehearse(self, on: date, weeks: int) -> Mapping[str, object]:
        """Return the runs of the `weeks` weeks from civil date `on` on paper: nothing is removed, nothing is written.

        A run is of the day on which something ends if nothing more happens; subjects are counted by rule.
        Signals are those that go with their last subject, and those redacted because somebody stays.
        """
        until = on + timedelta(weeks=weeks)
        ends: dict[SubjectId, date] = {}
        papers: dict[date, _Paper] = defaultdict(_Paper)
        subjects = signals = 0
        for record, verdict in checked_subjects(self.erasure.subjects(), self.check, self.erasure.subjects):
            subjects += 1
            told = self._subject(record, on) if verdict is Verdict.VERIFIES else None
            if told is not None and told.ends_on is not None and told.ends_on < until:
                day = max(told.ends_on, on)
                ends[record.subject.facts.id] = day
                papers[day].subjects += 1
                papers[day].rules[told.rule] += 1
        for signal, verdict in checked_signals(self.erasure.signals(), self.check, self.erasure.signals):
            signals += 1
            if signal.mentions:
                _with_subjects(signal, ends, papers)
            elif verdict is Verdict.VERIFIES:
                told = self._signal(signal, on)
                if told is not None and told.ends_on is not None and told.ends_on < until:
                    papers[max(told.ends_on, on)].alone += 1
        runs = list(self._runs(papers, subjects, signals))
        return {"rehearsal": True, "on": on.isoformat(), "policy": self.policy.version, "runs": runs}

    def impact(self, new: Policy, on: date) -> tuple[tuple[str, Change], ...]:
        """Return what `new` in place of this policy changes on civil date `on`, by id; what stays the same is absent.

        One that does not verify is left out: its own rule says when it goes, whatever the policy's terms are.
        """
        found: list[tuple[str, Change]] = []
        for record, verdict in checked_subjects(self.erasure.subjects(), self.check, self.erasure.subjects):
            if verdict is Verdict.VERIFIES:
                change = impact(case_of(self.policy, record), on, old=self.policy, new=new)
                found += [(record.subject.facts.id, change)] if change else []
        for signal, verdict in checked_signals(self.erasure.signals(), self.check, self.erasure.signals):
            if verdict is Verdict.VERIFIES and not signal.mentions:
                change = impact(self._alone(signal), on, old=self.policy, new=new)
                found += [(signal.facts.id, change)] if change else []
        return tuple(found)

    def _runs(self, papers: Mapping[date, "_Paper"], subjects: int, signals: int) -> Iterator[Mapping[str, object]]:
        """Yield the papers by day; `subjects` and `signals` are how many are live before the first."""
        exceeded = self.policy.blast_radius.exceeded
        for day, paper in sorted(papers.items()):
            yield {
                "rehearsal": True,
                "as_of": day.isoformat(),
                "needs_approval": exceeded(paper.subjects, subjects) or exceeded(paper.alone, signals),
                "subjects": paper.subjects,
                "rules": dict(sorted(paper.rules.items())),
                "signals_alone": paper.alone,
                "signals_gone": paper.gone,
                "signals_redacted": paper.redacted,
            }
            subjects -= paper.subjects
            signals -= paper.alone + paper.gone

    def _all(self, on: date) -> Iterator[Assessment | None]:
        """Yield where each record with dates of its own stands; None for one that cannot be believed."""
        for record, verdict in checked_subjects(self.erasure.subjects(), self.check, self.erasure.subjects):
            yield self._subject(record, on) if verdict is Verdict.VERIFIES else None
        for signal, verdict in checked_signals(self.erasure.signals(), self.check, self.erasure.signals):
            if not signal.mentions:
                yield self._signal(signal, on) if verdict is Verdict.VERIFIES else None
        holding = read_holds(self.holds, self.check)
        for stub, verdict in checked_stubs(self.erasure.stubs(), self.check, self.erasure.stubs):
            if stub.facts.destroyed_on is None:
                kept, day = self._stub(stub, holding), max(on, stub.facts.removed_on)
                yield assess(self.policy, kept, day) if verdict is Verdict.VERIFIES else None

    def _subject(self, record: SubjectRecord, on: date) -> Assessment | None:
        try:
            return assess(self.policy, case_of(self.policy, record), on)
        except Invalid:
            return None  # nothing explains why it is kept: the next run says so

    def _signal(self, signal: SealedSignal, on: date) -> Assessment | None:
        """Return where a signal that names nobody stands: it ends by its own receipt, or earlier if it says so."""
        try:
            told = assess(self.policy, self._alone(signal), on)
        except Invalid:
            return None
        days = [day for day in (told.ends_on, signal.facts.remove_by) if day is not None]
        return replace(told, ends_on=min(days, default=None))

    def _alone(self, signal: SealedSignal) -> Case:
        event = signal_event(signal.facts.received_on, signal.facts.accepted_on)
        return Case(kind=None, ground=self.policy.ground, events=(event,))


@dataclass(slots=True)
class _Paper:
    """What one run of the future would take."""

    subjects: int = 0
    alone: int = 0
    gone: int = 0
    redacted: int = 0
    rules: Counter[str] = field(default_factory=Counter)


def _with_subjects(signal: SealedSignal, ends: Mapping[SubjectId, date], papers: Mapping[date, _Paper]) -> None:
    """Count a signal with the runs that take its subjects: redacted as long as somebody stays, gone with the last."""
    named = {mention.facts.subject for mention in signal.mentions}
    days = sorted({ends[one] for one in named if one in ends})
    last = days.pop() if days and all(one in ends for one in named) else None
    for day in days:
        papers[day].redacted += 1
    if last is not None:
        papers[last].gone += 1


def _counts(counted: Mapping[str, int]) -> Mapping[str, int]:
    return {what: counted.get(what, 0) for what in ("reviews", "removals", "destructions")}


def _facts(case: Case) -> Mapping[str, object]:
    """Return a record's facts as the `subject` of a retention-case/1."""
    removed = {} if case.removed_on is None else {"removed_on": case.removed_on.isoformat(), "holds": _held(case)}
    return removed | {
        "kind": case.kind.value if case.kind else "none",
        "ground": case.ground.value,
        "events": [
            {
                "on": event.on.isoformat(),
                "kind": event.kind.value,
                "accepted_on": event.accepted_on.isoformat(),
                "new_information": event.new_information,
            }
            for event in case.events
        ],
        "reviews": [{"on": review.on.isoformat(), "outcome": review.outcome.value} for review in case.reviews],
    }


def _held(case: Case) -> list[Mapping[str, str]]:
    return [
        {"ground": hold.ground.value, "from": hold.from_.isoformat()}
        | ({"until": hold.until.isoformat()} if hold.until else {})
        for hold in case.holds
    ]


_NO_EVENT: Final = "nothing that happened explains why it is kept: the next run hides it"


def _dates(told: Assessment | None) -> Mapping[str, object]:
    if told is None:
        empty = ("state", "review_by", "hidden_from", "remove_by", "destroy_on", "rule", "citation")
        return {**dict.fromkeys(empty), "visible": False, "because": [_NO_EVENT]}
    days = {
        "review_by": told.review_by,
        "hidden_from": told.hidden_from,
        "remove_by": told.remove_by,
        "destroy_on": told.destroy_on,
    }
    return {
        "state": told.state.value,
        **{name: day.isoformat() if day else None for name, day in days.items()},
        "visible": told.visible,
        "rule": told.rule,
        "citation": told.citation,
        "because": list(told.because),
    }

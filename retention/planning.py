"""Making a plan: a pure function of the checked facts, the holds, the policy and a date.

Streams over the register; only what is due, waits, or does not verify, stays in memory.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date

from register.ids import IdentifierId, LinkId, MentionId, SignalId, SubjectId
from register.runs import Naming, SubjectRecord
from register.sealed import SealedSignal, SealedStub
from retention.checking import Verdict
from retention.holding import Holding
from retention.judging import Judge
from retention.plan import Cascade, Due, Finding, Plan, Reason
from retention.planned import Kind
from retention.rules import Policy

NamingOf = Callable[[Collection[SubjectId]], Iterable[Naming]]
"""Gives whom the signals name that mention one of some subjects, each signal once."""


def make_plan(
    policy: Policy,
    as_of: date,
    *,
    signals: Iterable[tuple[SealedSignal, Verdict]],
    subjects: Iterable[tuple[SubjectRecord, Verdict]],
    stubs: Iterable[tuple[SealedStub, Verdict]] = (),
    naming: NamingOf,
    distrusted: Mapping[str, date],
    holding: Holding,
    months: Collection[str] = (),
    files: Collection[str] = (),
) -> Plan:
    """Return what is due on civil date `as_of` (Europe/Amsterdam).

    Args:
        policy: the policy in force.
        as_of: the date to decide for.
        signals: every signal of the register, checked; consumed once, before `subjects`.
        subjects: every live subject, checked; consumed once.
        stubs: every stub of an archived record, checked; consumed once.
        naming: asked for the signals of the subjects that are due.
        distrusted: ids found not to verify before, each with the day of that discovery.
        holding: all holds.
        months: destruction months, `YYYY-MM`, that the archive has a key of.
        files: ids of the records of which the archive has a file.
    """
    judge = Judge(policy=policy, as_of=as_of, distrusted=distrusted, holding=holding, months=months)
    due_signals = [due for one, verdict in signals if (due := judge.signal(one, verdict))]
    due_subjects = [due for one, verdict in subjects if (due := judge.subject(one, verdict))]
    known: set[str] = set()
    due_records = []
    for stub, verdict in stubs:
        known.add(stub.facts.id)
        if due := judge.record(stub, verdict, has_file=stub.facts.id in files):
            due_records.append(due)
    findings = [*judge.findings, *(_loose(one) for one in sorted(set(files) - known))]
    findings += [Finding(id=one, kind=Kind.HOLD, reason=Reason.DOES_NOT_VERIFY) for one in holding.unsure]
    going = frozenset(SubjectId(due.id) for due in due_subjects)
    through, goes = cascade(going, naming)
    due_subjects = _with_holds_on_signals(due_subjects, through, holding)
    return Plan(
        as_of=as_of,
        policy=policy,
        live_subjects=judge.live_subjects,
        live_signals=judge.live_signals,
        archived=judge.archived,
        due=tuple(one for due in (due_subjects, due_signals, due_records) for one in sorted(due, key=_by_id)),
        waiting=tuple(judge.waiting),
        reviews_due=judge.reviews_due,
        cascade=goes,
        findings=tuple(findings),
        holds=holding.grounds,
    )


def cascade(due: frozenset[SubjectId], naming: NamingOf) -> tuple[Mapping[SubjectId, frozenset[SignalId]], Cascade]:
    """Return the signals about each of the subjects `due`, and what goes with them, by name."""
    about: dict[SubjectId, set[SignalId]] = defaultdict(set)
    gone: dict[SignalId, tuple[SubjectId, ...]] = {}
    redacted: dict[SignalId, tuple[SubjectId, ...]] = {}
    mentions: set[MentionId] = set()
    links: set[LinkId] = set()
    identifiers: set[IdentifierId] = set()
    for signal in naming(due) if due else ():
        going = [mention for mention in signal.mentions if mention[1] in due]
        through = tuple(sorted({subject for _, subject, _ in going}))
        (gone if len(going) == len(signal.mentions) else redacted)[signal.signal] = through
        for subject in through:
            about[subject].add(signal.signal)
        mentions.update(mention for mention, _, _ in going)
        identifiers.update(one for _, _, carried in going for one in carried)
        links.update(link for link, *ends in signal.links if not due.isdisjoint(ends))
    return {subject: frozenset(signals) for subject, signals in about.items()}, Cascade(
        gone=tuple(sorted(gone.items())),
        redacted=tuple(sorted(redacted.items())),
        mentions=len(mentions),
        links=len(links),
        identifiers=tuple(sorted(identifiers)),
    )


def _with_holds_on_signals(
    due: Iterable[Due], about: Mapping[SubjectId, frozenset[SignalId]], holding: Holding
) -> list[Due]:
    """A hold on a signal is one on the archived records of those it is about."""
    held = {signal: hold for hold, facts in holding.holds.items() for signal in facts.signals}
    if not held:
        return list(due)
    return [
        replace(one, holds=tuple(sorted({*one.holds, *(held[signal] for signal in signals if signal in held)})))
        for one in due
        for signals in (about.get(SubjectId(one.id), frozenset()),)
    ]


def _loose(archive: str) -> Finding:
    return Finding(id=archive, kind=Kind.ARCHIVED, reason=Reason.NO_STUB)


def _by_id(due: Due) -> str:
    return due.id

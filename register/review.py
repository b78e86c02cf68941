"""The periodic check of Wpg art. 10(6): a queue of what is to be looked at, and one reasoned decision for each subject.

Nothing is kept because nobody looked: without a decision a subject is overdue, hidden, removed. Many are looked at one
after the other; no call decides for more than one. Nobody decides about a subject of which a part is hidden from them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from register.access import Actor, Grant, Permission, Reason, Role
from register.audit import Act
from register.clock import civil_date
from register.deciding import (
    Deciding,
    act_of,
    answers_text,
    entry,
    refuse,
    subject_detail,
    text_faults,
    witness,
)
from register.decision_stores import Change, WholeSubject
from register.decisions import ActKind, DossierKind, DossierState, EndCode, ReviewCode, decode_all
from register.errors import Fault, Invalid
from register.ids import DossierId, SubjectId
from register.interfaces import Sealing
from register.judgements import (
    RULES,
    Decided,
    Due,
    Judgement,
    Queue,
    ReviewPage,
    answer_faults,
    information_faults,
    standing,
)
from register.reviewing import ReviewTerms
from register.rules import fault
from register.sealed import SubjectFacts

AHEAD: Final = timedelta(days=90)
"""How long before its date a subject stands in the queue (law.md, retention: notice 90 days ahead)."""

MOST: Final = 200
"""Subjects that one page of the queue holds at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Answers reviewers, and privacy officers who restrict."""

    deciding: Deciding
    sealing: Sealing
    terms: ReviewTerms

    def queue(
        self, actor: Actor, reason: Reason, *, after: tuple[date, SubjectId] | None = None, limit: int = 50
    ) -> Queue:
        """Return what is due within 90 days or overdue, the longest overdue first.

        Raises:
            Refused, Invalid (purpose, case, limit), Unavailable, Tampered.
        """
        grant = self.deciding.enter(actor, Permission.REVIEW_SEE, Act.REVIEW_QUEUE, reason)
        if not 1 <= limit <= MOST:
            raise Invalid([fault("/limit", "number.range", limit=MOST)])
        today = civil_date(grant.as_of)
        nodes = self.deciding.store.due(
            grant, until=today + AHEAD, after=after, limit=limit, witnessed=witness(grant, Act.REVIEW_QUEUE)
        )
        self.sealing.check([node.subject for node in nodes])
        opened = self.sealing.open_mentions([node.mention for node in nodes])
        items = tuple(
            self._due(node.subject.facts, mention.names[0], today)
            for node, mention in zip(nodes, opened, strict=True)
            if self.terms.ends(node.subject.facts.review_by) > today
        )
        self.sealing.assert_current()
        last = nodes[-1].subject.facts if len(nodes) == limit else None
        return Queue(items=items, after=(last.review_by, last.id) if last else None)

    def page(self, actor: Actor, reason: Reason, subject: SubjectId) -> ReviewPage:
        """Return everything about one subject, hidden by a missed review or restricted though it may be.

        Raises:
            NotFound (absent, ended, or not wholly visible to this actor), Refused, Invalid, Unavailable, Tampered.
        """
        grant = self.deciding.enter(actor, Permission.REVIEW_SEE, Act.REVIEW_OPEN, reason)
        found = self.deciding.subject(grant, subject, None, witness(grant, Act.REVIEW_OPEN))
        opened = self.sealing.open_mentions(found.mentions)
        told = self.deciding.dates(found.record, civil_date(grant.as_of))
        page = ReviewPage(
            facts=found.subject.facts,
            mentions=opened,
            signals=found.signals,
            decisions=decode_all(found.subject.facts.acts),
            rule=told.rule,
            citation=told.citation,
            because=told.because,
        )
        self.sealing.assert_current()
        return page

    def decide(self, actor: Actor, reason: Reason, subject: SubjectId, seen: int, judgement: Judgement) -> Decided:
        """Decide about one subject in the revision `seen`, written with its reason in one transaction.

        `no-longer-necessary` becomes a proposal that a second person has to agree to.

        Raises:
            Refused, Invalid (every fault), NotFound, Unavailable, Tampered.
            Conflict: the subject changed since it was looked at; nothing was written.
        """
        restricting = judgement.outcome in (ReviewCode.RESTRICT, ReviewCode.RELEASE)
        grant = self._enter(actor, reason, restricting)
        found = self.deciding.subject(grant, subject, seen)
        today = civil_date(grant.as_of)
        refuse(self._faults(judgement, found, today, restricting))
        texts = {"reason": judgement.text}
        if judgement.answers:
            texts["answers"] = answers_text({str(one): said for one, said in judgement.answers.items()})
        if judgement.outcome is ReviewCode.NO_LONGER_NECESSARY:
            return self._propose(grant, found, texts)
        kind = DossierKind.RESTRICTION if restricting else DossierKind.REVIEW
        dossier = self.deciding.dossier(
            grant, kind, judgement.outcome, texts, targets=[subject], grounds=judgement.information
        )
        act, code, restricted = _act(judgement)
        decision = act_of(today, act, code, dossier.facts.id)
        changed, dates = self.deciding.decided(found.record, decision, restricted=restricted)
        what = Act.SUBJECT_RESTRICT if restricting else Act.REVIEW_DECIDE
        detail = subject_detail(changed.facts) | {"dossier": dossier.facts.id, "outcome": judgement.outcome}
        done = entry(grant, what, targets=[subject, dossier.facts.id, *judgement.information], detail=detail)
        self.deciding.commit(Change(subjects=(changed,), created=(dossier,)), [done])
        rule = f"{RULES[judgement.outcome]} [{dates.rule}, {dates.citation}]"
        return _told(changed.facts, dossier.facts.id, DossierState.DONE, rule)

    def _enter(self, actor: Actor, reason: Reason, restricting: bool) -> Grant:
        if restricting and actor.role is Role.PRIVACY_OFFICER:
            return self.deciding.enter(actor, Permission.SUBJECT_RESTRICT, Act.SUBJECT_RESTRICT, reason)
        return self.deciding.enter(actor, Permission.REVIEW_DECIDE, Act.REVIEW_DECIDE, reason)

    def _due(self, facts: SubjectFacts, name: str, today: date) -> Due:
        return Due(
            subject=facts.id,
            kind=facts.kind,
            name=name,
            revision=facts.revision,
            review_by=facts.review_by,
            hidden_from=facts.hidden_from,
            remove_by=facts.remove_by,
            ends_on=min(facts.remove_by, self.terms.ends(facts.review_by)),
            standing=standing(facts, today),
        )

    def _faults(self, judgement: Judgement, found: WholeSubject, today: date, restricting: bool) -> Iterator[Fault]:
        yield from text_faults("/reason", judgement.text)
        yield from answer_faults(judgement, restricting)
        facts = found.subject.facts
        if self.terms.ends(facts.review_by) <= today:
            yield fault("/subject", "review.too-late")
        if judgement.outcome is ReviewCode.RESTRICT and facts.restricted:
            yield fault("/outcome", "restriction.stands")
        if judgement.outcome is ReviewCode.RELEASE and not facts.restricted:
            yield fault("/outcome", "restriction.none")
        if (judgement.outcome is ReviewCode.RESTRICT) != (judgement.ground is not None):
            yield fault("/ground", "restriction.ground")
        yield from information_faults(judgement, found)

    def _propose(self, grant: Grant, found: WholeSubject, texts: Mapping[str, str]) -> Decided:
        facts = found.subject.facts
        dossier = self.deciding.dossier(
            grant,
            DossierKind.EARLY_END,
            EndCode.NO_LONGER_NECESSARY,
            texts,
            targets=[facts.id],
            state=DossierState.PROPOSED,
        )
        detail = {"dossier": dossier.facts.id, "outcome": ReviewCode.NO_LONGER_NECESSARY, "state": "proposed"}
        done = entry(grant, Act.EARLY_END_PROPOSE, targets=[facts.id, dossier.facts.id], detail=detail)
        self.deciding.commit(Change(created=(dossier,)), [done])
        return _told(facts, dossier.facts.id, DossierState.PROPOSED, RULES[ReviewCode.NO_LONGER_NECESSARY])


def _act(judgement: Judgement) -> tuple[ActKind, str, bool | None]:
    """Return kind and code of the act, and what it makes of the restriction."""
    if judgement.outcome is ReviewCode.STILL_NEEDED:
        return ActKind.REVIEW, judgement.outcome, None
    if judgement.outcome is ReviewCode.NEW_INFORMATION:
        return ActKind.NECESSITY, judgement.outcome, None
    if judgement.ground is not None:
        return ActKind.RESTRICTED, judgement.ground, True
    return ActKind.RELEASED, judgement.outcome, False


def _told(facts: SubjectFacts, dossier: DossierId, state: DossierState, rule: str) -> Decided:
    return Decided(
        dossier=dossier,
        state=state,
        rule=rule,
        review_by=facts.review_by,
        hidden_from=facts.hidden_from,
        remove_by=facts.remove_by,
        restricted=facts.restricted,
    )

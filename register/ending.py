"""Early ends: what is no longer necessary, ordered away, recalled, incorrect or unlawful goes at once, by two people.

One officer proposes, with ground and reason; another agrees or declines. Who proposed stands under the proposal's MAC,
so that nobody who can only write to the database makes one person two. With the agreement a run is ordered.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from register.access import Actor, Grant, Permission, Reason
from register.audit import Act, Entry, Outcome
from register.clock import civil_date
from register.deciding import (
    Deciding,
    act_of,
    entry,
    may_see,
    refuse,
    signal_detail,
    subject_detail,
    text_faults,
    witness,
)
from register.decision_stores import Change
from register.decisions import ENDS, DossierKind, DossierState, EndCode, encode
from register.dossiers import DossierFacts
from register.errors import Conflict, Fault, NotFound, Refused
from register.ids import DossierId, RunId, SignalId, SubjectId, mint
from register.rules import fault
from register.runs import Order, SubjectRecord
from register.sealed import Facts, SealedDossier, SealedLink, SealedMention, SealedSignal, SealedSubject

ENDED: Final = "=ended"
"""The marking of a signal that was ended: in no form that can be granted, so that from then on nobody sees it."""

SUBJECT_GROUNDS: Final = frozenset(set(EndCode) - {EndCode.INDIRECTLY_IDENTIFYING})
SIGNAL_GROUNDS: Final = frozenset(set(EndCode) - {EndCode.NO_LONGER_NECESSARY})


_KINDS: Final = (DossierKind.EARLY_END, DossierKind.DESK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proposal with its texts, as a second person sees it."""

    facts: DossierFacts
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How a proposal ended; `run` is the run ordered with it, None where it was declined."""

    dossier: DossierId
    state: DossierState
    run: RunId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyEnds:
    """Answers reviewers, desk officers and privacy officers."""

    deciding: Deciding

    def propose_subject(
        self, actor: Actor, reason: Reason, subject: SubjectId, seen: int, code: EndCode, text: str
    ) -> DossierId:
        """Propose that a subject, in the revision `seen`, ends today.

        Raises:
            Refused, Invalid, NotFound (absent, ended, or not wholly visible), Unavailable, Tampered.
            Conflict: it changed since it was looked at.
        """
        grant = self._enter(actor, Permission.EARLY_END_PROPOSE, Act.EARLY_END_PROPOSE, reason)
        self.deciding.subject(grant, subject, seen)
        refuse(_faults(code, text, SUBJECT_GROUNDS))
        return self._proposed(grant, subject, code, text, DossierKind.EARLY_END)

    def propose_signal(self, actor: Actor, reason: Reason, signal: SignalId, code: EndCode, text: str) -> DossierId:
        """Propose that a whole signal ends today, and with it whom nothing else names.

        Raises:
            Refused, Invalid, NotFound (absent or hidden), Unavailable, Tampered.
        """
        grant = self._enter(actor, Permission.EARLY_END_PROPOSE, Act.EARLY_END_PROPOSE, reason)
        self._signal(grant, signal)
        refuse(_faults(code, text, SIGNAL_GROUNDS))
        return self._proposed(grant, signal, code, text, DossierKind.DESK)

    def proposals(self, actor: Actor, reason: Reason) -> tuple[Proposal, ...]:
        """Return the proposals that wait and that this actor may see all of, the oldest first.

        Raises:
            Refused, Invalid (purpose, case), Unavailable, Tampered.
        """
        grant = self._enter(actor, Permission.EARLY_END_SEE, Act.EARLY_END_LIST, reason)
        waiting = (one for one in self.deciding.store.proposed() if one.facts.kind in _KINDS)
        found = [one for one in waiting if self._visible(grant, one)]
        opened = tuple(Proposal(facts=one.facts, reason=self.deciding.sealing.open(one)["reason"]) for one in found)
        self.deciding.trail.append([witness(grant, Act.EARLY_END_LIST)([one.facts.id for one in found], len(found))])
        return opened

    def settle(self, actor: Actor, reason: Reason, dossier: DossierId, *, agreed: bool, text: str) -> Settled:
        """Agree to a proposal as the second person, or decline it. What is agreed to is hidden at once.

        Raises:
            Refused: the role may not, or the actor proposed it (`approval.second-person`).
            NotFound: absent, or about something this actor does not wholly see.
            Conflict: settled already (`proposal.settled`), or something changed meanwhile.
            Invalid, Unavailable, Tampered.
        """
        grant = self._enter(actor, Permission.EARLY_END_SETTLE, Act.EARLY_END_SETTLE, reason)
        proposal = self.deciding.store.dossier(dossier)
        if proposal is None or proposal.facts.kind not in _KINDS:
            raise NotFound
        self.deciding.sealing.check([proposal])
        if not self._visible(grant, proposal):
            raise NotFound
        if proposal.facts.by == actor.code:
            refused = entry(grant, Act.EARLY_END_SETTLE, targets=[dossier], detail={"code": "approval.second-person"})
            self.deciding.trail.append([replace(refused, outcome=Outcome.REFUSED)])
            raise Refused("approval.second-person", "somebody else has to agree than the one who proposed it")
        if proposal.facts.state is not DossierState.PROPOSED:
            raise Conflict("proposal.settled", "the proposal was settled already")
        refuse(text_faults("/reason", text))
        return self._settled(grant, proposal, text, agreed)

    def _enter(self, actor: Actor, permission: Permission, act: Act, reason: Reason) -> Grant:
        return self.deciding.enter(actor, permission, act, reason)

    def _signal(self, grant: Grant, signal: SignalId) -> tuple[SealedSignal, tuple[SubjectRecord, ...]]:
        found = self.deciding.store.signal(signal)
        if found is None or not may_see(grant, found[0]):
            raise NotFound
        self.deciding.sealing.check([found[0], *(one.subject for one in found[1])])
        return found

    def _visible(self, grant: Grant, proposal: SealedDossier) -> bool:
        (target,) = proposal.facts.targets
        if proposal.facts.kind is DossierKind.EARLY_END:
            return self.deciding.store.subject(grant, SubjectId(target), None) is not None
        found = self.deciding.store.signal(SignalId(target))
        return found is not None and may_see(grant, found[0])

    def _proposed(self, grant: Grant, target: str, code: EndCode, text: str, kind: DossierKind) -> DossierId:
        dossier = self.deciding.dossier(
            grant, kind, code, {"reason": text}, targets=[target], state=DossierState.PROPOSED
        )
        detail = {"dossier": dossier.facts.id, "outcome": code, "state": DossierState.PROPOSED}
        done = entry(grant, Act.EARLY_END_PROPOSE, targets=[target, dossier.facts.id], detail=detail)
        self.deciding.commit(Change(created=(dossier,)), [done])
        return dossier.facts.id

    def _settled(self, grant: Grant, proposal: SealedDossier, text: str, agreed: bool) -> Settled:
        today = civil_date(grant.as_of)
        state = DossierState.DONE if agreed else DossierState.DECLINED
        facts = replace(
            proposal.facts,
            revision=proposal.facts.revision + 1,
            state=state,
            second=grant.actor.code,
            settled_on=today,
        )
        dossier = self.deciding.sealing.add(proposal, facts, {"settlement": text})
        detail = {"dossier": facts.id, "outcome": facts.code, "state": state, "by": facts.by, "second": facts.second}
        entries = [entry(grant, Act.EARLY_END_SETTLE, targets=[*facts.targets, facts.id], detail=detail)]
        if not agreed:
            self.deciding.commit(Change(settled=(dossier,)), entries)
            return Settled(dossier=facts.id, state=state, run=None)
        order = Order(id=RunId(mint()), as_of=today, requested_by=grant.actor.code, requested_at=grant.as_of)
        change, more = self._ended(grant, facts, today)
        ordered = entry(
            grant,
            Act.RETENTION_ORDER,
            targets=[order.id],
            detail={"on": today.isoformat(), "dossier": facts.id},
        )
        self.deciding.commit(replace(change, settled=(dossier,), order=order), [*entries, *more, ordered])
        return Settled(dossier=facts.id, state=state, run=order.id)

    def _ended(self, grant: Grant, facts: DossierFacts, today: date) -> tuple[Change, list[Entry]]:
        (target,) = facts.targets
        code = EndCode(facts.code)
        decision = act_of(today, ENDS[code], code, facts.id)
        if facts.kind is DossierKind.EARLY_END:
            found = self.deciding.subject(grant, SubjectId(target), None)
            changed, _ = self.deciding.decided(found.record, decision)
            return Change(subjects=(changed,)), [self._entry(grant, facts.id, changed)]
        signal, records = self._signal(grant, SignalId(target))
        gone = ended(signal, encode(decision), today, self.deciding.sealing.mac)
        # whom nothing else names goes with it, on the same ground; the others keep what their own signals give
        subjects = tuple(
            self.deciding.decided(one, decision)[0] if not one.signals else self._left(one, today) for one in records
        )
        named = entry(
            grant,
            Act.EARLY_END_SETTLE,
            targets=[target, facts.id],
            detail=signal_detail(gone.facts) | {"dossier": facts.id},
        )
        return Change(subjects=subjects, signals=(gone,)), [
            named,
            *(self._entry(grant, facts.id, one) for one in subjects),
        ]

    def _left(self, record: SubjectRecord, today: date) -> SealedSubject:
        """Return a subject that other signals name, with the dates that these give; none of them later than before."""
        before = record.subject.facts
        dates = self.deciding.dates(record, today)
        return self.deciding.certified(
            replace(
                before,
                revision=before.revision + 1,
                remove_by=min(before.remove_by, dates.remove_by),
                review_by=min(before.review_by, dates.review_by),
                hidden_from=min(before.hidden_from, dates.hidden_from),
            )
        )

    def _entry(self, grant: Grant, dossier: DossierId, changed: SealedSubject) -> Entry:
        detail = subject_detail(changed.facts) | {"dossier": dossier}
        return entry(grant, Act.EARLY_END_SETTLE, targets=[changed.facts.id, dossier], detail=detail)


def ended(signal: SealedSignal, line: str, on: date, mac: Callable[[Facts], bytes]) -> SealedSignal:
    """Return a signal as it is once ended: invisible to everybody, with all it states, and due on civil date `on`.

    Args:
        signal: whole, with its mentions and links.
        line: of the decision.
        on: civil date.
        mac: gives the MAC of facts.
    """
    facts = replace(
        signal.facts,
        revision=signal.facts.revision + 1,
        markings=tuple(sorted({*signal.facts.markings, ENDED})),
        remove_by=min(signal.facts.remove_by or on, on),
        redacted_on=None,
        acts=(*signal.facts.acts, line),
    )
    mentions, links = [], []
    for mention in signal.mentions:
        stated = replace(mention.facts, markings=facts.markings)
        mentions.append(SealedMention(facts=stated, mac=mac(stated), sealed={}))
    for link in signal.links:
        tied = replace(link.facts, markings=facts.markings)
        links.append(SealedLink(facts=tied, mac=mac(tied)))
    return SealedSignal(facts=facts, mac=mac(facts), sealed={}, mentions=tuple(mentions), links=tuple(links))


def _faults(code: EndCode, text: str, grounds: frozenset[EndCode]) -> Iterator[Fault]:
    if code not in grounds:
        yield fault("/ground", "end.ground", expected=", ".join(sorted(grounds)))
    yield from text_faults("/reason", text)

"""What every decision about a subject or signal has in common: leave, dossier, act under the MAC, entry of the ledger.

A dossier's key is durable before the graph commits; facts, dossier and audit entries are one transaction. An entry's
body alone (ids, codes, dates) is enough to do the same again on an older graph.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from register.access import Actor, Grant, Permission, Reason, authorise
from register.audit import Act, Entry, refused_entry
from register.clock import Clock, civil_date
from register.decision_stores import Change, DecisionStore, WholeSubject
from register.decisions import ActKind, Decision, DossierKind, DossierState, encode
from register.dossiers import DossierFacts
from register.errors import Conflict, Fault, Invalid, NotFound, Refused
from register.ids import DossierId, SubjectId, mint
from register.interfaces import DossierSealing
from register.reviewing import Dates
from register.rules import fault
from register.runs import SubjectRecord
from register.sealed import SealedDossier, SealedSignal, SealedSubject, SignalFacts, SubjectFacts
from register.stores import Trail, Witnessed
from register.texts import prose_faults

DatesOf = Callable[[SubjectRecord, date], Dates]
"""The dates that the policy gives a subject on a civil date, after everything that was decided: handed in, pure."""

LONGEST: Final = 4000
"""Characters of a reason at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """Takes decisions for the use cases that have their own rules for them.

    Attributes:
        dates: what the policy makes of a subject's facts.
        keep: from the civil date of a decision to the day from which its text is kept no longer.
    """

    store: DecisionStore
    sealing: DossierSealing
    trail: Trail
    clock: Clock
    dates: DatesOf
    keep: Callable[[date], date]

    def enter(self, actor: Actor, permission: Permission, act: Act, reason: Reason) -> Grant:
        """Return the leave, or record the refusal. Raises Refused, Invalid (purpose, case)."""
        now = self.clock.now()
        try:
            return authorise(actor, permission, as_of=now, purpose=reason.purpose, case=reason.case)
        except Refused as refused:
            self.trail.append([refused_entry(actor.code, actor.role, act, now, refused.code)])
            raise

    def subject(
        self, grant: Grant, subject: SubjectId, seen: int | None, witnessed: Witnessed | None = None
    ) -> WholeSubject:
        """Return a subject whose facts verify, in the revision that the caller has seen (None: any).

        Raises:
            NotFound: absent, ended, or not wholly visible to this actor. Tampered.
            Conflict: code `subject.changed`: something came in since it was seen; look again, then decide.
        """
        found = self.store.subject(grant, subject, witnessed)
        if found is None:
            raise NotFound
        self.sealing.check([found.subject])
        if seen is not None and found.subject.facts.revision != seen:
            raise Conflict("subject.changed", "the subject changed since it was looked at; look again, then decide")
        return found

    def dossier(
        self,
        grant: Grant,
        kind: DossierKind,
        code: str,
        texts: Mapping[str, str],
        *,
        targets: Iterable[str],
        grounds: Iterable[str] = (),
        state: DossierState = DossierState.DONE,
    ) -> SealedDossier:
        """Seal a new dossier; its key is durable on return."""
        on = civil_date(grant.as_of)
        facts = DossierFacts(
            id=DossierId(mint()),
            revision=1,
            kind=kind,
            code=code,
            on=on,
            by=grant.actor.code,
            role=grant.actor.role,
            case=grant.case,
            targets=tuple(sorted(targets)),
            grounds=tuple(sorted(grounds)),
            state=state,
            keep_until=self.keep(on),
        )
        return self.sealing.seal(facts, texts)

    def decided(
        self, record: SubjectRecord, decision: Decision, *, restricted: bool | None = None
    ) -> tuple[SealedSubject, Dates]:
        """Return the subject as it is after `decision`, with the dates that follow. Raises Invalid, Tampered."""
        before = record.subject.facts
        acted = replace(
            before,
            revision=before.revision + 1,
            acts=(*before.acts, encode(decision)),
            restricted=before.restricted if restricted is None else restricted,
        )
        dates = self.dates(replace(record, subject=SealedSubject(facts=acted, mac=b"")), decision.accepted_on)
        return self.certified(
            replace(acted, remove_by=dates.remove_by, review_by=dates.review_by, hidden_from=dates.hidden_from)
        ), dates

    def certified(self, facts: SubjectFacts) -> SealedSubject:
        """Return facts of a subject with their MAC."""
        return SealedSubject(facts=facts, mac=self.sealing.mac(facts))

    def commit(self, change: Change, entries: Iterable[Entry]) -> None:
        """Write everything in one transaction, then remember the new revisions.

        Raises:
            Conflict: something changed meanwhile; nothing was written.
        """
        self.store.change(change, tuple(entries))
        dossiers = (*change.created, *change.settled)
        self.sealing.remember(
            [
                *((one.facts.id, one.facts.revision) for one in change.subjects),
                *((one.facts.id, one.facts.revision) for one in change.signals),
                *((one.facts.id, one.facts.revision) for one in dossiers),
                *((one.facts.id, one.facts.revision) for one in change.stubs),
            ]
        )


def entry(grant: Grant, act: Act, *, targets: Iterable[str], detail: Mapping[str, str | int], count: int = 1) -> Entry:
    """Return the entry of an act done under `grant`."""
    return Entry(
        at=grant.as_of,
        actor=grant.actor.code,
        role=grant.actor.role,
        act=act,
        purpose=grant.purpose,
        case=grant.case,
        targets=tuple(sorted(targets)),
        count=count,
        detail=detail,
    )


def witness(grant: Grant, act: Act) -> Witnessed:
    """Return what makes the entry of a read under `grant` from what was found."""
    return entry(grant, act, targets=(), detail={}, count=0).found


def subject_detail(facts: SubjectFacts) -> dict[str, str | int]:
    """Return what the ledger says of a changed subject: enough to bring an older graph to the same state."""
    return {
        "subject": facts.id,
        "line": facts.acts[-1] if facts.acts else "",
        "revision": facts.revision,
        "remove_by": facts.remove_by.isoformat(),
        "review_by": facts.review_by.isoformat(),
        "hidden_from": facts.hidden_from.isoformat(),
        "restricted": int(facts.restricted),
    }


def signal_detail(facts: SignalFacts) -> dict[str, str | int]:
    """Return what the ledger says of a changed signal."""
    detail: dict[str, str | int] = {
        "signal": facts.id,
        "revision": facts.revision,
        "markings": " ".join(facts.markings),
    }
    if facts.acts:
        detail["line"] = facts.acts[-1]
    if facts.remove_by is not None:
        detail["remove_by"] = facts.remove_by.isoformat()
    return detail


def may_see(grant: Grant, signal: SealedSignal) -> bool:
    """Say whether the actor may see the signal's own texts: its handling code and markings."""
    facts, actor = signal.facts, grant.actor
    return facts.handling in actor.handling and set(facts.markings) <= actor.markings


def text_faults(pointer: str, text: str) -> tuple[Fault, ...]:
    """Return what is wrong with a text that a decision needs."""
    faults = list(prose_faults(pointer, text, needed=True))
    if len(text) > LONGEST:
        faults.append(fault(pointer, "text.long", limit=LONGEST))
    return tuple(faults)


def refuse(faults: Iterable[Fault]) -> None:
    """Raise Invalid with every fault, if there is one."""
    if found := tuple(faults):
        raise Invalid(found)


def answers_text(answers: Mapping[str, bool]) -> str:
    """Return the answers to the fixed questions as the text that is sealed: JSON."""
    return json.dumps(dict(sorted(answers.items())), separators=(",", ":"))


def act_of(on: date, kind: ActKind, code: str, dossier: DossierId) -> Decision:
    """Return a decision taken and taken in on civil date `on`."""
    return Decision(on=on, accepted_on=on, kind=kind, code=code, dossier=dossier)

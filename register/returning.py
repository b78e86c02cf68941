"""Return by order (Wpg art. 14(3)): an archived record comes back for renewed processing, by two people.

The custodian exports the record; one officer proposes its return, naming who ordered it, and another, with the same
export in hand, agrees. It then goes through intake like anything else that is handed in, under a new id; the order is
the event from which the term runs anew. The archived copy is void: its stub says so, and the run that is ordered with
it destroys it.
"""

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from register.access import Actor, Grant, Permission, Reason, Role
from register.audit import Act, Entry, Outcome
from register.clock import civil_date
from register.deciding import Deciding, act_of, entry, refuse, subject_detail, text_faults
from register.decision_stores import Change
from register.decisions import ActKind, DossierKind, DossierState
from register.errors import Conflict, Fault, NotFound, Refused, RegisterError
from register.ids import ArchiveId, DossierId, RunId, SubjectId, mint
from register.intake import Intake
from register.lifetime import Deadline, EventKind
from register.rules import fault
from register.runs import Order, SubjectRecord
from register.sealed import SealedDossier, SealedStub
from register.signals import NewSignal

CENTURY: Final = 1200
"""Months in which an informant's signal may be handed on here: it was, when it was taken in first (art. 12(2))."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Exported:
    """A record as the custodian exported it.

    Attributes:
        archive: under which id it lies in the archive.
        sha256: of the export, hexadecimal: what the first person saw is what the second agrees to.
        signals: what it holds about its subject, as signals to hand in; none for a record that is nobody's.
    """

    archive: ArchiveId
    sha256: str
    signals: tuple[NewSignal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """How a proposal ended; `subject` is the new id and `run` the run that destroys the archived copy."""

    dossier: DossierId
    state: DossierState
    subject: SubjectId | None = None
    run: RunId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Returning:
    """Answers privacy officers.

    Attributes:
        stubs: reads the stubs of archived records.
        term: gives the deadline that an order of a civil date gives.
    """

    deciding: Deciding
    intake: Intake
    stubs: Callable[[Collection[str]], Iterator[SealedStub]]
    term: Callable[[date], Deadline]

    def propose(
        self, actor: Actor, reason: Reason, record: Exported, *, authority: str, ordered_on: date, text: str
    ) -> DossierId:
        """Propose that `record` returns by the order of `authority` of civil date `ordered_on`; the case names it.

        Raises:
            Refused, Unavailable, Tampered. NotFound: no such archived record, or destroyed.
            Invalid: what is wrong with the order, or with what the record holds.
        """
        grant = self.deciding.enter(actor, Permission.RETURN_PROPOSE, Act.RETURN_PROPOSE, reason)
        stub = self._stub(record.archive)
        refuse(self._faults(grant, record, stub, authority, ordered_on, text))
        told = {"authority": authority, "ordered_on": ordered_on.isoformat(), "sha256": record.sha256}
        texts = {"reason": text, "mandate": authority, "answers": json.dumps(told, sort_keys=True)}
        dossier = self.deciding.dossier(
            grant,
            DossierKind.RETURN,
            EventKind.ORDER,
            texts,
            targets=[record.archive],
            state=DossierState.PROPOSED,
        )
        detail = {"dossier": dossier.facts.id, "on": ordered_on.isoformat(), "sha256": record.sha256}
        done = entry(grant, Act.RETURN_PROPOSE, targets=[record.archive, dossier.facts.id], detail=detail)
        self.deciding.commit(Change(created=(dossier,)), [done])
        return dossier.facts.id

    def settle(
        self, actor: Actor, reason: Reason, dossier: DossierId, record: Exported | None, *, agreed: bool, text: str
    ) -> Returned:
        """Agree as the second person, with the same export, or decline. Safe to do again after an interruption.

        Raises:
            Refused: the role may not, or the actor proposed it (`approval.second-person`).
            NotFound: no such proposal, or its record was destroyed meanwhile.
            Conflict: settled already (`proposal.settled`), or another export (`return.other-record`).
            Invalid, Unavailable, Tampered.
        """
        grant = self.deciding.enter(actor, Permission.RETURN_SETTLE, Act.RETURN_SETTLE, reason)
        proposal = self._proposal(grant, dossier)
        refuse(text_faults("/reason", text))
        done = self.deciding.sealing.add(
            proposal,
            replace(
                proposal.facts,
                revision=proposal.facts.revision + 1,
                state=DossierState.DONE if agreed else DossierState.DECLINED,
                second=actor.code,
                settled_on=civil_date(grant.as_of),
            ),
            {"settlement": text},
        )
        (archive,) = proposal.facts.targets
        detail = {"dossier": dossier, "state": done.facts.state, "by": done.facts.by, "second": done.facts.second}
        settled = entry(grant, Act.RETURN_SETTLE, targets=[archive, dossier], detail=detail)
        if not agreed:
            self.deciding.commit(Change(settled=(done,)), [settled])
            return Returned(dossier=dossier, state=done.facts.state)
        return self._agreed(grant, proposal, done, record, settled)

    def _agreed(
        self, grant: Grant, proposal: SealedDossier, done: SealedDossier, record: Exported | None, settled: Entry
    ) -> Returned:
        dossier, (archive,), today = done.facts.id, done.facts.targets, civil_date(grant.as_of)
        told = json.loads(self.deciding.sealing.open(proposal)["answers"])
        if record is None or (record.archive, record.sha256) != (archive, told["sha256"]):
            raise Conflict("return.other-record", "this is not the export that the return was proposed with")
        ordered_on, stub = date.fromisoformat(told["ordered_on"]), self._stub(record.archive)
        subject = self._taken_in(grant, record, ordered_on)
        decision = act_of(today, ActKind.ORDER, "return", dossier)
        changed, _ = self.deciding.decided(subject, replace(decision, on=ordered_on))
        void = replace(stub.facts, revision=stub.facts.revision + 1, event=EventKind.ORDER, event_on=ordered_on)
        order = Order(
            id=RunId(mint()),
            as_of=today,
            requested_by=grant.actor.code,
            requested_at=grant.as_of,
        )
        self.deciding.commit(
            Change(
                subjects=(changed,),
                settled=(done,),
                stubs=(SealedStub(facts=void, mac=self.deciding.sealing.mac(void)),),
                order=order,
            ),
            [
                settled,
                entry(
                    grant,
                    Act.RETURN_SETTLE,
                    targets=[changed.facts.id, dossier],
                    detail=subject_detail(changed.facts) | {"dossier": dossier},
                ),
                entry(
                    grant,
                    Act.RETENTION_ORDER,
                    targets=[order.id],
                    detail={"on": order.as_of.isoformat(), "dossier": dossier},
                ),
            ],
        )
        return Returned(dossier=dossier, state=done.facts.state, subject=changed.facts.id, run=order.id)

    def _stub(self, archive: ArchiveId) -> SealedStub:
        stub = next(iter(self.stubs([archive])), None)
        if stub is None or stub.facts.destroyed_on is not None or stub.facts.void:
            raise NotFound
        self.deciding.sealing.check([stub])
        return stub

    def _proposal(self, grant: Grant, dossier: DossierId) -> SealedDossier:
        proposal = self.deciding.store.dossier(dossier)
        if proposal is None or proposal.facts.kind is not DossierKind.RETURN:
            raise NotFound
        self.deciding.sealing.check([proposal])
        if proposal.facts.by == grant.actor.code:
            refused = entry(grant, Act.RETURN_SETTLE, targets=[dossier], detail={"code": "approval.second-person"})
            self.deciding.trail.append([replace(refused, outcome=Outcome.REFUSED)])
            raise Refused("approval.second-person", "somebody else has to agree than the one who proposed it")
        if proposal.facts.state is not DossierState.PROPOSED:
            raise Conflict("proposal.settled", "the proposal was settled already")
        return proposal

    def _faults(
        self, grant: Grant, record: Exported, stub: SealedStub, authority: str, ordered_on: date, text: str
    ) -> Iterator[Fault]:
        yield from text_faults("/reason", text)
        yield from text_faults("/authority", authority)
        if not stub.facts.removed_on <= ordered_on <= civil_date(grant.as_of):
            yield fault("/ordered_on", "return.order")
        if not record.signals:
            yield fault("/record", "return.nobody")
        for place, found in enumerate(self._door(ordered_on).fault(record.signals)):
            for one in found.faults if found else ():
                yield replace(one, pointer=f"/record/{place}{one.pointer}")

    def _door(self, ordered_on: date) -> Intake:
        """Return the intake for what an order brings back: the term runs from the order, whenever it was received."""
        return replace(self.intake, deadline=lambda _: self.term(ordered_on), informant_months=CENTURY)

    def _taken_in(self, grant: Grant, record: Exported, ordered_on: date) -> SubjectRecord:
        """Take the signals in, all about one new subject (or one that carries its identifiers already); return it."""
        door, hand = self._door(ordered_on), replace(grant.actor, role=Role.CONTRIBUTOR)
        subject: SubjectId | None = None
        for one in record.signals:
            about = tuple(replace(each, same_as=subject) for each in one.subjects)
            (answer,) = door.record_all(hand, [replace(one, subjects=about)])
            if isinstance(answer, RegisterError):
                raise answer
            delivery = door.lookup.receipt(hand.code, answer.id)
            found = self.deciding.store.signal(delivery.signal) if delivery else None
            if found is None:
                raise NotFound
            signal, records = found
            subject = signal.mentions[0].facts.subject
        (record_of,) = (one for one in records if one.subject.facts.id == subject)
        self.deciding.sealing.check([record_of.subject])
        own = (signal.facts.received_on, signal.facts.accepted_on)
        return replace(record_of, signals=tuple(sorted((*record_of.signals, own))))

"""Looking up many names at once: ordered by one, agreed to by a second person, answered to who ordered it alone.

The names of an order are kept nowhere. It holds how many they are and a salted digest, sealed: whoever collects the
answers hands the same names in again. Each name is then looked up as a single one is, with an entry of its own, and
counts against a budget of its own.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from register.access import Actor, Grant, Permission, Reason
from register.answers import Hit
from register.audit import Act, Outcome, refused_entry
from register.budgets import Allowance, Spending
from register.clock import civil_date
from register.deciding import Deciding, entry, refuse, text_faults
from register.decision_stores import Change
from register.decisions import DossierKind, DossierState
from register.enquiry import Enquiry
from register.errors import Conflict, Exhausted, Fault, Invalid, NotFound, Refused
from register.ids import DossierId
from register.sealed import SealedDossier

COLLECTED_WITHIN: Final = timedelta(days=7)
"""So long after the second person agreed the answers can be had."""

HITS: Final = 10
LONGEST_NAME: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A name to look up, and a birth date that moves candidates up or down (`YYYY`, `YYYY-MM`, `YYYY-MM-DD`)."""

    name: str = field(repr=False)
    born_on: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOrder:
    """An order as a second person sees it: who wants how many names looked up, and why; never the names."""

    batch: DossierId
    on: date
    by: str
    purpose: str
    case: str
    names: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of one name of a batch: hits, best first, or what is wrong with the name."""

    number: int
    hits: tuple[Hit, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NameBatches:
    """Answers those who have many names to look up, and their second persons.

    Attributes:
        allowance: names that one user may look up in batches, within what time; more are in no order either.
    """

    enquiry: Enquiry
    deciding: Deciding
    allowance: Allowance

    def order(self, actor: Actor, reason: Reason, wanted: Sequence[Wanted], text: str) -> DossierId:
        """File an order to look `wanted` up, for the reason in `text`; a second person has to agree.

        Raises:
            Refused, Invalid (purpose, case, text, names: each fault with its pointer), Unavailable.
        """
        grant = self.deciding.enter(actor, Permission.BATCH_ORDER, Act.BATCH_ORDER, reason)
        refuse((*text_faults("/reason", text), *self._faults(wanted)))
        salt = secrets.token_hex(16)
        told = {"names": len(wanted), "purpose": reason.purpose, "salt": salt, "digest": _digest(salt, wanted)}
        texts = {"reason": text, "answers": json.dumps(told, sort_keys=True)}
        state = DossierState.PROPOSED
        filed = self.deciding.dossier(grant, DossierKind.NAMES, DossierKind.NAMES, texts, targets=(), state=state)
        detail: dict[str, str | int] = {"names": len(wanted), "state": state}
        self.deciding.commit(
            Change(created=(filed,)), [entry(grant, Act.BATCH_ORDER, targets=[filed.facts.id], detail=detail)]
        )
        return filed.facts.id

    def waiting(self, actor: Actor, reason: Reason) -> tuple[BatchOrder, ...]:
        """Return the orders that wait for a second person, the oldest first. Raises Refused, Invalid, Tampered."""
        grant = self.deciding.enter(actor, Permission.BATCH_SETTLE, Act.BATCH_LIST, reason)
        found = [one for one in self.deciding.store.proposed() if one.facts.kind is DossierKind.NAMES]
        orders = tuple(map(self._opened, found))
        ids = [one.facts.id for one in found]
        self.deciding.trail.append([entry(grant, Act.BATCH_LIST, targets=ids, detail={}, count=len(ids))])
        return orders

    def settle(self, actor: Actor, reason: Reason, batch: DossierId, *, agreed: bool, text: str) -> DossierState:
        """Agree to an order as the second person, or decline it.

        Raises:
            Refused: the role may not, or the actor ordered it (`approval.second-person`).
            NotFound. Conflict: settled already (`proposal.settled`). Invalid, Unavailable, Tampered.
        """
        grant = self.deciding.enter(actor, Permission.BATCH_SETTLE, Act.BATCH_SETTLE, reason)
        filed = self._filed(batch)
        if filed.facts.by == actor.code:
            refused = entry(grant, Act.BATCH_SETTLE, targets=[batch], detail={"code": "approval.second-person"})
            self.deciding.trail.append([replace(refused, outcome=Outcome.REFUSED)])
            raise Refused("approval.second-person", "somebody else has to agree than the one who ordered it")
        if filed.facts.state is not DossierState.PROPOSED:
            raise Conflict("proposal.settled", "the order was settled already")
        refuse(text_faults("/reason", text))
        state = DossierState.DONE if agreed else DossierState.DECLINED
        facts = replace(
            filed.facts,
            revision=filed.facts.revision + 1,
            state=state,
            second=actor.code,
            settled_on=civil_date(grant.as_of),
        )
        settled = self.deciding.sealing.add(filed, facts, {"settlement": text})
        detail = {"state": state, "by": facts.by, "second": facts.second}
        self.deciding.commit(
            Change(settled=(settled,)), [entry(grant, Act.BATCH_SETTLE, targets=[batch], detail=detail)]
        )
        return state

    def results(self, actor: Actor, reason: Reason, batch: DossierId, wanted: Sequence[Wanted]) -> Iterator[Checked]:
        """Look up the names of an order that was agreed to, one after the other, as they are asked for.

        All that can be wrong with the order is found before the first is looked up.

        Raises:
            NotFound: absent, or ordered by somebody else.
            Conflict: nobody agreed (`batch.waiting`), somebody declined (`batch.declined`), or it is too long ago
                (`batch.over`).
            Invalid: other names than were ordered, or another purpose or case. Refused, Exhausted, Tampered.
            Unavailable: at the start, or while iterating; what was yielded is right.
        """
        grant = self.deciding.enter(actor, Permission.BATCH_ORDER, Act.BATCH_RUN, reason)
        filed = self._filed(batch)
        if filed.facts.by != actor.code:
            raise NotFound
        self._agreed(grant, filed)
        told = json.loads(self.deciding.sealing.open(filed)["answers"])
        if (reason.purpose, reason.case) != (told["purpose"], filed.facts.case):
            raise _invalid("/case", "batch.reason", "purpose and case have to be those of the order")
        if not compare_digest(_digest(told["salt"], wanted), told["digest"]):
            raise _invalid("/names", "batch.names", "these are not the names that were ordered")
        self._spend(grant, len(wanted))
        ran = entry(grant, Act.BATCH_RUN, targets=[batch], detail={"names": len(wanted)})
        self.deciding.trail.append([ran])
        return (self._checked(actor, reason, batch, number, one) for number, one in enumerate(wanted, start=1))

    def _checked(self, actor: Actor, reason: Reason, batch: DossierId, number: int, one: Wanted) -> Checked:
        try:
            hits = self.enquiry.look_up(actor, reason, one.name, born_on=one.born_on, limit=HITS, batch=batch)
        except Invalid as invalid:
            return Checked(number=number, faults=tuple(invalid.faults))
        return Checked(number=number, hits=hits)

    def _faults(self, wanted: Sequence[Wanted]) -> Iterator[Fault]:
        most = self.allowance.most
        if not 1 <= len(wanted) <= most:
            yield Fault(pointer="/names", rule="batch.size", message=f"a batch has 1 to {most} names")
        for place, one in enumerate(wanted):
            if not one.name.strip() or len(one.name) > LONGEST_NAME:
                message = f"a name has 1 to {LONGEST_NAME} characters"
                yield Fault(pointer=f"/names/{place}/name", rule="batch.name", message=message)

    def _filed(self, batch: DossierId) -> SealedDossier:
        """Return an order that verifies. Raises NotFound, Tampered."""
        filed = self.deciding.store.dossier(batch)
        if filed is None or filed.facts.kind is not DossierKind.NAMES:
            raise NotFound
        self.deciding.sealing.check([filed])
        return filed

    def _opened(self, filed: SealedDossier) -> BatchOrder:
        texts = self.deciding.sealing.open(filed)
        told = json.loads(texts["answers"])
        facts = filed.facts
        return BatchOrder(
            batch=facts.id,
            on=facts.on,
            by=facts.by,
            purpose=told["purpose"],
            case=facts.case,
            names=told["names"],
            reason=texts["reason"],
        )

    def _agreed(self, grant: Grant, filed: SealedDossier) -> None:
        facts = filed.facts
        if facts.state is DossierState.PROPOSED or facts.settled_on is None:
            raise Conflict("batch.waiting", "nobody has agreed to this batch yet")
        if facts.state is DossierState.DECLINED:
            raise Conflict("batch.declined", "a second person declined this batch")
        if civil_date(grant.as_of) > facts.settled_on + COLLECTED_WITHIN:
            raise Conflict("batch.over", "the time to collect this batch is over; order it anew")

    def _spend(self, grant: Grant, count: int) -> None:
        actor, now = grant.actor, grant.as_of
        if self.enquiry.budget.spend(actor.code, Spending.BATCH, self.allowance, now=now, count=count):
            return
        code = "batch.exhausted"
        self.deciding.trail.append([refused_entry(actor.code, actor.role, Act.BATCH_RUN, now, code)])
        allowed = f"{self.allowance.most} names in {self.allowance.within}"
        raise Exhausted(code, f"{allowed} can be looked up in batches; ask later")


def _digest(salt: str, wanted: Sequence[Wanted]) -> str:
    """Return SHA-256 over the salt and the names in order: with an unknown salt it tells nothing of them."""
    listed = json.dumps([[one.name, one.born_on] for one in wanted], separators=(",", ":"))
    return sha256(salt.encode() + listed.encode()).hexdigest()


def _invalid(pointer: str, rule: str, message: str) -> Invalid:
    return Invalid([Fault(pointer=pointer, rule=rule, message=message)])

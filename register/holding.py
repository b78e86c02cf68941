"""Holds: they postpone a destruction on a ground of the law (Wpg art. 14(4), 28(2)) and never lengthen what is seen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from register.access import CASE_PATTERN, Actor, Grant, Permission, Reason
from register.audit import Act
from register.clock import civil_date
from register.deciding import Deciding, entry, refuse, text_faults, witness
from register.decision_stores import HoldStore
from register.decisions import DossierKind
from register.dossiers import HoldFacts
from register.errors import Conflict, Fault, NotFound, Tampered
from register.ids import DossierId, HoldId, is_id, mint
from register.lifetime import HoldGround
from register.rules import fault
from register.sealed import SealedHold

GROUNDS: Mapping[HoldGround, str] = {
    HoldGround.ARCHIVAL_VALUE: "Wpg art. 14(4): archival value",
    HoldGround.ACCURACY_DISPUTED: "Wpg art. 28(2)(a): accuracy disputed, cannot be verified",
    HoldGround.EVIDENCE: "Wpg art. 28(2)(b): kept as evidence",
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NewHold:
    """A hold as an officer asks for it.

    Attributes:
        ground: must be one of GROUNDS; without one it is refused.
        from_, until: first and last civil date; None: until it is lifted.
        review_on: civil date by which somebody looks at it again.
        subjects, signals, archived: ids; start, depth: a query, found anew every night; at least one of them.
    """

    title: str
    mandate: str
    reason: str
    ground: str
    from_: date
    until: date | None
    review_on: date
    subjects: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    archived: tuple[str, ...] = ()
    start: str = ""
    depth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPage:
    """A hold with its texts."""

    facts: HoldFacts
    texts: Mapping[str, str]
    stands: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Answers compliance officers."""

    deciding: Deciding
    store: HoldStore

    def lay(self, actor: Actor, case: str, wanted: NewHold) -> HoldId:
        """Lay a hold; several may lie on one thing, and each holds until it ends itself.

        Raises:
            Refused, Unavailable.
            Invalid: every fault; without a ground of the law rule `hold.ground`.
        """
        grant = self._enter(actor, Permission.HOLD_LAY, Act.HOLD_LAY, case)
        today = civil_date(grant.as_of)
        refuse([*_case_faults(case), *_faults(wanted, today), *self._unknown(wanted)])
        texts = {"title": wanted.title, "mandate": wanted.mandate, "reason": wanted.reason}
        targets = (*wanted.subjects, *wanted.signals, *wanted.archived, *([wanted.start] if wanted.start else ()))
        dossier = self.deciding.dossier(grant, DossierKind.HOLD, wanted.ground, texts, targets=targets)
        facts = HoldFacts(
            id=HoldId(mint()),
            revision=1,
            dossier=dossier.facts.id,
            ground=HoldGround(wanted.ground),
            from_=wanted.from_,
            until=wanted.until,
            review_on=wanted.review_on,
            on=today,
            by=actor.code,
            case=case,
            subjects=tuple(sorted(set(wanted.subjects))),
            signals=tuple(sorted(set(wanted.signals))),
            archived=tuple(sorted(set(wanted.archived))),
            start=wanted.start,
            depth=wanted.depth,
        )
        done = entry(grant, Act.HOLD_LAY, targets=[facts.id, *targets], detail=_detail(facts))
        self.store.lay(self._certified(facts), dossier, done)
        self.deciding.sealing.remember([(facts.id, facts.revision), (dossier.facts.id, 1)])
        return facts.id

    def lift(self, actor: Actor, case: str, hold: HoldId, text: str) -> None:
        """Lift a hold from today on; what it held back goes on where it stood.

        Raises:
            Refused, NotFound, Invalid, Unavailable, Tampered.
            Conflict: code `hold.lifted`: it was lifted already.
        """
        grant = self._enter(actor, Permission.HOLD_LIFT, Act.HOLD_LIFT, case)
        before = self._found(hold)
        refuse([*_case_faults(case), *text_faults("/reason", text)])
        if before.lifted_on is not None:
            raise Conflict("hold.lifted", "the hold was lifted already")
        today = civil_date(grant.as_of)
        dossier = self.deciding.dossier(grant, DossierKind.LIFT, before.ground, {"reason": text}, targets=[hold])
        facts = replace(
            before,
            revision=before.revision + 1,
            lifted_on=today,
            lifted_by=actor.code,
            lift_dossier=dossier.facts.id,
        )
        done = entry(grant, Act.HOLD_LIFT, targets=[hold, dossier.facts.id], detail=_detail(facts))
        self.store.lift(self._certified(facts), dossier, done)
        self.deciding.sealing.remember([(facts.id, facts.revision), (dossier.facts.id, 1)])

    def holds(self, actor: Actor) -> tuple[HoldFacts, ...]:
        """Return all holds, lifted and ended ones too, without their texts. Raises Refused, Unavailable, Tampered."""
        grant = self._enter(actor, Permission.HOLD_SEE, Act.HOLD_SHOW, "")
        found = self.store.holds()
        self.deciding.sealing.check(found)
        self.deciding.trail.append([witness(grant, Act.HOLD_SHOW)([one.facts.id for one in found], len(found))])
        return tuple(one.facts for one in found)

    def hold(self, actor: Actor, hold: HoldId) -> HoldPage:
        """Return one hold with its texts. Raises Refused, NotFound, Unavailable, Tampered."""
        grant = self._enter(actor, Permission.HOLD_SEE, Act.HOLD_SHOW, "")
        facts = self._found(hold)
        texts = dict(self._texts(facts.dossier))
        if facts.lift_dossier:
            texts["lift_reason"] = self._texts(DossierId(facts.lift_dossier))["reason"]
        self.deciding.trail.append([witness(grant, Act.HOLD_SHOW)([hold], 1)])
        return HoldPage(facts=facts, texts=texts, stands=facts.stands(civil_date(grant.as_of)))

    def _enter(self, actor: Actor, permission: Permission, act: Act, case: str) -> Grant:
        return self.deciding.enter(actor, permission, act, Reason(purpose="", case=case))

    def _found(self, hold: HoldId) -> HoldFacts:
        found = self.store.hold(hold)
        if found is None:
            raise NotFound
        self.deciding.sealing.check([found])
        return found.facts

    def _texts(self, dossier: DossierId) -> Mapping[str, str]:
        found = self.deciding.store.dossier(dossier)
        if found is None:
            raise Tampered
        return self.deciding.sealing.open(found)

    def _certified(self, facts: HoldFacts) -> SealedHold:
        return SealedHold(facts=facts, mac=self.deciding.sealing.mac(facts))

    def _unknown(self, wanted: NewHold) -> Iterator[Fault]:
        """Yield a fault for each live id that is not there; ids of the archive are known to the custodian's side."""
        live = {"subjects": wanted.subjects, "signals": wanted.signals, "start": [wanted.start] if wanted.start else []}
        present = self.store.present({one for ids in live.values() for one in ids if is_id(one)})
        for field, ids in live.items():
            for place, one in enumerate(ids):
                if one not in present:
                    pointer = "/start" if field == "start" else f"/{field}/{place}"
                    yield fault(pointer, "hold.unknown")


def _detail(facts: HoldFacts) -> dict[str, str | int]:
    """Return what the ledger says of a hold: all its facts but the lists, which are the entry's targets."""
    return {
        "hold": facts.id,
        "dossier": facts.dossier,
        "case_of_hold": facts.case,
        "revision": facts.revision,
        "ground": facts.ground,
        "from": facts.from_.isoformat(),
        "until": facts.until.isoformat() if facts.until else "",
        "review_on": facts.review_on.isoformat(),
        "on": facts.on.isoformat(),
        "by": facts.by,
        "subjects": " ".join(facts.subjects),
        "signals": " ".join(facts.signals),
        "archived": " ".join(facts.archived),
        "start": facts.start,
        "depth": facts.depth,
        "lifted_on": facts.lifted_on.isoformat() if facts.lifted_on else "",
        "lifted_by": facts.lifted_by,
        "lift_dossier": facts.lift_dossier,
    }


def _case_faults(case: str) -> Iterator[Fault]:
    if not CASE_PATTERN.fullmatch(case):
        yield fault("/case", "case.malformed", expected=CASE_PATTERN.pattern)


def _faults(wanted: NewHold, today: date) -> Iterator[Fault]:
    if wanted.ground not in set(HoldGround):
        listed = "; ".join(f"{ground} ({words})" for ground, words in GROUNDS.items())
        yield fault("/ground", "hold.ground", expected=listed)
    for name in ("title", "mandate", "reason"):
        yield from text_faults(f"/{name}", getattr(wanted, name))
    if wanted.until is not None and wanted.until < max(wanted.from_, today):
        yield fault("/until", "hold.over")
    if not today <= wanted.review_on <= (wanted.until or date.max):
        yield fault("/review_on", "hold.review")
    if not (wanted.subjects or wanted.signals or wanted.archived or wanted.start):
        yield fault("", "hold.scope")
    if bool(wanted.start) != (1 <= wanted.depth <= 3):
        yield fault("/depth", "hold.depth")
    for field in ("subjects", "signals", "archived"):
        for place, one in enumerate(getattr(wanted, field)):
            if not is_id(one):
                yield fault(f"/{field}/{place}", "id.form")

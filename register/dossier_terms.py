"""The term of accountability: the text of a decision goes at its own date, `keep_until`; kind, code and dates stay.

Each nightly run begins with it. The text is taken out of the graph and its key out of the key store; an older copy of
the graph that is put back has no key for it. A text of a hold stays as long as the hold stands.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from register.access import Role
from register.audit import Act, Entry
from register.clock import civil_date
from register.deciding import Deciding
from register.decision_stores import Change, HoldStore
from register.errors import Tampered
from register.ids import DossierId
from register.sealed import SealedDossier

SYSTEM: Final = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierTerms:
    """Ends texts whose time is over.

    Attributes:
        forget: drops the keys of dossiers, durably; one that has none is no fault.
    """

    deciding: Deciding
    holds: HoldStore
    forget: Callable[[Collection[DossierId]], int]

    def end(self) -> int:
        """End every text whose term is over; return how many dossiers lost theirs. Safe to interrupt and repeat.

        One that does not verify keeps its text: when it was to go, nobody can say. That is an incident.

        Raises:
            Unavailable: graph or key store is not there. Conflict: something changed meanwhile; the next run does it.
        """
        now = self.deciding.clock.now()
        today = civil_date(now)
        needed = {one.facts.dossier for one in self.holds.holds() if one.facts.stands(today)}
        over = [one for one in self.deciding.store.over(today) if one.facts.id not in needed]
        sure = [one for one in over if self._verifies(one)]
        if doubted := sorted(one.facts.id for one in over if one not in sure):
            detail = {"code": "does-not-verify"}
            self.deciding.trail.append([_entry(self, Act.INTEGRITY_INCIDENT, doubted, detail)])
        if held := [one for one in sure if one.facts.texts]:
            ended = tuple(self._without(one) for one in held)
            ids = [one.facts.id for one in ended]
            entry = _entry(self, Act.TEXT_ENDED, ids, {"on": today.isoformat()})
            self.deciding.commit(Change(settled=ended), [entry])
        # also those of an earlier night that was interrupted right here
        self.forget([one.facts.id for one in sure])
        return len(held)

    def _verifies(self, dossier: SealedDossier) -> bool:
        try:
            self.deciding.sealing.check([dossier])
        except Tampered:
            return False
        return True

    def _without(self, dossier: SealedDossier) -> SealedDossier:
        facts = replace(dossier.facts, revision=dossier.facts.revision + 1, texts=())
        return SealedDossier(facts=facts, mac=self.deciding.sealing.mac(facts), sealed={})


def _entry(terms: DossierTerms, act: Act, ids: Collection[str], detail: Mapping[str, str | int]) -> Entry:
    return Entry(
        at=terms.deciding.clock.now(),
        actor=SYSTEM,
        role=Role.SYSTEM,
        act=act,
        targets=tuple(sorted(ids)),
        count=len(ids),
        detail=detail,
    )

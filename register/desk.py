"""The desk's look at a signal that lost one of several subjects: does what is left still tell who that was?

The text redacts itself, but words can identify indirectly. The desk leaves the signal as it is, or proposes that all of
it ends; a second person has to agree to that.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from register.access import Actor, Permission, Reason
from register.audit import Act
from register.deciding import Deciding, entry, may_see, refuse, signal_detail, text_faults, witness
from register.decision_stores import Change
from register.decisions import DeskCode, DossierKind
from register.errors import Conflict, Invalid, NotFound
from register.ids import DossierId, SignalId
from register.rules import fault
from register.sealed import SealedSignal

MOST: Final = 200
"""Signals that one page of the queue holds at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """One line of the queue: since when the signal waits, and how many visible subjects it still names."""

    signal: SignalId
    revision: int
    since: date
    subjects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Answers desk officers."""

    deciding: Deciding

    def queue(
        self, actor: Actor, reason: Reason, *, after: tuple[date, SignalId] | None = None, limit: int = 50
    ) -> tuple[tuple[Partial, ...], tuple[date, SignalId] | None]:
        """Return the visible signals that wait, the longest first, and where the next page begins (None: nowhere).

        Raises:
            Refused, Invalid (purpose, case, limit), Unavailable, Tampered.
        """
        grant = self.deciding.enter(actor, Permission.DESK_SEE, Act.DESK_QUEUE, reason)
        if not 1 <= limit <= MOST:
            raise Invalid([fault("/limit", "number.range", limit=MOST)])
        found = self.deciding.store.partial(grant, after=after, limit=limit, witnessed=witness(grant, Act.DESK_QUEUE))
        self.deciding.sealing.check(found)
        lines = tuple(
            Partial(
                signal=one.facts.id,
                revision=one.facts.revision,
                since=one.facts.redacted_on,
                subjects=len(one.mentions),
            )
            for one in found
            if one.facts.redacted_on is not None
        )
        last = lines[-1] if len(found) == limit else None
        return lines, (last.since, last.signal) if last else None

    def leave(self, actor: Actor, reason: Reason, signal: SignalId, seen: int, text: str) -> DossierId:
        """Judge that what is left of a signal, in the revision `seen`, tells nothing of whom it lost.

        Raises:
            Refused, Invalid, NotFound (absent, hidden, or not waiting), Unavailable, Tampered.
            Conflict: it changed since it was looked at; nothing was written.
        """
        grant = self.deciding.enter(actor, Permission.DESK_JUDGE, Act.DESK_JUDGE, reason)
        found = self.deciding.store.signal(signal)
        if found is None or found[0].facts.redacted_on is None or not may_see(grant, found[0]):
            raise NotFound
        self.deciding.sealing.check([found[0]])
        before = found[0].facts
        if before.revision != seen:
            raise Conflict("signal.changed", "the signal changed since it was looked at; look again, then judge")
        refuse(text_faults("/reason", text))
        dossier = self.deciding.dossier(grant, DossierKind.DESK, DeskCode.LEAVE, {"reason": text}, targets=[signal])
        facts = replace(before, revision=before.revision + 1, redacted_on=None)
        changed = SealedSignal(facts=facts, mac=self.deciding.sealing.mac(facts), sealed={}, mentions=(), links=())
        detail = signal_detail(facts) | {"dossier": dossier.facts.id, "outcome": DeskCode.LEAVE}
        done = entry(grant, Act.DESK_JUDGE, targets=[signal, dossier.facts.id], detail=detail)
        self.deciding.commit(Change(signals=(changed,), created=(dossier,)), [done])
        return dossier.facts.id

"""Replacing the key of a subject or signal: on suspicion, or because it has sealed as much as a key may.

The new key is durable first, then everything of the record is sealed anew in one transaction with its audit entry, then
the former key gets its last day. Killed anywhere, the same call, or `finish`, ends what was begun, under the same key.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from register.access import Role
from register.audit import Act, Entry
from register.clock import civil_date
from register.deciding import Deciding, refuse, text_faults
from register.decision_stores import Change, RenewalStore
from register.decisions import DossierKind, DossierState
from register.dossiers import DossierFacts
from register.errors import Conflict, NotFound, Tampered
from register.ids import DossierId, SignalId, SubjectId, is_id, mint
from register.interfaces import KeyRenewing
from register.rules import fault
from register.sealed import SealedDossier

SYSTEM: Final = "system"
TRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """What was done: the record, how many values were sealed anew (0: they were), and its former key's last day."""

    record: str
    values: int
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRenewal:
    """Renews keys for who runs the register."""

    deciding: Deciding
    store: RenewalStore
    keys: KeyRenewing

    def renew(self, records: Sequence[str], reason: str) -> tuple[Renewed, ...]:
        """Renew the keys of subjects and signals; of a signal also its source's.

        Args:
            records: their ids.
            reason: why, in words; sealed in a dossier for each record.

        Raises:
            Invalid: no id, or no reason. NotFound: one is absent, or its term is over: nothing was done.
            Tampered: one does not verify or open. Conflict: it keeps changing, or can have no further key.
            Unavailable: a backup is being made, a purge came, or a store is not there. To be run again in all cases.
        """
        faults = list(text_faults("/reason", reason))
        faults += (fault(f"/records/{place}", "id.form") for place, one in enumerate(records) if not is_id(one))
        refuse(faults)
        today = civil_date(self.deciding.clock.now())
        if not all(self._there(one, today) for one in records):
            raise NotFound
        return tuple(self._renewed(one, self._dossier(one, reason, today)) for one in records)

    def finish(self) -> tuple[Renewed, ...]:
        """End what was begun: of a call that was interrupted, of a graph that was restored, of a worn key.

        What does not verify, or has ended, is left: a run sees to it.

        Raises:
            Unavailable, Conflict: to be run again.
        """
        today = civil_date(self.deciding.clock.now())
        done: list[Renewed] = []
        begun = self.keys.under_way()
        there = self.store.there(begun) if begun else frozenset()
        for record in begun:
            try:
                if record not in there:  # a restored graph that never held it needs no key of it
                    done.append(Renewed(record=record, values=0, until=self.keys.settle(record, 0, today)))
                else:
                    done.append(self._renewed(record, None))
            except (NotFound, Tampered):
                continue
        return tuple(done)

    def _there(self, record: str, today: date) -> bool:
        return (
            self.store.subject(SubjectId(record), today) is not None
            or self.store.signal(SignalId(record), today) is not None
        )

    def _renewed(self, record: str, dossier: SealedDossier | None) -> Renewed:
        for tried in range(1, TRIES + 1):
            try:
                return self._tried(record, dossier)
            except Conflict as conflict:
                if conflict.code not in ("graph.moved", "token.raced") or tried == TRIES:
                    raise
        raise AssertionError("the last try always ends")

    def _tried(self, record: str, dossier: SealedDossier | None) -> Renewed:
        now = self.deciding.clock.now()
        today = civil_date(now)
        revision, values, change = self._anew(record, today)
        if change is not None:
            told = {} if dossier is None else {"dossier": dossier.facts.id}
            entry = Entry(
                at=now,
                actor=SYSTEM,
                role=Role.SYSTEM,
                act=Act.KEYS_RENEWED,
                targets=tuple(sorted([record, *told.values()])),
                count=values,
                detail={"revision": revision, **told},
            )
            self.deciding.commit(replace(change, created=() if dossier is None else (dossier,)), [entry])
        return Renewed(record=record, values=values, until=self.keys.settle(record, revision, today))

    def _anew(self, record: str, today: date) -> tuple[int, int, Change | None]:
        """Return the record's revision, and of what is still under the former key how many values and their change."""
        found = self.store.subject(SubjectId(record), today)
        if found is not None:
            anew = self.keys.subject(*found)
            if anew is None:
                return found[0].facts.revision, 0, None
            subject, mentions = anew
            values = sum(len(one.sealed) for one in mentions)
            return subject.facts.revision, values, Change(subjects=(subject,), resealed=mentions)
        signal = self.store.signal(SignalId(record), today)
        if signal is None:
            raise NotFound
        sealed = self.keys.signal(signal)
        if sealed is None:
            return signal.facts.revision, 0, None
        return sealed.facts.revision, len(sealed.sealed), Change(signals=(sealed,))

    def _dossier(self, record: str, reason: str, today: date) -> SealedDossier:
        facts = DossierFacts(
            id=DossierId(mint()),
            revision=1,
            kind=DossierKind.RENEWAL,
            code=DossierKind.RENEWAL,
            on=today,
            by=SYSTEM,
            role=Role.SYSTEM,
            case="",
            targets=(record,),
            state=DossierState.DONE,
            keep_until=self.deciding.keep(today),
        )
        return self.deciding.sealing.seal(facts, {"reason": reason})

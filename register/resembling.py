"""At every removal: do texts of signals that stay name somebody who goes, though their signals do not state it?

Intake keeps where in a text names stand that its signal does not state (`register.unstated`). Before the subjects of a
run go, their names are compared with these words. A signal that holds one goes to the desk, as one that lost a subject
does: a person decides. Names are in clear in the memory of the run's own process only, for as long as it compares.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain, islice
from typing import Final, Protocol

from register.access import Role
from register.audit import Act, Entry
from register.deciding import Deciding
from register.decision_stores import Change, UnstatedStore
from register.errors import Conflict, Tampered
from register.ids import MentionId, SignalId, SubjectId
from register.sealed import Sealed, SealedSignal

SYSTEM: Final = "system"
PAGE: Final = 1000
TRIES: Final = 5


class Opening(Protocol):
    """Opens what is compared, streaming; filled by `vault.words`."""

    def names(self, rows: Iterable[tuple[MentionId, SubjectId, Sealed]]) -> Iterator[tuple[str, ...]]:
        """Yield the names of each mention that opens."""

    def words(self, signals: Iterable[SealedSignal]) -> Iterator[tuple[str, ...]]:
        """Yield of each signal the words that look like a name it does not state; none where it does not open."""


Comparing = Callable[[Iterable[str]], Callable[[str], bool]]
"""From names, what says whether words name one of them; filled by `matching.removed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resembling:
    """Fills `retention.interfaces.Resemblance`."""

    deciding: Deciding
    store: UnstatedStore
    opening: Opening
    comparing: Comparing

    def look(self, subjects: Collection[SubjectId], leaving: Collection[SignalId], on: date) -> int:
        """Send signals that stay to the desk whose texts name one of `subjects`; return how many. Safe to repeat.

        Args:
            subjects: who goes, and is still there. Signals that mention one of them are redacted, or go.
            leaving: signals that go by themselves.
            on: civil date since which the desk has to look.

        Raises:
            Unavailable: graph or key store is not there. Conflict: a signal keeps changing.
        """
        unstated = self.store.unstated()
        first = next(unstated, None) if subjects else None
        if first is None:
            return 0
        names = {one for each in self.opening.names(self.store.names_of(subjects)) for one in each}
        if not names:
            return 0
        named = self.comparing(names)
        passed = self.store.naming(subjects) | set(leaving)
        stream = (one for one in chain([first], unstated) if one.facts.id not in passed)
        count = 0
        while page := list(islice(stream, PAGE)):
            count += self._told(list(self._naming(page, named)), on)
        return count

    def mark(self, signals: Collection[SignalId], on: date) -> int:
        """Send these signals to the desk once more, without an entry, on a graph that was restored."""
        return self._told(list(self.store.unstated(signals)), on, logged=False)

    def _naming(self, page: Sequence[SealedSignal], named: Callable[[str], bool]) -> Iterator[SealedSignal]:
        for signal, words in zip(page, self.opening.words(page), strict=True):
            if any(map(named, words)):
                yield signal

    def _told(self, found: Sequence[SealedSignal], on: date, *, logged: bool = True) -> int:
        for tried in range(1, TRIES + 1):
            found = [one for one in found if self._sound(one)]
            if not found:
                return 0
            try:
                self._commit(found, on, logged=logged)
                break
            except Conflict:
                if tried == TRIES:
                    raise
                found = list(self.store.unstated([one.facts.id for one in found]))
        return len(found)

    def _sound(self, signal: SealedSignal) -> bool:
        """Say whether a signal is as it was written last; what is not, is hidden by the nightly check."""
        try:
            self.deciding.sealing.check([signal])
        except Tampered:
            return False
        return True

    def _commit(self, found: Sequence[SealedSignal], on: date, *, logged: bool) -> None:
        changed = []
        for one in found:
            facts = replace(one.facts, revision=one.facts.revision + 1, redacted_on=on)
            mac = self.deciding.sealing.mac(facts)
            changed.append(SealedSignal(facts=facts, mac=mac, sealed={}, mentions=(), links=()))
        ids = sorted(one.facts.id for one in found)
        entry = Entry(
            at=self.deciding.clock.now(),
            actor=SYSTEM,
            role=Role.SYSTEM,
            act=Act.NAME_FOUND,
            targets=tuple(ids),
            count=len(ids),
            detail={"on": on.isoformat()},
        )
        self.deciding.commit(Change(signals=tuple(changed)), [entry] if logged else ())

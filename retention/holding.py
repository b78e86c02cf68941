"""Which holds lie on what: they put off destruction, never a removal, and lengthen nobody's sight (law.md rule 7)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from register.dossiers import HoldFacts
from register.ids import HoldId, SubjectId
from register.sealed import SealedHold
from retention.interfaces import FactsCheck, Holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """All holds of the register, as they were read together.

    Attributes:
        holds: their facts by id; unsure: ids of those whose facts do not verify. They count: when in doubt, later.
        reached: what the queries among them come to, resolved to subjects.
    """

    holds: Mapping[str, HoldFacts]
    reached: Mapping[HoldId, frozenset[SubjectId]]
    unsure: tuple[str, ...]

    @property
    def seen(self) -> tuple[tuple[str, int], ...]:
        """Id and revision of each: what a deleting transaction must find unchanged."""
        return tuple(sorted((hold.id, hold.revision) for hold in self.holds.values()))

    @property
    def grounds(self) -> Mapping[str, str]:
        """The ground of each hold, by id."""
        return {hold: facts.ground.value for hold, facts in sorted(self.holds.items())}

    def on(self, item: str, *, known: Iterable[str] = (), new: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return the ids of the holds on a subject, signal or archived record, sorted.

        Args:
            item: its id.
            known: ids of holds that were on it before; those that are gone by now are left out.
            new: look only among these for further ones (all holds when None).
        """
        among = self.holds if new is None else {hold: self.holds[hold] for hold in new if hold in self.holds}
        found = {hold for hold, facts in among.items() if self._covers(facts, item)}
        return tuple(sorted(found | (set(known) & self.holds.keys())))

    def of(self, holds: Iterable[str]) -> tuple[HoldFacts, ...]:
        """Return the facts of these holds."""
        return tuple(self.holds[hold] for hold in holds)

    def _covers(self, hold: HoldFacts, item: str) -> bool:
        return item in hold.subjects or item in hold.signals or item in hold.archived or item in self._reach(hold)

    def _reach(self, hold: HoldFacts) -> frozenset[str]:
        return frozenset(self.reached.get(hold.id, ()))


def read_holds(store: Holds, check: FactsCheck) -> Holding:
    """Read all holds, check their facts, and resolve their queries."""
    held: tuple[SealedHold, ...] = store.holds()
    queries = {one.facts.id: (one.facts.start, one.facts.depth) for one in held if one.facts.start}
    return Holding(
        holds={one.facts.id: one.facts for one in held},
        reached=store.reach(queries) if queries else {},
        unsure=tuple(sorted(one.facts.id for one in held if not check.verifies(one))),
    )

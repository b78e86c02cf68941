"""Who answers privacy officers about somebody who is not here, of an opened register."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.logbook import Logbook
from api.wiring import Workplace
from evidence.absence import state_absence
from evidence.envelope import digest
from graph.presence import Presence
from register.absence import Absence
from register.errors import Unavailable
from vault.keystore.searches import Searches


def absence(workplace: Workplace) -> Absence:
    """Return the use case with what it needs."""
    return Absence(
        lookup=workplace.lookup,
        sealing=workplace.sealer,
        presence=Presence(workplace.graph),
        roster=workplace.roster,
        digests=Searches(workplace.store),
        stating=Statements(workplace.logbook),
        trail=workplace.trail,
        clock=workplace.clock,
    )


@dataclass(frozen=True, slots=True)
class Statements:
    """Signs what a register states: `register.absence.Stating`."""

    logbook: Logbook

    def head(self) -> tuple[int, str]:
        """Return size and root of the newest checkpoint. Raises Unavailable."""
        head = self.logbook.head()
        if head is None:
            raise Unavailable("log.absent", "there is no log yet")
        return head.size, head.root.hex()

    def state(self, predicate: Mapping[str, object]) -> tuple[bytes, str]:
        """Return the signed statement and its SHA-256."""
        envelope = state_absence(predicate, name=self.logbook.origin, signer=self.logbook.signer)
        return envelope, digest(envelope)

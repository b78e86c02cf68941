"""Records as they are read whole, for their keys to be renewed; `graph.decisions` writes them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from graph import pages, records
from graph import renewal_queries as queries
from graph.connection import Graph
from register.ids import SignalId, SubjectId
from register.sealed import SealedMention, SealedSignal, SealedSubject


@dataclass(frozen=True, slots=True)
class Renewals:
    """Fills `register.decision_stores.RenewalStore`. All verbs raise Unavailable: nothing is then known."""

    graph: Graph

    def subject(self, subject: SubjectId, on: date) -> tuple[SealedSubject, tuple[SealedMention, ...]] | None:
        """Return a subject that goes on after `on`, with all its mentions, or None."""
        row = self.graph.read(lambda tx: tx.run(queries.SUBJECT_TO_RENEW, id=subject, on=on).single())
        return None if row is None else (records.subject(row["subject"]), tuple(map(records.mention, row["mentions"])))

    def signal(self, signal: SignalId, on: date) -> SealedSignal | None:
        """Return a signal that goes on after `on`, with what is sealed of it, or None."""
        row = self.graph.read(lambda tx: tx.run(queries.SIGNAL_TO_RENEW, id=signal, on=on).single())
        return None if row is None else records.signal(row["signal"], (), ())

    def there(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of `ids` that the graph holds."""
        return pages.there(self.graph, ids)

"""Whether anything of given ids is in the graph at all, whoever may see it: for statements of absence."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from neo4j import ManagedTransaction

from graph import oversight_queries as queries
from graph.connection import Graph
from graph.trail import write_entries
from register.audit import Entry
from register.ids import IdentifierId, MentionId


@dataclass(frozen=True, slots=True)
class Presence:
    """Asks one graph."""

    graph: Graph

    def any(
        self,
        mentions: Collection[MentionId],
        identifiers: Collection[IdentifierId],
        witnessed: Callable[[bool], Entry],
    ) -> bool:
        """Say whether any of these is there; the audit entry made of the answer is durable before that.

        Raises:
            Unavailable: the graph is not there.
        """

        def work(tx: ManagedTransaction) -> bool:
            mentioned = tx.run(queries.MENTIONED, mentions=list(mentions)).single()
            carried = tx.run(queries.CARRIED, identifiers=list(identifiers)).single()
            found = mentioned is not None or carried is not None
            write_entries(tx, [witnessed(found)])
            return found

        return self.graph.write(work)

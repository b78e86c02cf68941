"""Whether anything of given ids is in the graph at all, whoever may see it: for statements of absence."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from neo4j import ManagedTransaction

from graph.connection import Graph
from graph.labels import Label, Tie
from graph.trail import write_entries
from register.audit import Entry
from register.ids import IdentifierId, MentionId

# No visibility clause: nothing of what is found is shown, only whether there is any.
_ANY: Final = f"""
RETURN COUNT {{ UNWIND $mentions AS id MATCH ()-[m:{Tie.MENTIONS} {{id: id}}]->() RETURN m }}
    + COUNT {{ UNWIND $identifiers AS id MATCH (i:{Label.IDENTIFIER} {{id: id}}) RETURN i }} AS found
"""


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
            row = tx.run(_ANY, mentions=list(mentions), identifiers=list(identifiers)).single(strict=True)
            found = bool(row["found"])
            write_entries(tx, [witnessed(found)])
            return found

        return self.graph.write(work)

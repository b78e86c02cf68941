"""By which version of the policy the dates in this graph were stamped: a restored graph tells of its own time."""

from dataclasses import dataclass

from graph import decision_queries as queries
from graph.connection import Graph
from graph.schema import KEY


@dataclass(frozen=True, slots=True)
class Stamps:
    """Reads and writes one graph's note. Raises Unavailable: the graph is not there."""

    graph: Graph

    def policy(self) -> str | None:
        """Return the SHA-256 of the version, hexadecimal; None: that which came with the software."""
        row = self.graph.read(lambda tx: tx.run(queries.STAMPED_BY, key=KEY).single(strict=True))
        found: str | None = row["policy"]
        return found

    def stamped(self, policy: str) -> None:
        """Note that every date was reckoned by this version."""
        self.graph.write(lambda tx: tx.run(queries.STAMP, key=KEY, policy=policy).consume())

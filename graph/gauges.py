"""How many records there are and how many are past their day: numbers for monitoring, no id among them.

Of stamped dates, for the moment between two nightly runs; a run itself recomputes every date.
"""

from dataclasses import dataclass
from datetime import date

from neo4j import ManagedTransaction

from graph import oversight_queries as queries
from graph.connection import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What the graph holds: subjects and signals, subjects past their day, and the earliest such day."""

    subjects: int
    signals: int
    due: int
    oldest: date | None


def holdings(graph: Graph, today: date) -> Holdings:
    """Return what the graph holds on civil date `today`. Raises Unavailable."""

    def work(tx: ManagedTransaction) -> Holdings:
        subjects = tx.run(queries.SUBJECTS).single(strict=True)["number"]
        signals = tx.run(queries.SIGNALS).single(strict=True)["number"]
        due = tx.run(queries.DUE, today=today).single(strict=True)
        oldest = due["oldest"]
        return Holdings(
            subjects=subjects,
            signals=signals,
            due=due["due"],
            oldest=None if oldest is None else oldest.to_native(),
        )

    return graph.read(work)

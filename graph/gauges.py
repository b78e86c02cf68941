"""How many records there are and how many are past their day: numbers for monitoring, no id among them.

Of stamped dates, for the moment between two nightly runs; a run itself recomputes every date.
"""

from dataclasses import dataclass
from datetime import date

from neo4j import ManagedTransaction

from graph import oversight_queries as queries
from graph.connection import Graph
from graph.runs import canary
from register.runs import Canary


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What the graph holds: subjects, signals, subjects due, late reviews, the earliest day due, the canary."""

    subjects: int
    signals: int
    due: int
    reviews_late: int
    oldest: date | None
    canary: Canary | None


def holdings(graph: Graph, today: date) -> Holdings:
    """Return what the graph holds on civil date `today`. Raises Unavailable."""

    def work(tx: ManagedTransaction) -> Holdings:
        subjects = tx.run(queries.SUBJECTS).single(strict=True)["number"]
        signals = tx.run(queries.SIGNALS).single(strict=True)["number"]
        due = tx.run(queries.DUE, today=today).single(strict=True)["number"]
        return Holdings(
            subjects=subjects,
            signals=signals,
            due=due,
            reviews_late=_late(tx, today),
            oldest=_oldest(tx, today),
            canary=canary(tx),
        )

    return graph.read(work)


def oldest_due(graph: Graph, today: date) -> date | None:
    """Return the earliest day, up to civil date `today`, on which the term of something still there ended.

    By the terms only: what a missed review ends is hidden before, and its day is the run's to compute.

    Raises:
        Unavailable: the graph cannot be reached.
    """
    return graph.read(lambda tx: _oldest(tx, today))


def reviews_late(graph: Graph, today: date) -> int:
    """Return how many live subjects should have been reviewed before civil date `today`. Raises Unavailable."""
    return graph.read(lambda tx: _late(tx, today))


def _late(tx: ManagedTransaction, today: date) -> int:
    found: int = tx.run(queries.LATE_REVIEWS, today=today).single(strict=True)["number"]
    return found


def _oldest(tx: ManagedTransaction, today: date) -> date | None:
    oldest = tx.run(queries.OLDEST, today=today).single(strict=True)["oldest"]
    return None if oldest is None else date(oldest.year, oldest.month, oldest.day)

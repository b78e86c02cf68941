"""How many records there are and how many are past their day: numbers for monitoring, no id among them.

Of stamped dates, for the moment between two nightly runs; a run itself recomputes every date.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from graph.connection import Graph
from graph.labels import Label

# The count store answers the first two at once; the third reads two properties of each subject.
_COUNTS: Final = f"""
RETURN COUNT {{ MATCH (:{Label.SUBJECT}) }} AS subjects, COUNT {{ MATCH (:{Label.SIGNAL}) }} AS signals
"""
_DUE: Final = f"""
MATCH (s:{Label.SUBJECT}) WHERE s.remove_by <= $today
RETURN count(s) AS due, min(s.remove_by) AS oldest
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What the graph holds: subjects and signals, subjects past their day, and the earliest such day."""

    subjects: int
    signals: int
    due: int
    oldest: date | None


def holdings(graph: Graph, today: date) -> Holdings:
    """Return what the graph holds on civil date `today`. Raises Unavailable."""
    counts, due = graph.read(
        lambda tx: (tx.run(_COUNTS).single(strict=True).data(), tx.run(_DUE, today=today).single(strict=True).data())
    )
    oldest = due["oldest"]
    return Holdings(
        subjects=counts["subjects"],
        signals=counts["signals"],
        due=due["due"],
        oldest=None if oldest is None else oldest.to_native(),
    )

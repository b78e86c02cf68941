"""Signals with names they do not state, and names of subjects that go: what is compared at a removal, sealed."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from graph import pages, records
from graph import unstated_queries as queries
from graph.connection import Graph
from register.ids import MentionId, SignalId, SubjectId
from register.sealed import Sealed, SealedSignal


@dataclass(frozen=True, slots=True)
class Unstated:
    """Fills `register.decision_stores.UnstatedStore`. All verbs raise Unavailable: nothing is then known."""

    graph: Graph

    def names_of(self, subjects: Collection[SubjectId]) -> Iterator[tuple[MentionId, SubjectId, Sealed]]:
        """Stream every mention of these subjects, with its sealed names."""
        for mention, subject, names in pages.some(self.graph, queries.NAMES_OF, subjects):
            yield MentionId(mention), SubjectId(subject), records.sealed(names)

    def naming(self, subjects: Collection[SubjectId]) -> frozenset[SignalId]:
        """Return the signals that mention one of these subjects."""
        return pages.naming(self.graph, subjects)

    def unstated(self, signals: Collection[SignalId] | None = None) -> Iterator[SealedSignal]:
        """Stream the signals, or those of `signals`, that hold names they do not state and do not wait for the desk."""
        every = pages.every(self.graph, queries.UNSTATED_PAGE)
        rows = every if signals is None else pages.some(self.graph, queries.UNSTATED_BY_ID, signals)
        return (records.signal(row, (), ()) for (row,) in rows)

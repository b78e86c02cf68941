"""Signals with names they do not state, and names of subjects that go: what is compared at a removal, sealed."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from neo4j import ManagedTransaction, Record

from graph import records
from graph import unstated_queries as queries
from graph.connection import Graph
from graph.run_queries import SIGNALS_NAMING
from register.ids import MentionId, SignalId, SubjectId
from register.sealed import Sealed, SealedSignal

PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Unstated:
    """Fills `register.decision_stores.UnstatedStore`. All verbs raise Unavailable: nothing is then known."""

    graph: Graph

    def names_of(self, subjects: Collection[SubjectId]) -> Iterator[tuple[MentionId, SubjectId, Sealed]]:
        """Stream every mention of these subjects, with its sealed names."""
        for row in self._some(queries.NAMES_OF, subjects):
            yield MentionId(row["mention"]), SubjectId(row["subject"]), records.sealed(row["names"])

    def naming(self, subjects: Collection[SubjectId]) -> frozenset[SignalId]:
        """Return the signals that mention one of these subjects."""
        return frozenset(SignalId(one) for row in self._some(SIGNALS_NAMING, subjects) for one in row["page"])

    def unstated(self, signals: Collection[SignalId] | None = None) -> Iterator[SealedSignal]:
        """Stream the signals, or those of `signals`, that hold names they do not state and do not wait for the desk."""
        rows = self._pages() if signals is None else self._some(queries.UNSTATED_BY_ID, signals)
        return (records.signal(row["signal"], (), ()) for row in rows)

    def _pages(self) -> Iterator[Record]:
        after = ""
        while page := self.graph.read(partial(_page, after=after)):
            yield from page
            after = page[-1]["signal"]["id"]

    def _some(self, query: str, ids: Collection[str]) -> Iterator[Record]:
        every = sorted(ids)
        for start in range(0, len(every), PAGE):
            yield from self.graph.read(partial(_of, query=query, ids=every[start : start + PAGE]))


def _page(tx: ManagedTransaction, *, after: str) -> list[Record]:
    return list(tx.run(queries.UNSTATED_PAGE, after=after, page=PAGE))


def _of(tx: ManagedTransaction, *, query: str, ids: list[str]) -> list[Record]:
    return list(tx.run(query, ids=ids))

"""Holds in the graph, and what a hold's query reaches."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from neo4j import ManagedTransaction

from graph import decision_queries as queries
from graph import records
from graph.connection import Graph
from graph.queries import SIGNALS_PRESENT
from graph.trail import write_entries
from register.audit import Entry
from register.errors import Conflict
from register.ids import HoldId, SubjectId
from register.sealed import SealedDossier, SealedHold


@dataclass(frozen=True, slots=True)
class Holds:
    """Fills `register.decision_stores.HoldStore`. All verbs raise Unavailable."""

    graph: Graph

    def lay(self, hold: SealedHold, dossier: SealedDossier, entry: Entry) -> None:
        """Write a new hold with its dossier; nothing where it is there already."""

        def work(tx: ManagedTransaction) -> None:
            if tx.run(queries.HOLD, id=hold.facts.id).single() is None:
                tx.run(queries.CREATE_HOLD, row=records.properties(hold.facts, hold.mac)).consume()
                _create_dossier(tx, dossier)
                write_entries(tx, [entry])

        self.graph.write(work)

    def lift(self, hold: SealedHold, dossier: SealedDossier, entry: Entry) -> None:
        """Write a hold's facts after its lifting, with the dossier of that.

        Raises:
            Conflict: code `graph.moved`: it changed since it was seen.
        """

        def work(tx: ManagedTransaction) -> None:
            if tx.run(queries.DOSSIERS, ids=[dossier.facts.id]).single() is not None:
                return
            row = records.properties(hold.facts, hold.mac)
            if tx.run(queries.CHANGE_HOLD, row=row).single(strict=True).value() != 1:
                raise Conflict("graph.moved", "the graph changed since it was seen; nothing was written")
            _create_dossier(tx, dossier)
            write_entries(tx, [entry])

        self.graph.write(work)

    def bring_back(self, hold: SealedHold) -> None:
        """Write a hold's facts as they are known from elsewhere, over older ones; its dossier may be absent."""
        row = records.properties(hold.facts, hold.mac)
        self.graph.write(lambda tx: tx.run(queries.BRING_BACK_HOLD, row=row).consume())

    def hold(self, hold: HoldId) -> SealedHold | None:
        """Return a hold, or None."""
        row = self.graph.read(lambda tx: tx.run(queries.HOLD, id=hold).single())
        return None if row is None else records.hold(row["hold"])

    def holds(self) -> tuple[SealedHold, ...]:
        """Return all holds, by date and id."""
        rows = self.graph.read(lambda tx: list(tx.run(queries.HOLDS)))
        return tuple(records.hold(row["hold"]) for row in rows)

    def present(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of `ids` that are live subjects or signals."""

        def work(tx: ManagedTransaction) -> frozenset[str]:
            wanted = sorted(ids)
            subjects = {row["id"] for row in tx.run(queries.SUBJECTS_PRESENT, ids=wanted)}
            return frozenset(subjects | {row["id"] for row in tx.run(SIGNALS_PRESENT, ids=wanted)})

        return self.graph.read(work)

    def reach(self, starts: Mapping[HoldId, tuple[str, int]]) -> Mapping[HoldId, frozenset[SubjectId]]:
        """Return per hold the subjects up to so many links away from its start, itself included, in one read.

        Markings and terms play no part: a hold covers what is there, whoever may see it.
        """
        return self.graph.read(lambda tx: {hold: _around(tx, *start) for hold, start in starts.items()})


def _around(tx: ManagedTransaction, start: str, depth: int) -> frozenset[SubjectId]:
    found = {row["id"] for row in tx.run(queries.SUBJECTS_PRESENT, ids=[start])}
    ring = set(found)
    for _ in range(depth):
        ring = {row["id"] for row in tx.run(queries.NEIGHBOURS, ids=sorted(ring))} - found if ring else set()
        found |= ring
    return frozenset(map(SubjectId, found))


def _create_dossier(tx: ManagedTransaction, dossier: SealedDossier) -> None:
    rows = records.Rows([records.properties(dossier.facts, dossier.mac, dossier.sealed)])
    tx.run(queries.CREATE_DOSSIERS, rows=rows).consume()

"""Audit entries wait in the graph, in order, until the log holds them, and stay beside it."""

from datetime import timedelta

import pytest

from graph.connection import Graph
from graph.trail import AuditTrail
from register.audit import Act
from register.errors import Unavailable
from tests.graph.builders import NOW, an_entry


def test_entries_come_in_order_with_what_their_leaf_is_made_of(register: Graph) -> None:
    trail = AuditTrail(register)
    entries = [an_entry(Act.SUBJECT_FIND, at=NOW + timedelta(microseconds=n)) for n in (5, 1, 1, 3)]

    trail.append(entries[:2])
    trail.append(entries[2:])

    ordered = sorted(entries, key=lambda one: (one.at, one.id))
    found = trail.unlogged(10)
    assert [(one.id, one.at, one.salt, one.body) for one in found] == [
        (one.id, one.at, bytes.fromhex(one.salt), one.body()) for one in ordered
    ]
    assert trail.unlogged(2) == found[:2]


def test_an_entry_is_written_once_waits_until_it_is_logged_and_stays(register: Graph) -> None:
    trail, entry = AuditTrail(register), an_entry()
    for _ in range(2):
        trail.append([entry])
    trail.append([])
    (waiting,) = trail.unlogged(10)
    assert trail.numbers(0).waiting == 1

    for _ in range(2):
        trail.mark_logged({waiting.id: 7}, [waiting])
    trail.append([entry])

    assert trail.unlogged(10) == ()
    (kept,) = trail.between(0, 10)
    assert (kept.id, kept.body, kept.index) == (entry.id, entry.body(), 7)
    assert (trail.numbers(7).all, trail.numbers(7).beyond, trail.numbers(8).beyond) == (1, 1, 0)
    trail.forget([7])
    assert trail.numbers(0).all == 0


class Pledging:
    """A strand that keeps what it is told."""

    def __init__(self) -> None:
        self.turn = 0
        self.pledged: list[str] = []

    def stamp(self, contents):
        stamps = [(f"strand:{self.turn + place}", "mac") for place in range(len(contents))]
        self.turn += len(contents)
        return stamps

    def pledge(self, stamps):
        self.pledged += stamps


def test_what_is_durable_is_pledged_and_what_was_there_or_failed_is_not(register: Graph) -> None:
    strand, entry = Pledging(), an_entry()
    register._strand = strand
    try:
        trail = AuditTrail(register)
        trail.append([entry])
        trail.append([entry, an_entry()])
        assert strand.pledged == ["strand:0", "strand:2"]
        assert set(trail.stamped(["strand:0", "strand:1", "strand:2"])) == {"strand:0", "strand:2"}

        def fails(tx):
            from graph.trail import write_entries

            write_entries(tx, [an_entry()])
            tx.run("RETURN 1/0").consume()

        with pytest.raises(Unavailable):
            register.write(fails)
        assert strand.pledged == ["strand:0", "strand:2"]
    finally:
        register._strand = None

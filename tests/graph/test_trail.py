"""Audit entries wait in the graph, in order, until the log holds them."""

from datetime import timedelta

from graph.connection import Graph
from graph.trail import AuditTrail
from register.audit import Act
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


def test_an_entry_is_written_once_and_waits_until_it_is_logged(register: Graph) -> None:
    trail, entry = AuditTrail(register), an_entry()
    for _ in range(2):
        trail.append([entry])
    trail.append([])
    (waiting,) = trail.unlogged(10)

    for _ in range(2):
        trail.mark_logged([waiting])

    assert trail.unlogged(10) == ()

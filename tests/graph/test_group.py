"""Group commit: what comes at the same time is written together, and nobody goes on before it is durable."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from graph.connection import Graph
from graph.group import Group
from graph.trail import AuditTrail, disclose
from register.errors import Unavailable
from tests.graph.builders import an_entry


def test_a_lone_one_is_written_at_once():
    written = []
    Group(written.append).submit("a")
    assert written == [["a"]]


def test_what_comes_meanwhile_is_written_together_and_in_groups_of_so_many():
    written, first, go_on = [], threading.Event(), threading.Event()

    def write(items):
        first.set()
        go_on.wait(30)
        written.append(list(items))

    group = Group(write, most=4)
    with ThreadPoolExecutor(12) as pool:
        lead = pool.submit(group.submit, 0)
        first.wait(30)
        others = [pool.submit(group.submit, number) for number in range(1, 11)]
        while len(group._waiting) < 10:
            threading.Event().wait(0.001)
        assert not lead.done()
        go_on.set()
        for each in [lead, *others]:
            each.result(30)
    assert written[0] == [0]
    assert [len(each) for each in written] == [1, 4, 4, 2]
    assert sorted(number for each in written for number in each) == list(range(11))


def test_everybody_of_a_group_that_failed_is_told_and_the_next_group_is_written():
    first, go_on = threading.Event(), threading.Event()
    written = []

    def write(items):
        first.set()
        go_on.wait(30)
        if "bad" in items:
            raise Unavailable("graph.unreachable", "gone")
        written.extend(items)

    group = Group(write, most=3)
    with ThreadPoolExecutor(8) as pool:
        lead = pool.submit(group.submit, "lead")
        first.wait(30)
        waiting = []
        for place, item in enumerate(("a", "bad", "b", "c")):
            waiting.append(pool.submit(group.submit, item))
            while len(group._waiting) <= place:
                threading.Event().wait(0.001)
        go_on.set()
        lead.result(30)
        for each in waiting[:3]:
            with pytest.raises(Unavailable):
                each.result(30)
        waiting[3].result(30)
    group.submit("later")
    assert written == ["lead", "c", "later"]


def test_nothing_is_released_whose_entry_cannot_be_written(register: Graph) -> None:
    """The read itself succeeds; a strand that cannot vouch for the entry holds the answer back."""

    class Full:
        def stamp(self, contents):
            return [("strand:0", "mac")] * len(contents)

        def pledge(self, stamps):
            raise Unavailable("trail.pledge", "the disk is full")

    register._strand = Full()
    try:
        with pytest.raises(Unavailable):
            disclose(register, lambda tx: (tx.run("RETURN 1").single()[0], an_entry()))
    finally:
        register._strand = None


def test_many_readers_at_once_each_have_their_entry(register: Graph) -> None:
    entries = [an_entry() for _ in range(200)]
    with ThreadPoolExecutor(32) as pool:
        found = list(pool.map(lambda one: disclose(register, lambda tx: (one.id, one)), entries))
    assert found == [one.id for one in entries]
    assert {one.id for one in AuditTrail(register).unlogged(1000)} == {one.id for one in entries}

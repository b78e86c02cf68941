"""While one batch of a run is being erased, the next is read and archived; what they share waits for the end of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from threading import Event
from typing import Any

import pytest

from register.ids import SignalId, SubjectId
from register.runs import Archived, Changed, Erased, ErasureBatch, RunState, ToArchive
from retention.orders import nightly
from tests.fakes import FakeArchive, FakeGraph, Killed
from tests.retention.test_removal import REMOVED, Register
from tests.retention.world import hexid

PATIENCE = 30.0
"""Seconds after which a batch that waits for the next one's archiving gives up."""


def _ordered(*signals: str) -> Register:
    """A register with these signals, all due tonight, of which each batch takes one subject."""
    world = Register(batch=1)
    for number, subjects in enumerate(signals):
        world.about(f"s{number}", subjects)
    world.clock.at = datetime.combine(REMOVED, time(1), UTC)
    nightly(world.graph, world.clock)
    return world


def _erased_once_the_next_is_archived(monkeypatch: pytest.MonkeyPatch, instead: Any = None) -> list[str]:
    """Let the first batch be erased only when something was archived for the second; return what is archived, by item.

    `instead` is called in place of the first erasing.
    """
    put, erase, next_laid = FakeArchive.put, FakeGraph.erase, Event()
    laid: list[str] = []
    begun: list[ErasureBatch] = []

    def laying(archive: FakeArchive, run: Any, items: Sequence[ToArchive], signals: Any) -> tuple[Archived, ...]:
        done = put(archive, run, items, signals)
        laid.extend(one.item for one in items)
        if len(laid) > 1:
            next_laid.set()
        return done

    def erasing(graph: FakeGraph, run: Any, batch: ErasureBatch, *rest: Any) -> Erased | Changed:
        begun.append(batch)
        if len(begun) == 1:
            assert next_laid.wait(PATIENCE)
            if instead is not None:
                answer: Changed = instead()
                return answer
        return erase(graph, run, batch, *rest)

    monkeypatch.setattr(FakeArchive, "put", laying)
    monkeypatch.setattr(FakeGraph, "erase", erasing)
    return laid


def _assert_all_gone(world: Register, subjects: str) -> None:
    assert [run.state for run in world.graph.runs()] == [RunState.CERTIFIED]
    assert (world.graph.subjects_held, world.graph.signals_held, world.archive.pending) == ({}, {}, {})
    records = sorted(one.item for one, _ in world.archive.records.values())
    assert records == sorted(hexid("subject", one) for one in subjects)
    assert world.graph.stubs_held.keys() == world.archive.records.keys()


def test_the_next_batch_is_archived_while_one_is_erased(monkeypatch):
    """R22: each is archived before it is deleted, all the same; steps are told in the order of the batches."""
    world = _ordered("A", "B", "C")
    laid = _erased_once_the_next_is_archived(monkeypatch)
    world.carry_out()
    assert len(laid) == 3
    assert world.steps[1:7] == ["records-archived", "batch-erased"] * 3
    _assert_all_gone(world, "ABC")


def test_what_is_shared_with_the_batch_under_way_is_read_when_that_is_over(monkeypatch):
    world = _ordered("AB", "C")
    put, gone = FakeArchive.put, []

    def laying(archive: FakeArchive, run: Any, items: Sequence[ToArchive], signals: Any) -> tuple[Archived, ...]:
        gone.append(
            ({one.item for one in items}, {hexid("subject", one) for one in "ABC"} - {*world.graph.subjects_held})
        )
        return put(archive, run, items, signals)

    monkeypatch.setattr(FakeArchive, "put", laying)
    world.carry_out()
    pair = {hexid("subject", one) for one in "AB"}
    (first, _), (second, before) = [one for one in gone if one[0] <= pair]
    assert before >= first
    assert first | second == pair
    ((_, (signal,)),) = [one for one in world.archive.records.values() if {one[0].item} == second]
    assert signal.facts.revision == 2
    assert [one.facts.subject for one in signal.mentions] == list(second)
    _assert_all_gone(world, "ABC")


def test_where_a_batch_changed_the_one_archived_meanwhile_is_made_anew(monkeypatch):
    world = _ordered("A", "B", "C")
    laid = _erased_once_the_next_is_archived(monkeypatch, instead=lambda: Changed(items=(), holds=True))
    world.carry_out()
    assert [laid.count(hexid("subject", one)) for one in "ABC"].count(2) == 2
    _assert_all_gone(world, "ABC")


def test_killed_while_one_is_erased_and_the_next_archived_the_next_process_ends_it(monkeypatch):
    """R22: no file is left of what the killed process had only archived."""

    def die() -> Changed:
        raise Killed

    world = _ordered("A", "B", "C")
    laid = _erased_once_the_next_is_archived(monkeypatch, instead=die)
    with pytest.raises(Killed):
        world.process().until_forgotten()
    assert (len(laid), world.graph.stubs_held) == (2, {})
    assert {SubjectId(hexid("subject", one)) for one in "ABC"} == world.graph.subjects_held.keys()
    assert {SignalId(hexid("signal", f"s{one}")) for one in range(3)} == world.graph.signals_held.keys()
    world.carry_out()
    _assert_all_gone(world, "ABC")

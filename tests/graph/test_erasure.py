"""Deleting in journalled batches under a lease, reading back, and the runs' own records, in a real graph."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph import run_queries
from graph.connection import Graph
from graph.decisions import Decisions
from graph.erasure import Purging
from graph.labels import NODES, RELATIONSHIPS, Label
from graph.network import Networks
from graph.purge import cut, erase_part
from graph.signals import Signals
from graph.trail import AuditTrail
from register.access import Permission
from register.archived import ArchivedFacts
from register.audit import Act
from register.clock import civil_date
from register.decision_stores import Change
from register.errors import Conflict, NotFound, Tampered, Unavailable
from register.ids import ArchiveId, RunId, SignalId, SubjectId, mint
from register.runs import Approval, Changed, Erased, ErasureBatch, Fate, Lease, Order, Run, RunState, Skip
from register.sealed import SealedSignal, SealedStub, SealedSubject
from tests.graph.builders import (
    NOW,
    TODAY,
    Tied,
    Witness,
    a_batch,
    a_grant,
    a_signal,
    a_subject,
    an_entry,
    an_identifier,
    mac,
    moved,
)
from tests.graph.worlds import World, worlds

RUN = RunId("f" * 32)
in_a_graph = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def a_lease(graph: Graph, holder: str = "keeper-1", fence: int = 1) -> Lease:
    lease = Lease(holder=holder, fence=fence)
    assert Purging(graph).accept(lease) == fence
    return lease


def bare(signal: SealedSignal) -> SealedSignal:
    """The signal as a run reads it: nothing sealed."""
    mentions = tuple(replace(one, sealed={}) for one in signal.mentions)
    links = tuple(sorted(signal.links, key=lambda one: one.facts.id))
    return replace(signal, sealed={}, mentions=mentions, links=links)


def without(signal: SealedSignal, going: Collection[str]) -> SealedSignal:
    """The signal as it will be once the subjects `going` are out of it, with a new MAC."""
    mentions = tuple(one for one in signal.mentions if one.facts.subject not in going)
    links = tuple(one for one in signal.links if one.facts.from_ not in going and one.facts.to not in going)
    facts = replace(
        signal.facts,
        revision=signal.facts.revision + 1,
        mentions=tuple(sorted(one.facts.id for one in mentions)),
        links=tuple(sorted(one.facts.id for one in links)),
        redacted_on=TODAY,
    )
    return replace(signal, facts=facts, mac=mac(), mentions=mentions, links=links)


def composed(
    graph: Graph, subjects: Collection[SealedSubject], *, number: int = 0
) -> tuple[ErasureBatch, dict[str, SealedSignal]]:
    """The batch that deletes `subjects`, and the signals that stay, as they will be."""
    going = {one.facts.id for one in subjects}
    whole, stay = [], {}
    for signal in Purging(graph).mentioning(going):
        if all(one.facts.subject in going for one in signal.mentions):
            whole.append((signal.facts.id, signal.facts.revision))
        else:
            stay[str(signal.facts.id)] = without(signal, going)
    batch = ErasureBatch(
        number=number,
        subjects=tuple((one.facts.id, one.facts.revision) for one in subjects),
        signals=tuple(whole),
        redacted=tuple((one.facts, one.mac) for one in stay.values()),
    )
    return batch, stay


def a_stub(**changes: Any) -> SealedStub:
    values: dict[str, Any] = {
        "id": ArchiveId(mint()),
        "kind": "person",
        "revision": 1,
        "removed_on": TODAY,
        "destroy_on": date(2031, 11, 25),
        "event": "signal",
        "event_on": date(2021, 11, 24),
        "month": "2031-11",
        "sha256": "00" * 32,
        "rule": "theme.last-necessity",
    }
    return SealedStub(facts=ArchivedFacts(**{**values, **changes}), mac=mac())


def a_removal(graph: Graph, *, number: int = 0) -> ErasureBatch:
    """A batch that removes one subject with its signal, whose record was archived."""
    one = a_subject()
    Signals(graph).record(a_batch([a_signal([one.facts.id])], created=[one]), [], [])
    return replace(composed(graph, [one], number=number)[0], fate=Fate.REMOVED, stubs=(a_stub(),))


def test_the_stub_is_created_in_the_deleting_transaction(register: Graph) -> None:
    """R23."""
    store, lease = Purging(register), a_lease(register)
    batch = a_removal(register)
    kept = an_entry(Act.ARCHIVE_KEEP)
    line = store.erase(RUN, batch, lambda: lease, an_entry(Act.REMOVAL), [kept])
    assert isinstance(line, Erased)
    assert (line.fate, line.archived) == (Fate.REMOVED, (batch.stubs[0].facts.id,))
    assert tuple(store.stubs()) == batch.stubs == tuple(store.stubs([batch.stubs[0].facts.id]))
    acts = [json.loads(one.body)["act"] for one in AuditTrail(register).unlogged(10)]
    assert sorted(acts) == ["archive.keep", "removal"]
    assert store.erase(RUN, batch, lambda: lease, an_entry(Act.REMOVAL), [kept]) == line
    assert len(tuple(store.stubs())) == 1


def test_a_changed_subject_leaves_no_stub(register: Graph) -> None:
    store, lease = Purging(register), a_lease(register)
    batch = a_removal(register)
    register.write(lambda tx: tx.run("MATCH (s:Subject) SET s.revision = s.revision + 1").consume())
    assert isinstance(store.erase(RUN, batch, lambda: lease, an_entry()), Changed)
    assert tuple(store.stubs()) == ()


def test_a_hold_laid_meanwhile_stops_the_deleting_transaction(register: Graph) -> None:
    """R14: in the transaction that would delete."""
    store, lease = Purging(register), a_lease(register)
    batch = a_removal(register)
    store.erase(RUN, batch, lambda: lease, an_entry())
    facts = batch.stubs[0].facts
    marked = SealedStub(facts=replace(facts, revision=2, destroyed_on=TODAY), mac=mac())
    destruction = ErasureBatch(number=1, subjects=(), signals=(), redacted=(), destroyed=(marked,))
    register.write(lambda tx: tx.run("CREATE (:Hold {id: $id, revision: 1})", id="ab" * 16).consume())
    assert store.erase(RUN, destruction, lambda: lease, an_entry()) == Changed(items=(), holds=True)
    assert tuple(store.stubs()) == batch.stubs
    seen = replace(destruction, holds=(("ab" * 16, 1),))
    line = store.erase(RUN, seen, lambda: lease, an_entry())
    assert isinstance(line, Erased)
    assert (line.fate, line.destroyed) == (Fate.DESTROYED, (facts.id,))
    assert tuple(store.stubs()) == (marked,)
    again = replace(seen, number=2)
    assert store.erase(RUN, again, lambda: lease, an_entry()) == Changed(items=((facts.id, Skip.CHANGED),))


def test_what_is_sealed_is_read_of_signals_and_of_the_mentions_asked_for_only(register: Graph) -> None:
    store = Purging(register)
    one, other = a_subject(), a_subject()
    signal = a_signal([one.facts.id, other.facts.id], links=[Tied(a=0, b=1)])
    Signals(register).record(a_batch([signal], created=[one, other]), [], [])
    (read,) = store.contents([signal.facts.id, SignalId(mint())], [one.facts.id])
    assert (read.facts, read.sealed, read.links) == (signal.facts, signal.sealed, signal.links)
    assert [bool(mention.sealed) for mention in read.mentions] == [
        mention.facts.subject == one.facts.id for mention in read.mentions
    ]


def test_only_the_one_keeper_of_a_run_under_way_may_witness_its_certificate(register: Graph) -> None:
    store, lease = Purging(register), a_lease(register)
    run = a_run()
    store.begin(run, lease, an_entry())
    with pytest.raises(Conflict):
        store.witness(run.id, lease, [an_entry(Act.CERTIFICATE_ISSUED)])
    store.advance(run.id, RunState.FORGOTTEN, lease, detail="{}")
    store.witness(run.id, lease, [an_entry(Act.CERTIFICATE_ISSUED)])
    assert store.accept(Lease(holder="another", fence=lease.fence + 1)) == lease.fence + 1
    with pytest.raises(Unavailable):
        store.witness(run.id, lease, [an_entry(Act.CERTIFICATE_ISSUED)])
    acts = [json.loads(one.body)["act"] for one in AuditTrail(register).unlogged(10)]
    assert acts.count("certificate.issued") == 1


def snapshot(graph: Graph) -> object:
    """Everything in the database but the trail, in comparable form."""
    nodes = graph.read(
        lambda tx: tx.run(
            "MATCH (n) WHERE NOT n:Entry AND NOT n:Lease RETURN labels(n) AS l, properties(n) AS p"
        ).values()
    )
    ties = graph.read(lambda tx: tx.run("MATCH ()-[r]->() RETURN type(r) AS l, properties(r) AS p").values())
    return sorted(map(repr, nodes)), sorted(map(repr, ties))


# The lease.


def test_the_graph_accepts_what_the_key_store_granted_last(register: Graph) -> None:
    store = Purging(register)
    first, second = (Lease(holder=f"keeper-{n}", fence=n) for n in (1, 2))
    assert [store.accept(first), store.accept(first), store.accept(second)] == [1, 1, 2]
    assert store.accept(first) == 2  # who was overtaken is told by what
    store.distrust([], on=TODAY, lease=second, entry=an_entry())


def test_a_lease_written_by_hand_holds_no_keeper_off(register: Graph) -> None:
    store = Purging(register)
    a_lease(register)
    for fence in (7, 9):
        forged = "MATCH (l:Lease) DELETE l CREATE (:Lease {key: 'keeper', holder: 'nobody', fence: $fence})"
        register.write(lambda tx, query=forged, fence=fence: tx.run(query, fence=fence).consume())  # type: ignore[misc]
        mine = Lease(holder="keeper-1", fence=7)
        above = store.accept(mine)
        assert above > mine.fence
        assert store.accept(replace(mine, fence=above + 1)) == above + 1
    register.write(lambda tx: tx.run("MATCH (l:Lease) SET l.fence = 'high'").consume())
    with pytest.raises(Tampered):
        store.accept(Lease(holder="keeper-1", fence=8))


EMPTY = ErasureBatch(number=0, subjects=(), signals=(), redacted=())
WRITES: Mapping[str, Callable[[Purging, Lease], object]] = {
    "begin": lambda store, lease: store.begin(replace(a_run(), id=RunId(mint())), lease, an_entry()),
    "advance": lambda store, lease: store.advance(RUN, RunState.ERASED, lease, detail="{}"),
    "erase": lambda store, lease: store.erase(RUN, EMPTY, lambda: lease, an_entry()),
    "distrust": lambda store, lease: store.distrust([mint()], on=TODAY, lease=lease, entry=an_entry()),
    "close": lambda store, lease: store.close(RUN, RunState.CERTIFIED, lease, detail="{}", entries=[an_entry()]),
}


@pytest.mark.parametrize("write", WRITES)
def test_a_keeper_that_lost_its_lease_writes_nothing(register: Graph, write: str) -> None:
    store, mine = Purging(register), a_lease(register)
    store.begin(a_run(), mine, an_entry())
    a_lease(register, "keeper-2", 2)
    before, entries = snapshot(register), len(AuditTrail(register).unlogged(100))

    with pytest.raises(Unavailable) as caught:
        WRITES[write](store, mine)

    assert caught.value.code == "lease.lost"
    assert snapshot(register) == before
    assert len(AuditTrail(register).unlogged(100)) == entries


# Every live record.


@in_a_graph
@given(world=worlds())
def test_every_record_is_streamed_with_its_facts(register: Graph, world: World) -> None:
    fresh(register, world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("graph.pages.PAGE", 3)
        records, signals = list(Purging(register).subjects()), list(Purging(register).signals())

    assert signals == sorted(map(bare, world.signals), key=lambda one: one.facts.id)
    assert [one.subject for one in records] == sorted(world.subjects, key=lambda one: one.facts.id)
    for record in records:
        naming = [one.facts for one in world.signals if _names(one, {record.subject.facts.id})]
        naming = [one for one in naming if one.remove_by is None]  # what was ended early shows no necessity
        assert record.signals == tuple(sorted((one.received_on, one.accepted_on) for one in naming))


def fresh(graph: Graph, world: World) -> None:
    graph.write(lambda tx: tx.run("MATCH (n) WHERE NOT n:Register DETACH DELETE n").consume())
    world.store(graph)


def _names(signal: SealedSignal, subjects: Collection[str]) -> bool:
    return any(one.facts.subject in subjects for one in signal.mentions)


# Deleting.


@in_a_graph
@given(world=worlds(), places=st.sets(st.integers(0, 7)), ended=st.sets(st.integers(0, 9)))
def test_a_batch_takes_its_subjects_and_nothing_else(
    register: Graph, world: World, places: set[int], ended: set[int]
) -> None:
    """C01, C06, C13: a closure composed once goes by statements over sets; links go with their source."""
    fresh(register, world)
    store, lease = Purging(register), a_lease(register)
    going = [one for place, one in enumerate(world.subjects) if place in places]
    names = {one.facts.id for one in going}
    batch, stay = composed(register, going)
    nobody = [one.facts for place, one in enumerate(world.signals) if place in ended and not one.mentions]
    batch = replace(batch, signals=(*batch.signals, *((one.id, one.revision) for one in nobody)))
    entry = an_entry(Act.DESTRUCTION)

    line = store.erase(RUN, batch, lambda: lease, entry)

    assert isinstance(line, Erased)
    whole = {item for item, _ in batch.signals}
    left = [one for one in world.signals if one.facts.id not in whole]
    expected = [stay.get(one.facts.id, bare(one)) for one in left]
    assert list(store.signals()) == sorted(expected, key=lambda one: one.facts.id)
    assert {one.subject.facts.id for one in store.subjects()} == set(world.ids) - names

    def parts(signals: Collection[SealedSignal]) -> tuple[set[str], set[str], set[str]]:
        mentions = [part.facts for one in signals for part in one.mentions]
        links = {str(part.facts.id) for one in signals for part in one.links}
        return {one.id for one in mentions}, links, {each for one in mentions for each in one.identifiers}

    before, after = parts(world.signals), parts(expected)
    assert line == Erased(
        subjects=tuple(sorted(names)),
        signals=tuple(sorted(whole)),
        mentions=tuple(sorted(before[0] - after[0])),  # type: ignore[arg-type]
        links=tuple(sorted(before[1] - after[1])),  # type: ignore[arg-type]
        identifiers=tuple(sorted(before[2] - after[2])),  # type: ignore[arg-type]
        redacted=tuple(sorted(stay)),  # type: ignore[arg-type]
    )
    gone = [*line.subjects, *line.signals, *line.mentions, *line.links, *line.identifiers]
    assert store.remains(gone) == ()
    staying = [one.facts.id for one in expected] + [each for one in expected for each in one.facts.mentions]
    assert store.there([*gone, *staying]) == {one.facts.id for one in expected}
    assert store.journal(RUN) == (line,)
    written = {one.id: one for one in AuditTrail(register).unlogged(100)}[entry.id]
    assert written.body == entry.found([*line.subjects, *line.signals], len(gone)).body()
    seen = Signals(register).seen(identifiers=line.identifiers, subjects=line.subjects, signals=line.signals)
    assert seen.gone == {*line.subjects, *line.signals, *line.identifiers}
    kept = Signals(register).seen(identifiers=world.identifiers, subjects=[], signals=[]).carriers
    carriers = {
        (each, part.facts.subject) for one in expected for part in one.mentions for each in part.facts.identifiers
    }
    assert {(each, who) for each, subjects in kept.items() for who in subjects} == carriers

    state = snapshot(register)
    assert store.erase(RUN, batch, lambda: lease, an_entry()) == line
    assert snapshot(register) == state


def a_pair(graph: Graph) -> tuple[SealedSubject, SealedSubject, SealedSignal]:
    """Two linked subjects of one signal that share an identifier."""
    one, other, identifier = a_subject(), a_subject(), an_identifier()
    signal = a_signal(
        [one.facts.id, other.facts.id], links=[Tied(a=0, b=1)], identifiers={0: [identifier], 1: [identifier]}
    )
    Signals(graph).record(a_batch([signal], created=[one, other], identifiers=[identifier]), [], [])
    return one, other, signal


@pytest.mark.parametrize("what", ["subject", "signal", "redacted"])
@pytest.mark.parametrize("how", [Skip.CHANGED, Skip.UNKNOWN])
def test_a_batch_that_is_not_as_seen_deletes_nothing(register: Graph, what: str, how: Skip) -> None:
    """R22: all of it or nothing."""
    store, lease = Purging(register), a_lease(register)
    one, other, signal = a_pair(register)
    batch, _ = composed(register, [one, other] if what == "signal" else [one])
    label, item = ("Subject", one.facts.id) if what == "subject" else ("Signal", signal.facts.id)
    text = {
        Skip.CHANGED: f"MATCH (n:{label} {{id: $id}}) SET n.revision = n.revision + 1",
        Skip.UNKNOWN: f"MATCH (n:{label} {{id: $id}}) DETACH DELETE n",
    }[how]
    register.write(lambda tx: tx.run(text, id=item).consume())
    before = snapshot(register)

    answer = store.erase(RUN, batch, lambda: lease, an_entry())

    assert answer == Changed(items=((item, how),))
    assert snapshot(register) == before


def test_a_large_batch_goes_in_parts_that_can_be_interrupted(register: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub whose signals do not fit in one transaction: each part is whole, and what is left is composed anew.

    R25, C07: the subject goes last, after all of its signals.
    """
    monkeypatch.setattr("graph.purge.SIGNALS", 2)
    store, lease = Purging(register), a_lease(register)
    hub, others = a_subject(), [a_subject() for _ in range(5)]
    signals = [a_signal([hub.facts.id, one.facts.id], links=[Tied(a=1, b=0)]) for one in others]
    signals += [a_signal([hub.facts.id]) for _ in range(3)]
    Signals(register).record(a_batch(signals, created=[hub, *others]), [], [])
    batch, _ = composed(register, [hub])
    parts = list(cut(batch))
    assert [len(part.whole) + len(part.redacted) for part in parts] == [4, 3, 1]
    entry = an_entry(Act.DESTRUCTION)

    batch = replace(batch, fate=Fate.REMOVED, stubs=(a_stub(),))
    kept = (an_entry(Act.ARCHIVE_KEEP),)
    first = register.write(
        lambda tx: erase_part(tx, run=RUN, batch=batch, part=parts[0], lease=lease, entry=entry, kept=kept)
    )

    assert first is None
    (line,) = store.journal(RUN)
    assert (len(line.subjects), len(line.signals), len(line.redacted), len(line.links)) == (0, 2, 2, 2)
    # what was archived has its stub before the first of its signals goes
    assert (line.fate, line.archived) == (Fate.REMOVED, (batch.stubs[0].facts.id,))
    assert tuple(store.stubs()) == batch.stubs
    for signal in store.signals():
        assert sorted(one.facts.id for one in signal.mentions) == list(signal.facts.mentions)
        assert sorted(one.facts.id for one in signal.links) == list(signal.facts.links)
    rest, _ = composed(register, [hub], number=1)

    done = store.erase(RUN, rest, lambda: lease, entry)

    assert isinstance(done, Erased)
    assert store.journal(RUN) == (line, done)
    assert done.subjects == (hub.facts.id,)
    assert len(line.signals) + len(done.signals) == 3
    assert sorted([*line.links, *done.links]) == sorted(link.facts.id for one in signals for link in one.links)
    gone = [*line.signals, *line.links, *line.mentions, *done.subjects, *done.signals, *done.mentions, *done.links]
    assert store.remains(gone) == ()
    written = [one.body for one in AuditTrail(register).unlogged(100)]
    assert sum(b'"act":"destruction"' in body for body in written) == 3
    assert {one.subject.facts.id for one in store.subjects()} == {one.facts.id for one in others}


def test_what_begins_to_leave_is_not_changed_any_more_and_goes_whole(
    register: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the transactions of a batch an intake and a decision come: neither leaves a subject half removed. C07."""
    monkeypatch.setattr("graph.purge.SIGNALS", 2)
    store, lease, keeping = Purging(register), a_lease(register), Signals(register)
    identifier, hub, other = an_identifier(), a_subject(), a_subject()
    named = [a_signal([hub.facts.id], identifiers={0: [identifier]}) for _ in range(5)]
    keeping.record(
        a_batch([*named, a_signal([other.facts.id])], created=[hub, other], identifiers=[identifier]), [], []
    )
    batch, _ = composed(register, [hub])
    refused: list[str] = []

    def between() -> Lease:
        """What the eraser asks for before each of its transactions."""
        if store.journal(RUN):
            assert keeping.seen(identifiers=[identifier], subjects=[hub.facts.id], signals=[]).subjects == {}
            late = a_batch([a_signal([hub.facts.id])], moved=[moved(hub)])
            for write in (
                lambda: keeping.record(late, [], []),
                lambda: Decisions(register).change(Change(subjects=(moved(hub),)), []),
            ):
                with pytest.raises(Conflict) as conflict:
                    write()
                refused.append(conflict.value.code)
        return lease

    done = store.erase(RUN, batch, between, an_entry())

    assert isinstance(done, Erased)
    assert refused == ["graph.moved"] * 4
    assert (len(done.signals), done.subjects, done.skipped) == (5, (hub.facts.id,), ())
    assert [one.subject for one in store.subjects()] == [other]
    assert store.remains([*done.signals, *done.mentions, *done.subjects, *done.identifiers]) == ()


def test_a_torn_off_link_goes_with_its_signal(register: Graph) -> None:
    """Whoever can write to the database cannot keep a link alive by tearing the mention of its signal away. C06."""
    store, lease = Purging(register), a_lease(register)
    one, other, signal = a_pair(register)
    batch, _ = composed(register, [one, other])
    register.write(lambda tx: tx.run("MATCH ()-[m:MENTIONS {place: 1}]->() DELETE m").consume())

    line = store.erase(RUN, replace(batch, subjects=()), lambda: lease, an_entry())

    assert isinstance(line, Erased)
    assert line.links == (signal.links[0].facts.id,)
    assert store.remains(line.links) == ()


def test_deleting_beside_intake_leaves_nothing_dangling(register: Graph) -> None:
    """Intakes of one identifier and a run that deletes its subjects, all at once: each is whole or not at all.

    C05: orphans are counted, and there are none.
    """
    store, lease = Purging(register), a_lease(register)
    keeping = Signals(register)
    identifier = an_identifier()
    first = a_subject()
    keeping.record(
        a_batch([a_signal([first.facts.id], identifiers={0: [identifier]})], created=[first], identifiers=[identifier]),
        [],
        [],
    )

    def take_in(_: int) -> None:
        """Add a signal about the present carrier, as intake does; a new subject where there is none."""
        for _ in range(50):
            seen = keeping.seen(identifiers=[identifier], subjects=[], signals=[])
            carrier = next(iter(seen.subjects.values()), None)
            new = carrier is None
            subject = a_subject() if carrier is None else moved(carrier)
            token = identifier if not seen.gone and identifier in seen.carriers else an_identifier()
            signal = a_signal([subject.facts.id], identifiers={0: [token]})
            batch = a_batch(
                [signal],
                created=[subject] if new else [],
                moved=[] if new else [subject],
                identifiers=[] if token == identifier else [token],
            )
            try:
                return keeping.record(batch, [], [])
            except Conflict:
                continue
        raise AssertionError("an intake never got through")

    def delete() -> None:
        for number in range(4):
            while True:
                subjects = [record.subject for record in store.subjects()]
                batch, _ = composed(register, subjects[:2], number=number)
                if isinstance(store.erase(RUN, batch, lambda: lease, an_entry()), Erased):
                    break

    with ThreadPoolExecutor(5) as pool:
        jobs = [pool.submit(take_in, n) for n in range(24)]
        jobs.append(pool.submit(delete))
        for job in jobs:
            job.result()

    for signal in store.signals():
        assert [one.facts.id for one in signal.mentions] == list(signal.facts.mentions)
    lonely = "MATCH (i:Identifier) WHERE NOT EXISTS { (i)<-[:CARRIES]-() } RETURN i.id"
    assert register.read(lambda tx: tx.run(lonely).values()) == []
    nobody = "MATCH (s:Subject) WHERE NOT EXISTS { (s)<-[:MENTIONS]-() } RETURN s.id"
    assert register.read(lambda tx: tx.run(nobody).values()) == []
    erased = [item for line in store.journal(RUN) for item in (*line.subjects, *line.signals, *line.identifiers)]
    assert store.remains(erased) == ()


PLACES = [
    ("Subject", "CREATE (:Subject {id: $id})"),
    ("Signal", "CREATE (:Signal {id: $id})"),
    ("Signal", "CREATE (:Signal {id: 'x', mentions: ['y', $id]})"),
    ("Signal", "CREATE (:Signal {id: 'x', links: [$id]})"),
    ("Identifier", "CREATE (:Identifier {id: $id})"),
    ("MENTIONS", "CREATE (:Signal {id: 'x'})-[:MENTIONS {id: $id}]->(:Subject {id: 'x'})"),
    ("MENTIONS", "CREATE (:Signal {id: 'x'})-[:MENTIONS {id: 'y', identifiers: ['z', $id]}]->(:Subject {id: 'x'})"),
    ("HOLDS_OFFICE_AT", "CREATE (:Subject {id: 'x'})-[:HOLDS_OFFICE_AT {id: $id}]->(:Subject {id: 'y'})"),
    ("PAID", "CREATE (:Subject {id: 'x'})-[:PAID {id: 'z', signal: $id}]->(:Subject {id: 'y'})"),
]


@pytest.mark.parametrize(("where", "text"), PLACES)
def test_reading_back_looks_everywhere(register: Graph, where: str, text: str) -> None:
    """R40, C15: every label and type, by id."""
    left, gone = mint(), mint()
    register.write(lambda tx: tx.run(text, id=left).consume())

    assert Purging(register).remains([left, gone]) == (f"{where}:{left}",)
    assert Purging(register).remains([]) == ()


def test_reading_back_leaves_out_no_label_or_type_but_paper() -> None:
    """R40, C15."""
    looked_at = {
        name
        for text in run_queries.REMAINS
        for found in re.findall(r"n:([\w|]+)[)\]]", text)
        for name in found.split("|")
    }
    paper = {nodes.label for nodes in NODES if nodes.paper}
    types = {type_ for ties in RELATIONSHIPS for type_ in ties.types}

    own = {Label.RUN, Label.ORDER, Label.JOURNAL, Label.GONE}
    assert paper == own | {Label.ENTRY, Label.DOSSIER, Label.HOLD, Label.ARCHIVED}
    assert looked_at == {nodes.label for nodes in NODES} - paper - {Label.PORT, Label.LEASE} | types - {"AT", "CARRIES"}


# What does not verify.


def test_what_is_distrusted_is_hidden_from_then_on(register: Graph) -> None:
    store, lease = Purging(register), a_lease(register)
    one, other, signal = a_pair(register)
    third = a_subject()
    second = a_signal([other.facts.id, third.facts.id], links=[Tied(a=0, b=1)])
    Signals(register).record(a_batch([second], created=[third], moved=[moved(other)]), [], [])

    def shown() -> tuple[int, int, int]:
        found = Networks(register).network(a_grant(), other.facts.id, depth=1, kinds=(), budget=9, witnessed=Witness())
        opened = Signals(register).open(a_grant(Permission.SIGNAL_OPEN), signal.facts.id, Witness())
        return (len(found.nodes), len(found.links), len(opened.mentions) if opened else 0) if found else (0, 0, 0)

    assert shown() == (3, 2, 2)
    store.distrust([third.facts.id], on=TODAY, lease=lease, entry=an_entry(Act.INTEGRITY_INCIDENT))
    assert shown() == (2, 1, 2)
    store.distrust([signal.facts.id], on=TODAY + timedelta(days=1), lease=lease, entry=an_entry())
    assert shown() == (1, 0, 0)
    later = [third.facts.id, signal.facts.id, mint()]
    store.distrust(later, on=TODAY + timedelta(days=9), lease=lease, entry=an_entry())
    assert store.distrusted() == {third.facts.id: TODAY, signal.facts.id: TODAY + timedelta(days=1)}

    batch, _ = composed(register, [moved_in(register, one.facts.id), moved_in(register, other.facts.id)])
    assert isinstance(store.erase(RUN, batch, lambda: lease, an_entry()), Erased)
    assert store.distrusted() == {third.facts.id: TODAY}


def moved_in(graph: Graph, subject: SubjectId) -> SealedSubject:
    return next(one.subject for one in Purging(graph).subjects() if one.subject.facts.id == subject)


def test_a_record_that_cannot_be_read_does_not_stop_the_stream(register: Graph) -> None:
    one, other, _ = a_pair(register)
    register.write(lambda tx: tx.run("MATCH (g:Signal) SET g.handling = 7 REMOVE g.received_on").consume())
    register.write(lambda tx: tx.run("MATCH (s:Subject {id: $id}) SET s.kind = 'ship'", id=one.facts.id).consume())

    (signal,) = Purging(register).signals()
    macs = {record.subject.facts.id: record.subject.mac for record in Purging(register).subjects()}

    assert signal.mac == b""
    assert macs == {one.facts.id: b"", other.facts.id: other.mac}


# Orders and runs.


def a_run(state: RunState = RunState.PLANNED) -> Run:
    return Run(
        id=RUN,
        state=state,
        as_of=TODAY,
        started_at=NOW,
        digest="ab" * 32,
        requested_by="officer.one",
        due_subjects=((SubjectId("1" * 32), 4),),
        detail='{"terms": []}',
    )


def test_an_order_becomes_a_run_that_is_approved_and_closed(register: Graph) -> None:
    store, lease = Purging(register), a_lease(register)
    order = Order(id=RUN, as_of=TODAY, requested_by="officer.one", requested_at=NOW)
    later = Order(id=RunId(mint()), as_of=TODAY, requested_by="system", requested_at=NOW + timedelta(seconds=1))
    for filed in (later, order, order):
        store.file_order(filed, an_entry())
    assert store.orders() == (order, later)

    entry = an_entry()
    for _ in range(2):
        store.begin(a_run(), lease, entry)
    assert store.orders() == (later,)
    assert store.runs(unfinished=True) == (a_run(),)

    approval = Approval(actor="officer.two", at=NOW + timedelta(microseconds=1))
    store.approve(RUN, "ab" * 32, approval, an_entry())
    approved = replace(a_run(RunState.APPROVED), approvals=(approval,))
    assert store.runs() == (approved,)
    store.advance(RUN, RunState.ERASING, lease, detail='{"n": 1}', entries=[an_entry()])
    assert store.runs() == (replace(approved, state=RunState.ERASING, detail='{"n": 1}'),)

    one, other, _ = a_pair(register)
    batch, _ = composed(register, [one, other])
    skipped = ((mint(), Skip.CHANGED), (mint(), Skip.UNKNOWN))
    line = store.erase(RUN, replace(batch, skipped=skipped), lambda: lease, an_entry())
    assert isinstance(line, Erased)
    assert line.skipped == skipped
    assert store.journal(RUN) == (line,)
    store.close(RUN, RunState.CERTIFIED, lease, detail="{}", entries=[an_entry()])
    closed = replace(approved, state=RunState.CERTIFIED, detail="{}", due_subjects=())
    assert (store.runs(), store.runs(unfinished=True), store.journal(RUN)) == ((closed,), (), ())
    assert Signals(register).seen(identifiers=[], subjects=line.subjects, signals=[]).gone == frozenset()


def test_runs_come_newest_first(register: Graph) -> None:
    store, lease = Purging(register), a_lease(register)
    runs = [replace(a_run(), id=RunId(mint()), started_at=NOW + timedelta(hours=n)) for n in range(3)]
    for run in runs:
        store.begin(run, lease, an_entry())

    assert store.runs() == tuple(reversed(runs))


def test_only_a_waiting_plan_of_that_digest_is_approved(register: Graph) -> None:
    store, lease = Purging(register), a_lease(register)
    approval = Approval(actor="officer.two", at=NOW)
    with pytest.raises(NotFound):
        store.approve(RUN, "ab" * 32, approval, an_entry())
    store.begin(a_run(), lease, an_entry())
    with pytest.raises(Conflict):
        store.approve(RUN, "cd" * 32, approval, an_entry())
    store.approve(RUN, "ab" * 32, approval, an_entry())
    with pytest.raises(Conflict):
        store.approve(RUN, "ab" * 32, approval, an_entry())
    assert store.runs() == (replace(a_run(RunState.APPROVED), approvals=(approval,)),)


def test_a_run_that_is_not_there_is_neither_advanced_nor_closed(register: Graph) -> None:
    store, lease = Purging(register), a_lease(register)
    with pytest.raises(NotFound):
        store.advance(RUN, RunState.ERASED, lease, detail="{}")
    with pytest.raises(NotFound):
        store.close(RUN, RunState.CERTIFIED, lease, detail="{}", entries=[])


@pytest.mark.parametrize("change", ["SET r.state = 'done'", "REMOVE r.digest", "SET r.due_subjects = ['x', 'y']"])
def test_an_altered_run_is_tampered(register: Graph, change: str) -> None:
    store = Purging(register)
    store.begin(a_run(), a_lease(register), an_entry())
    register.write(lambda tx: tx.run(f"MATCH (r:Run) {change}").consume())

    with pytest.raises(Tampered):
        store.runs()


def test_dates_are_those_of_amsterdam(register: Graph) -> None:
    """A signal entered late in the evening in UTC was accepted on the next day."""
    late = NOW.replace(hour=23, minute=30)
    person = a_subject()
    Signals(register).record(a_batch([a_signal([person.facts.id], entered_at=late)], created=[person]), [], [])

    (record,) = Purging(register).subjects()

    assert record.signals == ((TODAY, civil_date(late)),)
    assert civil_date(late) == date(2026, 11, 25)

"""Recording, seeing and opening sealed signals in a real graph."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest

from graph.connection import Graph
from graph.signals import PAGE, Signals
from graph.trail import AuditTrail
from register.access import Permission
from register.errors import Conflict
from register.grading import HandlingCode
from register.ids import SignalId, SubjectId, mint
from register.links import LinkKind
from tests.graph.builders import (
    FAR,
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
    harbours,
    moved,
)


def everything(graph: Graph) -> tuple[int, int]:
    row = graph.read(
        lambda tx: tx.run("RETURN COUNT { MATCH (n) } AS nodes, COUNT { MATCH ()-->() } AS ties").single(strict=True)
    )
    return row["nodes"], row["ties"]


def test_what_was_recorded_opens_as_it_was(register: Graph) -> None:
    """L08: codes of source, category and basis are kept as stated."""
    store, people = Signals(register), [a_subject(), a_subject()]
    identifier = an_identifier()
    signal = a_signal(
        [one.facts.id for one in people],
        links=[Tied(a=0, b=1, kind=LinkKind.PAID), Tied(a=1, b="NLRTM", kind=LinkKind.ACTIVE_AT)],
        ports=["NLVLI"],
        identifiers={1: [identifier]},
        markings=["customs"],
    )
    batch = a_batch([signal], created=people, identifiers=[identifier])

    store.record(batch, harbours(batch), [an_entry()])

    witness = Witness()
    found = store.open(a_grant(Permission.SIGNAL_OPEN, markings=["customs"]), signal.facts.id, witness)
    assert found == replace(signal, links=tuple(sorted(signal.links, key=lambda link: link.facts.id)))
    assert (witness.targets, witness.count) == ((signal.facts.id,), 1)
    assert {entry.id for entry in AuditTrail(register).unlogged(10)} >= {witness.entries[-1].id}
    seen = store.seen(identifiers=[identifier], subjects=[people[0].facts.id], signals=[signal.facts.id])
    assert seen.carriers == {identifier: (people[1].facts.id,)}
    assert seen.subjects == {one.facts.id: one for one in people}
    assert seen.signals == {signal.facts.id}
    assert seen.gone == frozenset()


def test_recording_twice_does_nothing_more(register: Graph) -> None:
    store, person = Signals(register), a_subject()
    batch = a_batch([a_signal([person.facts.id])], created=[person])
    store.record(batch, [], [an_entry()])
    before = everything(register)

    store.record(batch, [], [an_entry()])

    assert everything(register) == before


def test_a_batch_of_which_a_part_is_there_is_seen_again(register: Graph) -> None:
    """C23: one transaction for a batch."""
    store, person = Signals(register), a_subject()
    first = a_signal([person.facts.id])
    store.record(a_batch([first], created=[person]), [], [])
    before = everything(register)

    with pytest.raises(Conflict) as caught:
        store.record(a_batch([first, a_signal([])]), [], [an_entry()])

    assert caught.value.code == "graph.moved"
    assert everything(register) == before


@pytest.mark.parametrize("what", ["revision", "absent", "no identifier", "known subject", "known identifier", "gone"])
def test_whatever_moved_since_it_was_seen_rolls_everything_back(register: Graph, what: str) -> None:
    """R08: nothing is added to what is gone or has changed."""
    store, person, identifier = Signals(register), a_subject(), an_identifier()
    known = a_batch(
        [a_signal([person.facts.id], identifiers={0: [identifier]})], created=[person], identifiers=[identifier]
    )
    store.record(known, [], [])
    fresh = a_subject()
    signal = a_signal([fresh.facts.id, person.facts.id], identifiers={1: [identifier]})
    register.write(
        lambda tx: tx.run("CREATE (:Gone {id: $id, run: 'r'})", id=signal.facts.id if what == "gone" else "x")
    )
    before = everything(register)
    now = moved(person)
    batch = a_batch([signal], created=[fresh], moved=[now])
    match what:
        case "revision":
            batch = replace(batch, moved=(moved(now),))
        case "absent":
            batch = replace(batch, moved=(now, moved(a_subject())))
        case "no identifier":
            batch = a_batch([a_signal([fresh.facts.id], identifiers={0: [an_identifier()]})], created=[fresh])
        case "known subject":
            batch = replace(batch, created=(fresh, person))
        case "known identifier":
            batch = replace(batch, identifiers=((identifier, "kvk"),))

    with pytest.raises(Conflict) as caught:
        store.record(batch, [], [an_entry()])

    assert caught.value.code == "graph.moved"
    assert everything(register) == before


def test_what_a_purge_deleted_is_seen_as_gone(register: Graph) -> None:
    gone = [mint(), mint(), mint()]
    register.write(lambda tx: tx.run("UNWIND $ids AS id CREATE (:Gone {id: id, run: 'r'})", ids=gone))

    seen = Signals(register).seen(identifiers=[gone[0]], subjects=[gone[1]], signals=[gone[2]])  # type: ignore[list-item]

    assert seen.gone == set(gone)
    assert (seen.carriers, seen.subjects, seen.signals) == ({}, {}, frozenset())


def test_a_distrusted_subject_is_no_candidate(register: Graph) -> None:
    store, person, identifier = Signals(register), a_subject(), an_identifier()
    batch = a_batch(
        [a_signal([person.facts.id], identifiers={0: [identifier]})], created=[person], identifiers=[identifier]
    )
    store.record(batch, [], [])
    register.write(lambda tx: tx.run("MATCH (s:Subject) SET s.distrusted_on = date('2026-11-01')"))

    seen = store.seen(identifiers=[identifier], subjects=[person.facts.id], signals=[])

    assert seen.carriers == {identifier: (person.facts.id,)}
    assert seen.subjects == {}


def test_intakes_at_once_lose_no_change(register: Graph) -> None:
    """Many writers raise the same subject; each reads, writes on what it read, and begins anew when it was too late."""
    store, person = Signals(register), a_subject()
    store.record(a_batch([a_signal([person.facts.id])], created=[person]), [], [])
    conflicts: list[str] = []

    def write(_: int) -> None:
        while True:
            (now,) = store.seen(identifiers=[], subjects=[person.facts.id], signals=[]).subjects.values()
            try:
                return store.record(a_batch([a_signal([person.facts.id])], moved=[moved(now)]), [], [])
            except Conflict as conflict:
                conflicts.append(conflict.code)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(30)))

    (last,) = store.seen(identifiers=[], subjects=[person.facts.id], signals=[]).subjects.values()
    assert last.facts.revision == 31
    assert set(conflicts) <= {"graph.moved"}


def test_two_intakes_of_one_identifier_make_one(register: Graph) -> None:
    store, identifier = Signals(register), an_identifier()

    def write(_: int) -> str:
        person = a_subject()
        signal = a_signal([person.facts.id], identifiers={0: [identifier]})
        try:
            store.record(a_batch([signal], created=[person], identifiers=[identifier]), [], [])
        except Conflict as conflict:
            return conflict.code
        return "stored"

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(write, range(6)))

    assert sorted(answers) == ["graph.moved"] * 5 + ["stored"]
    assert len(store.seen(identifiers=[identifier], subjects=[], signals=[]).carriers[identifier]) == 1


def _open(graph: Graph, signal: SignalId, **sight: object) -> bool:
    witness = Witness()
    found = Signals(graph).open(a_grant(Permission.SIGNAL_OPEN, **sight), signal, witness)  # type: ignore[arg-type]
    assert (witness.targets, witness.count) == (((signal,), 1) if found else ((), 0))
    assert witness.entries[-1].id in {entry.id for entry in AuditTrail(graph).unlogged(100)}
    return found is not None


@pytest.mark.parametrize(
    ("markings", "cleared", "handling", "shown"),
    [
        ((), (), HandlingCode.H0, True),
        (("customs",), (), HandlingCode.H0, False),
        (("customs",), ("customs", "police"), HandlingCode.H0, True),
        (("customs", "police"), ("customs",), HandlingCode.H0, False),
        ((), ("customs",), HandlingCode.H1, False),
    ],
)
def test_a_signal_opens_for_who_is_cleared(
    register: Graph, markings: tuple[str, ...], cleared: tuple[str, ...], handling: HandlingCode, shown: bool
) -> None:
    person = a_subject()
    signal = a_signal([person.facts.id], markings=markings, handling=handling)
    Signals(register).record(a_batch([signal], created=[person]), [], [])

    assert _open(register, signal.facts.id, markings=cleared) is shown


def test_a_signal_lives_as_long_as_its_last_subject(register: Graph) -> None:
    store = Signals(register)
    early, late, barred = a_subject(remove_by=TODAY), a_subject(remove_by=FAR), a_subject(restricted=True)
    signal = a_signal(
        [one.facts.id for one in (early, late, barred)], links=[Tied(a=0, b=1), Tied(a=1, b=2), Tied(a=1, b="NLRTM")]
    )
    batch = a_batch([signal], created=[early, late, barred])
    store.record(batch, harbours(batch), [])

    found = store.open(a_grant(Permission.SIGNAL_OPEN), signal.facts.id, Witness())

    assert found is not None
    assert [one.facts.subject for one in found.mentions] == [late.facts.id]
    assert [(one.facts.from_, one.facts.to) for one in found.links] == [(late.facts.id, "NLRTM")]
    last_day = NOW + (FAR - TODAY) - timedelta(days=1)
    assert _open(register, signal.facts.id, as_of=last_day)
    assert not _open(register, signal.facts.id, as_of=last_day + timedelta(days=1))


@pytest.mark.parametrize(
    ("hidden_from", "remove_by", "shown"),
    [
        (TODAY + timedelta(days=1), FAR, True),
        (TODAY, FAR, False),  # a review was missed
        (FAR, TODAY, False),  # whatever else the record says, nothing is shown past its term
    ],
)
def test_a_subject_is_hidden_by_a_missed_review_as_by_its_term(
    register: Graph, hidden_from: date, remove_by: date, shown: bool
) -> None:
    subject = a_subject(remove_by=remove_by, hidden_from=hidden_from)
    signal = a_signal([subject.facts.id])
    Signals(register).record(a_batch([signal], created=[subject]), [], [])

    assert _open(register, signal.facts.id) is shown


def test_a_signal_about_nobody_ends_by_its_own_term(register: Graph) -> None:
    signal = a_signal([], remove_by=TODAY + timedelta(days=1))
    Signals(register).record(a_batch([signal]), [], [])

    assert _open(register, signal.facts.id)
    assert not _open(register, signal.facts.id, as_of=NOW + timedelta(days=1))


def test_what_was_altered_so_that_it_cannot_be_read_has_no_mac(register: Graph) -> None:
    person = a_subject()
    signal = a_signal([person.facts.id])
    store = Signals(register)
    store.record(a_batch([signal], created=[person]), [], [])
    register.write(lambda tx: tx.run("MATCH (g:Signal) SET g.origin = 'nowhere', g.narrative = 7"))
    register.write(lambda tx: tx.run("MATCH (s:Subject) SET s.remove_by = 'never'"))

    found = store.seen(identifiers=[], subjects=[person.facts.id], signals=[]).subjects[person.facts.id]

    assert found.mac == b""
    assert not _open(register, signal.facts.id)


def _roster(graph: Graph, **since: object) -> Iterator[tuple[str, str, bytes]]:
    for row in Signals(graph).roster(**since):  # type: ignore[arg-type]
        yield row.mention, row.subject, row.names.blob


def test_the_roster_streams_every_mention(register: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.signals.PAGE", 3)
    assert PAGE > 3
    store, people = Signals(register), [a_subject() for _ in range(4)]
    ids: list[SubjectId] = [one.facts.id for one in people]
    old = [a_signal(ids[:2]) for _ in range(5)]
    new = [a_signal(ids[2:], entered_at=NOW + timedelta(minutes=5)) for _ in range(4)]
    store.record(a_batch([*old, *new], created=people), [], [])

    def rows(signals: list[object]) -> set[tuple[str, str, bytes]]:
        return {
            (one.facts.id, one.facts.subject, one.sealed["names"].blob)
            for signal in signals
            for one in signal.mentions  # type: ignore[attr-defined]
        }

    assert sorted(_roster(register, since=None)) == sorted(rows([*old, *new]))
    assert sorted(_roster(register, since=NOW + timedelta(minutes=1))) == sorted(rows([*new]))
    assert list(_roster(register, since=NOW + timedelta(minutes=6))) == []

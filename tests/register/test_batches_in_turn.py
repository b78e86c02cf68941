"""Batch after batch: the next is made ready while the graph writes the one before, and nothing comes out otherwise.

The vault is the real one; the store of signals keeps the promises of `register.stores` in memory.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from register.access import Actor, Role
from register.audit import Entry
from register.backlog import Backlog
from register.errors import Conflict, RegisterError, Unavailable
from register.handed import Receipt
from register.ids import IdentifierId, RegisterId, SignalId, SubjectId, mint
from register.intake import Intake
from register.lifetime import Deadline
from register.ports import SHIPPED, Harbours
from register.reviewing import ReviewTerms
from register.sealed import SealedBatch, SealedSignal, SealedSubject
from register.signals import NewSignal
from register.stores import HarbourNode, Seen
from register.subjects import IdentifierKind, NewIdentifier
from tests.builders import TODAY, a_person, a_signal
from tests.fakes import SetClock
from vault.anchors.file import FileAnchor
from vault.keystore.store import KeyStore
from vault.lookup import Lookup
from vault.sealing import Sealer

DESK = Actor(code="desk", role=Role.CONTRIBUTOR)
PATIENCE = 30.0
LATER = date(2031, 11, 24)


@dataclass
class Store:
    """Signals, subjects and identifiers in memory; `before` is called with the number of each write, from 1."""

    subjects: dict[SubjectId, SealedSubject] = field(default_factory=dict)
    signals: dict[SignalId, SealedSignal] = field(default_factory=dict)
    identifiers: set[IdentifierId] = field(default_factory=set)
    entries: list[Entry] = field(default_factory=list)
    before: Callable[[int], None] = lambda _: None
    asked: int = 0
    writes: int = 0

    def seen(
        self,
        *,
        identifiers: Collection[IdentifierId],
        subjects: Collection[SubjectId],
        signals: Collection[SignalId],
    ) -> Seen:
        carriers = {
            one: tuple(sorted(key for key, held in self.subjects.items() if one in held.facts.identifiers))
            for one in self.identifiers.intersection(identifiers)
        }
        wanted = {*subjects, *(one for those in carriers.values() for one in those)}
        self.asked += 1
        return Seen(
            carriers=carriers,
            subjects={one: self.subjects[one] for one in wanted & self.subjects.keys()},
            signals=frozenset(self.signals.keys() & set(signals)),
            gone=frozenset(),
        )

    def record(self, batch: SealedBatch, _: Collection[HarbourNode], entries: Sequence[Entry]) -> None:
        self.writes += 1
        self.before(self.writes)
        new = {id_ for id_, _ in batch.identifiers}
        stated = {one for signal in batch.signals for mention in signal.mentions for one in mention.facts.identifiers}
        moved = all(self.revision(one.facts.id) == one.facts.revision - 1 for one in batch.moved)
        created = not any(one.facts.id in self.subjects for one in batch.created)
        if not (moved and created and stated - new <= self.identifiers and not new & self.identifiers):
            raise Conflict("graph.moved", "changed since it was seen")
        self.subjects |= {one.facts.id: one for one in (*batch.created, *batch.moved)}
        self.signals |= {one.facts.id: one for one in batch.signals}
        self.identifiers |= new
        self.entries += entries

    def revision(self, subject: SubjectId) -> int:
        return self.subjects[subject].facts.revision if subject in self.subjects else 0

    def append(self, entries: Sequence[Entry]) -> None:
        self.entries += entries

    def not_asked(self, *_: object) -> None:
        raise NotImplementedError

    open = distrust = roster = not_asked


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[KeyStore]:
    folder = tmp_path / "keys"
    store = KeyStore.init(folder, FileAnchor(folder / "anchor"), RegisterId(mint()), rehearsal=True)
    with closing(store):
        yield store


def intake_of(vault: KeyStore, store: Any) -> Intake:
    return Intake(
        lookup=Lookup(vault),
        sealing=Sealer(vault),
        store=store,
        trail=store,
        harbours=Harbours.load(SHIPPED),
        deadline=lambda _: Deadline(remove_by=LATER, rule="r", citation="c", because=()),
        review=ReviewTerms(due=lambda _: LATER, hides=lambda _: LATER, ends=lambda _: LATER),
        clock=SetClock(),
        backlog=Backlog(oldest=lambda _: None, until=lambda _: LATER),
        informant_months=4,
    )


def about(reference: str, passport: str, narrative: str = "An envelope was handed over.") -> NewSignal:
    carries = (NewIdentifier(kind=IdentifierKind.PASSPORT, value=passport),)
    return a_signal(
        reference=reference,
        received_on=TODAY,
        narrative=narrative,
        subjects=(a_person(identifiers=carries),),
        ports=(),
        links=(),
    )


BATCHES = [[about(f"r{batch}-{place}", f"NX000{place}4711") for place in range(3)] for batch in range(4)]


def receipts(answers: Sequence[Receipt | RegisterError]) -> list[tuple[str, bool]]:
    assert all(isinstance(one, Receipt) for one in answers)
    return [(one.reference, one.repeated) for one in answers if isinstance(one, Receipt)]


def expected(batches: Sequence[Sequence[NewSignal]]) -> list[list[tuple[str, bool]]]:
    return [[(one.reference, False) for one in batch] for batch in batches]


def test_the_next_batch_is_made_ready_while_the_one_before_is_written(vault: KeyStore) -> None:
    store = Store()
    reached = threading.Event()

    class Watched(Sealer):
        def seal(self, batch: Any) -> SealedBatch:
            sealed = super().seal(batch)
            if batch.signals[0].reference == "r1-0":
                reached.set()
            return sealed

    def before(number: int) -> None:
        assert number > 1 or reached.wait(PATIENCE), "the second batch waited for the first to be written"

    store.before = before
    intake = intake_of(vault, store)
    object.__setattr__(intake, "sealing", Watched(vault))
    assert [receipts(one) for one in intake.record_each(DESK, BATCHES)] == expected(BATCHES)


def test_who_is_new_in_one_batch_is_known_in_the_next(vault: KeyStore) -> None:
    """And each subject has had one revision a batch, whichever was under way."""
    store = Store()
    list(intake_of(vault, store).record_each(DESK, BATCHES))
    assert len(store.subjects) == 3
    assert {one.facts.revision for one in store.subjects.values()} == {4}
    assert len(store.signals) == len(store.entries) == 12
    assert store.writes == 4


def test_a_batch_that_was_overtaken_is_done_again_and_so_is_the_one_made_ready_upon_it(vault: KeyStore) -> None:
    """Another intake moves a subject between: answers stay in order, nothing is doubled, no id is drawn twice."""
    store = Store()

    def before(number: int) -> None:
        if number == 2:
            raise Conflict("graph.moved", "another intake was faster")

    store.before = before
    answers = [receipts(one) for one in intake_of(vault, store).record_each(DESK, BATCHES)]
    assert answers == expected(BATCHES)
    assert len(store.subjects) == 3
    assert len(store.signals) == len(store.entries) == 12
    assert store.writes == 5
    assert {one.done for one in vault.deliveries(_all_deliveries(vault)).values()} == {True}


def test_the_same_delivery_in_the_next_batch_waits_for_what_becomes_of_the_first(vault: KeyStore) -> None:
    store = Store()
    again = [[BATCHES[0][0]], [BATCHES[0][0], about("r0-0", "NX0004711", "Something else.")], [BATCHES[0][0]]]
    first, second, third = intake_of(vault, store).record_each(DESK, again)
    assert receipts(first) == [("r0-0", False)]
    assert receipts(second[:1]) == [("r0-0", True)]
    assert isinstance(second[1], Conflict)
    assert receipts(third) == [("r0-0", True)]
    assert len(store.signals) == store.writes == 1


def test_what_fails_for_good_ends_it_and_handing_in_again_goes_on(vault: KeyStore) -> None:
    store = Store()

    def before(number: int) -> None:
        if number == 2:
            raise Unavailable("graph.unreachable", "gone")

    store.before = before
    answers = intake_of(vault, store).record_each(DESK, BATCHES)
    assert receipts(next(answers)) == expected(BATCHES)[0]
    with pytest.raises(Unavailable):
        list(answers)
    store.before = lambda _: None
    again = [receipts(one) for one in intake_of(vault, store).record_each(DESK, BATCHES)]
    assert [{repeated for _, repeated in one} for one in again] == [{True}, {False}, {False}, {False}]
    assert len(store.subjects) == 3
    assert len(store.signals) == 12


def _all_deliveries(vault: KeyStore) -> list[bytes]:
    return [vault.tokens.delivery_value("desk", one.reference) for batch in BATCHES for one in batch]

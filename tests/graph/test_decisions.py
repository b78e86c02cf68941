"""Decisions and holds in a real graph: found only by who sees all, written whole or not at all."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date, timedelta

import pytest

from graph.connection import Graph
from graph.decisions import Decisions
from graph.erasure import Purging
from graph.holds import Holds
from graph.network import Networks
from graph.signals import Signals
from register.access import Permission
from register.audit import Act
from register.decision_stores import Change
from register.decisions import DossierKind, DossierState
from register.dossiers import DossierFacts, HoldFacts
from register.errors import Conflict
from register.ids import DossierId, HoldId, RunId, mint
from register.lifetime import HoldGround
from register.runs import Order
from register.sealed import SealedDossier, SealedHold, SealedSignal, SealedSubject
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
    blob,
    harbours,
    mac,
    moved,
)

ALL = ("closed-team",)


def store(register: Graph, signals: Collection[SealedSignal], subjects: Collection[SealedSubject]) -> None:
    batch = a_batch(tuple(signals), created=tuple(subjects))
    Signals(register).record(batch, harbours(batch), [])


def reviewed(on: date, **changes: object) -> SealedSubject:
    subject = a_subject()
    return replace(subject, facts=replace(subject.facts, review_by=on, **changes))  # type: ignore[arg-type]


def a_dossier(state: DossierState = DossierState.DONE, **changes: object) -> SealedDossier:
    facts = DossierFacts(
        id=DossierId(mint()),
        revision=1,
        kind=DossierKind.EARLY_END,
        code="incorrect",
        on=TODAY,
        by="rita",
        role="reviewer",
        case="C/1",
        targets=(mint(),),
        state=state,
        keep_until=FAR,
    )
    return SealedDossier(facts=replace(facts, **changes), mac=mac(), sealed={"reason": blob()})  # type: ignore[arg-type]


def a_hold(**changes: object) -> SealedHold:
    facts = HoldFacts(
        id=HoldId(mint()),
        revision=1,
        dossier=DossierId(mint()),
        ground=HoldGround.EVIDENCE,
        from_=TODAY,
        review_on=FAR,
        on=TODAY,
        by="chris",
        case="C/1",
    )
    return SealedHold(facts=replace(facts, **changes), mac=mac())  # type: ignore[arg-type]


def due(register: Graph, *, markings: Collection[str] = ALL, limit: int = 50, after: object = None) -> list[str]:
    grant = a_grant(Permission.SUBJECT_OPEN, markings=markings)
    witness = Witness(Act.REVIEW_QUEUE)
    found = Decisions(register).due(
        grant,
        until=TODAY + timedelta(days=90),
        after=after,  # type: ignore[arg-type]
        limit=limit,
        witnessed=witness,
    )
    ids = [node.subject.facts.id for node in found]
    assert (witness.targets, witness.count) == (tuple(sorted(ids)), len(ids))
    assert all(node.mention.facts.subject == node.subject.facts.id for node in found)
    return [str(one) for one in ids]


def test_the_queue_is_in_order_of_the_review_and_in_pages(register: Graph) -> None:
    days = [TODAY - timedelta(days=40), TODAY - timedelta(days=1), TODAY, TODAY, TODAY + timedelta(days=90)]
    subjects = [reviewed(day) for day in days]
    hidden = reviewed(TODAY - timedelta(days=31), hidden_from=TODAY - timedelta(days=1), restricted=True)
    others = [reviewed(TODAY + timedelta(days=91)), reviewed(TODAY, remove_by=TODAY)]
    everybody = [*subjects, hidden, *others]
    store(register, [a_signal([one.facts.id]) for one in everybody], everybody)
    order = sorted([*subjects, hidden], key=lambda one: (one.facts.review_by, one.facts.id))

    assert due(register) == [one.facts.id for one in order]
    paged, after = [], None
    while page := due(register, limit=2, after=after):
        paged += page
        last = next(one.facts for one in order if one.facts.id == page[-1])
        after = (last.review_by, last.id)
    assert paged == [one.facts.id for one in order]


def test_a_subject_of_which_a_part_is_hidden_is_not_there_for_who_decides(register: Graph) -> None:
    one = reviewed(TODAY)
    store(register, [a_signal([one.facts.id]), a_signal([one.facts.id], markings=ALL)], [one])
    decisions = Decisions(register)

    assert due(register, markings=()) == []
    assert decisions.subject(a_grant(), one.facts.id, Witness()) is None
    assert due(register) == [one.facts.id]
    found = decisions.subject(a_grant(markings=ALL), one.facts.id, None)
    assert found is not None
    assert found.subject == one
    assert len(found.signals) == len(found.mentions) == 2
    assert found.record.signals == ((TODAY, TODAY), (TODAY, TODAY))


def test_what_does_not_verify_is_decided_on_by_nobody(register: Graph) -> None:
    one = reviewed(TODAY)
    store(register, [a_signal([one.facts.id])], [one])
    register.write(lambda tx: tx.run("MATCH (s:Subject) SET s.distrusted_on = date()").consume())

    assert due(register) == []
    assert Decisions(register).subject(a_grant(markings=ALL), one.facts.id, None) is None


def test_a_decision_is_written_with_dossier_order_and_entry_or_not_at_all(register: Graph) -> None:
    one = reviewed(TODAY)
    store(register, [a_signal([one.facts.id])], [one])
    decisions = Decisions(register)
    line = "2026-11-24 2026-11-24 review still-needed " + mint()
    after = moved(one, acts=(line,), restricted=True)
    dossier = a_dossier()
    order = Order(id=RunId(mint()), as_of=TODAY, requested_by="rita", requested_at=NOW)
    change = Change(subjects=(after,), created=(dossier,), order=order)

    for _ in range(2):  # safe to run twice
        decisions.change(change, [an_entry(Act.REVIEW_DECIDE)])
    found = decisions.subject(a_grant(), one.facts.id, None)
    assert found is not None
    assert found.subject == after
    assert decisions.dossier(dossier.facts.id) == dossier
    assert Purging(register).orders() == (order,)
    entries = "MATCH (e:Entry) RETURN count(e)"
    assert register.read(lambda tx: tx.run(entries).single(strict=True).value()) == 1

    late = a_dossier()
    with pytest.raises(Conflict) as caught:
        decisions.change(Change(subjects=(after,), created=(late,)), [an_entry(Act.REVIEW_DECIDE)])
    assert caught.value.code == "graph.moved"
    assert decisions.dossier(late.facts.id) is None
    assert register.read(lambda tx: tx.run(entries).single(strict=True).value()) == 1


def test_a_proposal_is_settled_once(register: Graph) -> None:
    decisions = Decisions(register)
    first, second = (a_dossier(DossierState.PROPOSED, on=day) for day in (TODAY, TODAY - timedelta(days=1)))
    decisions.change(Change(created=(first, second)), [an_entry()])
    assert decisions.proposed() == (second, first)

    facts = replace(first.facts, revision=2, state=DossierState.DONE, second="ruud", settled_on=TODAY)
    settled = replace(first, facts=facts, sealed={**first.sealed, "settlement": blob()})
    decisions.change(Change(settled=(settled,)), [an_entry()])
    assert decisions.dossier(first.facts.id) == settled
    assert decisions.proposed() == (second,)
    with pytest.raises(Conflict):
        decisions.change(Change(settled=(settled,)), [an_entry()])


def test_an_ended_signal_takes_its_mentions_and_links_out_of_everybodys_sight(register: Graph) -> None:
    one, other = a_subject(), a_subject()
    ids = [one.facts.id, other.facts.id]
    signal = a_signal(ids, links=[Tied(a=0, b=1), Tied(a=1, b="NLRTM")])
    other_signal = a_signal([other.facts.id])
    store(register, [signal, other_signal], [one, other])
    decisions = Decisions(register)
    found = decisions.signal(signal.facts.id)
    assert found is not None
    read, records = found
    assert (read.facts, len(read.mentions), len(read.links)) == (signal.facts, 2, 2)
    assert {record.subject.facts.id: len(record.signals) for record in records} == {ids[0]: 0, ids[1]: 1}

    markings = ("=ended",)
    facts = replace(read.facts, revision=2, markings=markings, remove_by=TODAY)
    ended = replace(
        read,
        facts=facts,
        mac=mac(),
        mentions=tuple(replace(m, facts=replace(m.facts, markings=markings), mac=mac()) for m in read.mentions),
        links=tuple(replace(r, facts=replace(r.facts, markings=markings), mac=mac()) for r in read.links),
    )
    later = NOW + timedelta(hours=1)
    decisions.change(Change(signals=(ended,)), [an_entry(at=later)])
    again = list(Signals(register).roster(since=later))
    assert {row.mention: row.markings for row in again} == {m.facts.id: {*markings} for m in ended.mentions}

    grant = a_grant(markings=ALL)
    assert Signals(register).open(grant, signal.facts.id, Witness()) is None
    assert Networks(register).subject(grant, ids[0], Witness()) is None
    view = Networks(register).subject(grant, ids[1], Witness())
    assert view is not None
    assert ([m.facts.signal for m in view.mentions], view.links) == ([other_signal.facts.id], ())
    (kept,) = Purging(register).signals([signal.facts.id])
    assert (kept.facts, {m.mac for m in kept.mentions}) == (facts, {m.mac for m in ended.mentions})
    (left,) = [record for record in Purging(register).subjects() if record.subject.facts.id == ids[1]]
    assert len(left.signals) == 1


def test_a_redacted_signal_waits_for_the_desk_until_it_has_looked(register: Graph) -> None:
    one = a_subject()
    days = (TODAY, TODAY - timedelta(days=2), None)
    plain = [a_signal([one.facts.id]) for _ in days]
    signals = [replace(g, facts=replace(g.facts, redacted_on=day)) for g, day in zip(plain, days, strict=True)]
    closed = a_signal([one.facts.id], markings=ALL)
    closed = replace(closed, facts=replace(closed.facts, redacted_on=TODAY - timedelta(days=9)))
    store(register, [*signals, closed], [one])
    decisions = Decisions(register)

    def waiting(after: object = None, markings: Collection[str] = (), limit: int = 9) -> list[str]:
        grant = a_grant(markings=markings)
        witness = Witness()
        found = decisions.partial(grant, after=after, limit=limit, witnessed=witness)  # type: ignore[arg-type]
        assert witness.count == len(found)
        return [one.facts.id for one in found]

    assert waiting() == [signals[1].facts.id, signals[0].facts.id]
    assert waiting(markings=ALL)[0] == closed.facts.id
    assert waiting(limit=1) == [signals[1].facts.id]
    assert waiting(after=(days[1], signals[1].facts.id)) == [signals[0].facts.id]
    looked = replace(signals[1], facts=replace(signals[1].facts, revision=2, redacted_on=None), mentions=(), links=())
    decisions.change(Change(signals=(looked,)), [an_entry()])
    assert waiting() == [signals[0].facts.id]


def test_holds_are_laid_listed_and_lifted_once(register: Graph) -> None:
    holds = Holds(register)
    first, second = a_hold(on=TODAY - timedelta(days=1), subjects=(mint(),)), a_hold()
    for hold in (second, first):
        for _ in range(2):  # safe to run twice
            holds.lay(hold, a_dossier(id=hold.facts.dossier), an_entry(Act.HOLD_LAY))
    assert holds.holds() == (first, second)

    lifted = SealedHold(facts=replace(first.facts, revision=2, lifted_on=TODAY, lifted_by="carla"), mac=mac())
    holds.lift(lifted, a_dossier(), an_entry(Act.HOLD_LIFT))
    assert holds.hold(first.facts.id) == lifted
    with pytest.raises(Conflict):
        holds.lift(lifted, a_dossier(), an_entry(Act.HOLD_LIFT))
    assert holds.hold(HoldId(mint())) is None


def test_a_query_reaches_as_many_links_as_it_says_whoever_may_see_them(register: Graph) -> None:
    chain = [a_subject() for _ in range(5)]
    ids = [one.facts.id for one in chain]
    signal = a_signal(ids, links=[Tied(a=place, b=place + 1) for place in range(4)], markings=ALL)
    store(register, [signal], chain)
    asked = {HoldId(mint()): (str(ids[1]), depth) for depth in (1, 2, 3)}
    asked[HoldId(mint())] = (mint(), 3)
    reached = Holds(register).reach(asked)

    assert list(reached.values()) == [frozenset(ids[:3]), frozenset(ids[:4]), frozenset(ids), frozenset()]
    assert Holds(register).present([*ids, signal.facts.id, mint()]) == {*ids, signal.facts.id}

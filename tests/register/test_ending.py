"""Early ends take two people and hide at once what they agree on; the desk looks at what a removal left behind."""

from dataclasses import replace
from datetime import date

import pytest

from register.access import Actor, Role
from register.audit import Act, Outcome
from register.decisions import ActKind, DossierState, EndCode, decode_all
from register.desk import Desk
from register.ending import ENDED, EarlyEnds
from register.errors import Conflict, Invalid, NotFound, Refused, Tampered
from register.ids import DossierId, SignalId, SubjectId, mint
from tests.decision_fakes import WHY, Office, somebody

RITA = somebody("rita", Role.REVIEWER)
RUUD = somebody("ruud", Role.REVIEWER)
PRIA = somebody("pria", Role.PRIVACY_OFFICER)
DESI = somebody("desi", Role.DESK_OFFICER)
TODAY = date(2026, 11, 24)
LONG_AGO = date(2026, 2, 1)


@pytest.fixture
def office() -> Office:
    return Office()


def ends(office: Office) -> EarlyEnds:
    return EarlyEnds(deciding=office.deciding)


def subject(office: Office, **signal) -> SubjectId:
    made = SubjectId(mint())
    office.signal(made, on=LONG_AGO, **signal)
    return made


def propose(office: Office, about: SubjectId, code: EndCode = EndCode.RECALLED, actor: Actor = RITA) -> DossierId:
    return ends(office).propose_subject(actor, WHY, about, office.facts(about).revision, code, "Taken back in writing.")


def settle(office: Office, dossier: DossierId, actor: Actor = RUUD, *, agreed: bool = True):
    return ends(office).settle(actor, WHY, dossier, agreed=agreed, text="I looked at it too.")


@pytest.mark.parametrize("code", sorted(set(EndCode) - {EndCode.INDIRECTLY_IDENTIFYING}))
def test_what_two_people_agree_on_is_hidden_that_day_and_a_run_is_ordered(office: Office, code: EndCode) -> None:
    """R10: both people and their reasons are kept."""
    one = subject(office)
    dossier = propose(office, one, code)
    assert office.facts(one).hidden_from > TODAY
    settled = settle(office, dossier)
    facts = office.facts(one)
    assert (facts.remove_by, facts.hidden_from) == (TODAY, TODAY)
    (act,) = decode_all(facts.acts)
    flawed = {EndCode.INCORRECT: ActKind.FOUND_INCORRECT, EndCode.UNLAWFUL: ActKind.FOUND_UNLAWFUL}
    assert act.kind is flawed.get(code, ActKind.NO_LONGER_NECESSARY)
    (order,) = office.shelves.orders
    assert (order.id, order.as_of, order.requested_by) == (settled.run, TODAY, "ruud")
    kept = office.shelves.dossiers[dossier].facts
    assert (kept.state, kept.by, kept.second, kept.settled_on) == (DossierState.DONE, "rita", "ruud", TODAY)
    assert office.texts.open(office.shelves.dossiers[dossier]) == {
        "reason": "Taken back in writing.",
        "settlement": "I looked at it too.",
    }


def test_nobody_is_their_own_second_person(office: Office) -> None:
    """R10, R20: whoever proposes an early end does not settle it."""
    one = subject(office)
    dossier = propose(office, one)
    for agreed in (True, False):
        with pytest.raises(Refused) as caught:
            settle(office, dossier, RITA, agreed=agreed)
        assert caught.value.code == "approval.second-person"
        assert office.shelves.entries[-1].outcome is Outcome.REFUSED
    assert office.facts(one).hidden_from > TODAY


def test_a_proposer_changed_by_hand_makes_nobody_a_second_person(office: Office) -> None:
    one = subject(office)
    dossier = propose(office, one)
    held = office.shelves.dossiers[dossier]
    office.shelves.dossiers[dossier] = replace(held, facts=replace(held.facts, by="somebody"))
    with pytest.raises(Tampered):
        settle(office, dossier, RITA)


def test_a_proposal_written_by_hand_is_none(office: Office) -> None:
    one = subject(office)
    held = office.shelves.dossiers[propose(office, one)]
    forged = replace(held.facts, id=DossierId(mint()), by="somebody")
    office.shelves.dossiers[forged.id] = replace(held, facts=forged)
    with pytest.raises(Tampered):
        settle(office, forged.id)


def test_a_declined_proposal_changes_nothing_and_is_settled_once(office: Office) -> None:
    one = subject(office)
    before = office.facts(one)
    dossier = propose(office, one)
    assert settle(office, dossier, agreed=False).run is None
    assert office.facts(one) == before
    assert not office.shelves.orders
    with pytest.raises(Conflict) as caught:
        settle(office, dossier)
    assert caught.value.code == "proposal.settled"


def test_proposals_wait_where_somebody_else_sees_them_whole(office: Office) -> None:
    one, closed = subject(office), subject(office, markings=("closed-team",))
    inside = somebody("iris", Role.REVIEWER, markings=["closed-team"])
    seen, hidden = propose(office, one), propose(office, closed, actor=inside)
    assert [proposal.facts.id for proposal in ends(office).proposals(RUUD, WHY)] == [seen]
    assert {proposal.facts.id for proposal in ends(office).proposals(inside, WHY)} == {seen, hidden}
    with pytest.raises(NotFound):
        settle(office, hidden, RUUD)
    with pytest.raises(NotFound):
        propose(office, closed, actor=RUUD)


@pytest.mark.parametrize("role", [Role.CONTRIBUTOR, Role.ANALYST, Role.COMPLIANCE_OFFICER, Role.ADMINISTRATOR])
def test_nobody_else_proposes_sees_or_settles(office: Office, role: Role) -> None:
    """R10: without authority it is refused."""
    one = subject(office)
    dossier, other = propose(office, one), somebody("other", role)
    for act in (
        lambda: propose(office, one, actor=other),
        lambda: ends(office).proposals(other, WHY),
        lambda: settle(office, dossier, other),
        lambda: Desk(deciding=office.deciding).queue(other, WHY),
    ):
        with pytest.raises(Refused):
            act()


def test_an_early_end_needs_its_ground_and_a_reason(office: Office) -> None:
    """R10: without reason it is refused."""
    one = subject(office)
    with pytest.raises(Invalid) as caught:
        ends(office).propose_subject(RITA, WHY, one, 1, EndCode.INDIRECTLY_IDENTIFYING, "")
    assert {fault.rule for fault in caught.value.faults} == {"end.ground", "text.blank"}


def test_a_signal_that_ends_takes_with_it_whom_nothing_else_names(office: Office) -> None:
    alone, other = SubjectId(mint()), SubjectId(mint())
    older = office.signal(other, on=date(2026, 1, 10))
    signal = office.signal(alone, other, on=LONG_AGO)
    dossier = ends(office).propose_signal(DESI, WHY, signal, EndCode.INDIRECTLY_IDENTIFYING, "The post says it.")
    settle(office, dossier, PRIA)

    gone = office.shelves.signals[signal]
    assert gone.facts.remove_by == TODAY
    assert all(ENDED in one.facts.markings for one in (gone, *gone.mentions))
    office.texts.check([gone, *office.shelves.subjects.values()])
    assert (office.facts(alone).remove_by, office.facts(alone).hidden_from) == (TODAY, TODAY)
    # what the ended signal gave is gone: the older one's dates rule
    assert office.facts(other).remove_by == date(2031, 1, 10)
    assert office.facts(other).review_by == date(2027, 1, 10)
    assert older in office.shelves.signals
    acts = [entry.detail.get("signal") or entry.detail.get("subject") for entry in office.shelves.entries]
    assert {signal, alone, other} <= set(acts)
    with pytest.raises(NotFound):
        ends(office).propose_signal(DESI, WHY, signal, EndCode.RECALLED, "Once more.")


def test_the_desk_leaves_a_partly_removed_signal_and_it_waits_no_more(office: Office) -> None:
    one = SubjectId(mint())
    waiting = [office.signal(one, on=LONG_AGO, redacted_on=date(2026, 5, day)) for day in (9, 2, 5)]
    office.signal(one, on=LONG_AGO, redacted_on=date(2026, 4, 1), markings=("closed-team",))
    office.signal(one, on=LONG_AGO)
    desk = Desk(deciding=office.deciding)
    first, after = desk.queue(DESI, WHY, limit=2)
    rest, end = desk.queue(DESI, WHY, after=after, limit=2)
    assert [line.signal for line in (*first, *rest)] == [waiting[1], waiting[2], waiting[0]]
    assert end is None
    with pytest.raises(Conflict):
        desk.leave(DESI, WHY, waiting[1], 7, "Nothing left that points at anybody.")
    desk.leave(DESI, WHY, waiting[1], 1, "Nothing left that points at anybody.")
    office.texts.check([office.shelves.signals[waiting[1]]])
    assert [line.signal for line in desk.queue(DESI, WHY)[0]] == [waiting[2], waiting[0]]
    assert office.shelves.entries[-2].act is Act.DESK_JUDGE
    with pytest.raises(NotFound):
        desk.leave(DESI, WHY, waiting[1], 2, "Again.")
    with pytest.raises(NotFound):
        desk.leave(DESI, WHY, SignalId(mint()), 1, "Nothing there.")

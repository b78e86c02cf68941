"""Reviews: nothing is kept because nobody looked, and each decision is one person's, about all of one subject."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from register.access import Reason, Role
from register.audit import Act, Outcome
from register.decisions import DossierState, RestrictionCode, ReviewCode, decode_all
from register.errors import Conflict, Invalid, NotFound, Refused, Tampered
from register.ids import SignalId, SubjectId, mint
from register.judgements import Judgement, Question, Standing
from register.review import Review
from tests.decision_fakes import TERMS, WHY, Names, Office, somebody

RITA = somebody("rita", Role.REVIEWER)
PRIA = somebody("pria", Role.PRIVACY_OFFICER)
YES = dict.fromkeys(Question, True)
RECEIVED = date(2025, 11, 24)


@pytest.fixture
def office() -> Office:
    return Office()


def review(office: Office) -> Review:
    return Review(deciding=office.deciding, sealing=Names(office.texts), terms=TERMS)  # type: ignore[arg-type]


def subject(office: Office, *, on: date = RECEIVED, **signal: Any) -> SubjectId:
    made = SubjectId(mint())
    office.signal(made, on=on, **signal)
    return made


def judged(outcome: ReviewCode = ReviewCode.STILL_NEEDED, **changes: Any) -> Judgement:
    plain = Judgement(outcome=outcome, text="Named again in an inquiry of this year.", answers=YES)
    return replace(plain, **changes)


def decide(office: Office, about: SubjectId, judgement: Judgement, *, actor=RITA, seen: int | None = None):
    revision = office.facts(about).revision if seen is None else seen
    return review(office).decide(actor, WHY, about, revision, judgement)


def rules(caught: pytest.ExceptionInfo[Invalid]) -> set[str]:
    return {fault.rule for fault in caught.value.faults}


def test_still_needed_moves_the_next_review_and_not_the_removal(office: Office) -> None:
    """R09: kept in sight, with the next review's date."""
    one = subject(office)
    before = office.facts(one)
    told = decide(office, one, judged())
    after = office.facts(one)
    assert (after.remove_by, after.review_by) == (before.remove_by, date(2027, 11, 24))
    assert after.revision == before.revision + 1
    assert "10(6)" in told.rule
    (line,) = decode_all(after.acts)
    assert (line.code, line.dossier) == (ReviewCode.STILL_NEEDED, told.dossier)


def test_new_information_moves_the_removal_and_names_its_signal(office: Office) -> None:
    """R06, R09: a new term, from a necessity that is named."""
    one = subject(office)
    fresh = office.signal(one, on=date(2026, 3, 1))
    told = decide(office, one, judged(ReviewCode.NEW_INFORMATION, information=(fresh,)))
    assert told.remove_by == date(2031, 11, 24)
    assert office.shelves.dossiers[told.dossier].facts.grounds == (fresh,)


@pytest.mark.parametrize("known", [True, False])
def test_what_was_known_at_the_last_check_is_no_new_information(office: Office, known: bool) -> None:
    one = subject(office)
    (founding,) = office.shelves.signals
    named = SignalId(founding) if known else SignalId(mint())
    with pytest.raises(Invalid) as caught:
        decide(office, one, judged(ReviewCode.NEW_INFORMATION, information=(named,)))
    assert rules(caught) == {"information.old"}
    fresh = office.signal(one, on=date(2026, 3, 1))
    decide(office, one, judged())
    with pytest.raises(Invalid):
        decide(office, one, judged(ReviewCode.NEW_INFORMATION, information=(fresh,)))


def test_no_longer_necessary_only_proposes(office: Office) -> None:
    """R09: an end needs somebody else as well."""
    one = subject(office)
    before = office.facts(one)
    told = decide(office, one, judged(ReviewCode.NO_LONGER_NECESSARY))
    assert told.state is DossierState.PROPOSED
    assert office.facts(one) == before


@pytest.mark.parametrize("actor", [RITA, PRIA])
def test_a_restriction_hides_at_once_moves_no_date_and_can_be_lifted(office: Office, actor) -> None:
    """C12: what is hidden keeps its end."""
    one = subject(office)
    before = office.facts(one)
    restrict = judged(ReviewCode.RESTRICT, answers={}, ground=RestrictionCode.DISPUTE)
    assert decide(office, one, restrict, actor=actor).restricted
    hidden = office.facts(one)
    assert hidden.restricted
    assert (hidden.remove_by, hidden.review_by) == (before.remove_by, before.review_by)
    with pytest.raises(Invalid) as caught:
        decide(office, one, restrict, actor=actor)
    assert rules(caught) == {"restriction.stands"}
    decide(office, one, judged(ReviewCode.RELEASE, answers={}), actor=actor)
    assert not office.facts(one).restricted
    assert [act.kind for act in decode_all(office.facts(one).acts)] == ["restricted", "released"]


def test_a_privacy_officer_restricts_and_does_not_review(office: Office) -> None:
    one = subject(office)
    with pytest.raises(Refused):
        decide(office, one, judged(), actor=PRIA)
    assert office.shelves.entries[-1].outcome is Outcome.REFUSED


@pytest.mark.parametrize("role", [Role.CONTRIBUTOR, Role.ANALYST, Role.COMPLIANCE_OFFICER, Role.ADMINISTRATOR])
def test_nobody_else_sees_the_queue_or_decides(office: Office, role: Role) -> None:
    """R09: only who is authorised ends a review."""
    one = subject(office)
    other = somebody("other", role)
    for act in (
        lambda: review(office).queue(other, WHY),
        lambda: review(office).page(other, WHY, one),
        lambda: decide(office, one, judged(), actor=other),
    ):
        with pytest.raises(Refused):
            act()
    assert [one.outcome for one in office.shelves.entries] == [Outcome.REFUSED] * 3


def test_every_fault_is_named_at_once(office: Office) -> None:
    one = subject(office)
    wrong = judged(text="  ", answers={Question.SERVES_THEME: False}, information=(SignalId(mint()),))
    with pytest.raises(Invalid) as caught:
        decide(office, one, wrong)
    expected = {"text.blank", "answers.all", "answers.contradict", "information.needed", "information.old"}
    assert rules(caught) == expected
    assert not office.shelves.dossiers


def test_a_decision_about_what_has_changed_is_refused(office: Office) -> None:
    one = subject(office)
    seen = office.facts(one).revision
    office.signal(one, on=date(2026, 6, 1))
    with pytest.raises(Conflict) as caught:
        decide(office, one, judged(), seen=seen)
    assert caught.value.code == "subject.changed"
    assert not office.shelves.dossiers


def test_facts_put_in_by_hand_are_not_decided_on(office: Office) -> None:
    one = subject(office)
    held = office.shelves.subjects[one]
    office.shelves.subjects[one] = replace(held, facts=replace(held.facts, review_by=date(2030, 1, 1)))
    with pytest.raises(Tampered):
        decide(office, one, judged())


def test_a_reviewer_outside_a_compartment_sees_nothing_of_the_subject(office: Office) -> None:
    one = subject(office, markings=("closed-team",))
    office.signal(one, on=date(2026, 1, 1))  # one that the reviewer may see
    inside = somebody("iris", Role.REVIEWER, markings=["closed-team"])
    assert review(office).queue(RITA, WHY).items == ()
    for act in (lambda: review(office).page(RITA, WHY, one), lambda: decide(office, one, judged())):
        with pytest.raises(NotFound):
            act()
    assert [due.subject for due in review(office).queue(inside, WHY).items] == [one]
    assert decide(office, one, judged(), actor=inside).state is DossierState.DONE


def test_the_queue_comes_in_pages_the_longest_overdue_first(office: Office) -> None:
    """R13: what is overdue stands first."""
    today = office.watch.day
    received = [today - timedelta(days=365 + late) for late in (85, 40, 10, 0, -89)]
    made = [subject(office, on=on) for on in received]
    subject(office, on=today - timedelta(days=365 - 100))  # not yet
    subject(office, on=today - timedelta(days=365 + 90))  # over
    pages, after = [], None
    while True:
        page = review(office).queue(RITA, WHY, after=after, limit=2)
        pages += page.items
        after = page.after
        if after is None:
            break
    assert [one.subject for one in pages] == made
    standings = [Standing.HIDDEN, Standing.HIDDEN, Standing.OVERDUE, Standing.DUE, Standing.DUE]
    assert [one.standing for one in pages] == standings


def test_a_missed_review_can_be_made_up_for_until_the_subject_goes(office: Office) -> None:
    one = subject(office)
    office.watch.day = date(2026, 11, 24) + timedelta(days=89)
    assert office.facts(one).hidden_from <= office.watch.day
    decide(office, one, judged())
    assert office.facts(one).hidden_from > office.watch.day

    other = subject(office)
    office.watch.day = date(2026, 11, 24) + timedelta(days=90)
    with pytest.raises(Invalid) as caught:
        decide(office, other, judged())
    assert rules(caught) == {"review.too-late"}


def test_the_page_says_why(office: Office) -> None:
    """C04: the record in hand says from when it counts."""
    one = subject(office)
    page = review(office).page(RITA, WHY, one)
    assert page.facts.id == one
    assert any("5 years" in step for step in page.because)
    assert office.shelves.entries[-1].act is Act.REVIEW_OPEN


def test_purpose_and_case_are_needed(office: Office) -> None:
    with pytest.raises(Invalid):
        review(office).queue(RITA, Reason(purpose="", case="jan"))


def test_the_ledger_alone_tells_the_subject_as_it_is(office: Office) -> None:
    one = subject(office)
    told = decide(office, one, judged())
    (entry,) = [entry for entry in office.shelves.entries if entry.act is Act.REVIEW_DECIDE]
    facts = office.facts(one)
    assert entry.detail == {
        "subject": one,
        "line": facts.acts[-1],
        "revision": facts.revision,
        "remove_by": facts.remove_by.isoformat(),
        "review_by": facts.review_by.isoformat(),
        "hidden_from": facts.hidden_from.isoformat(),
        "restricted": 0,
        "dossier": told.dossier,
        "outcome": ReviewCode.STILL_NEEDED,
    }
    assert "inquiry" not in entry.body().decode()

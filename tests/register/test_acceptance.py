"""Who is who: strong identifiers and `same_as` match live subjects, names never; pure, so no store is needed."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.acceptance import Composer, Ids, Known, strong
from register.errors import Invalid
from register.grading import Category, SubjectKind
from register.ids import IdentifierId, SubjectId, mint
from register.lifetime import Deadline
from register.links import LinkKind, NewLink
from register.sealed import SubjectFacts
from register.subjects import IdentifierKind, NewIdentifier, NewSubject
from retention.policy import shipped
from retention.terms import review_terms
from tests.builders import a_signal, signals

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
REVIEW = review_terms(shipped("2020-01-01-theme-bribery.toml"))
KVK = NewIdentifier(kind=IdentifierKind.KVK, value="99169940")
BSN = NewIdentifier(kind=IdentifierKind.BSN, value="123456782")
PASSPORT = NewIdentifier(kind=IdentifierKind.PASSPORT, value="T12345678")


def deadline(received_on: date) -> Deadline:
    remove_by = date(received_on.year + 5, received_on.month, min(received_on.day, 28))
    return Deadline(remove_by=remove_by, rule="r", citation="c", because=())


def person(ref: str = "p1", *identifiers: NewIdentifier, name: str = "Jan Vermeer", same_as=None) -> NewSubject:
    return NewSubject(
        ref=ref,
        kind=SubjectKind.PERSON,
        category=Category.INVOLVED,
        names=(name,),
        identifiers=identifiers,
        same_as=same_as,
    )


NOTHING = Known(identifiers={}, gone=frozenset(), held=frozenset(), carriers={}, subjects={})


def composer(known: Known = NOTHING) -> Composer:
    return Composer(known=known, deadline=deadline, review=REVIEW, now=NOW, contributor="desk")


def facts(remove_by: date = date(2030, 1, 1), kind: SubjectKind = SubjectKind.PERSON) -> SubjectFacts:
    review_by = date(2027, 6, 1)
    return SubjectFacts(
        id=SubjectId(mint()),
        kind=kind,
        revision=4,
        remove_by=remove_by,
        review_by=review_by,
        hidden_from=REVIEW.hidden_from(remove_by, review_by),
    )


def knowing(*carried: tuple[NewIdentifier, SubjectFacts]) -> Known:
    ids = {identifier: IdentifierId(mint()) for identifier, _ in carried}
    return Known(
        identifiers=ids,
        gone=frozenset(),
        held=frozenset(ids.values()),
        carriers={ids[identifier]: (one.id,) for identifier, one in carried},
        subjects={one.id: replace(one, identifiers=tuple(ids.values())) for _, one in carried},
    )


def test_a_strong_identifier_joins_a_live_subject_and_moves_its_date():
    """R06: a later signal moves the date."""
    known = facts(remove_by=date(2029, 1, 1))
    compose = composer(knowing((KVK, known)))
    compose.add(a_signal(subjects=(person("p1", KVK),), received_on=date(2026, 10, 4), links=()), Ids.minted(), b"")
    batch = compose.batch()
    assert batch.created == ()
    (moved,) = batch.moved
    assert moved == replace(
        known,
        revision=5,
        remove_by=date(2031, 10, 4),
        review_by=date(2027, 11, 24),
        hidden_from=date(2027, 12, 24),
        identifiers=moved.identifiers,
    )
    assert batch.identifiers == {}


def test_an_older_signal_never_shortens_the_date():
    known = facts(remove_by=date(2031, 1, 1))
    compose = composer(knowing((KVK, known)))
    compose.add(a_signal(subjects=(person("p1", KVK),), received_on=date(2023, 1, 2), links=()), Ids.minted(), b"")
    (moved,) = compose.batch().moved
    assert (moved.id, moved.revision, moved.remove_by) == (known.id, 5, known.remove_by)


@pytest.mark.parametrize(
    ("review_by", "same"),
    [(date(2026, 8, 27), True), (date(2026, 8, 26), False)],  # 89 and 90 days late
)
def test_what_a_missed_review_has_ended_is_no_match(review_by: date, same: bool):
    known = replace(facts(), review_by=review_by, hidden_from=REVIEW.hides(review_by))
    compose = composer(knowing((BSN, known)))
    compose.add(a_signal(subjects=(person("p1", BSN),), links=()), Ids.minted(), b"")
    assert [one.id for one in compose.batch().moved] == ([known.id] if same else [])


def test_a_new_subject_is_to_be_looked_at_within_a_year_of_the_day_of_entry():
    compose = composer()
    signal = a_signal(subjects=(person(),), received_on=date(2022, 3, 1), handed_in_on=date(2024, 2, 29), links=())
    compose.add(signal, Ids.minted(), b"")
    (created,) = compose.batch().created
    assert (created.review_by, created.hidden_from) == (date(2027, 11, 24), date(2027, 3, 1))


def test_names_alone_never_merge():
    """C26."""
    compose = composer()
    for _ in range(2):
        compose.add(a_signal(subjects=(person(),), links=()), Ids.minted(), b"")
    assert len(compose.batch().created) == 2


def test_the_expired_stay_expired_even_with_the_same_identifier():
    """W22: from the day of its removal on a subject is no match candidate. R08: what is removed takes nothing more."""
    expired = facts(remove_by=date(2026, 11, 24))
    known = knowing((BSN, expired))
    compose = composer(known)
    compose.add(a_signal(subjects=(person("p1", BSN),), links=()), Ids.minted(), b"")
    batch = compose.batch()
    assert len(batch.created) == 1
    assert batch.moved == ()
    assert batch.signals[0].mentions[0].facts.identifiers == (known.identifiers[BSN],)


def test_the_identifier_issued_to_one_bearer_decides_when_two_disagree():
    by_bsn, by_passport = facts(), facts()
    compose = composer(knowing((PASSPORT, by_passport), (BSN, by_bsn)))
    compose.add(a_signal(subjects=(person("p1", PASSPORT, BSN),), links=()), Ids.minted(), b"")
    assert [one.id for one in compose.batch().moved] == [by_bsn.id]


def test_an_identifier_tied_to_somebody_else_in_the_graph_is_no_match():
    """Whoever writes to the database can tie an identifier to anybody; the subject's own facts do not name it."""
    known = knowing((BSN, facts()))
    (victim,) = known.subjects.values()
    known = replace(known, subjects={victim.id: replace(victim, identifiers=())})
    compose = composer(known)
    compose.add(a_signal(subjects=(person("p1", BSN),), links=()), Ids.minted(), b"")
    batch = compose.batch()
    assert (len(batch.created), batch.moved) == (1, ())


def test_a_person_never_becomes_an_organisation():
    compose = composer(knowing((KVK, facts(kind=SubjectKind.ORGANISATION))))
    compose.add(a_signal(subjects=(person("p1", KVK),), links=()), Ids.minted(), b"")
    assert len(compose.batch().created) == 1


def test_two_subjects_of_one_signal_stay_two():
    known = facts()
    compose = composer(knowing((BSN, known)))
    link = NewLink(from_ref="p1", to_ref="p2", kind=LinkKind.PAID)
    compose.add(a_signal(subjects=(person("p1", BSN), person("p2", BSN)), links=(link,)), Ids.minted(), b"")
    batch = compose.batch()
    (composed,) = batch.signals
    assert composed.links[0].from_ != composed.links[0].to
    assert [len(batch.created), len(batch.moved)] == [1, 1]


def test_same_as_joins_and_an_unknown_one_is_refused_with_its_place():
    known = facts()
    compose = composer(replace(NOTHING, subjects={known.id: known}))
    compose.add(a_signal(subjects=(person("p1", same_as=known.id),), links=()), Ids.minted(), b"")
    assert [one.id for one in compose.batch().moved] == [known.id]
    unknown = a_signal(subjects=(person("p1"), person("p2", same_as=SubjectId(mint()))), links=())
    with pytest.raises(Invalid) as refused:
        compose.add(unknown, Ids.minted(), b"")
    assert [(one.pointer, one.rule) for one in refused.value.faults] == [("/subjects/1/same_as", "same-as.unknown")]
    assert len(compose.batch().signals) == 1


def test_an_identifier_gone_with_a_purge_under_way_gets_a_new_id():
    """C18."""
    old = IdentifierId(mint())
    known = replace(NOTHING, identifiers={BSN: old}, gone=frozenset({old}))
    compose = composer(known)
    compose.add(a_signal(subjects=(person("p1", BSN),), links=()), Ids.minted(), b"")
    batch = compose.batch()
    assert batch.replaced == {BSN: old}
    assert batch.identifiers[BSN] != old


def test_an_interrupted_intake_takes_its_ids_again():
    compose = composer()
    ids = Ids.minted()
    compose.add(a_signal(subjects=(person("p1", BSN), person("p2")), links=()), ids, b"")
    first = compose.batch().signals[0]
    again = composer()
    again.add(
        a_signal(subjects=(person("p1", BSN), person("p2")), links=()),
        Ids(signal=ids.signal, receipt=ids.receipt, subjects=first.created),
        b"",
    )
    second = again.batch().signals[0]
    assert second.facts.id == first.facts.id
    assert [one.facts.subject for one in second.mentions] == [one.facts.subject for one in first.mentions]


@given(st.lists(signals(), max_size=4))
def test_a_batch_is_coherent(handed_in):
    """C23: every end of a link is there, in one batch."""
    compose = composer()
    for signal in handed_in:
        if all(one.same_as is None for one in signal.subjects):
            compose.add(signal, Ids.minted(), b"")
    batch = compose.batch()
    created = {one.id for one in batch.created}
    minted = set(batch.identifiers.values())
    carried = {one.id: set(one.identifiers) for one in batch.created}
    for signal in batch.signals:
        assert all(set(one.facts.identifiers) <= carried[one.facts.subject] for one in signal.mentions)
        mentioned = [one.facts.subject for one in signal.mentions]
        assert len(set(mentioned)) == len(mentioned)
        assert set(mentioned) <= created
        assert [one.facts.place for one in signal.mentions] == list(range(len(mentioned)))
        assert {each for one in signal.mentions for each in one.facts.identifiers} <= minted
        assert signal.facts.mentions == tuple(sorted(one.facts.id for one in signal.mentions))
        assert signal.facts.links == tuple(sorted(one.id for one in signal.links))
        assert (signal.facts.remove_by is None) == bool(signal.mentions)
        for link in signal.links:
            assert link.from_ in mentioned
            assert link.to in mentioned or (link.to_port and link.to in signal.facts.ports)
            assert link.from_ != link.to


@given(signals())
def test_strong_identifiers_are_normalised_and_ordered(signal):
    for subject in signal.subjects:
        found = strong(subject)
        assert len(set(found)) == len(found)
        assert all(one.kind in ("bsn", "kvk", "imo", "passport", "iban", "vat") for one in found)

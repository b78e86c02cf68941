"""Texts of decisions: each dossier under a key of its own, and nothing of it can be moved, taken away or put back."""

from contextlib import closing
from dataclasses import replace
from datetime import date

import pytest

from register.decisions import DossierKind, DossierState
from register.dossiers import DossierFacts
from register.errors import Tampered
from register.ids import DossierId, RunId, mint
from register.runs import Gone
from register.sealed import SealedDossier, SealedSubject
from tests.vault.builders import subject
from tests.vault.places import Place
from vault.dossiers import Dossiers
from vault.keystore.purge import Purge
from vault.keystore.rows import KeyKind
from vault.keystore.store import KeyStore

TEXTS = {"reason": "Because of what the court said.", "answers": '{"x":true}'}


def facts(**changes: object) -> DossierFacts:
    plain = DossierFacts(
        id=DossierId(mint()),
        revision=1,
        kind=DossierKind.EARLY_END,
        code="incorrect",
        on=date(2026, 11, 24),
        by="rita",
        role="reviewer",
        case="C/1",
        state=DossierState.PROPOSED,
        keep_until=date(2031, 11, 24),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.fixture
def dossiers(store: KeyStore) -> Dossiers:
    return Dossiers(store)


def settled(dossiers: Dossiers, before: SealedDossier) -> SealedDossier:
    after = replace(before.facts, revision=2, state=DossierState.DONE, second="ruud")
    return dossiers.add(before, after, {"settlement": "Agreed."})


def test_a_dossier_opens_as_it_was_sealed_and_takes_further_texts(dossiers: Dossiers) -> None:
    sealed = dossiers.seal(facts(), TEXTS)
    assert dossiers.open(sealed) == TEXTS
    assert dossiers.open(settled(dossiers, sealed)) == TEXTS | {"settlement": "Agreed."}
    assert all(text.encode() not in one.blob for text in TEXTS.values() for one in sealed.sealed.values())


def test_its_key_is_durable_before_anything_is_written_to_the_graph(dossiers: Dossiers, store: KeyStore) -> None:
    sealed = dossiers.seal(facts(), TEXTS)
    assert (KeyKind.DOSSIER, sealed.facts.id) in store.value_keys([sealed.facts.id], KeyKind.DOSSIER)


def test_no_text_is_written_twice(dossiers: Dossiers) -> None:
    sealed = dossiers.seal(facts(), TEXTS)
    with pytest.raises(Tampered):
        dossiers.add(sealed, sealed.facts, {"reason": "Something else."})


def test_changed_facts_and_texts_moved_or_taken_away_do_not_open(dossiers: Dossiers) -> None:
    sealed, other = dossiers.seal(facts(), TEXTS), dossiers.seal(facts(), TEXTS)
    without = {"reason": sealed.sealed["reason"]}
    for forged in (
        replace(sealed, facts=replace(sealed.facts, by="somebody")),
        replace(sealed, sealed=other.sealed),
        replace(sealed, sealed={"reason": sealed.sealed["answers"], "answers": sealed.sealed["reason"]}),
        replace(sealed, sealed=without),
        replace(sealed, facts=replace(sealed.facts, id=other.facts.id)),
    ):
        with pytest.raises(Tampered):
            dossiers.open(forged)


def test_an_older_state_put_back_is_found(dossiers: Dossiers) -> None:
    before = dossiers.seal(facts(), TEXTS)
    after = settled(dossiers, before)
    person = SealedSubject(facts=(made := subject()), mac=dossiers.mac(made))
    dossiers.remember([(after.facts.id, 2), (made.id, 3)])
    dossiers.check([after])
    for old in (before, person):
        with pytest.raises(Tampered):
            dossiers.check([old])


def test_a_dossiers_key_survives_the_purges_of_others_and_goes_with_its_own(place: Place) -> None:
    with closing(place.init()) as store:
        dossiers = Dossiers(store)
        kept, gone = dossiers.seal(facts(), TEXTS), dossiers.seal(facts(), TEXTS)
        purge = Purge(store)
        day = date(2026, 11, 24)
        forgotten = Gone(
            records=frozenset({gone.facts.id}),
            identifiers=frozenset(),
            redacted=frozenset(),
            on=day,
            deliveries_before=day,
        )
        purge.forget(RunId(mint()), forgotten, version=purge.advance_anchor(), fence=1)
    with closing(place.open()) as again:
        assert Dossiers(again).open(kept) == TEXTS
        with pytest.raises(Tampered):
            Dossiers(again).open(gone)

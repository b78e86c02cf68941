"""The text of a decision goes at its own term; what was decided, by whom and when, stays (Wpg art. 32(4))."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from register.access import Role
from register.dossier_terms import DossierTerms
from register.errors import Unavailable
from register.holding import Holding, NewHold
from register.ids import DossierId, SubjectId, mint
from tests.decision_fakes import Office, somebody

CHRIS = somebody("chris", Role.COMPLIANCE_OFFICER)
TODAY = date(2026, 11, 24)
CASE = "RR-2026/77"


class Keys:
    """The keys of dossiers; the first `broken` attempts fail."""

    def __init__(self, office: Office, broken: int = 0) -> None:
        self.held, self.broken = set(office.shelves.dossiers), broken

    def forget(self, ids) -> int:
        if self.broken:
            self.broken -= 1
            raise Unavailable("keystore.absent", "it is not there")
        gone = self.held & set(ids)
        self.held -= gone
        return len(gone)


@pytest.fixture
def office() -> Office:
    office = Office()
    one = SubjectId(mint())
    office.signal(one, on=date(2026, 2, 1))
    wanted = NewHold(
        title="Inquiry",
        mandate="Order",
        reason="Evidence.",
        ground="wpg-28-2-b",
        from_=TODAY,
        until=TODAY + timedelta(days=10),
        review_on=TODAY + timedelta(days=5),
        subjects=(one,),
    )
    Holding(deciding=office.deciding, store=office.shelves).lay(CHRIS, CASE, wanted)
    return office


def terms(office: Office, keys: Keys) -> DossierTerms:
    return DossierTerms(deciding=office.deciding, holds=office.shelves, forget=keys.forget)


def last_day(office: Office) -> date:
    (dossier,) = office.shelves.dossiers.values()
    return dossier.facts.keep_until


def test_a_text_goes_on_its_day_with_its_key_and_the_facts_stay(office):
    """R35: texts of accountability have a term of their own; what was decided, by whom and when, is still told."""
    keys, (before,) = Keys(office), office.shelves.dossiers.values()
    office.watch.day = last_day(office) - timedelta(days=1)
    assert (terms(office, keys).end(), len(keys.held)) == (0, 1)
    office.watch.day = last_day(office)
    assert (terms(office, keys).end(), keys.held) == (1, set())
    (after,) = office.shelves.dossiers.values()
    assert (after.sealed, after.facts.texts) == ({}, ())
    assert replace(after.facts, texts=before.facts.texts, revision=before.facts.revision) == before.facts
    office.texts.check([after])
    entry = office.shelves.entries[-1]
    assert (entry.act, entry.targets, entry.count) == ("text.ended", (after.facts.id,), 1)
    assert terms(office, keys).end() == 0
    assert office.shelves.entries[-1] is entry


def test_a_text_of_a_hold_stays_as_long_as_the_hold_stands(office):
    (hold,) = office.shelves.laid.values()
    longer = replace(hold.facts, until=last_day(office) + timedelta(days=30))
    office.shelves.laid[hold.facts.id] = replace(hold, facts=longer, mac=office.texts.mac(longer))
    keys = Keys(office)
    office.watch.day = last_day(office)
    assert (terms(office, keys).end(), len(keys.held)) == (0, 1)
    office.watch.day = last_day(office) + timedelta(days=31)
    assert (terms(office, keys).end(), keys.held) == (1, set())


def test_interrupted_before_the_key_went_the_next_night_drops_it(office):
    keys = Keys(office, broken=1)
    office.watch.day = last_day(office)
    with pytest.raises(Unavailable):
        terms(office, keys).end()
    assert len(keys.held) == 1
    assert (terms(office, keys).end(), keys.held) == (0, set())


def test_a_date_that_somebody_moved_ends_no_text(office):
    """An earlier day written into the database destroys no accountability: it is an incident."""
    (dossier,) = office.shelves.dossiers.values()
    forged = replace(dossier.facts, keep_until=TODAY)
    office.shelves.dossiers[DossierId(forged.id)] = replace(dossier, facts=forged)
    keys = Keys(office)
    office.watch.day = TODAY + timedelta(days=30)
    assert (terms(office, keys).end(), len(keys.held)) == (0, 1)
    entry = office.shelves.entries[-1]
    assert (entry.act, entry.detail["code"], entry.targets) == ("integrity.incident", "does-not-verify", (forged.id,))
    assert office.shelves.dossiers[DossierId(forged.id)].sealed == dossier.sealed

"""A key that has sealed as much as a key may: the next intake seals under another, and the former still decrypts."""

from contextlib import closing
from dataclasses import replace

import pytest

from register.ids import RunId
from tests.vault.builders import TODAY, batch, gone, signal, subject
from tests.vault.places import KINDS, Place, new_place
from vault.keystore.damage import examine
from vault.keystore.purge import Purge
from vault.keystore.renewals import SEALS, Renewals
from vault.keystore.rows import KeyKind
from vault.keystore.statements import readable
from vault.sealing import SIGNALS, Sealer

MOST = SEALS // (SIGNALS * 3)
RUN = RunId("0" * 32)


@pytest.fixture(params=KINDS)
def place(request, tmp_path) -> Place:
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    return new_place(tmp_path / "register.keys", server)


def versions(sealed) -> set[int]:
    return {
        int.from_bytes(value.blob[2:4], "big") for one in sealed.signals[0].mentions for value in one.sealed.values()
    }


def test_the_revision_bounds_what_a_subjects_key_has_sealed(place: Place) -> None:
    """At most 2^24 seals under one key, in batches of at most a thousand signals with three values each."""
    with closing(place.init()) as store:
        sealer, one = Sealer(store), subject()
        first = sealer.seal(batch([signal([one])], created=[one]))
        assert versions(first) == {1}
        for revision, wanted in ((MOST, 1), (MOST + 1, 2), (MOST + 2, 2), (2 * MOST + 1, 2), (2 * MOST + 2, 2)):
            moved = replace(one, revision=revision)
            sealed = sealer.seal(batch([signal([moved], reference=f"r-{revision}")], moved=[moved]))
            assert versions(sealed) == {wanted}, revision
            assert sealer.open_mentions(sealed.signals[0].mentions)
        assert sealer.open_mentions(first.signals[0].mentions)
        renewals = Renewals(store)
        assert renewals.under_way() == (one.id,)
        assert renewals.settle(one.id, 2 * MOST + 2, TODAY) == TODAY
        late = replace(one, revision=3 * MOST + 3)
        assert versions(sealer.seal(batch([signal([late], reference="late")], moved=[late]))) == {3}


def test_a_batch_larger_than_the_bound_allows_for_is_not_sealed(place: Place) -> None:
    with closing(place.init()) as store, pytest.raises(ValueError, match="1000 signals"):
        Sealer(store).seal(batch([signal([])] * (SIGNALS + 1)))


def test_only_what_has_come_to_its_day_goes_and_what_is_left_is_whole(place: Place) -> None:
    """Also the oldest version that is left of a key is found where a table can only be read row by row."""
    one, other = subject(), subject()
    with closing(place.init()) as store:
        sealer = Sealer(store)
        sealer.seal(batch([signal([one, other])], created=[one, other]))
        renewals = Renewals(store)
        for each in (one, other):
            renewals.begin(each.id, 1, KeyKind.SUBJECT)
            renewals.begin(each.id, 1, KeyKind.SUBJECT)  # begun already: no third
        renewals.settle(one.id, 2, TODAY)
        purge = Purge(store)
        purge.forget(RUN, gone(), version=purge.advance_anchor(), fence=0)
        purge.destroy_old(fence=0)
    with closing(place.open()) as store:
        rings = store.value_keys([one.id, other.id], KeyKind.SUBJECT)
        assert [int.from_bytes(key.header[2:4], "big") for key in rings[KeyKind.SUBJECT, one.id]] == [2]
        assert [int.from_bytes(key.header[2:4], "big") for key in rings[KeyKind.SUBJECT, other.id]] == [1, 2]
        assert [row.version for row in readable(store.reading, one.id, KeyKind.SUBJECT)] == [2]
        assert examine(store.database, place.anchor).hits == ()
        purge = Purge(store)
        purge.forget(RunId("1" * 32), gone([other.id]), version=purge.advance_anchor(), fence=0)
        assert [tuple(row) for row in place.run("SELECT id FROM renewals WHERE kind = 'subject'")] == [(one.id,)]

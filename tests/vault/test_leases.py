"""The one keeper's lease: who holds it is decided in the key store, whatever stands in the graph."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from register.errors import Tampered, Unavailable
from register.ids import RunId, mint
from register.runs import Lease
from tests.vault.builders import NOW, gone
from tests.vault.places import KINDS, Place, new_place
from vault.keystore import KeyStore, Purge
from vault.keystore.leases import HIGHEST_FENCE, Keeper


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    return new_place(tmp_path / "register.keys", server)


def at(seconds: int) -> dict[str, object]:
    return {"now": NOW + timedelta(seconds=seconds), "seconds": 60}


def test_one_holder_at_a_time_under_a_rising_number(store: KeyStore) -> None:
    keeper = Keeper(store.database)
    first = keeper.take("keeper-1", **at(0))  # type: ignore[arg-type]
    assert first == Lease(holder="keeper-1", fence=1)
    assert keeper.take("keeper-2", **at(59)) is None  # type: ignore[arg-type]
    assert keeper.take("keeper-1", **at(59)) == first  # type: ignore[arg-type]
    second = keeper.take("keeper-2", **at(120))  # type: ignore[arg-type]
    assert second == Lease(holder="keeper-2", fence=2)
    keeper.give_back(first)
    assert keeper.take("keeper-1", **at(121)) is None  # type: ignore[arg-type]
    keeper.give_back(second)
    assert keeper.take("keeper-1", **at(121)) == Lease(holder="keeper-1", fence=3)  # type: ignore[arg-type]
    assert keeper.take("keeper-1", **at(999)) == Lease(holder="keeper-1", fence=4)  # type: ignore[arg-type]


def test_of_many_keepers_at_once_one_gets_the_lease(store: KeyStore, place: Place) -> None:
    def take(n: int) -> Lease | None:
        with closing(place.database()) as database:
            return Keeper(database).take(f"keeper-{n}", now=NOW, seconds=60)

    with ThreadPoolExecutor(8) as pool:
        assert [lease.fence for lease in pool.map(take, range(8)) if lease] == [1]


def test_after_a_restore_the_number_is_above_both(store: KeyStore) -> None:
    keeper = Keeper(store.database)
    store.take_fence(5)
    assert keeper.take("keeper-1", now=NOW, seconds=60, above=3) == Lease(holder="keeper-1", fence=6)
    assert keeper.take("keeper-1", now=NOW, seconds=60, above=9) == Lease(holder="keeper-1", fence=10)
    assert keeper.take("keeper-1", now=NOW, seconds=60, above=10) == Lease(holder="keeper-1", fence=10)


def test_a_number_that_no_keeper_can_have_taken_is_an_alarm(store: KeyStore) -> None:
    with pytest.raises(Tampered) as caught:
        Keeper(store.database).take("keeper-1", now=NOW, seconds=60, above=HIGHEST_FENCE + 1)
    assert caught.value.code == "fence.forged"


def test_a_keeper_that_slept_past_its_lease_forgets_nothing(store: KeyStore) -> None:
    purge = Purge(store)
    mine = purge.lease("keeper-1", now=NOW, seconds=60)
    other = purge.lease("keeper-2", now=NOW + timedelta(seconds=61), seconds=60)
    assert mine is not None
    assert other is not None
    version = purge.advance_anchor()
    with pytest.raises(Unavailable) as caught:
        purge.forget(RunId(mint()), gone(), version=version, fence=mine.fence)
    assert caught.value.code == "fence.passed"
    purge.forget(RunId(mint()), gone(), version=version, fence=other.fence)

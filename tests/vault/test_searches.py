"""A name that was asked about is a digest under a key of its month, which goes when the bodies go."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from tests.vault.places import Place
from vault.keystore.searches import Searches, drop_searches, oldest_kept

MONTH = "2026-11"


def test_the_same_question_has_one_digest_in_a_month_and_others_have_others(place: Place) -> None:
    store = place.init()
    first = Searches(store).digest(MONTH, b'["jan jansen",null,[]]')
    assert len(first) == 64
    assert Searches(place.open()).digest(MONTH, b'["jan jansen",null,[]]') == first
    assert Searches(store).digest(MONTH, b'["jan janssen",null,[]]') != first
    assert Searches(store).digest("2026-12", b'["jan jansen",null,[]]') != first


def test_several_at_once_draw_one_key(place: Place) -> None:
    store = place.init()
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(lambda _: Searches(store).digest(MONTH, b"x"), range(32)))
    assert len(digests) == 1
    assert place.run("SELECT count(*) FROM keys WHERE kind = 'searches'") == [(1,)]


def test_a_dropped_key_leaves_a_digest_that_nobody_can_make_again(place: Place) -> None:
    """Audit: the key of a month is destroyed with the bodies of its entries."""
    store = place.init()
    before = {month: Searches(store).digest(month, b"x") for month in ("2021-10", "2021-11", "2021-12")}
    assert oldest_kept(datetime(2026, 11, 24, tzinfo=UTC)) == "2021-11"
    assert drop_searches(store.database, "2021-11") == 1
    assert drop_searches(store.database, "2021-11") == 0
    assert Searches(store).digest("2021-11", b"x") == before["2021-11"]
    assert Searches(store).digest("2021-10", b"x") != before["2021-10"]

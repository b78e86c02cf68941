"""What is spent is spent for every worker, also one that starts afresh, and comes back as time passes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from register.budgets import Allowance, Spending
from register.ids import mint
from vault.keystore.budgets import Budgets
from vault.keystore.database import Database
from vault.keystore.schema import metadata

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = Allowance(most=3, within=timedelta(hours=1))


@pytest.fixture
def url(tmp_path):
    address = tmp_path / "keys.sqlite"
    address.touch(mode=0o600)
    database = Database(address)
    with database.founding() as connection:
        metadata.create_all(connection)
    database.close()
    return address


@pytest.fixture
def database(url):
    opened = Database(url)
    yield opened
    opened.close()


def spend(database, actor="ana", *, at=NOW, what=Spending.SEARCH):
    return Budgets(database).spend(actor, what, HOUR, now=at)


def test_the_fourth_search_of_an_hour_is_over_the_budget_and_others_are_not(database):
    assert [spend(database) for _ in range(4)] == [True, True, True, False]
    assert spend(database, "bob")
    assert spend(database, what=Spending.BATCH)
    assert spend(database, at=NOW + timedelta(hours=1))


def test_a_fresh_worker_knows_what_was_spent(url):
    for _ in range(3):
        worker = Database(url)
        assert spend(worker)
        worker.close()
    fresh = Database(url)
    assert not spend(fresh)
    fresh.close()


def test_many_at_once_get_no_more_than_there_is(database):
    with ThreadPoolExecutor(8) as pool:
        let_through = list(pool.map(lambda _: spend(database), range(24)))
    assert sum(let_through) == 3


def test_a_clock_set_back_gives_nothing_back(database):
    assert all(spend(database, at=NOW + timedelta(minutes=50)) for _ in range(3))
    assert not spend(database)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 240), max_size=20))
def test_no_span_of_an_hour_holds_more_than_allowed(database, minutes):
    actor = mint()
    let_through = [at for at in sorted(minutes) if spend(database, actor, at=NOW + timedelta(minutes=at))]
    for first in let_through:
        assert sum(first <= other < first + 60 for other in let_through) <= 3

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vault.places import REGISTER, Place
from tests.vault.postgres import Server, programs, server
from vault.keystore.store import KeyStore
from vault.sealing import Sealer

__all__ = ["REGISTER"]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A running PostgreSQL server; where none is installed, the end of the run says what was left out."""
    found = programs()
    if found is None:
        pytest.skip("NOT CHECKED on PostgreSQL: there is no /usr/lib/postgresql/*/bin on this machine")
    with server(found) as running:
        yield running


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Where the store lies; modules that run on both databases give their own."""
    return Place(tmp_path / "register.keys")


@pytest.fixture
def folder(place: Place) -> Path:
    return place.folder


@pytest.fixture
def store(place: Place) -> Iterator[KeyStore]:
    store = place.init()
    yield store
    store.close()


@pytest.fixture
def sealer(store: KeyStore) -> Sealer:
    return Sealer(store)

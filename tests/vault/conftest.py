from collections.abc import Iterator
from pathlib import Path

import pytest

from register.ids import RegisterId
from vault.anchors.file import FileAnchor
from vault.keystore.store import KeyStore
from vault.sealing import Sealer

REGISTER = RegisterId("00112233445566778899aabbccddeeff")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "register.keys"


@pytest.fixture
def store(folder: Path) -> Iterator[KeyStore]:
    store = KeyStore.init(folder, FileAnchor(folder / "anchor"), REGISTER, rehearsal=True)
    yield store
    store.close()


@pytest.fixture
def sealer(store: KeyStore) -> Sealer:
    return Sealer(store)

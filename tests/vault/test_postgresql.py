"""A key store in a PostgreSQL database: its address, its server, and what a purge leaves there."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from register.errors import Conflict, Invalid, Tampered, Unavailable
from register.ids import RegisterId, RunId, mint
from tests.vault.builders import gone, one_signal
from tests.vault.places import PostgresPlace, new_place
from tests.vault.postgres import PASSWORD, Server
from vault.anchors.file import FileAnchor
from vault.keystore import KeyStore, Purge, database_url
from vault.keystore.postgresql import address
from vault.sealing import Sealer


@pytest.fixture
def place(postgresql: Server, tmp_path: Path) -> Iterator[PostgresPlace]:
    place = new_place(tmp_path / "register.keys", postgresql)
    assert isinstance(place, PostgresPlace)
    place.folder.mkdir(mode=0o700)
    yield place
    place.drop()


def open_until_refused(place: PostgresPlace) -> None:
    while True:  # the server reads its settings anew in its own time
        place.open().close()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "keys",
        "sqlite:///keys.sqlite",
        "postgresql://user@host",
        "postgresql://host/db?sslmode=disable",
        "://",
        "\0",
    ],
)
def test_an_address_that_is_none_is_named(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        address(text)
    assert [fault.rule for fault in caught.value.faults] == ["keystore.url"]


def test_the_address_is_read_from_a_file_that_only_its_owner_may_read(tmp_path: Path) -> None:
    assert database_url(tmp_path) is None
    with pytest.raises(Unavailable) as caught:
        database_url(tmp_path, tmp_path / "absent")
    assert caught.value.code == "secret.absent"
    file = tmp_path / "keystore.url"
    file.touch(mode=0o600)
    file.write_text("postgresql://one@host/keys\n")
    assert database_url(tmp_path) == "postgresql://one@host/keys"
    file.chmod(0o640)
    with pytest.raises(Tampered) as exposed:
        database_url(tmp_path)
    assert exposed.value.code == "secret.exposed"


def test_a_server_that_is_not_there_is_said_so_without_its_password(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    for url in (
        f"postgresql://register:{PASSWORD}@/keys?host={tmp_path}",
        f"postgresql://register:{PASSWORD}@127.0.0.1:1/keys",
        f"postgresql://register:{PASSWORD}@no-such-host.invalid/keys",
    ):
        with pytest.raises(Unavailable) as caught:
            KeyStore.open(tmp_path, FileAnchor(tmp_path / "anchor"), url=url)
        assert caught.value.code == "keystore.unavailable"
        assert PASSWORD not in f"{caught.value!r} {caught.value.message} {caught.value.__cause__!r}"


def test_a_wrong_password_opens_nothing(place: PostgresPlace) -> None:
    wrong = place.url.replace(PASSWORD, "another")
    with pytest.raises(Unavailable):
        KeyStore.open(place.folder, place.anchor, url=wrong)


def test_a_server_that_does_not_sync_is_refused(place: PostgresPlace) -> None:
    place.init().close()
    place.run("ALTER SYSTEM SET fsync = off")
    place.run("SELECT pg_reload_conf()")
    try:
        with pytest.raises(Unavailable) as caught:
            open_until_refused(place)
        assert caught.value.code == "keystore.unsafe"
    finally:
        place.run("ALTER SYSTEM RESET fsync")
        place.run("SELECT pg_reload_conf()")


def test_a_database_with_a_key_store_is_never_taken_for_another(place: PostgresPlace, tmp_path: Path) -> None:
    place.init().close()
    before = place.run("SELECT * FROM register")
    other = tmp_path / "other.keys"
    with pytest.raises(Conflict) as caught:
        KeyStore.init(other, FileAnchor(other / "anchor"), RegisterId(mint()), rehearsal=False, url=place.url)
    assert caught.value.code == "keys.exist"
    assert place.run("SELECT * FROM register") == before


def test_a_commit_is_synced_whatever_the_server_was_told(place: PostgresPlace) -> None:
    place.run(f"ALTER DATABASE {place.name} SET synchronous_commit = off")
    with closing(place.init()) as store, store.reading() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"


def test_what_a_purge_leaves_is_said_and_is_so(place: PostgresPlace) -> None:
    """The tables' files name nobody any more; the write-ahead log still does, and the evidence says so."""
    with closing(place.init()) as store:
        accepted = one_signal()
        Sealer(store).seal(accepted)
        purged = accepted.created[0].id
        purge = Purge(store)
        purge.forget(RunId(mint()), gone([purged]), version=purge.advance_anchor(), fence=1)
        evidence = purge.destroy_old(fence=1)
    assert evidence["write_ahead_log"] == "until-recycled"
    assert purged.encode() not in place.files()
    log = b"".join(path.read_bytes() for path in (place.server.data / "pg_wal").iterdir() if path.is_file())
    assert purged.encode() in log

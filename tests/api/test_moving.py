"""The root key moves from one anchor to another: survivors open, the former anchor opens nothing, killed anywhere."""

import os
import random
import shutil
import signal as signals
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from api.anchors import NEXT, anchor_of, begin_move, end_move, moving
from api.keys import replaced, status
from api.settings import Settings
from register.errors import Conflict, Invalid, RegisterError, Unavailable
from register.ids import RunId, mint
from tests.openbao import OpenBao
from tests.vault.builders import NOW
from tests.vault.places import Place
from tests.vault.test_purge import House
from vault.anchors import Anchor, AnchorKind
from vault.anchors.moving import ROOM
from vault.keystore import KeyStore, Purge
from vault.keystore.leases import Keeper

ROUNDS = 24
WORDS = ("a crane, a quay and no envelope", "another crane, another quay")


def settings_of(folder: Path) -> Settings:
    return Settings(home=folder.parent / "home", keys=folder)


class Chosen(Place):
    """A folder of keys under the anchor that is written down in it."""

    def open(self, anchor: Anchor | None = None, *, generation: int | None = None) -> KeyStore:
        return super().open(anchor or anchor_of(settings_of(self.folder)), generation=generation)


Option = Callable[[AnchorKind], dict[str, object]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House.built(Chosen(tmp_path_factory.mktemp("built") / "keys"), 4)


@pytest.fixture
def house(built: House, tmp_path: Path) -> House:
    shutil.copytree(built.place.folder, tmp_path / "keys")
    return replace(built, place=Chosen(tmp_path / "keys"))


@pytest.fixture
def options(request: pytest.FixtureRequest, tmp_path: Path) -> Option:
    """Makes the options of a new anchor; each passphrase is another one."""
    words = iter(WORDS)

    def of(kind: AnchorKind) -> dict[str, object]:
        if kind is AnchorKind.FILE:
            return {}
        if kind is AnchorKind.TRANSIT:
            server: OpenBao = request.getfixturevalue("openbao")
            return {"anchor_address": server.address, "anchor_token_file": server.token_file(tmp_path)}
        path = tmp_path / mint()
        path.touch(mode=0o600)
        path.write_text(next(words))
        return {"anchor_passphrase_file": path}

    return of


def root_version(house: House) -> int:
    return int(status(settings_of(house.place.folder))["anchor"]["version"])


def fenced(house: House) -> int:
    with closing(house.place.database()) as database:
        lease = Keeper(database).take("keeper", now=NOW, seconds=60)
    assert lease is not None
    return lease.fence


def move(house: House, kind: AnchorKind | None, options: dict[str, object]) -> None:
    """What `keys rotate --anchor` does, and with no kind what `keys rotate` does."""
    settings = settings_of(house.place.folder)
    if kind is not None:
        begin_move(settings, kind, options, root_version(house))
    with closing(house.place.open()) as store:
        replaced(store, RunId(mint()), fence=fenced(house), now=NOW, resend_days=30)
    end_move(settings)


def opens(store: Path, anchor: Path) -> bool:
    """Say whether the key store in one folder of keys opens with the anchor of another."""
    mixed = store.parent / f"mixed-{mint()}"
    shutil.copytree(anchor, mixed)
    shutil.rmtree(mixed / "store")
    shutil.copytree(store / "store", mixed / "store")
    try:
        with closing(KeyStore.open(mixed, anchor_of(settings_of(mixed)))):
            return True
    except RegisterError:
        return False


FILE, WORD, SERVER = AnchorKind.FILE, AnchorKind.PASSPHRASE, AnchorKind.TRANSIT


@pytest.mark.parametrize(
    "path",
    [
        (WORD, WORD, FILE, FILE),
        pytest.param((SERVER, SERVER, WORD), marks=pytest.mark.openbao),
    ],
    ids=lambda path: "-".join(path),
)
def test_survivors_open_under_each_anchor_and_an_old_copy_under_none(
    house: House, options: Option, path: tuple[AnchorKind, ...]
) -> None:
    keys = house.place.folder
    for kind in path:
        before, version = Path(shutil.copytree(keys, keys.parent / mint())), root_version(house)
        move(house, kind, options(kind))
        house.check_survivors()
        found = status(settings_of(keys))
        assert (found["anchor"]["kind"], found["moving"], found["old_roots"]) == (kind, False, 0)
        assert found["anchor"]["version"] > version  # no number is used twice, by whichever anchor
        folders = [one.name for one in keys.iterdir() if one.name.startswith("anchor-") or one.name == "anchor"]
        assert len(folders) == (0 if kind is SERVER else 1)
        assert not opens(before, keys)
        # Control: with its own anchor an old copy opens, unless that anchor was in a server, which forgot.
        held_by = before / "anchor.json"
        on_server = held_by.exists() and SERVER in held_by.read_text()
        assert opens(before, before) is not on_server
        purge_as_usual(house)
        house.check_survivors()


def purge_as_usual(house: House) -> None:
    with closing(house.place.open()) as store:
        run, fence = Purge(store), fenced(house)
        run.forget(RunId(mint()), house.gone, version=run.advance_anchor(), fence=fence)
        run.destroy_old(fence=fence)


def test_a_nights_purge_in_between_moves_the_root_key_itself(house: House, options: Option) -> None:
    settings = settings_of(house.place.folder)
    before = Path(shutil.copytree(house.place.folder, house.place.folder.parent / "before"))
    begin_move(settings, WORD, options(WORD), root_version(house))
    house.check_survivors()
    purge_as_usual(house)
    assert (status(settings)["anchor"]["kind"], moving(settings)) == ("passphrase", True)
    house.check_survivors()
    house.check_gone()
    assert not opens(before, house.place.folder)
    move(house, None, {})
    assert not moving(settings)
    house.check_survivors()


def test_a_purge_that_began_before_the_move_was_decided_stays_with_the_former_anchor(
    house: House, options: Option
) -> None:
    with closing(house.place.open()) as store:
        begin_move(settings_of(house.place.folder), WORD, options(WORD), root_version(house))
        run, fence = Purge(store), fenced(house)
        run.forget(RunId(mint()), house.gone, version=run.advance_anchor(), fence=fence)
        run.destroy_old(fence=fence)
    house.check_survivors()
    assert status(settings_of(house.place.folder))["anchor"]["kind"] == "file"
    move(house, None, {})
    assert status(settings_of(house.place.folder))["anchor"]["kind"] == "passphrase"
    house.check_survivors()


def test_a_second_move_waits_for_the_first_and_a_setting_must_not_name_another_place(
    house: House, options: Option
) -> None:
    settings = settings_of(house.place.folder)
    named = settings.model_copy(update=options(WORD))
    with pytest.raises(Invalid):
        begin_move(named, WORD, options(WORD), 1)
    assert not moving(settings)
    begin_move(settings, FILE, {}, 1)
    with pytest.raises(Conflict):
        begin_move(settings, FILE, {}, 1)


def test_while_the_new_passphrase_is_not_at_hand_nothing_opens_and_nothing_is_lost(
    house: House, options: Option
) -> None:
    given = options(WORD)
    begin_move(settings_of(house.place.folder), WORD, given, root_version(house))
    file = Path(str(given["anchor_passphrase_file"]))
    aside = file.rename(file.with_name("aside"))
    with pytest.raises(Unavailable):
        house.place.open()
    aside.rename(file)
    house.check_survivors()


def killed(house: House, kind: AnchorKind, options: dict[str, object], after: float) -> bool:
    child = os.fork()
    if child == 0:
        try:
            move(house, kind, options)
        finally:
            os._exit(0)
    time.sleep(after)
    os.kill(child, signals.SIGKILL)
    _, state = os.waitpid(child, 0)
    return os.WIFSIGNALED(state)


def test_killed_at_random_moments_it_opens_and_the_next_rotation_ends_it(house: House, tmp_path: Path) -> None:
    moments = random.Random(20261125)  # noqa: S311 - moments of a test
    keys = house.place.folder
    whole = Path(shutil.copytree(keys, tmp_path / "whole"))
    began = time.monotonic()
    move(house, FILE, {})
    takes, hit, states = time.monotonic() - began, 0, set()
    for _ in range(ROUNDS):
        shutil.rmtree(keys)
        shutil.copytree(whole, keys)
        hit += killed(house, FILE, {}, moments.uniform(0, takes))
        house.check_survivors()
        found = status(settings_of(keys))
        moved = found["anchor"]["version"] > ROOM
        states.add((found["moving"], moved, found["old_roots"]))
        if found["moving"] or not moved:
            move(house, None if found["moving"] else FILE, {})
        house.check_survivors()
        found = status(settings_of(keys))
        assert (found["anchor"]["version"] > ROOM, found["moving"], found["old_roots"]) == (True, False, 0)
        assert not (keys / NEXT).exists()
        assert not opens(whole, keys)
    assert hit >= ROUNDS // 3
    assert len(states) >= 2

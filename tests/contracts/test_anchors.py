"""What every anchor must do. A provider joins by one more entry in PROVIDERS.

Each also says honestly what its destruction is worth: a *logical* one is undone by whoever kept a copy of its folder.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from register.errors import Tampered, Unavailable
from vault.anchors import Anchor
from vault.anchors.file import FileAnchor

AAD = b"theme-register/root-key/1"


@dataclass(frozen=True)
class Provider:
    """How to use one provider in a folder of its own, and how a thief would keep and put back a copy of its state."""

    name: str
    make: Callable[[Path], Anchor]
    keep: Callable[[Path, Path], object]
    restore: Callable[[Path, Path], object]
    damage: Callable[[Path, int], object]


def _restore(kept: Path, home: Path) -> None:
    shutil.rmtree(home)
    shutil.copytree(kept, home)


def _flip(home: Path, version: int) -> None:
    path = home / "anchor" / f"{version:010}.key"
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)


PROVIDERS = [
    Provider(
        name="file",
        make=lambda home: FileAnchor(home / "anchor"),
        keep=lambda home, kept: shutil.copytree(home, kept),
        restore=_restore,
        damage=_flip,
    )
]


@pytest.fixture(params=PROVIDERS, ids=lambda provider: provider.name)
def provider(request: pytest.FixtureRequest) -> Provider:
    found: Provider = request.param
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home


@pytest.fixture
def anchor(provider: Provider, home: Path) -> Anchor:
    return provider.make(home)


def test_it_names_its_kind_and_what_destruction_is_worth(provider: Provider, anchor: Anchor) -> None:
    assert anchor.kind == provider.name
    assert anchor.assurance in {"logical", "clear", "purge"}


def test_what_is_wrapped_unwraps_under_the_same_version_and_aad_only(anchor: Anchor) -> None:
    first, second = anchor.advance(), anchor.advance()
    blob = anchor.wrap(first, b"root key", AAD)
    assert b"root key" not in blob
    assert anchor.unwrap(first, blob, AAD) == b"root key"
    for version, wrong, aad in (
        (second, blob, AAD),
        (first, blob, AAD + b"?"),
        (first, blob[:-1], AAD),
        (first, blob + b"?", AAD),
        (first, b"", AAD),
        (first, bytes([blob[0] ^ 1]) + blob[1:], AAD),
    ):
        with pytest.raises(Tampered):
            anchor.unwrap(version, wrong, aad)


def test_wrapping_twice_gives_different_blobs(anchor: Anchor) -> None:
    version = anchor.advance()
    assert anchor.wrap(version, b"root key", AAD) != anchor.wrap(version, b"root key", AAD)


def test_versions_rise_and_all_stay_live(anchor: Anchor) -> None:
    versions = [anchor.advance() for _ in range(4)]
    assert versions == sorted(set(versions))
    assert all(anchor.probe(version) for version in versions)
    assert not anchor.probe(versions[-1] + 1)


def test_destruction_takes_the_lower_ones_and_leaves_the_higher(anchor: Anchor) -> None:
    old, committed, unfinished = anchor.advance(), anchor.advance(), anchor.advance()
    blob = anchor.wrap(old, b"old root", AAD)
    anchor.destroy_below(committed)
    assert [anchor.probe(version) for version in (old, committed, unfinished)] == [False, True, True]
    with pytest.raises(Unavailable) as caught:
        anchor.unwrap(old, blob, AAD)
    assert caught.value.code == "anchor.absent"
    with pytest.raises(Unavailable):
        anchor.wrap(old, b"root", AAD)


def test_destruction_is_the_same_however_often_it_runs(anchor: Anchor) -> None:
    anchor.advance()
    committed = anchor.advance()
    assert anchor.destroy_below(committed) == anchor.destroy_below(committed)
    assert all(isinstance(value, str) for value in anchor.destroy_below(committed).values())


def test_nothing_is_destroyed_for_a_version_that_is_not_live(anchor: Anchor) -> None:
    version = anchor.advance()
    for missing in (version + 1, version + 100):
        with pytest.raises(Unavailable):
            anchor.destroy_below(missing)
    assert anchor.probe(version)


def test_no_number_is_used_twice(anchor: Anchor) -> None:
    seen: set[int] = set()
    for _ in range(3):
        unfinished = anchor.advance()  # a purge that died after this step
        committed = anchor.advance()
        assert not {unfinished, committed} & seen
        seen |= {unfinished, committed}
        anchor.destroy_below(committed)


def test_another_process_sees_the_same_versions(provider: Provider, anchor: Anchor, home: Path) -> None:
    version = anchor.advance()
    blob = anchor.wrap(version, b"root key", AAD)
    assert provider.make(home).unwrap(version, blob, AAD) == b"root key"
    assert provider.make(home).advance() == version + 1


def test_a_damaged_version_is_told_from_an_absent_one_and_never_replaced(
    provider: Provider, anchor: Anchor, home: Path
) -> None:
    version = anchor.advance()
    blob = anchor.wrap(version, b"root key", AAD)
    provider.damage(home, version)
    for attempt in (
        lambda: anchor.unwrap(version, blob, AAD),
        lambda: anchor.wrap(version, b"root key", AAD),
        lambda: anchor.probe(version),
        lambda: anchor.advance(),
    ):
        with pytest.raises(Tampered):
            attempt()
    provider.damage(home, version)  # the same bit back
    assert anchor.unwrap(version, blob, AAD) == b"root key"


def test_a_damaged_old_version_does_not_hold_up_its_destruction(provider: Provider, anchor: Anchor, home: Path) -> None:
    old, committed = anchor.advance(), anchor.advance()
    provider.damage(home, old)
    anchor.destroy_below(committed)
    assert not anchor.probe(old)


def test_destroyed_even_when_its_state_is_put_back(
    provider: Provider, anchor: Anchor, home: Path, tmp_path: Path
) -> None:
    """What a *logical* anchor fails, and must say that it fails; every better one must pass."""
    old = anchor.advance()
    blob = anchor.wrap(old, b"old root", AAD)
    committed = anchor.advance()
    provider.keep(home, tmp_path / "kept")
    anchor.destroy_below(committed)
    provider.restore(tmp_path / "kept", home)
    if anchor.assurance == "logical":
        assert provider.make(home).unwrap(old, blob, AAD) == b"old root"
    else:
        with pytest.raises(Unavailable):
            provider.make(home).unwrap(old, blob, AAD)


class TestFile:
    """What only the file provider has to answer for."""

    def test_files_are_their_owners_only(self, home: Path) -> None:
        anchor = FileAnchor(home / "anchor")
        anchor.advance()
        assert (home / "anchor").stat().st_mode & 0o777 == 0o700
        assert [path.stat().st_mode & 0o777 for path in (home / "anchor").iterdir()] == [0o600]

    def test_a_file_that_others_may_read_is_refused(self, home: Path) -> None:
        anchor = FileAnchor(home / "anchor")
        version = anchor.advance()
        (home / "anchor" / f"{version:010}.key").chmod(0o640)
        with pytest.raises(Tampered) as caught:
            anchor.probe(version)
        assert caught.value.code == "anchor.exposed"

    def test_a_destroyed_file_was_overwritten_first(self, home: Path, tmp_path: Path) -> None:
        anchor = FileAnchor(home / "anchor")
        old, committed = anchor.advance(), anchor.advance()
        path = home / "anchor" / f"{old:010}.key"
        content = path.read_bytes()
        os.link(path, tmp_path / "same-inode")
        anchor.destroy_below(committed)
        assert not path.exists()
        left = (tmp_path / "same-inode").read_bytes()
        assert len(left) == len(content)
        assert content[-64:-32] not in left

    @pytest.mark.parametrize("size", [0, 10, 60, 200])
    def test_a_file_of_another_size_is_damaged(self, home: Path, size: int) -> None:
        anchor = FileAnchor(home / "anchor")
        version = anchor.advance()
        path = home / "anchor" / f"{version:010}.key"
        path.write_bytes((path.read_bytes() * 3)[:size])
        with pytest.raises(Tampered):
            anchor.probe(version)

    def test_what_a_killed_process_left_is_no_version(self, home: Path) -> None:
        anchor = FileAnchor(home / "anchor")
        anchor.advance()
        (home / "anchor" / ".0000000002.new").write_bytes(b"half a key")
        assert anchor.advance() == 2
        assert anchor.probe(2)

"""What every anchor must do. A provider joins by one more entry in PROVIDERS.

Each also says honestly what its destruction is worth: a *logical* one is undone by whoever kept a copy of its folder.
"""

import base64
import hashlib
import os
import shutil
import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from register.errors import Invalid, Tampered, Unavailable
from register.ids import mint
from tests.openbao import OpenBao, running
from vault.anchors import Anchor, AnchorKind
from vault.anchors.file import FileAnchor
from vault.anchors.passphrase import PassphraseAnchor
from vault.anchors.transit import TransitAnchor

AAD = b"theme-register/root-key/1"
PASSPHRASE = "a crane, a quay and no envelope"


@dataclass(frozen=True)
class Provider:
    """How to use one provider with a folder of its own; `files`: its versions are files in that folder."""

    name: str
    make: Callable[[Path], Anchor]
    files: bool = True


def _transit(server: OpenBao) -> Callable[[Path], Anchor]:
    def make(home: Path) -> Anchor:
        (home / "key").touch()
        key = (home / "key").read_text() or mint()
        (home / "key").write_text(key)
        return TransitAnchor(server.address, f"theme-register-{key}", server.token_file(home))

    return make


FILES = {
    "file": lambda home: FileAnchor(home / "anchor"),
    "passphrase": lambda home: PassphraseAnchor(home / "anchor", PASSPHRASE),
}
ON_FILES = [pytest.param(name) for name in FILES]
EVERY = [*ON_FILES, pytest.param("transit", marks=pytest.mark.openbao)]


@pytest.fixture(params=EVERY)
def provider(request: pytest.FixtureRequest) -> Provider:
    if request.param in FILES:
        return Provider(name=request.param, make=FILES[request.param])
    return Provider(name="transit", make=_transit(request.getfixturevalue("openbao")), files=False)


on_files = pytest.mark.parametrize("provider", ON_FILES, indirect=True)


def _restore(kept: Path, home: Path) -> None:
    shutil.rmtree(home)
    shutil.copytree(kept, home)


def _flip(home: Path, version: int) -> None:
    path = home / "anchor" / f"{version:010}.key"
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home


@pytest.fixture
def anchor(provider: Provider, home: Path) -> Anchor:
    return provider.make(home)


def test_there_is_a_suite_for_every_kind_that_can_be_chosen() -> None:
    assert [one.values[0] for one in EVERY] == list(AnchorKind)


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


@on_files
def test_a_damaged_version_is_told_from_an_absent_one_and_never_replaced(
    provider: Provider, anchor: Anchor, home: Path
) -> None:
    version = anchor.advance()
    blob = anchor.wrap(version, b"root key", AAD)
    _flip(home, version)
    for attempt in (
        lambda: anchor.unwrap(version, blob, AAD),
        lambda: anchor.wrap(version, b"root key", AAD),
        lambda: anchor.probe(version),
        lambda: anchor.advance(),
    ):
        with pytest.raises(Tampered):
            attempt()
    _flip(home, version)  # the same bit back
    assert anchor.unwrap(version, blob, AAD) == b"root key"


@on_files
def test_a_damaged_old_version_does_not_hold_up_its_destruction(provider: Provider, anchor: Anchor, home: Path) -> None:
    old, committed = anchor.advance(), anchor.advance()
    _flip(home, old)
    anchor.destroy_below(committed)
    assert not anchor.probe(old)


def test_destroyed_even_when_its_state_is_put_back(
    provider: Provider, anchor: Anchor, home: Path, tmp_path: Path
) -> None:
    """What a *logical* anchor fails, and must say that it fails; every better one must pass."""
    old = anchor.advance()
    blob = anchor.wrap(old, b"old root", AAD)
    committed = anchor.advance()
    shutil.copytree(home, tmp_path / "kept")
    anchor.destroy_below(committed)
    _restore(tmp_path / "kept", home)
    if anchor.assurance == "logical":
        assert provider.make(home).unwrap(old, blob, AAD) == b"old root"
    else:
        with pytest.raises(Unavailable):
            provider.make(home).unwrap(old, blob, AAD)


@on_files
class TestFiles:
    """What the providers that keep files have to answer for."""

    def test_files_are_their_owners_only(self, anchor: Anchor, home: Path) -> None:
        old = os.umask(0)
        try:
            anchor.advance()
        finally:
            os.umask(old)
        assert (home / "anchor").stat().st_mode & 0o777 == 0o700
        assert [path.stat().st_mode & 0o777 for path in (home / "anchor").iterdir()] == [0o600]

    def test_a_file_that_others_may_read_is_refused(self, anchor: Anchor, home: Path) -> None:
        version = anchor.advance()
        (home / "anchor" / f"{version:010}.key").chmod(0o640)
        with pytest.raises(Tampered) as caught:
            anchor.probe(version)
        assert caught.value.code == "anchor.exposed"

    def test_a_link_in_a_versions_place_is_not_followed(self, anchor: Anchor, home: Path, tmp_path: Path) -> None:
        anchor.advance()
        path = home / "anchor" / "0000000001.key"
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(Unavailable) as caught:
            anchor.probe(1)
        assert caught.value.code == "anchor.unreadable"

    def test_a_version_has_its_name_only_when_its_content_is_on_the_disk(
        self, anchor: Anchor, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        anchor.advance()
        steps: list[str] = []
        sync, link = os.fsync, os.link

        def synced(handle: int) -> None:
            folder = stat.S_ISDIR(os.fstat(handle).st_mode)
            names = sorted(path.name for path in (home / "anchor").iterdir() if not path.name.startswith("."))
            steps.append(f"folder with {len(names)}" if folder else f"file of {os.fstat(handle).st_size > 60}")
            sync(handle)

        def linked(source: Any, target: Any) -> None:
            steps.append("named")
            link(source, target)

        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(os, "link", linked)
        anchor.advance()
        assert steps == ["folder with 1", "file of True", "named", "folder with 2"]
        steps.clear()
        anchor.destroy_below(2)
        assert steps == ["file of True", "folder with 1"]

    def test_a_destroyed_file_was_overwritten_first(self, anchor: Anchor, home: Path, tmp_path: Path) -> None:
        old, committed = anchor.advance(), anchor.advance()
        path = home / "anchor" / f"{old:010}.key"
        content = path.read_bytes()
        os.link(path, tmp_path / "same-inode")
        anchor.destroy_below(committed)
        assert not path.exists()
        left = (tmp_path / "same-inode").read_bytes()
        assert len(left) == len(content)
        assert content[-64:-32] not in left

    @pytest.mark.parametrize("size", [0, 10, 60, 400])
    def test_a_file_of_another_size_is_damaged(self, anchor: Anchor, home: Path, size: int) -> None:
        version = anchor.advance()
        path = home / "anchor" / f"{version:010}.key"
        path.write_bytes((path.read_bytes() * 5)[:size])
        with pytest.raises(Tampered):
            anchor.probe(version)

    def test_every_bit_of_a_file_counts(self, anchor: Anchor, home: Path) -> None:
        version = anchor.advance()
        path = home / "anchor" / f"{version:010}.key"
        whole = path.read_bytes()
        for bit in range(0, len(whole) * 8, 5):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            path.write_bytes(flipped)
            with pytest.raises(Tampered):
                anchor.probe(version)

    def test_a_version_under_another_ones_name_is_damaged(self, anchor: Anchor, home: Path) -> None:
        anchor.advance()
        (home / "anchor" / "0000000001.key").rename(home / "anchor" / "0000000002.key")
        with pytest.raises(Tampered):
            anchor.probe(2)

    def test_what_a_killed_process_left_is_no_version(self, anchor: Anchor, home: Path) -> None:
        anchor.advance()
        (home / "anchor" / ".0000000002.new").write_bytes(b"half a key")
        assert anchor.advance() == 2
        assert anchor.probe(2)


class TestPassphrase:
    """What only the passphrase provider has to answer for."""

    def test_a_copied_folder_opens_only_with_the_passphrase(self, home: Path) -> None:
        version = PassphraseAnchor(home / "anchor", PASSPHRASE).advance()
        blob = PassphraseAnchor(home / "anchor", PASSPHRASE).wrap(version, b"root key", AAD)
        wrong = PassphraseAnchor(home / "anchor", PASSPHRASE + "s")
        for attempt in (
            lambda: wrong.unwrap(version, blob, AAD),
            lambda: wrong.wrap(version, b"root key", AAD),
            lambda: wrong.advance(),
        ):
            with pytest.raises(Unavailable) as caught:
                attempt()
            assert caught.value.code == "anchor.passphrase"
        assert not wrong.probe(version + 1), "a slip of the pen made a version"

    def test_one_passphrase_may_be_typed_in_two_unicode_forms(self, home: Path) -> None:
        version = PassphraseAnchor(home / "anchor", "caf\u00e9 aan de kade").advance()
        blob = PassphraseAnchor(home / "anchor", "cafe\u0301 aan de kade").wrap(version, b"root key", AAD)
        assert PassphraseAnchor(home / "anchor", "caf\u00e9 aan de kade").unwrap(version, blob, AAD) == b"root key"

    @pytest.mark.parametrize("passphrase", ["", "eleven char"])
    def test_a_short_passphrase_is_none(self, home: Path, passphrase: str) -> None:
        with pytest.raises(Invalid) as caught:
            PassphraseAnchor(home / "anchor", passphrase)
        assert [fault.rule for fault in caught.value.faults] == ["passphrase.short"]
        assert passphrase == "" or passphrase not in str(caught.value)

    def test_nothing_of_a_passphrase_is_shown(self, home: Path) -> None:
        anchor = PassphraseAnchor(home / "anchor", PASSPHRASE)
        assert PASSPHRASE not in f"{anchor!r} {vars(anchor)!r}"

    @pytest.mark.parametrize(
        ("memory", "iterations", "lanes"),
        [
            (65_535, 3, 4),
            (8, 3, 4),
            (65_536, 2, 4),
            (65_536, 1, 4),
            (65_536, 3, 1),
            (0, 0, 0),
            (1_048_577, 3, 4),
            (2**32 - 1, 3, 4),
            (65_536, 17, 4),
            (65_536, 2**32 - 1, 4),
            (65_536, 3, 17),
        ],
    )
    def test_planted_costs_are_refused_untried(self, home: Path, memory: int, iterations: int, lanes: int) -> None:
        anchor = PassphraseAnchor(home / "anchor", PASSPHRASE)
        version = anchor.advance()
        blob = anchor.wrap(version, b"root key", AAD)
        path = home / "anchor" / f"{version:010}.key"
        whole = path.read_bytes()
        at = len(whole) - 32 - 60 - 28
        planted = whole[:at] + struct.pack(">III", memory, iterations, lanes) + whole[at + 12 : -32]
        path.write_bytes(planted + hashlib.sha256(planted).digest())
        with pytest.raises(Tampered) as caught:
            anchor.unwrap(version, blob, AAD)
        assert caught.value.code == "anchor.parameters"


@pytest.mark.openbao
class TestTransit:
    """What only the transit provider has to answer for."""

    @pytest.fixture
    def key(self) -> str:
        return f"theme-register-{mint()}"

    @pytest.fixture
    def anchor(self, openbao: OpenBao, key: str, home: Path) -> TransitAnchor:
        return TransitAnchor(openbao.address, key, openbao.token_file(home))

    def test_what_was_trimmed_cannot_be_had_back_from_the_server(
        self, openbao: OpenBao, anchor: TransitAnchor, key: str
    ) -> None:
        old = anchor.advance()
        blob = anchor.wrap(old, b"old root", AAD)
        anchor.destroy_below(anchor.advance())
        for path, content in (
            (f"transit/keys/{key}/config", {"min_decryption_version": 1}),
            (f"transit/keys/{key}/trim", {"min_available_version": 1}),
        ):
            with pytest.raises(httpx.HTTPStatusError):
                openbao.root("POST", path, **content)
        with pytest.raises(Unavailable):
            anchor.unwrap(old, blob, AAD)

    def test_control_a_raised_least_version_alone_destroys_nothing(
        self, openbao: OpenBao, anchor: TransitAnchor, key: str
    ) -> None:
        old = anchor.advance()
        blob = anchor.wrap(old, b"old root", AAD)
        new = anchor.advance()
        openbao.root("POST", f"transit/keys/{key}/config", min_decryption_version=new)
        assert not anchor.probe(old)
        openbao.root("POST", f"transit/keys/{key}/config", min_decryption_version=old)
        assert anchor.unwrap(old, blob, AAD) == b"old root"

    @pytest.mark.parametrize("way", ["exportable", "allow_plaintext_backup"])
    def test_a_key_that_the_server_could_give_away_is_not_used(
        self, openbao: OpenBao, anchor: TransitAnchor, key: str, way: str
    ) -> None:
        version = anchor.advance()
        openbao.root("POST", f"transit/keys/{key}/config", **{way: True})
        for attempt in (
            anchor.advance,
            lambda: anchor.wrap(version, b"root key", AAD),
            lambda: anchor.destroy_below(version),
        ):
            with pytest.raises(Tampered) as caught:
                attempt()
            assert caught.value.code == "anchor.exportable"

    def test_a_key_that_is_gone_is_not_made_anew_by_wrapping(
        self, openbao: OpenBao, anchor: TransitAnchor, key: str
    ) -> None:
        version = anchor.advance()
        blob = anchor.wrap(version, b"root key", AAD)
        openbao.root("POST", f"transit/keys/{key}/config", deletion_allowed=True)
        openbao.root("DELETE", f"transit/keys/{key}")
        for attempt in (
            lambda: anchor.wrap(version, b"root key", AAD),
            lambda: anchor.unwrap(version, blob, AAD),
            lambda: anchor.destroy_below(version),
        ):
            with pytest.raises(Unavailable) as caught:
                attempt()
            assert caught.value.code == "anchor.absent"
        assert not anchor.probe(version)

    def test_what_another_server_did_not_bind_does_not_unwrap(
        self, openbao: OpenBao, anchor: TransitAnchor, key: str
    ) -> None:
        """Without associated data the engine takes any; the digest inside still binds."""
        version = anchor.advance()
        plain = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        made = openbao.root("POST", f"transit/encrypt/{key}", plaintext=plain, associated_data="aGVsbG8=")
        blob = base64.b64decode(made["data"]["ciphertext"].rpartition(":")[2])
        with pytest.raises(Tampered):
            anchor.unwrap(version, blob, b"hello")

    def test_what_does_not_answer_or_refuses_is_unavailable_and_shows_no_secret(
        self, openbao: OpenBao, anchor: TransitAnchor, key: str, home: Path
    ) -> None:
        version = anchor.advance()
        token = home / "token"
        closed = TransitAnchor("http://127.0.0.1:9", key, token)
        for attempt, code in (
            (lambda: closed.wrap(version, b"root key", AAD), "anchor.unreachable"),
            (lambda: anchor.probe(version), "anchor.refused"),
        ):
            if code == "anchor.refused":
                token.write_text("s.another-token")
            with pytest.raises(Unavailable) as caught:
                attempt()
            assert caught.value.code == code
            assert caught.value.__context__ is None
            assert openbao.token not in repr(vars(caught.value))

    def test_a_sealed_server_is_unavailable(self, tmp_path: Path) -> None:
        with running(tmp_path) as server:
            (tmp_path / "home").mkdir()
            anchor = TransitAnchor(server.address, "theme-register-sealed", server.token_file(tmp_path / "home"))
            version = anchor.advance()
            server.root("PUT", "sys/seal")
            with pytest.raises(Unavailable) as caught:
                anchor.probe(version)
            assert caught.value.code == "anchor.unreachable"

    def test_a_server_is_trusted_only_under_the_authority_that_was_named(self, tmp_path: Path, home: Path) -> None:
        with running(tmp_path, tls=True) as server:
            token = server.token_file(home)
            anchor = TransitAnchor(server.address, "theme-register-tls", token, authorities=server.authorities)
            assert anchor.unwrap(1, anchor.wrap(anchor.advance(), b"root key", AAD), AAD) == b"root key"
            for authorities in (None, home / "absent.pem"):
                with pytest.raises(Unavailable) as caught:
                    TransitAnchor(server.address, "theme-register-tls", token, authorities=authorities).probe(1)
                assert caught.value.code == "anchor.unreachable"

    def test_a_token_that_others_may_read_is_refused(self, anchor: TransitAnchor, home: Path) -> None:
        (home / "token").chmod(0o644)
        with pytest.raises(Tampered) as caught:
            anchor.advance()
        assert caught.value.code == "secret.exposed"

    def test_a_token_file_that_is_absent_or_holds_no_token_is_unavailable(
        self, anchor: TransitAnchor, home: Path
    ) -> None:
        for content in ("", "two words", "a\x00b", "caf\u00e9"):
            (home / "token").write_text(content)
            with pytest.raises(Unavailable) as caught:
                anchor.advance()
            assert caught.value.code == "secret.absent"
        (home / "token").unlink()
        with pytest.raises(Unavailable):
            anchor.advance()

    @pytest.mark.parametrize(
        ("address", "key", "mount", "rules"),
        [
            ("http://bao.example:8200", "k", "transit", ["anchor.address"]),
            ("https://user:word@bao.example", "k", "transit", ["anchor.address"]),
            ("https://bao.example/?x=1", "k", "transit", ["anchor.address"]),
            ("https://bao.example/v1", "k", "transit", ["anchor.address"]),
            ("bao.example:8200", "k", "transit", ["anchor.address"]),
            ("https://bao.example", "../sys/seal", "transit", ["anchor.name"]),
            ("ftp://bao.example", "k/x", "/", ["anchor.address", "anchor.name", "anchor.name"]),
        ],
    )
    def test_what_is_no_address_or_name_is_invalid(
        self, home: Path, address: str, key: str, mount: str, rules: list[str]
    ) -> None:
        with pytest.raises(Invalid) as caught:
            TransitAnchor(address, key, home / "token", mount=mount)
        assert [fault.rule for fault in caught.value.faults] == rules
        assert "word" not in str(caught.value)

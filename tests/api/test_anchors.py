"""The choice of an anchor: written down once, found again by everybody, secrets from files or a terminal only."""

import json
import os
import pty
from pathlib import Path

import pytest

from api.anchors import RECORD, anchor_of, choose
from api.settings import Settings
from register.errors import Invalid, RegisterError, Tampered, Unavailable
from register.ids import RegisterId, mint
from tests.openbao import OpenBao
from vault.anchors import AnchorKind

PASSPHRASE = "a crane, a quay and no envelope"
AAD = b"theme-register/root-key/1"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "keys").mkdir(mode=0o700)
    return Settings(home=tmp_path / "home", keys=tmp_path / "keys")


@pytest.fixture
def passphrase_file(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.touch(mode=0o600)
    path.write_text(PASSPHRASE + "\n")
    return path


def chosen(settings: Settings, kind: AnchorKind, **named: object) -> tuple[bytes, int]:
    anchor = choose(settings.model_copy(update=named), kind, RegisterId(mint()))
    version = anchor.advance()
    return anchor.wrap(version, b"root key", AAD), version


def test_the_choice_is_found_again_without_being_told(settings: Settings, passphrase_file: Path) -> None:
    blob, version = chosen(settings, AnchorKind.PASSPHRASE, anchor_passphrase_file=passphrase_file)
    again = anchor_of(settings)
    assert (again.kind, again.unwrap(version, blob, AAD)) == ("passphrase", b"root key")
    record = settings.keys_folder / RECORD
    assert record.stat().st_mode & 0o777 == 0o600
    assert PASSPHRASE not in record.read_text()


@pytest.mark.openbao
def test_a_transit_key_is_called_after_the_register(settings: Settings, openbao: OpenBao, tmp_path: Path) -> None:
    register = RegisterId(mint())
    named = {"anchor_address": openbao.address, "anchor_token_file": openbao.token_file(tmp_path)}
    anchor = choose(settings.model_copy(update=named), AnchorKind.TRANSIT, register)
    version = anchor.advance()
    again = anchor_of(settings)
    assert again.unwrap(version, anchor.wrap(version, b"root key", AAD), AAD) == b"root key"
    assert (again.kind, again.assurance) == ("transit", "clear")
    assert openbao.root("GET", f"transit/keys/theme-register-{register}")["data"]["exportable"] is False
    record = (settings.keys_folder / RECORD).read_text()
    assert openbao.token not in record
    moved = settings.model_copy(update={"anchor_address": "http://127.0.0.1:9"})
    with pytest.raises(Unavailable):
        anchor_of(moved).probe(version)


def test_keys_from_before_there_was_a_choice_have_a_file_anchor(settings: Settings) -> None:
    assert anchor_of(settings).kind == "file"


@pytest.mark.parametrize(
    ("kind", "named", "rules"),
    [
        (AnchorKind.TRANSIT, {}, ["anchor.missing", "anchor.missing"]),
        (AnchorKind.TRANSIT, {"anchor_address": "https://bao.example"}, ["anchor.missing"]),
        (
            AnchorKind.TRANSIT,
            {"anchor_address": "http://bao.example", "anchor_token_file": Path("token")},
            ["anchor.address"],
        ),
    ],
)
def test_a_choice_that_lacks_something_is_not_written_down(
    settings: Settings, kind: AnchorKind, named: dict[str, object], rules: list[str]
) -> None:
    with pytest.raises(Invalid) as caught:
        chosen(settings, kind, **named)
    assert [fault.rule for fault in caught.value.faults] == rules
    assert list(settings.keys_folder.iterdir()) == []


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"format": "theme-register anchor choice v1", "kind": "paper"}', '{"kind": 1}']
)
def test_a_damaged_record_is_never_taken_for_another_choice(settings: Settings, content: str) -> None:
    chosen(settings, AnchorKind.FILE)
    (settings.keys_folder / RECORD).write_text(content)
    with pytest.raises(RegisterError) as caught:
        anchor_of(settings)
    assert caught.value.code in ("anchor.record", "secret.absent")


def test_a_passphrase_file_that_others_may_read_is_refused(settings: Settings, passphrase_file: Path) -> None:
    passphrase_file.chmod(0o640)
    with pytest.raises(Tampered) as caught:
        chosen(settings, AnchorKind.PASSPHRASE, anchor_passphrase_file=passphrase_file)
    assert caught.value.code == "secret.exposed"


def at_a_terminal(settings: Settings, typed: bytes, *, twice: bool) -> str:
    """Answer a child process's prompts; return what it says of itself."""
    reading, writing = os.pipe()
    child, terminal = pty.fork()
    if child == 0:
        try:
            anchor = choose(settings, AnchorKind.PASSPHRASE, RegisterId(mint())) if twice else anchor_of(settings)
            anchor.advance()
            said = "advanced"
        except RegisterError as error:
            said = error.faults[0].rule if isinstance(error, Invalid) else error.code
        except BaseException as error:
            said = repr(error)
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    shown = b""
    for answer in typed.splitlines(keepends=True):
        while not shown.endswith(b": "):
            shown += os.read(terminal, 100)
        os.write(terminal, answer)
        shown = b""
    with open(reading, "rb") as pipe:
        said = pipe.read().decode()
    os.close(terminal)
    os.waitpid(child, 0)
    return said


def test_without_a_file_the_terminal_is_asked_twice_at_init_and_once_afterwards(settings: Settings) -> None:
    right = PASSPHRASE.encode() + b"\n"
    assert at_a_terminal(settings, right + b"another one altogether\n", twice=True) == "passphrase.differs"
    assert at_a_terminal(settings, right * 2, twice=True) == "advanced"
    assert at_a_terminal(settings, right, twice=False) == "advanced"
    assert at_a_terminal(settings, b"another one altogether\n", twice=False) == "anchor.passphrase"
    assert "passphrase_file" not in json.loads((settings.keys_folder / RECORD).read_text())


def test_without_file_and_terminal_there_is_no_passphrase(settings: Settings) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()  # away from whatever terminal the tests run at
        try:
            choose(settings, AnchorKind.PASSPHRASE, RegisterId(mint()))
            said = "chosen"
        except RegisterError as error:
            said = error.code
        except BaseException as error:
            said = repr(error)
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        assert pipe.read() == b"secret.absent"
    os.waitpid(child, 0)

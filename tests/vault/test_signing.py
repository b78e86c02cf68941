"""The log keys: drawn, kept, damaged, and never shown; signatures against published vectors."""

import copy
import json
import os
import pickle
import random
import traceback

import pytest

from register.errors import Conflict, Tampered, Unavailable
from vault.signing import ED25519, ML_DSA_44, LogKeys, SignatureVerifier

VERIFIER = SignatureVerifier()


@pytest.fixture
def folder(tmp_path):
    LogKeys.create(tmp_path / "log")
    return tmp_path / "log"


def private_parts(folder):
    return list(json.loads((folder / "log-keys.json").read_text())["private"].values())


def test_keys_are_kept_and_sign_the_same(tmp_path):
    drawn = LogKeys.create(tmp_path / "log")
    loaded = LogKeys.load(tmp_path / "log")
    assert dict(loaded.public_keys) == dict(drawn.public_keys)
    assert [len(loaded.public_keys[name]) for name in (ED25519, ML_DSA_44)] == [32, 1312]
    for name in (ED25519, ML_DSA_44):
        signature = loaded.sign(name, b"message")
        assert VERIFIER.verifies(name, drawn.public_keys[name], b"message", signature)
        assert not VERIFIER.verifies(name, drawn.public_keys[name], b"Message", signature)
        assert not VERIFIER.verifies(name, drawn.public_keys[name], b"message", signature[:-1])
        assert not VERIFIER.verifies(name, drawn.public_keys[name][:-1], b"message", signature)
        assert not VERIFIER.verifies("rsa", drawn.public_keys[name], b"message", signature)
    with pytest.raises(KeyError):
        loaded.sign("rsa", b"message")


def test_two_registers_have_different_keys(tmp_path):
    assert LogKeys.create(tmp_path / "a").public_keys != LogKeys.create(tmp_path / "b").public_keys


def test_nobody_else_may_read_them(folder):
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "log-keys.json").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["log-keys.json"]
    (folder / "log-keys.json").chmod(0o640)
    with pytest.raises(Tampered) as caught:
        LogKeys.load(folder)
    assert caught.value.code == "log-keys.open"


def test_keys_that_are_there_are_never_replaced(folder):
    before = (folder / "log-keys.json").read_bytes()
    with pytest.raises(Conflict):
        LogKeys.create(folder)
    assert (folder / "log-keys.json").read_bytes() == before
    assert len(list(folder.iterdir())) == 1


def test_where_there_are_none(tmp_path):
    with pytest.raises(Unavailable) as caught:
        LogKeys.load(tmp_path)
    assert caught.value.code == "log-keys.absent"


def test_a_link_to_a_file_elsewhere_is_not_followed(folder, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "log-keys.json").symlink_to(folder / "log-keys.json")
    with pytest.raises(OSError, match="symbolic links"):
        LogKeys.load(tmp_path / "other")


def test_every_changed_byte_is_found(folder):
    path = folder / "log-keys.json"
    content = path.read_bytes()
    choose = random.Random(1)  # noqa: S311 - the same changes in every run
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] = (content[position] + choose.randrange(1, 256)) % 256
        path.write_bytes(changed)
        with pytest.raises(Tampered) as caught:
            LogKeys.load(folder)
        assert caught.value.code == "log-keys.damaged"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"private":{}}', b'{"private":{"ed25519":5}}', b"\xff", b"null"]
)
def test_other_content_is_damage(folder, content):
    (folder / "log-keys.json").write_bytes(content)
    with pytest.raises(Tampered):
        LogKeys.load(folder)


def test_no_key_shows_or_travels(folder):
    keys = LogKeys.load(folder)
    assert repr(keys) == str(keys) == "<LogKeys ed25519, ml-dsa-44>"
    for travel in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            travel(keys)
    assert not hasattr(keys, "__dict__")


def test_no_key_is_in_a_traceback(folder):
    parts = private_parts(folder)
    path = folder / "log-keys.json"
    path.write_bytes(path.read_bytes()[:-3])
    try:
        LogKeys.load(folder)
    except Tampered as error:
        shown = "".join(traceback.format_exception(error)) + repr(error.__context__) + repr(error.__cause__)
    assert not any(part in shown for part in parts)


def test_a_create_cut_short_leaves_no_keys_and_can_be_done_again(tmp_path, monkeypatch):
    def cut(*_):
        raise OSError("cut")

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", cut)
        with pytest.raises(OSError, match="cut"):
            LogKeys.create(tmp_path / "log")
    with pytest.raises(Unavailable):
        LogKeys.load(tmp_path / "log")
    LogKeys.create(tmp_path / "log")


@pytest.mark.shared_data
def test_ed25519_of_wycheproof(shared_data):
    """Every vector through the call that is really made."""
    path = shared_data / "crypto-vectors" / "wycheproof"
    (file,) = path.rglob("ed25519_test.json")
    judged = 0
    for group in json.loads(file.read_text())["testGroups"]:
        key = bytes.fromhex(group["publicKey"]["pk"])
        for test in group["tests"]:
            held = VERIFIER.verifies(ED25519, key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
            assert held is (test["result"] == "valid"), test["tcId"]
            judged += 1
    assert judged > 50

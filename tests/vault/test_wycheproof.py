"""Wycheproof's vectors through the calls the vault really makes."""

import json
from pathlib import Path
from typing import Any

import pytest

from register.errors import Tampered
from vault.formats import AESGCM, digest, keyed, unlock

pytestmark = pytest.mark.shared_data


def groups(folder: Path, name: str, **wanted: int) -> list[dict[str, Any]]:
    found = json.loads((folder / "crypto-vectors" / "wycheproof" / name).read_text("utf-8"))["testGroups"]
    return [group for group in found if all(group[key] == value for key, value in wanted.items())]


def test_aes_gcm(shared_data: Path) -> None:
    cases = [
        case
        for group in groups(shared_data, "aes_gcm_test.json", keySize=256, ivSize=96, tagSize=128)
        for case in group["tests"]
    ]
    assert len(cases) >= 40
    assert {case["result"] for case in cases} == {"valid", "invalid"}
    for case in cases:
        key, iv, aad, message = (bytes.fromhex(case[name]) for name in ("key", "iv", "aad", "msg"))
        sealed = bytes.fromhex(case["ct"] + case["tag"])
        aead = AESGCM(key)
        if case["result"] == "valid":
            assert aead.encrypt(iv, message, aad) == sealed, case["tcId"]
            assert unlock(aead, iv, sealed, aad) == message, case["tcId"]
        else:
            with pytest.raises(Tampered):
                unlock(aead, iv, sealed, aad)


def test_nonces_of_another_length_do_not_open(shared_data: Path) -> None:
    short = [
        case
        for group in groups(shared_data, "aes_gcm_test.json", keySize=256)
        if group["ivSize"] < 64
        for case in group["tests"]
    ]
    assert short
    for case in short:
        key, iv, aad = (bytes.fromhex(case[name]) for name in ("key", "iv", "aad"))
        with pytest.raises(Tampered):
            unlock(AESGCM(key), iv, bytes.fromhex(case["ct"] + case["tag"]), aad)


@pytest.mark.parametrize("size", [256, 128])
def test_hmac_sha256(shared_data: Path, size: int) -> None:
    cases = [case for group in groups(shared_data, "hmac_sha256_test.json", tagSize=size) for case in group["tests"]]
    assert len(cases) >= 40
    assert {case["result"] for case in cases} == {"valid", "invalid"}
    for case in cases:
        made = digest(keyed(bytes.fromhex(case["key"])), bytes.fromhex(case["msg"]))
        assert (made[: size // 8] == bytes.fromhex(case["tag"])) == (case["result"] == "valid"), case["tcId"]

"""Wycheproof's vectors through the calls the vault really makes."""

import json
from pathlib import Path
from typing import Any

import pytest

import vault
from register.errors import Tampered
from vault.formats import AESGCM, digest, keyed, unlock
from vault.signing import ED25519, SignatureVerifier

pytestmark = pytest.mark.shared_data

THROUGH = {
    "aes_gcm_test.json": "vault.formats.AESGCM, vault.formats.unlock: sealed values, wrapped keys, root keys",
    "hmac_sha256_test.json": "vault.formats.keyed, vault.formats.digest: facts MACs, lookup tokens",
    "ed25519_test.json": "vault.signing.SignatureVerifier: checkpoints, certificates",
}
"""Which file goes through which call of ours."""

NEVER_CALLED = {
    "aes_gcm_siv_test.json": "AESGCMSIV",
    "aes_kwp_test.json": "aes_key_wrap_with_padding",
    "aes_siv_cmac_test.json": "AESSIV",
    "aes_wrap_test.json": "aes_key_wrap",
    "chacha20_poly1305_test.json": "ChaCha20",
    "hkdf_sha256_test.json": "HKDF(",
    "hkdf_sha512_test.json": "HKDF(",
    "hmac_sha512_test.json": "SHA512",
    "pbkdf2_hmacsha256_test.json": "PBKDF2",
    "x25519_test.json": ".exchange(",
}
"""Of what there is no call to try, by the word that a call would have; HPKE does X25519 and HKDF inside the library."""


def test_no_file_is_left_out(shared_data: Path) -> None:
    given = {path.name for path in (shared_data / "crypto-vectors" / "wycheproof").glob("*.json")}
    assert given == {*THROUGH, *NEVER_CALLED}
    ours = [path.read_text("utf-8") for path in Path(vault.__file__).parent.rglob("*.py")]
    assert len(ours) > 20
    for name, word in NEVER_CALLED.items():
        assert not any(word in text for text in ours), f"{name} has a call now: try it"


def test_ed25519(shared_data: Path) -> None:
    verifier, seen = SignatureVerifier(), 0
    for group in groups(shared_data, "ed25519_test.json"):
        public = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            right = verifier.verifies(ED25519, public, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            assert right == (case["result"] == "valid"), case["tcId"]
            seen += 1
    assert seen >= 70


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

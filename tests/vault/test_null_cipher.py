"""The control of every search for clear text: with a cipher that does nothing, the same search finds everything.

Such a cipher exists here only. It is handed in like any other; no setting leads to it.
"""

from pathlib import Path

import pytest

from register.ids import RegisterId
from tests.vault.builders import one_signal
from vault.anchors.file import FileAnchor
from vault.formats import AESGCM, TAG_BYTES, Cipher
from vault.keystore import KeyStore
from vault.sealing import Sealer

REGISTER = RegisterId("00112233445566778899aabbccddeeff")


class NullCipher:
    """AES-256-GCM's shape with the plaintext in clear and a tag of zeros."""

    def __init__(self, key: bytes) -> None:
        assert len(key) == 32

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        assert len(nonce) == 12
        assert associated_data
        return data + bytes(TAG_BYTES)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        assert len(nonce) == 12
        assert associated_data
        return data[:-TAG_BYTES]


@pytest.mark.parametrize(("cipher", "found"), [(AESGCM, False), (NullCipher, True)])
def test_clear_text_is_found_only_under_the_null_cipher(tmp_path: Path, cipher: Cipher, found: bool) -> None:
    folder = tmp_path / "keys"
    store = KeyStore.init(folder, FileAnchor(folder / "anchor"), REGISTER, rehearsal=False, cipher=cipher)
    sealed = Sealer(store).seal(one_signal()).signals[0]
    assert Sealer(store).open_signal(sealed, with_source=True).reference == "ref-1"
    store.close()
    values = [*sealed.sealed.values(), *(value for one in sealed.mentions for value in one.sealed.values())]
    graph = b"".join(value.blob for value in values)
    keys = b"".join(path.read_bytes() for path in (folder / "store").iterdir())
    for text in ("Adriaan Terhorst-Vermeer", "behind the customs shed", "crane driver", "ref-1", "1971-03"):
        assert (text.encode() in graph) is found, text
    assert (b"NX9R41KP2" in keys) is found

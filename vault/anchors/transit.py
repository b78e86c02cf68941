"""The anchor in a key server: the transit engine of OpenBao or Vault, whose keys never leave it.

Assurance is *clear*: a trimmed version cannot be had back through the server by anybody, but a backup of the server's
own storage from before still holds it. The key is refused if the server could give it away (exportable, or with a
plaintext backup allowed).
"""

import base64
import hashlib
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from register.errors import Fault, Invalid, Tampered, Unavailable
from vault.anchors.versions import absent
from vault.folders import secret

SECONDS: Final = 10.0
_KIND: Final = "aes256-gcm96"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_MOUNT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_BOUND_BYTES: Final = hashlib.sha256().digest_size


class TransitAnchor:
    """Anchor as one key of a transit engine; the engine's key versions are the anchor's.

    What is wrapped is bound to its AAD twice: as the engine's associated data, and by its digest inside, since a server
    that does not know associated data leaves it out in silence.

    Args:
        address: of the server, such as `https://bao.example:8200`; http only on this host.
        key: name of the key; no other register may use it.
        token_file: file (0600) with the token, read anew for every request, so that an agent may replace it.
        mount: path of the engine.
        authorities: PEM file of the authorities whose certificates count; None: those that browsers know.

    Raises:
        Invalid: rules `anchor.address`, `anchor.name`.
    """

    kind: Final = "transit"
    assurance: Final = "clear"

    def __init__(
        self, address: str, key: str, token_file: Path, *, mount: str = "transit", authorities: Path | None = None
    ) -> None:
        _check(address, key, mount)
        self._base = f"{address.rstrip('/')}/v1/{mount}/"
        self._key = key
        self._token_file = token_file
        self._authorities = authorities

    def advance(self, above: int = 0) -> int:
        """See `vault.anchors.Anchor`. Makes the key if there is none, else rotates it, as often as its number asks."""
        version = self._next()
        while version <= above:
            version = self._next()
        return version

    def _next(self) -> int:
        before = self._state()
        if before is None:
            self._ask("POST", f"keys/{self._key}", type=_KIND, exportable=False, allow_plaintext_backup=False)
        else:
            self._ask("POST", f"keys/{self._key}/rotate")
        version = int(self._present()["latest_version"])
        if before is not None and version <= before["latest_version"]:
            raise _refused()
        return version

    def wrap(self, version: int, blob: bytes, aad: bytes) -> bytes:
        """See `vault.anchors.Anchor`. Nonce (12 bytes), ciphertext, tag (16 bytes), as the server made them."""
        if not self.probe(version):  # asked to encrypt under a key that is gone, the server would make another one
            raise absent(version)
        answer = self._ask(
            "POST",
            f"encrypt/{self._key}",
            plaintext=_base64(hashlib.sha256(aad).digest() + blob),
            associated_data=_base64(aad),
            key_version=version,
        )
        prefix, _, wrapped = str((answer or {}).get("ciphertext", "")).rpartition(":")
        if prefix != f"vault:v{version}":
            raise _refused()
        return base64.b64decode(wrapped, validate=True)

    def unwrap(self, version: int, blob: bytes, aad: bytes) -> bytes:
        """See `vault.anchors.Anchor`."""
        answer = self._ask(
            "POST",
            f"decrypt/{self._key}",
            ciphertext=f"vault:v{version}:{_base64(blob)}",
            associated_data=_base64(aad),
        )
        if answer is None:
            if not self.probe(version):
                raise absent(version)
            raise Tampered
        bound = base64.b64decode(answer["plaintext"], validate=True)
        if bound[:_BOUND_BYTES] != hashlib.sha256(aad).digest():
            raise Tampered
        return bound[_BOUND_BYTES:]

    def destroy_below(self, version: int) -> Mapping[str, str]:
        """See `vault.anchors.Anchor`. Raises the least version that decrypts, then trims: only that destroys."""
        if not self.probe(version):
            raise Unavailable("anchor.absent", "the version to keep is not there; nothing was destroyed")
        self._ask("POST", f"keys/{self._key}/config", min_decryption_version=version, min_encryption_version=version)
        self._ask("POST", f"keys/{self._key}/trim", min_available_version=version)
        if self._present()["min_available_version"] != version:
            raise Tampered("anchor.survives", "the key server did not trim the versions that were to be destroyed")
        return {"anchor": self.kind, "version": str(version), "below": "trimmed"}

    def probe(self, version: int) -> bool:
        """See `vault.anchors.Anchor`."""
        state = self._state()
        return state is not None and str(version) in state["keys"]

    def _present(self) -> dict[str, Any]:
        state = self._state()
        if state is None:
            raise _refused()
        return state

    def _state(self) -> dict[str, Any] | None:
        """Return what the server says of the key, None: there is none."""
        state = self._ask("GET", f"keys/{self._key}")
        if state is None:
            return None
        if state["type"] != _KIND or any(state.get(way) for way in ("exportable", "allow_plaintext_backup", "derived")):
            raise Tampered("anchor.exportable", "the key server could give this key away, or it is of another kind")
        return state

    def _ask(self, method: str, path: str, **content: object) -> dict[str, Any] | None:
        """Return the answer's data; None: there is no such key, or it does not take what was handed in."""
        headers = {"X-Vault-Token": _token(self._token_file), "X-Vault-Request": "true"}
        try:
            # No proxy and no authority is taken from the environment, and no redirection followed.
            with httpx.Client(timeout=SECONDS, trust_env=False, verify=self._trust()) as client:
                answer = client.request(method, self._base + path, headers=headers, json=content or None)
                data = answer.json().get("data") if answer.content else {}
        except (httpx.HTTPError, OSError, ValueError, AttributeError):
            answer = None
        # Outside the handler: the error that was caught holds the request, and so the token.
        if answer is None or answer.status_code >= 500 or answer.is_redirect:
            raise Unavailable("anchor.unreachable", "the key server does not answer, is sealed, or is not trusted")
        if answer.status_code in (400, 404):
            return None
        if not answer.is_success:
            raise _refused()
        return data or {}

    def _trust(self) -> Any:
        return True if self._authorities is None else ssl.create_default_context(cafile=str(self._authorities))


def _check(address: str, key: str, mount: str) -> None:
    faults = []
    parts = urlsplit(address)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not secure or not parts.hostname or parts.username or parts.query or parts.fragment or parts.path.strip("/"):
        message = "name the key server as https://HOST:PORT (http only on this host), with nothing else in it"
        faults.append(Fault(pointer="/anchor_address", rule="anchor.address", message=message))
    for pointer, pattern, name in (("/anchor_key", _NAME, key), ("/anchor_mount", _MOUNT, mount)):
        if not pattern.fullmatch(name):
            message = "takes letters, digits, dots, dashes and underscores only"
            faults.append(Fault(pointer=pointer, rule="anchor.name", message=message))
    if faults:
        raise Invalid(faults)


def _token(path: Path) -> str:
    token = secret(path)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Unavailable("secret.absent", "a file that has to hold a secret cannot be read, or is empty")
    return token


def _refused() -> Unavailable:
    return Unavailable("anchor.refused", "the key server refuses what this register has to do with its key")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

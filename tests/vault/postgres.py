"""A real PostgreSQL server for tests: Debian's programs, a folder of its own, syncing every commit."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pg8000 import dbapi

PASSWORD = secrets.token_hex(8)
PORT = 5432


@dataclass(frozen=True)
class Server:
    """A running server; `folder` holds its socket, `data` its files."""

    folder: Path
    data: Path

    def url(self, database: str) -> str:
        return f"postgresql://register:{PASSWORD}@/{database}?host={self.folder}"

    def run(self, database: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement as the server's administrator, outside any transaction; return its rows."""
        socket = f"{self.folder}/.s.PGSQL.{PORT}"
        with closing(dbapi.connect("register", database=database, password=PASSWORD, unix_sock=socket)) as connection:
            connection.autocommit = True
            with closing(connection.cursor()) as cursor:
                cursor.execute(statement, values)
                return [] if cursor.description is None else [tuple(row) for row in cursor.fetchall()]


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL installed, or None."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda path: float(path.parent.name), default=None)


@contextmanager
def server(bin_: Path) -> Iterator[Server]:
    """Start a server on a socket, as another user where this one is root, and stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a socket's path may be 107 bytes long, no more
    data, word = folder / "data", folder / "password"
    word.write_text(PASSWORD)
    as_user: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "check": True}
    if os.geteuid() == 0:
        other = next(one for one in pwd.getpwall() if one.pw_name in ("postgres", "nobody"))
        as_user |= {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}
        for path in (folder, word):
            os.chown(path, other.pw_uid, other.pw_gid)
    making = [bin_ / "initdb", "-D", data, "-U", "register", "--auth=scram-sha-256", f"--pwfile={word}", "-E", "UTF8"]
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c shared_buffers=32MB -c port={PORT}"
    control = [bin_ / "pg_ctl", "-D", data, "-w"]
    try:
        subprocess.run([*making, "--locale=C"], **as_user)
        subprocess.run([*control, "-l", folder / "log", "-o", options, "start"], **as_user)
        try:
            yield Server(folder, data)
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **as_user)
    finally:
        shutil.rmtree(folder)

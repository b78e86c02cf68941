"""Where a test's key store lies: SQLite in a folder, or a database of a real PostgreSQL server."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from register.ids import RegisterId, mint
from tests.vault.postgres import Server
from vault.anchors import Anchor
from vault.anchors.file import FileAnchor
from vault.keystore import KeyStore, open_database
from vault.keystore.database import Database

REGISTER = RegisterId("00112233445566778899aabbccddeeff")
KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Place:
    """A folder of keys on SQLite."""

    folder: Path

    @property
    def url(self) -> str | None:
        return None

    @property
    def anchor(self) -> FileAnchor:
        return FileAnchor(self.folder / "anchor")

    def init(self) -> KeyStore:
        return KeyStore.init(self.folder, self.anchor, REGISTER, rehearsal=True, url=self.url)

    def open(self, anchor: Anchor | None = None, *, generation: int | None = None) -> KeyStore:
        return KeyStore.open(self.folder, anchor or self.anchor, generation=generation, url=self.url)

    def database(self) -> Database:
        return open_database(self.folder, self.url)

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement behind the register's back; `?` stands for a value, X'' for bytes."""
        with closing(sqlite3.connect(self.folder / "store" / "keys.sqlite", isolation_level=None)) as connection:
            return connection.execute(statement, values).fetchall()

    def files(self) -> bytes:
        """Return what is in the files of tables, and of what SQLite keeps beside them."""
        return b"".join(path.read_bytes() for path in sorted((self.folder / "store").iterdir()))

    def copied(self, to: Path) -> "Place":
        shutil.copytree(self.folder, to)
        return Place(to)

    def drop(self) -> None:
        shutil.rmtree(self.folder)


@dataclass(frozen=True)
class PostgresPlace(Place):
    """A folder of keys whose key store is a database of `server`."""

    server: Server
    name: str

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.server.run(self.name, statement.replace("X'", "'\\x").replace("?", "%s"), *values)

    def files(self) -> bytes:
        self.server.run(self.name, "CHECKPOINT")
        ((number,),) = self.server.run(self.name, "SELECT oid FROM pg_database WHERE datname = current_database()")
        folder = self.server.data / "base" / str(number)
        # Names of relations begin with a digit; beside them lies what the server makes and takes away at any time.
        return b"".join(path.read_bytes() for path in sorted(folder.glob("[0-9]*")))

    def copied(self, to: Path) -> "PostgresPlace":
        shutil.copytree(self.folder, to)
        name = f"keys_{mint()}"
        self.server.run("postgres", f"CREATE DATABASE {name} TEMPLATE {self.name}")
        return PostgresPlace(to, self.server, name)

    def drop(self) -> None:
        super().drop()
        self.server.run("postgres", f"DROP DATABASE {self.name} WITH (FORCE)")


def new_place(folder: Path, server: Server | None) -> Place:
    """Return a place where nothing is yet."""
    if server is None:
        return Place(folder)
    name = f"keys_{mint()}"
    server.run("postgres", f"CREATE DATABASE {name}")
    return PostgresPlace(folder, server, name)

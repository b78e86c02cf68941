"""Ground to measure on: an embedded server in a folder that goes with the bench, emptied between rounds."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import neo4j

from api.archive import make_keys
from api.founding import found
from api.harbours import HARBOURS
from api.settings import Settings
from api.wiring import workplace
from evidence.durable import write_durably
from graph.embedded.java import Memory
from graph.embedded.layout import Layout
from graph.embedded.server import attach, install, stop
from graph.endpoint import Endpoint
from graph.labels import LINKS
from register.clock import SystemClock
from register.ports import SHIPPED, Harbours, write
from tests.vault.test_null_cipher import NullCipher
from vault.formats import AESGCM

GRAPH: Final = "graph"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One server and a folder for registers that use it.

    Attributes:
        driver: the bare driver, as the peer uses it.
        ports: an official list of harbours that each register gets, if any.
    """

    folder: Path
    endpoint: Endpoint
    driver: neo4j.Driver
    ports: Path | None

    def clear(self) -> None:
        """Take every node away; constraints and indexes stay."""
        with self.driver.session() as session:
            session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS").consume()

    @property
    def settings(self) -> Settings:
        """Settings of the register here."""
        home = self.folder / "register"
        password = self.folder / "neo4j-password"
        password.touch(mode=0o600)
        password.write_text(self.endpoint.password)
        return Settings(
            home=home,
            keys=home.with_name("register.keys"),
            neo4j_uri=self.endpoint.uri,
            neo4j_username=self.endpoint.user,
            neo4j_password_file=password,
        )

    def register(self, *, null_cipher: bool = False) -> Settings:
        """Make a new rehearsal register on the emptied server; the one before is gone."""
        self.clear()
        settings = self.settings
        for one in (settings.home, settings.keys_folder):
            shutil.rmtree(one, ignore_errors=True)
        found(settings, SystemClock(), rehearsal=True, cipher=NullCipher if null_cipher else AESGCM)
        custodian = self.folder / "custodian.json"
        custodian.unlink(missing_ok=True)
        with workplace(settings, "bench", cipher=NullCipher if null_cipher else AESGCM) as opened:
            make_keys(opened, custodian, "a passphrase of the bench")
        if self.ports is not None:
            loaded = write(Harbours.load(SHIPPED, self.ports))
            write_durably(settings.home, [(HARBOURS, loaded.encode("utf-8"))])
        return settings

    def server_seconds(self) -> float:
        """Return the processor time that the server has had so far, in seconds (Linux)."""
        java = Layout(self.folder / GRAPH).read_state()["java"]
        fields = Path(f"/proc/{java}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def census(self) -> dict[str, int]:
        """Return how large the graph proper is: nodes and relationships by label and type, links in one number."""
        nodes = "MATCH (n:Signal|Subject|Identifier|Port) RETURN labels(n)[0] AS name, count(*) AS count"
        ties = "MATCH ()-[r]->() RETURN type(r) AS name, count(*) AS count"
        with self.driver.session() as session:
            found = {row["name"]: row["count"] for query in (nodes, ties) for row in session.run(query)}
        links = sum(found.pop(kind, 0) for kind in LINKS)
        return dict(sorted(found.items())) | {"links": links}


@contextmanager
def ground(ports: Path | None = None) -> Iterator[Ground]:
    """Start an embedded server, as the product starts it, for the length of the block."""
    with TemporaryDirectory(prefix="theme-register-bench-") as name, started(Path(name), ports) as place:
        yield place


@contextmanager
def started(folder: Path, ports: Path | None = None) -> Iterator[Ground]:
    """Start the server of the ground in `folder`, new or as it was left; it is stopped cleanly at the end."""
    settings = Settings()
    installation = install(settings.cache_folder, java_home=settings.java_home)
    home = folder / GRAPH
    try:
        with (
            attach(home, installation, memory=Memory(heap_at_most=settings.heap)) as endpoint,
            neo4j.GraphDatabase.driver(
                endpoint.uri, auth=(endpoint.user, endpoint.password), notifications_min_severity="OFF"
            ) as driver,
        ):
            yield Ground(folder=folder, endpoint=endpoint, driver=driver, ports=ports)
    finally:
        stop(home)

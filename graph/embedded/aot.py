"""The ahead-of-time cache that makes later starts of the same Java and jars faster (JEP 483, 514, 515).

It is made once, in the background, by a server of its own on an empty folder that is thrown away; nothing of a register
gets into it. Java is told to refuse a cache that is damaged or does not fit its build and its class path; the
supervisor then removes it and starts without.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

from graph.embedded.java import Installation, Memory
from graph.embedded.layout import USER, Layout
from graph.embedded.locks import take
from graph.embedded.process import SOURCE, Server
from graph.endpoint import DATABASE

_PATIENCE: Final = 180.0
_STATEMENTS: Final = (
    "CREATE CONSTRAINT trained IF NOT EXISTS FOR (n:Trained) REQUIRE n.id IS UNIQUE",
    "UNWIND range(1, 300) AS i CREATE (:Trained {id: i, body: toString(i)})",
    "MATCH (a:Trained), (b:Trained) WHERE b.id = a.id + 1 CREATE (a)-[:NEXT {since: date()}]->(b)",
    "MATCH (a:Trained {id: $id})-[r:NEXT*1..3]-(b) RETURN a, r, b LIMIT 10",
    "MATCH p = shortestPath((a:Trained {id: 1})-[:NEXT*..6]-(b:Trained {id: 5})) RETURN p",
    "MATCH (a:Trained) WHERE a.id < $id SET a.seen = true DETACH DELETE a",
)


def options(installation: Installation) -> tuple[str, ...]:
    """Return the options that make Java use the cache, none where it is not made yet."""
    cache = installation.aot_cache
    if cache is None or not cache.exists():
        return ()
    return (f"-XX:AOTCache={cache}", "-XX:AOTMode=on", "-XX:+VerifySharedSpaces", "-Xlog:aot*=off,cds*=off")


def start_training(installation: Installation) -> None:
    """Have a detached process make the cache, if this Java can use one and it is not there."""
    cache = installation.aot_cache
    if cache is None or cache.exists():
        return
    subprocess.run(
        [sys.executable, "-m", "graph.embedded.aot"], input=json.dumps(asdict(installation), default=str), cwd=SOURCE,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, text=True, check=False,
    )  # fmt: skip


def train(installation: Installation) -> bool:
    """Make the cache; False if another process is at it, this Java has none, or the training server did not run."""
    cache = installation.aot_cache
    if cache is None:
        return False
    cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = take(cache.with_suffix(".lock"))
    if lock is None:
        return False
    prefix = f"training-{cache.stem}-"
    try:
        for left in cache.parent.glob(f"{prefix}*"):  # by one that was killed
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=cache.parent, prefix=prefix) as folder:
            part = Path(folder) / "part.aot"
            _run_once(installation, Layout(Path(folder) / "home"), part)
            if part.exists():
                part.replace(cache)
        return cache.exists()
    finally:
        os.close(lock)


def _run_once(installation: Installation, layout: Layout, output: Path) -> None:
    layout.make()
    memory = Memory()
    installation.configure(layout, 0, memory)
    installation.administer(layout, "dbms", "set-initial-password", f"@{layout.password}")
    server = Server(installation, layout, memory, extra=[f"-XX:AOTCacheOutput={output}"])
    try:
        if server.wait_until_ready(_PATIENCE, lambda: False):
            _exercise(server.port, layout.password.read_text(encoding="ascii"))
    finally:
        server.stop(_PATIENCE)


def _exercise(port: int, password: str) -> None:
    import neo4j

    with neo4j.GraphDatabase.driver(f"bolt://127.0.0.1:{port}", auth=(USER, password)) as driver:
        for statement in _STATEMENTS:
            driver.execute_query(statement, id=7, database_=DATABASE)


def main() -> None:
    """Leave the starter, lower our own priority, and train with the installation described on standard input."""
    installation = Installation.from_json(json.load(sys.stdin))
    if os.fork():
        return
    os.nice(19)
    train(installation)


if __name__ == "__main__":
    main()

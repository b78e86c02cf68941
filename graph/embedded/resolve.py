"""Write a lock file of the jars of one Neo4j version (`make jars-lock`); needed by developers only.

Resolves with the package jgo, in pure Python, fetches every jar once and writes what came. The jars' SHA-1 files in the
repository are compared by jgo; the SHA-256 written here pins what was seen on the day of the lock.
"""

import argparse
import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from jgo.maven import Artifact, MavenContext

from graph.embedded.jars import LOCK, Jar, JarLock, default_repository

_ROOTS: Final = ("org.neo4j:neo4j", "org.neo4j.app:neo4j-server")


def resolve(version: str) -> JarLock:
    """Resolve Neo4j Community of that version, such as `2026.08.1`, with all that it needs at run time."""
    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder), remote_repos={"central": default_repository()}, timeout=60)
        roots = [context.create_dependency(f"{root}:{version}") for root in _ROOTS]
        inputs, others = context.resolver.resolve(roots)
        with ThreadPoolExecutor(16) as pool:
            jars = pool.map(_locked, [found.artifact for found in (*inputs, *others)])
        return JarLock(jars=tuple(sorted(jars, key=lambda jar: jar.coordinate)))


def _locked(artifact: Artifact) -> Jar:
    content = artifact.resolve().read_bytes()
    parts = [artifact.groupId, artifact.artifactId, artifact.version, artifact.classifier]
    coordinate = ":".join(part for part in parts if part)
    return Jar(coordinate=coordinate, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def main() -> None:
    """Read the version and the file to write from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", help="Neo4j version, such as 2026.08.1")
    parser.add_argument("--output", type=Path, default=LOCK)
    arguments = parser.parse_args()
    lock = resolve(arguments.version)
    head = f"# Neo4j Community {arguments.version} with all it needs; written by `make jars-lock`\n"
    arguments.output.write_text(head + lock.text(), encoding="ascii")
    print(f"{len(lock.jars)} jars, {sum(jar.size for jar in lock.jars) / 1e6:.0f} MB, digest {lock.digest[:16]}")


if __name__ == "__main__":
    main()

"""The jars of Neo4j, named by a lock file, fetched in parallel and verified by SHA-256.

A lock file has one line for each jar: Maven coordinate (`group:artifact:version[:classifier]`), SHA-256, size in
bytes. Nothing that the lock does not name is put on the class path. `make jars-lock` writes the lock anew.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import httpx

from graph.embedded.locks import held
from register.errors import Tampered, Unavailable

LOCK: Final = Path(__file__).with_name("jars.lock")
Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes that there will be, from one thread at a time."""

_LINE: Final = re.compile(r"(?P<coordinate>[\w.-]+(?::[\w.-]+){2,3}) sha256:(?P<sha256>[0-9a-f]{64}) (?P<size>\d+)")
_THREADS: Final = 16
_ATTEMPTS: Final = 3
_PATIENCE: Final = 900.0  # seconds to wait while another process fetches the same jars
_MAVEN: Final = "{http://maven.apache.org/SETTINGS/1.2.0}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One jar of the lock.

    Attributes:
        coordinate: `group:artifact:version` or `group:artifact:version:classifier`.
        sha256: SHA-256 of the file, 64 lower-case hexadecimal digits.
        size: length of the file in bytes.
    """

    coordinate: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        """The file's name in a Maven repository, unique in a lock."""
        return "-".join(self.coordinate.split(":")[1:]) + ".jar"

    @property
    def address(self) -> str:
        """The file's path in a Maven repository, without a leading slash."""
        group, artifact, version = self.coordinate.split(":")[:3]
        return f"{group.replace('.', '/')}/{artifact}/{version}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JarLock:
    """All jars of one Neo4j version, in the order of the class path."""

    jars: tuple[Jar, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over all entries, in hexadecimal; another lock has another digest."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    @property
    def version(self) -> str:
        """The version of the Neo4j server in this lock, such as `2026.08.1`."""
        return next(jar.coordinate.split(":")[2] for jar in self.jars if jar.coordinate.startswith("org.neo4j:neo4j:"))

    def text(self) -> str:
        """Return the lock file's text, without the comment at its head."""
        return "".join(f"{jar.coordinate} sha256:{jar.sha256} {jar.size}\n" for jar in self.jars)


def read_lock(path: Path = LOCK) -> JarLock:
    """Read a lock file; lines that begin with `#` are comments.

    Raises:
        Tampered: a line is malformed, two jars share a name, or the server itself is not among them.
    """
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    matches = [match for match in map(_LINE.fullmatch, lines) if match]
    jars = tuple(Jar(coordinate=m["coordinate"], sha256=m["sha256"], size=int(m["size"])) for m in matches)
    if len(matches) != len(lines) or len({jar.name for jar in jars}) != len(jars):
        raise Tampered("jars.lock", f"{path.name} is not a lock file of jars")
    return JarLock(jars=jars)


def fetch(
    lock: JarLock, cache: Path, *, repository: str | None = None, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Make sure that every jar of the lock lies verified in the cache, fetching what is absent or altered.

    Each jar is hashed when it is fetched. Later calls compare names, sizes and modification times with what was
    verified (`verify` hashes again). Several processes may call this at once; a killed one leaves nothing that counts,
    and the next call goes on where it ended.

    Args:
        lock: the jars wanted.
        cache: folder for this and other downloads; made with mode 0700 where absent.
        repository: address of a Maven repository; None: the mirror of the user's Maven settings, or Maven Central.
        progress: told how many bytes are there and how many there will be; not called when nothing is to be fetched.

    Returns:
        The paths of the jars, in the order of the class path.

    Raises:
        Unavailable: the repository cannot be reached or does not have a jar (`jars.fetch`).
        Tampered: a fetched jar is not the one that the lock names (`jars.digest`).
    """
    folder = cache / "jars" / lock.digest[:16]
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_stamped(lock, folder):
        with held(folder / ".lock", patience=_PATIENCE):
            if not _is_stamped(lock, folder):
                _complete(lock, folder, repository or default_repository(), progress or (lambda _done, _all: None))
    return tuple(folder / jar.name for jar in lock.jars)


def verify(lock: JarLock, jars: Iterable[Path]) -> None:
    """Hash every jar again.

    Raises:
        Tampered: one is absent or is not the one that the lock names (`jars.digest`).
    """
    for jar, path in zip(lock.jars, jars, strict=True):
        if not _is_whole(jar, path):
            raise Tampered("jars.digest", f"{jar.coordinate} is not the jar that the lock names")


def default_repository() -> str:
    """Return the mirror of Maven Central in the user's `~/.m2/settings.xml`, or else Maven Central's own address.

    The address is the constant of the package jgo, which also resolves the lock.
    """
    settings = Path.home() / ".m2" / "settings.xml"
    if settings.exists():
        # The user's own file, and this parser resolves no external entities.
        for mirror in ElementTree.parse(settings).iter(f"{_MAVEN}mirror"):  # noqa: S314
            if mirror.findtext(f"{_MAVEN}mirrorOf") in ("*", "central", "external:*"):
                return (mirror.findtext(f"{_MAVEN}url") or "").rstrip("/")
    from jgo.constants import MAVEN_CENTRAL_URL  # slow to import, and seldom needed

    return str(MAVEN_CENTRAL_URL)


def _complete(lock: JarLock, folder: Path, repository: str, progress: Progress) -> None:
    for left in folder.glob("*.part"):
        left.unlink()
    missing = [jar for jar in lock.jars if not _is_whole(jar, folder / jar.name)]
    everything = sum(jar.size for jar in lock.jars)
    done = everything - sum(jar.size for jar in missing)
    with (
        httpx.Client(follow_redirects=True, timeout=60.0, limits=httpx.Limits(max_connections=_THREADS)) as client,
        ThreadPoolExecutor(_THREADS) as pool,
    ):
        running = {pool.submit(_download, client, f"{repository}/{jar.address}", jar, folder): jar for jar in missing}
        try:
            for finished in as_completed(running):
                finished.result()
                done += running[finished].size
                progress(done, everything)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    stamp = folder / "verified.part"
    stamp.write_text(_fingerprint(lock, folder), encoding="ascii")
    stamp.replace(folder / "verified")


def _download(client: httpx.Client, address: str, jar: Jar, folder: Path) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _download_once(client, address, jar, folder)
        except httpx.HTTPError as error:
            if attempt == _ATTEMPTS:
                raise Unavailable("jars.fetch", f"{jar.coordinate} cannot be fetched: {_reason(error)}") from None
        else:
            return


def _download_once(client: httpx.Client, address: str, jar: Jar, folder: Path) -> None:
    part, digest, length = folder / f"{jar.name}.part", hashlib.sha256(), 0
    with client.stream("GET", address) as response, part.open("wb") as file:
        response.raise_for_status()
        for chunk in response.iter_bytes():
            length += len(chunk)
            if length > jar.size:
                break
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if length != jar.size or digest.hexdigest() != jar.sha256:
        part.unlink()
        raise Tampered("jars.digest", f"{jar.coordinate} as fetched is not the jar that the lock names")
    part.replace(folder / jar.name)


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"the repository answers {error.response.status_code}"
    return f"no connection to the repository ({type(error).__name__})"


def _is_whole(jar: Jar, path: Path) -> bool:
    if not path.is_file() or path.stat().st_size != jar.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


def _is_stamped(lock: JarLock, folder: Path) -> bool:
    stamp = folder / "verified"
    return stamp.exists() and stamp.read_text(encoding="ascii") == _fingerprint(lock, folder)


def _fingerprint(lock: JarLock, folder: Path) -> str:
    digest = hashlib.sha256()
    for jar in lock.jars:
        path = folder / jar.name
        if not path.is_file():
            return ""
        facts = path.stat()
        digest.update(f"{jar.name} {jar.size == facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()

"""The jars: what is not what the lock names is never on the class path."""

import hashlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from graph.embedded.jars import Jar, JarLock, default_repository, fetch, read_lock, verify
from register.errors import Tampered, Unavailable

SIZES = (3_000, 40_000, 70_000, 1)


@dataclass
class Repository:
    """A small Maven repository on loopback that counts what is asked of it and can be made to stall."""

    address: str
    folder: Path
    lock: JarLock
    asked: list[str] = field(default_factory=list)
    may_go_on: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    folder = tmp_path / "repository"
    jars = []
    for number, size in enumerate(SIZES):
        content = os.urandom(size)
        classifier = ":linux-x86_64" if number == 3 else ""
        coordinate = f"org.example.part:jar-{number % 3}:1.{number}{classifier}"
        jar = Jar(coordinate=coordinate, sha256=hashlib.sha256(content).hexdigest(), size=size)
        (folder / jar.address).parent.mkdir(parents=True, exist_ok=True)
        (folder / jar.address).write_bytes(content)
        jars.append(jar)
    made = Repository(address="", folder=folder, lock=JarLock(jars=tuple(jars)))
    made.may_go_on.set()

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            if self.path.endswith("jar-2-1.2.jar"):
                made.may_go_on.wait()
            super().do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        made.address = f"http://127.0.0.1:{server.server_address[1]}"
        yield made
        made.may_go_on.set()
        server.shutdown()


def test_the_lock_names_the_server_and_is_complete() -> None:
    lock = read_lock()

    names = [jar.name for jar in lock.jars]
    assert f"neo4j-server-{lock.version}.jar" in names
    assert len(set(names)) == len(names)
    assert all(jar.size > 0 for jar in lock.jars)


def test_all_jars_come_and_are_not_asked_for_again(repository: Repository, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    paths = fetch(
        repository.lock, tmp_path / "cache", repository=repository.address, progress=lambda *at: seen.append(at)
    )
    again = fetch(repository.lock, tmp_path / "cache", repository="http://127.0.0.1:1")

    assert [path.stat().st_size for path in paths] == list(SIZES)
    assert again == paths
    assert len(repository.asked) == len(SIZES)
    assert seen[-1] == (sum(SIZES), sum(SIZES))
    assert (tmp_path / "cache").stat().st_mode & 0o077 == 0
    verify(repository.lock, paths)


@pytest.mark.parametrize("change", ["other", "longer", "shorter", "empty"])
def test_a_jar_that_the_lock_does_not_name_is_refused(repository: Repository, tmp_path: Path, change: str) -> None:
    served = repository.folder / repository.lock.jars[1].address
    content = served.read_bytes()
    served.write_bytes(
        {
            "other": content[:-1] + bytes([content[-1] ^ 1]),
            "longer": content + b"x",
            "shorter": content[:-1],
            "empty": b"",
        }[change]
    )

    with pytest.raises(Tampered) as caught:
        fetch(repository.lock, tmp_path / "cache", repository=repository.address)

    assert caught.value.code == "jars.digest"
    assert not list((tmp_path / "cache").rglob(repository.lock.jars[1].name))
    assert not list((tmp_path / "cache").rglob("verified"))


def test_a_jar_altered_in_the_cache_is_fetched_again(repository: Repository, tmp_path: Path) -> None:
    paths = fetch(repository.lock, tmp_path / "cache", repository=repository.address)
    content = bytearray(paths[2].read_bytes())
    content[1000] ^= 1
    paths[2].write_bytes(content)
    with pytest.raises(Tampered):
        verify(repository.lock, paths)
    repository.asked.clear()

    fetch(repository.lock, tmp_path / "cache", repository=repository.address)

    assert repository.asked == ["/" + repository.lock.jars[2].address]
    verify(repository.lock, paths)


def test_a_jar_that_is_not_there_is_unavailable(repository: Repository, tmp_path: Path) -> None:
    (repository.folder / repository.lock.jars[0].address).unlink()

    with pytest.raises(Unavailable, match=r"jar-0:1\.0 cannot be fetched: the repository answers 404"):
        fetch(repository.lock, tmp_path / "cache", repository=repository.address)


def test_no_repository_is_unavailable(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no connection to the repository"):
        fetch(repository.lock, tmp_path / "cache", repository="http://127.0.0.1:1")


def test_a_killed_fetch_is_gone_on_with(repository: Repository, tmp_path: Path) -> None:
    repository.may_go_on.clear()
    cache = tmp_path / "cache"
    fetching = _fetch_elsewhere(repository, cache)
    _eventually(lambda: len(list(cache.rglob("*.jar"))) == len(SIZES) - 1 and len(repository.asked) == len(SIZES))

    assert fetching.pid is not None
    os.kill(fetching.pid, signal.SIGKILL)
    fetching.join()
    repository.asked.clear()
    repository.may_go_on.set()
    paths = fetch(repository.lock, cache, repository=repository.address)

    assert repository.asked == ["/" + repository.lock.jars[2].address]
    verify(repository.lock, paths)
    assert not list(cache.rglob("*.part"))


def test_two_at_once_fetch_each_jar_once(repository: Repository, tmp_path: Path) -> None:
    repository.may_go_on.clear()
    both = [_fetch_elsewhere(repository, tmp_path / "cache") for _ in range(2)]
    _eventually(lambda: len(repository.asked) == len(SIZES))
    repository.may_go_on.set()
    for one in both:
        one.join()

    assert [one.exitcode for one in both] == [0, 0]
    assert len(repository.asked) == len(SIZES)


@pytest.mark.parametrize(
    "text",
    [
        "org.example:a:1 sha256:00 1\n",
        f"org.example:a:1 sha256:{'0' * 64}\n",
        f"../a:b:1 sha256:{'0' * 64} 1\n",
        f"org.example:a:1 sha256:{'0' * 64} 1\norg.elsewhere:a:1 sha256:{'1' * 64} 1\n",
        f"org.example:a sha256:{'0' * 64} 1\n",
    ],
)
def test_a_malformed_lock_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.lock").write_text(text)

    with pytest.raises(Tampered):
        read_lock(tmp_path / "bad.lock")


def test_the_users_mirror_of_maven_central_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2" / "settings.xml").write_text(
        '<settings xmlns="http://maven.apache.org/SETTINGS/1.2.0"><mirrors>'
        "<mirror><mirrorOf>other</mirrorOf><url>http://other.example</url></mirror>"
        "<mirror><mirrorOf>central</mirrorOf><url>http://mirror.example/maven/</url></mirror>"
        "</mirrors></settings>"
    )

    assert default_repository() == "http://mirror.example/maven"


def _fetch_elsewhere(repository: Repository, cache: Path) -> multiprocessing.process.BaseProcess:
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=fetch, args=(repository.lock, cache), kwargs={"repository": repository.address})
    process.start()
    return process


def _eventually(condition: Any) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)

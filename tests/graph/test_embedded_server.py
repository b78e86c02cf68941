"""The embedded server: one owner for each folder, whoever is killed."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graph.connection import Graph
from graph.embedded import aot
from graph.embedded.java import CALENDAR, LONG_TERM, Installation, Memory, find_java
from graph.embedded.layout import Layout
from graph.embedded.server import attach, dump, stop, stopped
from graph.endpoint import Endpoint
from register.errors import Unavailable
from tests.conftest import CACHE, ROOT

USER = """
import sys
from pathlib import Path
from graph.embedded.server import attach, install
with attach(Path(sys.argv[1]), install(Path(sys.argv[2])), linger=1.0) as endpoint:
    print(endpoint.uri, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory, installation: Installation) -> Path:
    """The folder of a server that ran once, to be copied: a folder's first start takes longest."""
    home = tmp_path_factory.mktemp("new") / "graph"
    with attach(home, installation, linger=0.0):
        pass
    stop(home)
    return home


@pytest.fixture
def home(tmp_path: Path, new_home: Path) -> Iterator[Path]:
    shutil.copytree(new_home, tmp_path / "graph")
    yield tmp_path / "graph"
    stop(tmp_path / "graph")


@pytest.fixture
def user(home: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts another process that uses the server of `home` until it is killed or its standard input is closed."""
    started = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", USER, home, CACHE],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_two_that_come_at_once_share_one_server(home: Path, user: Callable[[], subprocess.Popen[str]]) -> None:
    users = [user() for _ in range(3)]

    addresses = {_line(process) for process in users}

    assert len(addresses) == 1
    assert len(_javas(home)) == 1


def test_the_server_ends_after_its_last_user_was_killed(home: Path, user: Callable[[], subprocess.Popen[str]]) -> None:
    users = [user(), user()]
    for process in users:
        _line(process)
    supervisor, java = _state(home)["supervisor"], _state(home)["java"]

    users[0].kill()
    users[1].kill()

    _eventually(lambda: not _lives(java) and not _lives(supervisor))
    assert Layout(home).endpoint() is None


def test_a_user_that_stays_keeps_the_server(
    home: Path, installation: Installation, user: Callable[[], subprocess.Popen[str]]
) -> None:
    with attach(home, installation, linger=0.0) as endpoint:
        leaving = user()
        assert _line(leaving) == endpoint.uri + "\n"
        java = _state(home)["java"]
        leaving.kill()
        leaving.wait()

        assert _count(endpoint) == 0
        assert _javas(home) == [java]


def test_a_killed_supervisor_is_replaced_and_nothing_is_lost(home: Path, installation: Installation) -> None:
    with attach(home, installation, linger=0.0) as endpoint:
        _create(endpoint)
        before = _state(home)

        os.kill(before["supervisor"], signal.SIGKILL)

        _eventually(lambda: _state(home).get("ready") == 1 and _state(home)["supervisor"] != before["supervisor"])
        assert not _lives(before["java"])
        assert Layout(home).endpoint() == endpoint
        assert _count(endpoint) == 1
        assert len(_javas(home)) == 1


def test_a_killed_java_is_started_again_and_nothing_is_lost(home: Path, installation: Installation) -> None:
    with attach(home, installation, linger=0.0) as endpoint:
        _create(endpoint)
        before = _state(home)

        os.kill(before["java"], signal.SIGKILL)

        _eventually(lambda: _state(home).get("ready") == 1 and _state(home)["java"] != before["java"])
        assert _state(home)["supervisor"] == before["supervisor"]
        assert Layout(home).endpoint() == endpoint
        assert _count(endpoint) == 1


def test_everybody_killed_at_once_leaves_nothing_running(
    home: Path, installation: Installation, user: Callable[[], subprocess.Popen[str]]
) -> None:
    process = user()
    _line(process)
    state = _state(home)

    process.kill()
    os.kill(state["supervisor"], signal.SIGKILL)

    _eventually(lambda: not _lives(state["java"]))
    with attach(home, installation, linger=0.0) as endpoint:
        assert _count(endpoint) == 0


def test_a_java_that_hangs_after_its_supervisor_was_killed_is_ended(home: Path, installation: Installation) -> None:
    with attach(home, installation, linger=0.0):
        before = _state(home)
        os.kill(before["java"], signal.SIGSTOP)
        os.kill(before["supervisor"], signal.SIGKILL)

        _eventually(lambda: _state(home).get("ready") == 1 and _state(home)["java"] != before["java"], patience=60)

        assert _javas(home) == [_state(home)["java"]]


def test_a_server_that_does_not_start_says_why(home: Path, installation: Installation) -> None:
    with (
        pytest.raises(Unavailable, match="Initial heap size set to a larger value than the maximum") as caught,
        attach(home, installation, memory=Memory(heap_at_start="64m", heap_at_most="32m")),
    ):
        pass

    assert caught.value.code == "graph.start"
    assert not _javas(home)


def test_a_damaged_store_says_why(home: Path, installation: Installation) -> None:
    with attach(home, installation, linger=0.0):
        pass
    stop(home)
    (home / "data" / "server_id").write_text("not an id")

    with (
        pytest.raises(Unavailable, match=r"does not start:\n(.*\n)*Caused by: java\.io\.EOFException"),
        attach(home, installation),
    ):
        pass

    (home / "data" / "server_id").unlink()
    with attach(home, installation, linger=0.0) as endpoint:
        assert _count(endpoint) == 0


def test_while_it_is_kept_stopped_nobody_can_start_it(home: Path, installation: Installation) -> None:
    with attach(home, installation, linger=0.0) as endpoint:
        java = _state(home)["java"]
        with stopped(home):
            assert not _lives(java)
            with pytest.raises(Unavailable), attach(home, installation, patience=2.0):
                pass

        _eventually(lambda: Layout(home).endpoint() is not None)
        assert _count(endpoint) == 0


def test_a_dump_is_written_while_the_server_is_stopped(home: Path, installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "dumps").mkdir()
    with attach(home, installation, linger=0.0) as endpoint:
        _create(endpoint)

    written = dump(home, installation, tmp_path / "dumps")

    assert written.parent == tmp_path / "dumps"
    assert written.stat().st_size > 1_000


def test_what_fails_in_administration_is_said(home: Path, installation: Installation, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="AdminTool database dump failed") as caught:
        dump(home, installation, tmp_path / "absent")

    assert caught.value.code == "graph.administration"


def test_the_ahead_of_time_cache_is_made_once_and_a_damaged_one_does_no_harm(
    home: Path, installation: Installation, tmp_path: Path
) -> None:
    apart = replace(installation, cache=tmp_path / "cache")
    cache = apart.aot_cache
    assert cache is not None
    made = []
    other = threading.Thread(target=lambda: made.append(aot.train(apart)))
    other.start()
    _eventually(lambda: any(cache.parent.glob("training-*")))
    made.append(aot.train(apart))
    other.join()

    assert made == [False, True]
    assert [path.suffix for path in sorted(cache.parent.iterdir())] == [".aot", ".lock"]
    with attach(home, apart, linger=0.0) as endpoint:
        assert f"-XX:AOTCache={cache}" in _arguments(_state(home)["java"])
        assert _count(endpoint) == 0
    stop(home)

    cache.write_bytes(_spoiled(cache.read_bytes()))
    with attach(home, apart) as endpoint:
        assert f"-XX:AOTCache={cache}" not in _arguments(_state(home)["java"])
        assert not cache.exists()
        assert _count(endpoint) == 0
        os.kill(_state(home)["supervisor"], signal.SIGKILL)  # or it would make the cache anew


def test_a_java_that_is_too_old_or_absent_is_not_used(tmp_path: Path, installation: Installation) -> None:
    assert find_java(CALENDAR, tmp_path) == installation.java

    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"17.0.15\" 2025-04-15' >&2\n")
    old.chmod(0o755)
    assert find_java(CALENDAR, tmp_path) == installation.java
    assert find_java(LONG_TERM, tmp_path).program == old

    with pytest.raises(Unavailable, match="Java 17 to 21 is needed") as caught:
        find_java(LONG_TERM, None)
    assert caught.value.code == "java.version"


def _spoiled(content: bytes) -> bytes:
    spoiled, chance = bytearray(content), random.Random(1)  # noqa: S311
    for _ in range(100):
        spoiled[chance.randrange(len(content) // 2, len(content))] ^= 0xFF
    return bytes(spoiled)


def _create(endpoint: Endpoint) -> None:
    with Graph(endpoint) as graph:
        graph.write(lambda tx: tx.run("CREATE (:Probe)").consume())


def _count(endpoint: Endpoint) -> Any:
    with Graph(endpoint) as graph:
        return graph.read(lambda tx: tx.run("MATCH (p:Probe) RETURN count(p)").single(strict=True).value())


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _state(home: Path) -> dict[str, int]:
    return Layout(home).read_state()


def _arguments(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _javas(home: Path) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if f"--home-dir={home}" in arguments:
            found.append(int(folder.name))
    return found


def _eventually(condition: Callable[[], bool], patience: float = 120.0) -> None:
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)

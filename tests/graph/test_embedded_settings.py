"""What the embedded server may and may not do: asked of the running server, not of its configuration file."""

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import neo4j
import pytest

from graph.connection import Graph
from graph.embedded.java import Installation
from graph.embedded.layout import Layout
from graph.embedded.server import attach, stop
from graph.endpoint import Endpoint
from register.errors import Unavailable

SECRET = "Wilhelmina-Example-4711"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings") / "graph"


@pytest.fixture(scope="module")
def embedded(home: Path, installation: Installation) -> Iterator[Endpoint]:
    with attach(home, installation) as endpoint:
        yield endpoint
    stop(home)


@pytest.fixture(scope="module")
def settings(embedded: Endpoint) -> dict[str, str]:
    def ask(tx: neo4j.ManagedTransaction) -> dict[str, str]:
        return {record["name"]: record["value"] for record in tx.run("SHOW SETTINGS YIELD name, value")}

    with Graph(embedded) as graph:
        return graph.read(ask)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server.http.enabled", "false"),
        ("server.https.enabled", "false"),
        ("dbms.security.auth_enabled", "true"),
        ("dbms.usage_report.enabled", "false"),
        ("server.bolt.telemetry.enabled", "false"),
        ("server.fleet_discovery.enabled", "false"),
        ("dbms.fleet_manager.enabled", "false"),
        ("dbms.security.allow_csv_import_from_file_urls", "false"),
        ("dbms.security.procedures.unrestricted", ""),
        ("dbms.security.procedures.allowlist", "none"),
        ("db.logs.query.enabled", "OFF"),
        ("db.logs.query.transaction.enabled", "OFF"),
        ("db.logs.query.parameter_logging_enabled", "false"),
        ("db.tx_log.preallocate", "false"),
        ("db.tx_log.rotation.size", "16.00MiB"),
        ("db.tx_log.rotation.retention_policy", "keep_none"),
        ("db.checkpoint.interval.time", "1m"),
        ("server.memory.pagecache.size", "256.00MiB"),
    ],
)
def test_a_setting_is_in_force(settings: dict[str, str], name: str, value: str) -> None:
    assert settings[name] == value


def test_only_one_port_is_open_and_only_to_this_machine(embedded: Endpoint, home: Path) -> None:
    open_ports = _listening(Layout(home).read_state()["java"])

    assert open_ports == [("127.0.0.1", int(embedded.uri.rpartition(":")[2]))]


@pytest.mark.parametrize(
    "statement",
    [
        "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
        "LOAD CSV FROM 'http://127.0.0.1:1/x.csv' AS line RETURN line",
    ],
)
def test_no_query_reads_a_file_or_an_address(embedded: Endpoint, statement: str) -> None:
    with Graph(embedded) as graph, pytest.raises(Unavailable) as caught:
        graph.write(lambda tx: tx.run(statement).consume())

    assert caught.value.code == "graph.error"


def test_there_are_no_procedures_but_the_servers_own(embedded: Endpoint) -> None:
    with Graph(embedded) as graph:
        names = graph.read(lambda tx: tx.run("SHOW PROCEDURES YIELD name").value("name"))

    assert {name.partition(".")[0] for name in names} == {"db", "dbms", "tx"}


def test_neither_files_nor_processes_show_the_password(embedded: Endpoint, home: Path) -> None:
    layout, state = Layout(home), Layout(home).read_state()

    for pid in (state["java"], state["supervisor"]):
        for part in ("cmdline", "environ"):
            assert embedded.password.encode() not in Path(f"/proc/{pid}/{part}").read_bytes()
    assert [path for path in home.rglob("*") if _holds(path, embedded.password)] == [layout.password]
    assert home.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in layout.password.parent.iterdir())


def test_java_gets_nothing_of_our_environment(home: Path, embedded: Endpoint) -> None:
    environment = Path(f"/proc/{Layout(home).read_state()['java']}/environ").read_text()

    assert {entry.partition("=")[0] for entry in environment.split("\0") if entry} <= {"LC_ALL", "LD_LIBRARY_PATH"}


def test_a_failed_statement_leaves_nothing_in_the_logs(embedded: Endpoint, home: Path) -> None:
    with Graph(embedded) as graph:
        for statement in (
            f"RETURN '{SECRET}' + x",
            f"RETURN date('{SECRET}')",
            "RETURN date($value)",
            "RETURN 1 / 0 AS `x`",
        ):
            with pytest.raises(Unavailable):
                graph.write(lambda tx, text=statement: tx.run(text, value=SECRET).consume())

    assert [path for path in (home / "logs").iterdir() if _holds(path, SECRET)] == []


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and text.encode() in path.read_bytes()


def _listening(pid: int) -> list[tuple[str, int]]:
    """The TCP addresses at which a process listens (proc(5): /proc/net/tcp, /proc/net/tcp6)."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(descriptor))
        if found:
            sockets.add(found[1])
    addresses = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                addresses.append(_address(fields[1]))
    return addresses


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.partition(":")
    words = [bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, len(host), 8)]
    raw = b"".join(words)
    family: Any = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, raw).removeprefix("::ffff:"), int(port, 16)

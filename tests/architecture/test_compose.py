"""The containers, read and not run: hardened, without a default password, and set like the embedded server."""

import re
from typing import Any

import pytest
import yaml

from graph.embedded.jars import read_lock
from graph.embedded.java import CALENDAR
from tests.conftest import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("api", "keeper")
# Of the embedded server's settings, those that differ in a container: the address, the memory, and how fast it stops.
OWN = ("server.default_listen_address", "server.bolt.listen_address", "server.bolt.advertised_address")
OWN += ("server.memory.pagecache.size", "internal.dbms.bolt.netty_server_shutdown_quiet_period_duration")


def test_there_is_a_server_an_api_and_a_keeper() -> None:
    assert set(SERVICES) == {"neo4j", "api", "keeper"}
    assert [SERVICES[name]["command"] for name in OURS] == [["serve"], ["keep"]]
    assert SERVICES["api"]["image"] == SERVICES["keeper"]["image"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardened(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    user, group = service["user"].split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ulimits"] == {"core": 0}
    assert service["pids_limit"] > 0
    assert service["mem_limit"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices", "env_file"} & set(service)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]

    assert check["test"][0] == "CMD"
    assert check["retries"] > 0
    assert {"interval", "timeout"} <= set(check)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_writes_to_volumes_and_memory_only(name: str) -> None:
    sources = {volume.partition(":")[0] for volume in SERVICES[name]["volumes"]}

    assert sources <= set(COMPOSE["volumes"])
    assert all(re.match(r"/(tmp|var/lib/neo4j/run):", mount) for mount in SERVICES[name]["tmpfs"])


def test_ports_are_published_on_loopback_only() -> None:
    assert SERVICES["api"]["ports"] == ["127.0.0.1:8470:8470"]
    assert all("ports" not in SERVICES[name] for name in ("neo4j", "keeper"))


def test_the_graph_is_on_a_network_of_its_own() -> None:
    assert COMPOSE["networks"]["graph"] == {"internal": True}
    assert {name: SERVICES[name]["networks"] for name in SERVICES} == {
        "neo4j": ["graph"],
        "api": ["graph", "front"],
        "keeper": ["graph"],
    }


def test_secrets_are_files_without_a_default() -> None:
    for secret in COMPOSE["secrets"].values():
        assert re.match(r"\$\{THEME_REGISTER_SECRETS:\?[^}]+\}/", secret["file"])
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            if re.search(r"PASSWORD|AUTH|SECRET|KEY", name):
                assert str(value).startswith("/run/secrets/")
                assert str(value).rpartition("/")[2] in service["secrets"]


def test_keys_and_graph_lie_apart_and_keys_are_never_backed_up() -> None:
    for name in OURS:
        assert "keys:/var/lib/register/keys" in SERVICES[name]["volumes"]
    assert not any("keys" in volume for volume in SERVICES["neo4j"]["volumes"])
    assert COMPOSE["volumes"]["keys"] == {"labels": {"backup": "never"}}


def test_ours_wait_for_a_healthy_server() -> None:
    for name in OURS:
        assert SERVICES[name]["depends_on"] == {"neo4j": {"condition": "service_healthy"}}


def test_the_server_is_of_the_embedded_version_and_set_like_it() -> None:
    assert SERVICES["neo4j"]["image"] == f"neo4j:{read_lock().version}-community"

    settings = {
        name.removeprefix("NEO4J_").replace("__", "\0").replace("_", ".").replace("\0", "_"): str(value)
        for name, value in SERVICES["neo4j"]["environment"].items()
    }
    template = (ROOT / "graph" / "embedded" / "neo4j.conf").read_text(encoding="utf-8")
    lines = [line for line in template.splitlines() if "=" in line and not line.startswith("#")]
    for line in (*lines, *CALENDAR.settings):
        name, _, value = line.partition("=")
        if name not in OWN:
            assert settings.get(name) == value, name


def test_the_image_is_pinned_and_runs_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    installs = [part for line in lines for part in line.split("&&") if "pip install" in part]

    assert set(bases) == {"python:3.13-slim-bookworm"}
    assert users[-1] == SERVICES["api"]["user"]
    assert all("--require-hashes" in part or "--no-deps --no-build-isolation" in part for part in installs)
    assert not any(line.startswith("ADD ") for line in lines)
    assert lines[-2:] == ['ENTRYPOINT ["theme-register"]', 'CMD ["serve"]']


def test_the_image_gets_what_it_needs_and_nothing_else() -> None:
    wanted = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert wanted[0] == "*"
    assert {line[1:] for line in wanted if line.startswith("!")} == {
        *("requirements.lock", "requirements-build.lock", "pyproject.toml", "README.md", "LICENSE"),
        *("register", "graph", "vault", "matching", "retention", "evidence", "api"),
    }

"""The distribution: every dependency has its reason and is pinned by hash, and our package names are ours alone."""

import importlib.metadata
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
LOCKS = {
    "requirements.lock": PROJECT["project"]["dependencies"],
    "requirements-dev.lock": PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"],
    "requirements-build.lock": PROJECT["dependency-groups"]["build"],
}


def _names(requirements: list[str]) -> set[str]:
    return {_normal(re.split(r"[^\w.-]", requirement)[0]) for requirement in requirements}


def _normal(name: str) -> str:
    """The normal form of a distribution's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _pinned(lock: str) -> dict[str, list[str]]:
    """Each `name==version …` entry of a lock, with its hashes."""
    entries = re.split(r"^(?=\w)", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {_normal(entry.split("==")[0]): re.findall(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries}


def test_every_dependency_has_its_line_of_reason_and_licence() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| ([\w-]+) \| (.{5,}) \| (\S.*) \|$", page, flags=re.MULTILINE)

    assert {name for name, _, _ in lines} - {"distribution"} == _names(
        [item for lock in LOCKS.values() for item in lock]
    )


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_all_that_is_asked_for_by_hash_and_names_no_address(lock: str) -> None:
    pinned = _pinned(lock)

    assert _names(LOCKS[lock]) <= set(pinned)
    assert all(pinned.values())
    assert "://" not in (ROOT / lock).read_text(encoding="utf-8")


def test_the_locks_agree() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in re.findall(
            r"^([\w.-]+)==([^ ;]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE
        ):
            versions.setdefault(name, set()).add(version)

    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_every_room_is_packaged() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench", "docs"}

    assert set(PACKAGES) == rooms


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_our_package_name(package: str) -> None:
    owners = importlib.metadata.packages_distributions().get(package, [])

    assert set(owners) <= {PROJECT["project"]["name"]}
    assert package not in {name for lock in LOCKS for name in _pinned(lock)}


def test_the_vocabulary_of_make_is_complete() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))

    assert targets == {"demo", "test", "lint", "types", "bench", "docs", "lock", "jars-lock"}
    assert {
        target for line in re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE) for target in line.split()
    } == targets


@pytest.mark.parametrize("script", [".ci/run"])
def test_a_script_is_executable_and_well_formed(script: str) -> None:
    path: Path = ROOT / script

    assert path.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", path], capture_output=True, check=False).returncode == 0
    assert "set -eu" in path.read_text(encoding="utf-8")


def test_no_test_is_skipped_in_silence() -> None:
    """What cannot run is deselected by tests/conftest.py, or skipped with a reason that the end of the run shows."""
    words = re.compile(
        r"pytest\.(xfail|importorskip)|mark\.(skip|skipif|xfail)|unittest\.skip|SkipTest|skip\((?!f?\"NOT CHECKED)"
    )
    found = [path for path in ROOT.glob("tests/**/*.py") if words.search(path.read_text(encoding="utf-8"))]

    assert [path for path in found if path != Path(__file__)] == []
    assert "-ra" in PROJECT["tool"]["pytest"]["ini_options"]["addopts"]

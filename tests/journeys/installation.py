"""A register as its users have it: folders, commands in processes of their own, API and keeper running beside."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from api.policies import BUILT_IN, text_of
from api.settings import Settings, environment
from retention.policy import shipped


def later_policy(day: str = "2027-01-01", changes: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the text of a later version of the built-in policy, valid from `day`, with texts replaced."""
    text = text_of(Path(), shipped(BUILT_IN).digest).decode()
    text = text.replace("valid_from = 2020-01-01", f"valid_from = {day}")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


PURPOSE = {"Purpose": "theme-insight", "Case": "TEST-2026/1"}
BUDGET = {"THEME_REGISTER_SEARCHES": "1000000"}


@dataclass(kw_only=True)
class Installation:
    """One register under test; `server` holds the environment that names its Neo4j (empty: embedded, its own)."""

    folder: Path
    server: dict[str, str]
    keys: dict[str, str] = field(default_factory=dict)
    url: str = ""

    @property
    def home(self) -> Path:
        return self.folder / "register"

    @property
    def settings(self) -> Settings:
        password = self.server.get("NEO4J_PASSWORD_FILE")
        return Settings(
            home=self.home,
            neo4j_uri=self.server.get("NEO4J_URI"),
            neo4j_username=self.server.get("NEO4J_USERNAME", "neo4j"),
            neo4j_password_file=Path(password) if password else None,
        )

    @property
    def environment(self) -> dict[str, str]:
        others = ("THEME_REGISTER_", "NEO4J_")
        inherited = {name: text for name, text in environment().items() if not name.startswith(others)}
        return inherited | BUDGET | self.server | {"THEME_REGISTER_HOME": str(self.home), "COLUMNS": "160"}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "api.cli", *arguments]

    def run(self, *arguments: str, key: str = "", status: int = 0) -> str:
        """Run a command to its end and return its output; its exit status must be `status`."""
        environment = self.environment
        if key:
            environment |= {"THEME_REGISTER_KEY_FILE": str(self.key_file(key)), "THEME_REGISTER_URL": self.url}
        done = subprocess.run(
            self.command(*arguments), env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == status, f"{arguments[:2]}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str, key: str = "") -> Any:
        return json.loads(self.run(*arguments, "--json", key=key).splitlines()[-1])

    def init(self, *, rehearsal: bool = True, anchor: str = "file") -> None:
        answer = self.json("init", "--anchor", anchor, *(["--rehearsal"] if rehearsal else []))
        self.keys["administrator"] = answer["administrator_key"]
        passphrase = self.folder / "passphrase"
        passphrase.touch(mode=0o600)
        passphrase.write_text("a passphrase of the tests")
        self.run("archive", "init", *self.custodian)

    @property
    def custodian(self) -> tuple[str, ...]:
        """Options that open the custodian's file."""
        return ("--key", str(self.folder / "custodian.json"), "--passphrase-file", str(self.folder / "passphrase"))

    @contextmanager
    def serving(self, *, keeper: bool = True) -> Iterator["Installation"]:
        """API (and keeper) in processes of their own for the length of the block."""
        with self._process("serve", "--http-port", "0", "--json", stdout=subprocess.PIPE) as api:
            assert api.stdout is not None
            self.url = json.loads(api.stdout.readline())["url"]
            self.wait_until_ready()
            if keeper:
                with self._process("keep"):
                    yield self
            else:
                yield self

    def wait_until_ready(self, seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        raise AssertionError("the API did not become ready")

    def enrol(self, code: str, role: str, *, handling: str = "H3", markings: tuple[str, ...] = ()) -> None:
        body = {"code": code, "role": role, "handling": handling, "markings": list(markings)}
        answer = self.ask("administrator", "POST", "/v1/actors", body)
        assert answer.status_code == 201, answer.text
        self.keys[code] = answer.json()["key"]

    def ask(self, code: str, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Ask the API as `code`, with purpose and case; a moment of 503 after a purge is waited out."""
        sent = {"Authorization": f"Bearer {self.keys[code]}", **PURPOSE, **headers} if code else headers
        end = time.monotonic() + 60
        while True:
            try:
                answer = httpx.request(method, self.url + path, json=body, headers=sent, timeout=60)
                if answer.status_code != 503 or time.monotonic() > end:
                    return answer
            except httpx.TransportError:
                if time.monotonic() > end:
                    raise
            time.sleep(0.05)

    def finished(self, run: str, code: str, seconds: float = 120, *, approved_by: str = "") -> dict[str, Any]:
        """Wait for the end of a run, as an officer sees it; a plan that waits for a second person is approved."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for one in self.ask(code, "GET", "/v1/retention/runs").json()["runs"]:
                ended = ("certified", "nothing-due", "waiting", "superseded", "refused", "failed")
                if one["run"] == run and one["state"] in ended:
                    return dict(one)
                if one["run"] == run and one["state"] == "planned" and approved_by:
                    path = f"/v1/retention/runs/{run}/approval"
                    assert self.ask(approved_by, "POST", path, {"digest": one["digest"]}).status_code == 204
            time.sleep(0.1)
        raise AssertionError("the run did not end")

    def sealed(self, act: str, code: str) -> list[dict[str, Any]]:
        """Return the newest entries of an act, once the keeper has sealed one; it does within a second or two."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            case = {"Purpose": "oversight", "Case": "AUDIT/2026-1"}
            if found := self.ask(code, "GET", f"/v1/audit/entries?limit=500&act={act}", **case).json()["entries"]:
                return list(found)
            time.sleep(0.1)
        raise AssertionError("not sealed")

    def key_file(self, code: str) -> Path:
        path = self.folder / f"{code}.key"
        path.write_text(self.keys[code])
        path.chmod(0o600)
        return path

    @contextmanager
    def _process(self, *arguments: str, stdout: int | None = None) -> Iterator[subprocess.Popen[str]]:
        log = self.folder / f"{arguments[0]}.log"
        with log.open("a") as stderr:
            process = subprocess.Popen(
                self.command(*arguments),
                env=self.environment,
                stdout=stdout if stdout is not None else stderr,
                stderr=stderr,
                text=True,
            )
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)
                if process.stdout is not None:
                    process.stdout.close()

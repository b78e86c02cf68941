"""The demonstration: a register from nothing to a verified certificate, by the very commands that users have.

Everything is made up, the register is a rehearsal register, and each step says what it expects and whether it held.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.rule import Rule

from api.demo.story import COUNT, SYNOPSIS, Landmark, Landmarks, landmarks, signals

MARKER: Final = "DEMO"
PURPOSE: Final = ("--purpose", "theme-insight", "--case", "DEMO-2026/1")
PEOPLE: Final = (
    ("ana", "analyst", ("--handling", "H2", "--marking", "organised-crime")),
    ("chris", "compliance-officer", ()),
    ("drew", "compliance-officer", ()),
    ("douane-01", "contributor", ()),
)
_READY_SECONDS: Final = 90.0
_WIDTH: Final = 110
_RUN_SECONDS: Final = "120"


class NotHeld(Exception):
    """A step of the demonstration did not do what it should; the message says which."""


class Walk:
    """One walk through the demonstration.

    Args:
        home: where the register is made; what stands there is removed only if it is an earlier demonstration's.
        today: civil date from which the story's dates are reckoned.
        environment: of the commands.
        console: where everything is printed.
    """

    def __init__(self, home: Path, today: date, environment: dict[str, str], console: Console) -> None:
        self.folder = home.with_name(home.name + ".demo")
        self._home = home
        self._today = today
        self._environment = {**environment, "THEME_REGISTER_HOME": str(home)}
        self._console = console
        self._landmarks: Landmarks = landmarks(today)
        self._removed = 0

    def check(self) -> None:
        """Walk once and clean up. Raises NotHeld."""
        with self._served():
            self._steps()

    def stay(self) -> None:
        """Walk, then leave API and keeper running until the caller ends this. Raises NotHeld."""
        with self._served() as url:
            self._steps()
            self._say_how_to_go_on(url)
            while True:
                time.sleep(3600)

    @contextmanager
    def _served(self) -> Iterator[str]:
        self._console.print("\n".join(SYNOPSIS), style="italic", highlight=False)
        with ExitStack() as running:
            self._step("A new rehearsal register: folders, keys, schema")
            self._clear()
            self.folder.mkdir(parents=True)
            self._do("init", "--rehearsal", "--key-to", self._key("administrator"))
            (self._home / MARKER).touch()
            passphrase = self.folder / "passphrase"
            passphrase.touch(mode=0o600)
            passphrase.write_text("made up for a demonstration", encoding="utf-8")
            self._step("Its closed archive: private keys go to a custodian, and the register keeps the public ones")
            self._do("archive", "init", *self._custodian)
            self._step(f"{COUNT} made-up signals of the last five years are handed in")
            story = self.folder / "story.ndjson"
            with open(story, "x", encoding="utf-8") as file:
                file.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in signals(self._today))
            tally = self._json("import", str(story), "--contributor", "douane-01")
            self._expect(tally["accepted"] == COUNT and not tally["rejected"], f"all {COUNT} accepted")
            self._step("The API and the keeper start")
            url = self._start(running)
            self._environment["THEME_REGISTER_URL"] = url
            for code, role, options in PEOPLE:
                self._as("administrator", "users", "add", code, role, *options, "--key-to", self._key(code))
            yield url

    def _steps(self) -> None:
        self._enquire()
        self._retain()
        self._ask_the_custodian()
        self._look_again()
        self._console.print(Rule(style="green"))
        self._console.print("every step held", style="bold green")

    def _enquire(self) -> None:
        marks = self._landmarks
        self._step(f"An analyst looks for {marks.central.name}, with a typing error")
        name = _mistyped(marks.central.name)
        hits = self._as_json("ana", "find", name, *PURPOSE)["hits"]
        self._as("ana", "find", name, "--limit", "3", *PURPOSE)
        self._expect(bool(hits) and marks.central.name in hits[0]["names"], "found first")
        central = hits[0]["subject"]
        self._step("The link network around that person, two steps deep")
        network = self._as_json("ana", "network", central, "--depth", "2", *PURPOSE)
        picture = self.folder / "network.svg"
        self._as("ana", "network", central, "--depth", "2", "--picture", str(picture), *PURPOSE)
        self._expect(len(network["links"]) > 5, f"{len(network['links'])} links; as a picture in {picture.name}")
        self._step(f"How does {marks.path_from.name} hang together with {marks.path_to.name}?")
        ends = [self._id(one) for one in (marks.path_from, marks.path_to)]
        paths = self._as_json("ana", "paths", *ends, *PURPOSE)["paths"]
        self._as("ana", "paths", *ends, *PURPOSE)
        self._expect(bool(paths) and len(paths[0]["links"]) == marks.path_links, f"{marks.path_links} links apart")

    def _retain(self) -> None:
        on = self._landmarks.due_on.isoformat()
        self._step(f"What will be due on {on}? A dry run, by a compliance officer who sees no content")
        plan = self._as_json("chris", "retention", "plan", "--on", on)
        self._as("chris", "retention", "plan", "--on", on)
        due = sum(one["kind"] == "subject" for one in plan["due"])
        self._removed = len(plan["due"])
        held = f"{due} of {self._landmarks.subjects} subjects are due, for removal to the closed archive"
        self._expect(due == self._landmarks.due, held)
        self._step(f"The run for {on}, on this handed-in date because this is a rehearsal register")
        self._as("chris", "retention", "run", "--on", on, "--wait", _RUN_SECONDS)
        certificates = self._as_json("chris", "certificate", "list")["certificates"]
        self._expect(len(certificates) == 1, "one certificate was issued")
        self._step("The certificate is checked offline, with public keys only")
        saved = self.folder / "certificate"
        self._as("chris", "certificate", "show", certificates[0]["certificate"], "--save", str(saved))
        vkey = ("--vkey", str(self._home / "log" / "vkey"))
        self._do("verify", "certificate", str(saved), *vkey)
        envelope = bytearray((saved / "certificate.json").read_bytes())
        envelope[len(envelope) // 2] ^= 1
        forged = self.folder / "forged"
        shutil.copytree(saved, forged)
        (forged / "certificate.json").write_bytes(envelope)
        self._step("The same with one bit changed")
        status = self._run(["verify", "certificate", str(forged), *vkey], show=True).returncode
        self._expect(status not in (0, 1), f"refused, exit status {status}")

    def _ask_the_custodian(self) -> None:
        """What was removed is not destroyed yet: the law keeps it for complaints and accountability (Wpg art. 14)."""
        gone = self._landmarks.gone
        case = ("--ground", "complaint", "--case", "DEMO-2026/2")
        self._step(f"{gone.name} complains: the custodian, offline and with a case, finds what was removed")
        found = self._json("archive", "find", "--name", gone.name, *self._custodian, *case)["found"]
        self._expect(bool(found), "found in the closed archive")
        record = self._json("archive", "open", found[0], *self._custodian, *case)
        self._do("archive", "open", found[0], *self._custodian, *case)
        named = [name for signal in record["signals"] for name in signal["mention"]["names"]]
        self._expect(gone.name in named, "it opens, and keeps nobody else")
        log = str(self.folder / "custodian.json.log")
        lines = self._json("archive", "import-log", log)["lines"]
        self._expect(lines == 3, "each opening is a signed line, now in the audit log too")
        self._step("What becomes of it: a dry run for the day after five full years")
        plan = self._as_json(
            "chris", "retention", "plan", "--on", _after_five_years(self._landmarks.due_on).isoformat()
        )
        due = sum(one["kind"] == "archived-record" for one in plan["due"])
        self._expect(due == self._removed, f"all {due} archived records are to be destroyed that day")

    def _look_again(self) -> None:
        marks = self._landmarks
        self._step(f"{marks.gone.name} is gone; {marks.stays.name} stays, for a younger signal names them")
        self._expect(self._found(marks.gone) == 0, "the one is not found any more")
        self._expect(self._found(marks.stays) == 1, "the other one is")

    def _found(self, one: Landmark) -> int:
        # After a purge the process that serves is replaced: a moment of 503 is what a client has to expect.
        end = time.monotonic() + _READY_SECONDS
        while True:
            wanted = ["find", "--identifier", f"{one.kind}:{one.value}", "--json", *PURPOSE]
            done = self._run(wanted, show=False, key="ana")
            if done.returncode == 0:
                return len(json.loads(done.stdout)["hits"])
            if time.monotonic() > end:
                raise NotHeld("the API did not come back after the purge")
            time.sleep(0.2)

    def _id(self, one: Landmark) -> str:
        hits = self._as_json("ana", "find", "--identifier", f"{one.kind}:{one.value}", *PURPOSE)["hits"]
        self._expect(len(hits) == 1, f"{one.name} found by {one.kind}")
        return str(hits[0]["subject"])

    def _clear(self) -> None:
        if self._home.exists() and any(self._home.iterdir()) and not (self._home / MARKER).exists():
            raise NotHeld(f"{self._home} is not a demonstration's register; nothing was touched")
        for folder in (self._home, self._home.with_name(self._home.name + ".keys"), self.folder):
            shutil.rmtree(folder, ignore_errors=True)

    def _start(self, running: ExitStack) -> str:
        """Start API and keeper, ended with the walk; return the API's address once it is ready."""
        serving = self._background(running, "serve", "--json")
        self._background(running, "keep")
        line = serving.stdout.readline() if serving.stdout else ""
        self._expect(bool(line), "the API has started")
        url = str(json.loads(line)["url"])
        self._expect(_ready(url), f"ready at {url}")
        return url

    def _background(self, running: ExitStack, *arguments: str) -> subprocess.Popen[str]:
        log = running.enter_context((self.folder / f"{arguments[0]}.log").open("x", encoding="utf-8"))
        out = subprocess.PIPE if "--json" in arguments else log
        process = subprocess.Popen(
            _command([*arguments, *(("--http-port", "0") if arguments[0] == "serve" else ())]),
            env=self._environment,
            stdout=out,
            stderr=log,
            text=True,
        )
        running.callback(_end, process)
        return process

    def _step(self, title: str) -> None:
        self._console.print(Rule(title, align="left", style="blue"))

    @property
    def _custodian(self) -> tuple[str, ...]:
        return ("--key", str(self.folder / "custodian.json"), "--passphrase-file", str(self.folder / "passphrase"))

    def _expect(self, held: bool, what: str) -> None:
        if not held:
            raise NotHeld(f"this did not hold: {what}")
        self._console.print(f"✓ {what}", style="green", highlight=False)

    def _key(self, code: str) -> str:
        return str(self.folder / f"{code}.key")

    def _as(self, code: str, *arguments: str) -> None:
        self._do(*arguments, key=code)

    def _as_json(self, code: str, *arguments: str) -> Any:
        return self._json(*arguments, key=code)

    def _do(self, *arguments: str, key: str = "") -> None:
        done = self._run(list(arguments), show=True, key=key)
        if done.returncode:
            raise NotHeld(f"`theme-register {' '.join(arguments[:2])}` ended with {done.returncode}: {done.stderr}")

    def _json(self, *arguments: str, key: str = "") -> Any:
        done = self._run([*arguments, "--json"], show=False, key=key)
        if done.returncode:
            raise NotHeld(f"`theme-register {' '.join(arguments[:2])}` ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    def _run(self, arguments: list[str], *, show: bool, key: str = "") -> subprocess.CompletedProcess[str]:
        environment = self._environment | ({"THEME_REGISTER_KEY_FILE": self._key(key)} if key else {})
        if show:
            shown = " ".join(Path(one).name if one.startswith("/") else one for one in arguments)
            self._console.print(f"$ theme-register {shown}", style="bold", highlight=False, soft_wrap=True)
        environment["COLUMNS"] = str(max(self._console.width, _WIDTH))
        done = subprocess.run(_command(arguments), env=environment, capture_output=True, text=True, check=False)
        if show and done.stdout:
            self._console.print(done.stdout.rstrip(), highlight=False, markup=False, soft_wrap=True)
        return done

    def _say_how_to_go_on(self, url: str) -> None:
        self._console.print(Rule("It stays up: try it yourself, Ctrl-C ends it", align="left", style="blue"))
        self._console.print(f"API      {url}   (OpenAPI at {url}/v1/openapi.json)", highlight=False)
        for code in ("administrator", *(code for code, _, _ in PEOPLE)):
            key = Path(self._key(code)).read_text("ascii").strip()
            self._console.print(f"{code:<14} {key}   in {self._key(code)}", highlight=False, soft_wrap=True)
        self._console.print(
            f"\nTHEME_REGISTER_URL={url} THEME_REGISTER_KEY_FILE={self._key('ana')} \\\n"
            f"  .venv/bin/theme-register find '{self._landmarks.central.name}' --case DEMO-2026/1",
            highlight=False,
            soft_wrap=True,
        )


def _command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "api.cli", *arguments]


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ready(url: str) -> bool:
    import httpx

    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).is_success:
                return True
        except httpx.HTTPError:
            time.sleep(0.05)
        time.sleep(0.05)
    return False


def _after_five_years(day: date) -> date:
    """Return the first day after five full years, as the archive counts them."""
    leap = (day.month, day.day) == (2, 29)
    return date(day.year + 5, day.month, 28 if leap else day.day) + timedelta(days=1)


def _mistyped(name: str) -> str:
    """Return the name with two letters of its longest word exchanged, as people type."""
    word = max(name.split(), key=len)
    middle = len(word) // 2
    return name.replace(word, word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :])

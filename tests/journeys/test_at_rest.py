"""What lies on disk and in the database holds no name and no sentence in clear, nor does what the processes print.

The control is the same search on the same load made with a cipher that does nothing: it finds them.
"""

import json
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.demo.story import MARKINGS, landmarks
from api.demo.story import signals as story
from api.exchange.ndjson import Rejects, take_in
from api.exchange.signal_v1 import read
from api.founding import found
from api.harbours import HARBOURS
from api.wiring import workplace
from graph.embedded.server import stop
from register.access import Actor, Role
from register.clock import SystemClock, civil_date
from register.grading import SubjectKind
from register.narrative import FreeText, Named, redact
from register.ports import SHIPPED
from register.signals import NewSignal
from tests.conftest import SHARED_DATA
from tests.journeys.bytesearch import Search, dump, files, forms
from tests.journeys.imports import begun
from tests.journeys.installation import Installation
from tests.journeys.rounds_state import archived
from tests.vault.test_null_cipher import NullCipher

TODAY = civil_date(SystemClock().now())
SAMPLE = 50
EVERY = 5
"""Of the open signals every fifth is taken, over the whole file."""

LETTERS = 8
STRETCH = 24
SOURCES = ["story", pytest.param("open", marks=pytest.mark.shared_data)]


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What is looked for: names of at least eight letters, and 24 characters of narratives between placeholders."""

    names: tuple[str, ...]
    stretches: tuple[str, ...]

    @property
    def all(self) -> frozenset[str]:
        return frozenset(self.names + self.stretches)


@dataclass(frozen=True, kw_only=True)
class Load:
    """A register without signals, files to import there, and what is looked for from each, by source."""

    register: Installation
    paths: dict[str, Path]
    secrets: dict[str, Secrets]

    @property
    def search(self) -> Search:
        return Search(text for one in self.secrets.values() for text in one.all)


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was found in a register: in its files while it was used, in the dump, in its files after everything ended.

    Attributes:
        archived: what the custodian finds in the archived records, which lie among the files that are searched.
        printed: what was found in the output of its processes.
        lines: how many lines they printed; `size`: how many bytes of files were searched at the end.
    """

    alive: frozenset[str]
    properties: frozenset[str]
    stopped: frozenset[str]
    archived: frozenset[str] = frozenset()
    printed: frozenset[str] = frozenset()
    lines: int = 0
    size: int = 0


@pytest.fixture(scope="module")
def load(next_own_register: Callable[[], Installation], tmp_path_factory: pytest.TempPathFactory) -> Load:
    register = next_own_register()
    register.init()
    folder = tmp_path_factory.mktemp("load")
    lines = {"story": [json.dumps(one, ensure_ascii=False).encode() for one in story(TODAY)]}
    if SHARED_DATA.is_dir():
        register.run("ports", "load", str(SHARED_DATA / "ports" / "unlocode-2019-2-seaports.csv"))
        lines["open"] = (SHARED_DATA / "signals" / "open.ndjson").read_bytes().splitlines()[::EVERY]
    paths = {}
    for source, some in lines.items():
        paths[source] = folder / f"{source}.ndjson"
        paths[source].write_bytes(b"\n".join(some))
    random = Random(8)  # noqa: S311 - no secret
    return Load(
        register=register,
        paths=paths,
        secrets={
            source: _sampled(random.sample([read(line) for line in some], len(some)), register)
            for source, some in lines.items()
        },
    )


@pytest.fixture(scope="module")
def sealed(load: Load) -> Looked:
    """The load as it is really kept, used by everybody: imported, searched, refused, and partly purged."""
    register, search = load.register, load.search
    folders = (register.home, register.settings.keys_folder)
    for path in load.paths.values():
        with begun(register, path) as importing:
            assert importing.tally()["rejected"] == 0
    with register.serving():
        register.enrol("douane", "contributor")
        register.enrol("ana", "analyst", markings=MARKINGS)
        for code in ("chris", "drew"):
            register.enrol(code, "compliance-officer")
        _enquire(register, load.secrets["story"].names[:3])
        alive = search.found(files(*folders))
        _purge(register)
    with workplace(register.settings, "test") as opened:
        properties = search.found(dump(opened.graph))
    stop(register.home / "graph")
    records = archived(register.home / "archive", register.folder)
    logs = [register.folder / f"{name}.log" for name in ("import", "serve", "keep")]
    return Looked(
        alive=alive,
        properties=properties,
        stopped=search.found(files(*folders)),
        archived=search.found(json.dumps(one).encode() for one in records.values()),
        printed=search.found(files(*logs)),
        lines=sum(len(log.read_bytes().splitlines()) for log in logs),
        size=sum(map(len, files(*folders))),
    )


@pytest.fixture(scope="module")
def unsealed(load: Load, next_own_register: Callable[[], Installation]) -> Looked:
    """The control: the same load under a cipher that does nothing, which no setting can bring about."""
    register, search = next_own_register(), load.search
    found(register.settings, SystemClock(), rehearsal=True, cipher=NullCipher)
    if (load.register.home / HARBOURS).exists():
        shutil.copy(load.register.home / HARBOURS, register.home / HARBOURS)
    folders = (register.home, register.settings.keys_folder)
    with workplace(register.settings, "import", cipher=NullCipher) as opened:
        for path in load.paths.values():
            with path.open("rb") as file, Rejects(path.with_suffix(".rejects")) as rejects:
                desk = Actor(code="desk", role=Role.CONTRIBUTOR)
                tally = take_in(file, opened.intake, desk, rejects, dry_run=False, progress=lambda _: None)
                assert tally.rejected == 0
        properties = search.found(dump(opened.graph))
        alive = search.found(files(*folders))
    stop(register.home / "graph")
    return Looked(alive=alive, properties=properties, stopped=search.found(files(*folders)))


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_lies_in_clear(load: Load, sealed: Looked, source: str) -> None:
    secrets = load.secrets[source]
    assert (len(secrets.names), len(secrets.stretches)) == (SAMPLE, SAMPLE)
    assert sealed.size > 10_000_000
    assert secrets.all & sealed.alive == set()
    assert secrets.all & sealed.properties == set()
    assert secrets.all & sealed.stopped == set()


def test_what_was_removed_lies_sealed_in_the_archive(load: Load, sealed: Looked) -> None:
    """Names and sentences are there, as the custodian sees; who searches the same files finds none of them."""
    assert load.secrets["story"].all & sealed.archived
    assert sealed.archived & sealed.stopped == set()


@pytest.mark.parametrize("source", SOURCES)
def test_control_under_a_null_cipher_all_of_it_is_found(load: Load, unsealed: Looked, source: str) -> None:
    secrets = load.secrets[source]
    assert secrets.all - unsealed.properties == set()
    # In its files Neo4j keeps long values in blocks of 120 bytes: what lies across two of them is not in one piece.
    for found_there in (unsealed.alive, unsealed.stopped):
        assert len(secrets.all & found_there) >= 0.8 * len(secrets.all)


def test_processes_print_nothing_of_it(sealed: Looked) -> None:
    assert sealed.lines > 0
    assert sealed.printed == set()


@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=LETTERS, max_size=40),
    before=st.binary(max_size=7),
    after=st.binary(max_size=7),
)
def test_the_search_finds_every_form(text: str, before: bytes, after: bytes) -> None:
    search = Search(["Adriaan Zandvoorter", text])
    for form in forms(text).values():
        assert text in search.found([before + form + after])
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        assert text in search.found([before + text.encode(encoding) + after])
    assert text in search.found([b64encode(before + text.encode() + after)])
    assert search.found([before, after]) == set()


def _sampled(signals: Iterable[NewSignal], register: Installation) -> Secrets:
    """Draw secrets from signals in their order; what is there without any signal, a harbour's name, is no secret."""
    some = list(signals)
    known = [*files(register.home, register.settings.keys_folder, SHIPPED)]

    def drawn(texts: Iterator[str]) -> tuple[str, ...]:
        candidates = list(dict.fromkeys(texts))[: 2 * SAMPLE]
        there = Search(candidates).found(known)
        return tuple(text for text in candidates if text not in there)[:SAMPLE]

    names = (name for signal in some for subject in signal.subjects for name in subject.names)
    return Secrets(
        names=drawn(name for name in names if sum(map(str.isalpha, name)) >= LETTERS),
        stretches=drawn(text for signal in some if (text := _stretch(signal)) is not None),
    )


def _stretch(signal: NewSignal) -> str | None:
    """Return the middle of the longest part of the narrative between placeholders."""
    named = [Named(names=one.names, person=one.kind is SubjectKind.PERSON) for one in signal.subjects]
    (text,) = redact([FreeText(text=signal.narrative)], named, bytes_of=bytes).texts
    longest = max((part.strip() for part in text if isinstance(part, str)), key=len, default="")
    start = (len(longest) - STRETCH) // 2
    return longest[start : start + STRETCH] if start >= 0 else None


def _enquire(register: Installation, names: tuple[str, ...]) -> None:
    """Do what people do, names in their questions and mistakes in what they hand in."""
    for name in names:
        hits = register.ask("ana", "POST", "/v1/subjects/search", {"name": name}).json()["hits"]
        assert name in hits[0]["names"]
        network = register.ask("ana", "POST", "/v1/network", {"start": hits[0]["subject"], "depth": 2}).json()
        assert network["subjects"]
        for link in network["links"][:1]:
            assert register.ask("ana", "GET", f"/v1/signals/{link['signal']}").is_success
        broken = {"format": "signal/1", "reference": name, "narrative": name, name: name}
        assert register.ask("douane", "POST", "/v1/signals", broken).status_code == 422
        assert register.ask("douane", "POST", f"/v1/{name}", broken).status_code == 404


def _purge(register: Installation) -> None:
    on = landmarks(TODAY).due_on.isoformat()
    run = register.ask("chris", "POST", "/v1/retention/runs", {"on": on}).json()["run"]
    assert register.finished(run, "chris", approved_by="drew")["state"] == "certified"

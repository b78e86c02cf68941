"""What a purge forgot opens from no older copy; what it kept opens from every one; and the certificate says so.

The control is the wrong purge, which wraps the same root key under a new anchor: with it the older copy opens.
"""

import json
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.demo.story import COUNT, Landmark, landmarks
from api.demo.story import signals as story
from api.exchange.signal_v1 import read
from api.places import register_of
from api.server import endpoint
from api.wiring import workplace
from graph.connection import Graph
from graph.embedded.server import stop
from graph.labels import LINKS, Label, Tie
from register.acceptance import strong
from register.accepted import OpenedSignal
from register.clock import SystemClock, civil_date
from register.errors import Tampered, Unavailable
from register.ids import RegisterId, SignalId
from register.interfaces import DeliveryKey
from register.sealed import SealedMention, SealedSignal
from register.signals import NewSignal
from register.subjects import IdentifierKind, NewIdentifier
from tests.journeys.bytesearch import files
from tests.journeys.census import Counts, counts, ids, sealed_signals
from tests.journeys.installation import Installation
from tests.journeys.rounds_state import archived
from tests.journeys.thief import Loot, Value, loot, values, wrongly_purged
from vault.anchors.file import FileAnchor
from vault.archive.custodian import Custodian
from vault.keystore.purge import Purge
from vault.keystore.store import KeyStore
from vault.lookup import Lookup
from vault.sealing import Sealer

TODAY = civil_date(SystemClock().now())
CONTRIBUTOR = "douane-01"
CONTENT = (Label.SUBJECT, Label.PERSON, Label.ORGANISATION, Label.SIGNAL, Label.IDENTIFIER, Label.PORT)
"""Labels of what is kept about people and harbours; the others are those of runs and of the register itself."""


@dataclass(frozen=True, kw_only=True)
class Purged:
    """A register with the story in it, before and after a run on the day when a part of it is due.

    Attributes:
        old: the register as it was copied before the run, graph and keys.
        opened: every signal before the run, opened, by its id.
        old_signals: every signal of the old graph, sealed.
        gone: ids of subjects, signals and identifiers that the run took away, and `kept` of those that stayed.
        run: how the run ended; `plan` is what the dry run before said; `saved` the folder of the certificate's files.
        hits: how often somebody who is gone, and somebody who stays, are found after it.
    """

    register: Installation
    old: Installation
    handed_in: tuple[NewSignal, ...]
    opened: Mapping[SignalId, OpenedSignal]
    old_signals: tuple[SealedSignal, ...]
    before: Counts
    after: Counts
    gone: dict[str, frozenset[str]]
    kept: dict[str, frozenset[str]]
    run: dict[str, Any]
    plan: dict[str, Any]
    saved: Path
    hits: tuple[int, int]

    @property
    def keys(self) -> Path:
        return self.register.settings.keys_folder

    @property
    def old_keys(self) -> Path:
        return self.old.settings.keys_folder

    def mentions(self, *, gone: bool) -> list[SealedMention]:
        """The mentions of the old graph whose subject is gone, or stays."""
        return [
            one
            for signal in self.old_signals
            for one in signal.mentions
            if (one.facts.subject in self.gone["Subject"]) is gone
        ]

    def values(self, *, gone: bool) -> frozenset[Value]:
        """Every sealed value of the old graph that was forgotten, or that stays."""
        signals = [one for one in self.old_signals if (one.facts.id in self.gone["Signal"]) is gone]
        return frozenset().union(*map(values, signals), *map(values, self.mentions(gone=gone)))

    def identifiers(self, *, gone: bool) -> frozenset[NewIdentifier]:
        """Every strong identifier that was stated, of those whose subjects are all gone, or of the others."""
        stated = {one for signal in self.handed_in for subject in signal.subjects for one in strong(subject)}
        with opened_keys(self.keys) as store:
            present = set(Lookup(store).identifiers(stated))
        return frozenset(stated - present if gone else present)

    def deliveries(self, *, gone: bool) -> frozenset[DeliveryKey]:
        """The references of the signals that are gone, or stay."""
        return frozenset(
            DeliveryKey(contributor=CONTRIBUTOR, reference=one.reference)
            for one in self.opened.values()
            if (one.id in self.gone["Signal"]) is gone
        )

    def loot(self) -> Loot:
        """What the old copy of the keys' folder gives away to somebody with all that is present."""
        return loot(self.old_keys, self.keys, self.id)

    @property
    def id(self) -> RegisterId:
        return register_of(self.old.home)


@contextmanager
def opened_keys(folder: Path) -> Iterator[KeyStore]:
    with closing(KeyStore.open(folder, FileAnchor(folder / "anchor"))) as store:
        yield store


@contextmanager
def opened_graph(register: Installation) -> Iterator[Graph]:
    with endpoint(register.settings) as found, Graph(found) as graph:
        graph.verify()
        yield graph


@pytest.fixture(scope="module")
def purged(next_own_register: Callable[[], Installation]) -> Purged:
    marks = landmarks(TODAY)
    register, old = next_own_register(), next_own_register()
    register.init()
    path = register.folder / "story.ndjson"
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in story(TODAY)))
    assert register.json("import", str(path), "--contributor", CONTRIBUTOR)["accepted"] == COUNT
    with workplace(register.settings, "test") as opened:
        signals = tuple(sealed_signals(opened.graph))
        read_before = {one.facts.id: opened.sealer.open_signal(one, with_source=True) for one in signals}
        before = counts(opened.graph)
        ids_before = {label: ids(opened.graph, label) for label in ("Subject", "Signal", "Identifier")}
    stop(register.home / "graph")
    shutil.copytree(register.home, old.home)
    shutil.copytree(register.settings.keys_folder, old.settings.keys_folder)

    with register.serving():
        register.enrol("ana", "analyst", markings=("organised-crime",))
        register.enrol("chris", "compliance-officer")
        on = marks.due_on.isoformat()
        plan = register.json("retention", "plan", "--on", on, key="chris")
        run = register.json("retention", "run", "--on", on, "--wait", "120", key="chris")
        (filed,) = register.json("certificate", "list", key="chris")["certificates"]
        saved = register.folder / "certificate"
        register.run("certificate", "show", filed["certificate"], "--save", str(saved), key="chris")
        hits = _hits(register, marks.gone), _hits(register, marks.stays)
    with opened_graph(register) as graph:
        after = counts(graph)
        ids_after = {label: ids(graph, label) for label in ids_before}
    stop(register.home / "graph")
    return Purged(
        register=register,
        old=old,
        handed_in=tuple(read(line) for line in path.read_bytes().splitlines()),
        opened=read_before,
        old_signals=signals,
        before=before,
        after=after,
        gone={label: some - ids_after[label] for label, some in ids_before.items()},
        kept={label: some & ids_after[label] for label, some in ids_before.items()},
        run=run,
        plan=plan,
        saved=saved,
        hits=hits,
    )


def test_the_counts_before_and_after_are_those_of_what_was_due(purged: Purged) -> None:
    """R33, C06: what is past its term goes, its links with it, and nothing else."""
    marks = landmarks(TODAY)
    assert purged.run["state"] == "certified"
    assert (purged.before.nodes["Subject"], purged.before.nodes["Signal"]) == (marks.subjects, COUNT)
    assert len(purged.gone["Subject"]) == marks.due > 0
    assert purged.hits == (0, 1)

    def goes(signal: SealedSignal) -> bool:
        if signal.facts.remove_by is not None:
            return signal.facts.remove_by <= marks.due_on
        return all(one.facts.subject in purged.gone["Subject"] for one in signal.mentions)

    gone_signals = [one for one in purged.old_signals if goes(one)]
    assert purged.gone["Signal"] == {one.facts.id for one in gone_signals}
    carriers: dict[str, set[str]] = {}
    for signal in purged.old_signals:
        for mention in signal.mentions:
            for identifier in mention.facts.identifiers:
                carriers.setdefault(identifier, set()).add(mention.facts.subject)
    assert purged.gone["Identifier"] == {one for one, some in carriers.items() if some <= purged.gone["Subject"]}

    nodes = {label: purged.before.nodes.get(label, 0) - purged.after.nodes.get(label, 0) for label in CONTENT}
    assert nodes.pop(Label.PERSON) + nodes.pop(Label.ORGANISATION) == marks.due
    assert nodes == {
        Label.SUBJECT: marks.due,
        Label.SIGNAL: len(gone_signals),
        Label.IDENTIFIER: len(purged.gone["Identifier"]),
        Label.PORT: 0,
    }
    # Of the run itself nothing stays but its own record, which names what went by fingerprint only.
    assert purged.after.nodes.keys().isdisjoint({Label.JOURNAL, Label.ORDER, Label.GONE})
    links = [link.facts for signal in purged.old_signals for link in signal.links]
    lost = {
        Tie.MENTIONS.value: len(purged.mentions(gone=True)),
        Tie.CARRIES.value: sum(len(some & purged.gone["Subject"]) for some in carriers.values()),
        Tie.AT.value: sum(len(one.facts.ports) for one in gone_signals),
    }
    for kind in LINKS:
        lost[kind] = sum(
            link.kind.relationship == kind and not {link.from_, link.to}.isdisjoint(purged.gone["Subject"])
            for link in links
        )
    relationships = {kind: purged.before.relationships.get(kind, 0) for kind in lost}
    assert relationships.keys() >= purged.before.relationships.keys()
    assert {kind: purged.after.relationships.get(kind, 0) for kind in lost} == {
        kind: relationships[kind] - lost[kind] for kind in lost
    }


def test_the_dry_run_said_what_was_done(purged: Purged) -> None:
    """C05: by id."""
    planned = {one["id"] for one in purged.plan["due"] if one["kind"] == "subject"}
    assert planned == purged.gone["Subject"]
    assert purged.plan["live"] == {"subjects": landmarks(TODAY).subjects, "signals": COUNT}


def test_read_back_finds_nothing(purged: Purged) -> None:
    """R40, C15: in the graph, and by id and token in the key store; the certificate says so."""
    predicate = json.loads(_payload(purged.saved))["predicate"]
    asked = {(one["store"], one["asked"], one["found"]) for one in predicate["readback"]}
    # Of a removal every archived record is looked for too, and has to be found; of all else nothing.
    stubs = predicate["stubs"]["count"]
    assert stubs > 0
    assert ("archive", stubs, stubs) in asked
    others = [(store, found) for store, _, found in asked - {("archive", stubs, stubs)}]
    assert sorted(others) == [("anchor", 0), ("archive", 0), ("graph", 0), ("key-store", 0)]
    gone = frozenset().union(*purged.gone.values())
    with opened_keys(purged.keys) as store:
        assert Purge(store).remains(gone) == ()
        kept = purged.kept["Subject"] | purged.kept["Signal"]
        assert len({one.partition(":")[2] for one in Purge(store).remains(kept)}) == len(kept)


def test_the_certificate_is_verified_by_the_command_and_one_changed_byte_is_found(
    purged: Purged, tmp_path: Path
) -> None:
    vkey = ("--vkey", str(purged.register.home / "log" / "vkey"))
    purged.register.run("verify", "certificate", str(purged.saved), *vkey)
    for name in ("certificate.json", "certificate.tlog-proof", "policy.toml"):
        forged = tmp_path / name
        shutil.copytree(purged.saved, forged)
        content = bytearray((forged / name).read_bytes())
        content[len(content) // 2] ^= 1
        (forged / name).write_bytes(content)
        assert _status(purged.register, "verify", "certificate", str(forged), *vkey) > 1


def test_an_old_copy_with_the_present_anchor_opens_nothing_of_what_was_purged(purged: Purged) -> None:
    """R21: not from an older copy of graph and keys."""
    with pytest.raises(Unavailable, match="anchor version 1 is not there"):
        KeyStore.open(purged.old_keys, FileAnchor(purged.keys / "anchor"))
    taken = purged.loot()
    assert taken.rows == set()
    assert taken.opened(purged.values(gone=True)) == set()
    assert taken.recognised(purged.identifiers(gone=True) | purged.identifiers(gone=False)) == set()
    assert taken.recognised_deliveries(purged.deliveries(gone=True) | purged.deliveries(gone=False)) == set()
    # Who has everything present reads what is present, and the thief's hands are not tied.
    some = frozenset(sorted(purged.values(gone=False))[::50])
    assert taken.opened(some) == some
    assert len(purged.identifiers(gone=True)) == len(purged.gone["Identifier"]) > 0
    assert len(taken.lookups) == 1


def test_survivors_of_an_old_graph_open_with_the_present_key_store(purged: Purged) -> None:
    with opened_graph(purged.old) as graph:
        signals = sealed_signals(graph)
        assert counts(graph) == purged.before
    stop(purged.old.home / "graph")
    assert {one.facts.id for one in signals} == purged.opened.keys()
    with opened_keys(purged.keys) as store:
        sealer = Sealer(store)
        outcomes = {"whole": 0, "of a signal that lost somebody": 0, "purged": 0}
        for signal in signals:
            before = purged.opened[signal.facts.id]
            gone = [one for one in signal.mentions if one.facts.subject in purged.gone["Subject"]]
            stay = tuple(one for one in signal.mentions if one not in gone)
            assert sealer.open_mentions(stay) == tuple(
                one for one in before.mentions if one.facts.subject in purged.kept["Subject"]
            )
            for mention in gone:
                with pytest.raises(Tampered):
                    sealer.open_mentions([mention])
            if not gone and signal.facts.id in purged.kept["Signal"]:
                assert sealer.open_signal(signal, with_source=True) == before
                outcomes["whole"] += 1
                continue
            with pytest.raises(Tampered):
                sealer.open_signal(signal, with_source=True)
            outcomes["purged" if signal.facts.id in purged.gone["Signal"] else "of a signal that lost somebody"] += 1
        assert outcomes["purged"] == len(purged.gone["Signal"])
        assert all(outcomes.values())
    # Signals that lost somebody are refused as older than remembered; their own values open all the same.
    present = loot(purged.keys, purged.keys, purged.id)
    redacted = frozenset().union(
        *(
            values(one)
            for one in signals
            if one.facts.id in purged.kept["Signal"]
            and any(mention.facts.subject in purged.gone["Subject"] for mention in one.mentions)
        )
    )
    assert present.opened(redacted) == redacted
    assert present.opened(purged.values(gone=True)) == set()


def test_what_was_removed_is_in_the_archive_for_the_custodian_alone(purged: Purged) -> None:
    """A removal is no destruction: each record is there, once; its key is in no folder, old or present."""
    archive = purged.register.home / "archive"
    records = archived(archive, purged.register.folder)
    alone = {one.facts.id for one in purged.old_signals if not one.mentions}
    expected = purged.gone["Subject"] | (purged.gone["Signal"] & alone)
    assert sorted(one["id"] for one in records.values()) == sorted(expected)
    assert not [one for one in records.values() if any(signal["unreadable"] for signal in one["signals"])]
    names = {name for one in purged.mentions(gone=True) for name in _names(purged, one)}
    kept = {name for one in records.values() for signal in one["signals"] for name in _stated(signal)}
    assert kept == names

    passphrase = (purged.register.folder / "passphrase").read_text("utf-8")
    halves = Custodian(purged.register.folder / "custodian.json", passphrase).keys.months
    used = {path.name for path in archive.glob("????-??") if any(path.iterdir())}
    assert used <= halves.keys()
    raws = [halves[month].raw for month in used]
    secrets = [form for raw in raws for form in (raw, raw.hex().encode(), b64encode(raw))]
    everything = files(purged.register.home, purged.keys, purged.old.home, purged.old_keys)
    assert not [secret for content in everything for secret in secrets if secret in content]


def test_control_a_root_that_is_only_wrapped_anew_opens_what_was_purged(purged: Purged, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.keys"
    shutil.copytree(purged.old_keys, wrong)
    records = purged.gone["Subject"] | purged.gone["Signal"]
    wrongly_purged(wrong, purged.id, records, purged.gone["Identifier"])
    with opened_keys(wrong) as store:
        assert Purge(store).remains([*records, *purged.gone["Identifier"]]) == ()  # it looks right from inside
    taken = loot(purged.old_keys, wrong, purged.id)
    assert taken.rows >= records
    assert taken.opened(purged.values(gone=True)) == purged.values(gone=True)
    assert taken.recognised(purged.identifiers(gone=True)) == purged.identifiers(gone=True)
    assert taken.recognised_deliveries(purged.deliveries(gone=True)) == purged.deliveries(gone=True)


def test_control_an_old_copy_with_its_own_anchor_opens_everything(purged: Purged) -> None:
    """Which is why the keys' folder is never backed up, and the certificate calls its assurance `logical`."""
    taken = loot(purged.old_keys, purged.old_keys, purged.id)
    assert taken.opened(purged.values(gone=True)) == purged.values(gone=True)
    assert json.loads(_payload(purged.saved))["predicate"]["keys"]["anchor"]["assurance"] == "logical"


def _hits(register: Installation, one: Landmark) -> int:
    body = {"identifier": {"kind": IdentifierKind(one.kind), "value": one.value}}
    return len(register.ask("ana", "POST", "/v1/subjects/search", body).json()["hits"])


def _names(purged: Purged, mention: SealedMention) -> tuple[str, ...]:
    """Return the names that a mention of the old graph states."""
    every = (one for signal in purged.opened.values() for one in signal.mentions)
    return next(one.names for one in every if one.facts.id == mention.facts.id)


def _stated(signal: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(signal["mention"]["names"]) if signal["mention"] else ()


def _payload(saved: Path) -> bytes:
    return b64decode(json.loads((saved / "certificate.json").read_bytes())["payload"])


def _status(register: Installation, *arguments: str) -> int:
    """Run a command and return its exit status."""
    command = register.command(*arguments)
    return subprocess.run(command, env=register.environment, capture_output=True, check=False).returncode

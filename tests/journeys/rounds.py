"""A scene for rounds, one retention run each: a register, the same beginning for all, and a check of how they end."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from api.demo import story
from api.demo.story import FEWEST, Landmarks, landmarks
from graph.connection import Graph
from graph.endpoint import Endpoint
from register.clock import SystemClock, civil_date
from register.ids import mint
from register.signals import NewSignal
from tests.journeys import killed
from tests.journeys.installation import Installation
from tests.journeys.killed import Child, Kept, Place, Work
from tests.journeys.rounds_state import (
    PAPER,
    Contents,
    Expected,
    Held,
    Keys,
    archived,
    audited,
    certificates,
    contents,
    destroyed,
    expected,
    held,
    ids_root,
    keys,
    narrative,
    traces,
)

VERBS = ("until_forgotten", "finish")
"""What the two children of a keeper do."""

_STATED = ("scope", "cascade", "grounds", "terms", "skipped", "policy", "requested_by", "approvals")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Graph, folders and keys of a register, to begin anew from."""

    nodes: list[dict[str, Any]]
    ties: list[dict[str, Any]]
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a round ended, as far as it may not depend on what happened on the way."""

    held: Held
    keys: Keys
    stated: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A rehearsal register with the story told in it and one run ordered, and what that run must lead to.

    Attributes:
        purged: what has to go, by the dates alone.
    """

    installation: Installation
    graph: Graph
    marks: Landmarks
    snapshot: Snapshot
    before: Held
    opened: Contents
    purged: Expected
    keys: Keys

    @property
    def place(self) -> Place:
        made = self.installation
        return Place(settings=made.settings, environment=made.environment, log=made.folder / "children.log")

    @cached_property
    def reference(self) -> End:
        """The end of the one run that nothing happens to."""
        self.restore()
        holder = mint()
        for verb in VERBS:
            child, _ = self.start(verb, holder)
            assert child.wait() == 0, self.log
        return self.end({})

    def work(self, verb: str, holder: str, **more: Any) -> Work:
        """A keeper's child that tells its steps to a file of its own."""
        return Work(verb=verb, holder=holder, told=self.installation.folder / f"told-{mint()}", **more)

    @property
    def log(self) -> str:
        return self.place.log.read_text() if self.place.log.exists() else ""

    def restore(self) -> None:
        """Begin anew; no process may have the register open."""
        restore(self.graph, self.installation, self.snapshot)

    def state(self) -> str:
        """State of the one run, as the graph says; `ordered` before it begins."""
        rows = self.graph.read(lambda tx: [row["state"] for row in tx.run("MATCH (r:Run) RETURN r.state AS state")])
        assert len(rows) < 2
        return str(rows[0]) if rows else "ordered"

    def start(self, verb: str, holder: str, **more: Any) -> tuple[Child, Work]:
        """Start a keeper's child to which happens what `more` says."""
        work = self.work(verb, holder, **more)
        return killed.start(killed.carry, self.place, work), work

    def end(self, handed_in: dict[str, "Handed"]) -> End:
        """Check everything that holds however the round went, and return what must be as in the reference."""
        found, stored = held(self.graph), keys(self.installation.settings)
        self._check_records(found, stored, handed_in)
        self._check_keys(found, stored)
        self._check_additions(found, handed_in)
        stated = self._certified(found)
        return End(held=found, keys=stored, stated=stated)

    def same_as_reference(self, end: End, handed_in: dict[str, "Handed"]) -> None:
        """Check that `end` is the reference's, and what was handed in beside it."""
        wanted = self.reference
        touched = {one.subject for one in handed_in.values() if one.subject}
        for name, properties in wanted.held.nodes.items():
            if name[1] in self.purged.redacted:
                assert _unmoved(end.held.nodes[name]) == _unmoved(properties), name
            elif name[1] not in touched:
                assert end.held.nodes[name] == properties, name
        for tie, properties in wanted.held.ties.items():
            assert end.held.ties[tie] == properties, tie
        new = {one for one, *_ in end.keys.keys} - {one for one, *_ in wanted.keys.keys}
        assert wanted.keys.keys <= end.keys.keys
        assert new == (end.held.ids("Subject") | end.held.ids("Signal")) - self.before_ids
        assert end.keys.tombstones == wanted.keys.tombstones
        assert (
            end.keys.tokens - end.held.ids("Identifier") == wanted.keys.tokens - wanted.held.ids("Identifier") == set()
        )
        assert end.keys.generation == wanted.keys.generation
        assert end.keys.deliveries.items() >= wanted.keys.deliveries.items()
        assert end.stated == wanted.stated

    @cached_property
    def before_ids(self) -> frozenset[str]:
        return frozenset(id_ for _, id_ in self.before.nodes)

    def _check_records(self, found: Held, stored: Keys, handed_in: dict[str, "Handed"]) -> None:
        """What had to go has gone, everywhere; what stays is there and opens to what it opened to before."""
        purged = self.purged.ids
        left = {name for name in self.before.nodes if name[1] not in purged}
        ties = {name for name in self.before.ties if not purged & set(name)}
        assert left == {name for name in found.nodes if name in self.before.nodes}
        assert ties == {name for name in found.ties if name in self.before.ties}
        assert not [name for name, properties in found.nodes.items() if "distrusted_on" in properties]
        assert not {label: found.paper[label] for label in PAPER if found.paper[label]}
        assert sorted(traces(found, self.installation.settings, purged)) == []
        opened = contents(self.installation.settings, found)
        for mention in self.before.mentions.keys() - purged:
            assert opened.mentions[mention] == self.opened.mentions[mention]
        for one in self.before.ids("Signal") - purged:
            assert opened.signals[one] == self.opened.signals[one]

    def _check_keys(self, found: Held, stored: Keys) -> None:
        purged = self.purged
        tombs = stored.tombstones
        assert tombs == {_sha256(one) for one in purged.subjects | purged.signals | purged.identifiers}
        assert not {one for one, *_ in stored.keys if _sha256(one) in tombs}, "a purged id has a key"
        keyed = {(kind, id_) for id_, kind, _ in stored.keys if kind in ("subject", "signal")}
        assert keyed == {(label.lower(), id_) for label in ("Subject", "Signal") for id_ in found.ids(label)}
        assert stored.tokens == found.ids("Identifier")
        assert stored.former_roots == 0
        assert stored.generation == self.keys.generation + 1
        assert stored.anchors[0] == stored.anchor_version, "an old anchor version is there"
        assert all(done for done, _ in stored.deliveries.values())
        forgotten = {name for name, (_, signal) in stored.deliveries.items() if signal is None}
        assert forgotten == {name for name, (_, signal) in self.keys.deliveries.items() if signal in purged.signals}

    def _check_additions(self, found: Held, handed_in: dict[str, "Handed"]) -> None:
        """What was handed in beside the run is there exactly once, opens, and hangs on whom it should."""
        opened = contents(self.installation.settings, found)
        new = found.ids("Signal") - self.before.ids("Signal")
        by_reference = {opened.signals[one][0]: one for one in new}
        assert len(by_reference) == len(new), "a signal is there twice"
        assert by_reference.keys() == handed_in.keys()
        subjects: dict[tuple[str, str], str] = {}
        for reference, one in handed_in.items():
            signal = by_reference[reference]
            assert narrative(opened.signals[signal][1]["narrative"]) == one.signal.narrative
            ((mention, subject),) = [(id_, who) for id_, (of, who) in found.mentions.items() if of == signal]
            assert opened.mentions[mention][0] == one.signal.subjects[0].names
            if one.subject is not None:
                assert subject == one.subject
            else:
                assert subject not in self.before_ids
                assert subjects.setdefault(one.identifier, subject) == subject
        assert len(set(subjects.values())) == len(subjects)
        assert found.ids("Subject") - self.before.ids("Subject") == set(subjects.values())
        carriers = opened.carriers(found.mentions)
        assert carriers.items() >= subjects.items()

    def _check_archive(self, stated: Mapping[str, Any]) -> None:
        """Every removed subject has one archived record with its stub, which opens for the custodian and is whole."""
        home = self.installation.home / "archive"
        records = archived(home, self.installation.folder)
        assert {record["id"] for record in records.values()} == self.purged.subjects
        assert len(records) == len(self.purged.subjects) == stated["stubs"]["count"]
        assert stated["stubs"]["root"] == ids_root(records)
        rows = self.graph.read(lambda tx: list(tx.run("MATCH (n:Archived) RETURN n.id AS id, n.destroyed_on AS on")))
        assert {(row["id"], row["on"]) for row in rows} == {(archive, None) for archive in records}
        assert not list((home / "pending").iterdir())
        for record in records.values():
            about = {signal for signal, subject in self.before.mentions.values() if subject == record["id"]}
            assert {signal["id"] for signal in record["signals"]} == about
            others = self.purged.subjects - {record["id"]}
            assert not [one for one in others if one in str(record)]
            for signal in record["signals"]:
                assert (signal["unreadable"], signal["verifies"]) == ([], True)
                assert signal["reference"] == self.opened.signals[signal["id"]][0]

    def _certified(self, found: Held) -> dict[str, Any]:
        """One certificate, that verifies, is of this run and counts what has gone; return what it must always state."""
        (run,) = found.runs
        assert run["state"] == "certified"
        ((certificate, stated),) = certificates(self.installation.home).items()
        assert stated["run"]["id"] == run["id"]
        assert stated["certificate"]["sequence"] == 1
        purged, scope = self.purged, stated["scope"]
        assert {(one["kind"], one["act"]): one["count"] for one in scope["counts"]} == {
            (kind, "removed"): count for kind, count in purged.counts.items()
        }
        self._check_archive(stated)
        assert scope["ids"] == {"count": len(purged.ids), "root": ids_root(purged.ids)}
        assert [one["count"] for one in scope["redacted"]] == [len(purged.redacted)]
        assert {(one["store"], one["asked"], one["found"]) for one in stated["readback"]} == {
            ("archive", len(purged.subjects), len(purged.subjects)),
            ("archive", 0, 0),
            ("graph", len(purged.ids), 0),
            ("key-store", len(purged.subjects | purged.signals | purged.identifiers), 0),
            ("anchor", 1, 0),
        }
        entries = audited(self.installation.home, found)
        assert destroyed(entries) == dict.fromkeys(purged.subjects | purged.signals, 1)
        issued = [one for one in entries if one["act"] == "certificate.issued"]
        assert sorted(one["targets"] for one in issued) == sorted([[certificate], sorted([certificate, run["id"]])])
        assert [one for one in entries if one["act"] == "integrity.incident"] == []
        changed = stated["keys"]
        rows = {name: changed[name] for name in ("generation_before", "generation_after", "rows_dropped")}
        return {name: stated[name] for name in _STATED} | rows


def _unmoved(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return a signal without its revision and what covers that: smaller batches redact it more than once."""
    return {name: value for name, value in properties.items() if name not in ("revision", "mac")}


def _sha256(id_: str) -> str:
    return hashlib.sha256(id_.encode()).hexdigest()


def take(graph: Graph, installation: Installation, folder: Path) -> Snapshot:
    """Copy a register that nobody has open."""
    nodes = graph.read(
        lambda tx: [
            dict(row)
            for row in tx.run("MATCH (n) RETURN elementId(n) AS key, labels(n) AS labels, properties(n) AS properties")
        ]
    )
    ties = graph.read(
        lambda tx: [
            dict(row)
            for row in tx.run(
                "MATCH (a)-[r]->(b) RETURN elementId(a) AS a, type(r) AS type, properties(r) AS properties,"
                " elementId(b) AS b"
            )
        ]
    )
    for one in (installation.home, installation.settings.keys_folder):
        shutil.copytree(one, folder / one.name)
    return Snapshot(nodes=nodes, ties=ties, folder=folder)


def restore(graph: Graph, installation: Installation, snapshot: Snapshot) -> None:
    """Put a register back to what it was."""

    def work(tx: Any) -> None:
        tx.run("MATCH (n) DETACH DELETE n").consume()
        made = tx.run(
            "UNWIND $rows AS row CREATE (n:$(row.labels)) SET n = row.properties"
            " RETURN row.key AS old, elementId(n) AS new",
            rows=snapshot.nodes,
        )
        place = {row["old"]: row["new"] for row in made}
        tx.run(
            "UNWIND $rows AS row MATCH (a) WHERE elementId(a) = row.a MATCH (b) WHERE elementId(b) = row.b"
            " CREATE (a)-[r:$(row.type)]->(b) SET r = row.properties",
            rows=[{**one, "a": place[one["a"]], "b": place[one["b"]]} for one in snapshot.ties],
        ).consume()

    graph.write(work)
    for one in (installation.home, installation.settings.keys_folder):
        shutil.rmtree(one)
        shutil.copytree(snapshot.folder / one.name, one)


@contextmanager
def made(folder: Path, endpoint: Endpoint) -> Iterator[Scene]:
    """A scene on an emptied server."""
    today = civil_date(SystemClock().now())
    marks = landmarks(today, FEWEST)
    password = folder / "neo4j-password"
    password.touch(mode=0o600)
    password.write_text(endpoint.password)
    server = {"NEO4J_URI": endpoint.uri, "NEO4J_USERNAME": endpoint.user, "NEO4J_PASSWORD_FILE": str(password)}
    installation = Installation(folder=folder, server=server)
    with Graph(endpoint) as graph:
        graph.write(lambda tx: tx.run("MATCH (n) DETACH DELETE n").consume())
        installation.init()
        told = folder / "story.ndjson"
        told.write_text("".join(json.dumps(one) + "\n" for one in story.signals(today, FEWEST)))
        assert installation.json("import", str(told))["accepted"] == FEWEST
        with serving(installation):
            installation.enrol("ana", "analyst", markings=_markings(today))
            installation.enrol("chris", "compliance-officer")
            ordered = installation.ask("chris", "POST", "/v1/retention/runs", {"on": marks.due_on.isoformat()})
            assert ordered.is_success, ordered.text
        before = held(graph)
        opened = contents(installation.settings, before)
        purged = expected(before, marks.due_on)
        assert len(purged.subjects) == marks.due
        yield Scene(
            installation=installation,
            graph=graph,
            marks=marks,
            snapshot=take(graph, installation, folder / "snapshot"),
            before=before,
            opened=opened,
            purged=purged,
            keys=keys(installation.settings),
        )
        graph.write(lambda tx: tx.run("MATCH (n) DETACH DELETE n").consume())


def _markings(today: date) -> tuple[str, ...]:
    return tuple(sorted({one for signal in story.signals(today, FEWEST) for one in signal.get("markings", ())}))


@contextmanager
def serving(installation: Installation) -> Iterator[Kept]:
    place = Place(
        settings=installation.settings, environment=installation.environment, log=installation.folder / "children.log"
    )
    with killed.listening() as listening:
        installation.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        kept = Kept(killed.serve, place, listening)
        try:
            installation.wait_until_ready()
            yield kept
        finally:
            kept.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A signal handed in beside a run; `subject` is whom it must be about, None where it must be somebody new."""

    signal: NewSignal
    identifier: tuple[str, str]
    subject: str | None

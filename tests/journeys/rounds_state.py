"""What a register holds, read with plain Cypher and SQL, and what it must hold after a run: a model of its own.

Nothing here asks the code under test what it deleted: what has to go follows from the dates in the graph before.
"""

import hashlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from api.settings import Settings
from api.wiring import workplace
from evidence.log import Log
from evidence.trust import Trust
from evidence.verify import Evidence, verify_certificate
from graph import records
from graph.connection import Graph
from register.audit import Act
from register.clock import SystemClock
from register.ids import ArchiveId
from register.narrative import read
from vault.archive.custodian import Custodian
from vault.signing import SignatureVerifier

TERM_YEARS = 5
RECORDS = ("Subject", "Signal", "Identifier", "Port", "Register")
PAPER = ("Order", "Journal", "Gone")
ID = re.compile(r"[0-9a-f]{32}")

Properties = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """One relationship; `source` and `target` are ids, or the code of a harbour."""

    type: str
    source: str
    target: str
    properties: Properties

    @property
    def name(self) -> tuple[str, str, str, str]:
        return self.type, self.source, self.target, self.properties.get("id", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The graph: properties of nodes by label and id, relationships by name, and paper as it is."""

    nodes: Mapping[tuple[str, str], Properties]
    ties: Mapping[tuple[str, str, str, str], Properties]
    runs: tuple[Properties, ...]
    entries: tuple[Properties, ...]
    paper: Mapping[str, int]

    def ids(self, label: str) -> frozenset[str]:
        return frozenset(id_ for of, id_ in self.nodes if of == label)

    @property
    def mentions(self) -> dict[str, tuple[str, str]]:
        """Signal and subject of each mention."""
        return {id_: (source, target) for type_, source, target, id_ in self.ties if type_ == "MENTIONS"}


def held(graph: Graph) -> Held:
    """Read all of the graph."""
    nodes: dict[tuple[str, str], Properties] = {}
    runs, entries, paper = [], [], Counter[str]()
    for row in graph.read(lambda tx: list(tx.run("MATCH (n) RETURN labels(n) AS labels, properties(n) AS properties"))):
        (label,) = set(row["labels"]) - {"Person", "Organisation"}
        properties = row["properties"]
        if label == "Run":
            runs.append(properties)
        elif label == "Entry":
            entries.append(properties)
        elif label in RECORDS:
            nodes[label, properties.get("id") or properties["code"]] = properties
        else:
            paper[label] += 1
    rows = graph.read(
        lambda tx: list(
            tx.run(
                "MATCH (a)-[r]->(b) RETURN type(r) AS type, coalesce(a.id, a.code) AS source,"
                " coalesce(b.id, b.code) AS target, properties(r) AS properties"
            )
        )
    )
    ties = [Tie(**row) for row in rows]
    found = {tie.name: tie.properties for tie in ties}
    assert len(found) == len(ties), "a relationship is there twice"
    return Held(nodes=nodes, ties=found, runs=tuple(runs), entries=tuple(entries), paper=paper)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The key store's rows, by what is clear in them."""

    generation: int
    keys: frozenset[tuple[str, str, int]]
    tokens: frozenset[str]
    revisions: Mapping[str, int]
    tombstones: frozenset[str]
    deliveries: Mapping[str, list[Any]]
    runs: tuple[str, ...]
    former_roots: int
    anchors: tuple[int, ...]
    anchor_version: int
    leases: frozenset[str]


def keys(settings: Settings) -> Keys:
    """Read all of the key store."""
    store = settings.keys_folder / "store" / "keys.sqlite"
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:

        def rows(text: str) -> list[Any]:
            return database.execute(text).fetchall()

        ((generation, version),) = rows("SELECT generation, anchor_version FROM register")
        return Keys(
            generation=generation,
            anchor_version=version,
            keys=frozenset(rows("SELECT id, kind, version FROM keys")),
            tokens=frozenset(one for (one,) in rows("SELECT identifier FROM tokens")),
            revisions=dict(rows("SELECT id, revision FROM revisions")),
            tombstones=frozenset(one.hex() for (one,) in rows("SELECT id_sha256 FROM tombstones")),
            deliveries={name: rest for name, *rest in rows("SELECT receipt, done, signal FROM deliveries")},
            runs=tuple(one for (one,) in rows("SELECT run FROM runs")),
            former_roots=len(rows("SELECT 1 FROM former_roots")),
            anchors=tuple(sorted(int(one.stem) for one in (settings.keys_folder / "anchor").glob("*.key"))),
            leases=frozenset(one for (one,) in rows("SELECT worker FROM leases")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a run for a date must leave of the records of `before`.

    Attributes:
        subjects, signals, identifiers, mentions, links: ids that are purged.
        redacted: signals that stay and lose somebody.
    """

    subjects: frozenset[str]
    signals: frozenset[str]
    identifiers: frozenset[str]
    mentions: frozenset[str]
    links: frozenset[str]
    redacted: frozenset[str]

    @property
    def ids(self) -> frozenset[str]:
        return self.subjects | self.signals | self.identifiers | self.mentions | self.links

    @property
    def counts(self) -> dict[str, int]:
        kinds = {"subject": self.subjects, "signal": self.signals, "mention": self.mentions, "link": self.links}
        return {kind: len(ids) for kind, ids in (kinds | {"identifier": self.identifiers}).items() if ids}


def expected(before: Held, on: date) -> Expected:
    """Reckon anew what is due on civil date `on`, and what goes with it."""
    received = {id_: before.nodes["Signal", id_]["received_on"].to_native() for id_ in before.ids("Signal")}
    last: dict[str, date] = {}
    of: dict[str, set[str]] = {}
    for signal, subject in before.mentions.values():
        last[subject] = max(last.get(subject, date.min), received[signal])
        of.setdefault(signal, set()).add(subject)
    subjects = frozenset(one for one, heard in last.items() if _years_after(heard) <= on)
    signals = frozenset(one for one, named in of.items() if named <= subjects)
    carriers: dict[str, set[str]] = {}
    for type_, source, target, _ in before.ties:
        if type_ == "CARRIES":
            carriers.setdefault(target, set()).add(source)
    return Expected(
        subjects=subjects,
        signals=signals,
        identifiers=frozenset(one for one, who in carriers.items() if who <= subjects),
        mentions=frozenset(id_ for id_, (_, subject) in before.mentions.items() if subject in subjects),
        links=frozenset(
            id_
            for type_, source, target, id_ in before.ties
            if id_ and type_ != "MENTIONS" and ({source, target} & subjects)
        ),
        redacted=frozenset(one for one, named in of.items() if named & subjects) - signals,
    )


def _years_after(day: date) -> date:
    years = day.year + TERM_YEARS
    return date(years, 2, 28) if (day.month, day.day) == (2, 29) else day.replace(year=years)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What opens: by mention who is named how, by signal its reference and texts."""

    mentions: Mapping[str, Any]
    signals: Mapping[str, tuple[str, Mapping[str, Any]]]

    def carriers(self, mentions: Mapping[str, tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Return the subject of each identifier stated."""
        return {
            (str(one.kind), one.value): mentions[id_][1]
            for id_, (_, _, _, stated) in self.mentions.items()
            for one in stated
        }


def contents(settings: Settings, found: Held) -> Contents:
    """Open everything of `found` with the keys there are; fails where something does not open."""
    mentions: dict[str, list[Properties]] = {}
    links: dict[str, list[Properties]] = {}
    for (type_, source, target, _), properties in found.ties.items():
        if type_ == "MENTIONS":
            mentions.setdefault(source, []).append({**properties, "signal": source, "subject": target})
        elif "signal" in properties:
            ends = {"type": type_, "from_": source, "to": target, "to_port": ("Port", target) in found.nodes}
            links.setdefault(properties["signal"], []).append({**properties, **ends})
    opened_signals, opened_mentions = {}, {}
    with workplace(settings, "check") as opened:
        for id_ in sorted(found.ids("Signal")):
            sealed = records.signal(found.nodes["Signal", id_], mentions.get(id_, ()), links.get(id_, ()))
            assert all(map(opened.sealer.verifies, sealed.links)), id_
            assert sorted(one.facts.id for one in sealed.mentions) == list(sealed.facts.mentions), id_
            assert sorted(one.facts.id for one in sealed.links) == list(sealed.facts.links), id_
            signal = opened.sealer.open_signal(sealed, with_source=True)
            opened_signals[id_] = (signal.reference, dict(signal.texts))
            for one in signal.mentions:
                opened_mentions[str(one.facts.id)] = (one.names, one.born_on, one.position, one.identifiers)
        for id_ in found.ids("Subject"):
            assert opened.sealer.verifies(records.subject(found.nodes["Subject", id_])), id_
    return Contents(mentions=opened_mentions, signals=opened_signals)


def narrative(text: Any) -> str:
    """Return a text without the names in it."""
    return read(text, {})


def certificates(home: Path) -> dict[str, dict[str, Any]]:
    """Return what each certificate states, all of them verified offline."""
    stated = {}
    folder = home / "certificates"
    trust = Trust.of_vkeys((home / "log" / "vkey").read_bytes())
    for one in sorted(folder.iterdir()) if folder.exists() else ():
        evidence = Evidence(
            envelope=(one / "certificate.json").read_bytes(),
            proof=(one / "certificate.tlog-proof").read_bytes(),
            policy=(one / "policy.toml").read_bytes(),
        )
        result = verify_certificate(evidence, trust, SignatureVerifier(), now=SystemClock().now())
        assert result.exit_code == 0, (one.name, result.checks)
        assert result.predicate is not None
        stated[one.name] = result.predicate
    return stated


def archived(folder: Path, custodian: Path) -> dict[str, dict[str, Any]]:
    """Return every archived record by its id, opened as the custodian does."""
    passphrase = (custodian / "passphrase").read_text("utf-8")
    keys = Custodian(custodian / "custodian.json", passphrase).keys
    return {
        path.name: json.loads(keys.open(ArchiveId(path.name), path.read_bytes()))
        for month in folder.glob("????-??")
        for path in month.iterdir()
    }


def audited(home: Path, found: Held) -> list[dict[str, Any]]:
    """Return every audit entry, of the log and of those that wait for it, each once."""
    entries = {one["id"]: json.loads(one["body"]) for one in found.entries}
    with Log.open(home / "log", read_only=True) as log:
        for index in range(log.size):
            kept = log.body(index)
            assert kept is not None
            body = json.loads(kept[1])
            entries[body["id"]] = body
    return list(entries.values())


def destroyed(entries: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return how often each id was removed or destroyed, as the audit entries say."""
    acts = (Act.REMOVAL, Act.DESTRUCTION)
    return Counter(one for entry in entries if entry["act"] in acts for one in entry["targets"])


def ids_root(ids: Collection[str]) -> str:
    """Return RFC 6962's root over the sorted SHA-256 of ids, reckoned in the plainest way."""
    entries = sorted(hashlib.sha256(one.encode()).digest() for one in ids)
    leaves = [hashlib.sha256(b"\0" + one).digest() for one in entries]

    def root(some: list[bytes]) -> bytes:
        if len(some) < 2:
            return some[0] if some else hashlib.sha256(b"").digest()
        half = 1 << (len(some) - 1).bit_length() - 1
        return hashlib.sha256(b"\1" + root(some[:half]) + root(some[half:])).digest()

    return root(leaves).hex()


def traces(found: Held, settings: Settings, purged: Collection[str]) -> set[tuple[str, str]]:
    """Return where purged ids still stand: in a property or end in the graph, or in any byte of the key store.

    Audit entries name what was destroyed: they are the evidence that it was.
    """
    left = set()
    for place, properties in (
        *(("node " + label, node) for (label, _), node in found.nodes.items()),
        *((f"tie {tie}", (*tie, properties)) for tie, properties in found.ties.items()),
        *(("run", run) for run in found.runs),
    ):
        left |= {(place, one) for one in set(ID.findall(str(properties))) & set(purged)}
    for path in settings.keys_folder.rglob("*"):
        if path.is_file() and path.suffix != ".sqlite-shm":
            content = path.read_bytes()
            for one in purged:
                if (at := max(content.find(one.encode()), content.find(bytes.fromhex(one)))) >= 0:
                    left.add((f"{path.name} at {at}: {content[max(at - 64, 0) : at + 160]!r}", one))
    return left

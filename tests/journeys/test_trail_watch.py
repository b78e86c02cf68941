"""What somebody does to audit entries in the database, in plain Cypher, is found: before they are logged and after."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from api.alarm import ALARM
from api.examination import examine
from api.founding import found
from api.places import register_of
from api.settings import Settings
from api.watch import NEWEST, TrailWatch
from api.wiring import logbook, vouched
from evidence.survey import verify_log
from evidence.trust import Trust
from graph.connection import Graph
from graph.endpoint import Endpoint
from graph.trail import AuditTrail
from register.audit import Act, Entry
from register.clock import SystemClock
from register.errors import Tampered, Unavailable
from tests.journeys.conftest import place_on
from vault.signing import SignatureVerifier

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW


def entries(number: int) -> list[Entry]:
    return [
        Entry(at=NOW + timedelta(seconds=n), actor="a-1", role="analyst", act=Act.SUBJECT_FIND, count=n)
        for n in range(number)
    ]


class Watched:
    """A new register whose trail is sealed and watched in this process, and the bare database."""

    def __init__(self, settings: Settings, endpoint: Endpoint, graph: Graph, bare: Graph) -> None:
        self.endpoint, self.bare, self.settings = endpoint, bare, settings
        self.trail = AuditTrail(graph)
        self.log = logbook(settings, register_of(settings.home), self.trail, Noon())
        self.watch = TrailWatch(
            folder=self.log.log_folder, trail=self.trail, strands=self.log.strands, alarm=self.log.alarm, clock=Noon()
        )

    def cypher(self, text: str, **parameters: object) -> None:
        counted = self.bare.write(lambda tx: tx.run(text, parameters).consume().counters)
        assert counted.contains_updates

    def look(self) -> set[str]:
        """What the alarm says after the keeper's pass."""
        self.watch._due = 0
        self.watch.look()
        return set(self.log.alarm.codes())


@pytest.fixture
def watched(tmp_path: Path, neo4j_endpoint: Endpoint, graph: Graph) -> Iterator[Watched]:
    settings = place_on(neo4j_endpoint, tmp_path).settings
    found(settings, SystemClock(), rehearsal=True)
    with vouched(settings, neo4j_endpoint) as own:
        made = Watched(settings, neo4j_endpoint, own, graph)
        made.trail.append(entries(40))
        made.log.seal_trail()
        assert made.look() == set()
        yield made


SPOILT = {
    "body altered": ("MATCH (e:Entry {index: 7}) SET e.body = replace(e.body, 'a-1', 'b-2')", {"trail.altered"}),
    "time altered": ("MATCH (e:Entry {index: 7}) SET e.at = e.at + 1", {"trail.altered"}),
    "missing": ("MATCH (e:Entry {index: 7}) DELETE e", {"trail.missing"}),
    "all missing": ("MATCH (e:Entry) DELETE e", {"trail.missing"}),
    "last one missing": ("MATCH (e:Entry {index: 40}) DELETE e", {"trail.missing"}),
    "label taken off": ("MATCH (e:Entry {index: 7}) REMOVE e:Entry", {"trail.missing"}),
    "place taken off": ("MATCH (e:Entry {index: 7}) REMOVE e.index", {"trail.missing"}),
    "added as waiting": (
        "MATCH (e:Entry {index: 7}) CREATE (n:Entry) SET n = e {.*, id: 'f', waits: 1, index: null}",
        {"trail.added", "trail.forged"},
    ),
    "added beyond the log": (
        "MATCH (e:Entry {index: 7}) CREATE (n:Entry) SET n = e {.*, id: 'f', index: 99}", {"trail.added"},
    ),
    "added at a place that is taken": (
        "MATCH (e:Entry {index: 7}) CREATE (n:Entry) SET n = e {.*, id: 'f'}", {"trail.added"},
    ),
    "added without anything": ("CREATE (:Entry)", {"trail.added"}),
    "added at no number": ("CREATE (:Entry {index: 'seven'})", {"trail.added"}),
    "two reordered": (
        "MATCH (a:Entry {index: 7}), (b:Entry {index: 8}) SET a.index = 8, b.index = 7", {"trail.reordered"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SPOILT.values(), ids=SPOILT)
def test_what_is_done_to_logged_entries_is_found_in_one_pass(watched: Watched, text: str, expected: set[str]) -> None:
    watched.cypher(text)
    watched.log.seal_trail()

    assert watched.look() & expected == expected

    watched.log.seal_trail()
    incidents = [
        json.loads(one.body)["detail"]["code"]
        for one in watched.trail.between(41, 99)
        if b"integrity.incident" in one.body
    ]
    assert set(incidents) >= expected - {"trail.forged"}
    told = {finding.state for finding in examine(watched.settings) if finding.bad}
    assert told >= expected
    again = len(watched.log.alarm.codes())
    assert len(watched.look()) == again, "told once"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MATCH (e:Entry) WHERE e.waits > -1 DELETE e", {"trail.missing"}),
        ("MATCH (e:Entry) WHERE e.waits > -1 WITH e ORDER BY e.at DESC LIMIT 1 DELETE e", {"trail.missing"}),
        ("MATCH (e:Entry) WHERE e.waits > -1 REMOVE e.waits", {"trail.altered", "trail.added"}),
        (
            "MATCH (e:Entry) WHERE e.waits > -1 SET e.body = replace(e.body, 'a-1', 'b-2')",
            {"trail.altered", "trail.forged"},
        ),
        ("MATCH (e:Entry) WHERE e.waits > -1 SET e.index = 12 REMOVE e.waits", {"trail.added"}),
    ],
    ids=["all taken away", "one taken away", "hidden", "altered", "said to be logged"],
)
def test_nobody_does_it_in_the_second_before_they_are_logged(watched: Watched, text: str, expected: set[str]) -> None:
    watched.trail.append(entries(3))
    watched.cypher(text)

    watched.log.seal_trail()

    assert watched.look() >= expected


def test_an_entry_whose_transaction_failed_is_not_missed(watched: Watched) -> None:
    def fails(tx: object) -> None:
        from graph.trail import write_entries

        write_entries(tx, entries(2))  # type: ignore[arg-type]
        tx.run("RETURN 1/0").consume()  # type: ignore[attr-defined]

    with pytest.raises(Unavailable):
        watched.trail.graph.write(fails)
    watched.trail.append(entries(2))
    watched.log.seal_trail()
    assert watched.look() == set()


def test_a_strand_whose_process_has_ended_is_settled_and_swept(watched: Watched) -> None:
    with vouched(watched.settings, watched.endpoint) as other:
        AuditTrail(other).append(entries(2))
    folder = watched.settings.keys_folder / "log" / "strands"
    assert len(list(folder.iterdir())) > 1
    watched.log.seal_trail()
    assert watched.look() == set()
    watched.look()
    assert len(list(folder.iterdir())) == 1


def test_the_whole_of_a_longer_log_is_gone_through_stretch_by_stretch(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.trail.append(entries(NEWEST + 400))
    watched.log.seal_trail()
    monkeypatch.setattr("api.watch.STRETCH", 100)
    watched.cypher("MATCH (e:Entry {index: 350}) SET e.body = e.body + ' '")
    passes = 0
    while not watched.look():
        passes += 1
        assert passes < 6
    assert watched.log.alarm.codes() == ("trail.altered",)


def _older(folder: Path) -> None:
    """Put back the log of before, as it lay on the disk then."""
    os.system(f"rm -r {folder} && mv {folder}.older {folder}")  # noqa: S605 - two folders of this test


@pytest.mark.parametrize("forked", [False, True])
def test_a_log_that_went_back_or_forked_stops_the_service(watched: Watched, forked: bool) -> None:
    folder = watched.log.log_folder
    os.system(f"cp -r {folder} {folder}.older")  # noqa: S605
    watched.trail.append(entries(5))
    watched.log.seal_trail()
    _older(folder)
    watched.trail.append(entries(6 if forked else 2))

    with pytest.raises(Tampered) as caught:
        watched.log.seal_trail()

    assert caught.value.code == ("log.inconsistent" if forked else "log.went-backwards")
    assert watched.log.alarm.stopped
    with pytest.raises(Unavailable) as refused:
        watched.trail.append(entries(1))
    assert refused.value.code == "log.stopped"
    (folder / ALARM).unlink()
    watched.trail.append(entries(1))


def test_bodies_whose_term_is_over_go_from_log_and_graph_and_nothing_is_wrong(watched: Watched) -> None:
    """R35: audit data are themselves scheduled."""
    over = date(2031, 12, 1)
    assert watched.log.end_terms(over - timedelta(days=1)) == 0
    watched.log = replace(watched.log, now=lambda: datetime(2031, 12, 1, tzinfo=UTC))
    assert watched.log.end_terms(over) == 40
    assert watched.look() == set()
    assert watched.trail.numbers(0).all == 2, "the enrolment and the deletion are the ledger's"
    folder = watched.log.log_folder
    found = verify_log(folder, Trust.of_vkeys((folder / "vkey").read_bytes()), SignatureVerifier())
    assert (found.exit_code, found.gone, found.bodies) == (0, 40, 2)
    (folder / "bodies/standard/2026-11.gone").unlink()
    assert verify_log(folder, Trust.of_vkeys((folder / "vkey").read_bytes()), SignatureVerifier()).exit_code == 38

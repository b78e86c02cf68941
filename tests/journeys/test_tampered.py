"""Facts changed, invented or put back by hand in the database: refused at the next read, found by the next run."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from api.keys import orphans
from api.wiring import Workplace, workplace
from graph.connection import Graph
from register.access import Actor, Reason, Role
from register.clock import civil_date
from register.errors import NotFound, Tampered, Unavailable
from register.grading import HandlingCode
from register.ids import SignalId, SubjectId
from tests.journeys.test_enquiry import TODAY, cast, tie

REASON = Reason(purpose="theme-insight", case="TEST-2026/1")
DESK = Actor(code="desk", role=Role.CONTRIBUTOR)
CHRIS = Actor(code="chris", role=Role.COMPLIANCE_OFFICER)
LETTERS = count(ord("A"))


@pytest.fixture(scope="module")
def opened(next_register, _session_graph: Graph) -> Iterator[Workplace]:
    with workplace(next_register().settings, "test") as found:
        yield found


@dataclass(frozen=True)
class Scene:
    """Two signals about the same two people: one to be tampered with, one that stays sound."""

    place: Workplace
    signal: SignalId
    sound: SignalId
    payer: SubjectId
    payee: SubjectId

    @property
    def ana(self) -> Actor:
        cleared = self.place.policy.cleared(HandlingCode.H1)
        return Actor(code="ana", role=Role.ANALYST, markings=frozenset(), handling=cleared)

    def cypher(self, text: str, **values: Any) -> list[Any]:
        known = {"signal": self.signal, "payer": self.payer, "payee": self.payee, **values}
        return self.place.graph.write(lambda tx: [row.data() for row in tx.run(text, **known)])

    def links(self) -> set[str]:
        picture = self.place.enquiry.network(self.ana, REASON, self.payer, depth=1)
        return {link.signal for link in picture.links}

    def open(self) -> Any:
        return self.place.enquiry.open_signal(self.ana, REASON, self.signal)

    def incidents(self) -> list[tuple[str, tuple[str, ...]]]:
        bodies = [json.loads(row["body"]) for row in self.cypher("MATCH (e:Entry) RETURN e.body AS body")]
        mine = {self.signal, self.sound, self.payer, self.payee}
        return sorted(
            (body["detail"]["code"], tuple(body["targets"]))
            for body in bodies
            if body["act"] == "integrity.incident" and (mine & set(body["targets"]) or not body["targets"])
        )

    def findings(self) -> set[str]:
        mine = {self.signal, self.sound, self.payer, self.payee}
        return {one["id"] for one in self.place.custody.plan(CHRIS)["findings"]} & mine


@pytest.fixture
def scene(opened: Workplace) -> Scene:
    def signals() -> set[str]:
        rows = opened.graph.read(lambda tx: [row["id"] for row in tx.run("MATCH (g:Signal) RETURN g.id AS id")])
        return set(rows)

    letter = chr(next(LETTERS))
    before = signals()
    payer, payee, _ = cast(letter, f"{letter}driaan Zandvoorter", f"{letter}erendina Klaverstok", "Zuiderhoek")
    opened.intake.record(DESK, tie(f"{letter}-sound", payer, payee))
    (sound,) = signals() - before
    opened.intake.record(DESK, tie(f"{letter}-hit", payer, payee))
    (signal,) = signals() - before - {sound}
    rows = opened.graph.read(
        lambda tx: tx.run(
            "MATCH (:Signal {id: $id})-[m:MENTIONS]->(s:Subject) RETURN m.place AS place, s.id AS id", id=signal
        ).data()
    )
    ids = {row["place"]: row["id"] for row in rows}
    found = Scene(opened, SignalId(signal), SignalId(sound), SubjectId(ids[0]), SubjectId(ids[1]))
    assert found.links() == {signal, sound}
    assert found.findings() == set()
    return found


COPY = "MATCH (a:Subject {id: $payer})-[l:PAID {signal: $signal}]->(b:Subject {id: $payee}) "
LINKS = {
    "changed": COPY + "SET l.basis = 'fact'",
    "of another kind": COPY + "CREATE (a)-[k:FAMILY_OF]->(b) SET k = properties(l) DELETE l",
    "turned round": COPY + "CREATE (b)-[k:PAID]->(a) SET k = properties(l) DELETE l",
    "invented": COPY + "CREATE (a)-[k:PAID]->(b) SET k = properties(l) SET k.id = '00000000000000000000000000000abc'",
    "ended earlier": COPY + "SET l.until = date('2020-01-01')",
}


@pytest.mark.parametrize("way", LINKS)
def test_a_link_that_was_tampered_with_is_absent_at_once_and_an_incident(scene: Scene, way: str) -> None:
    scene.cypher(LINKS[way])
    assert scene.links() == {scene.sound}
    assert scene.incidents() == [("does-not-verify", (scene.signal,))]
    assert scene.links() == {scene.sound}
    with pytest.raises(NotFound):
        scene.open()
    assert len(scene.incidents()) == 1, "what is hidden already is one incident"
    assert scene.signal in scene.findings()


SIGNALS = {
    "its date of receipt": "MATCH (g:Signal {id: $signal}) SET g.received_on = date('2031-01-01')",
    "its grade": "MATCH (g:Signal {id: $signal}) SET g.source_grade = 'A'",
    "its day of handing in": "MATCH (g:Signal {id: $signal}) SET g.handed_in_on = date('2020-01-01')",
    "a mention's category": "MATCH (:Signal {id: $signal})-[m:MENTIONS {place: 0}]->() SET m.category = 'bystander'",
    "a mention moved": "MATCH (g:Signal {id: $signal})-[m:MENTIONS {place: 0}]->(), (s:Subject {id: $payee})"
    " WITH g, m, s, properties(m) AS stated DELETE m CREATE (g)-[n:MENTIONS]->(s) SET n = stated",
    "a text of another signal": "MATCH (g:Signal {id: $signal}), (h:Signal) WHERE h.id <> g.id"
    " WITH g, h LIMIT 1 SET g.narrative = h.narrative",
    "a text cut short": "MATCH (g:Signal {id: $signal}) SET g.necessity = $nothing",
}


@pytest.mark.parametrize("what", SIGNALS)
def test_a_signal_that_was_tampered_with_is_absent_at_once_and_an_incident(scene: Scene, what: str) -> None:
    scene.cypher(SIGNALS[what], nothing=b"\xa1\x01")
    with pytest.raises(NotFound):
        scene.open()
    assert scene.incidents() == [("does-not-verify", (scene.signal,))]
    assert scene.links() == {scene.sound}
    rows = scene.cypher("MATCH (g:Signal {id: $signal}) RETURN g.distrusted_on AS on")
    assert [row["on"].to_native() for row in rows] == [civil_date(scene.place.clock.now())]
    if "text" not in what:  # the nightly run reads facts, not texts; what the read found stays hidden
        assert scene.signal in scene.findings()


def test_a_marking_taken_off_lets_nobody_in(scene: Scene) -> None:
    payer, payee, _ = cast(chr(next(LETTERS)), "Cornelis Ruyghaver", "Dirkje Stapelvoort", "Zuiderhoek")
    scene.place.intake.record(DESK, tie("closed", payer, payee, markings=("closed-team",)))
    (row,) = scene.cypher("MATCH (g:Signal) WHERE 'closed-team' IN g.markings RETURN g.id AS id")
    closed = SignalId(row["id"])
    with pytest.raises(NotFound):
        scene.place.enquiry.open_signal(scene.ana, REASON, closed)
    scene.cypher("MATCH (g:Signal {id: $closed}) SET g.markings = []", closed=closed)
    scene.cypher("MATCH (:Signal {id: $closed})-[m:MENTIONS]->() SET m.markings = []", closed=closed)
    with pytest.raises(NotFound):
        scene.place.enquiry.open_signal(scene.ana, REASON, closed)
    assert closed in {one["id"] for one in scene.place.custody.plan(CHRIS)["findings"]}


DEADLINES = {
    "moved later": "MATCH (s:Subject {id: $payer}) SET s.remove_by = $late SET s.hidden_from = $late",
    "reviewed later": "MATCH (s:Subject {id: $payer}) SET s.review_by = $late",
    "moved earlier": "MATCH (s:Subject {id: $payer}) SET s.remove_by = $soon SET s.hidden_from = $soon",
    "made another's": "MATCH (s:Subject {id: $payer}), (t:Subject {id: $payee}) SET s.mac = t.mac",
}


@pytest.mark.parametrize("how", DEADLINES)
def test_a_subject_whose_dates_were_tampered_with_is_absent_at_once_and_an_incident(scene: Scene, how: str) -> None:
    late, soon = TODAY + timedelta(days=9000), TODAY + timedelta(days=1)
    scene.cypher(DEADLINES[how], late=late, soon=soon)
    with pytest.raises(NotFound):
        scene.place.enquiry.subject(scene.ana, REASON, scene.payer)
    assert scene.incidents() == [("does-not-verify", (scene.payer,))]
    assert scene.payer in scene.findings()


def test_facts_put_back_from_an_older_day_are_refused_and_found(scene: Scene) -> None:
    (then,) = scene.cypher("MATCH (s:Subject {id: $payer}) RETURN properties(s) AS facts")
    payer, payee, _ = cast(chr(next(LETTERS)), "Evert Zoutkeet", "Femke Zoutkeet", "Zuiderhoek")
    known = {"identifiers": cast_of(scene)}
    payer = type(payer)(ref="p1", kind=payer.kind, category=payer.category, names=payer.names, **known)
    scene.place.intake.record(DESK, tie("later", payer, payee, days=1))
    scene.cypher("MATCH (s:Subject {id: $payer}) SET s = $then", then=then["facts"])
    with pytest.raises(Unavailable) as caught:
        scene.place.enquiry.subject(scene.ana, REASON, scene.payer)
    assert caught.value.code == "record.moved"
    assert scene.payer in scene.findings()


def cast_of(scene: Scene) -> Any:
    """The payer's own identifiers, as intake stated them."""
    page = scene.place.enquiry.subject(scene.ana, REASON, scene.payer)
    return page.statements[0].identifiers


def test_a_record_whose_key_is_missing_is_not_hidden_for_it(scene: Scene) -> None:
    """The key store lacks something: no reader may make a whole register disappear by reading on."""
    database = scene.place.store.database.engine
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM keys WHERE id = ? AND kind = 'signal'", (scene.signal,))
    with pytest.raises(Tampered):
        scene.open()
    assert ("does-not-open", ()) in scene.incidents()
    rows = scene.cypher("MATCH (g:Signal {id: $signal}) RETURN g.distrusted_on AS on")
    assert rows == [{"on": None}]


def test_names_that_do_not_open_are_an_incident(scene: Scene) -> None:
    (row,) = scene.cypher(
        "MATCH (:Signal {id: $signal})-[m:MENTIONS {place: 0}]->() SET m.names = $nothing RETURN m.id AS id",
        nothing=b"\xa1",
    )
    scene.place.roster.refresh()
    bodies = [json.loads(one["body"]) for one in scene.cypher("MATCH (e:Entry) RETURN e.body AS body")]
    told = [body for body in bodies if row["id"] in body["targets"]]
    assert [(body["act"], body["detail"]["code"]) for body in told] == [("integrity.incident", "does-not-open")]


def test_a_record_deleted_in_the_database_leaves_a_key_that_is_counted(scene: Scene) -> None:
    """No run asks for it, and no certificate tells of it: an officer of the keys does."""
    before = orphans(scene.place)
    scene.cypher("MATCH ()-[l {signal: $signal}]->() DELETE l")
    scene.cypher("MATCH (g:Signal {id: $signal}) DETACH DELETE g")
    assert orphans(scene.place) == before + 1

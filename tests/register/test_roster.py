"""The roster: what is fed to the table of names, and whom it lets search in what."""

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from api.names import Names
from register.access import Actor, Role
from register.errors import Unavailable
from register.grading import HandlingCode
from register.ids import MentionId, SubjectId, mint
from register.roster import Roster
from register.sealed import Sealed
from register.stores import RosterRow
from tests.fakes import FakeGraph, SetClock

OPEN = HandlingCode.H1


@dataclass
class Stated:
    """Names in signals, each entered at a time, as store and vault give them; None: they do not open."""

    clock: SetClock
    rows: list = field(default_factory=list)
    broken_after: int | None = None
    trail: FakeGraph = field(init=False)

    def __post_init__(self):
        self.trail = FakeGraph(self.clock)

    def state(self, names, *, handling=OPEN, markings=frozenset(), subject=None):
        row = RosterRow(
            mention=MentionId(mint()),
            subject=SubjectId(subject or mint()),
            names=Sealed(b"sealed"),
            handling=handling,
            markings=frozenset(markings),
        )
        self.rows.append((self.clock.at, row, names))
        return row

    def mark(self, row, markings):
        """Give a mention other markings, now."""
        at = next(at for at, (_, known, _) in enumerate(self.rows) if known.mention == row.mention)
        self.rows[at] = (self.clock.at, replace(row, markings=frozenset(markings)), self.rows[at][2])

    def roster(self, *, since: datetime | None):
        for number, (at, row, _) in enumerate(self.rows):
            if number == self.broken_after:
                raise Unavailable("graph.unavailable", "gone")
            if since is None or at >= since:
                yield row

    def open_names(self, rows):
        known = {row.mention: names for _, row, names in self.rows}
        for mention, _, _ in rows:
            yield None if known[mention] is None else (known[mention], None)


@pytest.fixture
def stated():
    return Stated(SetClock())


def roster_of(stated):
    return Roster(store=stated, sealing=stated, table=Names(), clock=stated.clock, trail=stated.trail)


def found(roster, name, *, markings=(), handling=(OPEN,)):
    actor = Actor(code="ana", role=Role.ANALYST, markings=frozenset(markings), handling=frozenset(handling))
    return [mentions for _, mentions in roster.search(actor, name, born_on=None, limit=50)]


def test_fifty_hidden_namesakes_do_not_crowd_out_a_visible_one(stated):
    for _ in range(200):
        stated.state(("Pieter Jansen",), markings={"closed-team"})
        stated.state(("Pieter Jansen",), handling=HandlingCode.H3)
    seen = stated.state(("Pieter Janssens",))
    roster = roster_of(stated)
    roster.refresh()
    assert found(roster, "Pieter Jansen") == [(seen.mention,)]
    assert len(found(roster, "Pieter Jansen", markings={"closed-team"}, handling=(OPEN, HandlingCode.H3))) == 50


def test_what_another_process_accepted_is_found_after_the_next_refresh(stated):
    roster = roster_of(stated)
    assert roster.refresh() == 0
    stated.clock.at += timedelta(seconds=1)
    one = stated.state(("Adriaan Zandvoorter",))
    assert found(roster, "Adriaan Zandvoorter") == []
    assert roster.refresh() == 1
    assert found(roster, "Adriaan Zandvoorter") == [(one.mention,)]
    assert roster.refresh() == 0


def test_a_mention_marked_anew_moves_to_its_new_compartment_and_leaves_the_old(stated):
    one, twin = (stated.state(("Adriaan Zandvoorter",), subject="a" * 32) for _ in range(2))
    roster = roster_of(stated)
    assert roster.refresh() == 2
    stated.clock.at += timedelta(hours=1)
    for shut in (one, twin):
        stated.mark(shut, {"closed-team"})
        assert roster.refresh() == 1
        assert roster.refresh() == 0
        left = [(twin.mention,)] if shut is one else []
        assert found(roster, "Adriaan Zandvoorter") == left
    assert found(roster, "Adriaan Zandvoorter", markings={"closed-team"}) == [(one.mention, twin.mention)]


def test_until_everything_is_read_nothing_is_answered(stated):
    stated.state(("Adriaan Zandvoorter",))
    second = stated.state(("Berendina Klaverstok",))
    stated.broken_after = 1
    roster = roster_of(stated)
    with pytest.raises(Unavailable):
        roster.refresh()
    assert not roster.complete
    with pytest.raises(Unavailable) as refused:
        found(roster, "Adriaan Zandvoorter")
    assert refused.value.code == "names.incomplete"
    stated.broken_after = None
    roster.refresh()
    assert found(roster, "Berendina Klaverstok") == [(second.mention,)]


def test_names_that_do_not_open_are_reported_by_id_and_take_no_others_with_them(stated, caplog):
    broken = stated.state(None)
    whole = stated.state(("Adriaan Zandvoorter",))
    roster = roster_of(stated)
    with caplog.at_level(logging.ERROR):
        roster.refresh()
    assert broken.mention in caplog.text
    assert [entry.targets for entry in stated.trail.entries] == [(broken.mention,)]
    assert roster.complete
    assert found(roster, "Adriaan Zandvoorter") == [(whole.mention,)]


def test_whether_anybody_is_there_is_asked_of_all_compartments_and_needs_more_than_a_rare_word(stated):
    hidden = stated.state(("Adriaan Zandvoorter",), markings={"closed-team"})
    for number in range(50):
        stated.state((f"Klaas Visser {number}",))
    roster = roster_of(stated)
    roster.refresh()
    assert [mentions for _, mentions in roster.anybody("Adriaan Zandvorter", limit=50)] == [(hidden.mention,)]
    assert roster.anybody("Berendina Zandvoorter", limit=50) == ()

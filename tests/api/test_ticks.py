"""The last tick believed: kept, damaged, put back; and what those who show do with it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from api.ticks import FILE, NeverBack, Ticks, tick
from register.errors import Tampered
from retention.clockguard import Clockwork

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Handed:
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


def test_what_was_believed_is_read_again_and_is_its_owners_only(tmp_path):
    ticks, now = Ticks(folder=tmp_path), tick(Handed())
    assert ticks.last() is None
    ticks.believe(now)
    assert ticks.last() == now
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_a_clock_set_forward_is_not_believed_until_it_is_confirmed(tmp_path):
    ticks, clock = Ticks(folder=tmp_path), Handed()
    assert ticks.look(tick(clock), lambda: None) is Clockwork.STEADY
    clock.at += timedelta(days=365)
    for _ in range(2):
        assert ticks.look(tick(clock), lambda: None) is Clockwork.AHEAD
    ticks.confirm(tick(clock), "chris")
    ticks.confirm(tick(clock), "chris")
    assert ticks.look(tick(clock), lambda: None) is Clockwork.AHEAD
    ticks.confirm(tick(clock), "carla")
    assert ticks.look(tick(clock), lambda: None) is Clockwork.STEADY
    assert ticks.confirmed_by(tick(clock)) == ""


@pytest.mark.parametrize("passed", [timedelta(hours=2), timedelta(days=-3)])
def test_two_people_confirm_the_same_time_within_an_hour(tmp_path, passed):
    """Attack 39: what the first confirmed was another time, or is long ago."""
    ticks, clock = Ticks(folder=tmp_path), Handed()
    ticks.believe(tick(clock))
    clock.at += timedelta(days=365)
    ticks.confirm(tick(clock), "chris")
    clock.at += passed
    assert ticks.confirmed_by(tick(clock)) == ""
    ticks.confirm(tick(clock), "carla")
    assert ticks.look(tick(clock), lambda: None) is Clockwork.AHEAD
    assert ticks.confirmed_by(tick(clock)) == "carla"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"at": "x", "boot": "", "uptime": 0}', b'{"at": 1}'])
def test_a_damaged_tick_waits_for_a_person(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    ticks = Ticks(folder=tmp_path)
    with pytest.raises(Tampered, match="cannot be read"):
        ticks.last()
    assert ticks.look(tick(Handed()), lambda: None) is Clockwork.AHEAD
    assert NeverBack(clock=Handed(), ticks=ticks).now() == NOON


def test_a_clock_set_back_un_hides_nothing(tmp_path):
    ticks, clock = Ticks(folder=tmp_path), Handed()
    ticks.believe(tick(clock))
    shown = NeverBack(clock=clock, ticks=ticks)
    clock.at -= timedelta(days=1000)
    assert shown.now() == NOON
    clock.at = NOON + timedelta(hours=1)
    assert shown.now() == clock.at

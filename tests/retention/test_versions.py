"""Versions of the policy: proposed by one, looked at and activated by another, in force from a day to come."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.errors import Conflict, NotFound, Refused
from retention.calendar import Period
from retention.policy import shipped
from retention.versions import Book, Timeline, Version, first_day, timeline

BUILT_IN = shipped("2020-01-01-theme-bribery.toml")
NEW = replace(BUILT_IN, valid_from=date(2027, 1, 1), digest="b" * 64, authors=frozenset({"writer"}))
DAY = date(2026, 11, 24)
FIRST = date(2027, 1, 1)


def proposed(by: str = "one") -> Book:
    return Book().propose(NEW, "2027-01-01-theme-bribery.toml", by, DAY, present=BUILT_IN)


def looked(*actors: str) -> Book:
    book = proposed()
    for actor in actors:
        book = book.shown(NEW.digest, actor, "c" * 64)
    return book


def approved(book: Book, by: str, impact: str = "c" * 64) -> Book:
    return book.approve(NEW.digest, impact, by, DAY, in_force_from=FIRST)


def test_a_second_person_activates_what_they_looked_at():
    """R09, R11: a new schedule comes into force by two people, after its impact list was looked at."""
    done = approved(looked("two"), "two").version(NEW.digest)
    assert (done.proposed_by, done.approved_by, done.in_force_from) == ("one", "two", FIRST)
    assert [done.state(day) for day in (DAY, FIRST - timedelta(days=1), FIRST)] == [
        "activated",
        "activated",
        "in-force",
    ]


@pytest.mark.parametrize(
    ("by", "impact", "code"),
    [
        ("one", "c", "approval.second-person"),
        ("writer", "c", "approval.second-person"),
        ("three", "c", "approval.unseen"),
        ("two", "d", "approval.unseen"),
    ],
)
def test_nobody_activates_alone_nor_their_own_nor_unseen(by, impact, code):
    book = looked("one", "two", "writer")
    with pytest.raises(Refused) as refused:
        approved(book, by, impact * 64)
    assert refused.value.code == code
    assert book.version(NEW.digest).state(DAY) == "proposed"


def test_a_version_is_never_edited_and_settled_once():
    book = approved(looked("two"), "two")
    for again in (lambda: approved(book, "two"), lambda: book.propose(NEW, "x", "three", DAY, present=BUILT_IN)):
        with pytest.raises(Conflict):
            again()
    with pytest.raises(Conflict):
        Book().propose(BUILT_IN, "x", "one", DAY, present=BUILT_IN)
    with pytest.raises(NotFound):
        book.version("e" * 64)


def test_until_it_is_in_force_it_can_be_taken_back_and_no_later():
    book = approved(looked("two"), "two")
    assert book.withdraw(NEW.digest, "three", DAY).coming() == ()
    with pytest.raises(Conflict):
        book.withdraw(NEW.digest, "three", FIRST)
    gone = book.withdraw(NEW.digest, "three", DAY)
    for again in (lambda: gone.withdraw(NEW.digest, "three", DAY), lambda: approved(gone, "two")):
        with pytest.raises(Conflict):
            again()


@given(st.dates(date(2020, 1, 1), date(2100, 1, 1)), st.dates(date(2020, 1, 1), date(2100, 1, 1)), st.integers(1, 366))
def test_no_version_is_in_force_before_the_grace_period_of_the_one_before_is_over(valid_from, on, days):
    present = replace(BUILT_IN, grace=Period.parse(f"P{days}D"))
    first = first_day(valid_from, on, present)
    assert first >= max(valid_from, on + timedelta(days=days))
    assert first in (valid_from, on + timedelta(days=days))


def test_every_day_has_the_version_that_was_in_force_on_it():
    """R02: one schedule in force on each day, and whatever comes later does not change which it was."""
    third = replace(NEW, digest="d" * 64)
    days = timeline(BUILT_IN, [(FIRST, NEW), (date(2028, 1, 1), third)])
    assert [days.on(day) for day in (date.min, FIRST - timedelta(days=1), FIRST, date(2028, 1, 1), date.max)] == [
        BUILT_IN,
        BUILT_IN,
        NEW,
        third,
        third,
    ]
    assert Timeline.of(BUILT_IN).on(DAY) is BUILT_IN


def test_a_version_is_read_as_it_was_told():
    one = approved(looked("two", "one"), "two").version(NEW.digest)
    assert Version.read(one.told()) == one

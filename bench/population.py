"""Made-up signals about made-up people, of whom some are due soon and the others in years."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from bench.background import background
from register.grading import (
    Category,
    HandlingCode,
    InformationGrade,
    Origin,
    SourceGrade,
    SubjectKind,
)
from register.links import LinkKind, NewLink
from register.signals import NewHandling, NewSignal, NewSource
from register.subjects import IdentifierKind, NewIdentifier, NewSubject

TERM_YEARS: Final = 5
AHEAD: Final = timedelta(days=21)
"""On which day to come those who are due soon will be due; today they can still be handed in."""


def due_by_then(today: date, subjects: int, due: int) -> Iterator[NewSignal]:
    """Yield three signals for every two subjects, each with a link; the first `due` subjects are due AHEAD of `today`.

    One in ten of the due stands in one more signal, with somebody who stays.
    """
    old = _due_ahead(today)
    people = [_person(number, name) for number, name in enumerate(background(subjects)[1])]
    recent = today - timedelta(days=30)
    for received_on, group in ((old, people[:due]), (recent, people[due:])):
        for number in range(len(group) * 3 // 2):
            one, other = group[number % len(group)], group[(number * 7 + 1 + number // len(group)) % len(group)]
            if one is not other:
                yield _signal(f"{received_on.year}-{number}", received_on, one, other)
    for number in range(0, due, 10):
        yield _signal(f"both-{number}", old, people[number], people[due + number % (subjects - due)])


def hub_with(today: date, links: int, each: int, around: int) -> Iterator[NewSignal]:
    """Yield signals about `around` people who stay, and those, due AHEAD of `today`, of one whom all others know.

    Args:
        today: civil date.
        links: of the hub in all; each: of them in one signal.
        around: people who stay, in pairs.
    """
    people = [_person(number, name) for number, name in enumerate(background(around + 1)[1])]
    hub, others = people[0], people[1:]
    recent, old = today - timedelta(days=30), _due_ahead(today)
    for number in range(0, around - 1, 2):
        yield _signal(f"pair-{number}", recent, *others[number : number + 2])
    for number in range(links // each):
        yield _signal(f"hub-{number}", old, hub, *(others[(number * each + place) % around] for place in range(each)))


def crowd(today: date, subjects: int, due: int) -> Iterator[NewSignal]:
    """Yield signals about four people each, five links for every one of `subjects`; the first `due` are due AHEAD."""
    people = [_person(number, name) for number, name in enumerate(background(subjects)[1])]
    old, recent = _due_ahead(today), today - timedelta(days=30)
    for received_on, group in ((old, people[:due]), (recent, people[due:])):
        count = len(group)
        for number in range(count * 5 // 3):
            places = (number, number + 1, number * 7 + 3, number * 11 + 5)
            named = list(dict.fromkeys(place % count for place in places))
            yield _signal(f"{received_on.year}-{number}", received_on, *(group[place] for place in named))


def strangers(today: date, count: int) -> Iterator[NewSignal]:
    """Yield `count` signals about pairs of people of whom nobody else speaks."""
    names = background(2 * count)[1]
    for number, pair in enumerate(zip(names, names, strict=False)):
        people = (_person(90_000_000 + 2 * number + place, name) for place, name in enumerate(pair))
        yield _signal(f"stranger-{number}", today - timedelta(days=30), *people)


def passport(number: int) -> str:
    """Return the passport's number of the person with this number in the population."""
    return f"T{number:08}"


def _due_ahead(today: date) -> date:
    """Return the day on which something was received that is due AHEAD of `today`."""
    yesterday = today - timedelta(days=1)
    return date(yesterday.year - TERM_YEARS, yesterday.month, min(yesterday.day, 28)) + timedelta(days=10)


def _person(number: int, name: str) -> NewSubject:
    return NewSubject(
        ref="p",
        kind=SubjectKind.PERSON,
        category=Category.INVOLVED,
        names=(name,),
        born_on=f"{1950 + number % 50}",
        identifiers=(NewIdentifier(kind=IdentifierKind.PASSPORT, value=passport(number)),),
    )


def _signal(reference: str, received_on: date, *people: NewSubject) -> NewSignal:
    """Return a signal in which the first of some people paid all the others."""
    first, *others = (replace(subject, ref=f"p{place}") for place, subject in enumerate(people, start=1))
    paid = ", ".join(other.names[0] for other in others)
    told = f"{first.names[0]} is said to have paid {paid} for a container that left the terminal unseen at night."
    return NewSignal(
        reference=reference,
        received_on=received_on,
        handed_in_on=received_on,
        source=NewSource(origin=Origin.HOTLINE, obtained="Reported to an integrity hotline", grade=SourceGrade.B),
        information_grade=InformationGrade.TWO,
        handling=NewHandling(code=HandlingCode.H1),
        necessity="Possible bribery of an official; needed for insight into the theme.",
        narrative=told,
        subjects=(first, *others),
        ports=("NLRTM",),
        links=tuple(NewLink(from_ref="p1", to_ref=other.ref, kind=LinkKind.PAID) for other in others),
    )

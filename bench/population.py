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
    yesterday = today - timedelta(days=1)
    old = date(yesterday.year - TERM_YEARS, yesterday.month, min(yesterday.day, 28)) + timedelta(days=10)
    people = [_person(number, name) for number, name in enumerate(background(subjects)[1])]
    recent = today - timedelta(days=30)
    for received_on, group in ((old, people[:due]), (recent, people[due:])):
        for number in range(len(group) * 3 // 2):
            one, other = group[number % len(group)], group[(number * 7 + 1 + number // len(group)) % len(group)]
            if one is not other:
                yield _signal(f"{received_on.year}-{number}", received_on, one, other)
    for number in range(0, due, 10):
        yield _signal(f"both-{number}", old, people[number], people[due + number % (subjects - due)])


def _person(number: int, name: str) -> NewSubject:
    return NewSubject(
        ref="p",
        kind=SubjectKind.PERSON,
        category=Category.INVOLVED,
        names=(name,),
        born_on=f"{1950 + number % 50}",
        identifiers=(NewIdentifier(kind=IdentifierKind.PASSPORT, value=f"T{number:08}"),),
    )


def _signal(reference: str, received_on: date, one: NewSubject, other: NewSubject) -> NewSignal:
    first, second = (replace(subject, ref=ref) for subject, ref in ((one, "p1"), (other, "p2")))
    names = first.names[0], second.names[0]
    return NewSignal(
        reference=reference,
        received_on=received_on,
        handed_in_on=received_on,
        source=NewSource(origin=Origin.HOTLINE, obtained="Reported to an integrity hotline", grade=SourceGrade.B),
        information_grade=InformationGrade.TWO,
        handling=NewHandling(code=HandlingCode.H1),
        necessity="Possible bribery of an official; needed for insight into the theme.",
        narrative=f"{names[0]} is said to have paid {names[1]} for a container that left the terminal unseen at night.",
        subjects=(first, second),
        ports=("NLRTM",),
        links=(NewLink(from_ref="p1", to_ref="p2", kind=LinkKind.PAID),),
    )

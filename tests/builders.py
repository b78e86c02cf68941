"""Signals for tests: a plain one to change, and a strategy for any valid one. All of it is made up."""

import unicodedata
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from register.grading import (
    CODES,
    Category,
    EvaluationScheme,
    HandlingCode,
    InformationGrade,
    Origin,
    SourceGrade,
    SubjectKind,
)
from register.ids import SubjectId
from register.links import Basis, LinkKind, NewLink
from register.signals import NewHandling, NewSignal, NewSource
from register.subjects import IdentifierKind, NewIdentifier, NewSubject, SpecialCategory, normalise

TODAY: Final = date(2026, 11, 24)
"""The civil date on which signals of `signals()` can be handed in."""

HARBOURS: Final = ("NLRTM", "NLVLI", "NLAMS", "BEANR", "DEHAM")

_NECESSARY: Final = {
    SpecialCategory.RACE: "The ethnic ties explain why the two trust each other.",
    SpecialCategory.POLITICAL: "The political post is what the money was meant for.",
    SpecialCategory.RELIGION: "The religious office is the one that was bought here.",
    SpecialCategory.TRADE_UNION: "The trade union post gave access to the crane schedule.",
    SpecialCategory.GENETIC: "The genetic trace ties the envelope to the giver alone.",
    SpecialCategory.BIOMETRIC: "The biometric pass was lent out in return for money.",
    SpecialCategory.HEALTH: "The health trouble was paid for as the counter-gift.",
    SpecialCategory.SEXUAL: "The sexual favour was the gift that was asked for.",
}


def a_person(ref: str = "p1", **changes: Any) -> NewSubject:
    """A person with one name, of whom nothing else is known, with `changes`."""
    plain = NewSubject(ref=ref, kind=SubjectKind.PERSON, category=Category.INVOLVED, names=("Piet van der Berg",))
    return replace(plain, **changes)


def an_organisation(ref: str = "o1", **changes: Any) -> NewSubject:
    """An organisation with one name and a KvK number, with `changes`."""
    plain = NewSubject(
        ref=ref,
        kind=SubjectKind.ORGANISATION,
        category=Category.RELATED,
        names=("Zuiderhaven Transport B.V.",),
        identifiers=(NewIdentifier(kind=IdentifierKind.KVK, value="99012345"),),
    )
    return replace(plain, **changes)


def a_signal(**changes: Any) -> NewSignal:
    """A valid signal about a person who directs an organisation that is active in Rotterdam, with `changes`."""
    plain = NewSignal(
        reference="desk-0001",
        received_on=date(2026, 11, 2),
        source=NewSource(origin=Origin.HOTLINE, obtained="Reported to a hotline", grade=SourceGrade.B),
        information_grade=InformationGrade.TWO,
        handling=NewHandling(code=HandlingCode.H1),
        necessity="Possible bribery of an official; needed for insight into the theme.",
        narrative="Piet van der Berg is said to have paid an official through Zuiderhaven Transport B.V.",
        subjects=(a_person(), an_organisation()),
        ports=("NLRTM",),
        links=(
            NewLink(from_ref="p1", to_ref="o1", kind=LinkKind.DIRECTS),
            NewLink(from_ref="o1", to_ref="NLRTM", kind=LinkKind.ACTIVE_AT, basis=Basis.FACT),
        ),
    )
    return replace(plain, **changes)


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def prose(*, most: int = 80, fewest: int = 0) -> st.SearchStrategy[str]:
    """Free texts: any Unicode in NFC but U+0000; with `fewest` at least one of its characters is visible."""
    texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=most).map(_nfc)
    return st.builds("{}x".format, texts) if fewest else texts


def line(*, most: int = 40) -> st.SearchStrategy[str]:
    """Texts of one line, with at least one visible character and neither control characters nor overrides."""
    signs = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Cf"])
    return st.text(signs, min_size=1, max_size=most).map(_nfc).filter(lambda text: text.strip() != "")


_REFS: Final = st.from_regex(r"[a-z][a-z0-9]{0,15}", fullmatch=True)
_GIVEN: Final = st.sampled_from(["Piet", "Anna Maria", "Jan-Willem", "Zoë", "Mehmet", "O."])
_SURNAMES: Final = st.sampled_from(
    ["van der Berg", "de Vries", "Jansen", "O'Brien", "Šimková", "Y\u0131lmaz", "Berg", "李"]
)
NAMES: Final = st.one_of(st.builds("{} {}".format, _GIVEN, _SURNAMES), line())
"""Names of people, likely to share surnames, and any line at all."""


@st.composite
def _identifiers(draw: st.DrawFn) -> tuple[NewIdentifier, ...]:
    digits = st.from_regex(r"[1-9][0-9]{6,9}", fullmatch=True).filter(lambda number: len(set(number)) > 1)
    stated = draw(st.lists(st.builds(NewIdentifier, kind=st.sampled_from(IdentifierKind), value=digits), max_size=3))
    return tuple({(one.kind, normalise(one.kind, one.value)): one for one in stated}.values())


@st.composite
def _subjects(draw: st.DrawFn, ref: str) -> NewSubject:
    born = st.dates(date(1930, 1, 1), date(2008, 12, 31)).map(date.isoformat)
    return NewSubject(
        ref=ref,
        kind=draw(st.sampled_from(SubjectKind)),
        category=draw(st.sampled_from(Category)),
        names=tuple(draw(st.lists(NAMES, min_size=1, max_size=3))),
        born_on=draw(st.none() | st.builds(lambda day, size: day[:size], born, st.sampled_from([4, 7, 10]))),
        position=draw(st.none() | line()),
        identifiers=draw(_identifiers()),
        same_as=draw(st.none() | st.from_regex(r"[0-9a-f]{32}", fullmatch=True).map(SubjectId)),
        special_categories=tuple(draw(st.lists(st.sampled_from(SpecialCategory), max_size=2, unique=True))),
    )


@st.composite
def _links(draw: st.DrawFn, refs: list[str], ports: tuple[str, ...]) -> NewLink:
    start, end = draw(st.lists(st.sampled_from([*refs, *ports]), min_size=2, max_size=2, unique=True))
    if start in ports:
        start, end = end, start
    since, until = sorted(draw(st.tuples(*[st.dates(date(2020, 1, 1), TODAY)] * 2)))
    return NewLink(
        from_ref=start if start in refs else refs[0],
        to_ref=end,
        kind=draw(st.sampled_from(LinkKind)),
        basis=draw(st.sampled_from(Basis)),
        since=draw(st.sampled_from([None, since])),
        until=draw(st.sampled_from([None, until])),
    )


@st.composite
def _sources(draw: st.DrawFn, scheme: EvaluationScheme) -> NewSource:
    grades = sorted(CODES[scheme].source)
    return NewSource(
        origin=draw(st.sampled_from(Origin)),
        obtained=draw(prose(fewest=1)),
        grade=draw(st.sampled_from(grades)) if grades else None,
        description=draw(st.none() | prose()),
    )


@st.composite
def signals(draw: st.DrawFn) -> NewSignal:
    """Any signal that its schema and `check` accept on TODAY, with the harbours of HARBOURS."""
    scheme = draw(st.sampled_from(EvaluationScheme))
    grades = sorted(CODES[scheme].information)
    refs = draw(st.lists(_REFS, max_size=4, unique=True))
    subjects = tuple([draw(_subjects(ref)) for ref in refs])
    ports = tuple(draw(st.lists(st.sampled_from(HARBOURS), max_size=3, unique=True)))
    received_on = draw(st.dates(date(2022, 1, 1), TODAY))
    source = draw(_sources(scheme))
    latest = min(TODAY, received_on + timedelta(days=110)) if source.origin is Origin.INFORMANT else TODAY
    handed_in_on = st.dates(received_on, latest)
    since, until = sorted(draw(st.tuples(*[st.dates(date(2020, 1, 1), TODAY)] * 2)))
    named = {category for subject in subjects for category in subject.special_categories}
    linkable = len(refs) > 1 or (refs and ports)
    return NewSignal(
        reference=draw(line()),
        received_on=received_on,
        handed_in_on=draw(handed_in_on if latest < TODAY else st.none() | handed_in_on),
        observed_from=draw(st.sampled_from([None, since])),
        observed_until=draw(st.sampled_from([None, until])),
        evaluation_scheme=scheme,
        source=source,
        information_grade=draw(st.sampled_from(grades)) if grades else None,
        handling=NewHandling(
            code=draw(st.sampled_from(sorted(CODES[scheme].handling))), conditions=draw(st.none() | prose())
        ),
        markings=tuple(
            draw(st.lists(st.from_regex(r"[a-z0-9][a-z0-9-]{0,9}", fullmatch=True), max_size=3, unique=True))
        ),
        necessity=_nfc("\n".join([draw(prose(fewest=1)), *(_NECESSARY[category] for category in sorted(named))])),
        narrative=draw(prose(fewest=1, most=300)),
        subjects=subjects,
        ports=ports,
        links=tuple(draw(st.lists(_links(refs, ports), max_size=4))) if linkable else (),
    )

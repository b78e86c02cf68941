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
from register.ids import SubjectId, mint
from register.links import Basis, LinkKind, NewLink
from register.sealed import SubjectFacts
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


def subject_facts(subject: str | None = None, **changes: Any) -> SubjectFacts:
    """Facts of a person, to be removed and looked at in good time, with `changes`; hidden on the day of its removal."""
    values: dict[str, Any] = {
        "id": SubjectId(subject or mint()),
        "kind": SubjectKind.PERSON,
        "revision": 1,
        "remove_by": date(2031, 11, 24),
        "review_by": date(2031, 11, 24),
        **changes,
    }
    return SubjectFacts(**{"hidden_from": values["remove_by"], **values})


def prose(*, most: int = 80, fewest: int = 0) -> st.SearchStrategy[str]:
    """Free texts: any Unicode in NFC but U+0000; with `fewest` at least one of its characters is visible."""
    texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=most).map(_nfc)
    return texts.map(lambda text: _nfc(text + "x")) if fewest else texts


def line(*, most: int = 40) -> st.SearchStrategy[str]:
    """Texts of one line, with at least one visible character and neither control characters nor overrides."""
    signs = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Cf"])
    return st.text(signs, min_size=1, max_size=most).map(_nfc).filter(lambda text: text.strip() != "")


# Strategies are made once: making them anew for each example takes longer than drawing from them.
_LINE: Final = line()
_PROSE: Final = prose(fewest=1)
_NARRATIVE: Final = prose(fewest=1, most=300)
_PERHAPS_PROSE: Final = st.none() | prose()
_PERHAPS_LINE: Final = st.none() | _LINE
_REFS: Final = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,15}", fullmatch=True), max_size=4, unique=True)
_PORTS: Final = st.lists(st.sampled_from(HARBOURS), max_size=3, unique=True).map(tuple)
_MARKINGS: Final = st.lists(st.from_regex(r"[a-z0-9][a-z0-9-]{0,9}", fullmatch=True), max_size=3, unique=True)
_RECEIVED: Final = st.dates(date(2022, 1, 1), TODAY)
_PERIODS: Final = st.tuples(*[st.dates(date(2020, 1, 1), TODAY)] * 2).map(sorted)
_SCHEMES: Final = st.sampled_from(EvaluationScheme)
_GIVEN: Final = st.sampled_from(["Piet", "Anna Maria", "Jan-Willem", "Zoë", "Mehmet", "O."])
_SURNAMES: Final = st.sampled_from(["van der Berg", "de Vries", "Jansen", "O'Brien", "Šimková", "Yılmaz", "Berg", "李"])  # noqa: RUF001
NAMES: Final = st.one_of(st.builds("{} {}".format, _GIVEN, _SURNAMES), _LINE)
"""Names of people, likely to share surnames, and any line at all."""

_DIGITS: Final = st.from_regex(r"[1-9][0-9]{6,9}", fullmatch=True).filter(lambda number: len(set(number)) > 1)
_IDENTIFIERS: Final = st.lists(
    st.builds(NewIdentifier, kind=st.sampled_from(IdentifierKind), value=_DIGITS),
    max_size=3,
    unique_by=lambda one: (one.kind, normalise(one.kind, one.value)),
).map(tuple)
_BORN: Final = st.builds(
    lambda day, size: day.isoformat()[:size],
    st.dates(date(1930, 1, 1), date(2008, 12, 31)),
    st.sampled_from([4, 7, 10]),
)
_SUBJECTS: Final = st.builds(
    NewSubject,
    ref=st.just(""),
    kind=st.sampled_from(SubjectKind),
    category=st.sampled_from(Category),
    names=st.lists(NAMES, min_size=1, max_size=3).map(tuple),
    born_on=st.none() | _BORN,
    position=_PERHAPS_LINE,
    identifiers=_IDENTIFIERS,
    same_as=st.none() | st.from_regex(r"[0-9a-f]{32}", fullmatch=True).map(SubjectId),
    special_categories=st.lists(st.sampled_from(SpecialCategory), max_size=2, unique=True).map(tuple),
)
_KINDS: Final = st.sampled_from(LinkKind)
_BASES: Final = st.sampled_from(Basis)
_ORIGINS: Final = st.sampled_from(Origin)
_COUNTS: Final = st.integers(0, 4)


@st.composite
def _links(draw: st.DrawFn, refs: list[str], ports: tuple[str, ...]) -> NewLink:
    start = draw(st.sampled_from(refs))
    end = draw(st.sampled_from([one for one in (*refs, *ports) if one != start]))
    since, until = draw(_PERIODS)
    return NewLink(
        from_ref=start,
        to_ref=end,
        kind=draw(_KINDS),
        basis=draw(_BASES),
        since=draw(st.sampled_from([None, since])),
        until=draw(st.sampled_from([None, until])),
    )


@st.composite
def signals(draw: st.DrawFn) -> NewSignal:
    """Any signal that its schema and `check` accept on TODAY, with the harbours of HARBOURS."""
    scheme = draw(_SCHEMES)
    codes = CODES[scheme]
    graded = bool(codes.source)
    refs, ports = draw(_REFS), draw(_PORTS)
    subjects = tuple([replace(draw(_SUBJECTS), ref=ref) for ref in refs])
    received_on, origin = draw(_RECEIVED), draw(_ORIGINS)
    latest = min(TODAY, received_on + timedelta(days=110)) if origin is Origin.INFORMANT else TODAY
    handed_in_on = draw(st.dates(received_on, latest))
    since, until = draw(_PERIODS)
    named = {category for subject in subjects for category in subject.special_categories}
    linkable = bool(refs) and len(refs) + len(ports) > 1
    return NewSignal(
        reference=draw(_LINE),
        received_on=received_on,
        handed_in_on=handed_in_on if latest < TODAY else draw(st.sampled_from([None, handed_in_on])),
        observed_from=draw(st.sampled_from([None, since])),
        observed_until=draw(st.sampled_from([None, until])),
        evaluation_scheme=scheme,
        source=NewSource(
            origin=origin,
            obtained=draw(_PROSE),
            grade=draw(st.sampled_from(sorted(codes.source))) if graded else None,
            description=draw(_PERHAPS_PROSE),
        ),
        information_grade=draw(st.sampled_from(sorted(codes.information))) if graded else None,
        handling=NewHandling(code=draw(st.sampled_from(sorted(codes.handling))), conditions=draw(_PERHAPS_PROSE)),
        markings=tuple(draw(_MARKINGS)),
        necessity=_nfc("\n".join([draw(_PROSE), *(_NECESSARY[category] for category in sorted(named))])),
        narrative=draw(_NARRATIVE),
        subjects=subjects,
        ports=ports,
        links=tuple(draw(_links(refs, ports)) for _ in range(draw(_COUNTS))) if linkable else (),
    )

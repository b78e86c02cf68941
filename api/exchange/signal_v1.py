"""Format signal/1: bytes to `NewSignal` and back. The schema beside this module is the contract."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from api.exchange.shapes import Shape
from register.errors import Fault, Invalid
from register.grading import (
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
from register.rules import fault
from register.signals import NewHandling, NewSignal, NewSource, document
from register.subjects import IdentifierKind, NewIdentifier, NewSubject, SpecialCategory

SHAPE: Final = Shape("signal-v1.schema.json")
SCHEMA: Final = SHAPE.schema
"""The JSON Schema of signal/1 (draft 2020-12)."""

VALIDATOR: Final = SHAPE.validator
"""What checks it; formats are asserted. Its messages hold values: they are never shown."""


# Looked up by value: calling an enumeration takes ten times as long, and the schema has seen the values.
_SCHEMES: Final = {str(one): one for one in EvaluationScheme}
_ORIGINS: Final = {str(one): one for one in Origin}
_SOURCE_GRADES: Final = {str(one): one for one in SourceGrade}
_INFORMATION_GRADES: Final = {str(one): one for one in InformationGrade}
_HANDLING: Final = {str(one): one for one in HandlingCode}
_KINDS: Final = {str(one): one for one in SubjectKind}
_CATEGORIES: Final = {str(one): one for one in Category}
_IDENTIFIERS: Final = {str(one): one for one in IdentifierKind}
_LINKS: Final = {str(one): one for one in LinkKind}
_BASES: Final = {str(one): one for one in Basis}


def read(data: bytes) -> NewSignal:
    """Return the signal that `data` holds: one JSON object, UTF-8, at most 1 MiB, white space around it allowed.

    Texts come out in Unicode normalisation form C. What a schema cannot say is left to `register.signals.check`.

    Raises:
        Invalid: it is no signal/1; every fault with JSON pointer and rule (`register.rules`), never with a value. The
            name of an unknown field is not shown either: its pointer is that of the object which has it.
    """
    value = SHAPE.read(data)
    # An escape may hide what it spells.
    if (b"0000-" in data or b"\\" in data) and (faults := tuple(_year_zero(value))):
        raise Invalid(faults)
    return _signal(value)


def to_json(signal: NewSignal) -> bytes:
    """Return `signal` as one line of signal/1 in UTF-8, without a line end; `read` gives back the same signal."""
    return json.dumps(document(signal), ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _year_zero(value: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the dates in the year 0000: valid by the format (RFC 3339), yet no civil date."""
    links = value.get("links", ())
    dated = [("", value), ("/observed", value.get("observed", {}))]
    for pointer, holder in [*dated, *((f"/links/{at}", link) for at, link in enumerate(links))]:
        for name in ("received_on", "handed_in_on", "from", "since", "until"):
            if holder.get(name, "").startswith("0000-"):
                yield fault(f"{pointer}/{name}", "schema.format")


def _signal(value: Mapping[str, Any]) -> NewSignal:
    observed = value.get("observed", {})
    source, handling = value["source"], value["handling"]
    return NewSignal(
        reference=value["reference"],
        received_on=date.fromisoformat(value["received_on"]),
        handed_in_on=_date(value.get("handed_in_on")),
        observed_from=_date(observed.get("from")),
        observed_until=_date(observed.get("until")),
        evaluation_scheme=_SCHEMES[value.get("evaluation_scheme", EvaluationScheme.EU_4X4)],
        source=NewSource(
            origin=_ORIGINS[source["origin"]],
            obtained=source["obtained"],
            grade=_SOURCE_GRADES[source["grade"]] if "grade" in source else None,
            description=source.get("description"),
        ),
        information_grade=_INFORMATION_GRADES[value["information_grade"]] if "information_grade" in value else None,
        handling=NewHandling(code=_HANDLING[handling["code"]], conditions=handling.get("conditions")),
        markings=tuple(value.get("markings", ())),
        necessity=value["necessity"],
        narrative=value["narrative"],
        subjects=tuple([_subject(subject) for subject in value.get("subjects", ())]),
        ports=tuple(value.get("ports", ())),
        links=tuple([_link(link) for link in value.get("links", ())]),
    )


def _subject(value: Mapping[str, Any]) -> NewSubject:
    same_as = value.get("same_as")
    return NewSubject(
        ref=value["ref"],
        kind=_KINDS[value["type"]],
        category=_CATEGORIES[value["category"]],
        names=tuple(value["names"]),
        born_on=value.get("born_on"),
        position=value.get("position"),
        identifiers=tuple(
            [NewIdentifier(kind=_IDENTIFIERS[one["kind"]], value=one["value"]) for one in value.get("identifiers", ())]
        ),
        same_as=None if same_as is None else SubjectId(same_as),
        special_categories=tuple(map(SpecialCategory, value.get("special_categories", ()))),
    )


def _link(value: Mapping[str, Any]) -> NewLink:
    return NewLink(
        from_ref=value["from"],
        to_ref=value["to"],
        kind=_LINKS[value["kind"]],
        basis=_BASES[value.get("basis", Basis.ASSESSMENT)],
        since=_date(value.get("since")),
        until=_date(value.get("until")),
    )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)

"""Code lists that a store may name: evaluation and handling codes, kinds and categories of subjects.

Evaluation and handling codes are stored as received and never translated.
Sources: *eu-4x4* is the European 4x4 system of source and information evaluation; *nl* is annex 1 of the Besluit
verplichte politiegegevens (BWBR0032083, 2012). How strict a handling code is lies in the policy file, not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class EvaluationScheme(StrEnum):
    """The scheme in which the codes of a signal were given."""

    EU_4X4 = "eu-4x4"
    NL = "nl"
    NOT_PROVIDED = "not-provided"


class SourceGrade(StrEnum):
    """How reliable the source is; the letter means what its scheme says."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    X = "X"


class InformationGrade(StrEnum):
    """How the source came to know; the figure means what its scheme says."""

    ONE = "1"
    TWO = "2"
    THREE = "3"
    FOUR = "4"


class HandlingCode(StrEnum):
    """What may be done with the information, in the words of its scheme (eu-4x4: H0-H3; nl: 11, 01, 00, 200, 300)."""

    H0 = "H0"
    H1 = "H1"
    H2 = "H2"
    H3 = "H3"
    NL_11 = "11"
    NL_01 = "01"
    NL_00 = "00"
    NL_200 = "200"
    NL_300 = "300"


class Origin(StrEnum):
    """Where a signal comes from (Wpg art. 3(5))."""

    OPEN_SOURCE = "open-source"
    HOTLINE = "hotline"
    OFFICER_OBSERVATION = "officer-observation"
    EXPLORATORY_INQUIRY = "exploratory-inquiry"
    INVESTIGATION = "investigation"
    FOREIGN_INVESTIGATION = "foreign-investigation"
    INFORMANT = "informant"
    WITNESS = "witness"
    ANONYMOUS = "anonymous"


class SubjectKind(StrEnum):
    """A person or an organisation (`type` in signal/1)."""

    PERSON = "person"
    ORGANISATION = "organisation"


class Category(StrEnum):
    """Why a subject may be processed (Wpg art. 10(3)): the list is exclusive."""

    INVOLVED = "involved"
    RELATED = "related"
    OFFICER = "officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeCodes:
    """The codes of one scheme. No source or information grades: the scheme has none, and none may be given."""

    source: frozenset[SourceGrade]
    information: frozenset[InformationGrade]
    handling: frozenset[HandlingCode]


_EU_HANDLING = frozenset({HandlingCode.H0, HandlingCode.H1, HandlingCode.H2, HandlingCode.H3})

CODES: Final[Mapping[EvaluationScheme, SchemeCodes]] = MappingProxyType(
    {
        EvaluationScheme.EU_4X4: SchemeCodes(
            source=frozenset({SourceGrade.A, SourceGrade.B, SourceGrade.C, SourceGrade.X}),
            information=frozenset(InformationGrade),
            handling=_EU_HANDLING,
        ),
        EvaluationScheme.NL: SchemeCodes(
            source=frozenset({SourceGrade.A, SourceGrade.B, SourceGrade.C, SourceGrade.D}),
            information=frozenset({InformationGrade.ONE, InformationGrade.TWO, InformationGrade.THREE}),
            handling=frozenset(HandlingCode) - _EU_HANDLING,
        ),
        # Units that keep their evaluation to themselves still say how the information may be handled, in either scheme.
        EvaluationScheme.NOT_PROVIDED: SchemeCodes(
            source=frozenset(), information=frozenset(), handling=frozenset(HandlingCode)
        ),
    }
)

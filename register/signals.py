"""A signal as it is handed in (format signal/1). Clear text: a module the stores may not name.

No type here shows its content in `repr()`.
"""

from dataclasses import dataclass
from datetime import date

from register.grading import EvaluationScheme, HandlingCode, InformationGrade, Origin, SourceGrade
from register.links import NewLink
from register.subjects import NewSubject


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NewSource:
    """Where a signal comes from and how it was obtained (Wpg art. 3(5)).

    Attributes:
        origin: sort of source.
        obtained: how the information was obtained, free text.
        grade: reliability of the source in the signal's scheme; None where the scheme has none.
        description: who or what the source is, free text; readable with its own permission.
    """

    origin: Origin
    obtained: str
    grade: SourceGrade | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NewHandling:
    """What may be done with a signal: a code of its scheme and, in words, conditions of the provider."""

    code: HandlingCode
    conditions: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NewSignal:
    """A signal as a contributor hands it in: the fields of signal/1, texts in NFC, defaults filled in.

    Attributes:
        reference: the contributor's own reference; with the contributor it says which signal this is.
        received_on: civil date (Europe/Amsterdam) on which the contributor received the information.
        handed_in_on: civil date on which it was handed in, if before the day of entry; None: the day of entry.
        observed_from: first civil date of what was observed.
        observed_until: last civil date of what was observed.
        evaluation_scheme: scheme of the grades and, but for `not-provided`, of the handling code.
        source: where it comes from.
        information_grade: reliability of the information in the scheme; None where the scheme has none.
        handling: what may be done with it.
        markings: compartments; a reader needs all of them.
        necessity: why this is necessary for the theme, free text.
        narrative: what is told, free text.
        subjects: persons and organisations; a mention is known by its position here.
        ports: UN/LOCODEs of harbours.
        links: between subjects, or from a subject to a harbour of `ports`.
    """

    reference: str
    received_on: date
    source: NewSource
    handling: NewHandling
    necessity: str
    narrative: str
    evaluation_scheme: EvaluationScheme = EvaluationScheme.EU_4X4
    information_grade: InformationGrade | None = None
    handed_in_on: date | None = None
    observed_from: date | None = None
    observed_until: date | None = None
    markings: tuple[str, ...] = ()
    subjects: tuple[NewSubject, ...] = ()
    ports: tuple[str, ...] = ()
    links: tuple[NewLink, ...] = ()

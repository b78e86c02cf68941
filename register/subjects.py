"""Persons and organisations as a signal states them. Clear text: a module the stores may not name.

No type here shows its content in `repr()`.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from register.errors import Fault
from register.grading import Category, SubjectKind
from register.ids import SubjectId, is_id
from register.rules import fault
from register.texts import line_faults


class SpecialCategory(StrEnum):
    """Special categories of data (Wpg art. 5)."""

    RACE = "race"
    POLITICAL = "political"
    RELIGION = "religion"
    TRADE_UNION = "trade-union"
    GENETIC = "genetic"
    BIOMETRIC = "biometric"
    HEALTH = "health"
    SEXUAL = "sexual"


class IdentifierKind(StrEnum):
    """What sort of number or address an identifier is."""

    BSN = "bsn"
    KVK = "kvk"
    IMO = "imo"
    PASSPORT = "passport"
    IBAN = "iban"
    VAT = "vat"
    PHONE = "phone"
    EMAIL = "email"
    OTHER = "other"


STRONG: Final = MappingProxyType(
    {
        IdentifierKind.BSN: 0,
        IdentifierKind.PASSPORT: 1,
        IdentifierKind.IMO: 2,
        IdentifierKind.KVK: 3,
        IdentifierKind.VAT: 4,
        IdentifierKind.IBAN: 5,
    }
)
"""Kinds that say by themselves which subject is meant, with their order when they disagree: what is issued to one
bearer comes before what several may use. The others are shared too often to match by."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NewIdentifier:
    """An identifier as stated: its kind, and its value as written (NFC)."""

    kind: IdentifierKind
    value: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NewSubject:
    """A subject as one signal states it.

    Attributes:
        ref: name of the subject inside this signal, `^[a-z][a-z0-9]{0,15}$`.
        kind: person or organisation.
        category: why the subject may be processed.
        names: the main name first, then aliases; at least one.
        born_on: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; of an organisation, when it was founded.
        position: office or work, free text.
        identifiers: as stated, in the contributor's order.
        same_as: id of a subject of this register, when the contributor was given one.
        special_categories: which special categories the signal holds about this subject.
    """

    ref: str
    kind: SubjectKind
    category: Category
    names: tuple[str, ...]
    born_on: str | None = None
    position: str | None = None
    identifiers: tuple[NewIdentifier, ...] = ()
    same_as: SubjectId | None = None
    special_categories: tuple[SpecialCategory, ...] = ()


# Full-width forms (U+FF01 to U+FF5E) are the same characters in another width; everything else stays as typed.
_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SEPARATORS: Final = re.compile(r"[\s.\-\u00ad\u200b\u2010-\u2015\u2212]+")
_LOWER_TO_UPPER: Final = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_LABELLED: Final = {
    IdentifierKind.BSN: re.compile(r"BSN:?([0-9]+)"),
    IdentifierKind.KVK: re.compile(r"KVK:?([0-9]+)"),
    IdentifierKind.IMO: re.compile(r"IMO:?([0-9]+)"),
    IdentifierKind.IBAN: re.compile(r"IBAN:?([A-Z]{2}[0-9]{2}[0-9A-Z]+)"),
}


def normalise(kind: IdentifierKind, value: str) -> str:
    """Return the form of an identifier by which two of the same kind are compared.

    It takes away how a value is written, never what is written: no check digit is tested (soft signals carry typing
    errors), no zero is added, no look-alike replaced, so that two really different values stay different. The result
    may be empty; then the value names nothing. Applying it twice changes nothing.

    - bsn, kvk, imo: spaces, dots and dashes go; letters A-Z upper case; a leading `BSN`, `KVK` or `IMO` before nothing
      but digits goes. A number written without its leading zero stays another value than the one with it.
    - iban: the same, a leading `IBAN` before a country code and check digits goes.
    - passport, vat: spaces, dots and dashes go; letters A-Z upper case. The country prefix of a VAT number stays, and
      none is added; `+` and `*` (Ireland) stay.
    - phone: spaces, dots, dashes, slashes and brackets go, `(0)` after an international prefix with its zero;
      a leading `00` becomes `+`. A national number gets no country.
    - email: outer spaces go; the domain in lower case. The part before `@` may tell capitals apart (RFC 5321, 2.4).
    - other: outer spaces go, inner runs of spaces become one.
    """
    text = unicodedata.normalize("NFC", value).translate(_WIDTH)
    if kind is IdentifierKind.OTHER:
        return " ".join(text.split())
    if kind is IdentifierKind.EMAIL:
        local, at, domain = text.strip().rpartition("@")
        return unicodedata.normalize("NFC", local + at + domain.lower())
    compact = _SEPARATORS.sub("", text)
    if kind is IdentifierKind.PHONE:
        return _phone(compact)
    upper = compact.translate(_LOWER_TO_UPPER)
    labelled = _LABELLED.get(kind)
    match = labelled.fullmatch(upper) if labelled else None
    return match[1] if match else upper


def _phone(compact: str) -> str:
    if compact.startswith(("+", "00")):
        compact = compact.replace("(0)", "", 1)
    bare = re.sub(r"[()/\[\]]+", "", compact)
    return "+" + bare[2:] if bare.startswith("00") else bare


_OLDEST_PERSON: Final = 130
_SHORTEST_STRONG: Final = 4
_LETTER_OR_DIGIT: Final = re.compile(r"[^\W_]")


def check_subject(subject: NewSubject, pointer: str, *, today: date) -> Iterator[Fault]:
    """Yield what is wrong with one subject by itself, beyond its schema; `pointer` is its JSON pointer."""
    for place, name in enumerate(subject.names):
        yield from line_faults(f"{pointer}/names/{place}", name, needed=True)
    if subject.position is not None:
        yield from line_faults(f"{pointer}/position", subject.position)
    if subject.born_on is not None and not _plausible_birth(subject.born_on, subject.kind, today):
        yield fault(f"{pointer}/born_on", "born.implausible", years=_OLDEST_PERSON)
    if subject.same_as is not None and not is_id(subject.same_as):
        yield fault(f"{pointer}/same_as", "same-as.form")
    seen = set()
    for place, identifier in enumerate(subject.identifiers):
        where = f"{pointer}/identifiers/{place}"
        yield from line_faults(f"{where}/value", identifier.value)
        value = normalise(identifier.kind, identifier.value)
        if not _tells_apart(identifier.kind, value):
            yield fault(f"{where}/value", "identifier.empty")
        if (identifier.kind, value) in seen:
            yield fault(where, "identifier.duplicate")
        seen.add((identifier.kind, value))


def _plausible_birth(born_on: str, kind: SubjectKind, today: date) -> bool:
    year, month, day = (*map(int, born_on.split("-")), 1, 1)[:3]
    try:
        first_possible = date(year, month, day)
    except ValueError:
        return False
    # An organisation may be centuries old.
    oldest = today.year - _OLDEST_PERSON if kind is SubjectKind.PERSON else 1
    return first_possible <= today and year >= oldest


def _tells_apart(kind: IdentifierKind, value: str) -> bool:
    """Say whether a normalised value can be an identifier at all; "unknown" or "000000000" would merge strangers."""
    if kind not in STRONG:
        return _LETTER_OR_DIGIT.search(value) is not None
    return len(value) >= _SHORTEST_STRONG and len(set(value)) > 1 and any(map(str.isdecimal, value))

"""A signal as it is handed in (format signal/1). Clear text: a module the stores may not name.

No type here shows its content in `repr()`.
"""

import json
import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from register.errors import Fault
from register.grading import EvaluationScheme, HandlingCode, InformationGrade, Origin, SourceGrade
from register.links import NewLink
from register.rules import fault
from register.subjects import NewSubject, SpecialCategory, check_subject
from register.texts import line_faults, prose_faults


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


def document(signal: NewSignal) -> dict[str, Any]:
    """Return `signal` as a JSON object of format signal/1; what is absent or empty is left out."""
    source, handling = signal.source, signal.handling
    return _present(
        format="signal/1",
        reference=signal.reference,
        received_on=signal.received_on.isoformat(),
        handed_in_on=_iso(signal.handed_in_on),
        observed=_present(**{"from": _iso(signal.observed_from), "until": _iso(signal.observed_until)}),
        evaluation_scheme=signal.evaluation_scheme,
        source=_present(
            origin=source.origin, obtained=source.obtained, grade=source.grade, description=source.description
        ),
        information_grade=signal.information_grade,
        handling=_present(code=handling.code, conditions=handling.conditions),
        markings=signal.markings,
        necessity=signal.necessity,
        narrative=signal.narrative,
        subjects=[_subject(subject) for subject in signal.subjects],
        ports=signal.ports,
        links=[_link(link) for link in signal.links],
    )


_CANONICAL: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical(signal: NewSignal) -> bytes:
    """Return the content of `signal` as bytes: equal if, and only if, the same was handed in.

    It is signal/1 with sorted keys and no white space, in UTF-8; defaults are filled in, and the order of markings,
    ports and special categories, which are sets, does not count. It is clear text: keep only keyed digests of it.
    """
    content = document(signal)
    for sets in (content, *content.get("subjects", ())):
        for name in ("markings", "ports", "special_categories"):
            if name in sets:
                sets[name] = sorted(sets[name])
    return _CANONICAL.encode(content).encode("utf-8", "surrogatepass")


def _subject(subject: NewSubject) -> dict[str, Any]:
    return _present(
        ref=subject.ref,
        type=subject.kind,
        category=subject.category,
        names=subject.names,
        born_on=subject.born_on,
        position=subject.position,
        identifiers=[{"kind": one.kind, "value": one.value} for one in subject.identifiers],
        same_as=subject.same_as,
        special_categories=subject.special_categories,
    )


def _link(link: NewLink) -> dict[str, Any]:
    ends = {"from": link.from_ref, "to": link.to_ref}
    return _present(**ends, kind=link.kind, basis=link.basis, since=_iso(link.since), until=_iso(link.until))


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None and value not in ((), [], {})}


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def check(
    signal: NewSignal,
    *,
    today: date,
    harbours: Callable[[str], bool],
    deadline: Callable[[date], date],
    informant_months: int,
) -> tuple[Fault, ...]:
    """Return everything wrong with `signal` that its schema cannot say, in the order of the fields; empty if nothing.

    Codes and sentences are in `register.rules`; texts are refused for their characters, never for what they say, but
    for one: a special category (Wpg art. 5) needs its reason, so `necessity` must name each one given, by a word for
    it in English or Dutch, in a sentence of at least six words. Whether the reason is a good one, people judge.

    Args:
        signal: a signal whose shape is valid.
        today: civil date of entry (Europe/Amsterdam).
        harbours: says whether a UN/LOCODE is that of a known harbour.
        deadline: gives, for the day of receipt, the day from which the signal may not be kept any more.
        informant_months: months after receipt in which an informant's signal may be handed in (Wpg art. 12(2)).
    """
    return (
        *line_faults("/reference", signal.reference, needed=True),
        *_date_faults(signal, today),
        *_term_faults(signal, today, deadline, informant_months),
        *_text_faults(signal),
        *_subject_faults(signal, today),
        *(fault(f"/ports/{at}", "port.unknown") for at, port in enumerate(signal.ports) if not harbours(port)),
        *_link_faults(signal, today),
    )


def _date_faults(signal: NewSignal, today: date) -> Iterator[Fault]:
    yield from _not_future("/received_on", signal.received_on, today)
    yield from _not_future("/handed_in_on", signal.handed_in_on, today)
    if signal.handed_in_on is not None and signal.handed_in_on < signal.received_on:
        yield fault("/handed_in_on", "date.order")
    yield from _period_faults("/observed/from", signal.observed_from, "/observed/until", signal.observed_until, today)


def _term_faults(
    signal: NewSignal, today: date, deadline: Callable[[date], date], informant_months: int
) -> Iterator[Fault]:
    if signal.received_on > today:
        return  # a term that begins in the future says nothing, and near the end of the calendar has no end
    if deadline(signal.received_on) <= today:
        yield fault("/received_on", "term.past")
    if signal.source.origin is Origin.INFORMANT:
        last = _months_after(signal.received_on, informant_months)
        if (signal.handed_in_on or today) > last:
            yield fault("/received_on", "informant.late", months=informant_months)


def _months_after(day: date, months: int) -> date:
    """Return the same day of the month, `months` later, or the last day of that month if it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _text_faults(signal: NewSignal) -> Iterator[Fault]:
    yield from prose_faults("/source/obtained", signal.source.obtained, needed=True)
    yield from prose_faults("/source/description", signal.source.description or "")
    yield from prose_faults("/handling/conditions", signal.handling.conditions or "")
    yield from prose_faults("/necessity", signal.necessity, needed=True)
    yield from prose_faults("/narrative", signal.narrative, needed=True)


def _subject_faults(signal: NewSignal, today: date) -> Iterator[Fault]:
    refs = set()
    for at, subject in enumerate(signal.subjects):
        pointer = f"/subjects/{at}"
        if subject.ref in refs:
            yield fault(f"{pointer}/ref", "ref.duplicate")
        refs.add(subject.ref)
        yield from check_subject(subject, pointer, today=today)
        for place, category in enumerate(subject.special_categories):
            if not _reasoned(category, signal.necessity):
                yield fault(f"{pointer}/special_categories/{place}", "special.reason", words=_REASON_WORDS)


def _link_faults(signal: NewSignal, today: date) -> Iterator[Fault]:
    refs = {subject.ref for subject in signal.subjects}
    ends = refs.union(signal.ports)
    for at, link in enumerate(signal.links):
        pointer = f"/links/{at}"
        if link.from_ref not in refs:
            yield fault(f"{pointer}/from", "link.end-unknown")
        if link.to_ref not in ends:
            yield fault(f"{pointer}/to", "link.end-unknown")
        if link.from_ref == link.to_ref:
            yield fault(f"{pointer}/to", "link.self")
        yield from _period_faults(f"{pointer}/since", link.since, f"{pointer}/until", link.until, today)


def _period_faults(begin: str, since: date | None, end: str, until: date | None, today: date) -> Iterator[Fault]:
    yield from _not_future(begin, since, today)
    yield from _not_future(end, until, today)
    if since is not None and until is not None and until < since:
        yield fault(end, "date.order")


def _not_future(pointer: str, day: date | None, today: date) -> Iterator[Fault]:
    if day is not None and day > today:
        yield fault(pointer, "date.future")


_REASON_WORDS: Final = 6
_NAMED_BY: Final = {
    category: re.compile(rf"\b(?:{words})", re.IGNORECASE)
    for category, words in {
        SpecialCategory.RACE: r"rac(?:e\b|ial)|ethnic|ras(?:\b|sen)|etni|afkomst",
        SpecialCategory.POLITICAL: r"politi(?:c|ek)",
        SpecialCategory.RELIGION: r"religi|faith|belief|godsdienst|geloof|levensbeschouw|philosoph",
        SpecialCategory.TRADE_UNION: r"trade.union|vakbond|vakvereniging",
        SpecialCategory.GENETIC: r"geneti|dna\b",
        SpecialCategory.BIOMETRIC: r"biometri|fingerprint|vingerafdruk",
        SpecialCategory.HEALTH: r"health|medical|illness|disease|gezondheid|medisch|ziek",
        SpecialCategory.SEXUAL: r"sexual|seksue",
    }.items()
}


def _reasoned(category: SpecialCategory, necessity: str) -> bool:
    return any(
        len(sentence.split()) >= _REASON_WORDS and _NAMED_BY[category].search(sentence)
        for sentence in re.split(r"[.!?;\n]", necessity)
    )

"""Reading the clauses of a policy file: rules, checks, holds and the rest, each with its citation."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from register.access import ACTOR_PATTERN
from register.grading import HandlingCode, SubjectKind
from register.lifetime import EventKind, HoldGround
from retention.calendar import NOTHING, Period, Unit
from retention.rules import (
    Archive,
    Basis,
    Check,
    Citation,
    Combine,
    Distrust,
    Flaw,
    Ground,
    HandOver,
    Hold,
    Outcome,
    RequestKind,
    RequestTerm,
    Rule,
    Silence,
)
from retention.tomltext import Table

STARTING: Final = frozenset(
    {
        EventKind.SIGNAL,
        EventKind.FIRST_PROCESSING,
        EventKind.INVESTIGATION_ENDED,
        EventKind.NECESSITY_DECISION,
        EventKind.ORDER,
    }
)
FLAWS: Final = frozenset({EventKind.FOUND_INCORRECT, EventKind.FOUND_UNLAWFUL})
ENDING: Final = FLAWS | {EventKind.NO_LONGER_NECESSARY}
LONGEST: Final = Period(count=10, unit=Unit.YEARS)
"""The longest term the Act knows (Wpg art. 12(6)): anything longer is refused, as is anything kept for ever."""
WRITTEN: Final = "written"
NAME: Final = re.compile(r"[a-z0-9]{1,20}([.-][a-z0-9]{1,20}){0,9}")

Sources = Mapping[str, tuple[str, str, date]]
Checks = Mapping[str, Check]

_CODE: Final = re.compile(r"[a-z][a-z0-9]{0,19}(-[a-z0-9]{1,20}){0,5}")
_NUMBER: Final = re.compile(r"BWBR[0-9]{7}")
_ANSWERED: Final = Period(count=12, unit=Unit.WEEKS)
_NEVER: Final = Period(count=1, unit=Unit.DAYS)
_KINDS: Final[Mapping[str, SubjectKind | None]] = {**{kind.value: kind for kind in SubjectKind}, "none": None}


def authors(top: Table) -> frozenset[str]:
    """Read who wrote the policy."""
    written: Sequence[object] = top.take("authors", list, "a list of actor codes") or []
    known = frozenset(one for one in written if isinstance(one, str) and ACTOR_PATTERN.fullmatch(one))
    if not known or len(known) < len(written):
        top.fault("authors", "policy.authors", "who wrote it: one or more actor codes, none twice")
    return known


def source(row: Table) -> tuple[str, str, date]:
    """Read a law that the citations name: title, number, date of its text."""
    found = row.text("title"), row.text("number", _NUMBER), row.day("version_on")
    row.close()
    return found


def period(table: Table, key: str = "term", longest: Period = LONGEST) -> Period:
    """Read a period; refuse one that keeps for ever, or longer than the Act ever allows (Wpg art. 3(2), 12(6))."""
    written = table.take(key, str, "a period such as P5Y")
    if written is None:
        return _NEVER
    try:
        read = Period.parse(written)
    except ValueError:
        message = "a period such as P5Y, P6M, P4W or P30D; nothing is kept for ever (Wpg art. 3(2))"
        table.fault(key, "policy.term", message)
        return _NEVER
    start = date(2000, 1, 1)
    if not start < read.after(start) <= longest.after(start):
        law = " (Wpg art. 12(6))" if longest == LONGEST else ""
        message = f"longer than nothing and at most {longest.words}{law}; nothing is kept for ever (Wpg art. 3(2))"
        table.fault(key, "policy.term", message)
    return read


def check(row: Table, sources: Sources) -> Check:
    """Read a periodic check."""
    found = Check(
        title=row.text("title"),
        citation=_citation(row, sources),
        basis=row.choice("basis", Basis),
        checked=_checked(row),
        interval=period(row, "interval"),
        notice=period(row, "notice"),
        restricted=period(row, "restricted"),
        ended=period(row, "ended"),
        starts=row.choices("starts", STARTING),
        silence=row.choice("silence", Silence),
    )
    if not found.starts:
        row.fault("starts", "policy.starts", "a check that nothing starts can never be computed")
    any_day = date(2000, 1, 1)
    if found.restricted.after(any_day) > found.ended.after(any_day):
        row.fault("restricted", "policy.order", "what nobody reviews is hidden before it ends, or that day")
    row.close()
    return found


def rule(row: Table, sources: Sources, checks: Checks) -> Rule:
    """Read a rule. Keys that a first version of the form did not have may be left out."""
    written = row.drop("term", WRITTEN)
    outcome = row.choice("outcome", Outcome)
    found = Rule(
        id=row.text("id", NAME),
        title=row.text("title"),
        scope=row.text("scope"),
        ground=row.choice("ground", Ground),
        kinds=_kinds(row),
        category=row.text("category", _CODE),
        citation=_citation(row, sources),
        basis=row.choice("basis", Basis),
        checked=_checked(row),
        starts=row.choices("starts", STARTING),
        combine=row.choice("combine", Combine) if row.has("combine") else Combine.LATEST,
        opens=row.choices("opens", STARTING) if row.has("opens") else frozenset(),
        ends=row.choices("ends", ENDING),
        term=NOTHING if written else period(row),
        written=written,
        check=_check_of(row, checks),
        outcome=outcome,
        early=row.choice("early", Outcome) if row.has("early") else outcome,
        searchable=period(row, "searchable") if row.has("searchable") else None,
    )
    if written == bool(found.starts):
        message = "a rule that nothing starts can never be computed; a written term is started by nothing"
        row.fault("starts", "policy.starts", message)
    if found.combine is Combine.ALL and found.check is None:
        row.fault("combine", "policy.for-ever", "what waits for every kind needs a check, or it might never end")
    if found.opens & found.starts:
        row.fault("opens", "policy.opens", "what brings data in without a term does not start the term too")
    if found.ends != ENDING:
        row.fault("ends", "policy.ends", f"each of these ends a term: {', '.join(sorted(ENDING))}")
    row.close()
    return found


def flaw(row: Table, sources: Sources) -> Flaw:
    """Read what becomes of data that may not be kept at all."""
    found = Flaw(
        kind=row.choice("kind", EventKind),
        id=row.text("id", NAME),
        title=row.text("title"),
        citation=_citation(row, sources),
        basis=row.choice("basis", Basis),
        held_by=row.choices("held_by", frozenset(HoldGround)),
    )
    if found.kind not in FLAWS:
        row.fault("kind", "policy.vocabulary", f"`kind` is one of: {', '.join(sorted(FLAWS))}")
    row.close()
    return found


def archive(row: Table, sources: Sources) -> Archive:
    """Read how long removed data are kept."""
    found = Archive(
        id=row.text("id", NAME),
        title=row.text("title"),
        citation=_citation(row, sources),
        basis=row.choice("basis", Basis),
        term=period(row),
    )
    row.close()
    return found


def distrust(row: Table, sources: Sources) -> Distrust:
    """Read how long a record that does not verify may still be there."""
    found = Distrust(
        id=row.text("id", NAME),
        title=row.text("title"),
        category=row.text("category", _CODE),
        citation=_citation(row, sources),
        basis=row.choice("basis", Basis),
        term=period(row),
    )
    row.close()
    return found


def informant(row: Table, sources: Sources) -> HandOver:
    """Read within which time an informant's signal may be handed on."""
    found = HandOver(
        id=row.text("id", NAME),
        title=row.text("title"),
        citation=_citation(row, sources),
        basis=row.choice("basis", Basis),
        months=row.number("months", 1, 4),
    )
    row.close()
    return found


def hold(row: Table, sources: Sources) -> Hold:
    """Read a ground of holds."""
    found = Hold(ground=row.choice("ground", HoldGround), title=row.text("title"), citation=_citation(row, sources))
    row.close()
    return found


def request(row: Table, sources: Sources) -> RequestTerm:
    """Read within which term requests of one kind are answered."""
    found = RequestTerm(
        kind=row.choice("kind", RequestKind),
        title=row.text("title"),
        citation=_citation(row, sources),
        basis=row.choice("basis", Basis),
        checked=_checked(row),
        term=period(row, longest=_ANSWERED),
        postponed=period(row, "postponed", longest=_ANSWERED) if row.has("postponed") else None,
    )
    row.close()
    return found


def handling(table: Table) -> tuple[frozenset[HandlingCode], ...]:
    """Read the handling codes by strictness."""
    groups = table.take("strictness", list, "a list of lists of handling codes") or []
    codes = [code for group in groups if isinstance(group, list) for code in group]
    if sorted(map(str, codes)) != sorted(HandlingCode):
        table.fault("strictness", "policy.handling", f"each code stands in one group: {', '.join(HandlingCode)}")
        groups = [list(HandlingCode)]
    table.close()
    return tuple(frozenset(map(HandlingCode, group)) for group in groups)


def _citation(table: Table, sources: Sources) -> Citation:
    row = table.inner("citation")
    name, article = row.text("source", _CODE), row.text("article")
    if name not in sources:
        row.fault("source", "policy.source", "`source` names a table of `sources`")
    law, number, version_on = sources.get(name, ("x", "x", date.min))
    row.close()
    return Citation(law=law, article=article, source=number, version_on=version_on)


def _checked(row: Table) -> bool:
    return row.flag("checked") if row.has("checked") else True


def _check_of(row: Table, checks: Checks) -> Check | None:
    if not row.has("check"):
        return None
    name = row.text("check", _CODE)
    if name not in checks:
        row.fault("check", "policy.check", "`check` names a table of `checks`")
    return checks.get(name)


def _kinds(row: Table) -> frozenset[SubjectKind | None]:
    if not row.has("applies_to"):
        return frozenset(_KINDS.values())
    words = row.choices("applies_to", frozenset(_KINDS))
    if not words:
        row.fault("applies_to", "policy.applies-to", "a rule that applies to nothing is none")
    return frozenset(_KINDS[word] for word in words)

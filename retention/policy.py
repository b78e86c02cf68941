"""Reading a policy file: a closed vocabulary; one fault refuses the whole file, and every fault is named with its line.

The files lie in `retention/policies/<valid-from>-<name>.toml`; what each key means stands in the shipped one.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from typing import Final

from register.access import ACTOR_PATTERN
from register.errors import Invalid
from register.grading import HandlingCode
from register.lifetime import EventKind
from retention.calendar import Period, Unit
from retention.rules import (
    Basis,
    BlastRadius,
    Citation,
    Distrust,
    Ground,
    HandOver,
    Hold,
    HoldGround,
    Outcome,
    Policy,
    Rule,
)
from retention.tomltext import Table, parse

STARTING: Final = frozenset(
    {
        EventKind.SIGNAL,
        EventKind.FIRST_PROCESSING,
        EventKind.INVESTIGATION_ENDED,
        EventKind.NECESSITY_DECISION,
        EventKind.ORDER,
    }
)
ENDING: Final = frozenset({EventKind.NO_LONGER_NECESSARY, EventKind.FOUND_INCORRECT, EventKind.FOUND_UNLAWFUL})
LONGEST: Final = Period(count=10, unit=Unit.YEARS)
"""The longest term the Act knows (Wpg art. 12(6)): anything longer is refused, as is anything kept for ever."""
RESEND_DAYS: Final = 90

_NAME: Final = re.compile(r"[a-z0-9]{1,20}([.-][a-z0-9]{1,20}){0,9}")
_CODE: Final = re.compile(r"[a-z][a-z0-9]{0,19}(-[a-z0-9]{1,20}){0,5}")
_NUMBER: Final = re.compile(r"BWBR[0-9]{7}")
_FILE: Final = re.compile(r"(?P<valid_from>[0-9]{4}-[0-9]{2}-[0-9]{2})-(?P<name>[a-z0-9.-]+)\.toml")
_NEVER: Final = Period(count=1, unit=Unit.DAYS)


def shipped(name: str) -> Policy:
    """Return the policy of this name (file name without folder) that comes with the software. Raises as `load`."""
    return load(name, (files("retention") / "policies" / name).read_bytes())


def load(file_name: str, content: bytes) -> Policy:
    """Return the policy in `content`, the bytes of the file `file_name` (without folder).

    Raises:
        Invalid: every fault, each with its line; nothing of the file is then in force.
    """
    reading, top = parse(content)
    policy = _policy(top, hashlib.sha256(content).hexdigest())
    named = _FILE.fullmatch(file_name)
    if named is None or (named["valid_from"], named["name"]) != (policy.valid_from.isoformat(), policy.name):
        reading.fault("/name", "policy.file-name", "the file is called <valid_from>-<name>.toml")
    if reading.faults:
        raise Invalid(reading.faults, code="policy.invalid")
    return policy


Sources = Mapping[str, tuple[str, str, date]]


def _policy(top: Table, digest: str) -> Policy:
    name, title, valid_from = top.text("name", _NAME), top.text("title"), top.day("valid_from")
    authors, ground = _authors(top), top.choice("ground", Ground)
    sources = {key: _source(row) for key, row in top.rows("sources").items()}
    rules = tuple(_rule(row, sources) for row in top.tables("rules"))
    if [rule.ground for rule in rules].count(ground) != 1:
        top.fault("rules", "policy.one-rule", "exactly one rule has the register's ground: nothing is kept without one")
    if len({rule.id for rule in rules}) < len(rules):
        top.fault("rules", "policy.double", "an id of a rule stands twice")
    distrust, informant = _distrust(top.inner("distrust"), sources), _informant(top.inner("informant"), sources)
    handling = _handling(top.inner("handling"))
    holds = tuple(_hold(row, sources) for row in top.tables("holds"))
    radius, run = top.inner("blast_radius"), top.inner("run")
    policy = Policy(
        name=name,
        title=title,
        valid_from=valid_from,
        digest=digest,
        authors=authors,
        ground=ground,
        rules=rules,
        distrust=distrust,
        informant=informant,
        holds=holds,
        handling=handling,
        blast_radius=BlastRadius(at_least=radius.number("at_least", 1, 50), percent=radius.number("percent", 1, 2)),
        resend_days=run.number("resend_days", 1, RESEND_DAYS),
        batch=run.number("batch", 1, 5000),
        lease_seconds=run.number("lease_seconds", 10, 3600),
    )
    for table in (radius, run, top):
        table.close()
    return policy


def _authors(top: Table) -> frozenset[str]:
    authors: Sequence[object] = top.take("authors", list, "a list of actor codes") or []
    known = frozenset(one for one in authors if isinstance(one, str) and ACTOR_PATTERN.fullmatch(one))
    if not known or len(known) < len(authors):
        top.fault("authors", "policy.authors", "who wrote it: one or more actor codes, none twice")
    return known


def _source(row: Table) -> tuple[str, str, date]:
    source = row.text("title"), row.text("number", _NUMBER), row.day("version_on")
    row.close()
    return source


def _citation(table: Table, sources: Sources) -> Citation:
    row = table.inner("citation")
    source, article = row.text("source", _CODE), row.text("article")
    if source not in sources:
        row.fault("source", "policy.source", "`source` names a table of `sources`")
    law, number, version_on = sources.get(source, ("x", "x", date.min))
    row.close()
    return Citation(law=law, article=article, source=number, version_on=version_on)


def _term(table: Table) -> Period:
    """Read a term; refuse one that keeps for ever, or longer than the Act ever allows (Wpg art. 3(2), 12(6))."""
    written = table.take("term", str, "a period such as P5Y")
    if written is None:
        return _NEVER
    try:
        period = Period.parse(written)
    except ValueError:
        table.fault("term", "policy.term", "a period such as P5Y or P6M; nothing is kept for ever (Wpg art. 3(2))")
        return _NEVER
    start = date(2000, 1, 1)
    if not start < period.after(start) <= LONGEST.after(start):
        message = f"longer than nothing and at most {LONGEST.words} (Wpg art. 12(6)); nothing is kept for ever"
        table.fault("term", "policy.term", message)
    return period


def _rule(row: Table, sources: Sources) -> Rule:
    rule = Rule(
        id=row.text("id", _NAME),
        title=row.text("title"),
        scope=row.text("scope"),
        ground=row.choice("ground", Ground),
        category=row.text("category", _CODE),
        citation=_citation(row, sources),
        basis=row.choice("basis", Basis),
        starts=row.choices("starts", STARTING),
        ends=row.choices("ends", ENDING),
        term=_term(row),
        outcome=row.choice("outcome", Outcome),
    )
    if not rule.starts:
        row.fault("starts", "policy.starts", "a rule that nothing starts can never be computed")
    if rule.ends != ENDING:
        row.fault("ends", "policy.ends", f"each of these ends a term: {', '.join(sorted(ENDING))}")
    row.close()
    return rule


def _distrust(row: Table, sources: Sources) -> Distrust:
    distrust = Distrust(
        id=row.text("id", _NAME),
        title=row.text("title"),
        category=row.text("category", _CODE),
        citation=_citation(row, sources),
        basis=row.choice("basis", Basis),
        term=_term(row),
    )
    row.close()
    return distrust


def _informant(row: Table, sources: Sources) -> HandOver:
    hand_over = HandOver(
        id=row.text("id", _NAME),
        title=row.text("title"),
        citation=_citation(row, sources),
        basis=row.choice("basis", Basis),
        months=row.number("months", 1, 4),
    )
    row.close()
    return hand_over


def _hold(row: Table, sources: Sources) -> Hold:
    hold = Hold(ground=row.choice("ground", HoldGround), title=row.text("title"), citation=_citation(row, sources))
    row.close()
    return hold


def _handling(table: Table) -> tuple[frozenset[HandlingCode], ...]:
    groups = table.take("strictness", list, "a list of lists of handling codes") or []
    codes = [code for group in groups if isinstance(group, list) for code in group]
    if sorted(map(str, codes)) != sorted(HandlingCode):
        table.fault("strictness", "policy.handling", f"each code stands in one group: {', '.join(HandlingCode)}")
        groups = [list(HandlingCode)]
    table.close()
    return tuple(frozenset(map(HandlingCode, group)) for group in groups)

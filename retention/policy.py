"""Reading a policy file: a closed vocabulary; one fault refuses the whole file, and every fault is named with its line.

The files lie in `retention/policies/<valid-from>-<name>.toml`; what each key means stands in the shipped one.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

from register.errors import Invalid
from register.grading import SubjectKind
from retention import clauses
from retention.calendar import Period
from retention.rules import BlastRadius, Ground, Outcome, Policy
from retention.tomltext import Table, parse

RESEND_DAYS: Final = 90
_FILE: Final = re.compile(r"(?P<valid_from>[0-9]{4}-[0-9]{2}-[0-9]{2})-(?P<name>[a-z0-9.-]+)\.toml")
_PROPOSED, _CANARY, _BACKLOG = Period.parse("P30D"), Period.parse("P1D"), Period.parse("P7D")
_GRACE, _LONGEST_GRACE = Period.parse("P14D"), Period.parse("P1Y")
_SEARCHES, _BATCH_NAMES = 60, 500


@cache
def shipped(name: str) -> Policy:
    """Return the policy of this name (file name without folder) that comes with the software. Raises as `load`."""
    return load(name, (files("retention") / "policies" / name).read_bytes())


@cache
def shipped_every() -> tuple[Policy, ...]:
    """Return every policy that comes with the software, superseded ones too, by file name."""
    names = sorted(one.name for one in (files("retention") / "policies").iterdir() if one.name.endswith(".toml"))
    return tuple(map(shipped, names))


def standing(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    """Return those of `policies` that no other of them supersedes."""
    known = tuple(policies)
    replaced = {name for policy in known for name in policy.supersedes}
    return tuple(policy for policy in known if f"{policy.version}.toml" not in replaced)


def in_force(policies: Iterable[Policy], on: date) -> Policy:
    """Return the policy in force on civil date `on`: the latest that is valid by then, or else the first there is.

    Raises:
        ValueError: there are no policies.
    """
    ordered = sorted(standing(policies), key=lambda policy: policy.valid_from)
    if not ordered:
        raise ValueError("no policy at all")
    return next((policy for policy in reversed(ordered) if policy.valid_from <= on), ordered[0])


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


def _policy(top: Table, digest: str) -> Policy:
    """Read the whole file. Tables that the first form of policies did not have may be left out."""
    name, title, valid_from = top.text("name", clauses.NAME), top.text("title"), top.day("valid_from")
    supersedes = top.texts("supersedes", _FILE) if top.has("supersedes") else ()
    authors, ground = clauses.authors(top), top.choice("ground", Ground)
    sources = {key: clauses.source(row) for key, row in top.rows("sources").items()}
    checks = {
        key: clauses.check(row, sources) for key, row in (top.rows("checks") if top.has("checks") else {}).items()
    }
    rules = tuple(clauses.rule(row, sources, checks) for row in top.tables("rules"))
    archive = clauses.archive(top.inner("archive"), sources) if top.has("archive") else None
    flaws = tuple(clauses.flaw(row, sources) for row in top.tables("flaws")) if top.has("flaws") else ()
    distrust = clauses.distrust(top.inner("distrust"), sources)
    informant = clauses.informant(top.inner("informant"), sources)
    handling = clauses.handling(top.inner("handling"))
    holds = tuple(clauses.hold(row, sources) for row in top.tables("holds"))
    requests = tuple(clauses.request(row, sources) for row in top.tables("requests")) if top.has("requests") else ()
    radius, run = top.inner("blast_radius"), top.inner("run")
    search = top.inner("search") if top.has("search") else None
    policy = Policy(
        name=name,
        title=title,
        valid_from=valid_from,
        supersedes=frozenset(supersedes),
        digest=digest,
        authors=authors,
        ground=ground,
        rules=rules,
        flaws=flaws,
        archive=archive,
        distrust=distrust,
        informant=informant,
        holds=holds,
        requests=requests,
        handling=handling,
        proposed=_term(top, "proposed", _PROPOSED),
        canary=_term(top, "canary", _CANARY),
        backlog=_term(top, "backlog", _BACKLOG),
        grace=_term(top, "grace", _LONGEST_GRACE) if top.has("grace") else _GRACE,
        searches_per_hour=search.number("per_hour", 1, _SEARCHES) if search else _SEARCHES,
        batch_names_per_day=search.number("batch_names_per_day", 1, 10_000) if search else _BATCH_NAMES,
        blast_radius=BlastRadius(at_least=radius.number("at_least", 1, 50), percent=radius.number("percent", 1, 2)),
        resend_days=run.number("resend_days", 1, RESEND_DAYS),
        batch=run.number("batch", 1, 5000),
        lease_seconds=run.number("lease_seconds", 10, 3600),
    )
    for table in (radius, run, *([search] if search else []), top):
        table.close()
    _together(top, policy)
    return policy


def _term(top: Table, key: str, longest: Period) -> Period:
    """Read the term of a table that has nothing else; what the first form left unsaid is the longest there may be."""
    if not top.has(key):
        return longest
    table = top.inner(key)
    term = clauses.period(table, longest=longest)
    table.close()
    return term


def _together(top: Table, policy: Policy) -> None:
    """Check what only the whole tells: each record has exactly one rule, and what a rule needs is there."""
    ruled = Counter((rule.ground, kind) for rule in policy.rules for kind in rule.kinds)
    needed = {(policy.ground, kind) for kind in (None, *SubjectKind)}
    if needed - ruled.keys() or any(count > 1 for count in ruled.values()):
        message = (
            "exactly one rule for each ground and kind, and all of the register's ground: nothing is kept without one"
        )
        top.fault("rules", "policy.one-rule", message)
    named = Counter((*(rule.id for rule in policy.rules), *(flaw.id for flaw in policy.flaws), policy.distrust.id))
    if any(count > 1 for count in named.values()):
        top.fault("rules", "policy.double", "an id of a rule stands twice")
    if policy.archive is None and any(
        Outcome.ARCHIVE_THEN_DESTROY in (rule.outcome, rule.early) for rule in policy.rules
    ):
        top.fault("archive", "policy.archive", "a rule archives, and no `archive` says for how long")
    if len({term.kind for term in policy.requests}) < len(policy.requests):
        top.fault("requests", "policy.double", "a kind of request stands twice")
    if len({flaw.kind for flaw in policy.flaws}) < len(policy.flaws):
        top.fault("flaws", "policy.double", "a kind of flaw stands twice")

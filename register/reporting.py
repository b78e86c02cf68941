"""What was destroyed and removed in a period, by rule, with approvals: said by the certificates and by the log.

The two are written apart: the log's entries in the deleting transactions, the certificates from the journal after the
read-back. Wherever one says what the other does not, the report says so.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from register.audit import Act, Outcome
from register.clock import civil_date
from register.logged import Certified, LoggedEntry

GONE: Final = ("subject", "signal", "archived-record")
"""The kinds whose ids an entry of a deletion names; what went with them is in its count only."""

DELETING: Final = frozenset({"destruction", "removal"})
"""Acts whose entries say what a deleting transaction took away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What certificate and log do not say alike: about which certificate or entry, and what each says."""

    about: str
    what: str
    certificate: str
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One certificate's part of a report.

    Attributes:
        rules: by rule, act, category and article, how many were due in their own right.
        counts: by kind and act, how many are gone; ids: how many in all.
        approvals: who agreed to what, with role and instant; requested_by: who asked.
        logged: how many entries of deletions the log holds for it.
    """

    certificate: str
    sequence: int
    digest: str
    rehearsal: str
    run: str
    as_of: date
    ended_at: datetime
    requested_by: str
    approvals: tuple[Mapping[str, Any], ...]
    rules: tuple[Mapping[str, Any], ...]
    counts: tuple[Mapping[str, Any], ...]
    ids: int
    logged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything destroyed and removed in a period; `differences` is empty when certificates and log say the same."""

    since: date
    until: date
    ended: tuple[Ended, ...]
    by_rule: tuple[tuple[str, str, int], ...]
    differences: tuple[Difference, ...]


@dataclass(slots=True)
class _Logged:
    """What the log says of one run."""

    deletions: list[Mapping[str, Any]] = field(default_factory=list)
    issues: list[Mapping[str, Any]] = field(default_factory=list)
    approvals: set[tuple[str, str]] = field(default_factory=set)


def report(certificates: Sequence[Certified], entries: Iterable[LoggedEntry], since: date, until: date) -> Report:
    """Return the report on the civil dates `since` to `until`, both included.

    Args:
        certificates: all that are on file.
        entries: those of deletions, approvals and issues of certificates, from the earliest start of a run that ended
            in the period to the period's end; a deletion names its run in its detail.
        since: first day, Europe/Amsterdam.
        until: last day, Europe/Amsterdam.
    """
    within = [one for one in certificates if since <= civil_date(_ended_at(one)) <= until]
    said, loose = _sorted(within, entries)
    ended = tuple(_ended(one, said[_id(one)]) for one in within)
    rules = Counter[tuple[str, str]]()
    for one in ended:
        for rule in one.rules:
            rules[rule["rule"], rule["act"]] += rule["count"]
    differences = [each for one in within for each in _differences(one, said[_id(one)])]
    differences += [each for body in loose for each in _unclaimed(body, since, until)]
    return Report(
        since=since,
        until=until,
        ended=ended,
        by_rule=tuple((rule, act, count) for (rule, act), count in sorted(rules.items())),
        differences=tuple(differences),
    )


def earliest(certificates: Sequence[Certified], since: date, until: date) -> datetime | None:
    """Return when the first run began that ended on these civil dates, None if none did."""
    starts = (
        datetime.fromisoformat(one.predicate["times"]["started_at"])
        for one in certificates
        if since <= civil_date(_ended_at(one)) <= until
    )
    return min(starts, default=None)


def _sorted(
    within: Sequence[Certified], entries: Iterable[LoggedEntry]
) -> tuple[dict[str, _Logged], list[Mapping[str, Any]]]:
    """Give each run its entries; return what no certificate of the period accounts for beside them."""
    said = {_id(one): _Logged() for one in within}
    runs = {one.predicate["run"]["id"]: _id(one) for one in within}
    loose: list[Mapping[str, Any]] = []
    for entry in entries:
        body = entry.body
        if body["outcome"] != Outcome.DONE:
            continue
        if body["act"] in DELETING:
            owner = runs.get(str(body["detail"].get("run", "")))
            (loose if owner is None else said[owner].deletions).append(body)
        elif body["act"] == Act.CERTIFICATE_ISSUED:
            for name in said.keys() & set(body["targets"]):
                said[name].issues.append(body)
        elif body["act"] == Act.RETENTION_APPROVE:
            for run in runs.keys() & set(body["targets"]):
                said[runs[run]].approvals.add((body["actor"], str(body["detail"].get("digest", ""))))
    return said, loose


def _ended(one: Certified, said: _Logged) -> Ended:
    stated = one.predicate
    return Ended(
        certificate=_id(one),
        sequence=stated["certificate"]["sequence"],
        digest=one.digest,
        rehearsal=stated["certificate"]["rehearsal"],
        run=stated["run"]["id"],
        as_of=date.fromisoformat(stated["times"]["as_of"]),
        ended_at=_ended_at(one),
        requested_by=stated["requested_by"]["actor"],
        approvals=tuple(stated["approvals"]),
        rules=tuple(
            {name: each[name] for name in ("rule", "act", "category", "count")}
            | {"article": each["citation"]["article"]}
            for each in stated["grounds"]
        ),
        counts=tuple(stated["scope"]["counts"]),
        ids=stated["scope"]["ids"]["count"],
        logged=len(said.deletions),
    )


def _differences(one: Certified, said: _Logged) -> Iterator[Difference]:
    """Compare one certificate with the log's entries of its run."""
    stated, name = one.predicate, _id(one)

    def differ(what: str, certificate: object, log: object) -> Iterator[Difference]:
        if certificate != log:
            yield Difference(about=name, what=what, certificate=str(certificate), log=str(log))

    if stated["certificate"]["rehearsal"] == "paper":
        return
    named = sum(each["count"] for each in stated["scope"]["counts"] if each["kind"] in GONE)
    targets = [target for body in said.deletions for target in body["targets"]]
    yield from differ("ids-named", named, len(targets))
    yield from differ("ids-once", len(set(targets)), len(targets))
    yield from differ("ids-in-all", stated["scope"]["ids"]["count"], sum(body["count"] for body in said.deletions))
    digests = {str(body["detail"].get("sha256") or body["detail"].get("digest")) for body in said.issues}
    yield from differ("digest", one.digest, " ".join(sorted(digests)))
    plans = {(each["actor"], each["sha256"]) for each in stated["approvals"] if each["of"] == "plan"}
    yield from differ("approvals", " ".join(sorted(who for who, _ in plans)), " ".join(sorted(_matching(plans, said))))
    yield from differ("approvals-logged", len(plans), len(said.approvals))


def _matching(plans: set[tuple[str, str]], said: _Logged) -> Iterator[str]:
    return (who for who, digest in said.approvals if (who, digest) in plans)


def _unclaimed(body: Mapping[str, Any], since: date, until: date) -> Iterator[Difference]:
    """A deletion of the period that no certificate accounts for: of a run that goes on or failed, or of none."""
    if since <= civil_date(datetime.fromisoformat(body["at"])) <= until:
        yield Difference(about=body["id"], what="no-certificate", certificate="", log=str(body["count"]))


def _id(one: Certified) -> str:
    return str(one.predicate["certificate"]["id"])


def _ended_at(one: Certified) -> datetime:
    return datetime.fromisoformat(one.predicate["times"]["ended_at"])

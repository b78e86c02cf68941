"""Whether a purge certificate's statement is well formed and makes sense, and how it becomes a payload.

The contract is docs/formats/certificate-v1.md. `draft` is for whoever issues a certificate, `faults` for whoever checks
one; both apply the same rules.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from evidence.merkle import EMPTY_ROOT
from evidence.predicate import PREDICATE_TYPE, STATEMENT, STATEMENT_TYPE
from evidence.strict import canonical_json
from register.clock import civil_date
from register.errors import Fault, Invalid

_DATED: Final = ("at", "until", "as_of", "valid_from")
_DATED_ENDINGS: Final = ("_on", "_at", "_by")


def draft(predicate: Mapping[str, Any]) -> bytes:
    """Return the payload of a certificate that states `predicate`.

    Raises:
        Invalid: with every fault, pointers from the root of the statement.
    """
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "purged-ids", "digest": {"sha256": _dig(predicate, "scope", "ids", "root")}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate,
    }
    found = faults(statement)
    if found:
        raise Invalid(found)
    return canonical_json(statement)


def _dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def faults(statement: Any) -> tuple[Fault, ...]:
    """Return what is wrong with a statement: its structure, or else (only then) what does not make sense in it."""
    wrong = tuple(STATEMENT(statement, "")) or tuple(_impossible_dates(statement, ""))
    if wrong:
        return wrong
    predicate = statement["predicate"]
    found = [
        *_identity(statement, predicate),
        *_counts(predicate),
        *_grounds(predicate),
        *_times(predicate),
        *_copies(predicate),
        *_keys(predicate),
        *_people(predicate),
        *_backups(predicate),
    ]
    return tuple(found)


def _fault(pointer: str, rule: str, message: str) -> Fault:
    return Fault(pointer=f"/predicate/{pointer}", rule=f"sense.{rule}", message=message)


def _impossible_dates(value: Any, pointer: str) -> Iterator[Fault]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if isinstance(item, str) and (key in _DATED or str(key).endswith(_DATED_ENDINGS)):
            try:
                datetime.fromisoformat(item)
            except ValueError:
                yield Fault(pointer=f"{pointer}/{key}", rule="sense.date", message="there is no such date or time")
        else:
            yield from _impossible_dates(item, f"{pointer}/{key}")


def _twice(keys: Iterable[Hashable]) -> bool:
    listed = tuple(keys)
    return len(set(listed)) != len(listed)


def _identity(statement: dict[str, Any], predicate: dict[str, Any]) -> Iterator[Fault]:
    certificate = predicate["certificate"]
    if statement["subject"][0]["digest"]["sha256"] != predicate["scope"]["ids"]["root"]:
        yield _fault("scope/ids/root", "subject", "the statement's subject is another set of ids")
    if (certificate["previous"] is None) != (certificate["sequence"] == 1):
        yield _fault("certificate/previous", "chain", "the first certificate, and no other, has none before it")
    if _twice(each["sha256"] for each in certificate["supersedes"]):
        yield _fault("certificate/supersedes", "chain", "a certificate is superseded once")
    for place, ids in (("scope/ids", predicate["scope"]["ids"]), ("stubs", predicate["stubs"])):
        if (ids["count"] == 0) != (ids["root"] == EMPTY_ROOT.hex()):
            yield _fault(place, "empty", "the empty set of ids, and no other, has the root of nothing")


def _counts(predicate: dict[str, Any]) -> Iterator[Fault]:
    """Counts by kind add up to the ids listed, and the cascade to the counts."""
    counts, cascade = predicate["scope"]["counts"], predicate["cascade"]
    if _twice((each["kind"], each["act"]) for each in counts) or _twice(
        (each["kind"], each["act"], each["through"]) for each in cascade
    ):
        yield _fault("scope/counts", "double", "a kind is counted once for each act, and once for each way it went")
    if sum(each["count"] for each in counts) != predicate["scope"]["ids"]["count"]:
        yield _fault("scope/counts", "sum", "the counts do not add up to the number of ids")
    if _sums(cascade, "kind", "act") != _sums(counts, "kind", "act"):
        yield _fault("cascade", "sum", "the cascade does not add up to the counts")
    if sum(predicate["recalls"][key] for key in ("confirmed", "owed")) != predicate["recalls"]["sent"]:
        yield _fault("recalls", "sum", "recalls confirmed and owed do not add up to those sent")
    held = sum(each["count"] for each in predicate["skipped"] if each["reason"] == "held")
    if sum(each["kept"] for each in predicate["holds"]) != held:
        yield _fault("holds", "sum", "what the holds kept is not what was skipped as held")


def _grounds(predicate: dict[str, Any]) -> Iterator[Fault]:
    """Each thing due in its own right has a ground and a reckoned term."""
    grounds, terms = predicate["grounds"], predicate["terms"]
    direct = [each for each in predicate["cascade"] if each["through"] is None]
    if _twice((each["rule"], each["act"]) for each in grounds):
        yield _fault("grounds", "double", "a rule stands once for each act")
    if _sums(terms, "rule", "act") != _sums(grounds, "rule", "act"):
        yield _fault("terms", "sum", "the terms do not add up to the grounds")
    if _sums(grounds, "act") != _sums(direct, "act"):
        yield _fault("grounds", "sum", "the grounds do not add up to what was due in its own right")


def _sums(items: Iterable[dict[str, Any]], *keys: str) -> Counter[tuple[str, ...]]:
    sums: Counter[tuple[str, ...]] = Counter()
    for item in items:
        sums[tuple(item[key] for key in keys)] += item["count"]
    return +sums


def _times(predicate: dict[str, Any]) -> Iterator[Fault]:
    times = predicate["times"]
    as_of = date.fromisoformat(times["as_of"])
    started, ended = (datetime.fromisoformat(times[key]) for key in ("started_at", "ended_at"))
    if started > ended:
        yield _fault("times", "order", "the run ended before it started")
    if predicate["certificate"]["rehearsal"] == "none" and as_of > civil_date(started):
        yield _fault("times/as_of", "future", "only a rehearsal reckons for a later day")
    if date.fromisoformat(predicate["policy"]["valid_from"]) > as_of:
        yield _fault("policy/valid_from", "order", "the policy was not in force yet")
    for position, term in enumerate(predicate["terms"]):
        if not term["event_on"] <= term["due_on"] <= times["as_of"]:
            message = "the event, the deadline and the day of the run do not follow one another"
            yield _fault(f"terms/{position}/due_on", "deadline", message)
    for position, check in enumerate(predicate["readback"]):
        if not started <= datetime.fromisoformat(check["at"]) <= ended:
            yield _fault(f"readback/{position}/at", "order", "it was read back outside the run")


def _copies(predicate: dict[str, Any]) -> Iterator[Fault]:
    """No copy is left out in silence, and what was read back is what should be there."""
    paper = predicate["certificate"]["rehearsal"] == "paper"
    stores = {(each["store"], each["name"]): each for each in predicate["stores"]}
    excepted = {(each["store"], each["name"], each["reason"]) for each in predicate["exceptions"]}
    named = {key[:2] for key in excepted}
    if len(stores) != len(predicate["stores"]):
        yield _fault("stores", "double", "a place stands once")
    if not named <= stores.keys():
        yield _fault("exceptions", "store", "an exception names a place that is not listed")
    if stores.get(("graph", None), {}).get("result") not in ("done", "planned"):
        yield _fault("stores", "graph", "the graph is not listed as done")
    for position, each in enumerate(predicate["stores"]):
        key, result = (each["store"], each["name"]), each["result"]
        if (result == "planned") != paper:
            yield _fault(
                f"stores/{position}/result", "paper", "planned stands on paper rehearsals, and nothing else does"
            )
        if result in ("not-reached", "failed", "pending") and key not in named:
            yield _fault(f"stores/{position}/result", "exception", "this place needs a named exception")
        if result in ("not-reached", "failed") and (*key, result) not in excepted:
            yield _fault(f"stores/{position}/result", "exception", "the exception gives another reason")
        if result != "done" and each["assurance"] != "none":
            yield _fault(f"stores/{position}/assurance", "assurance", "nothing is assured of what is not done")
    if any(each["found"] != each["expected"] for each in predicate["readback"]):
        yield _fault("readback", "found", "something was found that should be gone, or is gone that should be there")
    if bool(predicate["readback"]) == paper and (paper or predicate["scope"]["ids"]["count"]):
        yield _fault("readback", "missing", "what was purged is read back, and what was not is not")


def _keys(predicate: dict[str, Any]) -> Iterator[Fault]:
    keys = predicate["keys"]
    if (keys is None) != (predicate["certificate"]["rehearsal"] == "paper"):
        yield _fault("keys", "paper", "keys change in every run but one on paper")
    if keys is None:
        return
    anchor = keys["anchor"]
    if keys["generation_after"] <= keys["generation_before"] or anchor["version_after"] <= anchor["version_before"]:
        yield _fault("keys", "generation", "generation and anchor version must both rise")
    if anchor["old_root_opens"] or not keys["lookup_key_replaced"]:
        yield _fault("keys", "replaced", "the old root must not open, and the lookup key must be replaced")
    times = predicate["times"]
    if not times["started_at"] <= anchor["destroyed_at"] <= times["ended_at"]:
        yield _fault("keys/anchor/destroyed_at", "order", "the anchor was destroyed outside the run")


def _people(predicate: dict[str, Any]) -> Iterator[Fault]:
    """Who approves has not asked for it, and approved this very plan and policy."""
    approvals = predicate["approvals"]
    meant = {"plan": predicate["run"]["plan"], "policy": predicate["policy"]["sha256"]}
    if _twice((each["of"], each["sha256"], each["actor"]) for each in approvals):
        yield _fault("approvals", "double", "a person approves a thing once")
    for position, each in enumerate(approvals):
        if each["of"] != "policy" and each["actor"] == predicate["requested_by"]["actor"]:
            yield _fault(f"approvals/{position}/actor", "two-persons", "nobody approves what they asked for")
        if each["sha256"] != meant.get(each["of"], each["sha256"]):
            yield _fault(f"approvals/{position}/sha256", "approved", "something else was approved")
        if each["at"] > predicate["times"]["ended_at"]:
            yield _fault(f"approvals/{position}/at", "order", "it was approved after the run")


def _backups(predicate: dict[str, Any]) -> Iterator[Fault]:
    backups = predicate["backups"]
    latest = max((each["key_destroyed_by"] for each in backups["sets"]), default=None)
    if backups["unreadable_by"] != latest or _twice(each["id"] for each in backups["sets"]):
        yield _fault("backups", "unreadable-by", "the day given is not the last on which a listed backup can be read")

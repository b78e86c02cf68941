"""Format retention-case/1: a line of facts to the answer what the law says of them on a day. Pure, offline."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any, BinaryIO, Final, TypeGuard

from api.exchange.lines import numbered
from api.exchange.shapes import Shape
from api.exchange.strict_json import MEBIBYTE
from register.errors import Fault, Invalid
from register.grading import SubjectKind
from register.lifetime import Event, EventKind, HoldGround, HoldSpan, Review, ReviewOutcome
from register.texts import BROKEN
from retention.assessment import Assessment, Case, accepted_early, assess, ended_early
from retention.impact import Effect, impact
from retention.policy import in_force, standing
from retention.rules import Ground, Policy

SHAPE: Final = Shape("retention-case-v1.schema.json")
SYNONYMS: Final = MappingProxyType(
    {
        "still needed": ReviewOutcome.STILL_NEEDED,
        "retained": ReviewOutcome.STILL_NEEDED,
        "removed": ReviewOutcome.NO_LONGER_NECESSARY,
    }
)
"""Other words in which a review's outcome is written."""

Answer = Mapping[str, object]

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NO_POLICY: Final = Fault(pointer="/policy", rule="case.policy", message="no policy has this name")


def answers(file: BinaryIO, policies: Sequence[Policy]) -> Iterator[Answer]:
    """Yield the answer to each line of `file` that is not blank, in its order; streams.

    Args:
        file: NDJSON; each line at most 1 MiB.
        policies: what a case may name; those that no other supersedes are the ones in force from their dates on.
    """
    for number, line in numbered(file):
        yield answer(line, policies, number)


def answer(line: bytes, policies: Sequence[Policy], number: int = 1) -> Answer:
    """Return what the law says of the case in `line`, in values of JSON; keys and meaning: formats/retention-case-v1.

    A case that cannot be computed gives `case` (null if it cannot be read) and `error`: every fault, with its line.
    """
    try:
        value = SHAPE.read(line)
    except Invalid as invalid:
        lenient = _lenient(line)
        return _refused(_named(lenient), number, [*invalid.faults, *_out_of_order(lenient)])
    try:
        on = date.fromisoformat(value["date"])
        policy = _policy(policies, value.get("policy"), on)
        found = assess(policy, case_of(value["subject"]), on)
    except Invalid as invalid:
        return _refused(value["case"], number, [_placed(one) for one in invalid.faults])
    return _told(value["case"], policy, found, on)


def impacts(file: BinaryIO, old: Policy, new: Policy) -> Iterator[Answer]:
    """Yield what `new` instead of `old` changes for the cases of `file`, each on its own date, and at last the counts.

    Whatever policy a case names is passed over. A case without change has no line; a line that is no case, its error.
    """
    counts = Counter({effect.value: 0 for effect in Effect} | {"unchanged": 0, "unread": 0})
    for number, line in numbered(file):
        try:
            value = SHAPE.read(line)
        except Invalid as invalid:
            counts["unread"] += 1
            yield _refused(_named(_lenient(line)), number, invalid.faults)
            continue
        change = impact(case_of(value["subject"]), date.fromisoformat(value["date"]), old=old, new=new)
        counts[change.effect.value if change else "unchanged"] += 1
        if change:
            told = {"before": _short(change.before), "after": _short(change.after)}
            yield {"case": value["case"], "effect": change.effect.value, **told}
    yield {"from": old.version, "to": new.version, "to_sha256": new.digest, "counts": dict(counts)}


def case_of(subject: Mapping[str, Any]) -> Case:
    """Return the facts of `subject`, which is of the shape that the schema says."""
    written = subject.get("written_term")
    return Case(
        kind=None if subject["kind"] == "none" else SubjectKind(subject["kind"]),
        ground=Ground(subject["ground"]),
        events=tuple([_event(event) for event in subject["events"]]),
        reviews=tuple([_review(review) for review in subject.get("reviews") or ()]),
        holds=tuple([_hold(hold) for hold in subject.get("holds") or ()]),
        removed_on=_date(subject.get("removed_on")),
        written_until=_date(written["until"]) if written else None,
    )


def _policy(policies: Sequence[Policy], name: str | None, on: date) -> Policy:
    """Return the policy of this name, or version of it; without a name the one in force."""
    exact = [policy for policy in policies if name in (policy.version, f"{policy.version}.toml")]
    if exact:
        return exact[0]
    known = [policy for policy in standing(policies) if name in (None, policy.name)]
    if not known:
        raise Invalid([_NO_POLICY])
    return in_force(known, on)


def _event(value: Mapping[str, Any]) -> Event:
    on = date.fromisoformat(value["on"])
    return Event(
        on=on,
        kind=EventKind(value["kind"]),
        accepted_on=_date(value.get("accepted_on")) or on,
        new_information=value.get("new_information") or False,
    )


def _review(value: Mapping[str, Any]) -> Review:
    word = value["outcome"]
    return Review(on=date.fromisoformat(value["on"]), outcome=SYNONYMS.get(word) or ReviewOutcome(word))


def _hold(value: Mapping[str, Any]) -> HoldSpan:
    return HoldSpan(
        ground=HoldGround(value["ground"]),
        from_=date.fromisoformat(value["from"]),
        until=_date(value.get("until")),
    )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _short(found: Assessment | None) -> Answer | None:
    if found is None:
        return None
    return {
        "state": found.state.value,
        "review_by": _iso(found.review_by),
        "ends_on": _iso(found.ends_on),
        "destroy_on": _iso(found.destroy_on),
        "visible": found.visible,
        "rule": found.rule,
    }


def _told(named: object, policy: Policy, found: Assessment, on: date) -> Answer:
    early = "" if policy.valid_from <= on else ", applied to an earlier day: there is none before it"
    return {
        "case": named,
        "state": found.state.value,
        "review_by": _iso(found.review_by),
        "remove_by": _iso(found.remove_by),
        "destroy_on": _iso(found.destroy_on),
        "visible": found.visible,
        "rule": found.rule,
        "citation": found.citation,
        "because": [*found.because, f"policy {policy.name}, valid from {policy.valid_from}{early}"],
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _refused(named: object, number: int, faults: Iterable[Fault]) -> Answer:
    told = [{"line": number, "pointer": one.pointer, "rule": one.rule, "message": one.message} for one in faults]
    return {"case": named, "error": told}


def _placed(fault: Fault) -> Fault:
    """Return a fault of a case's facts with its place in the line."""
    return fault if fault is _NO_POLICY else replace(fault, pointer=f"/subject{fault.pointer}")


def _lenient(line: bytes) -> Mapping[str, Any]:
    """Return what can be told of a line that was refused, for its faults only."""
    try:
        value = json.loads(line[:MEBIBYTE])
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _named(value: Mapping[str, Any]) -> str | int | None:
    named = value.get("case")
    if isinstance(named, str):
        return named if 0 < len(named) <= 200 and not BROKEN.search(named) else None
    return named if type(named) is int and abs(named) < 10**20 else None


_ORDER: Final = (("events", "on", "accepted_on", accepted_early), ("holds", "from", "until", ended_early))


def _out_of_order(value: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what `assess` would find, as far as it can be told of a case whose shape is wrong already."""
    subject = value.get("subject")
    for key, first, last, wrong in _ORDER:
        items = subject.get(key) if isinstance(subject, dict) else None
        for place, item in enumerate(items if isinstance(items, list) else ()):
            begins, ends = (item.get(first), item.get(last)) if isinstance(item, dict) else (None, None)
            if _is_date(begins) and _is_date(ends) and begins > ends:
                yield wrong(f"/subject/{key}/{place}/{last}")


def _is_date(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and _DATE.fullmatch(value) is not None


def told(answers: Iterable[Answer]) -> Iterator[tuple[bytes, bool]]:
    """Yield each answer as a line of JSON in UTF-8, and whether it could be computed."""
    for one in answers:
        yield json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n", "error" not in one

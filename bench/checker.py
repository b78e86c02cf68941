"""An independent judge of what faults left behind: plain Cypher, plain SQL, plain files, and its own sums of dates.

Nothing here asks the code under test what is due, what it removed or where it stands: that follows from what was there
before. Only a certificate's signatures are left to the command that anybody verifies it with.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from bench.state import State

TERM_YEARS: Final = 5
TRANSIENT: Final = ("Order", "Journal", "Gone")
_HEX: Final = re.compile(r"[0-9a-f]{32}")


class Kind(StrEnum):
    """What can be wrong."""

    LOST_EARLY = "lost-early"
    KEPT_LATE = "kept-late"
    HALF_REMOVED = "half-removed"
    KEY_ABSENT = "key-absent"
    KEY_KEPT = "key-kept"
    TRACE = "trace"
    NO_FILE = "stub-without-file"
    NO_STUB = "file-without-stub"
    OTHER_FILE = "file-altered"
    NO_ARCHIVE = "not-archived"
    UNFINISHED = "unfinished"
    UNCERTIFIED = "uncertified"
    CERTIFIED_TWICE = "certified-twice"
    CERTIFICATE_FALSE = "certificate-false"
    CAME_BACK = "came-back"
    INTAKE_LOST = "intake-lost"
    INTAKE_DOUBLED = "intake-doubled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One thing that is wrong, and where: ids and codes only."""

    kind: Kind
    what: str


def gone_by(before: State, on: date) -> set[str]:
    """Return the ids of all that has to be gone after a run for `on`, by the dates of receipt alone.

    A subject goes five years after the last signal about it, a signal with its last subject, or five years after its
    receipt if it has none, an identifier with its last carrier, mentions and links with either end; an archived record
    on the day its stub states.
    """
    received = {id_: before.nodes["Signal", id_]["received_on"].to_native() for id_ in before.ids("Signal")}
    last: dict[str, date] = {}
    named: dict[str, set[str]] = {}
    for tie in before.mentions:
        last[tie.target] = max(last.get(tie.target, date.min), received[tie.source])
        named.setdefault(tie.source, set()).add(tie.target)
    subjects = {one for one, heard in last.items() if _years_later(heard) <= on}
    carriers: dict[str, set[str]] = {}
    for tie in before.ties:
        if tie.type == "CARRIES":
            carriers.setdefault(tie.target, set()).add(tie.source)
    return (
        subjects
        | {one for one, who in named.items() if who <= subjects}
        | {one for one, day in received.items() if one not in named and _years_later(day) <= on}
        | {one for one, who in carriers.items() if who <= subjects}
        | {tie.id for tie in before.ties if tie.id and {tie.source, tie.target} & subjects}
        | {
            id_
            for id_, stub in before.stubs().items()
            if "destroyed_on" not in stub and _native(stub["destroy_on"]) <= on
        }
    )


def _years_later(day: date) -> date:
    years = day.year + TERM_YEARS
    return date(years, 2, 28) if (day.month, day.day) == (2, 29) else day.replace(year=years)


def _native(day: Any) -> date:
    native: date = day.to_native()
    return native


def check(
    before: State,
    after: State,
    on: date,
    *,
    receipts: Mapping[str, Collection[str]],
    statuses: Mapping[str, int],
    earlier: Mapping[str, Collection[str]],
) -> tuple[Wrong, ...]:
    """Return all that is wrong in `after`, which a run for `on` and an intake made of `before`.

    Args:
        receipts: every receipt that was given, by the reference of what was handed in.
        statuses: with what status the verifying command ended, by certificate.
        earlier: ids that each certificate of `before` was about.
    """
    gone = gone_by(before, on)
    found = [
        *_records(before, after, gone),
        *_whole(after),
        *_ended(before, after),
        *_keys(before, after, gone),
        *_archive(before, after, gone),
        *_certificates(before, after, statuses, earlier),
        *_intake(before, after, receipts),
    ]
    return tuple(Wrong(kind=kind, what=what) for kind, what in found)


Found = Iterator[tuple[Kind, str]]


def _records(before: State, after: State, gone: set[str]) -> Found:
    stubs = set(before.stubs())
    for id_ in sorted((before.everything - gone) - after.everything):
        yield Kind.LOST_EARLY, id_
    for id_ in sorted(after.everything & gone):
        yield Kind.KEPT_LATE, id_
    for id_ in sorted(stubs - set(after.stubs())):
        yield Kind.LOST_EARLY, f"stub {id_}"
    for id_, stub in after.stubs().items():
        if id_ in gone and "destroyed_on" not in stub:
            yield Kind.KEPT_LATE, f"stub {id_}"
        if id_ not in gone and "destroyed_on" in stub and "destroyed_on" not in before.stubs().get(id_, stub):
            yield Kind.LOST_EARLY, f"stub {id_}"


def _whole(after: State) -> Found:
    """Look for what is half there: ties without ends, ends without ties, lists that name what is not there."""
    subjects, signals = after.ids("Subject"), after.ids("Signal")
    parts = {(signal, name): set[str]() for signal in signals for name in ("mentions", "links")}
    carried = {one: set[str]() for one in subjects}
    for tie in after.ties:
        if tie.type == "CARRIES":
            carried[tie.source].add(tie.target)
        elif tie.id:
            signal = tie.source if tie.type == "MENTIONS" else tie.properties["signal"]
            if signal not in signals:
                yield Kind.HALF_REMOVED, f"link {tie.id} without its signal"
            else:
                parts[signal, "mentions" if tie.type == "MENTIONS" else "links"].add(tie.id)
    for (signal, name), ids in parts.items():
        if set(after.nodes["Signal", signal].get(name, ())) != ids:
            yield Kind.HALF_REMOVED, f"signal {signal}: {name}"
    for subject, identifiers in carried.items():
        if set(after.nodes["Subject", subject].get("identifiers", ())) != identifiers:
            yield Kind.HALF_REMOVED, f"subject {subject}: identifiers"
    for subject in sorted(subjects - {tie.target for tie in after.mentions}):
        yield Kind.HALF_REMOVED, f"subject {subject} that no signal mentions"
    for identifier in sorted(after.ids("Identifier") - {one for some in carried.values() for one in some}):
        yield Kind.HALF_REMOVED, f"identifier {identifier} that nobody carries"


def _ended(before: State, after: State) -> Found:
    """Look for what has not come to its end; a run that nobody ordered, a keeper's own, may have had nothing to do."""
    for label in TRANSIENT:
        if after.others.get(label):
            yield Kind.UNFINISHED, f"{len(after.others[label])} of {label}"
    ordered = {one["id"] for one in before.others.get("Order", ())}
    runs = {run["id"]: run["state"] for run in after.others.get("Run", ())}
    for id_ in sorted(ordered - runs.keys()):
        yield Kind.UNFINISHED, f"run {id_} was not begun"
    for id_, state in runs.items():
        if state != "certified" and (id_ in ordered or state != "nothing-due"):
            yield Kind.UNFINISHED, f"run {id_} is {state}"
    for path in after.waiting:
        yield Kind.UNFINISHED, f"archive {Path(path).name}"


def _keyed(state: State) -> set[str]:
    return {id_ for _, id_ in state.nodes}


def _keys(before: State, after: State, gone: set[str]) -> Found:
    there = {(label.lower(), id_) for label, id_ in after.nodes if label != "Identifier"}
    for kind, id_ in sorted(there - after.keys):
        yield Kind.KEY_ABSENT, f"{kind} {id_}"
    for kind, id_ in sorted(after.keys - there):
        yield Kind.KEY_KEPT, f"{kind} {id_}"
    identifiers = after.ids("Identifier")
    for id_ in sorted(identifiers - set(after.tokens)):
        yield Kind.KEY_ABSENT, f"token of {id_}"
    for id_ in sorted(set(after.tokens) - identifiers):
        yield Kind.KEY_KEPT, f"token of {id_}"
    buried = {hashlib.sha256(id_.encode()).hexdigest() for id_ in gone & _keyed(before)}
    for digest in sorted(buried - after.tombstones):
        yield Kind.KEY_KEPT, f"no tombstone of {digest}"
    live = set(_HEX.findall(repr((after.nodes, after.ties))))
    for id_ in sorted(gone & live):
        yield Kind.TRACE, f"graph {id_}"
    for name, content in after.raw.items():
        for id_ in sorted(gone - set(after.stubs())):
            if id_.encode() in content or bytes.fromhex(id_) in content:
                yield Kind.TRACE, f"{name} {id_}"


def _archive(before: State, after: State, gone: set[str]) -> Found:
    kept = {id_: stub for id_, stub in after.stubs().items() if "destroyed_on" not in stub}
    for id_ in sorted(kept.keys() - after.files.keys()):
        yield Kind.NO_FILE, id_
    for id_ in sorted(after.files.keys() - kept.keys()):
        yield Kind.NO_STUB, id_
    for id_ in sorted(kept.keys() & after.files.keys()):
        if kept[id_]["sha256"] != after.files[id_]:
            yield Kind.OTHER_FILE, id_
    new = len(after.stubs().keys() - before.stubs().keys())
    alone = before.ids("Signal") - {tie.source for tie in before.mentions}
    removed = len(gone & (before.ids("Subject") | alone))
    if new != removed:
        yield Kind.NO_ARCHIVE, f"{removed} subjects and lone signals removed, {new} records archived"


def _certificates(
    before: State, after: State, statuses: Mapping[str, int], earlier: Mapping[str, Collection[str]]
) -> Found:
    for name in sorted(after.certificates):
        if statuses.get(name) != 0:
            yield Kind.CERTIFICATE_FALSE, f"{name}: the command ends with {statuses.get(name)}"
    for name in sorted(before.certificates.keys() - after.certificates.keys()):
        yield Kind.UNCERTIFIED, f"certificate {name} is gone"
    destroyed = {id_ for id_, stub in after.stubs().items() if "destroyed_on" in stub}
    destroyed -= {id_ for id_, stub in before.stubs().items() if "destroyed_on" in stub}
    gone = (before.everything - after.everything) | destroyed
    told = {name: frozenset(ids) for name, ids in earlier.items()}
    for name in sorted(after.certificates.keys() - before.certificates.keys()):
        scope = after.certificates[name]["scope"]["ids"]
        if (scope["count"], scope["root"]) == (len(gone), root(gone)):
            told[name] = frozenset(gone)
        else:
            yield Kind.CERTIFICATE_FALSE, f"{name} is about {scope['count']} ids, {len(gone)} are gone"
    times = Counter(one for ids in told.values() for one in ids)
    for id_ in sorted(gone - times.keys()):
        yield Kind.UNCERTIFIED, id_
    for id_ in sorted(one for one, count in times.items() if count > 1):
        yield Kind.CERTIFIED_TWICE, id_
    for id_ in sorted(times.keys() & after.everything):
        yield Kind.CAME_BACK, id_
    sequence = sorted(one["certificate"]["sequence"] for one in after.certificates.values())
    if sequence != list(range(1, len(sequence) + 1)):
        yield Kind.CERTIFICATE_FALSE, f"numbers {sequence}"


def _intake(before: State, after: State, receipts: Mapping[str, Collection[str]]) -> Found:
    wanted: set[str] = set()
    for reference, given in receipts.items():
        if len(set(given)) != 1:
            yield (Kind.INTAKE_DOUBLED if given else Kind.INTAKE_LOST), f"{reference}: {len(set(given))} receipts"
        for receipt in sorted(set(given)):
            done, signal = after.deliveries.get(receipt, (False, None))
            if not done or signal is None or ("Signal", signal) not in after.nodes:
                yield Kind.INTAKE_LOST, f"{reference}: receipt {receipt}"
            elif signal in wanted:
                yield Kind.INTAKE_LOST, f"{reference}: another one's signal"
            else:
                wanted.add(signal)
    for signal in sorted(after.ids("Signal") - before.ids("Signal") - wanted):
        yield Kind.INTAKE_DOUBLED, f"signal {signal} that no receipt is of"
    for receipt in sorted(after.deliveries.keys() - before.deliveries.keys()):
        if not after.deliveries[receipt][0]:
            yield Kind.INTAKE_LOST, f"delivery {receipt} is pending"


def root(ids: Collection[str]) -> str:
    """Return the Merkle root (RFC 6962) over the sorted SHA-256 of ids, hexadecimal, reckoned in the plainest way."""
    row = [hashlib.sha256(b"\0" + one).digest() for one in sorted(hashlib.sha256(one.encode()).digest() for one in ids)]

    def over(some: list[bytes]) -> bytes:
        if len(some) < 2:
            return some[0] if some else hashlib.sha256(b"").digest()
        half = 1 << ((len(some) - 1).bit_length() - 1)
        return hashlib.sha256(b"\1" + over(some[:half]) + over(some[half:])).digest()

    return over(row).hex()

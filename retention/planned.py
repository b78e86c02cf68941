"""What a run keeps of its plan, all of it under the digest that a second person agrees to."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from register.runs import Fate

DueItem = tuple[str, int]
"""Id and revision of one item, as a run keeps it."""


class Kind(StrEnum):
    """What is due in its own right; a hold only ever is the subject of a finding."""

    SUBJECT = "subject"
    SIGNAL = "signal"
    ARCHIVED = "archived-record"
    HOLD = "hold"


class Wait(StrEnum):
    """Why something whose day has come is not done. What is live is hidden all the same."""

    HELD = "held"
    NO_ARCHIVE_KEY = "no-archive-key"
    CANNOT_EVALUATE = "cannot-evaluate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """How a deadline came about, as certificates state it.

    `event` is an event's kind, or `discovery`, `purged`, `stated-date`, `missed-review`, `removal`.
    """

    rule: str
    event: str
    event_on: date
    period: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The citation of a rule that was applied, kept with the run: a later policy cannot change what is certified."""

    rule: str
    category: str
    article: str
    source: str
    version_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a run keeps of its plan beside the items, all under the plan's digest; without ids once it is closed.

    Attributes:
        policy: name, valid_from and sha256 of the policy file planned by.
        live: subjects and signals the register held when it was planned.
        terms: how each planned item came to be due, by its id.
        fates: what becomes of each, and when those that are removed will be destroyed (None of the others).
        held: the holds on each item that there are any on.
        holds: every hold considered, with its ground.
        waiting: how many items wait, by (kind, reason); kept: of those that a hold keeps, by the ground of one.
        going: signals and identifiers that may go with the subjects, and no others.
    """

    policy: Mapping[str, str]
    live: Mapping[str, int]
    grounds: tuple[Ground, ...]
    terms: Mapping[str, Term]
    fates: Mapping[str, tuple[Fate, date | None]]
    held: Mapping[str, tuple[str, ...]]
    holds: Mapping[str, str]
    waiting: Mapping[tuple[Kind, Wait], int]
    kept: Mapping[str, int]
    going: tuple[str, ...]

    def values(self) -> dict[str, Any]:
        """Return this in values of JSON; items that share a term and a fate stand together."""
        together: dict[tuple[Term, tuple[Fate, date | None]], list[str]] = {}
        for item, term in sorted(self.terms.items()):
            together.setdefault((term, self.fates[item]), []).append(item)
        return {
            "policy": dict(self.policy),
            "live": dict(self.live),
            "grounds": [{**asdict(one), "version_on": iso(one.version_on)} for one in self.grounds],
            "terms": [
                {
                    **asdict(term),
                    "event_on": iso(term.event_on),
                    "due_on": iso(term.due_on),
                    "fate": fate,
                    "destroy_on": iso(destroy_on),
                    "items": items,
                }
                for (term, (fate, destroy_on)), items in together.items()
            ],
            "held": {item: list(holds) for item, holds in self.held.items()},
            "holds": dict(self.holds),
            "waiting": [[kind, reason, count] for (kind, reason), count in sorted(self.waiting.items())],
            "kept": dict(sorted(self.kept.items())),
            "going": list(self.going),
        }

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Planned":
        """Return what `values` gives back."""
        terms: dict[str, Term] = {}
        fates: dict[str, tuple[Fate, date | None]] = {}
        for row in values["terms"]:
            one = dict(row)
            items, fate, destroy_on = one.pop("items"), Fate(one.pop("fate")), _day(one.pop("destroy_on"))
            term = Term(**{**one, "event_on": _day(one["event_on"]), "due_on": _day(one["due_on"])})
            terms.update(dict.fromkeys(items, term))
            fates.update(dict.fromkeys(items, (fate, destroy_on)))
        return cls(
            policy=values["policy"],
            live=values["live"],
            grounds=tuple(Ground(**{**one, "version_on": _day(one["version_on"])}) for one in values["grounds"]),
            terms=terms,
            fates=fates,
            held={item: tuple(holds) for item, holds in values["held"].items()},
            holds=values["holds"],
            waiting={(Kind(kind), Wait(reason)): count for kind, reason, count in values["waiting"]},
            kept=values["kept"],
            going=tuple(values["going"]),
        )

    def closed(self) -> "Planned":
        """Return this without a single id of an item."""
        return replace(self, terms={}, fates={}, held={}, going=())


def digest(
    as_of: date,
    planned: Planned,
    subjects: Iterable[DueItem],
    signals: Iterable[DueItem],
    records: Iterable[DueItem],
) -> str:
    """Return the digest of a plan: SHA-256, hexadecimal, over canonical JSON.

    Also of what a run has kept, so that what was agreed to can be told from the run itself.
    """
    content = {
        "as_of": as_of.isoformat(),
        "planned": planned.values(),
        "subjects": sorted(subjects),
        "signals": sorted(signals),
        "records": sorted(records),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def fingerprint(item: str) -> str:
    """Return the SHA-256 of an id, hexadecimal: all that is kept of it once it is gone."""
    return hashlib.sha256(item.encode("ascii")).hexdigest()


def iso(day: date | None) -> str | None:
    """Return a civil date in values of JSON."""
    return None if day is None else day.isoformat()


def _day(text: str | None) -> Any:
    return None if text is None else date.fromisoformat(text)

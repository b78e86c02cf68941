"""What a run keeps beside its items: JSON text on the run's own record, so that any later process can go on from it.

While the run is under way it names items by id, once it is closed by `fingerprint` only.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any

from register.ids import RunId
from register.runs import Forgotten
from retention.plan import Plan, Term, fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The citation of a rule that was applied, kept with the run: a later policy cannot change what is certified."""

    rule: str
    category: str
    article: str
    source: str
    version_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """What the key store did, under which fencing number, and when the old anchor was destroyed (aware, UTC)."""

    forgotten: Forgotten
    fence: int
    destroyed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The detail of one run.

    Attributes:
        policy: name, valid_from and sha256 of the policy file planned by.
        terms: how each planned item came to be due, by its id; empty once closed.
        live: subjects and signals the register held when it was planned.
        certificate: id of the certificate to come, taken before it is drafted so that it is drafted once.
        fingerprints: of the planned items, once closed.
        outcome: counts and codes of how it ended, once closed.
    """

    policy: Mapping[str, str]
    live: Mapping[str, int]
    grounds: tuple[Ground, ...]
    terms: Mapping[str, Term]
    certificate: str = ""
    purged: Purged | None = None
    fingerprints: tuple[str, ...] = ()
    outcome: Mapping[str, str | int] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan) -> "Detail":
        """Return what to keep of a plan."""
        policy = plan.policy
        cited = ((policy.rule.id, policy.rule), (policy.distrust.id, policy.distrust))
        return cls(
            policy={"name": policy.name, "valid_from": policy.valid_from.isoformat(), "sha256": policy.digest},
            live={"subjects": plan.live_subjects, "signals": plan.live_signals},
            grounds=tuple(
                Ground(
                    rule=name,
                    category=rule.category,
                    article=str(rule.citation),
                    source=rule.citation.source,
                    version_on=rule.citation.version_on,
                )
                for name, rule in cited
            ),
            terms={one.id: one.term for one in plan.due},
        )

    @classmethod
    def read(cls, text: str) -> "Detail":
        """Return the detail that `text` gives back."""
        values: dict[str, Any] = json.loads(text)
        purged = values.pop("purged")
        grounds, terms = values.pop("grounds"), values.pop("terms")
        fingerprints = tuple(values.pop("fingerprints"))
        return cls(
            **values,
            grounds=tuple(Ground(**{**one, "version_on": _day(one["version_on"])}) for one in grounds),
            terms={
                item: Term(**{**one, "event_on": _day(one["event_on"]), "due_on": _day(one["due_on"])})
                for one in terms
                for item in one.pop("items")
            },
            purged=None if purged is None else _purged(purged),
            fingerprints=fingerprints,
        )

    def text(self) -> str:
        """Return this as JSON; items that share a term stand together."""
        together: dict[Term, list[str]] = {}
        for item, term in sorted(self.terms.items()):
            together.setdefault(term, []).append(item)
        content = {
            "policy": dict(self.policy),
            "live": dict(self.live),
            "grounds": [asdict(one) for one in self.grounds],
            "terms": [{**asdict(term), "items": items} for term, items in together.items()],
            "certificate": self.certificate,
            "purged": None if self.purged is None else asdict(self.purged),
            "fingerprints": self.fingerprints,
            "outcome": dict(self.outcome),
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"), default=_iso)

    def closed(self, outcome: Mapping[str, str | int]) -> "Detail":
        """Return this without a single id of an item, with how it ended."""
        return replace(self, terms={}, fingerprints=tuple(sorted(map(fingerprint, self.terms))), outcome=outcome)


def _iso(day: date) -> str:
    return day.isoformat()


def _day(text: str | None) -> Any:
    return None if text is None else date.fromisoformat(text)


def _purged(values: dict[str, Any]) -> Purged:
    forgotten = values["forgotten"]
    return Purged(
        forgotten=Forgotten(**{**forgotten, "run": RunId(forgotten["run"])}),
        fence=values["fence"],
        destroyed_at=datetime.fromisoformat(values["destroyed_at"]),
    )

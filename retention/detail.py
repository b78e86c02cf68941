"""What a run keeps beside its items: JSON text on the run's own record, so that any later process can go on from it.

While the run is under way it names items by id, once it is closed by `fingerprint` only.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from register.ids import RunId
from register.runs import Forgotten
from retention.plan import Plan
from retention.planned import Planned, fingerprint


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
        planned: what it keeps of its plan.
        certificate: id of the certificate to come, taken before it is drafted so that it is drafted once.
        fingerprints: of the planned items, once closed.
        outcome: counts and codes of how it ended, once closed.
    """

    planned: Planned
    certificate: str = ""
    purged: Purged | None = None
    fingerprints: tuple[str, ...] = ()
    outcome: Mapping[str, str | int] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan) -> "Detail":
        """Return what to keep of a plan."""
        return cls(planned=plan.planned)

    @classmethod
    def read(cls, text: str) -> "Detail":
        """Return the detail that `text` gives back."""
        values: dict[str, Any] = json.loads(text)
        purged = values["purged"]
        return cls(
            planned=Planned.read(values["planned"]),
            certificate=values["certificate"],
            purged=None if purged is None else _purged(purged),
            fingerprints=tuple(values["fingerprints"]),
            outcome=values["outcome"],
        )

    def text(self) -> str:
        """Return this as JSON."""
        content = {
            "planned": self.planned.values(),
            "certificate": self.certificate,
            "purged": None if self.purged is None else asdict(self.purged),
            "fingerprints": self.fingerprints,
            "outcome": dict(self.outcome),
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"), default=_iso)

    def closed(self, outcome: Mapping[str, str | int]) -> "Detail":
        """Return this without a single id of an item, with how it ended."""
        fingerprints = tuple(sorted(map(fingerprint, self.planned.terms)))
        return replace(self, planned=self.planned.closed(), fingerprints=fingerprints, outcome=outcome)


def _iso(day: datetime) -> str:
    return day.isoformat()


def _purged(values: dict[str, Any]) -> Purged:
    forgotten = values["forgotten"]
    return Purged(
        forgotten=Forgotten(**{**forgotten, "run": RunId(forgotten["run"])}),
        fence=values["fence"],
        destroyed_at=datetime.fromisoformat(values["destroyed_at"]),
    )

"""The body of a purge certificate: a pure function of what happened, never of what was planned.

The contract is docs/formats/certificate-v1.schema.json; the numbers in comments are its fields. The counts come from
the journal, which was written in the deleting transactions, and from what was read back afterwards.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from register.access import Role
from register.ids import RegisterId
from register.runs import Filed, Run
from retention.detail import Detail, Purged
from retention.journal import Check, Destroyed
from retention.plan import Kind, Term

SYSTEM: Final = "system"
_ACT: Final = "destroyed"

Section = Mapping[str, object]

IdsRoot = Callable[[Iterable[str]], bytes]
"""Gives the RFC 6962 root over the sorted SHA-256 of a set of ids, 32 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who certifies, with what.

    Attributes:
        register, origin: id of the register and origin line of its log; controller: who answers for the processing.
        site: code of the place, if the deployment has a name.
        version: of the software; settings: SHA-256 of the settings in force, if known.
        rehearsal: whether the register was made for rehearsal.
    """

    register: RegisterId
    origin: str
    controller: str
    site: str | None
    version: str
    settings: str | None
    rehearsal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All that a certificate of a run is drafted from; the read-back found nothing.

    Attributes:
        run, detail: the run with its planned items, and the terms reckoned for them.
        purged: what the key store did; destroyed: what the journal says.
        readback: what was looked for afterwards; workers: how many processes with the old root key were replaced.
        previous: the certificate before this one, if any.
        ended_at: aware, UTC.
        ids_root: the root of a set of ids.
    """

    issuer: Issuer
    run: Run
    detail: Detail
    purged: Purged
    destroyed: Destroyed
    readback: tuple[Check, ...]
    workers: int
    previous: Filed | None
    ended_at: datetime
    ids_root: IdsRoot

    def body(self) -> Section:
        """Return the predicate."""
        return {
            **self._identity(),
            **self._law(),
            **self._scope(),
            "stores": self._stores(),  # 6
            "keys": self._keys(),
            "readback": [  # 7
                {
                    "store": one.store,
                    "check": one.check,
                    "asked": one.asked,
                    "expected": 0,
                    "found": one.found,
                    "at": _instant(one.at),
                }
                for one in self.readback
            ],
            **self._people(),
            "times": {  # 12
                "as_of": _day(self.run.as_of),
                "started_at": _instant(self.run.started_at),
                "ended_at": _instant(self.ended_at),
            },
            "backups": {"unreadable_by": None, "sets": []},  # 13
            "recalls": {"sent": 0, "confirmed": 0, "owed": 0},  # 14
            "stubs": {"count": 0, "root": self.ids_root(()).hex()},  # 15
        }

    def _identity(self) -> Section:
        issuer, run, previous = self.issuer, self.run, self.previous
        return {
            "certificate": {  # 1
                "id": self.detail.certificate,
                "sequence": 1 if previous is None else previous.sequence + 1,
                "rehearsal": "register" if issuer.rehearsal else "none",
                "previous": None if previous is None else previous.digest,
                "supersedes": [],
            },
            "register": {"id": issuer.register, "origin": issuer.origin},
            "controller": {"name": issuer.controller},  # 2
            "run": {  # 11
                "id": run.id,
                "trigger": "schedule" if run.requested_by == SYSTEM else "order",
                "fence": self.purged.fence,
                "plan": run.digest,
                "site": issuer.site,
            },
        }

    def _direct(self) -> Mapping[str, Term]:
        """Return what went in its own right, with its term."""
        gone = self.destroyed.subjects | self.destroyed.signals
        return {item: term for item, term in self.detail.terms.items() if item in gone}

    def _law(self) -> Section:
        terms = Counter(self._direct().values())
        counts: Counter[str] = Counter()
        for term, count in terms.items():
            counts[term.rule] += count
        return {
            "policy": dict(self.detail.policy),  # 3
            "grounds": [
                {
                    "rule": one.rule,
                    "act": _ACT,
                    "category": one.category,
                    "citation": {
                        "article": one.article,
                        "source": one.source,
                        "version_on": None if one.version_on is None else _day(one.version_on),
                    },
                    "count": counts[one.rule],
                }
                for one in self.detail.grounds
                if one.rule in counts
            ],
            "terms": [  # 4
                {
                    "rule": term.rule,
                    "act": _ACT,
                    "event": term.event,
                    "event_on": _day(term.event_on),
                    "period": term.period,
                    "due_on": _day(term.due_on),
                    "count": terms[term],
                }
                for term in sorted(terms, key=lambda term: (term.due_on, term.event_on, term.rule, term.event))
            ],
        }

    def _scope(self) -> Section:
        gone = self.destroyed
        return {
            "scope": {  # 5
                "counts": [{"kind": kind, "act": _ACT, "count": len(ids)} for kind, ids in gone.kinds.items()],
                "ids": {"count": len(gone.ids), "root": self.ids_root(gone.ids).hex()},
                "redacted": [{"kind": "signal", "count": len(gone.redacted)}] if gone.redacted else [],
            },
            "cascade": self._cascade(),  # 8
            "skipped": self._skipped(),  # 9
            "holds": [],  # 10
            "exceptions": [],
        }

    def _cascade(self) -> list[Section]:
        """Count what went in its own right, and what went with a subject: a signal goes with its last one."""
        own = self._direct().keys()
        return [
            {"kind": kind, "act": _ACT, "through": through, "count": count}
            for kind, ids in self.destroyed.kinds.items()
            for through, count in ((None, len(ids & own)), (Kind.SUBJECT.value, len(ids - own)))
            if count
        ]

    def _skipped(self) -> list[Section]:
        subjects = {item for item, _ in self.run.due_subjects}
        kinds = Counter(
            (Kind.SUBJECT.value if item in subjects else Kind.SIGNAL.value, reason)
            for item, reason in self.destroyed.skipped.items()
        )
        return [{"kind": kind, "reason": reason, "count": count} for (kind, reason), count in sorted(kinds.items())]

    def _stores(self) -> list[Section]:
        done = self.purged.forgotten
        places = (
            ("graph", "row-delete", "logical", len(self.destroyed.ids)),
            ("key-store", "key-destruction", done.assurance, done.rows_dropped + done.tokens_dropped),
            ("anchor", "key-destruction", done.assurance, done.anchor_after - done.anchor_before),
            ("memory", "process-replacement", "clear", self.workers),
        )
        return [
            {"store": store, "name": None, "method": method, "result": "done", "assurance": sure, "count": count}
            for store, method, sure, count in places
        ]

    def _keys(self) -> Section:
        """State the change of keys: `Forgetting.forget` replaces the lookup key with the root, or commits nothing."""
        done = self.purged.forgotten
        return {
            "generation_before": done.generation_before,
            "generation_after": done.generation_after,
            "rows_dropped": done.rows_dropped,
            "tokens_dropped": done.tokens_dropped,
            "rows_rewrapped": done.rows_kept,
            "lookup_key_replaced": True,
            "anchor": {
                "provider": done.anchor_kind,
                "version_before": done.anchor_before,
                "version_after": done.anchor_after,
                "destroyed_at": _instant(self.purged.destroyed_at),
                "old_root_opens": False,  # `Forgetting.destroy_old` reads it back, and raises if it opens
                "assurance": done.assurance,
            },
        }

    def _people(self) -> Section:
        run = self.run
        requested = Role.SYSTEM if run.requested_by == SYSTEM else Role.COMPLIANCE_OFFICER
        return {
            "requested_by": {"role": requested.value, "actor": run.requested_by},  # 11
            "approvals": [
                {
                    "of": "plan",
                    "sha256": run.digest,
                    "role": Role.COMPLIANCE_OFFICER.value,
                    "actor": one.actor,
                    "at": _instant(one.at),
                }
                for one in run.approvals
            ],
            "operator": {"role": Role.SYSTEM.value, "actor": SYSTEM},
            "software": {"name": "theme-register", "version": self.issuer.version, "settings": self.issuer.settings},
        }


def _day(day: date) -> str:
    return day.isoformat()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

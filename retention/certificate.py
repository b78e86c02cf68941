"""The body of a purge certificate: a pure function of what happened, never of what was planned.

The contract is docs/formats/certificate-v1.schema.json; the numbers in comments are its fields. The counts come from
the journal, which was written in the deleting transactions, and from what was read back afterwards.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from register.access import Role
from register.archived import ArchivedFacts
from register.ids import ArchiveId, RegisterId
from register.runs import Fate, Filed, Reached, Run, Skip
from retention.detail import Detail, Purged
from retention.journal import Check, Done
from retention.planned import Kind, Term

SYSTEM: Final = "system"

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
        purged: what the key store did; gone: what the journal says.
        stubs: of the records archived or destroyed by this run, by id.
        held: the ground of the hold by which each item was skipped that a hold kept since the plan.
        readback: what was looked for afterwards; workers: how many processes with the old root key were replaced.
        replicas: every replica of the keys, and whether it forgot too.
        previous: the certificate before this one, if any.
        ended_at: aware, UTC.
        ids_root: the root of a set of ids.
    """

    issuer: Issuer
    run: Run
    detail: Detail
    purged: Purged
    gone: Done
    stubs: Mapping[ArchiveId, ArchivedFacts]
    held: Mapping[str, str]
    readback: tuple[Check, ...]
    workers: int
    replicas: tuple[Reached, ...]
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
                    "expected": one.expected,
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
            "stubs": self._id_set(self.gone.archived),  # 15
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

    def _direct(self) -> Mapping[str, tuple[Fate, Term]]:
        """Return what went in its own right, with what became of it and its term."""
        planned = self.detail.planned
        gone = self.gone.of_kind("subject") | self.gone.of_kind("signal") | self.gone.destroyed
        return {item: (planned.fates[item][0], term) for item, term in planned.terms.items() if item in gone}

    def _law(self) -> Section:
        terms = Counter(self._direct().values())
        counts: Counter[tuple[str, Fate]] = Counter()
        for (fate, term), count in terms.items():
            counts[term.rule, fate] += count
        planned = self.detail.planned
        return {
            "policy": dict(planned.policy),  # 3
            "grounds": [
                {
                    "rule": one.rule,
                    "act": fate.value,
                    "category": one.category,
                    "citation": {
                        "article": one.article,
                        "source": one.source,
                        "version_on": None if one.version_on is None else _day(one.version_on),
                    },
                    "count": counts[one.rule, fate],
                }
                for one in planned.grounds
                for fate in Fate
                if (one.rule, fate) in counts
            ],
            "terms": [  # 4
                {
                    "rule": term.rule,
                    "act": fate.value,
                    "event": term.event,
                    "event_on": _day(term.event_on),
                    "period": term.period,
                    "due_on": _day(term.due_on),
                    "count": terms[fate, term],
                }
                for fate, term in sorted(terms, key=_in_order)
            ],
        }

    def _scope(self) -> Section:
        gone = self.gone
        return {
            "scope": {  # 5
                "counts": [
                    {"kind": kind, "act": fate.value, "count": len(ids)} for (fate, kind), ids in gone.counted.items()
                ],
                "ids": self._id_set(gone.ids | gone.destroyed),
                "redacted": [{"kind": "signal", "count": len(gone.redacted)}] if gone.redacted else [],
            },
            "cascade": self._cascade(),  # 8
            "skipped": self._skipped(),  # 9
            "holds": self._holds(),  # 10
            "exceptions": self._copies(),
        }

    def _id_set(self, ids: Collection[str]) -> Section:
        return {"count": len(ids), "root": self.ids_root(ids).hex()}

    def _cascade(self) -> list[Section]:
        """Count what went in its own right, and what went with a subject: a signal goes with its last one."""
        own = self._direct().keys()
        return [
            {"kind": kind, "act": fate.value, "through": through, "count": count}
            for (fate, kind), ids in self.gone.counted.items()
            for through, count in ((None, len(ids & own)), (Kind.SUBJECT.value, len(ids - own)))
            if count
        ]

    def _skipped(self) -> list[Section]:
        skipped = self.gone.skipped.items()
        kinds: dict[str, Kind] = {item: Kind.SUBJECT for item, _ in self.run.due_subjects}
        kinds |= {item: Kind.SIGNAL for item, _ in self.run.due_signals}
        kinds |= {item: Kind.ARCHIVED for item, _ in self.run.due_archived}
        # a hold that is lifted again by now: whatever it was, the item changed meanwhile
        since = {item: why if why is not Skip.HELD or item in self.held else Skip.CHANGED for item, why in skipped}
        counts = Counter((kinds[item].value, reason.value) for item, reason in since.items())
        for (kind, wait), count in self.detail.planned.waiting.items():
            counts[kind.value, wait.value] += count
        return [{"kind": kind, "reason": reason, "count": count} for (kind, reason), count in sorted(counts.items())]

    def _holds(self) -> list[Section]:
        planned = self.detail.planned
        considered = Counter(planned.holds.values())
        kept = Counter(planned.kept) + Counter(self.held.values())
        return [
            {"ground": ground, "considered": considered[ground], "kept": kept[ground]}
            for ground in sorted(considered.keys() | kept.keys())
        ]

    def _places(self) -> Iterator[tuple[str, Fate, int, date]]:
        """Yield the archive's months that this run touched: name, what it did there, files, the last day of a copy."""
        for fate, ids in ((Fate.REMOVED, self.gone.archived), (Fate.DESTROYED, self.gone.destroyed)):
            months = Counter(self.stubs[one].month for one in ids)
            for month, count in sorted(months.items()):
                until = max(self.stubs[one].destroy_on for one in ids if self.stubs[one].month == month)
                yield f"{_PLACE[fate]}-{month}", fate, count, until

    def _copies(self) -> list[Section]:
        """Name the copies: what is archived, copies of its files while their month's key exists, replicas not reached.

        A replica that is reached later is attested by an entry of the log (`replica.attested`), or struck off by one.
        """
        reason = "open-until-month-key-destroyed"
        copies: list[Section] = [
            {
                "store": "archive",
                "name": name,
                "reason": reason,
                "until": _day(until) if fate is Fate.REMOVED else None,
            }
            for name, fate, _, until in self._places()
        ]
        missed = (one.name for one in self.replicas if not one.reached)
        return copies + [{"store": "replica", "name": one, "reason": "not-reached", "until": None} for one in missed]

    def _stores(self) -> list[Section]:
        done = self.purged.forgotten
        places = (
            ("graph", "row-delete", "logical", len(self.gone.ids)),
            ("key-store", "key-destruction", done.assurance, done.rows_dropped + done.tokens_dropped),
            ("anchor", "key-destruction", done.assurance, done.anchor_after - done.anchor_before),
            ("memory", "process-replacement", "clear", self.workers),
        )
        stores: list[Section] = [
            {"store": store, "name": None, "method": method, "result": "done", "assurance": sure, "count": count}
            for store, method, sure, count in places
        ]
        stores += [
            {
                "store": "replica",
                "name": one.name,
                "method": "key-destruction",
                "result": "done" if one.reached else "not-reached",
                "assurance": one.assurance,
                "count": int(one.reached),
            }
            for one in self.replicas
        ]
        for name, fate, count, _ in self._places():
            how = ("expiry", "pending", "none") if fate is Fate.REMOVED else ("file-deletion", "done", "logical")
            method, result, sure = how
            stores.append(
                {
                    "store": "archive",
                    "name": name,
                    "method": method,
                    "result": result,
                    "assurance": sure,
                    "count": count,
                }
            )
        return stores

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


_PLACE: Final = {Fate.REMOVED: "kept", Fate.DESTROYED: "deleted"}
"""How a month of the archive is named as a place: records that are kept there, or files that were deleted there."""


def _in_order(one: tuple[Fate, Term]) -> tuple[date, date, str, str, str]:
    fate, term = one
    return term.due_on, term.event_on, term.rule, term.event, fate


def _day(day: date) -> str:
    return day.isoformat()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

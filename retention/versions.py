"""Versions of the policy: proposed by one officer, activated by another, in force from a day to come. Pure.

A version is never edited. Which one is in force on a civil date follows from the activations alone, so that every date
can be reckoned again with the version of its day; the one that comes with the software is in force before the first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from register.errors import Conflict, NotFound, Refused
from register.sealed import PolicyBookFacts
from retention.calendar import DAY
from retention.rules import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Policies by the civil date from which each is in force; the first is in force on every day before too."""

    since: tuple[tuple[date, Policy], ...]

    @classmethod
    def of(cls, policy: Policy) -> "Timeline":
        """Return the timeline of a register that only ever had `policy`."""
        return cls(since=((date.min, policy),))

    def on(self, day: date) -> Policy:
        """Return the policy in force on civil date `day`."""
        return [policy for first, policy in self.since if first <= day][-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version on its way into force.

    Attributes:
        digest: SHA-256 of the file's bytes, hexadecimal; file: its name.
        authors: codes that the file names; none of them is its second person.
        proposed_by, proposed_on: who handed it in (an actor's code), on which civil date.
        seen: by actor, the digest of the impact list that was shown to them last.
        approved_by, approved_on: the second person; "" and None before.
        in_force_from: civil date, fixed with the approval.
        withdrawn_by, withdrawn_on: who took it back before that day; "" and None while nobody did.
    """

    digest: str
    file: str
    authors: tuple[str, ...]
    proposed_by: str
    proposed_on: date
    seen: Mapping[str, str] = field(default_factory=dict)
    approved_by: str = ""
    approved_on: date | None = None
    in_force_from: date | None = None
    withdrawn_by: str = ""
    withdrawn_on: date | None = None

    def state(self, today: date) -> str:
        """Return `proposed`, `activated` (in its grace period), `in-force` (or was), or `withdrawn`."""
        if self.withdrawn_on is not None:
            return "withdrawn"
        if self.in_force_from is None:
            return "proposed"
        return "in-force" if self.in_force_from <= today else "activated"

    def told(self) -> dict[str, Any]:
        """Return this in values of JSON."""
        values = {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(self).items()}
        return {**values, "authors": list(self.authors)}

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Version":
        """Return what `told` gave."""
        days = ("proposed_on", "approved_on", "in_force_from", "withdrawn_on")
        read = {name: values[name] and date.fromisoformat(values[name]) for name in days}
        return cls(**{**values, **read, "authors": tuple(values["authors"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All versions that were ever proposed, oldest first; `revision` is raised by one at every change."""

    revision: int = 0
    versions: tuple[Version, ...] = ()

    def propose(self, policy: Policy, file: str, by: str, on: date, *, present: Policy) -> "Book":
        """Return the book with a new version, that nobody activated yet.

        Raises:
            Conflict: code `policy.known`: it was proposed before, or is the one in force.
        """
        if policy.digest in {present.digest, *(one.digest for one in self.versions)}:
            raise Conflict("policy.known", "this version is known already; versions are never edited")
        authors = tuple(sorted(policy.authors))
        return self._with(
            *self.versions, Version(digest=policy.digest, file=file, authors=authors, proposed_by=by, proposed_on=on)
        )

    def shown(self, digest: str, to: str, impact: str) -> "Book":
        """Return the book that knows which impact list `to` was shown last. Raises NotFound."""
        one = self.version(digest)
        return self._changed(replace(one, seen={**one.seen, to: impact}))

    def approve(self, digest: str, impact: str, by: str, on: date, *, in_force_from: date) -> "Book":
        """Return the book with the version activated.

        Args:
            digest: of the version.
            impact: digest of the impact list that was looked at.
            by: the second person's code.
            on: civil date of the approval.
            in_force_from: what `first_day` gives.

        Raises:
            NotFound: no such version.
            Refused: code `approval.second-person`: who proposed or wrote it does not activate it;
                `approval.unseen`: this officer was not shown this impact list.
            Conflict: code `policy.settled`: it was activated or withdrawn before.
        """
        one = self.version(digest)
        if one.approved_by or one.withdrawn_by:
            raise Conflict("policy.settled", "this version was activated or withdrawn before")
        if by in {one.proposed_by, *one.authors}:
            raise Refused("approval.second-person", "neither who proposed a policy nor who wrote it may activate it")
        if one.seen.get(by) != impact:
            raise Refused("approval.unseen", "look at the impact list first: its digest says what was looked at")
        return self._changed(replace(one, approved_by=by, approved_on=on, in_force_from=in_force_from))

    def withdraw(self, digest: str, by: str, on: date) -> "Book":
        """Return the book with the version taken back before it came into force.

        Raises:
            NotFound: no such version. Conflict: code `policy.settled`: it is in force, or was withdrawn before.
        """
        one = self.version(digest)
        if one.state(on) not in ("proposed", "activated"):
            raise Conflict("policy.settled", "this version is in force, or was withdrawn before")
        return self._changed(replace(one, withdrawn_by=by, withdrawn_on=on))

    def version(self, digest: str) -> Version:
        """Return a version. Raises NotFound."""
        for one in self.versions:
            if one.digest == digest:
                return one
        raise NotFound

    def coming(self) -> tuple[tuple[date, Version], ...]:
        """Return the activated versions with the day each is in force from, in that order."""
        live = ((one.in_force_from, one) for one in self.versions if not one.withdrawn_by)
        return tuple(sorted(((day, one) for day, one in live if day is not None), key=_order))

    def facts(self, id_: str, sha256: str) -> PolicyBookFacts:
        """Return what the MAC covers, of a book whose content has this digest."""
        return PolicyBookFacts(id=id_, revision=self.revision, sha256=sha256)

    def _changed(self, version: Version) -> "Book":
        return self._with(*(version if one.digest == version.digest else one for one in self.versions))

    def _with(self, *versions: Version) -> "Book":
        return replace(self, revision=self.revision + 1, versions=versions)


def first_day(valid_from: date, on: date, present: Policy) -> date:
    """Return from when a version is in force that is activated on civil date `on`.

    After the grace period of the policy in force, never that day itself, and no earlier than it names (`valid_from`).
    """
    return max(valid_from, present.grace.after(on), DAY.after(on))


def _order(one: tuple[date, Version]) -> tuple[date, date]:
    day, version = one
    return day, version.approved_on or day


def timeline(built_in: Policy, activated: Iterable[tuple[date, Policy]]) -> Timeline:
    """Return which policy is in force when: `built_in` before the first of those `activated`, by their day."""
    return Timeline(since=((date.min, built_in), *activated))

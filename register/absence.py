"""Is this person in the register? Absent or not, for a privacy officer; the name enters no log and no statement.

What was asked is written down as a digest under a key of the month. Everything counts that is in the register, whoever
may see it, so that "absent" is true of all of it; what the answer does not cover is part of the statement.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from register.access import Actor, Grant, Permission, authorise
from register.audit import Act, Entry, refused_entry
from register.clock import AMSTERDAM, Clock
from register.errors import Refused
from register.ids import IdentifierId, MentionId, mint
from register.interfaces import Lookup, Sealing
from register.roster import Roster
from register.stores import Trail
from register.subjects import NewIdentifier, normalise

CANDIDATES: Final = 200
"""How many rows of the table of names are looked at; one that is in the graph is enough."""

NOT_COVERED: Final = ("closed-archive", "names-in-texts-that-nobody-stated", "other-registers")
"""What "absent" says nothing about."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Asked:
    """Whom it is asked about: a name, a birth date as in a signal, identifiers."""

    name: str
    born_on: str | None = None
    identifiers: tuple[NewIdentifier, ...] = ()

    def content(self) -> bytes:
        """Return what the digest is made of: the name folded in case and spaces, identifiers normalised and sorted."""
        name = " ".join(self.name.casefold().split())
        numbers = sorted([one.kind.value, normalise(one.kind, one.value)] for one in self.identifiers)
        return json.dumps([name, self.born_on, numbers], separators=(",", ":")).encode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Whether somebody is absent; `statement` is the signed statement of it, None when they are not."""

    absent: bool
    names: int
    log_size: int
    month: str
    digest: str
    statement: bytes | None


class PresenceStore(Protocol):
    """Says whether anything is there; filled by `graph.presence`."""

    def any(
        self,
        mentions: Collection[MentionId],
        identifiers: Collection[IdentifierId],
        witnessed: Callable[[bool], Entry],
    ) -> bool:
        """Say whether any of these is in the graph; the entry is durable before that. Raises Unavailable."""


class Digests(Protocol):
    """Digests under a key of the month; filled by `vault.keystore.searches`."""

    def digest(self, month: str, asked: bytes) -> str:
        """Return the digest of `asked` under the key of `month` (YYYY-MM), in hexadecimal. Raises Unavailable."""


class Stating(Protocol):
    """Signs statements; filled through `api.wiring`."""

    def head(self) -> tuple[int, str]:
        """Return size and root (hexadecimal) of the newest checkpoint. Raises Unavailable."""

    def state(self, predicate: Mapping[str, object]) -> tuple[bytes, str]:
        """Return the signed statement (a DSSE envelope) and its SHA-256 in hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Answers privacy officers."""

    lookup: Lookup
    sealing: Sealing
    presence: PresenceStore
    roster: Roster
    digests: Digests
    stating: Stating
    trail: Trail
    clock: Clock

    def ask(self, actor: Actor, purpose: str, case: str, asked: Asked) -> Answer:
        """Say whether anybody of this name, or with one of these identifiers, is in the register.

        Not absent means only that something comes near enough to be looked at under the right to do so.

        Raises:
            Refused, Invalid (purpose, case, fewer than three letters), Unavailable, Tampered.
        """
        grant = self._enter(actor, purpose, case)
        month = f"{grant.as_of.astimezone(AMSTERDAM):%Y-%m}"
        candidates = self.roster.anybody(asked.name, limit=CANDIDATES)
        mentions = tuple(mention for _, found in candidates for mention in found)
        identifiers = tuple(self.lookup.identifiers(asked.identifiers).values())
        size, root = self.stating.head()
        digest, names = self.digests.digest(month, asked.content()), self.roster.size
        searched: dict[str, object] = {
            "names_in_memory": names,
            "identifiers_asked": len(asked.identifiers),
            "checkpoint": {"size": size, "root": root},
        }
        statement, fingerprint, number = self._stated(grant, month, digest, searched)

        def witnessed(found: bool) -> Entry:
            told: dict[str, str | int] = {"asked": digest, "month": month, "names": names}
            told |= {"answer": "not-absent"} if found else {"answer": "absent"}
            told |= {} if found else {"sha256": fingerprint, "statement": number}
            return _entry(grant, int(found), told)

        found = self.presence.any(mentions, identifiers, witnessed)
        self.sealing.assert_current()
        return Answer(
            absent=not found,
            names=names,
            log_size=size,
            month=month,
            digest=digest,
            statement=None if found else statement,
        )

    def _stated(self, grant: Grant, month: str, digest: str, searched: Mapping[str, object]) -> tuple[bytes, str, str]:
        number = mint()
        predicate: dict[str, object] = {
            "statement": number,
            "answer": "absent",
            "at": _instant(grant.as_of),
            "case": grant.case,
            "purpose": grant.purpose,
            "asked": {"digest": digest, "month": month},
            "searched": dict(searched),
            "not_covered": list(NOT_COVERED),
        }
        envelope, fingerprint = self.stating.state(predicate)
        return envelope, fingerprint, number

    def _enter(self, actor: Actor, purpose: str, case: str) -> Grant:
        now = self.clock.now()
        try:
            return authorise(actor, Permission.ABSENCE_STATE, as_of=now, purpose=purpose, case=case)
        except Refused as refused:
            self.trail.append([refused_entry(actor.code, actor.role, Act.ABSENCE_STATE, now, refused.code)])
            raise


def _entry(grant: Grant, count: int, detail: Mapping[str, str | int]) -> Entry:
    return Entry(
        at=grant.as_of,
        actor=grant.actor.code,
        role=grant.actor.role,
        act=Act.ABSENCE_STATE,
        purpose=grant.purpose,
        case=grant.case,
        count=count,
        detail=detail,
    )


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")

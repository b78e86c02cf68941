"""What is asked of the audit log, and what it answers: entries as they were logged, with their place in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which entries are wanted; an empty field asks nothing, several fields must all hold.

    Attributes:
        actor, act, outcome, purpose, case: codes as they stand in the entry.
        target: an id that the entry is about.
        since, until: from this instant on, and before that one (aware).
    """

    actor: str = ""
    act: str = ""
    outcome: str = ""
    purpose: str = ""
    case: str = ""
    target: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def codes(self) -> Mapping[str, str]:
        """Return what was asked, in codes, ids and instants, for the entry of the asking."""
        asked = {
            "actor": self.actor,
            "act": self.act,
            "outcome": self.outcome,
            "purpose": self.purpose,
            "case": self.case,
            "target": self.target,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {f"asked-{name}": text for name, text in asked.items() if text}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEntry:
    """An entry as the log holds it: its index there, and its body, which is what was logged at that index."""

    index: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedPage:
    """Entries, newest first; `after` asks for those that follow ("" when there are none)."""

    entries: tuple[LoggedEntry, ...]
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many entries of a period have the same act, role, outcome and purpose."""

    act: str
    role: str
    outcome: str
    purpose: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """A certificate on file: what it states, and the SHA-256 of its envelope."""

    predicate: Mapping[str, Any]
    digest: str


class AuditLog(Protocol):
    """The sealed log with the certificates beside it, to be read; filled through `api.wiring`.

    Every entry that is answered was compared with its leaf (Tampered: it differs). What was written in the last second
    may not be sealed yet.
    """

    def page(self, question: Question, *, after: str, limit: int) -> LoggedPage:
        """Return at most `limit` entries, newest first. Raises Invalid (`after` is no answer's), Unavailable."""

    def stream(self, question: Question, *, size: int) -> Iterator[LoggedEntry]:
        """Yield the entries among the first `size` of the log, oldest first, keeping none. Raises Unavailable."""

    def count(self, question: Question) -> int:
        """Return how many entries there are. Raises Unavailable."""

    def tallies(self, since: datetime, until: datetime) -> tuple[Tally, ...]:
        """Return how often what was done in a period. Raises Unavailable."""

    def size(self) -> int:
        """Return how many entries the newest checkpoint signs. Raises Unavailable."""

    def checkpoint(self) -> bytes:
        """Return the newest signed checkpoint, as it lies in the log. Raises Unavailable."""

    def keys(self) -> Mapping[str, bytes]:
        """Return the files of the log's public keys, by name: `vkey`, and a trust file once keys were replaced.

        Raises:
            Unavailable: there is no log yet.
        """

    def proof(self, entry: str) -> bytes | None:
        """Return the tlog-proof of the entry with this id, or None. Raises Unavailable, NotFound (its body is gone)."""

    def certificates(self) -> tuple[Certified, ...]:
        """Return the certificates on file, in their sequence."""

    def certificate_files(self, certificate: str) -> Mapping[str, str] | None:
        """Return the files of one certificate by name, or None."""

"""The sealed log and the certificates beside it, as officers ask them: `register.logged.AuditLog`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.logbook import VKEY, Logbook
from evidence.checkpoint import Checkpoint
from evidence.finding import Finder
from evidence.log import Log
from evidence.note import Note
from evidence.proof import prove
from evidence.succession import TRUST
from register.errors import NotFound, Unavailable
from register.ids import is_id
from register.logged import Certified, LoggedEntry, LoggedPage, Question, Tally

INDEX: Final = "finding.sqlite"
"""In HOME, beside the log: found again from the log's bodies when it is gone."""


@dataclass(frozen=True, slots=True)
class AuditDesk:
    """Reads the log of one register, beside whoever writes it."""

    logbook: Logbook

    def page(self, question: Question, *, after: str, limit: int) -> LoggedPage:
        """Return at most `limit` entries, newest first."""
        with self._log() as log:
            return self._finder.page(log, question, after=after, limit=limit)

    def stream(self, question: Question, *, size: int) -> Iterator[LoggedEntry]:
        """Yield the entries among the first `size`, oldest first."""
        with self._log() as log:
            yield from self._finder.stream(log, question, size=size)

    def catch_up(self, most: int) -> int:
        """Take at most so many entries into the index ahead of the next question; return how many."""
        with self._log() as log:
            return self._finder.catch_up(log, most=most)

    def count(self, question: Question) -> int:
        """Return how many entries there are."""
        with self._log() as log:
            return self._finder.count(log, question)

    def tallies(self, since: datetime, until: datetime) -> tuple[Tally, ...]:
        """Return how often what was done."""
        with self._log() as log:
            return self._finder.tallies(log, since, until)

    def size(self) -> int:
        """Return how many entries the newest checkpoint signs."""
        return Checkpoint.parse(Note.parse(self.checkpoint()).text).size

    def checkpoint(self) -> bytes:
        """Return the newest signed checkpoint."""
        return self._published("checkpoint")

    def keys(self) -> Mapping[str, bytes]:
        """Return the files of the log's public keys, by name."""
        replaced = (self.logbook.log_folder / TRUST).exists()
        return {name: self._published(name) for name in (VKEY, TRUST)[: 1 + replaced]}

    def proof(self, entry: str) -> bytes | None:
        """Return the tlog-proof of an entry, or None."""
        if not is_id(entry):
            return None
        with self._log() as log:
            index = log.find(entry)
            if index is None:
                return None
            try:
                return prove(log, index, self.checkpoint()).encode()
            except NotFound as refused:
                if refused.code == "log.no-such-entry":
                    raise Unavailable("proof.unsealed", "the checkpoint does not reach that entry yet") from None
                raise

    def certificates(self) -> tuple[Certified, ...]:
        """Return the certificates on file, in their sequence."""
        filed = sorted(self.logbook.all(), key=lambda one: one.sequence)
        return tuple(Certified(predicate=self.logbook.predicate(one.certificate), digest=one.digest) for one in filed)

    def certificate_files(self, certificate: str) -> Mapping[str, str] | None:
        """Return the files of one certificate."""
        return self.logbook.files(certificate)

    @property
    def _finder(self) -> Finder:
        return Finder(self.logbook.log_folder, self.logbook.home / INDEX)

    @contextmanager
    def _log(self) -> Iterator[Log]:
        with Log.open(self.logbook.log_folder, read_only=True) as log:
            yield log

    def _published(self, name: str) -> bytes:
        try:
            return (self.logbook.log_folder / name).read_bytes()
        except FileNotFoundError:
            raise Unavailable("log.absent", "there is no log yet") from None

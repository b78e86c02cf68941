"""Whether archived files still are what was written: a thirtieth of them each night, so that none waits for a month.

A file that is gone is told by the plan of every run; one that was altered is found here. Nothing is deleted or mended:
people look, and a backup has the file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from register.archived import ArchivedFacts
from register.audit import Act
from register.clock import Clock
from register.ids import ArchiveId
from register.stores import Trail
from retention.checking import Verdict, checked_stubs
from retention.interfaces import Archive, Erasure, FactsCheck
from retention.steps import own_entry

NIGHTS: Final = 30
FILE_ALTERED: Final = "file-altered"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCheck:
    """Looks into the archive's folder by what the stubs say."""

    erasure: Erasure
    archive: Archive
    check: FactsCheck
    trail: Trail
    clock: Clock

    def look(self, on: date) -> tuple[ArchiveId, ...]:
        """Look at the share of civil date `on`; return the ids of those that were altered, each an incident."""
        there = self.archive.files()
        share = [one for one in self._kept() if _night(one.id) == on.toordinal() % NIGHTS and one.id in there]
        intact = self.archive.intact((one.month, one.id, one.sha256) for one in share)
        altered = tuple(sorted(one.id for one in share if one.id not in intact))
        if altered:
            detail = {"code": FILE_ALTERED}
            entry = own_entry(
                self.clock.now(), Act.INTEGRITY_INCIDENT, targets=altered, count=len(altered), detail=detail
            )
            self.trail.append([entry])
        return altered

    def _kept(self) -> Iterator[ArchivedFacts]:
        for stub, verdict in checked_stubs(self.erasure.stubs(), self.check, self.erasure.stubs):
            if verdict is Verdict.VERIFIES and stub.facts.destroyed_on is None:
                yield stub.facts


def _night(archive: ArchiveId) -> int:
    return int(archive[-8:], 16) % NIGHTS

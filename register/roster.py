"""Feeds the table of names in memory from sealed names, and keeps it up to date while serving.

The same names of the same subject, stated by many signals, are one row; visibility is a matter of each mention, so the
row knows all its mentions and the graph decides.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import tee
from typing import Final

from register.ids import MentionId, SubjectId
from register.interfaces import Candidate, NameTable, Sealing
from register.stores import RosterStore

OVERLAP: Final = timedelta(minutes=2)
"""How far back each refresh looks: longer than an intake transaction and the difference of two hosts' clocks."""


@dataclass(slots=True, kw_only=True)
class Roster:
    """The names this process can search. Filled by one thread, searched by many."""

    store: RosterStore
    sealing: Sealing
    table: NameTable
    _complete: bool = False
    _since: datetime | None = None
    _known: set[MentionId] = field(default_factory=set, repr=False)
    _rows: dict[tuple[SubjectId, tuple[str, ...], str | None], list[MentionId]] = field(
        default_factory=dict, repr=False
    )
    _mentions: dict[str, list[MentionId]] = field(default_factory=dict, repr=False)

    @property
    def complete(self) -> bool:
        """Whether everything that was there at the first refresh is in the table."""
        return self._complete

    def refresh(self) -> int:
        """Take in what was entered since the last call (everything at the first); return how many mentions were new."""
        since = None if self._since is None else self._since - OVERLAP
        fresh, opened = tee(row for row in self.store.roster(since=since) if row.mention not in self._known)
        names = self.sealing.open_names((row.mention, row.subject, row.names) for row in opened)
        count = 0
        for row, (stated, born_on) in zip(fresh, names, strict=True):
            self._put(row.mention, row.subject, stated, born_on)
            self._since = max(self._since, row.entered_at) if self._since else row.entered_at
            count += 1
        self._complete = True
        return count

    def search(
        self, name: str, *, born_on: str | None, limit: int
    ) -> tuple[tuple[Candidate, tuple[MentionId, ...]], ...]:
        """Return the best candidates with their mentions, best first. Raises Invalid (fewer than three letters)."""
        found = self.table.search(name, born_on=born_on, limit=limit)
        return tuple((one, tuple(self._mentions[one.key])) for one in found)

    def _put(self, mention: MentionId, subject: SubjectId, names: tuple[str, ...], born_on: str | None) -> None:
        self._known.add(mention)
        mentions = self._rows.setdefault((subject, names, born_on), [])
        mentions.append(mention)
        if len(mentions) == 1:
            self._mentions[mention] = mentions
            self.table.put(mention, names, born_on)

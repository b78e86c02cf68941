"""Feeds the table of names in memory from sealed names, and keeps it up to date while serving.

The same names of the same subject, stated by many signals of one compartment, are one row. A compartment is searched
for those only who may see it, so that no number of hidden namesakes crowds out a visible one, nor shows in the time an
answer takes; terms and everything else are decided by the graph, mention by mention.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import tee
from typing import Final, TypeAlias

from register.access import Actor
from register.clock import Clock
from register.doubts import incident
from register.errors import Unavailable
from register.grading import HandlingCode
from register.ids import MentionId, SubjectId
from register.interfaces import Candidate, NameTable, Sealing
from register.stores import RosterRow, RosterStore, Trail

OVERLAP: Final = timedelta(minutes=2)
"""How far back each refresh looks: longer than an intake transaction and the difference of two hosts' clocks."""

ALIKE: Final = 70.0
"""From this score on two names are alike as a whole, unless the score owes it to a rare word."""

RARE: Final = "rare-word"

_log: Final = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Roster:
    """The names this process can search. Filled by one thread, searched by many."""

    store: RosterStore
    sealing: Sealing
    table: NameTable
    clock: Clock
    trail: Trail
    _complete: bool = False
    _since: datetime | None = None
    _shut: list[MentionId] = field(default_factory=list, repr=False)
    _known: dict[MentionId, str] = field(default_factory=dict, repr=False)
    _rows: dict["_Key", list[MentionId]] = field(default_factory=dict, repr=False)
    _compartments: dict[str, tuple[HandlingCode, frozenset[str]]] = field(default_factory=dict)
    _mentions: dict[MentionId, list[MentionId]] = field(default_factory=dict, repr=False)

    @property
    def complete(self) -> bool:
        """Whether everything that was there at the first refresh is in the table."""
        return self._complete

    @property
    def size(self) -> int:
        """How many mentions were taken in; a damaged one counts too."""
        return len(self._known)

    def refresh(self) -> int:
        """Take in what was entered or marked anew since the last call (everything at the first).

        Returns:
            How many mentions were new, or moved to another compartment.
        """
        began = self.clock.now()  # our own time: an instant in the graph may be anybody's
        since = None if self._since is None else self._since - OVERLAP
        rows = (row for row in self.store.roster(since=since) if self._known.get(row.mention) != _compartment(row))
        fresh, sealed = tee(rows)
        names = self.sealing.open_names((row.mention, row.subject, row.names) for row in sealed)
        count = 0
        for row, opened in zip(fresh, names, strict=True):
            compartment = self._compartment(row)
            before = self._known.get(row.mention)
            if before == compartment:
                continue  # it stood there twice
            self._known[row.mention] = compartment
            if before is not None and opened is not None:
                self._take_away(row, (row.subject, *opened, before))
            if opened is None:
                _log.error("the names of mention %s do not open: it cannot be found by name", row.mention)
                self._shut.append(row.mention)
            else:
                self._put(row, (row.subject, *opened, compartment))
            count += 1
        if self._shut:
            self.trail.append([incident("does-not-open", self._shut, began)])
            self._shut.clear()
        self._since, self._complete = began, True
        return count

    def search(
        self, actor: Actor, name: str, *, born_on: str | None, limit: int
    ) -> tuple[tuple[Candidate, tuple[MentionId, ...]], ...]:
        """Return the best candidates of the compartments that `actor` may see, with their mentions, best first.

        Raises:
            Invalid: fewer than three letters.
            Unavailable: code `names.incomplete`: the table is being filled; no hit would not mean that there is none.
        """
        seen = [
            compartment
            for compartment, (handling, markings) in tuple(self._compartments.items())
            if handling in actor.handling and markings <= actor.markings
        ]
        return self._searched(name, born_on, limit, seen)

    def anybody(self, name: str, *, limit: int) -> tuple[tuple[Candidate, tuple[MentionId, ...]], ...]:
        """Return the candidates of all compartments whose names are alike as a whole, whoever may see them.

        For saying whether somebody is in the register at all; sharing a rare word is not enough for that.

        Raises:
            Invalid, Unavailable: as `search`.
        """
        found = self._searched(name, None, limit, tuple(self._compartments))
        return tuple(one for one in found if one[0].score >= ALIKE and RARE not in one[0].reasons)

    def _searched(
        self, name: str, born_on: str | None, limit: int, among: Sequence[str]
    ) -> tuple[tuple[Candidate, tuple[MentionId, ...]], ...]:
        if not self._complete:
            raise Unavailable("names.incomplete", "the names are being read into memory; ask again")
        found = self.table.search(name, born_on=born_on, limit=limit, among=among)
        return tuple((one, tuple(self._mentions.get(MentionId(one.key), ()))) for one in found)

    def _compartment(self, row: RosterRow) -> str:
        compartment = _compartment(row)
        self._compartments.setdefault(compartment, (row.handling, row.markings))
        return compartment

    def _put(self, row: RosterRow, key: "_Key") -> None:
        mentions = self._rows.setdefault(key, [])
        mentions.append(row.mention)
        if len(mentions) == 1:
            self._show(row.mention, key)

    def _take_away(self, row: RosterRow, key: "_Key") -> None:
        """Take a mention out of the compartment it was in; others that state the same there stay."""
        mentions = self._rows.get(key, [])
        if row.mention not in mentions:
            return  # its names did not open then
        first = mentions[0]
        mentions.remove(row.mention)
        if first != row.mention:
            return
        self.table.drop(first)
        del self._mentions[first]
        if mentions:
            self._show(mentions[0], key)
        else:
            del self._rows[key]

    def _show(self, first: MentionId, key: "_Key") -> None:
        """Let `first` stand in the table for all mentions of `key`."""
        _, names, born_on, compartment = key
        self._mentions[first] = self._rows[key]
        self.table.put(first, names, born_on, compartment)


_Key: TypeAlias = tuple[SubjectId, tuple[str, ...], str | None, str]
"""What makes mentions one row: subject, names, birth date, compartment."""


def _compartment(row: RosterRow) -> str:
    return " ".join((row.handling, *sorted(row.markings)))

"""The table of names of `matching`, in the words of `register.interfaces.NameTable`."""

from collections.abc import Sequence

from matching.table import NameTable
from register.interfaces import Candidate


class Names:
    """Names in memory; shows none of them in any representation."""

    def __init__(self) -> None:
        self._table = NameTable()

    def put(self, key: str, names: Sequence[str], born_on: str | None) -> None:
        """Add or replace the names under `key`."""
        self._table.put(key, names, born_on)

    def search(self, name: str, *, born_on: str | None, limit: int) -> tuple[Candidate, ...]:
        """Return the best candidates, best first. Raises Invalid (fewer than three letters)."""
        found = self._table.search(name, born_on=born_on, limit=limit)
        return tuple(
            Candidate(key=one.subject_id, score=one.score, reasons=tuple(str(each.code) for each in one.reasons))
            for one in found
        )

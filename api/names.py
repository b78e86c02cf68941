"""The table of names of `matching`, in the words of `register.interfaces.NameTable`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from matching.table import Candidate as Found
from matching.table import NameTable


@dataclass(frozen=True, slots=True)
class Named:
    """A likely hit; shows no name."""

    found: Found

    @property
    def key(self) -> str:
        """The key that the names were put under."""
        return self.found.subject_id

    @property
    def score(self) -> float:
        """How well it fits, 0 to 100."""
        return self.found.score

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, as codes."""
        return tuple(str(each.code) for each in self.found.reasons)


class Names:
    """Names in memory; shows none of them in any representation."""

    def __init__(self) -> None:
        self._table = NameTable()

    def put(self, key: str, names: Sequence[str], born_on: str | None, compartment: str = "") -> None:
        """Add or replace the names under `key`, for who may see `compartment`."""
        self._table.put(key, names, born_on, compartment=compartment)

    def drop(self, key: str) -> None:
        """Forget the names under `key`."""
        self._table.drop(key)

    def search(
        self, name: str, *, born_on: str | None, limit: int, among: Collection[str] = ("",)
    ) -> tuple[Named, ...]:
        """Return the best candidates of these compartments, best first. Raises Invalid (fewer than three letters)."""
        return tuple(map(Named, self._table.search(name, born_on=born_on, limit=limit, among=among)))

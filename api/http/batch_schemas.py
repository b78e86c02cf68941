"""Shapes of orders to look many names up; unknown fields are refused."""

from typing import Final

from pydantic import Field

from api.http.decision_schemas import TEXT
from api.http.schemas import BORN, Shape
from register.batches import BatchOrder, Wanted

MOST: Final = 10_000


class WantedIn(Shape):
    """A name to look up."""

    name: str = Field(min_length=1, max_length=300)
    born_on: str | None = Field(default=None, pattern=BORN)


class NamesIn(Shape):
    """Names to look up, in their order."""

    names: tuple[WantedIn, ...] = Field(min_length=1, max_length=MOST)

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """The names in the register's words."""
        return tuple(Wanted(name=one.name, born_on=one.born_on) for one in self.names)


class BatchIn(NamesIn):
    """An order to look names up, with the reason in words."""

    reason: str = Field(min_length=1, max_length=TEXT)


class BatchOut(Shape):
    """An order that waits; no name stands in it."""

    batch: str
    on: str
    by: str
    purpose: str
    case: str
    names: int
    reason: str

    @classmethod
    def of(cls, one: BatchOrder) -> "BatchOut":
        """Return `one` for the wire."""
        return cls(
            batch=one.batch,
            on=one.on.isoformat(),
            by=one.by,
            purpose=one.purpose,
            case=one.case,
            names=one.names,
            reason=one.reason,
        )


class BatchesOut(Shape):
    """The orders that wait for a second person."""

    batches: tuple[BatchOut, ...]

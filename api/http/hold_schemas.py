"""Shapes of holds; unknown fields are refused."""

from datetime import date
from typing import Final

from pydantic import Field

from api.http.schemas import Shape
from register.dossiers import HoldFacts
from register.holding import HoldPage, NewHold

TEXT: Final = 4000


class HoldIn(Shape):
    """A hold as it is asked for; without a ground of the law it is refused."""

    case: str = Field(max_length=100)
    title: str = Field(min_length=1, max_length=300)
    mandate: str = Field(min_length=1, max_length=1000)
    ground: str = Field(default="", max_length=100)
    reason: str = Field(min_length=1, max_length=TEXT)
    from_: date = Field(alias="from")
    until: date | None = None
    review_on: date
    subjects: tuple[str, ...] = Field(default=(), max_length=1000)
    signals: tuple[str, ...] = Field(default=(), max_length=1000)
    archived: tuple[str, ...] = Field(default=(), max_length=1000)
    start: str = Field(default="", max_length=32)
    depth: int = Field(default=0, ge=0, le=3)

    def wanted(self) -> NewHold:
        """Return it in the register's words."""
        values = self.model_dump(exclude={"case"})
        return NewHold(**values)


class LiftIn(Shape):
    """The lifting of a hold."""

    case: str = Field(max_length=100)
    reason: str = Field(min_length=1, max_length=TEXT)


class HoldOut(Shape):
    """A hold without its texts."""

    hold: str
    ground: str
    from_: date = Field(serialization_alias="from")
    until: date | None
    review_on: date
    on: date
    by: str
    case: str
    subjects: tuple[str, ...]
    signals: tuple[str, ...]
    archived: tuple[str, ...]
    start: str
    depth: int
    lifted_on: date | None
    lifted_by: str

    @classmethod
    def of(cls, facts: HoldFacts) -> "HoldOut":
        """Return `facts` for the wire."""
        return cls(hold=facts.id, **{name: getattr(facts, name) for name in cls.model_fields if name != "hold"})


class HoldsOut(Shape):
    """All holds, the oldest first."""

    holds: tuple[HoldOut, ...]


class HoldPageOut(Shape):
    """A hold with its texts, and whether it stands today."""

    hold: HoldOut
    texts: dict[str, str]
    stands: bool

    @classmethod
    def of(cls, page: HoldPage) -> "HoldPageOut":
        """Return `page` for the wire."""
        return cls(hold=HoldOut.of(page.facts), texts=dict(page.texts), stands=page.stands)

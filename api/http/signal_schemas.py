"""Shapes of receipts, signals and their shielded sources; unknown fields are refused."""

from datetime import date, datetime

from pydantic import Field

from api.http.schemas import LinkOut, Shape, StatementOut
from register.answers import SignalPage


class FoundOut(Shape):
    """Where a text handed in holds what looks like a name that the signal does not state, in characters."""

    field: str
    start: int
    end: int


class ReceiptOut(Shape):
    """A contributor's receipt.

    Attributes:
        replicated_at: what was handed in before is on another host too; what came later is to be handed in again if
            this one is lost. None: there is no replica.
    """

    receipt: str
    reference: str
    state: str = "accepted"
    repeated: bool = False
    unstated: tuple[FoundOut, ...] = ()
    replicated_at: datetime | None = None


class UnstatedOut(Shape):
    """What looks like a name that a signal does not state."""

    field: str
    words: str


class SourceIn(Shape):
    """Why somebody needs to know a source."""

    ground: str = Field(max_length=40)


class SourceOut(Shape):
    """Who or what the source of a signal is."""

    signal: str
    description: str


class SignalOut(Shape):
    """A signal's page: codes as received, texts with placeholders where a subject is gone."""

    signal: str
    received_on: date
    handed_in_on: date
    contributor: str
    origin: str
    evaluation_scheme: str
    source_grade: str | None
    information_grade: str | None
    handling: str
    markings: tuple[str, ...]
    ports: tuple[str, ...]
    texts: dict[str, str]
    unstated: tuple[UnstatedOut, ...]
    statements: tuple[StatementOut, ...]
    links: tuple[LinkOut, ...]

    @classmethod
    def of(cls, page: SignalPage) -> "SignalOut":
        """Return `page` for the wire."""
        facts = page.facts
        return cls(
            signal=facts.id,
            received_on=facts.received_on,
            handed_in_on=facts.handed_in_on,
            contributor=facts.contributor,
            origin=facts.origin,
            evaluation_scheme=facts.scheme,
            source_grade=facts.source_grade,
            information_grade=facts.information_grade,
            handling=facts.handling,
            markings=facts.markings,
            ports=facts.ports,
            texts=dict(page.texts),
            unstated=tuple(UnstatedOut(field=field, words=words) for field, words in page.unstated),
            statements=tuple(map(StatementOut.of, page.statements)),
            links=tuple(map(LinkOut.of, page.links)),
        )

"""Shapes of requests and answers; unknown fields are refused."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from register.answers import Caption, Hit, Picture, Route, Statement, SubjectPage
from register.grading import SubjectKind
from register.links import Basis, LinkKind
from register.sealed import LinkFacts
from register.stores import HarbourNode
from register.subjects import IdentifierKind

ID = "^[0-9a-f]{32}$"
BORN = "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"


class Shape(BaseModel):
    """A closed set of fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class IdentifierIn(Shape):
    """A strong identifier to search by."""

    kind: IdentifierKind
    value: str = Field(min_length=1, max_length=100)


class SearchIn(Shape):
    """A search: by name, with or without a birth date, or by strong identifier."""

    name: str | None = Field(default=None, min_length=1, max_length=300)
    born_on: str | None = Field(default=None, pattern=BORN)
    identifier: IdentifierIn | None = None
    limit: int = Field(default=10, ge=1, le=50)


class AbsenceIn(Shape):
    """Whom it is asked about."""

    name: str = Field(min_length=1, max_length=300)
    born_on: str | None = Field(default=None, pattern=BORN)
    identifiers: tuple[IdentifierIn, ...] = Field(default=(), max_length=20)


class HitOut(Shape):
    """A subject found."""

    subject: str
    kind: SubjectKind
    names: tuple[str, ...]
    born_on: str | None
    remove_by: date | None
    score: float
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, hit: Hit) -> "HitOut":
        """Return `hit` for the wire."""
        return cls(
            subject=hit.subject,
            kind=hit.kind,
            names=hit.names,
            born_on=hit.born_on,
            remove_by=hit.remove_by,
            score=round(hit.score, 1),
            reasons=hit.reasons,
        )


class HitsOut(Shape):
    """What a search found, best first."""

    hits: tuple[HitOut, ...]


class LinkOut(Shape):
    """A stated link; `to` is a subject or a harbour's UN/LOCODE."""

    id: str
    signal: str
    from_: str = Field(serialization_alias="from")
    to: str
    kind: LinkKind
    basis: Basis
    since: date | None
    until: date | None

    @classmethod
    def of(cls, link: LinkFacts) -> "LinkOut":
        """Return `link` for the wire."""
        return cls(
            id=link.id,
            signal=link.signal,
            from_=link.from_,
            to=link.to,
            kind=link.kind,
            basis=link.basis,
            since=link.since,
            until=link.until,
        )


class StatedIdentifier(Shape):
    """An identifier as a signal states it."""

    kind: IdentifierKind
    value: str


class StatementOut(Shape):
    """What one signal states about a subject."""

    signal: str
    subject: str
    category: str
    names: tuple[str, ...]
    born_on: str | None
    position: str | None
    identifiers: tuple[StatedIdentifier, ...]
    special_categories: tuple[str, ...]

    @classmethod
    def of(cls, one: Statement) -> "StatementOut":
        """Return `one` for the wire."""
        return cls(
            signal=one.signal,
            subject=one.subject,
            category=one.category,
            names=one.names,
            born_on=one.born_on,
            position=one.position,
            identifiers=tuple(StatedIdentifier(kind=each.kind, value=each.value) for each in one.identifiers),
            special_categories=one.special,
        )


class SubjectOut(Shape):
    """A subject's page."""

    subject: str
    kind: SubjectKind
    remove_by: date | None
    statements: tuple[StatementOut, ...]
    links: tuple[LinkOut, ...]

    @classmethod
    def of(cls, page: SubjectPage) -> "SubjectOut":
        """Return `page` for the wire."""
        return cls(
            subject=page.subject,
            kind=page.kind,
            remove_by=page.remove_by,
            statements=tuple(map(StatementOut.of, page.statements)),
            links=tuple(map(LinkOut.of, page.links)),
        )


class NetworkIn(Shape):
    """A link network around one subject; no kinds means all."""

    start: str = Field(pattern=ID)
    depth: int = Field(default=2, ge=1, le=3)
    kinds: tuple[LinkKind, ...] = ()
    budget: int = Field(default=500, ge=1, le=2000)


class PathsIn(Shape):
    """Shortest paths between two subjects; no kinds means all between subjects."""

    from_: str = Field(pattern=ID, alias="from")
    to: str = Field(pattern=ID)
    steps: int = Field(default=6, ge=1, le=6)
    kinds: tuple[LinkKind, ...] = ()
    most: int = Field(default=5, ge=1, le=20)


class CaptionOut(Shape):
    """A subject in a picture."""

    subject: str
    kind: SubjectKind
    name: str
    remove_by: date | None

    @classmethod
    def of(cls, one: Caption) -> "CaptionOut":
        """Return `one` for the wire."""
        return cls(subject=one.subject, kind=one.kind, name=one.name, remove_by=one.remove_by)


class HarbourOut(Shape):
    """A harbour: public reference data."""

    code: str
    name: str
    latitude: float | None
    longitude: float | None

    @classmethod
    def of(cls, one: HarbourNode) -> "HarbourOut":
        """Return `one` for the wire."""
        return cls(code=one.code, name=one.name, latitude=one.latitude, longitude=one.longitude)


class PictureOut(Shape):
    """A link network; `left_out` visible links were beyond the budget."""

    subjects: tuple[CaptionOut, ...]
    harbours: tuple[HarbourOut, ...]
    links: tuple[LinkOut, ...]
    left_out: int

    @classmethod
    def of(cls, picture: Picture) -> "PictureOut":
        """Return `picture` for the wire."""
        return cls(
            subjects=tuple(map(CaptionOut.of, picture.subjects)),
            harbours=tuple(map(HarbourOut.of, picture.harbours)),
            links=tuple(map(LinkOut.of, picture.links)),
            left_out=picture.left_out,
        )


class PathOut(Shape):
    """One path: stops, and the links between them."""

    stops: tuple[str, ...]
    links: tuple[str, ...]


class PathsOut(Shape):
    """Paths of equal, shortest length, with what lies on them."""

    paths: tuple[PathOut, ...]
    network: PictureOut

    @classmethod
    def of(cls, routes: tuple[Route, ...], picture: Picture) -> "PathsOut":
        """Return routes and picture for the wire."""
        paths = tuple(PathOut(stops=one.stops, links=one.links) for one in routes)
        return cls(paths=paths, network=PictureOut.of(picture))


class OnIn(Shape):
    """The civil date a plan or run is for; today when absent."""

    on: date | None = None


class ApprovalIn(Shape):
    """The digest of the plan that is approved."""

    digest: str = Field(pattern="^[0-9a-f]{64}$")


class PolicyIn(Shape):
    """A version of the policy: the name of its file, and its text."""

    file: str = Field(min_length=1, max_length=100)
    text: str = Field(min_length=1, max_length=200_000)


class ImpactIn(Shape):
    """The digest of the impact list that was looked at."""

    impact: str = Field(pattern="^[0-9a-f]{64}$")


class ActorIn(Shape):
    """Somebody to enrol."""

    code: str = Field(pattern="^[a-z0-9][a-z0-9.-]{1,39}$")
    role: str = Field(
        pattern="^(contributor|analyst|desk-officer|reviewer|privacy-officer|compliance-officer|administrator)$"
    )
    markings: tuple[str, ...] = ()
    handling: str = Field(default="H0", pattern="^(H0|H1|H2|H3|11|01|00|200|300)$")
    expires_on: date | None = None

"""Subjects: finding by name or identifier, opening, link networks, paths."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.http.identity import Caller, Served, Why
from api.http.schemas import ID, HitOut, HitsOut, NetworkIn, PathsIn, PathsOut, PictureOut, SearchIn, SubjectOut
from register.errors import Fault, Invalid
from register.ids import SubjectId

router = APIRouter(prefix="/v1", tags=["subjects"])


@router.post("/subjects/search", response_model=HitsOut)
def search(wanted: SearchIn, caller: Caller, why: Why, served: Served) -> HitsOut:
    """Find subjects by name (typing errors forgiven, scores explained) or by strong identifier."""
    if (wanted.name is None) == (wanted.identifier is None):
        raise Invalid([Fault(pointer="", rule="search.one", message="give either a name or an identifier")])
    if wanted.identifier is not None:
        kind, value = wanted.identifier.kind, wanted.identifier.value
        found = served.enquiry.find_by_identifier(caller, why, kind, value)
    else:
        name = wanted.name or ""
        found = served.enquiry.find_by_name(caller, why, name, born_on=wanted.born_on, limit=wanted.limit)
    return HitsOut(hits=tuple(map(HitOut.of, found)))


@router.get("/subjects/{subject}", response_model=SubjectOut)
def open_subject(subject: Annotated[str, Path(pattern=ID)], caller: Caller, why: Why, served: Served) -> SubjectOut:
    """Return everything visible about one subject."""
    return SubjectOut.of(served.enquiry.subject(caller, why, SubjectId(subject)))


@router.post("/network", response_model=PictureOut)
def network(wanted: NetworkIn, caller: Caller, why: Why, served: Served) -> PictureOut:
    """Return the link network around one subject; says how many visible links the budget left out."""
    start = SubjectId(wanted.start)
    return PictureOut.of(
        served.enquiry.network(caller, why, start, depth=wanted.depth, kinds=wanted.kinds, budget=wanted.budget)
    )


@router.post("/paths", response_model=PathsOut)
def paths(wanted: PathsIn, caller: Caller, why: Why, served: Served) -> PathsOut:
    """Return the shortest paths between two subjects."""
    ends = (SubjectId(wanted.from_), SubjectId(wanted.to))
    routes, picture = served.enquiry.paths(caller, why, ends, steps=wanted.steps, kinds=wanted.kinds, most=wanted.most)
    return PathsOut.of(routes, picture)

"""Actors: enrolling and ending. The key of a new actor is shown once."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path

from api.http.identity import Caller, Served
from api.http.schemas import ActorIn

router = APIRouter(prefix="/v1/actors", tags=["actors"])


@router.post("", status_code=201)
def enrol(wanted: ActorIn, caller: Caller, served: Served) -> Mapping[str, str]:
    """Enrol an actor; the answer is the only place where its key is ever shown."""
    key = served.enrolment.enrol(
        caller,
        code=wanted.code,
        role=wanted.role,
        markings=wanted.markings,
        handling=wanted.handling,
        expires_on=wanted.expires_on,
    )
    return {"code": wanted.code, "key": key}


@router.get("")
def actors(caller: Caller, served: Served) -> Mapping[str, object]:
    """Return who is enrolled: code, role, markings, handling, expiry; no key."""
    return {"actors": served.enrolment.actors(caller)}


@router.delete("/{code}", status_code=204)
def end(code: Annotated[str, Path(pattern="^[a-z0-9][a-z0-9.-]{1,39}$")], caller: Caller, served: Served) -> None:
    """End an actor's key at once."""
    served.enrolment.end(caller, code)

"""The desk: signals that lost one of several subjects."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.http.decision_schemas import DeskOut, LeaveIn, PartialOut, begins, cursor
from api.http.identity import Caller, Served, Why
from api.http.schemas import ID
from register.ids import SignalId

router = APIRouter(prefix="/v1/desk", tags=["desk"])


@router.get("", response_model=DeskOut)
def queue(
    caller: Caller,
    why: Why,
    served: Served,
    after: Annotated[str | None, Query(max_length=60)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeskOut:
    """Return the signals that wait for a look at indirect identification, the longest first."""
    begun = begins(after)
    start = None if begun is None else (begun[0], SignalId(begun[1]))
    items, rest = served.offices.desk.queue(caller, why, after=start, limit=limit)
    return DeskOut(items=tuple(map(PartialOut.of, items)), after=cursor(rest))


@router.post("/{signal}/leave", status_code=201)
def leave(
    signal: Annotated[str, Path(pattern=ID)], wanted: LeaveIn, caller: Caller, why: Why, served: Served
) -> Mapping[str, str]:
    """Judge that a signal may stay as it is; that all of it ends is proposed at `/v1/decisions`."""
    desk = served.offices.desk
    return {"dossier": desk.leave(caller, why, SignalId(signal), wanted.revision, wanted.reason)}

"""Absence: whether somebody is in the register at all, for privacy officers. The name enters no log."""

from collections.abc import Mapping

from fastapi import APIRouter

from api.absence import absence as absence_of
from api.http.identity import Caller, Served, Why
from api.http.schemas import AbsenceIn
from register.absence import Asked
from register.subjects import NewIdentifier

router = APIRouter(prefix="/v1", tags=["audit"])


@router.post("/absence")
def absence(wanted: AbsenceIn, caller: Caller, why: Why, served: Served) -> Mapping[str, object]:
    """Say whether somebody is absent from the register, with a signed statement of it."""
    asked = Asked(
        name=wanted.name,
        born_on=wanted.born_on,
        identifiers=tuple(NewIdentifier(kind=one.kind, value=one.value) for one in wanted.identifiers),
    )
    found = absence_of(served).ask(caller, why.purpose, why.case, asked)
    return {
        "absent": found.absent,
        "names": found.names,
        "log_size": found.log_size,
        "asked": {"digest": found.digest, "month": found.month},
        "statement": found.statement.decode("ascii") if found.statement else None,
    }

"""Returns by order of the public prosecutor (Wpg art. 14(3)): proposals, and the second person's answer."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path

from api.exchange.returned import exported
from api.http.decision_schemas import ReturnedOut, ReturnIn, ReturnSettlementIn
from api.http.identity import Caller, Served, Why
from api.http.schemas import ID
from register.ids import DossierId

router = APIRouter(prefix="/v1/returns", tags=["decisions"])


@router.post("", status_code=201)
def propose(wanted: ReturnIn, caller: Caller, why: Why, served: Served) -> Mapping[str, str]:
    """Propose that an archived record returns, with the custodian's export; a second person has to agree."""
    returning = served.offices.returning(served.intake)
    record = exported(wanted.record)
    dossier = returning.propose(
        caller, why, record, authority=wanted.authority, ordered_on=wanted.ordered_on, text=wanted.reason
    )
    return {"dossier": dossier}


@router.post("/{dossier}/settlement", response_model=ReturnedOut)
def settle(
    dossier: Annotated[str, Path(pattern=ID)], wanted: ReturnSettlementIn, caller: Caller, why: Why, served: Served
) -> ReturnedOut:
    """Agree as the second person, with the same export: it enters intake, and the archived copy goes; or decline."""
    record = None if wanted.record is None else exported(wanted.record)
    returning = served.offices.returning(served.intake)
    return ReturnedOut.of(
        returning.settle(caller, why, DossierId(dossier), record, agreed=wanted.agreed, text=wanted.reason)
    )

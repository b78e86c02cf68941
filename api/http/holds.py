"""Holds: laying, seeing, lifting."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path

from api.http.hold_schemas import HoldIn, HoldOut, HoldPageOut, HoldsOut, LiftIn
from api.http.identity import Caller, Served
from api.http.schemas import ID
from register.ids import HoldId

router = APIRouter(prefix="/v1/holds", tags=["holds"])

Hold = Annotated[str, Path(pattern=ID)]


@router.post("", status_code=201)
def lay(wanted: HoldIn, caller: Caller, served: Served) -> Mapping[str, str]:
    """Lay a hold on a ground of the law; it postpones destruction, never removal."""
    return {"hold": served.offices.holding.lay(caller, wanted.case, wanted.wanted())}


@router.get("", response_model=HoldsOut)
def holds(caller: Caller, served: Served) -> HoldsOut:
    """Return all holds, lifted and ended ones too."""
    return HoldsOut(holds=tuple(map(HoldOut.of, served.offices.holding.holds(caller))))


@router.get("/{hold}", response_model=HoldPageOut)
def page(hold: Hold, caller: Caller, served: Served) -> HoldPageOut:
    """Return one hold with its title, mandate and reason."""
    return HoldPageOut.of(served.offices.holding.hold(caller, HoldId(hold)))


@router.post("/{hold}/lifting", status_code=204)
def lift(hold: Hold, wanted: LiftIn, caller: Caller, served: Served) -> None:
    """Lift a hold from today on."""
    served.offices.holding.lift(caller, wanted.case, HoldId(hold), wanted.reason)

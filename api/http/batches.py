"""Many names at once: orders, the second person's answer, and the results as a stream."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import StreamingResponse

from api.further import batches
from api.http.batch_schemas import BatchesOut, BatchIn, BatchOut, NamesIn
from api.http.decision_schemas import SettlementIn
from api.http.identity import Caller, Served, Why
from api.http.schemas import ID, HitOut
from register.batches import Checked
from register.errors import RegisterError
from register.ids import DossierId

router = APIRouter(prefix="/v1/batches", tags=["batches"])


@router.post("", status_code=201)
def order(wanted: BatchIn, caller: Caller, why: Why, served: Served) -> Mapping[str, str]:
    """Order that names are looked up; a second person has to agree. The names are not kept."""
    return {"batch": batches(served).order(caller, why, wanted.wanted, wanted.reason)}


@router.get("", response_model=BatchesOut)
def waiting(caller: Caller, why: Why, served: Served) -> BatchesOut:
    """Return the orders that wait for a second person, without the names."""
    return BatchesOut(batches=tuple(map(BatchOut.of, batches(served).waiting(caller, why))))


@router.post("/{batch}/settlement")
def settle(
    batch: Annotated[str, Path(pattern=ID)], wanted: SettlementIn, caller: Caller, why: Why, served: Served
) -> Mapping[str, str]:
    """Agree to an order as the second person, or decline it."""
    state = batches(served).settle(caller, why, DossierId(batch), agreed=wanted.agreed, text=wanted.reason)
    return {"batch": batch, "state": state}


@router.post("/{batch}/results")
def results(
    batch: Annotated[str, Path(pattern=ID)], wanted: NamesIn, caller: Caller, why: Why, served: Served
) -> StreamingResponse:
    """Look up the names of an order that was agreed to: NDJSON, one line for each name, in order.

    The same names are handed in again, by who ordered them. A last line with `error` says why the stream broke off.
    """
    found = batches(served).results(caller, why, DossierId(batch), wanted.wanted)
    return StreamingResponse(_lines(found), media_type="application/x-ndjson")


def _lines(found: Iterator[Checked]) -> Iterator[bytes]:
    try:
        for one in found:
            yield json.dumps(_line(one), ensure_ascii=False).encode() + b"\n"
    except RegisterError as error:
        # The status line is out already.
        yield json.dumps({"error": error.code, "message": error.message}).encode() + b"\n"


def _line(one: Checked) -> dict[str, object]:
    if one.faults:
        return {"number": one.number, "errors": [{"rule": each.rule, "message": each.message} for each in one.faults]}
    return {"number": one.number, "hits": [HitOut.of(hit).model_dump(mode="json") for hit in one.hits]}

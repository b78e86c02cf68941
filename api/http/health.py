"""Health, readiness, and public reference data."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from api.http.identity import Caller, Served
from api.http.schemas import HarbourOut
from register.stores import HarbourNode

router = APIRouter(tags=["health"])


@router.get("/healthz")
def alive() -> Mapping[str, str]:
    """Say that this process answers."""
    return {"status": "alive"}


@router.get("/readyz")
def ready(served: Served) -> JSONResponse:
    """Say whether this process can serve: table of names complete, graph and key store reached."""
    state = served.readiness()
    return JSONResponse(state, status_code=200 if all(state.values()) else 503)


@router.get("/v1/ports", tags=["ports"])
def ports(
    _: Caller, served: Served, text: Annotated[str, Query(min_length=1, max_length=100)]
) -> Mapping[str, tuple[HarbourOut, ...]]:
    """Find harbours by UN/LOCODE or name."""
    found = served.harbours.search(text, 20)
    nodes = (HarbourNode(code=one.code, name=one.name, latitude=one.latitude, longitude=one.longitude) for one in found)
    return {"ports": tuple(map(HarbourOut.of, nodes))}

"""Health, readiness, and public reference data."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from api.archive import alarms
from api.http.identity import Caller, Served
from api.http.schemas import HarbourOut
from api.metrics import MEDIA_TYPE, Metrics
from api.replicas import window
from api.wiring import Workplace
from api.witnessing import witnessing
from register.backlog import OVERDUE, REVIEWS_LATE
from register.clock import civil_date
from register.errors import NotFound
from register.stores import HarbourNode
from retention.intent import CANARY_OUTLIVED

router = APIRouter(tags=["health"])

_SHOWN: Final = ("name", "current", "rows_missing", "entries_missing")
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


@router.get("/healthz")
def alive() -> Mapping[str, str]:
    """Say that this process answers."""
    return {"status": "alive"}


@router.get("/readyz")
def ready(served: Served) -> JSONResponse:
    """Say whether this process can serve: table of names complete, graph and key store reached; and what alarms."""
    state = served.readiness()
    late = state["graph"] and served.offices.backlog.overdue(served.clock.now())
    told = (*alarms(served), OVERDUE) if late else alarms(served)
    if state["graph"] and served.offices.reviews_late():
        told = (*told, REVIEWS_LATE)
    canary = served.erasure.canary() if state["graph"] else None
    if canary is not None and canary.outlived(civil_date(served.clock.now())):
        told = (*told, CANARY_OUTLIVED)
    details: dict[str, object] = {
        "names_loaded": served.roster.size,
        "generation": served.store.generation,
        "alarms": told,
    }
    details["witnesses"] = _witnesses(served)
    details["replicas"] = [{name: one[name] for name in _SHOWN} for one in window(served.store, served.logbook)]
    return JSONResponse({**state, "details": details}, status_code=200 if all(state.values()) else 503)


def _witnesses(served: Workplace) -> Mapping[str, int]:
    witnesses = witnessing(served.logbook, served.settings).cosignatures
    seen = witnesses.newest()
    cosigned, size = (0, 0) if seen is None else (len(seen.witnesses), seen.checkpoint.size)
    return {"known": witnesses.known, "needed": witnesses.needed, "cosigned": cosigned, "entries": size}


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request, served: Served) -> Response:
    """Return numbers for monitoring, to the addresses that may read them; absent for everybody else.

    It takes no credential, since it holds neither ids nor codes. A proxy in front of the API speaks from an address
    that may read it: what came through one is refused.
    """
    client = request.client.host if request.client else ""
    if any(name in request.headers for name in _FORWARDED) or not allowed(client, served.settings.metrics_from):
        raise NotFound
    shown: Metrics = request.app.state.metrics
    return Response(shown.text(), media_type=MEDIA_TYPE)


def allowed(client: str, networks: str) -> bool:
    """Say whether an address lies in one of the networks, given with commas between them."""
    try:
        address = ip_address(client)
        return any(address in ip_network(one.strip()) for one in networks.split(",") if one.strip())
    except ValueError:  # what is misspelt allows nobody
        return False


@router.get("/v1/ports", tags=["ports"])
def ports(
    _: Caller, served: Served, text: Annotated[str, Query(min_length=1, max_length=100)]
) -> Mapping[str, tuple[HarbourOut, ...]]:
    """Find harbours by UN/LOCODE or name."""
    found = served.harbours.search(text, 20)
    nodes = (HarbourNode(code=one.code, name=one.name, latitude=one.latitude, longitude=one.longitude) for one in found)
    return {"ports": tuple(map(HarbourOut.of, nodes))}

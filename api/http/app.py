"""The HTTP application: routes, problems, headers. Takes an opened register and serves it."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import FastAPI, Request, Response

from api.http import (
    absence,
    actors,
    audit,
    batches,
    decisions,
    desk,
    export,
    health,
    holds,
    policies,
    problems,
    retention,
    returns,
    reviews,
    signals,
    subjects,
)
from api.http.identity import Caller
from api.http.limits import BodyLimit
from api.sampling import metrics
from api.wiring import Workplace

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create(workplace: Workplace) -> FastAPI:
    """Return the application that serves `workplace`."""
    app = FastAPI(title="theme-register", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.workplace = workplace
    app.state.metrics = metrics(workplace)
    problems.install(app)
    for module in (
        signals,
        subjects,
        reviews,
        batches,
        decisions,
        desk,
        returns,
        holds,
        retention,
        policies,
        audit,
        export,
        absence,
        actors,
        health,
    ):
        app.include_router(module.router)

    app.add_middleware(BodyLimit)

    @app.get("/v1/openapi.json", include_in_schema=False)
    def document(_: Caller) -> dict[str, Any]:
        """Return the OpenAPI document; nothing is anonymous but health."""
        return app.openapi()

    @app.middleware("http")
    async def headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    return app

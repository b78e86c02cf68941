"""Errors as problem details (RFC 9457), from one total table. Nothing handed in is ever echoed."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from register.errors import Conflict, Exhausted, Fault, Invalid, NotFound, Refused, RegisterError, Tampered, Unavailable

STATUS: Final[Mapping[type[RegisterError], int]] = {
    Refused: 403,
    Exhausted: 429,
    Invalid: 422,
    NotFound: 404,
    Conflict: 409,
    Unavailable: 503,
    Tampered: 500,
}
TITLE: Final = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Refused",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid",
    429: "Used up",
    500: "Stored data does not verify",
    503: "Unavailable",
}
MEDIA: Final = "application/problem+json"
RETRY_SECONDS: Final = 2


def problem(
    status: int, code: str, detail: str = "", faults: tuple[Fault, ...] = (), headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return a problem document; `faults` become the extension member `errors` with JSON pointer, rule and message."""
    body: dict[str, Any] = {
        "type": f"urn:theme-register:problem:{code}",
        "title": TITLE.get(status, "Error"),
        "status": status,
        "code": code,
    }
    if detail:
        body["detail"] = detail
    if faults:
        body["errors"] = [{"pointer": one.pointer, "rule": one.rule, "message": one.message} for one in faults]
    return JSONResponse(body, status_code=status, media_type=MEDIA, headers=dict(headers or {}))


def of(error: RegisterError) -> JSONResponse:
    """Return the problem document of one of the register's own errors."""
    status = next(STATUS[family] for family in type(error).__mro__ if family in STATUS)
    if isinstance(error, Invalid):
        return problem(status, error.code, "see errors", error.faults)
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else None
    return problem(status, error.code, error.message, headers=headers)


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""

    @app.exception_handler(RegisterError)
    async def register_error(_: Request, error: RegisterError) -> JSONResponse:
        return of(error)

    @app.exception_handler(RequestValidationError)
    async def shape_error(_: Request, error: RequestValidationError) -> JSONResponse:
        faults = tuple(
            Fault(pointer=_pointer(one["loc"]), rule=f"shape.{one['type']}", message=_sentence(str(one["type"])))
            for one in error.errors()
        )
        return problem(422, "invalid", "see errors", faults)

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> JSONResponse:
        code = {401: "unauthenticated", 404: "not-found", 405: "method", 413: "too-large", 415: "media-type"}
        return problem(error.status_code, code.get(error.status_code, "http"), headers=error.headers)

    @app.exception_handler(RecursionError)
    async def too_deep(_: Request, __: RecursionError) -> JSONResponse:
        return problem(400, "json.depth", "the body is nested too deeply")

    @app.exception_handler(Exception)
    async def unforeseen(_: Request, __: Exception) -> JSONResponse:
        return problem(500, "internal", "an unforeseen error; nothing more is said about it here")


def _pointer(location: tuple[int | str, ...]) -> str:
    """Return where, as a JSON pointer into the body or, for a header or a query parameter, its name."""
    parts = location[1:] if location and location[0] == "body" else location
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _sentence(kind: str) -> str:
    known = {
        "missing": "is required",
        "extra_forbidden": "is not a field of this request",
        "json_invalid": "is not JSON",
        "enum": "is not one of the listed values",
        "date_from_datetime_parsing": "must be a date, YYYY-MM-DD",
        "date_parsing": "must be a date, YYYY-MM-DD",
        "string_pattern_mismatch": "does not have the required form",
        "string_too_long": "is too long",
        "string_too_short": "is too short",
    }
    return known.get(kind, "does not have the required type or range")

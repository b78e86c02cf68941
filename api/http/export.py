"""Exports of the audit log, streamed: NDJSON and CSV of entries, and the evidence pack for a period."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.http.audit import Asked, activity, told
from api.http.identity import Caller, Served, Why
from register.logged import LoggedEntry
from register.oversight import Activity

router = APIRouter(prefix="/v1/audit", tags=["audit"])

NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv; charset=utf-8"
COLUMNS: Final = (
    "index", "at", "actor", "role", "act", "outcome", "purpose", "case", "targets", "count", "detail", "id"
)  # fmt: skip
DESTROYED: Final = ("certificate", "sequence", "run", "ended_at", "rule", "act", "article", "count", "approved_by")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Format = Annotated[Literal["ndjson", "csv"], Query(alias="format")]


@router.get("/export", response_class=StreamingResponse)
def export(asked: Asked, caller: Caller, why: Why, served: Served, form: Format = "ndjson") -> StreamingResponse:
    """Return all entries of a question, oldest first, streamed. The export is itself an entry of the log."""
    found = served.oversight.export(caller, why.purpose, why.case, asked)
    lines = _ndjson(found.entries) if form == "ndjson" else _csv(COLUMNS, map(_row, found.entries))
    return _streamed(lines, "audit", form)


@router.get("/report/export", response_class=StreamingResponse)
def report_export(
    since: date, until: date, caller: Caller, why: Why, served: Served, form: Format = "ndjson"
) -> StreamingResponse:
    """Return what was destroyed and removed on these days, a line for each certificate and rule."""
    found = served.oversight.activity(caller, why.purpose, why.case, since, until)
    rows = list(_destroyed(found))
    lines = _csv(DESTROYED, rows) if form == "csv" else (json.dumps(row).encode() + b"\n" for row in rows)
    return _streamed(lines, "destroyed", form)


@router.get("/pack", response_class=StreamingResponse)
def pack(since: date, until: date, caller: Caller, why: Why, served: Served) -> StreamingResponse:
    """Return the evidence for a period: the report, then checkpoint, keys, certificates and proofs, a file a line."""
    found, evidence = served.oversight.pack(caller, why.purpose, why.case, since, until)

    def lines() -> Iterator[bytes]:
        yield _file("report.json", json.dumps(activity(found), default=str, indent=1))
        for name, content in evidence:
            yield _file(name, content.decode("utf-8"))

    return _streamed(lines(), "pack", "ndjson")


def _file(name: str, text: str) -> bytes:
    return json.dumps({"name": name, "text": text}).encode() + b"\n"


def _ndjson(entries: Iterator[LoggedEntry]) -> Iterator[bytes]:
    for entry in entries:
        yield json.dumps(told(entry), separators=(",", ":")).encode() + b"\n"


def _row(entry: LoggedEntry) -> Mapping[str, Any]:
    body = told(entry)
    detail = " ".join(f"{name}={value}" for name, value in sorted(body["detail"].items()))
    return {**body, "targets": " ".join(body["targets"]), "detail": detail}


def _destroyed(found: Activity) -> Iterator[Mapping[str, Any]]:
    for one in found.report.ended:
        own = {"certificate": one.certificate, "sequence": one.sequence, "run": one.run}
        own |= {"ended_at": one.ended_at.isoformat()}
        approved = " ".join(sorted({each["actor"] for each in one.approvals}))
        for rule in one.rules:
            told = {name: rule[name] for name in ("rule", "act", "article", "count")}
            yield {**own, **told, "approved_by": approved}


def _csv(columns: tuple[str, ...], rows: Iterator[Mapping[str, Any]] | list[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield lines of CSV (RFC 4180); no cell can be taken for a formula."""
    line = io.StringIO(newline="")
    writer = csv.writer(line)
    writer.writerow(columns)
    for row in rows:
        yield _taken(line)
        writer.writerow([safe(row[column]) for column in columns])
    yield _taken(line)


def safe(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe in front."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _taken(line: io.StringIO) -> bytes:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text.encode("utf-8")


def _streamed(lines: Iterator[bytes], name: str, form: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return StreamingResponse(lines, media_type=CSV if form == "csv" else NDJSON, headers=headers)

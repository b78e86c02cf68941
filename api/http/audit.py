"""Audit: who did what, proofs of it, and reports on a period, for officers. Ids and codes only."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import PlainTextResponse

from api.http.identity import Caller, Served, Why
from api.http.schemas import ID
from register.audit import Act, Outcome
from register.logged import LoggedEntry, Question
from register.oversight import Activity, period

router = APIRouter(prefix="/v1/audit", tags=["audit"])

_Code = Annotated[str, Query(pattern="^[a-z0-9][a-z0-9.-]{0,39}$|^$")]


def question(
    actor: _Code = "",
    act: Act | None = None,
    outcome: Outcome | None = None,
    purpose: _Code = "",
    case: Annotated[str, Query(alias="of-case", pattern="^[A-Z0-9/-]{0,40}$")] = "",
    target: Annotated[str, Query(pattern="^([0-9a-f]{32})?$", description="id that the entries are about")] = "",
    since: Annotated[date | None, Query(description="first day, Europe/Amsterdam")] = None,
    until: Annotated[date | None, Query(description="last day, Europe/Amsterdam")] = None,
) -> Question:
    """Return what is asked, from the query."""
    begins, ends = _instants(since, until)
    return Question(
        actor=actor,
        act=act or "",
        outcome=outcome or "",
        purpose=purpose,
        case=case,
        target=target,
        since=begins,
        until=ends,
    )


Asked = Annotated[Question, Depends(question)]


@router.get("/entries")
def entries(
    asked: Asked,
    caller: Caller,
    why: Why,
    served: Served,
    after: Annotated[str, Query(max_length=40, description="`after` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Mapping[str, object]:
    """Return entries of the sealed log, newest first; what the last second held may follow."""
    page = served.oversight.entries(caller, why.purpose, why.case, asked, after=after, limit=limit)
    return {"entries": [told(one) for one in page.entries], "after": page.after}


@router.get("/checkpoint", response_class=PlainTextResponse)
def checkpoint(caller: Caller, served: Served) -> PlainTextResponse:
    """Return the newest signed checkpoint (C2SP tlog-checkpoint)."""
    return PlainTextResponse(served.oversight.checkpoint(caller).decode("utf-8"))


@router.get("/proofs/{entry}", response_class=PlainTextResponse)
def proof(entry: Annotated[str, Path(pattern=ID)], caller: Caller, why: Why, served: Served) -> PlainTextResponse:
    """Return the proof that an entry is in the log (C2SP tlog-proof); its `extra` is the entry's salt and body."""
    return PlainTextResponse(served.oversight.proof(caller, why.purpose, why.case, entry).decode("utf-8"))


@router.get("/report")
def report(since: date, until: date, caller: Caller, why: Why, served: Served) -> Mapping[str, object]:
    """Return what was done on these days, and all destroyed and removed by rule, compared with the log."""
    return activity(served.oversight.activity(caller, why.purpose, why.case, since, until))


def told(entry: LoggedEntry) -> Mapping[str, Any]:
    """Return an entry for the wire: its body as it was logged, and its index in the log."""
    return {"index": entry.index, **entry.body}


def activity(found: Activity) -> Mapping[str, Any]:
    """Return a report for the wire."""
    told: dict[str, Any] = asdict(found.report)
    return told | {"acts": [asdict(one) for one in found.tallies], "log_size": found.size}


def _instants(since: date | None, until: date | None) -> tuple[datetime | None, datetime | None]:
    begins, ends = period(since or date.min.replace(year=2), until or date.max.replace(year=9998))
    return begins if since else None, ends if until else None

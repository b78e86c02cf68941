"""Retention: what is due, runs and their approval, certificates. No content passes here."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse

from api.http.identity import Caller, Served
from api.http.schemas import ID, ApprovalIn, OnIn
from register.ids import RunId, SubjectId

QUARTER: Final = 13
Weeks = Annotated[int, Query(ge=1, le=60, description="how many weeks")]

router = APIRouter(prefix="/v1/retention", tags=["retention"])


@router.post("/plans")
def plan(wanted: OnIn, caller: Caller, served: Served) -> Mapping[str, object]:
    """Return what a run on that date would do, and why; nothing is changed."""
    return served.custody.plan(caller, wanted.on)


@router.get("/cases", response_class=StreamingResponse)
def cases(caller: Caller, served: Served) -> StreamingResponse:
    """Return the facts of every live record as NDJSON of retention-case/1: ids, dates and codes only."""
    found = served.custody.cases(caller)
    return StreamingResponse((json.dumps(one).encode() + b"\n" for one in found), media_type="application/x-ndjson")


@router.get("/calendar")
def calendar(caller: Caller, served: Served, weeks: Weeks = QUARTER) -> Mapping[str, object]:
    """Return how much becomes due in each of the coming weeks, if nothing more happens."""
    return served.custody.calendar(caller, weeks)


@router.get("/rehearsal")
def rehearsal(caller: Caller, served: Served, weeks: Weeks = QUARTER) -> Mapping[str, object]:
    """Return the runs of the coming weeks on paper; nothing is changed."""
    return served.custody.rehearse(caller, weeks)


@router.get("/subjects/{subject}")
def explanation(
    subject: Annotated[str, Path(pattern=ID)],
    caller: Caller,
    served: Served,
    on: Annotated[date | None, Query(description="civil date; default: today")] = None,
) -> Mapping[str, object]:
    """Return where a subject, or an archived record, stands on a day: the arithmetic in words, and its facts."""
    return served.custody.explain(caller, SubjectId(subject), on)


@router.post("/runs", status_code=202)
def order(wanted: OnIn, caller: Caller, served: Served) -> Mapping[str, str]:
    """Order a run; the keeper carries it out."""
    return {"run": served.custody.order(caller, wanted.on)}


@router.get("/clock")
def clock(caller: Caller, served: Served) -> Mapping[str, object]:
    """Return whether the machine's clock is believed; while it is not, no run begins."""
    return served.custody.see_clock(caller)


@router.post("/clock/confirmation")
def confirm_clock(caller: Caller, served: Served) -> Mapping[str, object]:
    """Confirm that the machine's clock is right, after a jump that the keeper cannot explain; it takes two officers."""
    return served.custody.confirm_clock(caller)


@router.get("/processing")
def processing(caller: Caller, served: Served) -> Mapping[str, object]:
    """Return the controller's register of processing (Wpg art. 31d), gathered from what is in force."""
    return served.custody.processing(caller)


@router.get("/runs")
def runs(caller: Caller, served: Served) -> Mapping[str, object]:
    """Return runs and orders, newest first."""
    return {"runs": served.custody.runs(caller)}


@router.post("/runs/{run}/approval", status_code=204)
def approve(run: Annotated[str, Path(pattern=ID)], wanted: ApprovalIn, caller: Caller, served: Served) -> None:
    """Approve a waiting plan as the second person."""
    served.custody.approve(caller, RunId(run), wanted.digest)


@router.get("/certificates")
def certificates(caller: Caller, served: Served) -> Mapping[str, object]:
    """Return the certificates filed, newest first."""
    return {"certificates": served.custody.certificates(caller)}


@router.get("/certificates/{certificate}")
def certificate(certificate: Annotated[str, Path(pattern=ID)], caller: Caller, served: Served) -> Mapping[str, str]:
    """Return the files of one certificate: envelope, proof, policy text, verifier keys."""
    return served.custody.certificate(caller, certificate)


@router.get("/certificates/{certificate}/print", response_class=Response)
def printed(
    certificate: Annotated[str, Path(pattern=ID)],
    caller: Caller,
    served: Served,
    language: Annotated[Literal["en", "nl"] | None, Query(description="default: the register's language")] = None,
) -> Response:
    """Return one certificate as an accessible PDF; one that does not verify is not printed."""
    from api.print.check import certificate_pdf  # the typesetter is loaded when somebody prints

    files = served.custody.certificate(caller, certificate)
    found = {name: text.encode("utf-8") for name, text in files.items()}
    wanted: Literal["en", "nl"] = language or ("nl" if served.language == "nl" else "en")
    name = f"certificate-{certificate[:8]}-{wanted}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Content-Language": wanted}
    return Response(certificate_pdf(found, wanted), media_type="application/pdf", headers=headers)

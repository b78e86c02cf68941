"""Signals: handing in, one or many; receipts; opening."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.exchange.signal_v1 import read
from api.exchange.strict_json import MEBIBYTE
from api.further import shielded
from api.http.identity import Caller, Served, Why
from api.http.schemas import ID
from api.http.signal_schemas import FoundOut, ReceiptOut, SignalOut, SourceIn, SourceOut
from api.replicas import replicated_at
from api.wiring import Workplace
from register.access import Actor
from register.errors import Invalid, RegisterError
from register.handed import Answer, Receipt
from register.ids import ReceiptId, SignalId
from register.rules import fault
from register.signals import NewSignal

router = APIRouter(prefix="/v1", tags=["signals"])

BATCH: Final = 200
"""Lines of one batch that are taken in together."""


@router.post("/signals", status_code=201, response_model=ReceiptOut)
async def record(request: Request, response: Response, caller: Caller, served: Served) -> ReceiptOut:
    """Take in one signal (format signal/1): 201 with its receipt; 200 with the receipt of then when it is a repeat."""
    receipt = await run_in_threadpool(served.intake.record, caller, read(await request.body()))
    if receipt.repeated:
        response.status_code = 200
    return ReceiptOut(
        receipt=receipt.id,
        reference=receipt.reference,
        repeated=receipt.repeated,
        unstated=tuple(FoundOut(**one._asdict()) for one in receipt.unstated),
        replicated_at=replicated_at(served.store),
    )


class _BothWays(StreamingResponse):
    """A streamed answer to a streamed question.

    The plain one listens for the caller's end meanwhile, by reading the very body that the answer is made from.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI's arguments)
        await self.stream_response(send)


@router.post("/signals/batch")
async def record_batch(request: Request, caller: Caller, served: Served) -> StreamingResponse:
    """Take in NDJSON, streamed both ways: one result line for every line handed in, in order.

    Good lines are stored, bad ones come back with their faults. Handing in the same lines again stores nothing twice.
    """
    return _BothWays(_results(request, caller, served), media_type="application/x-ndjson")


@router.get("/receipts/{receipt}", response_model=ReceiptOut)
def receipt(receipt: Annotated[str, Path(pattern=ID)], caller: Caller, served: Served) -> ReceiptOut:
    """Return the state of one of the caller's own receipts."""
    found, stored = served.intake.receipt(caller, ReceiptId(receipt))
    state = "accepted" if stored else "pending"
    return ReceiptOut(receipt=found.id, reference="", state=state, replicated_at=replicated_at(served.store))


@router.get("/signals/{signal}", response_model=SignalOut)
def open_signal(signal: Annotated[str, Path(pattern=ID)], caller: Caller, why: Why, served: Served) -> SignalOut:
    """Return one signal, readable."""
    return SignalOut.of(served.enquiry.open_signal(caller, why, SignalId(signal), language=served.language))


@router.post("/signals/{signal}/source", response_model=SourceOut)
def open_source(
    signal: Annotated[str, Path(pattern=ID)], wanted: SourceIn, caller: Caller, why: Why, served: Served
) -> SourceOut:
    """Return the shielded description of a signal's source, to who may know sources."""
    page = shielded(served).open(caller, why, SignalId(signal), wanted.ground, language=served.language)
    return SourceOut(signal=page.signal, description=page.description)


async def _lines(request: Request) -> AsyncIterator[bytes | None]:
    """Yield the lines of the body; None for one that is too long, of which no more than the limit is ever held."""
    held, dropping = bytearray(), False
    async for chunk in request.stream():
        held += chunk
        while (end := held.find(b"\n")) >= 0:
            yield None if dropping else bytes(held[:end])
            del held[: end + 1]
            dropping = False
        if len(held) > MEBIBYTE:
            held.clear()
            dropping = True
    if dropping or held.strip():
        yield None if dropping else bytes(held)


async def _results(request: Request, caller: Actor, served: Workplace) -> AsyncIterator[bytes]:
    batch: list[tuple[int, NewSignal | Invalid]] = []
    number = 0
    try:
        async for line in _lines(request):
            number += 1
            if line is None or line.strip():
                batch.append((number, _parsed(line)))
            if len(batch) == BATCH:
                yield await run_in_threadpool(_taken, batch, caller, served)
                batch = []
        if batch:
            yield await run_in_threadpool(_taken, batch, caller, served)
    except RegisterError as error:
        # The status line is out already: the last line says why the stream ends here and from which line to go on.
        resume = batch[0][0] if batch else number + 1
        yield json.dumps({"error": error.code, "message": error.message, "resume_at_line": resume}).encode() + b"\n"


def _parsed(line: bytes | None) -> NewSignal | Invalid:
    if line is None:
        return Invalid([fault("", "json.size", limit=MEBIBYTE)])
    try:
        return read(line)
    except Invalid as invalid:
        return invalid


def _taken(batch: list[tuple[int, NewSignal | Invalid]], caller: Actor, served: Workplace) -> bytes:
    good = [signal for _, signal in batch if not isinstance(signal, Invalid)]
    taken = iter(served.intake.record_all(caller, good))
    answers = [(line, one if isinstance(one, Invalid) else next(taken)) for line, one in batch]
    return b"".join(json.dumps(_result(line, answer)).encode() + b"\n" for line, answer in answers)


def _result(line: int, answer: Answer) -> dict[str, object]:
    if isinstance(answer, Receipt):
        found = [one._asdict() for one in answer.unstated]
        return {"line": line, "receipt": answer.id, "repeated": answer.repeated, "unstated": found}
    faults = answer.faults if isinstance(answer, Invalid) else ()
    errors = [{"pointer": one.pointer, "rule": one.rule, "message": one.message} for one in faults]
    return {"line": line, "error": answer.code, "errors": errors}

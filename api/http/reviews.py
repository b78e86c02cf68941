"""Reviews: the queue, what a review looks at, and one decision for each subject."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.http.decision_schemas import DecidedOut, DecisionIn, QueueOut, ReviewOut, begins
from api.http.identity import Caller, Served, Why
from api.http.schemas import ID
from register.ids import SubjectId

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])

Subject = Annotated[str, Path(pattern=ID)]


@router.get("", response_model=QueueOut)
def queue(
    caller: Caller,
    why: Why,
    served: Served,
    after: Annotated[str | None, Query(max_length=60)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> QueueOut:
    """Return what is due for review within 90 days or overdue, the longest overdue first."""
    begun = begins(after)
    start = None if begun is None else (begun[0], SubjectId(begun[1]))
    return QueueOut.of(served.offices.review.queue(caller, why, after=start, limit=limit))


@router.get("/{subject}", response_model=ReviewOut)
def page(subject: Subject, caller: Caller, why: Why, served: Served) -> ReviewOut:
    """Return everything about one subject, and why its dates are what they are."""
    return ReviewOut.of(served.offices.review.page(caller, why, SubjectId(subject)))


@router.post("/{subject}/decisions", response_model=DecidedOut, status_code=201)
def decide(subject: Subject, wanted: DecisionIn, caller: Caller, why: Why, served: Served) -> DecidedOut:
    """Decide about one subject: still needed, new information, no longer necessary, restrict, lift the restriction."""
    review = served.offices.review
    return DecidedOut.of(review.decide(caller, why, SubjectId(subject), wanted.revision, wanted.judgement()))

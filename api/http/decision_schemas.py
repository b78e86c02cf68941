"""Shapes of reviews, early ends, the desk and holds; unknown fields are refused."""

import re
from datetime import date
from typing import Any, Final

from pydantic import Field

from api.http.schemas import ID, Shape, StatedIdentifier
from register.accepted import OpenedMention
from register.decision_stores import Accepted
from register.decisions import Decision, DossierState, EndCode, RestrictionCode, ReviewCode
from register.desk import Partial
from register.ending import Proposal, Settled
from register.errors import Fault, Invalid
from register.grading import SubjectKind
from register.ids import SignalId
from register.judgements import Decided, Due, Judgement, Question, Queue, ReviewPage, Standing
from register.returning import Returned

TEXT: Final = 4000

_CURSOR: Final = re.compile(r"(\d{4}-\d{2}-\d{2})\.([0-9a-f]{32})")


def cursor(after: tuple[date, str] | None) -> str | None:
    """Return where the next page begins, as a caller hands it back."""
    return None if after is None else f"{after[0].isoformat()}.{after[1]}"


def begins(text: str | None) -> tuple[date, str] | None:
    """Return what `cursor` wrote. Raises Invalid."""
    if not text:
        return None
    match = _CURSOR.fullmatch(text)
    try:
        if match is not None:
            return date.fromisoformat(match[1]), match[2]
    except ValueError:
        pass
    raise Invalid([Fault(pointer="/after", rule="cursor.form", message="is no place that a page before named")])


class DueOut(Shape):
    """A subject that waits for its review."""

    subject: str
    kind: SubjectKind
    name: str
    revision: int
    standing: Standing
    review_by: date
    hidden_from: date
    remove_by: date
    ends_on: date

    @classmethod
    def of(cls, one: Due) -> "DueOut":
        """Return `one` for the wire."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class QueueOut(Shape):
    """A page of the queue; `after` asks for the next, null at the end."""

    items: tuple[DueOut, ...]
    after: str | None

    @classmethod
    def of(cls, queue: Queue) -> "QueueOut":
        """Return `queue` for the wire."""
        return cls(items=tuple(map(DueOut.of, queue.items)), after=cursor(queue.after))


class StatedOut(Shape):
    """What one signal calls a subject."""

    signal: str
    category: str
    names: tuple[str, ...]
    born_on: str | None
    identifiers: tuple[StatedIdentifier, ...]
    special_categories: tuple[str, ...]

    @classmethod
    def of(cls, one: OpenedMention) -> "StatedOut":
        """Return `one` for the wire."""
        return cls(
            signal=one.facts.signal,
            category=one.facts.category,
            names=one.names,
            born_on=one.born_on,
            identifiers=tuple(StatedIdentifier(kind=each.kind, value=each.value) for each in one.identifiers),
            special_categories=one.facts.special,
        )


class AcceptedOut(Shape):
    """When a signal about a subject was received and accepted."""

    signal: str
    received_on: date
    accepted_on: date

    @classmethod
    def of(cls, one: Accepted) -> "AcceptedOut":
        """Return `one` for the wire."""
        return cls(signal=one.signal, received_on=one.received_on, accepted_on=one.accepted_on)


class TakenOut(Shape):
    """A decision taken earlier."""

    on: date
    kind: str
    code: str
    dossier: str

    @classmethod
    def of(cls, one: Decision) -> "TakenOut":
        """Return `one` for the wire."""
        return cls(on=one.on, kind=one.kind, code=one.code, dossier=one.dossier)


class ReviewOut(Shape):
    """Everything that a review looks at."""

    subject: str
    kind: SubjectKind
    revision: int
    restricted: bool
    review_by: date
    hidden_from: date
    remove_by: date
    rule: str
    citation: str
    because: tuple[str, ...]
    statements: tuple[StatedOut, ...]
    signals: tuple[AcceptedOut, ...]
    decisions: tuple[TakenOut, ...]
    questions: tuple[Question, ...] = tuple(Question)

    @classmethod
    def of(cls, page: ReviewPage) -> "ReviewOut":
        """Return `page` for the wire."""
        facts = page.facts
        return cls(
            subject=facts.id,
            kind=facts.kind,
            revision=facts.revision,
            restricted=facts.restricted,
            review_by=facts.review_by,
            hidden_from=facts.hidden_from,
            remove_by=facts.remove_by,
            rule=page.rule,
            citation=page.citation,
            because=page.because,
            statements=tuple(map(StatedOut.of, page.mentions)),
            signals=tuple(map(AcceptedOut.of, page.signals)),
            decisions=tuple(map(TakenOut.of, page.decisions)),
        )


class DecisionIn(Shape):
    """One decision about one subject, in the revision that was seen."""

    revision: int = Field(ge=1)
    outcome: ReviewCode
    reason: str = Field(min_length=1, max_length=TEXT)
    answers: dict[Question, bool] = Field(default_factory=dict)
    information: tuple[str, ...] = Field(default=(), max_length=100)
    ground: RestrictionCode | None = None

    def judgement(self) -> Judgement:
        """Return it in the register's words."""
        return Judgement(
            outcome=self.outcome,
            text=self.reason,
            answers=self.answers,
            information=tuple(map(SignalId, self.information)),
            ground=self.ground,
        )


class DecidedOut(Shape):
    """What was decided, the rule it rests on, and the dates that follow."""

    dossier: str
    state: DossierState
    rule: str
    review_by: date
    hidden_from: date
    remove_by: date
    restricted: bool

    @classmethod
    def of(cls, one: Decided) -> "DecidedOut":
        """Return `one` for the wire."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class EndIn(Shape):
    """A proposal that a subject (in the revision seen) or a whole signal ends early."""

    subject: str | None = Field(default=None, pattern=ID)
    revision: int | None = Field(default=None, ge=1)
    signal: str | None = Field(default=None, pattern=ID)
    ground: EndCode
    reason: str = Field(min_length=1, max_length=TEXT)


class ProposalOut(Shape):
    """A proposal that waits for a second person."""

    dossier: str
    ground: str
    on: date
    by: str
    case: str
    target: str
    reason: str

    @classmethod
    def of(cls, one: Proposal) -> "ProposalOut":
        """Return `one` for the wire."""
        facts = one.facts
        return cls(
            dossier=facts.id,
            ground=facts.code,
            on=facts.on,
            by=facts.by,
            case=facts.case,
            target=facts.targets[0],
            reason=one.reason,
        )


class ProposalsOut(Shape):
    """The proposals that wait, the oldest first."""

    proposals: tuple[ProposalOut, ...]


class SettlementIn(Shape):
    """A second person's answer to a proposal."""

    agreed: bool
    reason: str = Field(min_length=1, max_length=TEXT)


class SettledOut(Shape):
    """How a proposal ended; `run` is the run ordered with it."""

    dossier: str
    state: DossierState
    run: str | None

    @classmethod
    def of(cls, one: Settled) -> "SettledOut":
        """Return `one` for the wire."""
        return cls(dossier=one.dossier, state=one.state, run=one.run)


class PartialOut(Shape):
    """A signal that lost one of several subjects."""

    signal: str
    revision: int
    since: date
    subjects: int

    @classmethod
    def of(cls, one: Partial) -> "PartialOut":
        """Return `one` for the wire."""
        return cls(signal=one.signal, revision=one.revision, since=one.since, subjects=one.subjects)


class DeskOut(Shape):
    """A page of the desk's queue."""

    items: tuple[PartialOut, ...]
    after: str | None


class LeaveIn(Shape):
    """The desk's judgement that a signal may stay as it is."""

    revision: int = Field(ge=1)
    reason: str = Field(min_length=1, max_length=TEXT)


class ReturnIn(Shape):
    """A proposal that an archived record returns by order: the custodian's export, who ordered it, and when."""

    record: dict[str, Any]
    authority: str = Field(min_length=1, max_length=TEXT)
    ordered_on: date
    reason: str = Field(min_length=1, max_length=TEXT)


class ReturnSettlementIn(Shape):
    """A second person's answer; who agrees hands in the same export."""

    agreed: bool
    reason: str = Field(min_length=1, max_length=TEXT)
    record: dict[str, Any] | None = None


class ReturnedOut(Shape):
    """How the proposal ended: the subject that is live again, and the run that destroys the archived copy."""

    dossier: str
    state: DossierState
    subject: str | None
    run: str | None

    @classmethod
    def of(cls, returned: Returned) -> "ReturnedOut":
        """Return it for the answer."""
        return cls(dossier=returned.dossier, state=returned.state, subject=returned.subject, run=returned.run)

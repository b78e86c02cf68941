"""What a review asks and answers, and the rules of an answer. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from register.accepted import OpenedMention
from register.decision_stores import Accepted, WholeSubject
from register.decisions import ActKind, Decision, DossierState, RestrictionCode, ReviewCode, decode_all
from register.errors import Fault
from register.grading import SubjectKind
from register.ids import DossierId, SignalId, SubjectId
from register.rules import fault
from register.sealed import SubjectFacts


class Question(StrEnum):
    """The fixed questions of a review, each answered with yes or no."""

    SERVES_THEME = "still-serves-the-theme"
    CATEGORY_FITS = "category-still-fits"
    NOT_EXCESSIVE = "no-more-than-needed"
    CORRECT = "correct-as-far-as-known"


class Standing(StrEnum):
    """Where a subject stands in the queue."""

    DUE = "due"
    OVERDUE = "overdue"
    HIDDEN = "hidden"
    RESTRICTED = "restricted"


RULES: Final[Mapping[ReviewCode, str]] = {
    ReviewCode.STILL_NEEDED: "Wpg art. 10(6): periodic check; the date of removal stays",
    ReviewCode.NEW_INFORMATION: "Wpg art. 10(6): necessity shown anew; the term runs from this decision",
    ReviewCode.NO_LONGER_NECESSARY: "Wpg art. 10(6): as soon as not necessary; removed when a second person agrees",
    ReviewCode.RESTRICT: "Wpg art. 28: restricted, invisible; no date moves",
    ReviewCode.RELEASE: "Wpg art. 28: no longer restricted; no date moves",
}
"""The rule that each outcome rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One line of the queue; `name` is that of the newest signal."""

    subject: SubjectId
    kind: SubjectKind
    name: str
    revision: int
    review_by: date
    hidden_from: date
    remove_by: date
    ends_on: date
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A page of the queue; `after` is where the next begins, None at its end."""

    items: tuple[Due, ...]
    after: tuple[date, SubjectId] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage:
    """What a review looks at: everything about a subject, and why its dates are what they are."""

    facts: SubjectFacts
    mentions: tuple[OpenedMention, ...]
    signals: tuple[Accepted, ...]
    decisions: tuple[Decision, ...]
    rule: str
    citation: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Judgement:
    """What a review comes to.

    Attributes:
        text: the reason, in words. It names nobody: what the subject is called stays under the subject's own key.
        answers: of a review, to every question.
        information: of `needed-on-new-information`, the signals that are new since the last check.
        ground: of `restrict`.
    """

    outcome: ReviewCode
    text: str
    answers: Mapping[Question, bool]
    information: tuple[SignalId, ...] = ()
    ground: RestrictionCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What was decided, and the dates that follow; `state` is `proposed` while a second person has to agree."""

    dossier: DossierId
    state: DossierState
    rule: str
    review_by: date
    hidden_from: date
    remove_by: date
    restricted: bool


def standing(facts: SubjectFacts, today: date) -> Standing:
    """Return where a subject stands on civil date `today`."""
    if facts.restricted:
        return Standing.RESTRICTED
    if facts.review_by >= today:
        return Standing.DUE
    return Standing.OVERDUE if facts.hidden_from > today else Standing.HIDDEN


def answer_faults(judgement: Judgement, restricting: bool) -> Iterator[Fault]:
    """Yield what is wrong with the answers to the fixed questions."""
    if restricting:
        if judgement.answers:
            yield fault("/answers", "answers.none")
        return
    if set(judgement.answers) != set(Question):
        yield fault("/answers", "answers.all", expected=", ".join(Question))
    kept = judgement.outcome in (ReviewCode.STILL_NEEDED, ReviewCode.NEW_INFORMATION)
    if kept and not judgement.answers.get(Question.SERVES_THEME, True):
        yield fault("/answers", "answers.contradict")


def information_faults(judgement: Judgement, found: WholeSubject) -> Iterator[Fault]:
    """Yield what is wrong with the new information that is named: it must be new, and about this subject."""
    needed = judgement.outcome is ReviewCode.NEW_INFORMATION
    if needed != bool(judgement.information):
        yield fault("/information", "information.needed")
    fresh = set(_new_signals(found))
    for place, signal in enumerate(judgement.information):
        if signal not in fresh:
            yield fault(f"/information/{place}", "information.old")


def _new_signals(found: WholeSubject) -> Iterable[SignalId]:
    """Return the signals accepted since the last review or necessity decision; without one, all after the first."""
    checks = [
        one.accepted_on
        for one in decode_all(found.subject.facts.acts)
        if one.kind in (ActKind.REVIEW, ActKind.NECESSITY)
    ]
    since = max(checks, default=min(one.accepted_on for one in found.signals))
    return (one.signal for one in found.signals if one.accepted_on > since)

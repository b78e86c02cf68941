"""What another policy would change, before it takes effect: a pure comparison of two answers to the same facts."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from register.errors import Invalid
from retention.assessment import Assessment, Case, assess
from retention.rules import Policy


class Effect(StrEnum):
    """What a change means for a record; the ones first named weigh most, a record has the first that fits.

    `refused`: one of the policies cannot compute it; `reappears`: hidden now, it would be shown; `disappears`: shown
    now, it would be hidden; `earlier`, `later`: its term or its time in the archive ends on another day; `other`: only
    its review, state or rule differ.
    """

    REFUSED = "refused"
    REAPPEARS = "reappears"
    DISAPPEARS = "disappears"
    LATER = "later"
    EARLIER = "earlier"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of one record; None where a policy has no answer."""

    effect: Effect
    before: Assessment | None
    after: Assessment | None


def impact(case: Case, on: date, *, old: Policy, new: Policy) -> Change | None:
    """Return what `new` instead of `old` changes for `case` on civil date `on`; None: nothing."""
    before, after = _answer(old, case, on), _answer(new, case, on)
    if before is None and after is None:
        return None
    if before is None or after is None:
        return Change(effect=Effect.REFUSED, before=before, after=after)
    if _dates(before) == _dates(after):
        return None
    return Change(effect=_effect(before, after), before=before, after=after)


def _answer(policy: Policy, case: Case, on: date) -> Assessment | None:
    try:
        return assess(policy, case, on)
    except Invalid:
        return None


def _dates(one: Assessment) -> tuple[object, ...]:
    return one.state, one.review_by, one.hidden_from, one.ends_on, one.remove_by, one.destroy_on, one.rule


def _effect(before: Assessment, after: Assessment) -> Effect:
    if before.visible != after.visible:
        return Effect.REAPPEARS if after.visible else Effect.DISAPPEARS
    dates = ((one.ends_on, one.remove_by, one.destroy_on) for one in (before, after))
    for then, now in zip(*dates, strict=True):
        if then != now:
            # no date at all is the latest there is
            return Effect.LATER if (now or date.max) > (then or date.max) else Effect.EARLIER
    return Effect.OTHER

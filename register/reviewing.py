"""The dates of the periodic review (Wpg art. 10(6), "periodically checked"), as a policy has them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """The dates that the law gives a subject, each a civil date, with the rule and the arithmetic in words."""

    remove_by: date
    review_by: date
    hidden_from: date
    rule: str
    citation: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTerms:
    """Three pure functions of a policy, from a civil date to a civil date, handed in.

    Attributes:
        due: from the day of the last check (entry of a signal, decision, review) to the day of the next at the latest.
        hides: from a `review_by` to the day from whose 00:00 on a subject is invisible for want of a review.
        ends: from a `review_by` to the day on which it is removed for want of a review.
    """

    due: Callable[[date], date]
    hides: Callable[[date], date]
    ends: Callable[[date], date]

    def hidden_from(self, remove_by: date, review_by: date) -> date:
        """Return the civil date from whose 00:00 on a subject with these two dates is invisible."""
        return min(remove_by, self.hides(review_by))

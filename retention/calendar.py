"""Civil-date arithmetic of the law's terms: years, months and days, with the stricter day where there is a choice."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

_PERIOD: Final = re.compile(r"P(0|[1-9][0-9]{0,3})([YMWD])")


class Unit(StrEnum):
    """What a period counts in; the value is the letter of ISO 8601."""

    YEARS = "Y"
    MONTHS = "M"
    WEEKS = "W"
    DAYS = "D"


_WORDS: Final = {Unit.YEARS: "year", Unit.MONTHS: "month", Unit.WEEKS: "week", Unit.DAYS: "day"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A term in one unit, such as five years; half a year is six months.

    Not moved for weekends or holidays (Algemene termijnenwet art. 4(a)); `retention.working` moves what has to be.
    """

    count: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Return the period written in ISO 8601 with one unit, such as `P5Y`.

        Raises:
            ValueError: another form.
        """
        match = _PERIOD.fullmatch(text)
        if match is None:
            raise ValueError("a period is written like P5Y, P6M, P4W or P90D")
        return cls(count=int(match[1]), unit=Unit(match[2]))

    def __str__(self) -> str:
        return f"P{self.count}{self.unit}"

    @property
    def words(self) -> str:
        """The period for people, such as `5 years`."""
        return f"{self.count} {_WORDS[self.unit]}{'' if self.count == 1 else 's'}"

    def after(self, day: date) -> date:
        """Return `day` plus this period; the calendar's last day where the sum lies beyond it.

        A day that the month of the sum does not have becomes that month's last one: 29 February + 5 years is
        28 February, the earlier and stricter day.
        """
        return _after(self.count, self.unit, day)


@lru_cache(1 << 14)  # a night asks the same few terms of the same days again and again
def _after(count: int, unit: Unit, day: date) -> date:
    if unit in (Unit.DAYS, Unit.WEEKS):
        days = count * (7 if unit is Unit.WEEKS else 1)
        return day + timedelta(days=days) if days <= (date.max - day).days else date.max
    months = count * (12 if unit is Unit.YEARS else 1)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


DAY: Final = Period(count=1, unit=Unit.DAYS)
NOTHING: Final = Period(count=0, unit=Unit.DAYS)
"""The period of what happens at once."""


def destroy_on(removed_on: date, kept: Period) -> date:
    """Return the first day after full `kept` since a removal, whatever the removal's hour (Wpg art. 14(1))."""
    return DAY.after(kept.after(removed_on))

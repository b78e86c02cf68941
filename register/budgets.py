"""Budgets of searching: a dictionary run through the search is an attack with the register's own keys.

What was spent lies in the key store, so that neither another worker nor a fresh one after a purge begins at nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class Spending(StrEnum):
    """What a budget is spent on."""

    SEARCH = "search"
    BATCH = "batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """At most so many within any span of this length."""

    most: int
    within: timedelta


class Budget(Protocol):
    """Counts what each actor spends; filled by `vault.keystore.budgets`."""

    def spend(self, actor: str, what: Spending, allowance: Allowance, *, now: datetime, count: int = 1) -> bool:
        """Count `count` more of `what` by `actor` at `now` (aware, UTC), durably; False: too many, nothing is counted.

        Of several workers that ask at once, no more are let through than the allowance has left.
        """

"""What each actor has spent of a budget: code, kind and time, dropped once it counts no more."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select

from register.budgets import Allowance, Spending
from register.ids import mint
from vault.keystore import schema
from vault.keystore.database import Database

_rows = schema.spendings


class Budgets:
    """Fills `register.budgets.Budget` from the key store's database; needs no key of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def spend(self, actor: str, what: Spending, allowance: Allowance, *, now: datetime, count: int = 1) -> bool:
        """Count `count` more of `what` by `actor` at `now` (aware, UTC); False: too many, and nothing is counted.

        What was spent at a time that is yet to come, by a clock that has since been set back, counts too.
        """
        since = _microseconds(now - allowance.within)
        mine = (_rows.c.actor == actor, _rows.c.what == what)
        with self._database.writing() as connection:
            connection.execute(delete(_rows).where(*mine, _rows.c.at <= since))
            spent = connection.execute(select(func.count()).select_from(_rows).where(*mine)).scalar_one()
            if spent + count > allowance.most:
                return False
            at = _microseconds(now)
            connection.execute(
                insert(_rows), [{"id": mint(), "actor": actor, "what": what, "at": at} for _ in range(count)]
            )
        return True


def _microseconds(at: datetime) -> int:
    return (at - datetime.fromtimestamp(0, at.tzinfo)) // timedelta(microseconds=1)

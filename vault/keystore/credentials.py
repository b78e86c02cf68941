"""API keys of actors. Only the SHA-256 of a key's secret is kept: 256 random bits need no slow hash."""

import hashlib
import json
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any, Final

from sqlalchemy import Row, insert, select, update

from register.access import Role
from register.errors import Conflict, NotFound
from register.grading import HandlingCode
from register.ids import mint
from vault.keystore import schema
from vault.keystore.database import Database

_KEY: Final = re.compile(r"tr_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")
_rows: Final = schema.credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Whose key it is.

    Attributes:
        code: of the actor.
        markings: compartments granted.
        handling: handling code up to which the actor is cleared, in the policy's order.
        expires_at: aware, UTC; from then on the key is none.
    """

    code: str
    role: Role
    markings: frozenset[str]
    handling: HandlingCode
    expires_at: datetime | None


class Credentials:
    """Fills `register.interfaces.Credentials` from the key store's database; needs no key of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        *,
        code: str,
        role: Role,
        markings: frozenset[str],
        handling: HandlingCode,
        expires_at: datetime | None,
    ) -> str:
        """Enrol `code`, cleared up to `handling`; return its key, shown this once.

        Raises:
            Conflict: code `actor.enrolled`: it has a key that has not ended.
        """
        name, secret = mint(), secrets.token_urlsafe(32)
        with self._database.writing() as connection:
            live = select(_rows.c.id).where(_rows.c.code == code, _rows.c.ended == 0)
            if connection.execute(live).first() is not None:
                raise Conflict("actor.enrolled", "this actor is enrolled already; end the key first")
            connection.execute(
                insert(_rows).values(
                    id=name,
                    secret_sha256=_sha256(secret),
                    code=code,
                    role=role,
                    markings=json.dumps(sorted(markings)),
                    handling=handling,
                    expires_at=None if expires_at is None else expires_at.isoformat(),
                    ended=0,
                )
            )
        return f"tr_{name}_{secret}"

    def find(self, key: str, *, now: datetime) -> Credential | None:
        """Return whose key this is at `now` (aware, UTC); None: unknown, ended or expired.

        The id in the key is no secret; the secret is compared in constant time, also where the id is unknown.
        """
        match = _KEY.fullmatch(key)
        if match is None:
            return None
        with self._database.reading() as connection:
            row = connection.execute(select(_rows).where(_rows.c.id == match[1])).one_or_none()
        right = compare_digest(bytes(32) if row is None else row.secret_sha256, _sha256(match[2]))
        if row is None or not right or row.ended:
            return None
        found = _credential(row)
        return None if found.expires_at is not None and found.expires_at <= now else found

    def officers(self, keys: Collection[str], *, now: datetime) -> tuple[str, ...]:
        """Return the codes of the different compliance officers whose keys these are at `now`, in order.

        All or none: with a key that is no such officer's among them, nobody is returned.
        """
        found = [self.find(key, now=now) for key in keys]
        if not all(one is not None and one.role is Role.COMPLIANCE_OFFICER for one in found):
            return ()
        return tuple(sorted({one.code for one in found if one is not None}))

    def end(self, code: str) -> None:
        """End the key of `code`. Raises NotFound."""
        with self._database.writing() as connection:
            ended = update(_rows).where(_rows.c.code == code, _rows.c.ended == 0).values(ended=1)
            if connection.execute(ended).rowcount == 0:
                raise NotFound

    def all(self) -> tuple[Mapping[str, object], ...]:
        """Return everybody enrolled, by code: code, role, markings, handling, expires_at, ended; no key."""
        with self._database.reading() as connection:
            rows = connection.execute(select(_rows).order_by(_rows.c.code, _rows.c.id)).all()
        return tuple(
            {
                "code": row.code,
                "role": row.role,
                "markings": tuple(json.loads(row.markings)),
                "handling": row.handling,
                "expires_at": row.expires_at,
                "ended": bool(row.ended),
            }
            for row in rows
        )


def _credential(row: Row[Any]) -> Credential:
    return Credential(
        code=row.code,
        role=Role(row.role),
        markings=frozenset(json.loads(row.markings)),
        handling=HandlingCode(row.handling),
        expires_at=None if row.expires_at is None else datetime.fromisoformat(row.expires_at),
    )


def _sha256(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()

"""What a key store holds, counted: no key is needed, and none is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from register.errors import Tampered
from vault.keystore import schema
from vault.keystore.database import Database
from vault.keystore.leases import Workers
from vault.keystore.rows import KeyKind

PAGE: Final = 2000
_TABLES: Final = ("tokens", "deliveries", "revisions", "tombstones", "credentials")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A key store in numbers.

    Attributes:
        anchor_kind: code of the provider; `anchor_version`: that under which the root key is wrapped.
        keeper: code of who holds the keeper's lease, and until when (aware, UTC); None: nobody.
        rows: keys by kind, as `keys.KIND`, and rows of the other tables.
        renewals: records that have a new key and are not sealed anew yet, as far as the key store knows.
        old_roots: old root keys whose end has not been read back yet: a purge or rotation to be taken up again.
        workers: processes that hold a root key: code → generation.
        stale: those of an older generation that are alive.
    """

    register: str
    generation: int
    fence: int
    anchor_kind: str
    anchor_version: int
    keeper: tuple[str, datetime] | None
    rows: Mapping[str, int]
    renewals: int
    old_roots: int
    workers: Mapping[str, int]
    stale: tuple[str, ...]


def count(database: Database, *, now: datetime) -> Counted:
    """Count what is in `database`. Raises Unavailable, Tampered."""
    keys = schema.keys.c
    stale = Workers(database).stale(now=now)
    with database.reading() as connection:
        head = connection.execute(select(schema.register)).one_or_none()
        if head is None:
            raise Tampered("keystore.damaged", "the key store names no register")
        held = connection.execute(select(schema.keeper)).one_or_none()
        by_kind = connection.execute(select(keys.kind, func.count()).group_by(keys.kind).order_by(keys.kind))
        rows = {f"keys.{kind}": number for kind, number in by_kind}
        for name in _TABLES:
            of = select(func.count()).select_from(schema.metadata.tables[name])
            rows[name] = connection.execute(of).scalar_one()
        return Counted(
            register=head.register,
            generation=head.generation,
            fence=head.fence,
            anchor_kind=head.anchor_kind,
            anchor_version=head.anchor_version,
            keeper=None if held is None else (held.holder, datetime.fromisoformat(held.until)),
            rows=rows,
            renewals=connection.execute(
                select(func.count(schema.renewals.c.id.distinct())).where(schema.renewals.c.until.is_(None))
            ).scalar_one(),
            old_roots=connection.execute(select(func.count()).select_from(schema.former_roots)).scalar_one(),
            workers={row.worker: row.generation for row in connection.execute(select(schema.leases))},
            stale=stale,
        )


def keyed_records(database: Database) -> Iterator[list[str]]:
    """Yield the ids of subjects and signals that have a key, in pages, sorted."""
    keys, last = schema.keys.c, ""
    while True:
        kinds = (KeyKind.SUBJECT, KeyKind.SIGNAL)
        page = select(keys.id).where(keys.id > last, keys.kind.in_(kinds)).distinct().order_by(keys.id).limit(PAGE)
        with database.reading() as connection:
            ids = list(connection.execute(page).scalars())
        if not ids:
            return
        yield ids
        last = ids[-1]

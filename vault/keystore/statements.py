"""The key store's statements, each built once, and the writes of an intake."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import count
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, Row, bindparam, delete, insert, literal_column, null, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import UpdateBase

from register.errors import Tampered, Unavailable
from vault.keystore import schema
from vault.keystore.database import chunks, many
from vault.keystore.rows import DELIVERY_KEY, FACTS_KEY, LOOKUP_KEY, KeyKind, raced, tombstone

_k, _t, _d, _r = schema.keys.c, schema.tokens.c, schema.deliveries.c, schema.revisions.c
_n = schema.renewals.c
_ids: Final[BindParameter[Any]] = bindparam("ids", expanding=True)
_digests: Final[BindParameter[Any]] = bindparam("digests", expanding=True)
GENERATION: Final = select(schema.register.c.generation)
REGISTER_KEYS: Final = (
    select(_k.id, _k.version, _k.wrapped)  # by id: a torn page elsewhere is not looked at
    .where(_k.id.in_((FACTS_KEY, LOOKUP_KEY, DELIVERY_KEY)), _k.kind == KeyKind.REGISTER)
    .order_by(_k.version)
)
KEYS: Final = (
    select(_k.id, _k.kind, _k.version, _k.wrapped)
    .where(_k.id.in_(_ids), _k.kind.in_(bindparam("kinds", expanding=True)))
    .order_by(_k.id, _k.kind, _k.version)
)
# By its whole primary key: what lies beside the row, on a page that may be torn, is not looked at.
ONE_KEY: Final = select(_k.id, _k.kind, _k.version, _k.wrapped).where(
    _k.id == bindparam("id"), _k.kind == bindparam("kind"), _k.version == bindparam("version")
)
TOKENS: Final = select(_t.digest, _t.identifier).where(_t.digest.in_(_digests))
DELIVERIES: Final = select(schema.deliveries).where(_d.digest.in_(_digests))
BY_RECEIPT: Final = select(schema.deliveries).where(_d.receipt == bindparam("receipt"))
REVISIONS: Final = select(_r.id, _r.revision).where(_r.id.in_(_ids))
TOMBSTONES: Final = select(schema.tombstones.c.id_sha256).where(schema.tombstones.c.id_sha256.in_(_digests))
RENEWED: Final = 32
"""Up to which version the oldest of a key is looked for in a torn table: those before it went at their own term."""

PENDING: Final = update(schema.deliveries).where(_d.receipt == bindparam("of_receipt")).values(done=literal_column("0"))
DONE: Final = update(schema.deliveries).where(_d.signal == bindparam("of_signal")).values(done=literal_column("1"))
MOVE_TOKEN: Final = (
    update(schema.tokens)
    .where(_t.digest == bindparam("of_digest"), _t.identifier == bindparam("of_replaced"))
    .values(identifier=bindparam("to_identifier"), wrapped=bindparam("to_wrapped"))
)
DROP_KEYS: Final = delete(schema.keys).where(_k.id == bindparam("of_id"))
# Replaced keys whose last day has come, and are still there.
RETIRED: Final = (
    select(_k.id, _k.kind, _k.version)
    .join(schema.renewals, (_n.id == _k.id) & (_n.kind == _k.kind) & (_n.version >= _k.version))
    .where(_n.until <= bindparam("today"))
    .distinct()
)
DROP_KEY: Final = delete(schema.keys).where(
    _k.id == bindparam("of_id"), _k.kind == bindparam("of_kind"), _k.version == bindparam("of_version")
)
DROP_RENEWALS: Final = delete(schema.renewals).where(_n.id == bindparam("of_id"))
DROP_REVISION: Final = delete(schema.revisions).where(_r.id == bindparam("of_id"))
DROP_TOKEN: Final = delete(schema.tokens).where(_t.identifier == bindparam("of_identifier"))
DROP_FORMER_ROOT: Final = delete(schema.former_roots).where(
    schema.former_roots.c.anchor_version == bindparam("of_version")
)
FORGET_DELIVERY: Final = (
    update(schema.deliveries)
    .where(_d.signal == bindparam("of_signal"))
    .values(done=literal_column("1"), signal=null(), forgotten_by=bindparam("by_run"), forgotten_on=bindparam("on"))
)
END_DELIVERIES: Final = delete(schema.deliveries).where(_d.forgotten_on < bindparam("before"))
ADD_TOMBSTONE: Final = {
    "sqlite": sqlite.insert(schema.tombstones).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(schema.tombstones).on_conflict_do_nothing(),
}
KEY_COLUMNS: Final = ("id", "kind", "version", "wrapped")
TOKEN_COLUMNS: Final = ("identifier", "digest", "wrapped")
DELIVERY_COLUMNS: Final = ("receipt", "digest", "done", "signal", "forgotten_by", "wrapped")
INSERT_KEY: Final = insert(schema.keys)
INSERT_TOKEN: Final = insert(schema.tokens)
INSERT_DELIVERY: Final = insert(schema.deliveries)


def identifiers_by_digest(connection: Connection, digests: Iterable[bytes]) -> dict[bytes, str]:
    """Return the identifier ids of these tokens; unknown ones are absent."""
    return {
        digest: identifier
        for chunk in chunks(digests)
        for digest, identifier in connection.execute(TOKENS, {"digests": chunk})
    }


def deliveries_by_digest(connection: Connection, digests: Iterable[bytes]) -> dict[bytes, Row[Any]]:
    """Return the deliveries with these tokens; unknown ones are absent."""
    return {row.digest: row for chunk in chunks(digests) for row in connection.execute(DELIVERIES, {"digests": chunk})}


def readable(reading: Callable[[], AbstractContextManager[Connection]], one: str, kind: KeyKind) -> Iterator[Any]:
    """Yield the versions of one key, the oldest first, up to where the table cannot be read."""
    found = False
    for version in count(1):
        try:
            with reading() as connection:
                row = connection.execute(ONE_KEY, {"id": one, "kind": kind, "version": version}).one_or_none()
        except Tampered:
            return
        if row is None and (found or version == RENEWED):
            return
        if row is not None:
            found = True
            yield row


def refuse_purged(connection: Connection, ids: Iterable[str]) -> None:
    """Refuse ids that were purged: they are never used again. Raises Conflict (`token.raced`)."""
    for chunk in chunks(map(tombstone, ids)):
        if connection.execute(TOMBSTONES.limit(1), {"digests": chunk}).first() is not None:
            raise raced()


def add_tokens(connection: Connection, tokens: Sequence[tuple[bytes, str, bytes, str | None]]) -> None:
    """Write tokens (digest, identifier, wrapped value, identifier replaced); equal ones stay.

    Raises:
        Conflict: code `token.raced`: one points at an identifier that is neither its own nor replaced.
    """
    held = identifiers_by_digest(connection, (row[0] for row in tokens))
    fresh, moved = [], []
    for digest, identifier, wrapped, replaces in tokens:
        current = held.get(digest)
        if current is None:
            fresh.append((identifier, digest, wrapped))
        elif current == replaces:
            moved.append((digest, current, identifier, wrapped))
        elif current != identifier:
            raise raced()
    many(connection, INSERT_TOKEN, TOKEN_COLUMNS, fresh)
    if many(connection, MOVE_TOKEN, ("of_digest", "of_replaced", "to_identifier", "to_wrapped"), moved) != len(moved):
        raise raced()


def add_deliveries(connection: Connection, deliveries: Sequence[tuple[bytes, str, int, str | None, bytes]]) -> None:
    """Write deliveries (digest, receipt, done, signal, wrapped content); the same one, still pending, stays.

    Raises:
        Conflict: code `token.raced`: it is another signal's, or done.
    """
    held = deliveries_by_digest(connection, (row[0] for row in deliveries))
    fresh = []
    for digest, receipt, done, signal, wrapped in deliveries:
        current = held.get(digest)
        if current is None:
            fresh.append((receipt, digest, done, signal, None, wrapped))
        elif (current.signal, current.receipt, current.done) != (signal, receipt, 0):
            raise raced()
    many(connection, INSERT_DELIVERY, DELIVERY_COLUMNS, fresh)


def remember(connection: Connection, revisions: Iterable[tuple[str, int]]) -> None:
    """Remember revisions (id, revision); one that is not above the remembered one changes nothing."""
    newest: dict[str, int] = {}
    for name, revision in revisions:
        newest[name] = max(revision, newest.get(name, 0))
    # In one order, so that two intakes that move the same subjects do not wait for each other in a circle.
    many(connection, _REMEMBER[connection.dialect.name], ("id", "revision"), sorted(newest.items()))


def _remembering(new: sqlite.Insert | postgresql.Insert) -> UpdateBase:
    change = {"revision": new.excluded.revision}
    return new.on_conflict_do_update(index_elements=[_r.id], set_=change, where=new.excluded.revision > _r.revision)


_REMEMBER: Final = {
    "sqlite": _remembering(sqlite.insert(schema.revisions)),
    "postgresql": _remembering(postgresql.insert(schema.revisions)),
}


def raise_fence(connection: Connection, fence: int) -> None:
    """Take `fence` inside a write transaction. Raises Unavailable: a higher one was taken."""
    held = connection.execute(select(schema.register.c.fence)).scalar_one()
    if fence < held:
        raise Unavailable("fence.passed", f"fence {fence} is below {held}: another keeper has taken over")
    if fence > held:
        connection.execute(update(schema.register).values(fence=fence))

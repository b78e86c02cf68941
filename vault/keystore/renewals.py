"""Keys of records that were replaced: a new version is durable here before anything is sealed under it.

The version before only decrypts from then on. Once the record is sealed anew it has a last day, that of the last backup
which holds what was sealed under it, and goes with the first purge on that day or after it.
"""

from collections.abc import Collection
from datetime import date
from typing import Final

from sqlalchemy import bindparam, func, insert, null, select, update
from sqlalchemy.exc import IntegrityError

from register.errors import Conflict, Tampered
from vault.formats import new_keys
from vault.keystore import schema, statements
from vault.keystore.backups import refuse_paused
from vault.keystore.database import Database, many
from vault.keystore.rows import KeyKind, raced
from vault.keystore.store import KeyStore

SEALS: Final = 2**24
"""How often a key seals at most; then it is replaced."""

VERSIONS: Final = 2**16 - 1
"""Versions that a key can have: so many fit the header of a sealed value."""

_keys, _renewals = schema.keys.c, schema.renewals.c
_NEWEST: Final = (
    select(_keys.kind, func.max(_keys.version))
    .where(_keys.id == bindparam("record"), _keys.kind.in_(bindparam("kinds", expanding=True)))
    .group_by(_keys.kind)
    .order_by(_keys.kind)
)
_BEGUN: Final = select(_renewals.kind).where(_renewals.id == bindparam("record"), _renewals.until.is_(null()))
_UNDER_WAY: Final = select(_renewals.id).where(_renewals.until.is_(null())).distinct().order_by(_renewals.id)
_SETTLE: Final = (
    update(schema.renewals)
    .where(_renewals.id == bindparam("record"), _renewals.until.is_(null()))
    .values(until=bindparam("last_day"), revision=bindparam("at_revision"))
)
_COLUMNS: Final = ("id", "kind", "version", "revision", "until")


class Renewals:
    """Replaces keys of records in a key store."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store

    def begin(self, record: str, revision: int, *kinds: KeyKind) -> None:
        """Draw a new version of those keys of `record` that are there, durably; of what was begun before, none.

        Args:
            record: id of a subject or signal.
            revision: that it is in.
            kinds: of its keys.

        Raises:
            Tampered: it has no key. Conflict: there can be no further version, or it was purged.
            Unavailable: code `generation.moved`; or `register.paused`: a backup is being made.
        """
        wrap = self._store.root.wrap
        try:
            with self._store.writing() as connection:
                refuse_paused(connection)
                statements.refuse_purged(connection, [record])
                held = connection.execute(_NEWEST, {"record": record, "kinds": kinds}).all()
                if not held:
                    raise Tampered
                begun = set(connection.execute(_BEGUN, {"record": record}).scalars())
                fresh = [(kind, version) for kind, version in held if kind not in begun]
                if any(version >= VERSIONS for _, version in fresh):
                    raise Conflict("key.versions", "that key was replaced as often as a key can be")
                drawn = zip(fresh, new_keys(len(fresh)), strict=True)
                keys = [(record, kind, last + 1, wrap(kind, record, last + 1, key.raw)) for (kind, last), key in drawn]
                many(connection, statements.INSERT_KEY, statements.KEY_COLUMNS, keys)
                replaced = [(record, kind, last, revision, None) for kind, last in fresh]
                many(connection, insert(schema.renewals), _COLUMNS, replaced)
        except IntegrityError:
            raise raced() from None

    def settle(self, record: str, revision: int, today: date) -> date:
        """Give the versions before their last day, now that `record` is sealed anew in `revision`; return that day.

        It is the last day of the last backup there is, or `today`, a civil date.
        """
        with self._store.writing() as connection:
            backups = connection.execute(select(func.max(schema.backups.c.destroyed_by))).scalar_one()
            until = max(today.isoformat(), backups or "")
            connection.execute(_SETTLE, {"record": record, "last_day": until, "at_revision": revision})
        return date.fromisoformat(until)

    def under_way(self) -> tuple[str, ...]:
        """Return the records that have a new key and are not sealed anew yet, as far as is known here; sorted."""
        with self._store.reading() as connection:
            return tuple(connection.execute(_UNDER_WAY).scalars())


def renew_worn(store: KeyStore, subjects: Collection[tuple[str, int]], each: int) -> None:
    """Draw a new version of the keys of those subjects that may have sealed as often as a key may.

    Nobody counts seals. A subject's revision rises with every batch that mentions it, so that its revisions since its
    key was renewed bound them. (A signal's key seals each field once for each content revision: it never comes near.)

    Args:
        store: the key store.
        subjects: id and revision.
        each: values that are sealed under a subject's key, at most, in one revision.

    Raises:
        Conflict, Tampered, Unavailable: see `Renewals.begin`.
    """
    most = SEALS // each
    used = {name: revision for name, revision in subjects if revision > most}
    if not used:
        return
    newest = select(_renewals.id, func.max(_renewals.revision)).where(_renewals.id.in_(sorted(used)))
    with store.reading() as connection:
        rows = connection.execute(newest.group_by(_renewals.id)).all()
    since = {row[0]: row[1] for row in rows}
    for name, revision in sorted(used.items()):
        if revision - since.get(name, 0) > most:
            Renewals(store).begin(name, revision, KeyKind.SUBJECT)


def retired(database: Database, on: date) -> bool:
    """Say whether there is a replaced key that is to be gone on civil date `on`; no key is needed."""
    with database.reading() as connection:
        return connection.execute(statements.RETIRED.limit(1), {"today": on.isoformat()}).first() is not None

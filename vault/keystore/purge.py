"""Forgetting: the key store's side of a purge, numbered as in docs/architecture.md (a purge, steps 3 to 6).

Every key on the path from the anchor to what was purged is *replaced*, never only wrapped anew, and so is the lookup
key: once the old anchor version is gone, a copy of the store from before opens nothing and tries no token.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from register.errors import Tampered, Unavailable
from register.ids import RunId
from register.runs import Forgotten, Gone, Lease
from vault.formats import RootKey, Secret, Tokens, new_keys, unpad
from vault.keystore import schema, statements
from vault.keystore.database import chunks, many
from vault.keystore.leases import Keeper, Workers
from vault.keystore.remaking import Rewrite
from vault.keystore.rows import (
    DELIVERY,
    DELIVERY_KEY,
    LOOKUP_KEY,
    TOKEN,
    KeyKind,
    moved,
    purged_payload,
    root_aad,
    split_payload,
    tombstone,
    unwrap_root,
)
from vault.keystore.store import KeyStore


class Purge:
    """Fills `retention.interfaces.Forgetting` from a key store.

    `forget` needs a process that serves the present generation and is its end: afterwards the process may still call
    the other verbs, but reads no key any more.
    """

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._database = store.database
        self._anchor = store.anchor

    def lease(self, holder: str, *, now: datetime, seconds: int, above: int = 0) -> Lease | None:
        """See `leases.Keeper.take`."""
        return Keeper(self._database).take(holder, now=now, seconds=seconds, above=above)

    def release(self, lease: Lease) -> None:
        """Give the keeper's lease back."""
        Keeper(self._database).give_back(lease)

    def forgotten(self, run: RunId) -> Forgotten | None:
        """Return what step 4 of this run did, or None if it has not been committed."""
        with self._database.reading() as connection:
            return _result(connection, run)

    def advance_anchor(self) -> int:
        """Step 3: make a higher anchor version, both live; return it."""
        return self._anchor.advance()

    def forget(self, run: RunId, gone: Gone, *, version: int, fence: int) -> Forgotten:
        """Step 4, in one transaction: new root and lookup keys, survivors re-wrapped, rows and tokens dropped.

        A row that does not unwrap is left as it is: it opened nothing before, and must not hold up the purge.

        Args:
            run: id of the run; a run that was committed is answered with what it did then.
            gone: what the journal says is deleted.
            version: of the anchor, made by `advance_anchor`.
            fence: number of the keeper's lease.

        Raises:
            Unavailable: generation, fence or anchor version is not as it must be; nothing changed.
        """
        store = self._store
        with self._database.writing() as connection:
            done = _result(connection, run)
            if done is not None:
                return done
            head = connection.execute(select(schema.register)).one()
            if head.generation != store.generation:
                raise moved()
            statements.raise_fence(connection, fence)
            if version <= head.anchor_version or not self._anchor.probe(version):
                raise Unavailable("anchor.version", "the root key's new anchor version is not a higher, live one")
            before = _count(connection, schema.keys), _count(connection, schema.tokens)
            _drop(connection, run, gone)
            rows_kept = _count(connection, schema.keys)
            self._replace(connection, head, version, gone)
            result = Forgotten(
                run=run,
                generation_before=head.generation,
                generation_after=head.generation + 1,
                anchor_before=head.anchor_version,
                anchor_after=version,
                anchor_kind=self._anchor.kind,
                assurance=self._anchor.assurance,
                rows_dropped=before[0] - rows_kept,
                rows_kept=rows_kept,
                tokens_dropped=before[1] - (tokens_kept := _count(connection, schema.tokens)),
                tokens_kept=tokens_kept,
            )
            connection.execute(insert(schema.runs).values(run=run, result=json.dumps(asdict(result))))
        return result

    def destroy_old(self, *, fence: int) -> Mapping[str, str]:
        """Step 5: destroy every anchor version below the committed root's, read back that the old root no longer opens.

        Safe to run again. Versions above the committed root's are left alone.

        Returns:
            Evidence as codes.

        Raises:
            Tampered: an old root still opens (`anchor.survives`).
            Unavailable: a higher fence was taken, or others held up the store's last step (`keystore.busy`).
        """
        with self._database.writing() as connection:
            statements.raise_fence(connection, fence)
            head = connection.execute(select(schema.register)).one()
            former = connection.execute(select(schema.former_roots)).all()
        evidence = self._anchor.destroy_below(head.anchor_version)
        for root in former:
            if self._opens(head.register, root):
                raise Tampered(
                    "anchor.survives", f"the root key under anchor version {root.anchor_version} still opens"
                )
        with self._database.writing() as connection:
            many(
                connection,
                statements.DROP_FORMER_ROOT,
                ("of_version",),
                [(root.anchor_version,) for root in former],
            )
        return {**evidence, "old_root": "does-not-open", **self._database.rewritten()}

    def stale_workers(self, *, now: datetime) -> tuple[str, ...]:
        """Step 6: return the workers, as codes, that are alive and hold a key of an older generation."""
        return Workers(self._database).stale(now=now)

    def remains(self, ids: Collection[str]) -> tuple[str, ...]:
        """Return which of `ids` still have a row or token, as `table:id`."""
        columns = {
            "keys": schema.keys.c.id,
            "tokens": schema.tokens.c.identifier,
            "deliveries": schema.deliveries.c.signal,
            "revisions": schema.revisions.c.id,
        }
        with self._database.reading() as connection:
            return tuple(
                sorted(
                    f"{name}:{found}"
                    for chunk in chunks(ids)
                    for name, column in columns.items()
                    for found in connection.execute(select(column).where(column.in_(chunk)).distinct()).scalars()
                )
            )

    def _replace(self, connection: Connection, head: Row[Any], version: int, gone: Gone) -> None:
        """Put new root and lookup keys in place, and everything under them."""
        old, generation = self._store.root, head.generation + 1
        fresh_root, lookup = new_keys(2)
        new = RootKey(fresh_root.raw, head.register, generation, cipher=self._store.cipher)
        lookup_row = connection.execute(select(schema.keys).where(_OF_LOOKUP)).one()
        connection.execute(delete(schema.keys).where(_OF_LOOKUP))
        _rewrap_keys(connection, old, new)
        delivery_row = connection.execute(select(schema.keys).where(schema.keys.c.id == DELIVERY_KEY)).one()
        deliveries = Secret(new.unwrap(KeyKind.REGISTER, DELIVERY_KEY, delivery_row.version, delivery_row.wrapped))
        tokens = Tokens(lookup.raw, deliveries.raw, head.register)
        _remake_tokens(connection, old, new, tokens)
        _remake_deliveries(connection, old, new, tokens, gone)
        wrapped = new.wrap(KeyKind.REGISTER, LOOKUP_KEY, lookup_row.version + 1, lookup.raw)
        row = (LOOKUP_KEY, KeyKind.REGISTER, lookup_row.version + 1, wrapped)
        many(connection, statements.INSERT_KEY, statements.KEY_COLUMNS, [row])
        profile = old.unwrap(KeyKind.REGISTER, "profile", 0, head.profile)
        connection.execute(
            insert(schema.former_roots).values(
                anchor_version=head.anchor_version, generation=head.generation, root=head.root
            )
        )
        connection.execute(
            update(schema.register).values(
                generation=generation,
                anchor_kind=self._anchor.kind,
                anchor_version=version,
                root=self._anchor.wrap(version, fresh_root.raw, root_aad(head.register, generation)),
                profile=new.wrap(KeyKind.REGISTER, "profile", 0, profile),
            )
        )

    def _opens(self, register: str, root: Row[Any]) -> bool:
        try:
            unwrap_root(self._anchor, root.anchor_version, root.root, register, root.generation)
        except Unavailable as cause:
            if cause.code != "anchor.absent":
                raise
            return False
        return True


_OF_LOOKUP: Final = (schema.keys.c.id == LOOKUP_KEY) & (schema.keys.c.kind == KeyKind.REGISTER)


def _result(connection: Connection, run: RunId) -> Forgotten | None:
    stored = connection.execute(select(schema.runs.c.result).where(schema.runs.c.run == run)).scalar_one_or_none()
    return None if stored is None else Forgotten(**json.loads(stored))


def _count(connection: Connection, table: Any) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _drop(connection: Connection, run: RunId, gone: Gone) -> None:
    connection.execute(statements.END_DELIVERIES, {"before": gone.deliveries_before.isoformat()})
    ids = [(one,) for one in sorted(gone.records)]
    many(connection, statements.DROP_KEYS, ("of_id",), ids)
    many(connection, statements.DROP_RENEWALS, ("of_id",), ids)
    many(connection, statements.DROP_REVISION, ("of_id",), ids)
    on = gone.on.isoformat()
    retired = [tuple(row) for row in connection.execute(statements.RETIRED, {"today": on})]
    many(connection, statements.DROP_KEY, ("of_id", "of_kind", "of_version"), retired)
    many(connection, statements.FORGET_DELIVERY, ("by_run", "on", "of_signal"), [(run, on, *row) for row in ids])
    many(connection, statements.DROP_TOKEN, ("of_identifier",), [(one,) for one in sorted(gone.identifiers)])
    stones = sorted(map(tombstone, gone.records | gone.identifiers))
    many(connection, statements.ADD_TOMBSTONE[connection.dialect.name], ("id_sha256",), [(stone,) for stone in stones])


_KEYS: Final = Rewrite(
    table=schema.keys,
    key=("id", "kind", "version"),
    reads=("id", "kind", "version", "wrapped"),
    writes=("wrapped",),
)
_TOKENS: Final = Rewrite(
    table=schema.tokens,
    key=("identifier",),
    reads=("identifier", "wrapped"),
    writes=("digest", "wrapped"),
)
_DELIVERIES: Final = Rewrite(
    table=schema.deliveries,
    key=("receipt",),
    reads=("receipt", "signal", "wrapped"),
    writes=("digest", "wrapped"),
)


def _rewrap_keys(connection: Connection, old: RootKey, new: RootKey) -> None:
    rewrap = old.rewrapping(new)
    _KEYS.apply(connection, lambda name, kind, version, wrapped: (rewrap(kind, name, version, wrapped),))


def _remake_tokens(connection: Connection, old: RootKey, new: RootKey, tokens: Tokens) -> None:
    def remake(identifier: str, wrapped: bytes) -> tuple[bytes, bytes]:
        padded = old.unwrap(TOKEN, identifier, 0, wrapped)
        return tokens.token(unpad(padded)), new.wrap(TOKEN, identifier, 0, padded)

    _TOKENS.apply(connection, remake)


def _remake_deliveries(connection: Connection, old: RootKey, new: RootKey, tokens: Tokens, gone: Gone) -> None:
    records, redacted = gone.records, gone.redacted

    def remake(receipt: str, signal: str | None, wrapped: bytes) -> tuple[bytes, bytes]:
        payload = old.unwrap(DELIVERY, receipt, 0, wrapped)
        value, _ = split_payload(payload)
        left = purged_payload(payload, records, whole=signal is None, redacted=signal in redacted)
        return tokens.token(value), new.wrap(DELIVERY, receipt, 0, left)

    _DELIVERIES.apply(connection, remake)

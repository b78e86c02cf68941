"""The key store in use: keys by record, values by token, deliveries, revisions, all under one generation."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from register.errors import Conflict, Tampered, Unavailable
from register.ids import ReceiptId, RegisterId, SubjectId
from vault.anchors import Anchor
from vault.anchors.moving import holding
from vault.folders import check_folder
from vault.formats import (
    FACTS_LABEL,
    Cipher,
    Opaque,
    RootKey,
    Secret,
    Tokens,
    ValueKey,
    keyed,
    new_keys,
    pad,
    unpad,
)
from vault.keystore import place, schema, statements
from vault.keystore.backups import refuse_paused
from vault.keystore.database import Database, chunks, many
from vault.keystore.rows import (
    DELIVERY,
    DELIVERY_KEY,
    FACTS_KEY,
    LOOKUP_KEY,
    TOKEN,
    KeyKind,
    NewRows,
    Rings,
    StoredDelivery,
    delivery_payload,
    moved,
    raced,
    root_aad,
    split_payload,
    tombstone,
    unwrap_root,
)


class KeyStore(Opaque):
    """An opened key store: holds the root key of the generation it found.

    Made by `init` or `open`. Open it after a fork, never before. Threads may share it.

    Attributes:
        register: id of the register.
        generation: the one this process serves.
        rehearsal: whether this register may run on a handed-in date; sealed at `init`.
        tokens: makes lookup tokens.
    """

    __slots__ = ("_facts", "anchor", "cipher", "database", "generation", "register", "rehearsal", "root", "tokens")

    def __init__(self, database: Database, anchor: Anchor, cipher: Cipher, generation: int | None = None) -> None:
        """Open the key store in `database`; see `open`."""
        self.database = database
        self.anchor = anchor
        self.cipher = cipher
        with database.reading() as connection:
            head = connection.execute(select(schema.register)).one_or_none()
            register_keys = connection.execute(statements.REGISTER_KEYS).all()
        if head is None:
            raise Tampered("keystore.damaged", "the key store names no register")
        if head.format != schema.FORMAT:
            raise Unavailable(
                "keystore.format", f"the key store has format {head.format}, this version reads {schema.FORMAT}"
            )
        if head.anchor_kind != holding(anchor, head.anchor_version).kind:
            raise Unavailable("anchor.other", f"the root key is wrapped under an anchor of kind {head.anchor_kind}")
        if generation is not None and head.generation != generation:
            raise moved()
        self.register = RegisterId(head.register)
        self.generation: int = head.generation
        self.root = RootKey(
            unwrap_root(anchor, head.anchor_version, head.root, self.register, head.generation),
            self.register,
            head.generation,
            cipher=cipher,
        )
        try:
            profile = json.loads(unpad(self.root.unwrap(KeyKind.REGISTER, "profile", 0, head.profile)))
            own = {
                row.id: Secret(self.root.unwrap(KeyKind.REGISTER, row.id, row.version, row.wrapped))
                for row in register_keys
            }
            self.tokens = Tokens(own[LOOKUP_KEY].raw, own[DELIVERY_KEY].raw, self.register)
            self._facts = keyed(own[FACTS_KEY].raw, FACTS_LABEL, self.register.encode())
        except (Tampered, KeyError):
            raise Tampered("keystore.damaged", "the register's own keys in the key store do not open") from None
        self.rehearsal = bool(profile["rehearsal"])

    @classmethod
    def init(
        cls,
        folder: Path,
        anchor: Anchor,
        register: RegisterId,
        *,
        rehearsal: bool,
        url: str | None = None,
        cipher: Cipher = AESGCM,
    ) -> Self:
        """Make a new key store in `folder` (made with mode 0700 if absent) and open it.

        Raises:
            Conflict: there are keys already (`keys.exist`).
            Invalid: others can use the folder, or it is on a network file system.
            Unavailable: it cannot be written.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_folder(folder)
        if place.path(folder).exists() or anchor.advance() != 1:
            raise Conflict("keys.exist", "there are keys already; they are never replaced")
        database = place.make_database(folder, url)
        raw, *own = new_keys(4)
        root = RootKey(raw.raw, register, 1, cipher=cipher)
        names = (FACTS_KEY, LOOKUP_KEY, DELIVERY_KEY)
        rows = [
            (name, KeyKind.REGISTER, 1, root.wrap(KeyKind.REGISTER, name, 1, key.raw))
            for name, key in zip(names, own, strict=True)
        ]
        profile = pad(json.dumps({"rehearsal": rehearsal}).encode())
        head = {
            "one": 1,
            "format": schema.FORMAT,
            "register": register,
            "generation": 1,
            "fence": 0,
            "anchor_kind": anchor.kind,
            "anchor_version": 1,
            "root": anchor.wrap(1, raw.raw, root_aad(register, 1)),
            "profile": root.wrap(KeyKind.REGISTER, "profile", 0, profile),
        }
        try:
            with database.founding() as connection:
                schema.metadata.create_all(connection)
                connection.execute(insert(schema.register).values(head))
                many(connection, statements.INSERT_KEY, statements.KEY_COLUMNS, rows)
        except IntegrityError:
            raise Conflict("keys.exist", "that database holds a key store already; it is never replaced") from None
        return cls(database, anchor, cipher)

    @classmethod
    def open(
        cls,
        folder: Path,
        anchor: Anchor,
        *,
        generation: int | None = None,
        url: str | None = None,
        cipher: Cipher = AESGCM,
    ) -> Self:
        """Open the key store in `folder`; nothing is ever made anew here.

        Args:
            folder: the keys' folder.
            anchor: what the root key is wrapped under.
            generation: that of this process's lease (`keystore.leases`); no key is opened at another one.
            url: of a PostgreSQL database (`database_url`); None: the SQLite file in `folder`.
            cipher: for tests.

        Raises:
            Unavailable: it is not there, its anchor's version is not there, or it cannot be read just now.
            Tampered: it, or the anchor, is damaged.
            Invalid: others can use the folder.
        """
        return cls(place.open_database(folder, url), anchor, cipher, generation)

    def __repr__(self) -> str:
        return f"<KeyStore of register {self.register}, generation {self.generation}>"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a read transaction at this process's own generation. Raises Unavailable (`generation.moved`)."""
        with self.database.reading() as connection:
            self._check_generation(connection)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write at this process's own generation, while no purge does. Raises Unavailable (`generation.moved`)."""
        with self.database.writing(alone=False) as connection:
            self._check_generation(connection)
            yield connection

    def assert_current(self) -> None:
        """Assert that the store is still at this process's generation.

        Raises:
            Unavailable: code `generation.moved`; the process sends nothing more and ends.
        """
        with self.reading():
            pass

    def facts_context(self) -> HMAC:
        """Return the keyed context of facts MACs; to be copied, never updated."""
        return self._facts

    def value_keys(self, ids: Iterable[str], *kinds: KeyKind, whole: bool = False) -> Rings:
        """Return the keys of these ids and kinds; what is not there, or is damaged, is absent.

        Args:
            ids: of records.
            kinds: of keys.
            whole: damage is an error, since something is to be sealed.

        Raises:
            Tampered: there is damage, and `whole`. Unavailable.
        """
        rings: dict[tuple[str, str], list[ValueKey]] = {}
        unwrap, cipher = self.root.unwrap, self.cipher
        for chunk in chunks(ids):
            for name, kind, version, wrapped in self._key_rows(chunk, kinds, whole=whole):
                try:
                    key = ValueKey(unwrap(kind, name, version, wrapped), version, cipher=cipher)
                except Tampered:
                    if whole:
                        raise
                    continue  # its record does not open, and all others do
                rings.setdefault((kind, name), []).append(key)
        return rings

    def identifiers(self, values: Collection[bytes]) -> dict[bytes, str]:
        """Return the identifier id by value, for those that have a token."""
        by_digest = {self.tokens.token(value): value for value in values}
        with self.reading() as connection:
            found = statements.identifiers_by_digest(connection, by_digest)
        return {by_digest[digest]: identifier for digest, identifier in found.items()}

    def deliveries(self, values: Collection[bytes]) -> dict[bytes, StoredDelivery]:
        """Return the deliveries by value. Raises Tampered."""
        by_digest = {self.tokens.token(value): value for value in values}
        with self.reading() as connection:
            found = statements.deliveries_by_digest(connection, by_digest)
        return {by_digest[digest]: self._delivery(row) for digest, row in found.items()}

    def receipt(self, receipt: ReceiptId) -> StoredDelivery | None:
        """Return the delivery with this receipt, or None. Raises Tampered."""
        with self.reading() as connection:
            row = connection.execute(statements.BY_RECEIPT, {"receipt": receipt}).one_or_none()
        return None if row is None else self._delivery(row)

    def add(self, new: NewRows) -> None:
        """Write what an intake needs durably, in one transaction; what is there already in the same form is left.

        Raises:
            Conflict: code `token.raced`: another intake wrote one of these first, or an id was purged.
            Unavailable: code `generation.moved`; or `register.paused`: a backup is being made.
        """
        wrap = self.root.wrap
        keys = [(name, kind, 1, wrap(kind, name, 1, key.raw)) for name, kind, key in new.keys]
        tokens = [
            (self.tokens.token(one.value), one.identifier, wrap(TOKEN, one.identifier, 0, pad(one.value)), one.replaces)
            for one in new.tokens
        ]
        deliveries = [
            (self.tokens.token(value), one.receipt, int(one.done), one.signal, self._wrap_delivery(value, one))
            for value, one in new.deliveries
        ]
        try:
            with self.writing() as connection:
                refuse_paused(connection)
                statements.refuse_purged(connection, [*(row[0] for row in keys), *(row[1] for row in tokens)])
                many(connection, statements.INSERT_KEY, statements.KEY_COLUMNS, keys)
                statements.add_tokens(connection, tokens)
                statements.add_deliveries(connection, deliveries)
        except IntegrityError:
            raise raced() from None

    def settle(self, signals: Collection[str], revisions: Iterable[tuple[str, int]] = ()) -> None:
        """Mark the deliveries of `signals` done and remember `revisions`, in one transaction."""
        with self.writing() as connection:
            many(connection, statements.DONE, ("of_signal",), [(signal,) for signal in signals])
            statements.remember(connection, revisions)

    def newest(self, ids: Iterable[str]) -> dict[str, int]:
        """Return the remembered revisions of these ids; unknown ones are absent."""
        with self.reading() as connection:
            return {
                name: revision
                for chunk in chunks(ids)
                for name, revision in connection.execute(statements.REVISIONS, {"ids": chunk})
            }

    def purged(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of `ids` that a purge has made tombstones of."""
        stones = {tombstone(name): name for name in ids}
        with self.reading() as connection:
            return frozenset(
                stones[row.id_sha256]
                for chunk in chunks(stones)
                for row in connection.execute(statements.TOMBSTONES, {"digests": chunk})
            )

    def take_fence(self, fence: int) -> None:
        """Make `fence` the number below which nobody purges any more. Raises Unavailable: a higher one was taken."""
        with self.database.writing() as connection:
            self._check_generation(connection)
            statements.raise_fence(connection, fence)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def _key_rows(self, ids: Sequence[str], kinds: Collection[KeyKind], *, whole: bool) -> Sequence[Any]:
        """Read rows of keys; where one cannot be read, the others are read one by one."""
        try:
            with self.reading() as connection:
                return connection.execute(statements.KEYS, {"ids": ids, "kinds": kinds}).all()
        except Tampered:
            if whole:
                raise
        return [row for one in ids for kind in kinds for row in statements.readable(self.reading, one, kind)]

    def _check_generation(self, connection: Connection) -> None:
        if connection.execute(statements.GENERATION).scalar_one() != self.generation:
            raise moved()

    def _wrap_delivery(self, value: bytes, delivery: StoredDelivery) -> bytes:
        return self.root.wrap(DELIVERY, delivery.receipt, 0, delivery_payload(value, delivery))

    def _delivery(self, row: Any) -> StoredDelivery:
        _, rest = split_payload(self.root.unwrap(DELIVERY, row.receipt, 0, row.wrapped))
        if row.signal is None:
            return StoredDelivery(done=True, receipt=row.receipt, signal=None)
        content = json.loads(rest)
        return StoredDelivery(
            done=bool(row.done),
            receipt=row.receipt,
            signal=row.signal,
            contributor=content["contributor"],
            content=bytes.fromhex(content["content"]),
            subjects={int(place): SubjectId(one) for place, one in content["subjects"].items()},
        )

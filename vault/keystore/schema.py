"""The key store's tables, the same on every database."""

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, LargeBinary, MetaData, Table, Text, event
from sqlalchemy.types import TypeEngine

FORMAT: Final = 1

metadata: Final = MetaData()


def _table(name: str, *columns: Column[Any]) -> Table:
    return Table(name, metadata, *columns, sqlite_with_rowid=False, sqlite_strict=True)


def _column(
    name: str, kind: type[Text | Integer | LargeBinary], *, key: bool = False, null: bool = False
) -> Column[Any]:
    # Ids are ordered by their bytes on every database, whatever language its server was set up for.
    kinds: dict[type, TypeEngine[Any]] = {Text: Text(collation="C"), Integer: BigInteger(), LargeBinary: LargeBinary()}
    return Column(
        name, kind().with_variant(kinds[kind], "postgresql"), primary_key=key, nullable=null, autoincrement=False
    )


register: Final = _table(
    "register",
    _column("one", Integer, key=True),
    _column("format", Integer),
    _column("register", Text),
    _column("generation", Integer),
    _column("fence", Integer),
    _column("anchor_kind", Text),
    _column("anchor_version", Integer),
    _column("root", LargeBinary),  # wrapped under the anchor
    _column("profile", LargeBinary),  # wrapped under the root: what was decided at `init`
)
keys: Final = _table(
    "keys",
    _column("id", Text, key=True),
    _column("kind", Text, key=True),
    _column("version", Integer, key=True),
    _column("wrapped", LargeBinary),
)
tokens: Final = _table(
    "tokens",
    _column("identifier", Text, key=True),
    _column("digest", LargeBinary),
    _column("wrapped", LargeBinary),
)
# Of a purged signal's delivery only receipt, digest and what the digest is made from remain.
deliveries: Final = _table(
    "deliveries",
    _column("receipt", Text, key=True),
    _column("digest", LargeBinary),
    _column("done", Integer),
    _column("signal", Text, null=True),
    _column("forgotten_by", Text, null=True),  # run
    _column("forgotten_on", Text, null=True),  # civil date
    _column("wrapped", LargeBinary),
)
# Keys that were replaced: `version` and those before it only decrypt, until they go on civil date `until`; null: what
# is sealed under them was not sealed anew yet. `revision` is that of the record then.
renewals: Final = _table(
    "renewals",
    _column("id", Text, key=True),
    _column("kind", Text, key=True),
    _column("version", Integer, key=True),
    _column("revision", Integer),
    _column("until", Text, null=True),
)
revisions: Final = _table("revisions", _column("id", Text, key=True), _column("revision", Integer))
tombstones: Final = _table("tombstones", _column("id_sha256", LargeBinary, key=True))
runs: Final = _table("runs", _column("run", Text, key=True), _column("result", Text))
# A rotation that was begun and whose audit entry is not durable yet, with its instant.
rotations: Final = _table("rotations", _column("run", Text, key=True), _column("at", Text))
# Old roots, each as it was wrapped, until it has been read back that none of them opens.
former_roots: Final = _table(
    "former_roots",
    _column("anchor_version", Integer, key=True),
    _column("generation", Integer),
    _column("root", LargeBinary),
)
leases: Final = _table(
    "leases",
    _column("worker", Text, key=True),
    _column("host", Text),
    _column("pid", Integer),
    _column("started", Text),
    _column("generation", Integer),
    _column("heartbeat", Text),
)
# The one keeper, under the number in `register.fence`.
keeper: Final = _table("keeper", _column("one", Integer, key=True), _column("holder", Text), _column("until", Text))
credentials: Final = _table(
    "credentials",
    _column("id", Text, key=True),
    _column("secret_sha256", LargeBinary),
    _column("code", Text),
    _column("role", Text),
    _column("markings", Text),
    _column("handling", Text),
    _column("expires_at", Text, null=True),
    _column("ended", Integer),
)
# What actors have searched lately, counted only: who, what kind, when (microseconds since 1970, UTC).
spendings: Final = _table(
    "spendings",
    _column("id", Text, key=True),
    _column("actor", Text),
    _column("what", Text),
    _column("at", Integer),
)
Index("spendings_actor", spendings.c.actor, spendings.c.what)
# Backups whose key is here, with the civil date on which it is destroyed.
backups: Final = _table("backups", _column("id", Text, key=True), _column("destroyed_by", Text))
# The worker for whose backup nothing is written just now.
pauses: Final = _table("pauses", _column("worker", Text, key=True))
# While a row is here, the graph is older than the log: it serves nobody. From which place on the log is replayed.
quarantine: Final = _table("quarantine", _column("one", Integer, key=True), _column("log_size", Integer))
# Copies of this store in other places, each under an anchor of its own, and what each was seen to hold.
replicas: Final = _table(
    "replicas",
    _column("name", Text, key=True),
    _column("folder", Text),
    _column("generation", Integer),
    _column("rows", Integer),
    _column("log_size", Integer),
    _column("at", Text, null=True),
)
# Digests change at every purge, identifiers and receipts never: rows are found again by what stays.
Index("tokens_digest", tokens.c.digest, unique=True)
Index("deliveries_digest", deliveries.c.digest, unique=True)
Index("deliveries_signal", deliveries.c.signal)


@event.listens_for(metadata, "after_create")
def _never_sampled(_: MetaData, connection: Connection, **__: Any) -> None:
    """Have a PostgreSQL server take no samples of a column's values: it keeps them beside the tables, past a purge."""
    if connection.dialect.name == "postgresql":
        for table in metadata.sorted_tables:
            columns = ", ".join(f'ALTER COLUMN "{one.name}" SET STATISTICS 0' for one in table.columns)
            connection.exec_driver_sql(f'ALTER TABLE "{table.name}" {columns}')

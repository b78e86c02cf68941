"""The key store, one small database: keys, lookup tokens, deliveries, revisions, tombstones, leases, credentials.

The only package that speaks SQL. Everything that opens something is wrapped under the root key of one generation; a
process serves the generation it opened, and meeting another one is its end (`Unavailable`, code `generation.moved`).
"""

from vault.keystore.credentials import Credential, Credentials
from vault.keystore.leases import WorkerLease, Workers, process_start
from vault.keystore.place import database_url, open_database
from vault.keystore.purge import Purge
from vault.keystore.rows import KeyKind
from vault.keystore.store import KeyStore

__all__ = [
    "Credential",
    "Credentials",
    "KeyKind",
    "KeyStore",
    "Purge",
    "WorkerLease",
    "Workers",
    "database_url",
    "open_database",
    "process_start",
]

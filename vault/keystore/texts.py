"""Keys of texts of decisions, dropped at the texts' own term.

A copy of the store opens them until the next purge takes the old root.
"""

from collections.abc import Collection

from sqlalchemy import bindparam, delete

from vault.keystore import schema
from vault.keystore.database import Database
from vault.keystore.rows import KeyKind


def drop_texts(database: Database, dossiers: Collection[str]) -> int:
    """Drop the keys of these dossiers, and no key of anything else with such an id; return how many there were."""
    keys = schema.keys
    wanted = delete(keys).where(keys.c.kind == KeyKind.DOSSIER, keys.c.id == bindparam("dossier"))
    count = 0
    with database.writing() as connection:
        for one in dossiers:
            count += connection.execute(wanted, {"dossier": one}).rowcount
    return count

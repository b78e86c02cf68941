"""Where a Neo4j server answers."""

from dataclasses import dataclass, field
from typing import Final

DATABASE: Final = "neo4j"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a server answers and who we are there.

    Attributes:
        uri: `bolt://…` or `neo4j://…` (`+s` with TLS), without credentials in it.
        user: user name.
        password: never shown in `repr`.
        database: name of the database; Neo4j Community has this one only.
    """

    uri: str
    user: str
    password: str = field(repr=False)
    database: str = DATABASE

"""What Neo4j and its driver raise, as this register's error families, without a statement, a parameter or a value.

The server's messages quote property values ("already exists with label … and property …"), so none is passed on: what
remains is the server's status code, which is a name from a fixed list.
"""

import re
from collections.abc import Callable
from typing import Final, TypeVar

from neo4j.exceptions import AuthError, ConstraintError, DriverError, Neo4jError, TransientError

from register.errors import Conflict, RegisterError, Unavailable

T = TypeVar("T")

_CODE: Final = re.compile(r"Neo\.[A-Za-z]+\.[A-Za-z]+\.[A-Za-z]+")


def fault_of(error: Neo4jError | DriverError) -> RegisterError:
    """Return the error of ours that stands for one of Neo4j's; it holds nothing of the other's message."""
    if isinstance(error, ConstraintError):
        return Conflict("graph.constraint", "a uniqueness constraint of the graph forbids this")
    if isinstance(error, AuthError):
        return Unavailable("graph.credentials", "the graph server does not accept our credentials")
    if isinstance(error, TransientError):
        return Unavailable("graph.transient", f"the graph server is busy ({_code(error)})")
    if isinstance(error, Neo4jError):
        return Unavailable("graph.error", f"the graph server refuses a statement ({_code(error)})")
    return Unavailable("graph.unreachable", f"the graph server cannot be reached ({type(error).__name__})")


def mapped(act: Callable[[], T]) -> T:
    """Do `act` and return its result; what Neo4j raises in it comes out as one of our families.

    The other's exception is dropped, not chained, because a traceback would show its message.

    Raises:
        Conflict: a uniqueness constraint forbids what was written (`graph.constraint`).
        Unavailable: anything else that Neo4j or its driver raises (`graph.transient`, `graph.credentials`,
            `graph.error`, `graph.unreachable`).
    """
    try:
        return act()
    except (Neo4jError, DriverError) as error:
        fault = fault_of(error)
    raise fault


def _code(error: Neo4jError) -> str:
    code = error.code or ""
    return code if _CODE.fullmatch(code) else "no code"

"""Where this register's Neo4j answers: the one that was named, or the embedded server of its folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.settings import Settings
from graph.embedded.jars import Progress
from graph.embedded.java import Memory
from graph.embedded.server import attach, install
from graph.endpoint import Endpoint
from register.errors import Unavailable

FOLDER = "graph"


@contextmanager
def endpoint(settings: Settings, *, progress: Progress | None = None) -> Iterator[Endpoint]:
    """Use the register's Neo4j for the length of the block; `progress` is told about jars while they are fetched.

    Raises:
        Unavailable: it cannot be started, or there is no password for the one that was named.
    """
    if settings.neo4j_uri is not None:
        yield Endpoint(uri=settings.neo4j_uri, user=settings.neo4j_username, password=_password(settings))
        return
    installation = install(settings.cache_folder, java_home=settings.java_home, progress=progress)
    memory = Memory(heap_at_most=settings.heap)
    with attach((settings.home / FOLDER).absolute(), installation, memory=memory) as found:
        yield found


def _password(settings: Settings) -> str:
    if settings.neo4j_password_file is not None:
        return _private(settings.neo4j_password_file)
    if settings.neo4j_password is not None:
        return settings.neo4j_password.get_secret_value()
    raise Unavailable("neo4j.password", "NEO4J_URI is set: give its password in the file NEO4J_PASSWORD_FILE names")


def _private(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise Unavailable("neo4j.password", "the file with Neo4j's password may be read by others: chmod 600 it")
        return path.read_text("utf-8").strip()
    except OSError as error:
        name = type(error).__name__
        raise Unavailable("neo4j.password", f"the file with Neo4j's password cannot be read ({name})") from None

"""Making a register: two folders, keys, schema, empty log, first administrator."""

import json
import os
import resource
import stat
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.anchors import choose
from api.places import REGISTER, keystore_url
from api.server import endpoint
from api.settings import Settings
from api.wiring import LOG_KEYS, logbook, vouched
from evidence.durable import write_durably
from graph import schema
from graph.connection import Graph
from graph.embedded.jars import Progress
from graph.trail import AuditTrail
from register.access import Role
from register.audit import Act, Entry
from register.clock import Clock
from register.errors import Conflict, Fault, Invalid
from register.grading import HandlingCode
from register.ids import RegisterId, mint
from vault.anchors import AnchorKind
from vault.formats import AESGCM, Cipher
from vault.keystore.credentials import Credentials
from vault.keystore.place import URL_FILE
from vault.keystore.store import KeyStore
from vault.signing import LogKeys
from vault.strands import TrailKey

ADMINISTRATOR: Final = "administrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """A new register: its id, and the first administrator's key, shown this once."""

    register: RegisterId
    administrator_key: str


def found(
    settings: Settings,
    clock: Clock,
    *,
    rehearsal: bool,
    anchor: AnchorKind = AnchorKind.FILE,
    progress: Progress | None = None,
    cipher: Cipher = AESGCM,
) -> Founded:
    """Make the register of `settings`; `progress` is told about jars while they are fetched, `cipher` is for tests.

    Raises:
        Conflict: there is a register, or part of one, already. Invalid: the folders cannot be used as they are, or the
            anchor needs another setting. Unavailable: a server or a secret it needs is not there.
    """
    home, keys = settings.home.absolute(), settings.keys_folder.absolute()
    _check(home.resolve(), keys.resolve())
    register = RegisterId(mint())
    for folder in (home, keys):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    chosen = choose(settings, anchor, register)
    with endpoint(settings, progress=progress) as server:
        with Graph(server) as graph:
            graph.verify()
            schema.migrate(graph, register)
        made = KeyStore.init(keys, chosen, register, rehearsal=rehearsal, url=keystore_url(settings), cipher=cipher)
        with closing(made) as store:
            LogKeys.create(keys / LOG_KEYS)
            TrailKey.create(keys / LOG_KEYS)
            key = Credentials(store.database).add(
                code=ADMINISTRATOR,
                role=Role.ADMINISTRATOR,
                markings=frozenset(),
                handling=HandlingCode.H0,
                expires_at=None,
            )
            with vouched(settings, server) as graph:
                _begin(settings, register, graph, clock)
    # Last: where this stands, the register is whole.
    write_durably(home, [(REGISTER, json.dumps({"register": register}).encode("ascii"))])
    return Founded(register=register, administrator_key=key)


def _begin(settings: Settings, register: RegisterId, graph: Graph, clock: Clock) -> None:
    """Begin the log, and log that the administrator was enrolled."""
    trail = AuditTrail(graph)
    log = logbook(settings, register, trail, clock)
    log.begin()
    detail = {"code": ADMINISTRATOR, "role": Role.ADMINISTRATOR.value}
    trail.append([Entry(at=clock.now(), actor="system", role="system", act=Act.ACTOR_ENROL, detail=detail)])
    log.seal_trail()


def warnings() -> tuple[str, ...]:
    """Return codes of what is not as it should be on this host: `swap.clear`, `core-dumps`."""
    found = []
    swaps = Path("/proc/swaps")
    if swaps.exists() and any("/dev/dm-" not in line for line in swaps.read_text("utf-8").splitlines()[1:]):
        found.append("swap.clear")
    if resource.getrlimit(resource.RLIMIT_CORE)[0] != 0:
        found.append("core-dumps")
    return tuple(found)


def _check(home: Path, keys: Path) -> None:
    faults = []
    if home == keys or home in keys.parents or keys in home.parents:
        message = "the folder of the keys must lie outside the register's folder, and the other way round"
        faults.append(Fault(pointer="", rule="folders.nested", message=message))
    for name, folder in (("home", home), ("keys", keys)):
        if folder.exists() and (not folder.is_dir() or folder.stat().st_uid != os.geteuid()):
            faults.append(Fault(pointer=f"/{name}", rule="folder.owner", message="is not a folder of this user"))
        elif folder.exists() and stat.S_IMODE(folder.stat().st_mode) & 0o077:
            message = "may be read by others: chmod 700 it"
            faults.append(Fault(pointer=f"/{name}", rule="folder.open", message=message))
    if faults:
        raise Invalid(faults)
    for folder in (home, keys):
        if folder.exists() and {one.name for one in folder.iterdir()} - {URL_FILE}:
            raise Conflict("register.exists", "there is something in that folder already; nothing was touched")

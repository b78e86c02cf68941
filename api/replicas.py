"""Replicas of keys and log elsewhere: enrolled, brought up to date, struck off; a lost host reopened from one.

A replica's folder is a folder of keys with an anchor of its own, and beside them, in `register`, the log.
"""

import json
import logging
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from api.anchors import anchor_of, choose
from api.logbook import Logbook
from api.places import REGISTER
from api.settings import Settings
from evidence.durable import write_durably
from evidence.log import Log
from evidence.mirror import mirror
from register.audit import Act, Entry
from register.clock import Clock
from register.errors import Conflict, Fault, Invalid, Refused, RegisterError
from register.ids import RegisterId
from register.runs import Reached
from register.stores import Trail
from vault.anchors import AnchorKind
from vault.keystore.credentials import Credentials
from vault.keystore.place import open_database
from vault.keystore.replicas import NAME, Copied, Replica, Replicas, copy_to
from vault.keystore.store import KeyStore
from vault.signing import LogKeys
from vault.strands import TrailKey

LOG_KEYS: Final = "log"
BESIDE: Final = "register"
"""Folder in a replica that holds what belongs in the register's own folder."""

_log: Final = logging.getLogger(__name__)


def at(settings: Settings, folder: Path) -> Settings:
    """Return settings whose keys are in `folder`, under the anchor that is written down there and no other."""
    ours = [name for name in type(settings).model_fields if name.startswith("anchor_") and name != "anchor_mount"]
    return settings.model_copy(update={"keys": folder, **dict.fromkeys(ours)})


@dataclass(frozen=True, slots=True)
class Replication:
    """Brings an opened register's replicas up to date; the process holds the present root key."""

    settings: Settings
    store: KeyStore
    logbook: Logbook
    trail: Trail
    clock: Clock

    def add(self, name: str, folder: Path, kind: AnchorKind, options: dict[str, object]) -> Replica:
        """Enrol an empty folder as a replica and bring it up to date.

        Args:
            name: its code, for certificates.
            folder: made with mode 0700 if absent.
            kind: of its own anchor.
            options: settings of that anchor, by name.

        Raises:
            Invalid: the name is no code, or the folder cannot be used. Conflict: the name or the folder is taken.
        """
        if not NAME.fullmatch(name):
            message = "is a code: small letters, digits and dashes, a letter first"
            raise Invalid([Fault(pointer="/name", rule="replica.name", message=message)])
        folder = folder.absolute()
        _refuse_nested(self.settings, folder)
        replicas = self._replicas()
        if any(one.name == name or one.folder == folder for one in replicas.all()):
            raise Conflict("replica.exists", "there is a replica of that name or in that folder already")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Conflict("replica.exists", "there is something in that folder already; nothing was touched")
        own = {"anchor_key": f"theme-register-{self.store.register}-{name}"} | options
        choose(at(self.settings, folder).model_copy(update=own), kind, self.store.register)
        replicas.keep(Replica(name=name, folder=folder))
        return self._brought(replicas.one(name))

    def reach(self) -> tuple[Reached, ...]:
        """Bring every replica up to date; one that cannot be reached holds nobody up, and is said to be so."""
        return tuple(map(self._tried, self._replicas().all()))

    def strike(self, name: str, keys: Collection[str]) -> tuple[str, ...]:
        """Strike a replica off, which is not waited for any more; return the two officers' codes.

        Raises:
            NotFound: there is none of that name. Refused: these are not the keys of two compliance officers.
        """
        struck = self._replicas().one(name)
        agreed = Credentials(self.store.database).officers(keys, now=self.clock.now())
        if len(agreed) != 2:
            raise Refused("replica.two-officers", "two different compliance officers have to agree, each with a key")
        detail: dict[str, str | int] = {"replica": name, "generation": struck.generation}
        self._note(Act.REPLICA_STRUCK, detail | {"approved_by": " ".join(agreed)})
        self._replicas().strike(name)
        return agreed

    def _tried(self, replica: Replica) -> Reached:
        try:
            brought = self._brought(replica)
        except (RegisterError, OSError) as error:
            code = error.code if isinstance(error, RegisterError) else "replica.storage"
            _log.error("replica %s: not reached (%s)", replica.name, code)
            return Reached(name=replica.name, reached=False, code=code, assurance="none")
        anchor = anchor_of(at(self.settings, brought.folder))
        return Reached(name=brought.name, reached=True, code="", assurance=anchor.assurance)

    def _brought(self, replica: Replica) -> Replica:
        folder, began = replica.folder, self.clock.now()
        self.logbook.seal_trail()
        done: Copied = copy_to(self.store, anchor_of(at(self.settings, folder)), folder)
        with self.logbook.still() as log:
            size = mirror(log, self.logbook.log_folder, folder / BESIDE)
            _copy_log_keys(self.logbook.memory.parent, folder / LOG_KEYS)
        brought = replace(replica, generation=done.generation, rows=done.rows, log_size=size, at=began)
        if done.generation > replica.generation:
            detail: dict[str, str | int] = {"replica": replica.name, "generation": done.generation, **done.evidence}
            self._note(Act.REPLICA_ATTESTED, detail)
        self._replicas().keep(brought)
        return brought

    def _note(self, act: Act, detail: dict[str, str | int]) -> None:
        self.trail.append([Entry(at=self.clock.now(), actor="system", role="system", act=act, detail=detail)])

    def _replicas(self) -> Replicas:
        return Replicas(self.store.database)


def enrolled(settings: Settings, url: str | None) -> bool:
    """Say whether there is a replica to bring anything to. Reads no key."""
    with closing(open_database(settings.keys_folder, url)) as database:
        return bool(Replicas(database).all())


def window(store: KeyStore, logbook: Logbook) -> list[dict[str, Any]]:
    """Return what would be lost with this host, per replica, in values of JSON.

    Returns:
        `rows_missing`: keys that a replica lacks; None: it has not forgotten the last purge yet, and is to be reached
        before it can be counted. `entries_missing`: of the log.
    """
    replicas, head = Replicas(store.database), logbook.head()
    generation, rows = replicas.rows()
    return [
        {
            "name": one.name,
            "folder": str(one.folder),
            "reached_at": None if one.at is None else one.at.isoformat(),
            "generation": one.generation,
            "current": one.generation == generation,
            "rows_missing": max(0, rows - one.rows) if one.generation == generation else None,
            "entries_missing": (head.size if head else 0) - one.log_size,
        }
        for one in replicas.all()
    ]


def replicated_at(store: KeyStore) -> datetime | None:
    """Return when a replica was last brought up to date (aware, UTC): what came in later is on this host alone."""
    return max((one.at for one in Replicas(store.database).all() if one.at is not None), default=None)


def restore(settings: Settings, folder: Path, kind: AnchorKind) -> dict[str, Any]:
    """Reopen keys and log of a lost host from the replica in `folder`; the replica is only read.

    The graph comes from a backup afterwards (docs/runbook.md).

    Args:
        settings: of the new host; both folders are absent or empty.
        folder: of the replica.
        kind: of the new host's own anchor.

    Raises:
        Conflict: there is something in one of the folders (`register.exists`). Invalid: a database is named for it.
        Unavailable, Tampered: the replica or its anchor is not there or damaged; nothing was made.
    """
    if settings.keystore_url_file is not None:
        message = "keys are restored into their folder: name no other database until they are there"
        raise Invalid([Fault(pointer="/keystore_url_file", rule="replica.database", message=message)])
    home, keys = settings.home.absolute(), settings.keys_folder.absolute()
    for there in (home, keys):
        if there.exists() and any(there.iterdir()):
            raise Conflict("register.exists", "there is something in that folder already; nothing was touched")
    replica = at(settings, folder.absolute())
    with closing(KeyStore.open(replica.keys_folder, anchor_of(replica))) as store:
        LogKeys.load(folder / LOG_KEYS)
        TrailKey.load(folder / LOG_KEYS)
        with Log.open(folder / BESIDE) as log:
            for each in (home, keys):
                each.mkdir(mode=0o700, parents=True, exist_ok=True)
            size = mirror(log, folder / BESIDE, home / "log")
        _copy_log_keys(folder / LOG_KEYS, keys / LOG_KEYS)
        copied = copy_to(store, choose(settings, kind, RegisterId(store.register)), keys)
        register = store.register
    # Last: where this stands, keys and log are whole.
    write_durably(home, [(REGISTER, json.dumps({"register": register}).encode("ascii"))])
    return {"register": register, "generation": copied.generation, "keys": copied.rows, "log_entries": size}


def _copy_log_keys(source: Path, target: Path) -> None:
    """Copy what signs the log, and what its signer remembers; the strands of this host's processes stay here."""
    target.mkdir(mode=0o700, exist_ok=True)
    names = sorted(path.name for path in source.iterdir() if path.is_file() and not path.name.startswith("."))
    write_durably(target, [(name, (source / name).read_bytes()) for name in names], mode=0o600)


def _refuse_nested(settings: Settings, folder: Path) -> None:
    ours = [settings.home.absolute().resolve(), settings.keys_folder.absolute().resolve()]
    real = folder.resolve()
    if any(real == one or one in real.parents or real in one.parents for one in ours):
        message = "a replica lies outside the register's folder and the keys' folder, best on another disk"
        raise Invalid([Fault(pointer="/to", rule="folders.nested", message=message)])

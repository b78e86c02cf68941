"""Restoring a backup into an empty graph, in quarantine: nobody is served until what was purged since is gone again.

What is restored is an old graph; key store and log are the present ones. The numbers in comments are the steps of
docs/backups.md.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.backups.ledger import bring_back, replay
from api.backups.making import checked
from api.backups.parts import Told, lay_file, read_parts
from api.places import REGISTER, keystore_url
from api.server import endpoint
from api.settings import Settings
from api.wiring import Workplace, workplace
from evidence.durable import write_durably
from evidence.manifest import Backup
from graph import schema
from graph.connection import Graph
from graph.copying import Copies
from register.audit import Act
from register.clock import Clock, civil_date
from register.errors import Refused, Tampered, Unavailable
from register.ids import RegisterId, RunId, mint
from register.runs import Order, RunState
from retention.checking import PAGE, pages
from retention.steps import own_entry
from vault.backup import BackupKey
from vault.keystore.backups import Quarantine
from vault.keystore.credentials import Credentials
from vault.keystore.place import open_database


@dataclass(slots=True, kw_only=True)
class Held:
    """What a copy holds, gathered while it is written: the revision of every record, and which are signals."""

    revisions: dict[str, int] = field(default_factory=dict)
    signals: set[str] = field(default_factory=set)
    lines: int = 0

    def note(self, line: Mapping[str, Any]) -> None:
        """Note what a decoded line of the graph holds. Raises Tampered: it is a node with a revision and no id."""
        properties = line["properties"]
        if "node" not in line:
            return
        try:
            if "revision" in properties:
                self.revisions[properties["id"]] = properties["revision"]
            if line["node"] == "Signal":
                self.signals.add(properties["id"])
        except KeyError:
            raise Tampered("backup.line", "a line of the copy is not one that this register writes") from None


def restore(settings: Settings, folder: Path, told: Told = lambda _: None) -> tuple[Backup, Held, int]:
    """Write the backup in `folder` into the register's empty graph, and leave it in quarantine.

    Returns:
        What the backup states, what it held, and how many deliveries are to be handed in again.

    Raises:
        Tampered: the backup is not the one that was made. Unavailable: its key is gone, or there is no log here.
        Conflict: the graph is not empty, or of another register.
    """
    vkey = settings.home / "log" / "vkey"
    if not vkey.exists():
        raise Unavailable("log.absent", "there is no log here to say what happened since the backup")
    stated = checked(settings, folder)  # 1
    with closing(open_database(settings.keys_folder, keystore_url(settings))) as database:
        quarantine = Quarantine(database)
        quarantine.begin(stated.log_size)  # 2
        with endpoint(settings) as server, Graph(server) as graph:
            if not (settings.home / REGISTER).exists():
                name = json.dumps({"register": stated.register}).encode("ascii")
                write_durably(settings.home, [(REGISTER, name)])
            schema.migrate(graph, RegisterId(stated.register))
    held = Held()
    with workplace(settings, "restore", quarantined=True) as opened:
        lines = read_parts(folder, BackupKey(opened.store, stated.backup))
        Copies(opened.graph).write(_graph_lines(settings.home, lines, held, told), held.note)  # 3
        purged = opened.store.purged(held.revisions)
        newest = [(one, revision) for one, revision in held.revisions.items() if one not in purged]
        pending = Quarantine(opened.store.database).recall(newest, held.signals)  # 4
    return stated, held, pending


def _graph_lines(home: Path, lines: Iterable[bytes], held: Held, told: Told) -> Iterator[bytes]:
    """Count `lines` and yield the graph's own; the files of the others are laid down."""
    for line in lines:
        held.lines += 1
        told(1)
        if not lay_file(home, line):
            yield line


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What was done again on a restored graph.

    Attributes:
        approved_by: the officers who agreed that the restored state is taken for the newest.
        acts: how many acts of the ledger were done again.
        run: the run that purges again what is gone.
    """

    approved_by: tuple[str, str]
    acts: int
    run: RunId


def replayed(opened: Workplace, keys: Collection[str]) -> Replayed:
    """Do again what the log holds since the copy was made, and order the run that purges again. Safe to do twice.

    Args:
        opened: in quarantine.
        keys: of the two compliance officers who approve.

    Raises:
        Refused: they are not two.
    """
    approved = officers(Credentials(opened.store.database), keys, opened.clock)  # 5
    bring_back(opened)
    acts = replay(opened, Quarantine(opened.store.database).since() or 0)  # 6
    opened.offices.renewal.finish()  # what keys were replaced since
    now = opened.clock.now()
    order = Order(id=RunId(mint()), as_of=civil_date(now), requested_by=approved[0], requested_at=now)
    detail = {"on": order.as_of.isoformat()}
    opened.erasure.file_order(order, own_entry(now, Act.RETENTION_ORDER, targets=(order.id,), detail=detail))  # 7
    return Replayed(approved_by=approved, acts=acts, run=order.id)


def state_of(opened: Workplace, run: RunId, second: str) -> RunState | None:
    """Return how far the run is, None before it began; what it plans was approved by both officers before."""
    found = next((one for one in opened.erasure.runs() if one.id == run), None)
    if found is not None and found.state is RunState.PLANNED:
        entry = own_entry(opened.clock.now(), Act.RETENTION_APPROVE, targets=(run,), detail={"by": second})
        opened.retaining.orders.approve(run, found.digest, second, entry)
    return None if found is None else found.state


def reopen(opened: Workplace, done: Replayed) -> bool:
    """Read back that nothing purged is there, and let the register serve again; return True.

    Raises:
        Unavailable: `restore.remains`: something is left; the register stays in quarantine.
    """
    if _remains(opened):  # 8
        raise Unavailable("restore.remains", "something that was purged is still there: the register stays closed")
    quarantine = Quarantine(opened.store.database)
    detail: dict[str, str | int] = {"approved_by": " ".join(done.approved_by), "replayed": done.acts}
    detail["log_size"] = quarantine.since() or 0
    opened.trail.append([own_entry(opened.clock.now(), Act.BACKUP_RESTORED, targets=(done.run,), detail=detail)])
    opened.logbook.seal_trail()
    quarantine.end()  # 9
    return True


def _remains(opened: Workplace) -> bool:
    """Say whether the graph holds a record that was purged."""
    streams = (
        (one.subject.facts.id for one in opened.erasure.subjects()),
        (one.facts.id for one in opened.erasure.signals()),
    )
    return any(opened.store.purged(page) for stream in streams for page in pages(stream, PAGE))


def officers(credentials: Credentials, keys: Collection[str], clock: Clock) -> tuple[str, str]:
    """Return the codes of the two different compliance officers whose keys these are.

    Raises:
        Refused: `restore.two-officers`: they are not.
    """
    codes = credentials.officers(keys, now=clock.now())
    if len(codes) != 2:
        raise Refused("restore.two-officers", "two different compliance officers have to approve, each with a key")
    return codes[0], codes[1]

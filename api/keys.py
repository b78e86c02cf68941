"""What an operator does with the keys: count them, examine them, replace the root key. Each act is audited."""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from api.anchors import anchor_of, begin_move, end_move, moving
from api.places import alone, keystore_url, register_of
from api.settings import Settings
from api.wiring import Workplace, workplace
from register.audit import Act, Entry
from register.clock import SystemClock, civil_date
from register.ids import EntryId, RunId, mint
from register.runs import Gone
from vault.anchors import AnchorKind
from vault.anchors.moving import Moving
from vault.keystore.backups import Backups
from vault.keystore.census import count, keyed_records
from vault.keystore.damage import examine
from vault.keystore.leases import Workers
from vault.keystore.place import open_database
from vault.keystore.purge import Purge
from vault.keystore.rotations import Rotations
from vault.keystore.store import KeyStore

PATIENCE_SECONDS: Final = 30


def status(settings: Settings) -> dict[str, Any]:
    """Return the key store in numbers, in values of JSON. Reads no key."""
    with closing(open_database(settings.keys_folder, keystore_url(settings))) as database:
        found = count(database, now=SystemClock().now())
    anchor = anchor_of(settings)
    keeper = None if found.keeper is None else {"holder": found.keeper[0], "until": found.keeper[1].isoformat()}
    return {
        "register": found.register,
        "generation": found.generation,
        "fence": found.fence,
        "anchor": {"kind": found.anchor_kind, "version": found.anchor_version, "assurance": anchor.assurance},
        "moving": moving(settings),
        "keeper": keeper,
        "rows": dict(found.rows),
        "renewals": found.renewals,
        "old_roots": found.old_roots,
        "workers": dict(found.workers),
        "stale_workers": list(found.stale),
    }


def orphans(opened: Workplace) -> int:
    """Return how many subjects and signals have a key and are not in the graph. They are counted, never swept."""
    alone = 0
    for ids in keyed_records(opened.store.database):
        there = {found.partition(":")[2] for found in opened.erasure.remains(ids)}
        alone += len(set(ids) - there)
    return alone


def check(settings: Settings) -> dict[str, Any]:
    """Examine every row of the key store; return what is hit, by id, in values of JSON. Nothing is mended or made.

    Raises:
        Unavailable: there is no key store, or it cannot be reached. Invalid: others can use its folder.
        Tampered: nothing of it can be read.
    """
    with closing(open_database(settings.keys_folder, keystore_url(settings))) as database:
        found = examine(database, anchor_of(settings))
    other = found.register not in ("", register_of(settings.home))
    return {
        "register": found.register,
        "generation": found.generation,
        "closed": "keys.other-register" if other else found.closed,
        "rows": dict(found.rows),
        "subjects_lost": found.lost("subject"),
        "signals_lost": found.lost("signal", "source"),
        "hits": [{"table": one.table, "kind": one.kind, "code": one.code, "ids": list(one.ids)} for one in found.hits],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAnchor:
    """An anchor that the root key is to move to: its provider, and its settings by name."""

    kind: AnchorKind
    options: Mapping[str, object]


def rotate(settings: Settings, to: NewAnchor | None = None) -> dict[str, Any]:
    """Replace root and lookup keys by a purge that drops nothing but keys of backups whose last day has come.

    One that was interrupted is taken up and ended.

    Nothing stands still meanwhile: every process that holds the old root key is replaced by its parent.

    Args:
        settings: of the register.
        to: the anchor to move to; None: the one in force, or the one that a move is on its way to.

    Raises:
        Unavailable: code `keys.run-under-way`: the keeper is at work. Conflict, Invalid: see `anchors.begin_move`.
    """
    with alone(settings) as fence:
        if to is not None:
            begin_move(settings, to.kind, to.options, status(settings)["anchor"]["version"])
        with workplace(settings, "keys") as opened:
            done = rotated(opened, fence)
        end_move(settings)
    return {**done, "workers_left": _left(settings)}


def replaced(
    store: KeyStore, rotation: RunId, *, fence: int, now: datetime, resend_days: int
) -> tuple[dict[str, str | int], bool]:
    """Replace root and lookup keys, and destroy the old anchor version, or the old anchor; end what was begun before.

    Args:
        store: opened at the present generation; afterwards it reads no key any more.
        rotation: its id, also of one that was interrupted.
        fence: number of the keeper's lease.
        now: aware, UTC.
        resend_days: after which what is left of a purged delivery ends.

    Returns:
        What became of the old root key as codes, and whether an earlier purge or rotation was ended.

    Raises:
        Unavailable, Tampered: see `Purge`; to be run again.
    """
    purge, backups = Purge(store), Backups(store.database)
    found, done = count(store.database, now=now), purge.forgotten(rotation)
    resumed = bool(found.old_roots) or done is not None
    evidence = purge.destroy_old(fence=fence) if resumed else None
    unmoved = isinstance(store.anchor, Moving) and not store.anchor.moved(found.anchor_version)
    if evidence is None or unmoved:
        today = civil_date(now)
        over = backups.due(today)
        gone = Gone(
            records=frozenset(over),
            identifiers=frozenset(),
            redacted=frozenset(),
            on=today,
            deliveries_before=today - timedelta(days=resend_days),
        )
        own = rotation if done is None else RunId(mint())
        done = purge.forget(own, gone, version=purge.advance_anchor(), fence=fence)
        for backup in over:
            backups.drop(backup)
        evidence = purge.destroy_old(fence=fence)
    generation = found.generation if done is None else done.generation_after
    anchor = found.anchor_version if done is None else done.anchor_after
    return {**evidence, "generation": generation, "anchor": anchor, "reason": "rotation"}, resumed


def rotated(opened: Workplace, fence: int) -> dict[str, Any]:
    """Carry a rotation out, or end the one that was interrupted, up to its audit entry; see `replaced`.

    The entry has the rotation's own id and instant: whoever dies after it was written writes it no second time.
    """
    notes, now = Rotations(opened.store.database), opened.clock.now()
    begun = notes.begun()
    rotation, at = begun or (RunId(mint()), now)
    if begun is None:
        notes.begin(rotation, at)
    days = opened.policy.resend_days
    told, resumed = replaced(opened.store, rotation, fence=fence, now=now, resend_days=days)
    entry = Entry(
        id=EntryId(rotation),
        at=at,
        actor="system",
        role="system",
        act=Act.KEYS_REPLACED,
        targets=(rotation,),
        detail=told,
    )
    opened.trail.append([entry])
    notes.entered(rotation)
    return {**told, "resumed": resumed}


def _left(settings: Settings) -> int:
    """Wait a while for the processes with the old root key to end; return how many are left."""
    end = time.monotonic() + PATIENCE_SECONDS
    with closing(open_database(settings.keys_folder, keystore_url(settings))) as database:
        while True:
            left = Workers(database).stale(now=SystemClock().now())
            if not left or time.monotonic() > end:
                return len(left)
            time.sleep(0.1)

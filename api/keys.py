"""What an operator does with the keys: count them, examine them, replace the root key. Each act is audited."""

import time
from contextlib import closing
from datetime import timedelta
from typing import Any, Final

from api.anchors import anchor_of
from api.places import keystore_url, register_of
from api.settings import Settings
from api.wiring import Workplace, workplace
from register.audit import Act, Entry
from register.clock import SystemClock, civil_date
from register.errors import Unavailable
from register.ids import RunId, mint
from register.runs import Gone
from vault.keystore.backups import Backups
from vault.keystore.census import count, keyed_records
from vault.keystore.damage import examine
from vault.keystore.leases import Keeper, Workers
from vault.keystore.place import open_database
from vault.keystore.purge import Purge

LEASE_SECONDS: Final = 120
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
        "keeper": keeper,
        "rows": dict(found.rows),
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


def rotate(settings: Settings) -> dict[str, Any]:
    """Replace root and lookup keys by a purge that drops nothing but keys of backups whose last day has come.

    One that was interrupted is taken up and ended.

    Nothing stands still meanwhile: every process that holds the old root key is replaced by its parent.

    Raises:
        Unavailable: code `keys.run-under-way`: the keeper is at work.
    """
    with workplace(settings, "keys") as opened:
        keeper = Keeper(opened.store.database)
        now = opened.clock.now()
        lease = keeper.take(mint(), now=now, seconds=LEASE_SECONDS)
        if lease is None:
            raise Unavailable("keys.run-under-way", "a retention run or a backup is under way")
        try:
            done = _rotated(opened, lease.fence)
        finally:
            keeper.give_back(lease)
    return {**done, "workers_left": _left(settings)}


def _rotated(opened: Workplace, fence: int) -> dict[str, Any]:
    purge, now = Purge(opened.store), opened.clock.now()
    found = count(opened.store.database, now=now)
    rotation = RunId(mint())
    if not found.old_roots:
        today = civil_date(now)
        ended = today - timedelta(days=opened.policy.resend_days)
        backups = Backups(opened.store.database)
        over = backups.due(today)
        gone = Gone(
            records=frozenset(over), identifiers=frozenset(), redacted=frozenset(), on=today, deliveries_before=ended
        )
        purge.forget(rotation, gone, version=purge.advance_anchor(), fence=fence)
        for backup in over:
            backups.drop(backup)
    evidence = purge.destroy_old(fence=fence)
    after = count(opened.store.database, now=now)
    told: dict[str, str | int] = {**evidence, "generation": after.generation, "anchor": after.anchor_version}
    told |= {"reason": "rotation"}
    entry = Entry(at=now, actor="system", role="system", act=Act.KEYS_REPLACED, targets=(rotation,), detail=told)
    opened.trail.append([entry])
    return {**told, "resumed": bool(found.old_roots)}


def _left(settings: Settings) -> int:
    """Wait a while for the processes with the old root key to end; return how many are left."""
    end = time.monotonic() + PATIENCE_SECONDS
    with closing(open_database(settings.keys_folder, keystore_url(settings))) as database:
        while True:
            left = Workers(database).stale(now=SystemClock().now())
            if not left or time.monotonic() > end:
                return len(left)
            time.sleep(0.1)

"""Replacing the keys that sign log and certificates; what was signed before goes on verifying.

Interrupted anywhere, the keys before or those after are in force, whole, and they signed the published checkpoint.
"""

import hashlib
from pathlib import Path
from typing import Any

from api.logbook import CERTIFICATES, ISSUE, PROOF, Logbook
from api.places import alone
from api.settings import Settings
from api.wiring import workplace
from api.witnessing import witnessing
from evidence.checkpoint import publish
from evidence.durable import sync_folders, write_durably
from evidence.note import encode_vkeys, own_keys
from evidence.proof import prove
from evidence.succession import DETAIL_KEY, SUCCESSION, Former, read_former, write_former
from register.audit import Act, Entry
from register.errors import Conflict, Unavailable
from vault.signing import COMING_FILE, LOG_KEYS_FILE, LogKeys


def rotate_log_keys(settings: Settings) -> dict[str, Any]:
    """Draw new log keys, let the present ones vouch for them, and put them in their place.

    Nothing stands still: whoever signs reads the keys in force anew, under the lock of the log.

    Returns:
        In values of JSON: the new keys by id, how many replacements there have been, up to which size of the log the
        former keys signed.

    Raises:
        Unavailable: the keeper is at work, or a certificate is half issued (`keys.run-under-way`); to be run again.
        Tampered: the log is damaged.
    """
    with alone(settings), workplace(settings, "keys") as opened:
        log = opened.logbook
        if any((one / ISSUE).exists() and not (one / PROOF).exists() for one in _certificates(log)):
            raise Unavailable("keys.run-under-way", "a certificate is being issued: let the run end first")
        witnesses = witnessing(log, settings)
        witnesses.collect()
        witnesses.renew_proofs()  # a proof is never led beyond the keys that signed its certificate
        coming = _drawn(log.memory.parent)
        keys = own_keys(log.origin, coming)
        sha256 = hashlib.sha256(encode_vkeys(keys)).hexdigest()
        entry = Entry(
            at=log.now(),
            actor="system",
            role="system",
            act=Act.LOG_KEYS_REPLACED,
            detail={DETAIL_KEY: sha256, "keys": " ".join(key.label for key in keys)},
        )
        opened.trail.append([entry])
        log.seal_trail()
        size, count = _replaced(log, coming, entry)
    return {"keys": [key.label for key in keys], "replacements": count, "signed_until": size}


def _drawn(folder: Path) -> LogKeys:
    """Return the keys that come: those that an interrupted replacement drew, or new ones."""
    try:
        return LogKeys.create(folder, name=COMING_FILE)
    except Conflict:
        return LogKeys.load(folder, name=COMING_FILE)


def _replaced(log: Logbook, coming: LogKeys, entry: Entry) -> tuple[int, int]:
    """Put the keys that come in the place of the present ones; return the log's size, and how many replacements."""
    folder = log.memory.parent
    with log.still() as tree:
        present, head = log.checkpoints(), (log.log_folder / "checkpoint").read_bytes()
        place = tree.find(entry.id)
        if place is None:
            raise Unavailable("log-keys.unlogged", "the log does not hold the entry about the new keys yet")
        former = [one for one in read_former(folder) if one.keys != present.keys]
        name = f"{SUCCESSION}/{len(former) + 1:04}"
        vouched = [(f"{name}.vkey", encode_vkeys(present.keys))]
        vouched.append((f"{name}.tlog-proof", prove(tree, place, head).encode()))
        write_durably(log.log_folder, vouched)
        write_former(folder, [*former, Former(keys=present.keys, until=log.now().replace(microsecond=0))])
        # From here on the published checkpoint verifies under either.
        publish(log.log_folder, present.hand_over(coming, at=log.now()))
        (folder / COMING_FILE).replace(folder / LOG_KEYS_FILE)
        sync_folders(folder, [LOG_KEYS_FILE])
        log.publish_keys()
        return tree.size, len(former) + 1


def _certificates(log: Logbook) -> tuple[Path, ...]:
    folder = log.home / CERTIFICATES
    return tuple(folder.iterdir()) if folder.exists() else ()

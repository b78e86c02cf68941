"""Keys of a log that others took the place of: which they were, until when, and how they vouch for those that came.

Under the keys that go, a checkpoint is signed whose tree holds the entry `log-keys.replaced`, which names the `vkey`
file of the keys that come. So whoever trusts the ones is led to the others offline, one replacement at a time
(docs/formats/log-v1.md).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from evidence.checkpoint import verify_checkpoint
from evidence.durable import write_durably
from evidence.note import Verifier, VerifierKey, invalid, parse_vkeys
from evidence.proof import Proof
from evidence.strict import parse_json
from evidence.trust import FORMAT
from register.audit import Act, Outcome
from register.errors import Invalid, Tampered

FORMER: Final = "former-keys.json"
"""With the log keys: the public halves of those before, and until when each signed."""

SUCCESSION: Final = "succession"
"""In the log's folder: for each replacement the `vkey` file of those that went, and the proof under them."""

TRUST: Final = "trust.json"
"""In the log's folder, once keys were replaced: a trust file of all of them, each within its time."""

DETAIL_KEY: Final = "sha256"
_INSTANT: Final = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """Keys that signed until `until` (aware, UTC, whole seconds)."""

    keys: tuple[VerifierKey, ...]
    until: datetime


def read_former(folder: Path) -> tuple[Former, ...]:
    """Return the keys before the present ones, the oldest first. Raises Tampered: the list is damaged."""
    try:
        content = (folder / FORMER).read_bytes()
    except FileNotFoundError:
        return ()
    try:
        return tuple(
            Former(
                keys=parse_vkeys("".join(f"{line}\n" for line in one["keys"]).encode()),
                until=datetime.strptime(one["until"], _INSTANT).replace(tzinfo=UTC),
            )
            for one in json.loads(content)
        )
    except (Invalid, ValueError, KeyError, TypeError):
        raise Tampered("log-keys.damaged", "the list of former log keys is damaged") from None


def write_former(folder: Path, former: Sequence[Former]) -> None:
    """Keep the list of former keys durably."""
    listed = [{"keys": [key.text() for key in one.keys], "until": one.until.strftime(_INSTANT)} for one in former]
    write_durably(folder, [(FORMER, json.dumps(listed, indent=1).encode("ascii") + b"\n")], mode=0o600)


def trust_file(present: Sequence[VerifierKey], former: Sequence[Former]) -> bytes:
    """Return a trust file of this log's keys: all of one time have to sign, in both roles, each within its time."""
    begun: str | None = None
    keys: list[dict[str, Any]] = []
    for one in former:
        until = one.until.strftime(_INSTANT)
        keys += [_listed(key, begun, until) for key in one.keys]
        begun = until
    keys += [_listed(key, begun, None) for key in present]
    content = {
        "format": FORMAT,
        "origin": present[0].name,
        "threshold": len(present),
        "keys": keys,
        "witnesses": [],
        "quorum": 0,
        "superseded": [],
        "fresh_seconds": None,
    }
    return json.dumps(content, indent=1).encode("ascii") + b"\n"


def examine_succession(proof: bytes, trusted: bytes, coming: bytes, verifier: Verifier) -> str:
    """Check that the keys of the `vkey` file `trusted` vouch for those of the file `coming`; return when they did so.

    Args:
        proof: what lies in the log's folder `succession`.
        trusted: a `vkey` file, byte for byte.
        coming: the `vkey` file of those that come, byte for byte.
        verifier: what checks a signature.

    Raises:
        Invalid: the proof, its checkpoint or a signature does not hold, or it vouches for other keys
            (`succession.proof`, `succession.keys`).
    """
    old, new, read = parse_vkeys(trusted), parse_vkeys(coming), Proof.parse(proof)
    checkpoint, _ = verify_checkpoint(read.checkpoint, old, verifier)
    if not read.includes(checkpoint) or {key.name for key in (*old, *new)} != {checkpoint.origin}:
        raise invalid("succession.proof", "the proof does not lead to a checkpoint of this log under the keys trusted")
    body = parse_json(read.body(), limit=len(proof))
    detail = body.get("detail") if isinstance(body, dict) else None
    if (
        not isinstance(detail, dict)
        or body.get("act") != Act.LOG_KEYS_REPLACED
        or body.get("outcome") != Outcome.DONE
        or detail.get(DETAIL_KEY) != hashlib.sha256(coming).hexdigest()
    ):
        raise invalid("succession.keys", "the keys trusted vouch for other keys than these")
    return str(body["at"])


def _listed(key: VerifierKey, begun: str | None, until: str | None) -> dict[str, Any]:
    both = ["certificate", "log"]
    return {"vkey": key.text(), "roles": both, "valid_from": begun, "valid_until": until, "revoked_at": None}

"""A witness: somebody elsewhere who cosigns a log's checkpoints, and never two that contradict each other.

Requests, answers and rules are those of C2SP tlog-witness (`add-checkpoint`) and tlog-cosignature; how they travel is
not its business. It keeps, for each log it knows, the log's keys and the last checkpoint it cosigned.
"""

import base64
import fcntl
import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from evidence.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint, with_cosignatures
from evidence.durable import write_durably
from evidence.merkle import EMPTY_ROOT, HASH_SIZE, verify_consistency
from evidence.note import (
    Note,
    SignatureType,
    Signer,
    Verifier,
    VerifierKey,
    check_name,
    encode_vkeys,
    invalid,
    parse_vkeys,
    strict_base64,
)
from evidence.succession import examine_succession
from register.errors import Conflict, Invalid, NotFound, Tampered

MAX_REQUEST: Final = 64 * 1024
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,15})")
_MOST_HASHES: Final = 63
_TYPES: Final = {
    "ed25519": SignatureType.ED25519_COSIGNATURE,
    "ml-dsa-44": SignatureType.ML_DSA_44_COSIGNATURE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a log asks: the size it believes the witness knows, the consistency proof from there, the checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """Return the body of an `add-checkpoint` request."""
        lines = [f"old {self.old}", *(base64.b64encode(part).decode("ascii") for part in self.proof), ""]
        return "".join(f"{line}\n" for line in lines).encode("ascii") + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> "Request":
        """Read such a body.

        Raises:
            Invalid: `witness.request`.
        """
        head, blank, checkpoint = data.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            lines = [""]
        match = _OLD.fullmatch(lines[0])
        if match is None or not blank or len(lines) > _MOST_HASHES + 1 or len(data) > MAX_REQUEST:
            raise invalid("witness.request", "a request is an old size, proof lines, an empty line and a checkpoint")
        proof = tuple(strict_base64(line, "witness.request") for line in lines[1:])
        if any(len(part) != HASH_SIZE for part in proof):
            raise invalid("witness.request", "a proof line is not a hash")
        return cls(old=int(match[1]), proof=proof, checkpoint=checkpoint)


class Witness:
    """Cosigns checkpoints of the logs it knows.

    Args:
        folder: what it keeps, one folder a log.
        name: of its keys, such as `witness.example/w1`.
        signer, verifier: its private keys, which sign nothing else, and what checks signatures.
    """

    def __init__(self, folder: Path, *, name: str, signer: Signer, verifier: Verifier) -> None:
        self._folder = folder
        self._signer = signer
        self._verifier = verifier
        self.keys: Final = tuple(
            VerifierKey(name=check_name(name), type=kind, public_key=signer.public_keys[algorithm])
            for algorithm, kind in _TYPES.items()
        )

    def know(self, vkeys: bytes) -> str:
        """Take up a log by its `vkey` file; return its origin.

        Raises:
            Invalid: the file is malformed, or of several logs. Conflict: the log is known already.
        """
        keys = parse_vkeys(vkeys)
        origin = keys[0].name
        if {key.name for key in keys} != {origin}:
            raise invalid("vkey", "the keys of one log have one name")
        if (self._place(origin) / "vkey").exists():
            raise Conflict("witness.known", "this log is known already")
        write_durably(self._folder, [(f"{self._place(origin).name}/vkey", encode_vkeys(keys))])
        return origin

    def follow(self, vkeys: bytes, proof: bytes) -> str:
        """Take up the keys that come in a log that is known, once those known vouch for them; return its origin.

        Raises:
            Invalid: see `examine_succession`. NotFound: a log that is not known (`witness.unknown-log`).
        """
        keys = parse_vkeys(vkeys)
        place = self._place(keys[0].name)
        with self._held():
            if not (place / "vkey").exists():
                raise NotFound("witness.unknown-log", "this witness does not know that log")
            examine_succession(proof, (place / "vkey").read_bytes(), vkeys, self._verifier)
            write_durably(self._folder, [(f"{place.name}/vkey", encode_vkeys(keys))])
        return keys[0].name

    def last(self, origin: str) -> Checkpoint | None:
        """Return the checkpoint of this log that was cosigned last.

        Raises:
            Tampered: what is kept does not verify (`witness.memory`).
        """
        path = self._place(origin) / "checkpoint"
        if not path.exists():
            return None
        try:
            found, _ = verify_checkpoint(path.read_bytes(), self.keys, self._verifier)
        except Invalid as error:
            raise Tampered("witness.memory", "the checkpoint kept is not one that this witness cosigned") from error
        return found

    def cosign(self, request: Request, *, at: datetime) -> bytes:
        """Cosign, remember, and return the signature lines.

        Raises:
            Invalid: the checkpoint is malformed or not signed by all keys of its log, or the proof does not hold
                (`witness.proof`): the log forked, or went backwards.
            NotFound: a log that is not known (`witness.unknown-log`).
            Conflict: `old` is not the size cosigned last, which the message names (`witness.size`).
        """
        asked = Checkpoint.parse(Note.parse(request.checkpoint).text)
        with self._held():
            path = self._place(asked.origin) / "vkey"
            if not path.exists():
                raise NotFound("witness.unknown-log", "this witness does not know that log")
            verify_checkpoint(request.checkpoint, parse_vkeys(path.read_bytes()), self._verifier)
            self._continues(request, asked)
            lines = sign_checkpoint(asked, self.keys, self._signer, at=at)
            note = with_cosignatures(request.checkpoint, lines)
            # Remembered before it is shown: never two that contradict each other, whenever this process is killed.
            write_durably(self._folder, [(f"{self._place(asked.origin).name}/checkpoint", note)])
        return "".join(line.line() for line in lines).encode()

    def _continues(self, request: Request, asked: Checkpoint) -> None:
        last = self.last(asked.origin) or Checkpoint(origin=asked.origin, size=0, root=EMPTY_ROOT)
        if request.old > asked.size:
            raise invalid("witness.request", "the old size is more than the checkpoint's")
        if request.old != last.size:
            raise Conflict("witness.size", f"this witness has cosigned {last.size} entries")
        held = (
            not request.proof
            if last.size == 0
            else verify_consistency(
                old=last.size, size=asked.size, old_root=last.root, root=asked.root, proof=request.proof
            )
        )
        if not held:
            raise invalid("witness.proof", "that checkpoint does not continue the one cosigned last")

    def _place(self, origin: str) -> Path:
        return self._folder / hashlib.sha256(origin.encode()).hexdigest()

    @contextmanager
    def _held(self) -> Iterator[None]:
        """One request at a time, also between processes."""
        with open(self._folder / "lock", "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def cosigned(checkpoint: bytes, lines: bytes, keys: Sequence[VerifierKey], verifier: Verifier) -> bytes:
    """Return the checkpoint with the cosignatures of `lines` that are by `keys`, all verified.

    Raises:
        Invalid: none of the lines is by one of `keys`, or one of them does not hold.
    """
    asked = Note.parse(checkpoint)
    offered = Note.parse(f"{asked.text}\n".encode() + lines)
    known = {(key.name, key.id) for key in keys}
    own = {(line.name, line.key_id) for line in asked.signatures}
    fresh = [line for line in offered.signatures if (line.name, line.key_id) in known - own]
    if not fresh:
        raise invalid("witness.none", "no cosignature is by a witness that is known")
    made = with_cosignatures(checkpoint, fresh)
    verify_checkpoint(made, keys, verifier, threshold=len(fresh))
    return made

"""Checkpoints of the log (C2SP tlog-checkpoint): made, signed, published, verified.

`CheckpointSigner` remembers what it signed last and never signs a tree that is smaller or does not begin with that one.
"""

import base64
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from evidence.durable import write_durably
from evidence.merkle import EMPTY_ROOT, HASH_SIZE, verify_consistency
from evidence.note import (
    Note,
    NoteSignature,
    SignatureType,
    Signer,
    Verifier,
    VerifierKey,
    check_name,
    invalid,
    own_keys,
    strict_base64,
)
from register.errors import Conflict, Invalid, Tampered

WITNESSED: Final = "witnessed"
"""In the log's folder, beside `checkpoint`: the newest one that enough witnesses cosigned."""
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}")
_TIME_SIZE: Final = 8
_LAST_SECOND: Final = 253402300799
"""The end of the year 9999, the last that can be shown as a date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log says it is: origin line, number of entries, and their Merkle root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the note text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a note text. Extension lines are refused: an ML-DSA-44 signature does not cover them.

        Raises:
            Invalid: `checkpoint.text`.
        """
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0] or not _SIZE.fullmatch(lines[1]):
            raise invalid("checkpoint.text", "a checkpoint is three lines: origin, size and root")
        root = strict_base64(lines[2], "checkpoint.text")
        size = int(lines[1])
        if len(root) != HASH_SIZE or (size == 0 and root != EMPTY_ROOT):
            raise invalid("checkpoint.text", "the root is not one of a tree of that size")
        return cls(origin=lines[0], size=size, root=root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature that was verified: by which key, and when it says it was made (None: it carries no time)."""

    key: VerifierKey
    at: datetime | None


def _message(key: VerifierKey, checkpoint: Checkpoint, seconds: int) -> bytes:
    """Return what a key of this type signs of a checkpoint (signed-note, tlog-cosignature)."""
    text = checkpoint.text().encode()
    if key.type is SignatureType.ED25519:
        return text
    if key.type is SignatureType.ED25519_COSIGNATURE:
        return b"cosignature/v1\ntime %d\n" % seconds + text
    name, origin = key.name.encode(), checkpoint.origin.encode()
    return b"".join(
        (
            b"subtree/v1\n\x00",
            bytes([len(name)]) + name,
            seconds.to_bytes(8, "big"),
            bytes([len(origin)]) + origin,
            (0).to_bytes(8, "big"),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def sign_checkpoint(
    checkpoint: Checkpoint, keys: Sequence[VerifierKey], signer: Signer, *, at: datetime
) -> tuple[NoteSignature, ...]:
    """Sign with each of `keys` (all of them `signer`'s); `at` (aware) goes into the signatures that carry a time.

    For a log's own signatures use `CheckpointSigner`; called directly this is what a witness does after its checks.
    """
    seconds = int(at.timestamp())
    lines = []
    for key in keys:
        signed = signer.sign(key.type.algorithm, _message(key, checkpoint, seconds))
        stamp = seconds.to_bytes(_TIME_SIZE, "big") if key.type.timed else b""
        lines.append(NoteSignature(name=key.name, key_id=key.id, content=stamp + signed))
    return tuple(lines)


def verify_checkpoint(
    data: bytes, keys: Sequence[VerifierKey], verifier: Verifier, *, threshold: int | None = None
) -> tuple[Checkpoint, tuple[Signature, ...]]:
    """Read a signed checkpoint and verify every signature in it that is by one of `keys`; others are passed over.

    Args:
        data: the note.
        keys: whose signatures count.
        verifier: what checks a signature.
        threshold: how many of `keys` must have signed; None: all of them.

    Returns:
        The checkpoint and the signatures that hold, each key once.

    Raises:
        Invalid: the note or the checkpoint is malformed, a signature by one of `keys` does not hold
            (`checkpoint.signature`), or too few signed (`checkpoint.threshold`).
    """
    note = Note.parse(data)
    checkpoint = Checkpoint.parse(note.text)
    known = {(key.name, key.id): key for key in keys}
    found: dict[VerifierKey, Signature] = {}
    for line in note.signatures:
        key = known.get((line.name, line.key_id))
        if key is not None:
            if key in found:
                raise invalid("checkpoint.signature", "two signatures are by the same key")
            found[key] = _verified(line, key, checkpoint, verifier)
    needed = len(keys) if threshold is None else threshold
    if len(found) < needed:
        raise invalid("checkpoint.threshold", f"signed by {len(found)} of {needed} keys needed")
    return checkpoint, tuple(found.values())


def verify_by_one(
    data: bytes, generations: Sequence[Sequence[VerifierKey]], verifier: Verifier
) -> tuple[Checkpoint, tuple[Signature, ...]]:
    """Read a checkpoint that all keys of one of `generations` signed: keys of a log that took each other's place.

    Raises:
        Invalid: of none of them did all sign; see `verify_checkpoint`.
    """
    *earlier, last = generations
    for keys in earlier:
        with suppress(Invalid):
            return verify_checkpoint(data, keys, verifier)
    return verify_checkpoint(data, last, verifier)


def witnesses_of(signatures: Sequence[Signature]) -> frozenset[str]:
    """Return the names of the witnesses among these: one with several keys is one; without a time none is counted."""
    return frozenset(one.key.name for one in signatures if one.at is not None)


def _verified(line: NoteSignature, key: VerifierKey, checkpoint: Checkpoint, verifier: Verifier) -> Signature:
    cut = _TIME_SIZE if key.type.timed else 0
    seconds = int.from_bytes(line.content[:cut], "big")
    fits = len(checkpoint.origin.encode()) < 256 and len(key.name.encode()) < 256 and seconds <= _LAST_SECOND
    if not fits or not verifier.verifies(
        key.type.algorithm, key.public_key, _message(key, checkpoint, seconds), line.content[cut:]
    ):
        raise invalid("checkpoint.signature", f"the signature by {key.label} does not hold")
    return Signature(key=key, at=datetime.fromtimestamp(seconds, UTC) if cut and seconds else None)


class Tree(Protocol):
    """A log, as far as signing its checkpoint goes (`evidence.log.Log`)."""

    def head(self) -> tuple[int, bytes]:
        """Return size and root."""

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Return the consistency proof between two sizes."""


class CheckpointSigner:
    """Signs checkpoints of one log, and never two that contradict each other.

    Args:
        origin: the log's origin line and the name of its keys.
        signer, verifier: the log keys, and what checks signatures.
        memory: the file that holds the last signed checkpoint. It lies with the log keys, apart from the log.
    """

    def __init__(self, *, origin: str, signer: Signer, verifier: Verifier, memory: Path) -> None:
        self._origin = check_name(origin)
        self._signer = signer
        self._verifier = verifier
        self._memory = memory
        self.keys: Final = own_keys(origin, signer)

    def begin(self, *, at: datetime) -> bytes:
        """Sign the empty tree, once, when a register is made; return the note.

        Raises:
            Conflict: this log has been begun before.
        """
        if self._memory.exists():
            raise Conflict("checkpoint.begun", "this log has been begun already")
        return self._signed(Checkpoint(origin=self._origin, size=0, root=EMPTY_ROOT), at)

    def last(self) -> Checkpoint:
        """Return the checkpoint signed last.

        Raises:
            Tampered: the memory is gone or was altered (`checkpoint.memory`). Restore it together with the log keys.
        """
        try:
            checkpoint, _ = verify_checkpoint(self._memory.read_bytes(), self.keys, self._verifier)
        except (FileNotFoundError, Invalid) as error:
            raise Tampered("checkpoint.memory", "the signer's memory is gone or does not verify") from error
        if checkpoint.origin != self._origin:
            raise Tampered("checkpoint.memory", "the signer's memory is not of this log")
        return checkpoint

    def sign(self, tree: Tree, *, at: datetime) -> bytes:
        """Sign the tree as it is now, if it continues the one signed last; return the note.

        Raises:
            Tampered: `log.went-backwards` (smaller), `log.forked` (same size, other root), `log.inconsistent` (does
                not begin with what was signed), or `checkpoint.memory`. Nothing was signed: the service has to stop.
        """
        last = self.last()
        size, root = tree.head()
        if size < last.size:
            raise Tampered("log.went-backwards", f"the log has {size} entries; {last.size} were signed")
        if size == last.size and root != last.root:
            raise Tampered("log.forked", f"another tree of {size} entries was signed")
        if 0 < last.size < size:
            proof = tree.consistency(last.size, size)
            if not verify_consistency(old=last.size, size=size, old_root=last.root, root=root, proof=proof):
                raise Tampered("log.inconsistent", f"the log does not begin with the {last.size} entries signed before")
        return self._signed(Checkpoint(origin=self._origin, size=size, root=root), at)

    def hand_over(self, coming: Signer, *, at: datetime) -> bytes:
        """Sign the checkpoint signed last once more, with these keys and with those that come; return the note.

        It is remembered and verifies under either, so that the one may take the other's place at any moment after.

        Raises:
            Tampered: `checkpoint.memory`.
        """
        last = self.last()
        lines = sign_checkpoint(last, own_keys(self._origin, coming), coming, at=at)
        return self._signed(last, at, lines)

    def _signed(self, checkpoint: Checkpoint, at: datetime, more: tuple[NoteSignature, ...] = ()) -> bytes:
        lines = (*sign_checkpoint(checkpoint, self.keys, self._signer, at=at), *more)
        note = Note(text=checkpoint.text(), signatures=lines).encode()
        # Remembered before it is shown: a crash in between costs nothing, the other order could contradict itself.
        write_durably(self._memory.parent, [(self._memory.name, note)], mode=0o600)
        return note


def publish(folder: Path, note: bytes) -> None:
    """Put a signed checkpoint at `checkpoint` in the log's folder, in place of the one before."""
    write_durably(folder, [("checkpoint", note)])


def with_cosignatures(data: bytes, lines: Sequence[NoteSignature]) -> bytes:
    """Return the signed checkpoint with these signature lines added."""
    note = Note.parse(data)
    return Note(text=note.text, signatures=(*note.signatures, *lines)).encode()

"""Offline proofs that an entry is in the log: C2SP tlog-proof.

`extra` holds the entry's salt (16 bytes) and body, so that whoever has the file can recompute what was logged.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evidence.checkpoint import Checkpoint
from evidence.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from evidence.note import Note, invalid, strict_base64
from register.errors import NotFound

if TYPE_CHECKING:
    from evidence.log import Log

MAX_PROOF: Final = 1024 * 1024
SALT_SIZE: Final = 16
_HEADER: Final = "c2sp.org/tlog-proof@v1"
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,15})")
_MAX_HASHES: Final = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """An entry's place in a log, shown offline (nothing in it is verified yet).

    Attributes:
        extra: salt and body of the entry.
        hashes: the inclusion proof in the tree of the checkpoint.
        checkpoint: the signed checkpoint, byte for byte.
    """

    extra: bytes
    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes

    def entry(self) -> bytes:
        """Return the 32 bytes that were logged: the SHA-256 of salt and body."""
        return hashlib.sha256(self.extra).digest()

    def body(self) -> bytes:
        """Return the body of the entry."""
        return self.extra[SALT_SIZE:]

    def includes(self, checkpoint: Checkpoint) -> bool:
        """Say whether the entry is at its index in the tree of `checkpoint`."""
        leaf = leaf_hash(self.entry())
        return verify_inclusion(
            index=self.index, size=checkpoint.size, leaf=leaf, proof=self.hashes, root=checkpoint.root
        )

    def encode(self) -> bytes:
        """Return the content of a `.tlog-proof` file."""
        lines = [_HEADER, f"extra {base64.b64encode(self.extra).decode('ascii')}", f"index {self.index}"]
        lines += [base64.b64encode(part).decode("ascii") for part in self.hashes]
        return "\n".join([*lines, "", ""]).encode("ascii") + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> "Proof":
        """Read a `.tlog-proof` file.

        Raises:
            Invalid: `proof.size` or `proof.text`. The checkpoint in it is not read.
        """
        if len(data) > MAX_PROOF:
            raise invalid("proof.size", f"a proof has at most {MAX_PROOF} bytes")
        head, blank, checkpoint = data.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise invalid("proof.text", "the lines before the checkpoint are ASCII") from None
        match = _INDEX.fullmatch(lines[2]) if len(lines) > 2 else None
        if not blank or match is None or lines[0] != _HEADER or not lines[1].startswith("extra "):
            raise invalid("proof.text", "a proof has a header, an extra line, an index, hashes and a checkpoint")
        hashes = tuple(strict_base64(line, "proof.text") for line in lines[3:])
        extra = strict_base64(lines[1].removeprefix("extra "), "proof.text")
        if len(hashes) > _MAX_HASHES or any(len(part) != HASH_SIZE for part in hashes) or len(extra) <= SALT_SIZE:
            raise invalid("proof.text", "a hash or the extra data does not have the length it must have")
        return cls(extra=extra, index=int(match[1]), hashes=hashes, checkpoint=checkpoint)


def prove(log: "Log", index: int, checkpoint: bytes) -> Proof:
    """Return the proof of entry `index` under a signed checkpoint of this log.

    Raises:
        NotFound: the checkpoint does not reach that entry or is not of this log's tree, or the body has been deleted.
    """
    head = Checkpoint.parse(Note.parse(checkpoint).text)
    if log.root_at(head.size) != head.root:
        raise NotFound("proof.checkpoint", "the checkpoint is not one of this log")
    kept = log.body(index)
    if kept is None:
        raise NotFound("proof.body", "the body of that entry has been deleted")
    return Proof(extra=b"".join(kept), index=index, hashes=log.inclusion(index, head.size), checkpoint=checkpoint)

"""What witnesses have seen of this log: collected from a folder, kept twice, and held against the log.

Whatever brings a witness's answer here puts it into the folder `cosignatures` of the log: the checkpoint with that
witness's lines under it, in a file of any name. Nothing else is needed between the two machines.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from evidence.checkpoint import WITNESSED, Checkpoint, verify_by_one, verify_checkpoint, witnesses_of
from evidence.durable import write_durably
from evidence.note import Note, NoteSignature, Verifier, VerifierKey
from register.errors import Invalid, Tampered

INBOX: Final = "cosignatures"
REFUSED: Final = ".refused"
_MOST: Final = 64 * 1024


class Tree(Protocol):
    """A log, as far as holding it against a checkpoint goes (`evidence.log.Log`)."""

    @property
    def size(self) -> int:
        """How many entries it has."""

    def root_at(self, size: int) -> bytes:
        """Return the root of its first `size` entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A checkpoint that enough witnesses cosigned.

    Attributes:
        note: the checkpoint with the log's signatures and theirs.
        witnesses: their names, ascending; at: when the last of them signed (aware, UTC).
    """

    note: bytes
    checkpoint: Checkpoint
    witnesses: tuple[str, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignatures:
    """Collects cosignatures of one log.

    Attributes:
        folder: of the log; `kept`: where a second copy of the newest is, apart from the log.
        own: gives the log's keys, the present ones and all before, each together with those of its time.
        witnesses: keys of the witnesses that count.
        needed: how many different witnesses have to cosign a checkpoint.
    """

    folder: Path
    kept: Path
    own: Callable[[], Sequence[Sequence[VerifierKey]]]
    witnesses: Sequence[VerifierKey]
    needed: int
    verifier: Verifier

    @property
    def known(self) -> int:
        """How many witnesses there are: one has several keys under one name."""
        return len({key.name for key in self.witnesses})

    def newest(self) -> Seen | None:
        """Return the newest checkpoint that enough witnesses cosigned, of both copies, or None."""
        found = [self._seen(place / WITNESSED) for place in (self.folder, self.kept)]
        return max((one for one in found if one), key=lambda one: one.checkpoint.size, default=None)

    def vouches(self, note: bytes) -> bool:
        """Say whether enough witnesses cosigned this checkpoint."""
        return self._judged(note) is not None

    def check(self, log: Tree) -> None:
        """Hold the log against what witnesses saw of it.

        Raises:
            Tampered: it is older (`log.older-than-witnessed`), or another (`log.other-than-witnessed`).
        """
        seen = self.newest()
        if seen is not None:
            _hold(log, seen.checkpoint)

    def collect(self, log: Tree) -> Seen | None:
        """Take in what lies in the folder; return the newest witnessed checkpoint if it, or who signed it, is new.

        A file that is not cosigned by a witness that counts is set aside under another name.

        Raises:
            Tampered: the log does not hold what it signed and a witness saw. OSError: the disk failed.
        """
        before = self.newest()
        gathered: dict[str, dict[tuple[str, bytes], NoteSignature]] = {}
        places: dict[Path, Checkpoint] = {}
        for path, note, checkpoint in self._handed_in():
            _hold(log, checkpoint)
            places[path] = checkpoint
            if not gathered and before is not None:
                gathered[before.checkpoint.text()] = _lines(Note.parse(before.note).signatures)
            gathered.setdefault(note.text, {}).update(_lines(note.signatures))
        made = (
            self._judged(Note(text=text, signatures=tuple(lines.values())).encode()) for text, lines in gathered.items()
        )
        best = max((one for one in made if one), key=lambda one: one.checkpoint.size, default=None)
        if best is None or (before is not None and _order(best) <= _order(before)):
            self._sweep(places, before)
            return None
        write_durably(self.kept, [(WITNESSED, best.note)], mode=0o600)
        write_durably(self.folder, [(WITNESSED, best.note)])
        self._sweep(places, best)
        return best

    def _handed_in(self) -> Iterator[tuple[Path, Note, Checkpoint]]:
        inbox = self.folder / INBOX
        for path in sorted(inbox.iterdir()) if inbox.is_dir() else ():
            if path.suffix == REFUSED or path.name.startswith("."):
                continue
            try:
                with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW)) as file:
                    content = file.read(_MOST)
                checkpoint, _ = verify_by_one(content, self.own(), self.verifier)
                verify_checkpoint(content, self.witnesses, self.verifier, threshold=1)
            except (Invalid, OSError):
                path.replace(path.with_name(path.name + REFUSED))
                continue
            yield path, Note.parse(content), checkpoint

    def _sweep(self, places: dict[Path, Checkpoint], seen: Seen | None) -> None:
        """Take away what the newest has made needless; a newer one that lacks witnesses yet stays."""
        for path, checkpoint in places.items():
            if seen is not None and checkpoint.size <= seen.checkpoint.size:
                path.unlink(missing_ok=True)

    def _seen(self, path: Path) -> Seen | None:
        try:
            return self._judged(path.read_bytes())
        except OSError:
            return None

    def _judged(self, note: bytes) -> Seen | None:
        """Return what a note says if this log signed it and enough witnesses cosigned it."""
        try:
            checkpoint, _ = verify_by_one(note, self.own(), self.verifier)
            _, found = verify_checkpoint(note, self.witnesses, self.verifier, threshold=0)
        except Invalid:
            return None
        names = witnesses_of(found)
        if len(names) < max(self.needed, 1):
            return None
        at = max(one.at for one in found if one.at is not None)
        return Seen(note=note, checkpoint=checkpoint, witnesses=tuple(sorted(names)), at=at)


def _lines(signatures: Iterable[NoteSignature]) -> dict[tuple[str, bytes], NoteSignature]:
    return {(line.name, line.key_id): line for line in signatures}


def _order(seen: Seen) -> tuple[int, int]:
    return seen.checkpoint.size, len(seen.witnesses)


def _hold(log: Tree, checkpoint: Checkpoint) -> None:
    if checkpoint.size > log.size:
        told = f"the log has {log.size} entries; a witness saw {checkpoint.size}"
        raise Tampered("log.older-than-witnessed", told)
    if log.root_at(checkpoint.size) != checkpoint.root:
        raise Tampered("log.other-than-witnessed", f"the log does not begin with the {checkpoint.size} a witness saw")

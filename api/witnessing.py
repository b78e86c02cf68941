"""A log and its witnesses elsewhere: what they saw is collected, held against the log, and led to by certificates."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from api.logbook import CERTIFICATES, PROOF, VKEY, Logbook
from api.settings import Settings
from evidence.checkpoint import verify_checkpoint
from evidence.cosigned import Cosignatures, Seen
from evidence.durable import write_durably
from evidence.log import Log
from evidence.note import VerifierKey, parse_vkeys
from evidence.proof import Proof
from evidence.succession import read_former
from register.errors import Invalid, Tampered, Unavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessing:
    """Keeps one log witnessed."""

    log: Logbook
    cosignatures: Cosignatures

    def check(self) -> None:
        """Refuse to go on with a log that is older than what its witnesses saw, or another: that rings the alarm.

        Raises:
            Tampered: `log.older-than-witnessed`, `log.other-than-witnessed`, or the log is damaged.
        """
        self._held_against(self.cosignatures.check)

    def collect(self) -> Seen | None:
        """Take in what witnesses sent; return the newest witnessed checkpoint if it is new.

        Raises:
            Unavailable: the disk failed (`log.storage`). Tampered: as `check`.
        """
        try:
            return self._held_against(self.cosignatures.collect)
        except OSError as error:
            raise Unavailable("log.storage", f"cosignatures could not be kept ({type(error).__name__})") from None

    def renew_proofs(self) -> int:
        """Give certificates that the witnessed checkpoint reaches a proof that leads to it; return how many.

        A proof that enough witnesses vouch for already stays as it is.
        """
        seen = self.cosignatures.newest()
        if seen is None:
            return 0
        count = 0
        for filed in self.log.all():
            place = self.log.home / CERTIFICATES / filed.certificate
            proof = Proof.parse((place / PROOF).read_bytes())
            reached = proof.index < seen.checkpoint.size and not self.cosignatures.vouches(proof.checkpoint)
            if reached and self._signed_as(seen, place):
                with Log.open(self.log.log_folder, read_only=True) as log:
                    hashes = log.inclusion(proof.index, seen.checkpoint.size)
                write_durably(place, [(PROOF, replace(proof, hashes=hashes, checkpoint=seen.note).encode())])
                count += 1
        return count

    def _signed_as(self, seen: Seen, place: Path) -> bool:
        """Say whether the keys that lie beside a certificate signed the witnessed checkpoint, too."""
        try:
            verify_checkpoint(seen.note, parse_vkeys((place / VKEY).read_bytes()), self.log.verifier)
        except Invalid:
            return False
        return True

    def _held_against(self, look: Callable[[Log], T]) -> T:
        try:
            with Log.open(self.log.log_folder, read_only=True) as log:
                return look(log)
        except Tampered as wrong:
            self.log.alarm.ring(wrong.code, self.log.now())
            raise


def _own(log: Logbook) -> tuple[tuple[VerifierKey, ...], ...]:
    """Return the keys of a log by generation, the present ones first."""
    former = [one.keys for one in read_former(log.memory.parent)]
    return (log.checkpoints().keys, *reversed(former))


def witnessing(log: Logbook, settings: Settings) -> Witnessing:
    """Return what keeps `log` witnessed by those whom the settings name.

    Raises:
        Invalid: the file with their keys is malformed.
        Unavailable: it cannot be read (`witness.keys`): going on without would say that nobody was named.
    """
    try:
        named = parse_vkeys(settings.witnesses.read_bytes()) if settings.witnesses else ()
    except OSError:
        raise Unavailable("witness.keys", "the file with the keys of the witnesses cannot be read") from None
    made = Cosignatures(
        folder=log.log_folder,
        kept=log.memory.parent,
        own=partial(_own, log),
        witnesses=named,
        needed=settings.witnesses_needed,
        verifier=log.verifier,
    )
    return Witnessing(log=log, cosignatures=made)

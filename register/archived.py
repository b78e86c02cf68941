"""The clear facts of the closed archive (Wpg art. 14): stubs of removed records, and its public keys."""

from dataclasses import dataclass
from datetime import date

from register.ids import ArchiveId, RegisterId
from register.lifetime import EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedFacts:
    """The stub of a removed record: all that the register itself still knows of it (Wpg art. 14).

    The record lies in the closed archive under `id`; nothing here says whose it is.

    Attributes:
        kind: what was removed: a kind of subject, or `signal`.
        removed_on: civil date of the removal; destroy_on: civil date on which its file is to be destroyed, as it
            stood then: every run reckons it anew.
        event, event_on: kind and date of what its term ran from, or what ended it; "" if its facts did not verify.
        month: `YYYY-MM`, of the key that it is sealed to, and so of its file's folder.
        sha256: of the file, hexadecimal.
        rule: by which it was removed.
        holds: ids of the holds that covered it when it was removed, sorted.
        destroyed_on: civil date of the destruction that was decided; None while the file is kept.
    """

    id: ArchiveId
    kind: str
    revision: int
    removed_on: date
    destroy_on: date
    event: str
    event_on: date
    month: str
    sha256: str
    rule: str
    holds: tuple[str, ...] = ()
    destroyed_on: date | None = None

    @property
    def void(self) -> bool:
        """Whether an order brought the record back after its removal (Wpg art. 14(3)): the copy is to be destroyed."""
        return self.event == EventKind.ORDER and self.event_on >= self.removed_on


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveKeysFacts:
    """What the file of the archive's public keys holds (`sha256` of its content), so that nobody puts others there."""

    id: RegisterId
    revision: int
    sha256: str

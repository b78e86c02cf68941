"""The shielded source: opening who or what the source of a signal is, with a permission and a ground of its own.

Everybody else reads a signal without it, and learns neither what it says nor whether there is one.
"""

from dataclasses import dataclass
from enum import StrEnum

from register.access import Actor, Permission, Reason
from register.answers import SourcePage
from register.audit import Act
from register.enquiry import Enquiry
from register.errors import Fault, Invalid, NotFound
from register.ids import SignalId
from register.narrative import GONE, read


class SourceGround(StrEnum):
    """Why somebody needs to know the source; a code, so that it can stand in the audit log."""

    RELIABILITY = "reliability"
    SAFETY = "safety"
    ORDER = "order"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shielded:
    """Answers those who may know sources."""

    enquiry: Enquiry

    def open(self, actor: Actor, reason: Reason, signal: SignalId, ground: str, *, language: str = "en") -> SourcePage:
        """Return the description of a signal's source; `ground` is one of SourceGround, and is logged.

        Raises:
            NotFound: the signal is absent or hidden, or describes no source.
            Refused, Invalid (purpose, case, ground), Unavailable, Tampered.
        """
        return self.enquiry.guarded(lambda: self._open(actor, reason, signal, ground, language))

    def _open(self, actor: Actor, reason: Reason, signal: SignalId, ground: str, language: str) -> SourcePage:
        known = ground in set(SourceGround)
        grant, witnessed = self.enquiry.enter(
            actor, Permission.SOURCE_OPEN, Act.SOURCE_OPEN, reason, ground=ground if known else ""
        )
        if not known:
            listed = ", ".join(SourceGround)
            raise Invalid([Fault(pointer="/ground", rule="ground.unknown", message=f"a ground is needed: {listed}")])
        sealed = self.enquiry.signals.open(grant, signal, witnessed)
        if sealed is None:
            raise NotFound
        opened = self.enquiry.sealing.open_signal(sealed, with_source=True)
        text = opened.texts.get("source_description")
        if text is None:
            raise NotFound
        labels = {one.facts.place: one.labels for one in opened.mentions}
        page = SourcePage(signal=signal, description=read(text, labels, gone=GONE[language]))
        return self.enquiry.released(page)

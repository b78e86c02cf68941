"""A signal that passed intake, in clear text, with its ids: what the vault seals and what it opens again."""

from collections.abc import Mapping
from dataclasses import dataclass

from register.ids import IdentifierId, ReceiptId, SignalId, SubjectId
from register.narrative import Labels, RedactedText
from register.sealed import LinkFacts, MentionFacts, SignalFacts, SubjectFacts
from register.subjects import NewIdentifier


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedMention:
    """What one signal states about one subject, in clear text.

    Attributes:
        position: the subject's position, with gaps where *other* subjects are named.
        identifiers: as stated, weak ones (phone, email, other) included.
        labels: this mention's words for the gaps in the signal's texts.
    """

    facts: MentionFacts
    names: tuple[str, ...]
    born_on: str | None = None
    position: RedactedText | None = None
    identifiers: tuple[NewIdentifier, ...] = ()
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedSignal:
    """A signal ready to be sealed.

    Attributes:
        reference: the contributor's own reference.
        digest: canonical content, by which a repeat is told from a conflict; kept only as a digest, wrapped.
        receipt: id of the receipt.
        texts: keys of SIGNAL_FIELDS but `reference`; absent texts have no key.
        created: id of the subject at each place of the signal that was new; kept with the delivery, so that an
            intake that was interrupted takes the same ids again.
    """

    facts: SignalFacts
    receipt: ReceiptId
    reference: str
    digest: bytes
    texts: Mapping[str, RedactedText]
    mentions: tuple[AcceptedMention, ...]
    links: tuple[LinkFacts, ...]
    created: Mapping[int, SubjectId]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedBatch:
    """All that one intake step seals and stores together.

    Attributes:
        created: new subjects; moved: known ones, with their facts as they will be.
        identifiers: new strong identifiers with the id minted for each.
        replaced: of those, identifiers whose token pointed at an id that is gone, with that id.
    """

    signals: tuple[AcceptedSignal, ...]
    created: tuple[SubjectFacts, ...]
    moved: tuple[SubjectFacts, ...]
    identifiers: Mapping[NewIdentifier, IdentifierId]
    replaced: Mapping[NewIdentifier, IdentifierId]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedMention:
    """A mention as a reader may see it; `facts.identifiers` are ids, `identifiers` what was stated."""

    facts: MentionFacts
    names: tuple[str, ...]
    born_on: str | None
    position: RedactedText | None
    identifiers: tuple[NewIdentifier, ...]
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSignal:
    """A signal as opened; `register.narrative.read` fills the gaps of its texts from the mentions at hand."""

    id: SignalId
    facts: SignalFacts
    reference: str
    texts: Mapping[str, RedactedText]
    mentions: tuple[OpenedMention, ...]

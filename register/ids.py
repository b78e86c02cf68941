"""Identifiers: 128 random bits each, never derived from content.

A hash of content would survive erasure as a guessable fingerprint, so ids carry no information at all.
"""

import re
import secrets
from typing import Final, NewType

RegisterId = NewType("RegisterId", str)
SubjectId = NewType("SubjectId", str)
SignalId = NewType("SignalId", str)
MentionId = NewType("MentionId", str)
LinkId = NewType("LinkId", str)
IdentifierId = NewType("IdentifierId", str)
EntryId = NewType("EntryId", str)
RunId = NewType("RunId", str)
ReceiptId = NewType("ReceiptId", str)
DossierId = NewType("DossierId", str)
HoldId = NewType("HoldId", str)
ArchiveId = NewType("ArchiveId", str)

ID_PATTERN: Final = re.compile(r"^[0-9a-f]{32}$")


def mint() -> str:
    """Return a new id: 32 lower-case hexadecimal digits from the operating system's random source."""
    return secrets.token_hex(16)


def is_id(text: str) -> bool:
    """Say whether `text` has the form of an id of this register (it need not exist)."""
    return ID_PATTERN.fullmatch(text) is not None

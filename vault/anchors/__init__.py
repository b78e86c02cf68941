"""Anchors: what the root key is wrapped under, and what is destroyed so that a purged generation opens nowhere."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol


class AnchorKind(StrEnum):
    """The providers."""

    FILE = "file"
    PASSPHRASE = "passphrase"  # noqa: S105 - a kind of anchor
    TRANSIT = "transit"


class Anchor(Protocol):
    """A keeper of wrapping keys by version. Versions rise by themselves and are never used twice.

    The version that counts is the one the root key's row names, never "the newest": between `advance` and the key
    store's transaction a higher version exists that wraps nothing yet. It is left alone, and the next purge advances
    past it.
    """

    @property
    def kind(self) -> str:
        """Code of the provider."""

    @property
    def assurance(self) -> str:
        """What destruction is worth, in the words of NIST SP 800-88: logical (see docs), clear or purge."""

    def advance(self, above: int = 0) -> int:
        """Make a version above every one there is, durable on return; the others stay live. Return its number.

        Args:
            above: the number is higher than this one, too.

        Raises:
            Unavailable: the anchor cannot be reached or written.
            Tampered: a version that is there is damaged.
        """

    def wrap(self, version: int, blob: bytes, aad: bytes) -> bytes:
        """Return `blob` wrapped under a live version and bound to `aad`. Raises Unavailable, Tampered."""

    def unwrap(self, version: int, blob: bytes, aad: bytes) -> bytes:
        """Return what was wrapped.

        Raises:
            Unavailable: code `anchor.absent`: the version is not there (destroyed, or the anchor is another's).
            Tampered: the version is damaged, or the blob is not what was wrapped.
        """

    def destroy_below(self, version: int) -> Mapping[str, str]:
        """Destroy every version below `version`, which is live and stays; safe to run again.

        Returns:
            Evidence as codes: the state reached, the same however often this ran.

        Raises:
            Unavailable: `version` itself is not live; nothing was destroyed.
        """

    def probe(self, version: int) -> bool:
        """Say whether `version` is live. Raises Tampered: it is there and damaged."""

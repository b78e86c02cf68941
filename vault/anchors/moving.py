"""Two anchors while the root key moves from one to the other: to another provider, server, passphrase or folder."""

from collections.abc import Mapping
from typing import Final

from vault.anchors import Anchor

ROOM: Final = 8
"""Numbers left to the former anchor for purges that began before the move was written down."""


class Moving:
    """An anchor as it is between the decision to move and the end of the former anchor.

    Which of the two a version is of follows from its number alone: up to `above` the former's. From the decision on
    new versions are made in the coming anchor only, so that the next purge, whoever runs it, moves the root key.

    Args:
        former: what the root key has been wrapped under.
        coming: what it moves to; another key than the former's.
        above: the highest number that the former may have.
    """

    def __init__(self, former: Anchor, coming: Anchor, above: int) -> None:
        self._former = former
        self._coming = coming
        self._above = above

    @property
    def kind(self) -> str:
        """See `vault.anchors.Anchor`: the coming one's, under which the next root key is wrapped."""
        return self._coming.kind

    @property
    def assurance(self) -> str:
        """See `vault.anchors.Anchor`: the former one's, in which the next destruction takes place."""
        return self._former.assurance

    def holding(self, version: int) -> Anchor:
        """Return the anchor that a version is of."""
        return self._coming if self.moved(version) else self._former

    def moved(self, root: int) -> bool:
        """Say whether the root key, wrapped under version `root`, has moved."""
        return root > self._above

    def advance(self, above: int = 0) -> int:
        """See `vault.anchors.Anchor`. In the coming anchor."""
        return self._coming.advance(max(above, self._above))

    def wrap(self, version: int, blob: bytes, aad: bytes) -> bytes:
        """See `vault.anchors.Anchor`."""
        return self.holding(version).wrap(version, blob, aad)

    def unwrap(self, version: int, blob: bytes, aad: bytes) -> bytes:
        """See `vault.anchors.Anchor`."""
        return self.holding(version).unwrap(version, blob, aad)

    def destroy_below(self, version: int) -> Mapping[str, str]:
        """See `vault.anchors.Anchor`. Once the root key has moved, every version of the former that wrapped one."""
        if not self.moved(version):
            return self._former.destroy_below(version)
        evidence = self._coming.destroy_below(version)
        # An anchor keeps the version it is given: the former keeps one that never wrapped anything.
        unused = self._former.advance()
        return {**evidence, **{f"former_{name}": code for name, code in self._former.destroy_below(unused).items()}}

    def probe(self, version: int) -> bool:
        """See `vault.anchors.Anchor`."""
        return self.holding(version).probe(version)


def holding(anchor: Anchor, version: int) -> Anchor:
    """Return the anchor itself, or, of two between which the root key moves, the one that `version` is of."""
    return anchor.holding(version) if isinstance(anchor, Moving) else anchor

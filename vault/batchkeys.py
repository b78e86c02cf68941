"""The keys that one batch is sealed with: those there are, and new ones."""

from vault.formats import Cipher, Opaque, Secret, ValueKey, new_keys
from vault.keystore.rows import KeyKind, Rings


class BatchKeys(Opaque):
    """The keys of one batch: those the store holds, and new ones, each drawn when it is first asked for.

    Attributes:
        drawn: the new ones, by (kind, id).
    """

    __slots__ = ("_cipher", "_made", "_pool", "_rings", "drawn")

    def __init__(self, rings: Rings, cipher: Cipher) -> None:
        self._rings = rings
        self._cipher = cipher
        self._made: dict[tuple[str, str], ValueKey] = {}
        self._pool: list[Secret] = []
        self.drawn: dict[tuple[KeyKind, str], Secret] = {}

    def newest(self, kind: KeyKind, name: str) -> ValueKey:
        """Return the key to seal with."""
        ring = self._rings.get((kind, name))
        if ring is not None:
            return ring[-1]
        made = self._made.get((kind, name))
        if made is None:
            self._pool = self._pool or new_keys(256)
            self.drawn[kind, name] = drawn = self._pool.pop()
            made = self._made[kind, name] = ValueKey(drawn.raw, 1, cipher=self._cipher)
        return made

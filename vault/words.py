"""Opens the names that are compared at a removal: those of who goes, and those that texts hold without stating them."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from register.errors import Tampered
from register.ids import MentionId, SubjectId
from register.narrative import decode_text
from register.sealed import SIGNAL_FIELDS, Sealed, SealedSignal
from register.unstated import UNSTATED, kept_in, places
from vault.keystore.rows import KeyKind, Rings
from vault.keystore.store import KeyStore
from vault.sealing import Sealer

_STREAM: Final = 1000


class Words:
    """Fills `register.resembling.Opening` from a key store."""

    def __init__(self, store: KeyStore, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer

    def names(self, rows: Iterable[tuple[MentionId, SubjectId, Sealed]]) -> Iterator[tuple[str, ...]]:
        """Yield the names of each mention that opens."""
        return (opened[0] for opened in self._sealer.open_names(rows) if opened is not None)

    def words(self, signals: Iterable[SealedSignal]) -> Iterator[tuple[str, ...]]:
        """Yield of each signal the words that look like a name it does not state; none where it does not open.

        Only the texts they stand in are opened. What does not verify is told, and hidden, by the nightly check.
        """
        stream = iter(signals)
        while some := list(islice(stream, _STREAM)):
            rings = self._store.value_keys((one.facts.id for one in some), KeyKind.SIGNAL, KeyKind.SOURCE)
            for one in some:
                try:
                    yield self._words(one, rings)
                except Tampered:
                    yield ()

    def _words(self, signal: SealedSignal, rings: Rings) -> tuple[str, ...]:
        if not self._sealer.verifies(signal):
            raise Tampered

        opened = self._sealer.opening(signal, rings)
        kept = decode_text(opened(UNSTATED))
        fields = {place[0] for place in places(kept)}
        if not fields <= set(SIGNAL_FIELDS):
            raise Tampered
        return tuple(
            words for _, words in kept_in({UNSTATED: kept, **{name: decode_text(opened(name)) for name in fields}})
        )

"""Seals the texts of decisions and holds, each dossier under a key of its own, and certifies the facts beside them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hmac import compare_digest
from typing import Final

from register.dossiers import DossierFacts
from register.errors import Tampered
from register.sealed import (
    DOSSIER_FIELDS,
    Facts,
    Sealed,
    SealedDossier,
    SealedHold,
    SealedSignal,
    SealedStub,
    SealedSubject,
    canonical,
)
from vault.formats import ValueKey, digest, new_keys, value_context, value_tail
from vault.keystore.rows import KeyKind, NewRows
from vault.keystore.store import KeyStore

CONTENT: Final = 1
"""Content revision of a dossier's fields: each is written once."""

_TAILS: Final = {name: value_tail(name, CONTENT) for name in DOSSIER_FIELDS}


class Dossiers:
    """Fills `register.interfaces.DossierSealing` from a key store."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._facts = store.facts_context()

    def seal(self, facts: DossierFacts, texts: Mapping[str, str]) -> SealedDossier:
        """Seal a new dossier, whose facts then name its texts (keys of DOSSIER_FIELDS); on return its key is durable.

        Raises:
            Conflict, Unavailable: nothing was written.
        """
        (drawn,) = new_keys(1)
        self._store.add(NewRows(keys=[(facts.id, KeyKind.DOSSIER, drawn)], tokens=(), deliveries=()))
        return self._sealed(facts, texts, ValueKey(drawn.raw, 1, cipher=self._store.cipher), {})

    def add(self, dossier: SealedDossier, facts: DossierFacts, texts: Mapping[str, str]) -> SealedDossier:
        """Return `dossier` with its new facts and further texts. Raises Tampered: it has no key, or such a text."""
        if set(texts) & set(dossier.sealed):
            raise Tampered
        return self._sealed(facts, texts, self._key(facts.id), dossier.sealed)

    def open(self, dossier: SealedDossier) -> Mapping[str, str]:
        """Return the texts of a dossier that verifies. Raises Tampered."""
        self.check([dossier])
        if set(dossier.sealed) != set(dossier.facts.texts):
            raise Tampered
        if not dossier.sealed:
            return {}  # its term is over, and its key is gone
        key = self._key(dossier.facts.id)
        context = value_context(self._store.register, dossier.facts.id)
        try:
            return {name: key.open(context, _TAILS[name], one.blob).decode() for name, one in dossier.sealed.items()}
        except (KeyError, UnicodeDecodeError):
            raise Tampered from None

    def mac(self, facts: Facts) -> bytes:
        """Return the MAC of facts as they will be."""
        return digest(self._facts, canonical(facts))

    def check(self, records: Iterable[SealedSubject | SealedSignal | SealedDossier | SealedHold | SealedStub]) -> None:
        """Check MACs, and that none is an older state put back. Raises Tampered."""
        records = tuple(records)
        if not all(compare_digest(self.mac(one.facts), one.mac) for one in records):
            raise Tampered
        newest = self._store.newest(one.facts.id for one in records)
        if any(one.facts.revision < newest.get(one.facts.id, 0) for one in records):
            raise Tampered

    def remember(self, revisions: Iterable[tuple[str, int]]) -> None:
        """Remember revisions after a graph commit."""
        self._store.settle((), list(revisions))

    def _key(self, dossier: str) -> ValueKey:
        ring = self._store.value_keys([dossier], KeyKind.DOSSIER).get((KeyKind.DOSSIER, dossier))
        if not ring:
            raise Tampered
        return ring[-1]

    def _sealed(
        self, facts: DossierFacts, texts: Mapping[str, str], key: ValueKey, before: Mapping[str, Sealed]
    ) -> SealedDossier:
        context = value_context(self._store.register, facts.id)
        fresh = {name: Sealed(key.seal(context, _TAILS[name], text.encode())) for name, text in texts.items()}
        sealed = {**before, **fresh}
        facts = replace(facts, texts=tuple(sorted(sealed)))
        return SealedDossier(facts=facts, mac=self.mac(facts), sealed=sealed)

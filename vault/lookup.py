"""Finding by value: identifiers and deliveries through keyed tokens, which lie in the key store only.

A token is never made for a weak identifier or a name: what many share, or a dictionary holds, could be counted out.
"""

import hashlib
from collections.abc import Collection, Mapping

from register.ids import IdentifierId, ReceiptId, SignalId
from register.interfaces import Delivery, DeliveryKey
from register.subjects import STRONG, NewIdentifier, normalise
from vault.formats import identifier_value
from vault.keystore.rows import StoredDelivery
from vault.keystore.store import KeyStore


class Lookup:
    """Fills `register.interfaces.Lookup` from a key store."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store

    def deliveries(self, wanted: Mapping[DeliveryKey, bytes]) -> Mapping[DeliveryKey, Delivery]:
        """Return the deliveries known under `wanted` (key → canonical content); unknown ones are absent.

        Of a purged signal's delivery nothing is left but that it was done, and its receipt: its `signal` is "". For
        it, and for a signal that was redacted, any content counts as the same: there is nothing left to compare it
        with.
        """
        tokens = self._store.tokens
        keys = {tokens.delivery_value(key.contributor, key.reference): key for key in wanted}
        found = self._store.deliveries(keys)
        return {keys[value]: _delivery(row, content_digest(wanted[keys[value]])) for value, row in found.items()}

    def receipt(self, contributor: str, receipt: ReceiptId) -> Delivery | None:
        """Return the delivery of `contributor` with this receipt; None also once its signal is purged."""
        row = self._store.receipt(receipt)
        if row is None or row.contributor != contributor:
            return None
        return _delivery(row, row.content)

    def identifiers(self, wanted: Collection[NewIdentifier]) -> Mapping[NewIdentifier, IdentifierId]:
        """Return the ids of strong identifiers (values normalised inside); weak and unknown ones are absent."""
        values = {one: strong_value(one) for one in wanted if one.kind in STRONG}
        found = self._store.identifiers(set(values.values()))
        return {one: IdentifierId(found[value]) for one, value in values.items() if value in found}


def strong_value(identifier: NewIdentifier) -> bytes:
    """Return the bytes that the token of an identifier is made from."""
    return identifier_value(identifier.kind, normalise(identifier.kind, identifier.value))


def content_digest(content: bytes) -> bytes:
    """Return what is kept, wrapped, of a delivery's canonical content."""
    return hashlib.sha256(content).digest()


def _delivery(row: StoredDelivery, content: bytes) -> Delivery:
    return Delivery(
        done=row.done,
        same=row.signal is None or row.content in (b"", content),
        signal=row.signal or SignalId(""),
        receipt=row.receipt,
        subjects=row.subjects,
    )

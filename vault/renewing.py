"""Seals what there is of a record anew, under a new version of its key that is durable before.

What was sealed stays as it was, byte for byte. A signal's content revision rises, so that no value of before can be put
back; that of a mention is always 1, and there it is the end of the former key that sees to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from register.errors import Tampered
from register.sealed import MENTION_FIELDS, Sealed, SealedMention, SealedSignal, SealedSubject
from vault.formats import ValueKey, value_context, value_tail
from vault.keystore.renewals import Renewals
from vault.keystore.rows import KeyKind, Rings, matching
from vault.keystore.store import KeyStore
from vault.sealing import MENTION_CONTENT, Sealer, kind_of, tails_of

_TAILS: Final = {name: value_tail(name, MENTION_CONTENT) for name in MENTION_FIELDS}


class Renewing:
    """Fills `register.interfaces.KeyRenewing` from a key store."""

    def __init__(self, store: KeyStore, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer
        self._renewals = Renewals(store)

    def under_way(self) -> tuple[str, ...]:
        """Return the records whose new key is durable, and which may not be sealed anew yet."""
        return self._renewals.under_way()

    def subject(
        self, subject: SealedSubject, mentions: Sequence[SealedMention]
    ) -> tuple[SealedSubject, tuple[SealedMention, ...]] | None:
        """Return a subject and all its mentions, sealed under a new version of its key; None: they are already.

        Raises:
            Tampered: something of it does not verify or open, or is an older state. Conflict, Unavailable: see
                `Renewals.begin`.
        """
        facts = subject.facts
        newest = self._store.newest([facts.id]).get(facts.id, 0)
        if not self._sealer.verifies(subject) or facts.revision < newest:
            raise Tampered(ids=[facts.id])
        if any(one.facts.subject != facts.id for one in mentions):
            raise Tampered(ids=[facts.id])
        self._sealer.open_mentions(mentions)
        self._renewals.begin(facts.id, facts.revision, KeyKind.SUBJECT)
        rings = self._store.value_keys([facts.id], KeyKind.SUBJECT, whole=True)
        key = rings[KeyKind.SUBJECT, facts.id][-1]
        if all(_under(key, value) for one in mentions for value in one.sealed.values()):
            return None
        moved = replace(facts, revision=facts.revision + 1)
        anew = tuple(replace(one, sealed=self._mention(one, rings, key)) for one in mentions)
        return SealedSubject(facts=moved, mac=self._sealer.mac(moved)), anew

    def signal(self, signal: SealedSignal) -> SealedSignal | None:
        """Return a signal with its own values, and those of its source, sealed under new versions; None: they are.

        Raises:
            Tampered, Conflict, Unavailable: see `subject`.
        """
        self._sealer.open_signal(signal, with_source=True)
        before = signal.facts
        self._renewals.begin(before.id, before.revision, KeyKind.SIGNAL, KeyKind.SOURCE)
        rings = self._store.value_keys([before.id], KeyKind.SIGNAL, KeyKind.SOURCE, whole=True)
        keys = {name: rings[kind_of(name), before.id][-1] for name in signal.sealed}
        if all(_under(keys[name], value) for name, value in signal.sealed.items()):
            return None
        facts = replace(before, revision=before.revision + 1, content=before.content + 1)
        context, tails = value_context(self._store.register, before.id), tails_of(facts.content)
        opened = self._sealer.opening(signal, rings)
        sealed = {name: Sealed(key.seal(context, tails[name], opened(name))) for name, key in keys.items()}
        return SealedSignal(facts=facts, mac=self._sealer.mac(facts), sealed=sealed, mentions=(), links=())

    def settle(self, record: str, revision: int, today: date) -> date:
        """Let the old versions end once the graph holds `record` sealed anew; return their last day."""
        return self._renewals.settle(record, revision, today)

    def _mention(self, mention: SealedMention, rings: Rings, key: ValueKey) -> Mapping[str, Sealed]:
        context = value_context(self._store.register, mention.facts.id)
        subject = mention.facts.subject
        return {
            name: Sealed(
                key.seal(
                    context,
                    _TAILS[name],
                    matching(rings, KeyKind.SUBJECT, subject, value).open(context, _TAILS[name], value.blob),
                )
            )
            for name, value in mention.sealed.items()
        }


def _under(key: ValueKey, value: Sealed) -> bool:
    return value.blob.startswith(key.header)

"""Seals what intake accepted, opens what a reader may see, and checks the facts beside it.

One key object per record, one kept context for all facts MACs, one read and one write of the key store per batch.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from hmac import compare_digest
from itertools import islice
from typing import Final

from register.accepted import AcceptedBatch, AcceptedMention, AcceptedSignal, OpenedMention, OpenedSignal
from register.errors import Conflict, Tampered, Unavailable
from register.ids import MentionId, SignalId, SubjectId
from register.narrative import RedactedText, decode_labels, decode_text, encode_labels, encode_text
from register.sealed import (
    MENTION_FIELDS,
    SIGNAL_FIELDS,
    Facts,
    LinkFacts,
    Sealed,
    SealedBatch,
    SealedHold,
    SealedLink,
    SealedMention,
    SealedSignal,
    SealedStub,
    SealedSubject,
    SubjectFacts,
    canonical,
)
from vault.batchkeys import BatchKeys
from vault.contents import (
    details_bytes,
    details_from,
    names_bytes,
    names_from,
    reference_bytes,
    reference_from,
)
from vault.formats import digest, value_context, value_tail
from vault.keystore.renewals import renew_worn
from vault.keystore.rows import KeyKind, NewRows, NewToken, Rings, StoredDelivery, matching
from vault.keystore.store import KeyStore
from vault.lookup import content_digest, strong_value

MENTION_CONTENT: Final = 1
"""Content revision of a mention's fields: a mention is never edited, a correction makes a new one."""

SOURCE_FIELD: Final = "source_description"
SIGNALS: Final = 1000
"""Signals that one batch may hold: so many mentions at most are sealed under a subject's key in one revision of it."""

_STREAM: Final = 2000
_MENTION_TAILS: Final = {name: value_tail(name, MENTION_CONTENT) for name in MENTION_FIELDS}
_KEPT_TAILS: Final = {1: {name: value_tail(name, 1) for name in SIGNAL_FIELDS}}


class Sealer:
    """Fills `register.interfaces.Sealing` and `retention.interfaces.FactsCheck` from a key store."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._facts = store.facts_context()

    def seal(self, batch: AcceptedBatch) -> SealedBatch:
        """Seal `batch`; on return keys, tokens and deliveries (pending) are durable in one key-store transaction.

        Keys that an interrupted intake of the same ids left are used again: it may yet commit to the graph.

        Raises:
            Conflict: code `token.raced`: another intake came first, or a known subject is not in the newest revision
                that this register remembers; look up again.
            Unavailable: code `generation.moved`: this process must end.
            Tampered: a subject is known to the graph and has no key.
        """
        ids: list[str] = [one.id for one in (*batch.moved, *batch.created)]
        ids += [one.facts.id for one in batch.signals]
        if len(batch.signals) > SIGNALS:
            raise ValueError(f"a batch holds at most {SIGNALS} signals")
        renew_worn(self._store, [(one.id, one.revision) for one in batch.moved], SIGNALS * len(MENTION_FIELDS))
        rings = self._store.value_keys(ids, KeyKind.SUBJECT, KeyKind.SIGNAL, KeyKind.SOURCE, whole=True)
        if any((KeyKind.SUBJECT, one.id) not in rings for one in batch.moved):
            raise Tampered
        newest = self._store.newest(one.id for one in batch.moved)
        if any(one.revision <= newest.get(one.id, 0) for one in batch.moved):
            # Facts put back to an older state must not get a new MAC.
            raise Conflict("token.raced", "a subject changed; look up again")
        keys = BatchKeys(rings, self._store.cipher)
        sealed = self.seal_with(batch, keys)
        self._store.add(self._rows(batch, keys))
        return sealed

    def seal_with(self, batch: AcceptedBatch, keys: BatchKeys) -> SealedBatch:
        """Seal `batch` under `keys`; nothing is stored."""
        return SealedBatch(
            signals=tuple([self._seal_signal(one, keys) for one in batch.signals]),
            created=tuple([self._seal_subject(one) for one in batch.created]),
            moved=tuple([self._seal_subject(one) for one in batch.moved]),
            identifiers=tuple([(name, str(one.kind)) for one, name in batch.identifiers.items()]),
        )

    def settle(self, batch: SealedBatch) -> None:
        """Remember the revisions written by the graph's commit, and mark the batch's deliveries done."""
        signals = [(one.facts.id, one.facts.revision) for one in batch.signals]
        subjects = [(one.facts.id, one.facts.revision) for one in (*batch.created, *batch.moved)]
        self._store.settle([signal for signal, _ in signals], [*signals, *subjects])

    def settled(self, signals: Collection[SignalId]) -> None:
        """Mark the deliveries of `signals` done: the graph holds them already, from an intake that was interrupted."""
        self._store.settle(signals)

    def mac(self, facts: Facts) -> bytes:
        """Return facts MAC v1, 32 bytes, of `facts`."""
        return digest(self._facts, canonical(facts))

    def verifies(
        self, record: SealedSubject | SealedMention | SealedLink | SealedSignal | SealedStub | SealedHold
    ) -> bool:
        """Say whether the record's facts are what this register wrote (not its parts, nor its revision)."""
        return compare_digest(self.mac(record.facts), record.mac)

    def check(self, records: Iterable[SealedSubject | SealedLink]) -> None:
        """Check facts that are shown without opening anything: their MACs, and the revisions of subjects.

        Raises:
            Tampered: facts do not verify.
            Unavailable: code `record.moved`: a subject is in an older revision than this register remembers. It was
                changed since it was read, or put back by hand: reading again tells the one from the other.
        """
        records = tuple(records)
        if wrong := [one.facts for one in records if not self.verifies(one)]:
            raise Tampered(ids=(facts.signal if isinstance(facts, LinkFacts) else facts.id for facts in wrong))
        subjects = [one.facts for one in records if isinstance(one, SealedSubject)]
        if subjects and self.behind((one.id, one.revision) for one in subjects):
            raise Unavailable("record.moved", "a record changed while it was read; ask again")

    def behind(self, revisions: Iterable[tuple[str, int]]) -> tuple[str, ...]:
        """Return the ids whose revision is lower than the newest this register remembers, or that were purged."""
        stream = iter(revisions)
        late: list[str] = []
        while some := list(islice(stream, _STREAM)):
            newest = self._store.newest(name for name, _ in some)
            purged = self._store.purged([name for name, _ in some if name not in newest])
            late.extend(name for name, revision in some if name in purged or revision < newest.get(name, 0))
        return tuple(late)

    def purged(self, ids: Collection[str]) -> frozenset[str]:
        """Return those of `ids` that were purged."""
        return self._store.purged(ids)

    def remember(self, revisions: Iterable[tuple[str, int]]) -> None:
        """Remember revisions after a graph commit (never lowers one)."""
        self._store.settle((), revisions)

    def open_mentions(self, mentions: Sequence[SealedMention]) -> tuple[OpenedMention, ...]:
        """Open mentions, in the order given, after checking their MACs.

        Raises:
            Tampered: with the signals of all that do not verify, or else of all that do not open.
        """
        if wrong := [one.facts.signal for one in mentions if not self.verifies(one)]:
            raise Tampered(ids=wrong)
        rings = self._store.value_keys((one.facts.subject for one in mentions), KeyKind.SUBJECT)
        opened, shut = [], []
        for one in mentions:
            try:
                opened.append(self.open_mention(one, rings))
            except Tampered:
                # Without any key it is the key store that lacks something: no fault of the record.
                shut.append(one.facts.signal if (KeyKind.SUBJECT, one.facts.subject) in rings else "")
        if shut:
            raise Tampered(ids=filter(None, shut))
        return tuple(opened)

    def open_names(
        self, rows: Iterable[tuple[MentionId, SubjectId, Sealed]]
    ) -> Iterator[tuple[tuple[str, ...], str | None] | None]:
        """Open the names only, (names, born_on) a row, in the order given, streaming; None for what does not open."""
        stream = iter(rows)
        register, tail = self._store.register, _MENTION_TAILS["names"]
        while some := list(islice(stream, _STREAM)):
            rings = self._store.value_keys((subject for _, subject, _ in some), KeyKind.SUBJECT)
            for mention, subject, sealed in some:
                try:
                    key = matching(rings, KeyKind.SUBJECT, subject, sealed)
                    names = names_from(key.open(value_context(register, mention), tail, sealed.blob))
                except Tampered:
                    names = None
                yield names

    def open_signal(self, signal: SealedSignal, *, with_source: bool = False) -> OpenedSignal:
        """Open a signal with the mentions at hand, after checking MACs and remembered revision.

        The source's description is opened only `with_source`; otherwise not even its key is read.

        Raises:
            Tampered: something does not verify or open, belongs to another signal, or was taken away.
        """
        facts = signal.facts
        newest = self._store.newest([facts.id]).get(facts.id, 0)
        if not self.verifies(signal) or not _whole(signal) or facts.revision < newest:
            raise Tampered(ids=[facts.id])
        kinds = (KeyKind.SIGNAL, KeyKind.SOURCE) if with_source else (KeyKind.SIGNAL,)
        rings = self._store.value_keys([facts.id], *kinds)
        try:
            reference, texts = self._open_texts(signal, rings, with_source=with_source)
        except Tampered:
            raise Tampered(ids=[facts.id] if (KeyKind.SIGNAL, facts.id) in rings else ()) from None
        mentions = self.open_mentions(signal.mentions)
        if facts.revision > newest:  # only now: what was purged and put back by hand is not to be remembered
            self._store.settle((), [(facts.id, facts.revision)])
        return OpenedSignal(id=facts.id, facts=facts, reference=reference, texts=texts, mentions=mentions)

    def _open_texts(
        self, signal: SealedSignal, rings: Rings, *, with_source: bool
    ) -> tuple[str, dict[str, RedactedText]]:
        opened = self.opening(signal, rings)
        reference, present = reference_from(opened("reference"))
        wanted = present if with_source else present - {SOURCE_FIELD}
        if not wanted < set(SIGNAL_FIELDS) or set(signal.sealed) - {"reference", *present}:
            raise Tampered
        return reference, {name: decode_text(opened(name)) for name in SIGNAL_FIELDS if name in wanted}

    def opening(self, signal: SealedSignal, rings: Rings) -> Callable[[str], bytes]:
        """Return what opens a sealed value of a signal by its name, under the keys at hand.

        It raises Tampered: the value does not open, or is absent.
        """
        facts = signal.facts
        tails = tails_of(facts.content)
        context = value_context(self._store.register, facts.id)

        def opened(name: str) -> bytes:
            value = signal.sealed.get(name)
            if value is None:
                raise Tampered
            return matching(rings, kind_of(name), facts.id, value).open(context, tails[name], value.blob)

        return opened

    def assert_current(self) -> None:
        """Assert, right before the first byte goes out, that this process still serves the key store's generation.

        Raises:
            Unavailable: it does not; the process sends nothing more and ends.
        """
        self._store.assert_current()

    def _seal_subject(self, facts: SubjectFacts) -> SealedSubject:
        return SealedSubject(facts=facts, mac=self.mac(facts))

    def _seal_signal(self, signal: AcceptedSignal, keys: BatchKeys) -> SealedSignal:
        facts = signal.facts
        context = value_context(self._store.register, facts.id)
        tails = tails_of(facts.content)
        own = keys.newest(KeyKind.SIGNAL, facts.id)
        reference = reference_bytes(signal.reference, signal.texts)
        sealed = {"reference": Sealed(own.seal(context, tails["reference"], reference))}
        for name, text in signal.texts.items():
            key = keys.newest(KeyKind.SOURCE, facts.id) if name == SOURCE_FIELD else own
            sealed[name] = Sealed(key.seal(context, tails[name], encode_text(text)))
        return SealedSignal(
            facts=facts,
            mac=self.mac(facts),
            sealed=sealed,
            mentions=tuple([self._seal_mention(one, keys) for one in signal.mentions]),
            links=tuple([SealedLink(facts=one, mac=self.mac(one)) for one in signal.links]),
        )

    def _seal_mention(self, mention: AcceptedMention, keys: BatchKeys) -> SealedMention:
        facts = mention.facts
        key = keys.newest(KeyKind.SUBJECT, facts.subject)
        context = value_context(self._store.register, facts.id)
        values = {
            "names": names_bytes(mention.names, mention.born_on),
            "details": details_bytes(mention.position, mention.identifiers),
            "labels": encode_labels(mention.labels),
        }
        return SealedMention(
            facts=facts,
            mac=self.mac(facts),
            sealed={name: Sealed(key.seal(context, _MENTION_TAILS[name], data)) for name, data in values.items()},
        )

    def open_mention(self, mention: SealedMention, rings: Rings) -> OpenedMention:
        """Open one mention with its subject's keys at hand; its MAC is the caller's to check. Raises Tampered."""
        facts = mention.facts
        context = value_context(self._store.register, facts.id)

        def opened(name: str) -> bytes:
            value = mention.sealed.get(name)
            if value is None:
                raise Tampered
            key = matching(rings, KeyKind.SUBJECT, facts.subject, value)
            return key.open(context, _MENTION_TAILS[name], value.blob)

        names, born_on = names_from(opened("names"))
        position, identifiers = details_from(opened("details"))
        return OpenedMention(
            facts=facts,
            names=names,
            born_on=born_on,
            position=position,
            identifiers=identifiers,
            labels=decode_labels(opened("labels")),
        )

    def _rows(self, batch: AcceptedBatch, keys: BatchKeys) -> NewRows:
        tokens = self._store.tokens
        return NewRows(
            keys=[(name, kind, drawn) for (kind, name), drawn in keys.drawn.items()],
            tokens=[
                NewToken(value=strong_value(one), identifier=name, replaces=batch.replaced.get(one))
                for one, name in batch.identifiers.items()
            ],
            deliveries=[
                (
                    tokens.delivery_value(one.facts.contributor, one.reference),
                    StoredDelivery(
                        done=False,
                        receipt=one.receipt,
                        signal=one.facts.id,
                        contributor=one.facts.contributor,
                        content=content_digest(one.digest),
                        subjects=one.created,
                    ),
                )
                for one in batch.signals
            ],
        )


def tails_of(content: int) -> Mapping[str, bytes]:
    """Return what each field of a signal is bound to, besides the signal itself, at a content revision."""
    return _KEPT_TAILS.get(content) or {name: value_tail(name, content) for name in SIGNAL_FIELDS}


def kind_of(name: str) -> KeyKind:
    """Return which key of a signal a field of it is sealed under."""
    return KeyKind.SOURCE if name == SOURCE_FIELD else KeyKind.SIGNAL


def _whole(signal: SealedSignal) -> bool:
    """Say whether the mentions and links at hand are all of this signal (some may be hidden, or gone)."""
    facts = signal.facts
    return all(one.facts.signal == facts.id and one.facts.id in facts.mentions for one in signal.mentions) and all(
        one.facts.signal == facts.id and one.facts.id in facts.links for one in signal.links
    )

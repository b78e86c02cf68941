"""Fills the closed archive: opens what is about to be removed, and seals it anew to its destruction month's key."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from hmac import compare_digest
from itertools import islice
from pathlib import Path
from typing import Final

from register.accepted import OpenedMention
from register.errors import Tampered, Unavailable
from register.ids import ArchiveId, RunId, mint
from register.narrative import RedactedText, decode_text
from register.runs import Archived, ToArchive
from register.sealed import SIGNAL_FIELDS, SealedMention, SealedSignal
from register.unstated import UNSTATED
from vault.archive import contents
from vault.archive.contents import SignalContent
from vault.archive.files import ArchiveFiles, Laying
from vault.archive.keys import ArchiveKeys, damaged, read_keys
from vault.archive.parts import Gathering, Part
from vault.contents import reference_from
from vault.keystore.rows import KeyKind, Rings
from vault.keystore.store import KeyStore
from vault.sealing import Sealer

ARCHIVE: Final = "archive"
"""Name of the archive's folder, in the register's own."""

_STREAM: Final = 1000


class Archivist:
    """Fills `retention.interfaces.Archive` from a key store and the archive's folder.

    Attributes:
        files_held: the folder's files.
    """

    def __init__(self, store: KeyStore, sealer: Sealer, folder: Path) -> None:
        self._store = store
        self._sealer = sealer
        self._folder = folder
        self.files_held = ArchiveFiles(folder)

    @cached_property
    def keys(self) -> ArchiveKeys | None:
        """The archive's public keys, checked; None before `archive init`.

        Raises:
            Tampered: code `archive.keys`: they are not what this register wrote last.
        """
        found = read_keys(self._folder)
        if found is None:
            return None
        keys, mac = found
        if keys.register != self._store.register or not compare_digest(self._sealer.mac(keys.facts), mac):
            raise damaged()
        if self._sealer.behind([(keys.register, keys.revision)]):
            raise damaged()
        return keys

    def write_keys(self, keys: ArchiveKeys) -> None:
        """Put these public keys in place of the present ones, durably."""
        keys.write(self._folder, self._sealer.mac)
        self._sealer.remember([(keys.register, keys.revision)])

    @property
    def months(self) -> frozenset[str]:
        """The months, `YYYY-MM`, that can be sealed to."""
        return frozenset() if self.keys is None else frozenset(self.keys.months)

    def put(self, run: RunId, items: Sequence[ToArchive], signals: Iterable[SealedSignal]) -> tuple[Archived, ...]:
        """Seal records of each item; the files are durable on return.

        Of an item about which very much is known there are several, each with a part of its signals.

        Args:
            run: settles what of them is kept, later.
            items: subjects, and signals that name nobody; for each month there is a key.
            signals: every signal that mentions one of these subjects, and these signals, with their sealed values;
                consumed once, and kept no longer than it takes to seal them again.

        Raises:
            Unavailable: code `archive.no-key`: a month has no key. Tampered: `archive.keys`.
        """
        wanted = {one.item: one for one in items}
        made: list[Archived] = []

        def files() -> Iterator[Laying]:
            for part in self._parts(wanted, signals):
                one = wanted[part.item]
                archived, sealed = self._sealed(one, part)
                made.append(archived)
                yield Laying((one.month, archived.archive), sealed, one.item)

        self.files_held.lay_down(run, files())
        return tuple(made)

    def settle(self, run: RunId, stubs: Collection[str], *, last: bool) -> int:
        """Delete the files of this run that have no stub among `stubs`; return how many. No other file is touched."""
        return self.files_held.settle(run, stubs, last=last)

    def laid(self, run: RunId, items: Iterable[str]) -> Mapping[str, ArchiveId]:
        """Return of which of `items` a record of this run was left when it was settled, each with the record's id."""
        return self.files_held.laid(run, items)

    def reseal(self, archive: ArchiveId, month: str, content: bytes) -> str:
        """Seal what a record holds to the key of another month, durably, under the same id; return the file's SHA-256.

        A file of it that is there already was left by an attempt that nothing relies on: it is written anew.

        Raises:
            Unavailable: code `archive.no-key`: that month has no key. Tampered: `archive.keys`.
        """
        half = None if self.keys is None else self.keys.months.get(month)
        if half is None:
            raise Unavailable("archive.no-key", "the archive has no key of that month; the custodian can make more")
        sealed, run = half.seal(self._store.register, archive, content), RunId(mint())
        self.destroy([(month, archive)])
        self.files_held.lay_down(run, [Laying((month, archive), sealed)])
        self.settle(run, {archive}, last=True)
        return sha256(sealed).hexdigest()

    def supersede(self, archive: ArchiveId, month: str, by: tuple[str, ArchiveId, str]) -> None:
        """Delete the file of `month` once the one that it was sealed anew to (month, id, SHA-256) is there, whole.

        Raises:
            Tampered: code `archive.file`: it is not.
        """
        if not self.intact([by]):
            raise Tampered("archive.file", "a file of the archive is not the one that was written")
        self.destroy([(month, archive)])

    def destroy(self, places: Iterable[tuple[str, ArchiveId]]) -> int:
        """Delete the files at these places (month, id), durably; one that is absent is no fault. Return how many."""
        return self.files_held.destroy(places)

    def files(self) -> Mapping[ArchiveId, str]:
        """Return the ids of all records that there is a file of, each with its month."""
        return {archive: month for month, archive in self.files_held.present()}

    def intact(self, files: Iterable[tuple[str, ArchiveId, str]]) -> frozenset[ArchiveId]:
        """Return the ids of those of these files (month, id, SHA-256) that are there as they were written."""
        return frozenset(one for month, one, digest in files if self.files_held.digest((month, one)) == digest)

    def _parts(self, wanted: Mapping[str, ToArchive], signals: Iterable[SealedSignal]) -> Iterator[Part]:
        """Yield what each record holds, streaming; every item has a last one."""
        gathering, stream = Gathering(), iter(signals)
        while some := tuple(islice(stream, _STREAM)):
            for item, kept in self._read(some, wanted.keys()):
                yield from gathering.add(item, kept)
        for item in wanted:
            yield gathering.last(item)

    def _sealed(self, one: ToArchive, part: Part) -> tuple[Archived, bytes]:
        half = None if self.keys is None else self.keys.months.get(one.month)
        if half is None:
            raise Unavailable("archive.no-key", "the archive has no key of that month; the custodian can make more")
        beginning = contents.head(one.item, one.kind, one.facts, removed_on=one.removed_on, rule=one.rule)
        archive = ArchiveId(mint())
        sealed = half.seal(self._store.register, archive, contents.whole({**beginning, **part.told}, part.signals))
        return Archived(item=one.item, archive=archive, month=one.month, sha256=sha256(sealed).hexdigest()), sealed

    def _read(self, signals: Sequence[SealedSignal], items: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield, for each item, what it keeps of each signal."""
        mentions = [mention for signal in signals for mention in signal.mentions if mention.facts.subject in items]
        ids = {signal.facts.id for signal in signals} | {mention.facts.subject for mention in mentions}
        rings = self._store.value_keys(ids, KeyKind.SUBJECT, KeyKind.SIGNAL, KeyKind.SOURCE)
        opened = {mention.facts.id: self._mention(mention, rings) for mention in mentions}
        for signal in signals:
            content = self._content(signal, rings)
            if signal.facts.id in items:
                yield signal.facts.id, contents.about(content, None, None)
            for mention in signal.mentions:
                if mention.facts.subject in items:
                    subject = mention.facts.subject
                    yield subject, _about(content, subject, opened[mention.facts.id])

    def _mention(self, mention: SealedMention, rings: Rings) -> OpenedMention | None:
        try:
            return self._sealer.open_mention(mention, rings)
        except Tampered:
            return None

    def _content(self, signal: SealedSignal, rings: Rings) -> SignalContent:
        """Open what opens of a signal."""
        clear: dict[str, bytes] = {}
        opened = self._sealer.opening(signal, rings)
        for name in signal.sealed:
            if name != UNSTATED:  # which says where in the live text names stand
                with suppress(Tampered):
                    clear[name] = opened(name)
        reference, texts = _texts(clear)
        read = texts.keys() | ({"reference"} if reference is not None else set())
        return SignalContent(
            signal=signal,
            verifies=self._sealer.verifies(signal),
            reference=reference,
            texts=texts,
            unreadable=tuple(sorted(signal.sealed.keys() - read - {UNSTATED})),
        )


def _texts(clear: Mapping[str, bytes]) -> tuple[str | None, Mapping[str, RedactedText]]:
    reference: str | None = None
    texts: dict[str, RedactedText] = {}
    for name, data in clear.items():
        try:
            if name == "reference":
                reference, _ = reference_from(data)
            elif name in SIGNAL_FIELDS:
                texts[name] = decode_text(data)
        except Tampered:
            continue
    return reference, texts


def _about(content: SignalContent, subject: str, mention: OpenedMention | None) -> bytes:
    try:
        return contents.about(content, subject, mention)
    except Tampered:  # a label that does not fit its gap
        return contents.about(content, subject, None)

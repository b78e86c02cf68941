"""The vault alone: values, signals and names sealed and opened a second, with the cipher and with none.

Rates are those of one processor at work, but for the one that waits for the disk until the keys are stored.
"""

import argparse
import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Final

from bench.report import told
from register.accepted import AcceptedBatch, AcceptedMention, AcceptedSignal
from register.grading import Category, EvaluationScheme, HandlingCode, Origin, SubjectKind
from register.ids import IdentifierId, MentionId, ReceiptId, RegisterId, SignalId, SubjectId, mint
from register.narrative import Gap
from register.sealed import MentionFacts, SealedSignal, SignalFacts, SubjectFacts
from register.subjects import IdentifierKind, NewIdentifier
from tests.vault.test_null_cipher import NullCipher
from vault.anchors.file import FileAnchor
from vault.batchkeys import BatchKeys
from vault.formats import AESGCM, Cipher, ValueKey, new_keys, value_context, value_tail
from vault.keystore import KeyStore
from vault.sealing import Sealer

BATCH: Final = 500
LATER: Final = date(2031, 11, 24)
NAME: Final = b'[["Adriaan Terhorst-Vermeer","A. Terhorst"],"1971-03"]'
FIELDS: Final = 11
"""Sealed fields of each made-up signal: five of its own, three of each mention."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the bench with command-line arguments (default: those of this process)."""
    parser = argparse.ArgumentParser(prog="python -m bench seals", description=__doc__)
    parser.add_argument("--signals", type=int, default=10_000, help="signals of eleven sealed fields each")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, the cipher and none in turn; medians are told")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    options = parser.parse_args(arguments)
    batches = [_batch(min(BATCH, options.signals - at)) for at in range(0, options.signals, BATCH)]
    gc.freeze()  # what is made up beforehand comes and goes in an intake; here the collector would walk it all the time
    sides: dict[str, list[dict[str, float]]] = {"AES-256-GCM": [], "null cipher": []}
    for _ in range(options.rounds):
        for side, cipher in zip(sides, (AESGCM, NullCipher), strict=True):
            sides[side].append(_round(batches, cipher))
    typical = {
        side: {name: round(median(one[name] for one in rounds), 1) for name in rounds[0]}
        for side, rounds in sides.items()
    }
    sealed, null = (one["signals_sealed_per_second"] for one in typical.values())
    sizes = {"signals": options.signals, "fields": FIELDS, "subjects": 2, "new_keys": 4, "rounds": options.rounds}
    told(
        "seals",
        sizes,
        {"encryption_share_of_sealing": round(1 - sealed / null, 3), "rates": typical},
        as_json=options.json,
    )


def _round(batches: Sequence[AcceptedBatch], cipher: Cipher) -> dict[str, float]:
    key, tail = ValueKey(new_keys(1)[0].raw, 1, cipher=cipher), value_tail("names", 1)
    context = value_context(mint(), mint())
    values = [key.seal(context, tail, NAME) for _ in range(20_000)]
    count = sum(len(batch.signals) for batch in batches)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "keys"
        anchor = FileAnchor(folder / "anchor")
        with closing(KeyStore.init(folder, anchor, RegisterId(mint()), rehearsal=True, cipher=cipher)) as store:
            sealer = Sealer(store)
            alone = _seconds(lambda: [_sealed_alone(sealer, store, batch) for batch in batches])
            sealed: list[SealedSignal] = []
            stored = _seconds(
                lambda: [sealed.extend(sealer.seal(batch).signals) for batch in batches], time.perf_counter
            )
            some = sealed[:2000]
            opened = _seconds(lambda: [sealer.open_signal(one, with_source=True) for one in some])
            names = [(one.facts.id, one.facts.subject, one.sealed["names"]) for each in sealed for one in each.mentions]
            streamed = _seconds(lambda: sum(1 for _ in sealer.open_names(names)))
    return {
        "values_sealed_per_second": 20_000 / _seconds(lambda: [key.seal(context, tail, NAME) for _ in values]),
        "values_opened_per_second": 20_000 / _seconds(lambda: [key.open(context, tail, one) for one in values]),
        "signals_sealed_per_second": count / alone,
        "signals_sealed_and_keys_stored_per_second": count / stored,
        "signals_opened_one_by_one_per_second": len(some) / opened,
        "names_opened_per_second": len(names) / streamed,
    }


def _sealed_alone(sealer: Sealer, store: KeyStore, batch: AcceptedBatch) -> None:
    """Do all that sealing does but for the key store's transaction: values, MACs, and the new keys wrapped."""
    keys = BatchKeys({}, store.cipher)
    sealer.seal_with(batch, keys)
    for (kind, name), drawn in keys.drawn.items():
        store.root.wrap(kind, name, 1, drawn.raw)


def _seconds(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Return the seconds of `work`: of processor time, which other work on this machine does not change much."""
    began = clock()
    work()
    return clock() - began


def _batch(count: int) -> AcceptedBatch:
    made = [_signal(number) for number in range(count)]
    strong = {one.mentions[0].identifiers[0]: IdentifierId(mint()) for one, _ in made}
    created = tuple(subject for _, subjects in made for subject in subjects)
    return AcceptedBatch(
        signals=tuple(one for one, _ in made), created=created, moved=(), identifiers=strong, replaced={}
    )


def _signal(number: int) -> tuple[AcceptedSignal, tuple[SubjectFacts, ...]]:
    own = SignalId(mint())
    subjects = tuple(_subjects())
    mentions = tuple(_mention(own, one.id, place) for place, one in enumerate(subjects))
    facts = SignalFacts(
        id=own,
        revision=1,
        content=1,
        received_on=date(2026, 11, 24),
        handed_in_on=date(2026, 11, 24),
        entered_at=datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
        contributor="desk",
        origin=Origin.HOTLINE,
        scheme=EvaluationScheme.EU_4X4,
        handling=HandlingCode.H1,
        mentions=tuple(sorted(one.facts.id for one in mentions)),
        links=(),
        ports=("NLRTM",),
    )
    accepted = AcceptedSignal(
        facts=facts,
        receipt=ReceiptId(mint()),
        reference=f"desk-{number}-{own}",
        digest=own.encode(),
        texts={
            "narrative": ("An envelope was handed to ", Gap(number=0, mentions=(0,)), " behind the customs shed."),
            "necessity": ("Possible bribery of an official; needed for insight into the theme.",),
            "obtained": ("Reported to an integrity hotline",),
            "source_description": ("A crane driver of the second shift.",),
        },
        mentions=mentions,
        links=(),
        created={place: one.id for place, one in enumerate(subjects)},
    )
    return accepted, subjects


def _subjects() -> Iterator[SubjectFacts]:
    for _ in range(2):
        yield SubjectFacts(
            id=SubjectId(mint()),
            kind=SubjectKind.PERSON,
            revision=1,
            remove_by=LATER,
            review_by=LATER,
            hidden_from=LATER,
        )


def _mention(signal: SignalId, of: SubjectId, place: int) -> AcceptedMention:
    facts = MentionFacts(
        id=MentionId(mint()),
        signal=signal,
        subject=of,
        place=place,
        category=Category.INVOLVED,
        identifiers=(),
        handling=HandlingCode.H1,
    )
    return AcceptedMention(
        facts=facts,
        names=("Adriaan Terhorst-Vermeer", "A. Terhorst"),
        born_on="1971-03",
        position=("Chief of the quay.",),
        identifiers=(NewIdentifier(kind=IdentifierKind.PASSPORT, value=of[:20].upper()),),
        labels={0: "Terhorst-Vermeer"},
    )


if __name__ == "__main__":
    main()

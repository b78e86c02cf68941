"""The key side of a purge: a new anchor version, everything that stays under new root and lookup keys, the old ended.

What is purged are whole signals with their subjects, of a key store filled as an intake fills it: for each signal four
keys (its own, its source's, two subjects'), a token, a delivery and three remembered revisions.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Final, TypeVar

from bench.report import told
from register.ids import IdentifierId, ReceiptId, RegisterId, RunId, SignalId, SubjectId, mint
from register.runs import Gone
from vault.anchors.file import FileAnchor
from vault.formats import new_keys
from vault.keystore import KeyStore, Purge
from vault.keystore.leases import Keeper
from vault.keystore.replicas import copy_to
from vault.keystore.rows import KeyKind, NewRows, NewToken, StoredDelivery

NOW: Final = datetime(2026, 11, 25, 2, tzinfo=UTC)
TODAY: Final = date(2026, 11, 25)
KEYS: Final = 4
"""Keys for each signal."""

ROWS: Final = KEYS + 2
"""Rows that are wrapped anew, for each signal: its keys, a token and a delivery."""

PART: Final = 5000
Answer = TypeVar("Answer")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the bench with command-line arguments (default: those of this process)."""
    parser = argparse.ArgumentParser(prog="python -m bench keys", description=__doc__)
    parser.add_argument(
        "--rows",
        type=int,
        nargs="+",
        default=[100_000, 600_000, 1_000_000],
        help="keys, tokens and deliveries in the store",
    )
    parser.add_argument("--purged", type=int, default=1000, help="keys that are purged")
    parser.add_argument("--rounds", type=int, default=3, help="purges of each size; medians are told")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        purges = {f"{rows:,} rows": _measured(Path(place), rows, options) for rows in options.rows}
    sizes = {"rows": options.rows, "purged": options.purged, "rounds": options.rounds, "per_signal": ROWS}
    told("keys", sizes, {"purges": purges}, as_json=options.json)


@dataclass(frozen=True, slots=True)
class Filled:
    """A folder of keys, and the ids of its signals, subjects and identifiers."""

    folder: Path
    signals: Sequence[str]
    subjects: Sequence[str]
    identifiers: Sequence[IdentifierId]

    def open(self) -> KeyStore:
        """Open it under its anchor."""
        return KeyStore.open(self.folder, FileAnchor(self.folder / "anchor"))

    def gone(self, keys: int) -> Gone:
        """Return as many whole signals as have so many keys."""
        count = keys // KEYS
        records = {*self.signals[:count], *self.subjects[: 2 * count]}
        return Gone(
            records=frozenset(records),
            identifiers=frozenset(self.identifiers[:count]),
            redacted=frozenset(),
            on=TODAY,
            deliveries_before=TODAY,
        )


def _measured(place: Path, rows: int, options: argparse.Namespace) -> dict[str, float]:
    filled = _filled(place / f"full-{rows}", rows)
    rounds = [_round(filled, place / "round", options.purged) for _ in range(options.rounds)]
    shutil.rmtree(filled.folder)
    return {name: round(median(one[name] for one in rounds), 2) for name in rounds[0]}


def _round(full: Filled, folder: Path, purged: int) -> dict[str, float]:
    shutil.copytree(full.folder, folder)
    filled = Filled(folder, full.signals, full.subjects, full.identifiers)
    store, opened = _timed(filled.open)
    with closing(store):
        lease = Keeper(store.database).take("bench", now=NOW, seconds=3600)
        if lease is None:
            raise SystemExit("somebody else is the keeper of the store that was just made")
        purge, gone = Purge(store), filled.gone(purged)
        version, advanced = _timed(purge.advance_anchor)
        done, forgotten = _timed(lambda: purge.forget(RunId(mint()), gone, version=version, fence=lease.fence))
        _, destroyed = _timed(lambda: purge.destroy_old(fence=lease.fence))
    if done.rows_dropped != purged:
        raise SystemExit(f"{done.rows_dropped} keys were dropped, not {purged}")
    replica = folder.with_name("replica")
    replica.mkdir(mode=0o700)
    with closing(filled.open()) as store:
        _, copied = _timed(lambda: copy_to(store, FileAnchor(replica / "anchor"), replica))
    shutil.rmtree(folder)
    shutil.rmtree(replica)
    return {
        "purge_s": advanced + forgotten + destroyed,
        "new_anchor_version_s": advanced,
        "rewrapped_and_dropped_s": forgotten,
        "old_anchor_destroyed_s": destroyed,
        "store_opened_s": opened,
        "replica_brought_up_to_date_s": copied,
    }


def _filled(folder: Path, rows: int) -> Filled:
    signals = [SignalId(mint()) for _ in range(rows // ROWS)]
    subjects = [SubjectId(mint()) for _ in range(2 * len(signals))]
    identifiers = [IdentifierId(mint()) for _ in signals]
    with closing(KeyStore.init(folder, FileAnchor(folder / "anchor"), RegisterId(mint()), rehearsal=True)) as store:
        for at in range(0, len(signals), PART):
            part = signals[at : at + PART]
            about = subjects[2 * at : 2 * (at + len(part))]
            store.add(_rows(part, about, identifiers[at : at + len(part)]))
            store.settle(part, [(one, 1) for one in (*part, *about)])
    return Filled(folder, signals, subjects, identifiers)


def _rows(signals: Sequence[SignalId], subjects: Sequence[SubjectId], identifiers: Sequence[IdentifierId]) -> NewRows:
    names = [*_kinds(signals, KeyKind.SIGNAL, KeyKind.SOURCE), *_kinds(subjects, KeyKind.SUBJECT)]
    return NewRows(
        keys=[(name, kind, key) for (name, kind), key in zip(names, new_keys(len(names)), strict=True)],
        tokens=[NewToken(value=f"passport/{one}".encode(), identifier=one) for one in identifiers],
        deliveries=[
            (
                f"desk/{signal}".encode(),
                StoredDelivery(
                    receipt=ReceiptId(mint()),
                    signal=signal,
                    done=False,
                    contributor="desk",
                    content=bytes(32),
                    subjects={place: subjects[2 * at + place] for place in range(2)},
                ),
            )
            for at, signal in enumerate(signals)
        ],
    )


def _kinds(ids: Sequence[str], *kinds: KeyKind) -> Iterator[tuple[str, KeyKind]]:
    return ((one, kind) for one in ids for kind in kinds)


def _timed(work: Callable[[], Answer]) -> tuple[Answer, float]:
    began = time.perf_counter()
    return work(), time.perf_counter() - began


if __name__ == "__main__":
    main()

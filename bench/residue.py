"""What somebody learns who has the database and its files but no keys: shapes, sizes, and what deleting leaves behind.

Signals are taken in and a share of the subjects is removed by a run, as in a register. Before it, with no key at all,
three things are counted: how many subjects stand alone by the shape of what surrounds them (who knows that part of the
network knows them again); how many bits the lengths of sealed values tell; and which values of those who are removed
lie in the files of the server, cleanly stopped. After it, the same values are looked for there again.
"""

import argparse
import hashlib
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from math import log2
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import neo4j
import numpy as np

from api.settings import Settings
from api.wiring import workplace
from bench.ground import GRAPH, started
from bench.importing import fresh, ours
from bench.intake import written
from bench.night import OFFICERS
from bench.report import told
from register.ids import mint
from register.runs import RunState
from vault.keystore.place import path as sqlite_path

ROUNDS: Final = 3
"""How many steps into the network whoever recognises somebody by its shape is taken to know."""
PIECE: Final = 8
FILES: Final = {
    "transactions": "transaction logs",
    "index": "index files",
    "store": "store files",
    "keys": "key store",
}
LETTERS: Final = {digit: code for code, digit in enumerate("abcdef", 1)} | {str(one): 32 + one for one in range(10)}
HEADER_BITS: Final = 39
"""Neo4j's store keeps a short string of letters and digits in words of eight bytes, six bits each, after a header."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the bench with command-line arguments (default: those of this process)."""
    options = _parser().parse_args(arguments)
    with TemporaryDirectory(prefix="theme-register-bench-") as name:
        folder = Path(name)
        with started(folder, options.ports) as place:
            path = options.file or written(folder / "story.ndjson", options.signals)
            settings = place.register()
            loaded = fresh(ours, settings, path, False, False)
            shapes, sizes = _shapes(place.driver), _sizes(place.driver)
            on = _due_for(place.driver, options.share)
            traces = _traces(place.driver, settings)
        before = _left(folder, settings, traces)
        with started(folder) as place:
            settings = place.settings
            _removed(settings, on)
            gone = {what: _of_gone(place.driver, some) for what, some in traces.items()}
        after = _left(folder, settings, gone)
    removed = len(gone["subject id"])
    told(
        "residue",
        {"file": path.name, "signals": loaded.signals, "subjects": len(traces["subject id"]), "removed": removed},
        {"alone by shape": shapes, "sealed sizes": sizes, "residue": _told(before, traces, after, gone)},
        as_json=options.json,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench residue", description=__doc__)
    parser.add_argument("--signals", type=int, default=2000, help="signals of the made-up story (at least 80)")
    parser.add_argument("--file", type=Path, help="signals to take in instead, NDJSON")
    parser.add_argument("--ports", type=Path, help="official list of harbours that the file needs, CSV")
    parser.add_argument("--share", type=float, default=0.2, help="share of the subjects that is removed, at least")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser


def _shapes(driver: neo4j.Driver) -> dict[str, dict[str, float]]:
    """Return how many subjects are like no other by their surroundings, step by step, without and with clear codes."""
    with driver.session() as session:
        ties = [tuple(row) for row in session.run(
            "MATCH (a)-[r]->(b) WHERE NOT type(r) = 'CARRIES' AND a.id IS NOT NULL"
            " RETURN a.id, type(r), coalesce(b.id, b.code)"
        )]  # fmt: skip
        kinds = {row["id"]: row["kind"] for row in session.run("MATCH (n:Subject) RETURN n.id AS id, n.kind AS kind")}
        dates = {
            row["id"]: f"{row['on']}{row['source']}"
            for row in session.run("MATCH (n:Signal) RETURN n.id AS id, n.received_on AS on, n.contributor AS source")
        }
        ports = {row["code"] for row in session.run("MATCH (n:Port) RETURN n.code AS code")}
    around: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for one, tie, other in ties:
        around[one].append((f"{tie}>", other))
        around[other].append((f"<{tie}", one))
    bare = {id_: kinds.get(id_, "") for id_ in around} | kinds
    clear = bare | dates | {code: code for code in ports}
    found = {}
    for step in range(ROUNDS + 1):
        found[f"{step} steps"] = {
            "by_shape_alone": _alone(bare, kinds),
            "with_dates_ports_and_contributors": _alone(clear, kinds),
        }
        bare, clear = _refined(bare, around), _refined(clear, around)
    return found


def _refined(colours: Mapping[str, str], around: Mapping[str, list[tuple[str, str]]]) -> dict[str, str]:
    """Return each node's colour with those of its neighbours (refinement after Weisfeiler and Leman, 1968)."""
    return {
        id_: hashlib.sha256(
            repr((colour, sorted((tie, colours.get(other, "")) for tie, other in around.get(id_, ())))).encode()
        ).hexdigest()
        for id_, colour in colours.items()
    }


def _alone(colours: Mapping[str, str], subjects: Iterable[str]) -> float:
    counted = Counter(colours[id_] for id_ in subjects)
    return round(sum(1 for number in counted.values() if number == 1) / max(1, sum(counted.values())), 3)


def _sizes(driver: neo4j.Driver) -> dict[str, dict[str, float]]:
    """Return for each sealed property how many values there are, in how many lengths, and what these tell in bits."""
    lengths: dict[str, Counter[int]] = defaultdict(Counter)
    for what, value in _sealed(driver):
        lengths[what][len(value)] += 1
    return {
        what: {
            "values": sum(counted.values()),
            "lengths": len(counted),
            "bits_told_by_the_length": round(_entropy(counted.values()), 2),
        }
        for what, counted in sorted(lengths.items())
    }


def _entropy(numbers: Iterable[int]) -> float:
    some = list(numbers)
    return sum(number / sum(some) * log2(sum(some) / number) for number in some)


def _sealed(driver: neo4j.Driver) -> Iterator[tuple[str, bytes]]:
    """Yield every sealed value with the label or type that bears it and its name; a MAC, of one length, is none."""
    for match in ("MATCH (x) WHERE NOT x:Entry AND NOT x:Port", "MATCH ()-[x]->()"):
        with driver.session() as session:
            for (one,) in session.run(f"{match} RETURN x"):  # constants only
                of = one.type if isinstance(one, neo4j.graph.Relationship) else min(one.labels)
                for name, value in one.items():
                    if isinstance(value, bytes) and name != "mac":
                        yield f"{of}.{name}", value


def _due_for(driver: neo4j.Driver, share: float) -> date:
    """Return the civil date by which that share of the subjects is due for removal."""
    with driver.session() as session:
        days = [row["on"].to_native() for row in session.run("MATCH (n:Subject) RETURN n.remove_by AS on ORDER BY on")]
    found: date = days[min(len(days) - 1, int(share * len(days)))]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A value that stood in the database or the key store: what it is of, and the forms in which files may hold it."""

    of: str
    forms: tuple[bytes, ...]


def _traces(driver: neo4j.Driver, settings: Settings) -> dict[str, list[Trace]]:
    """Return what can be looked for, by what it is: ids, sealed values, and the key store's own rows."""
    found: dict[str, list[Trace]] = defaultdict(list)
    with driver.session() as session:
        for label in ("Subject", "Signal"):
            for (id_,) in session.run(f"MATCH (n:{label}) RETURN n.id"):
                found[f"{label.lower()} id"].append(Trace(of=id_, forms=(id_.encode(), *_packed(id_))))
        for row in session.run(
            "MATCH (:Signal)-[m:MENTIONS]->(s:Subject)"
            " RETURN s.id AS of, [k IN keys(m) WHERE k <> 'mac' | m[k]] AS of_it"
        ):
            found["sealed label"] += [_blob(row["of"], one) for one in row["of_it"] if isinstance(one, bytes)]
        for row in session.run("MATCH (g:Signal) RETURN g.id AS of, [k IN keys(g) WHERE k <> 'mac' | g[k]] AS of_it"):
            found["sealed text"] += [_blob(row["of"], one) for one in row["of_it"] if isinstance(one, bytes)]
        carried = {
            row["id"]: row["of"]
            for row in session.run("MATCH (s:Subject)-[:CARRIES]->(i:Identifier) RETURN i.id AS id, min(s.id) AS of")
        }
    with closing(sqlite3.connect(f"file:{sqlite_path(settings.keys_folder)}?mode=ro", uri=True)) as store:
        for id_, wrapped in store.execute("SELECT id, wrapped FROM keys WHERE kind IN ('subject', 'signal')"):
            found["wrapped key"].append(Trace(of=id_, forms=(wrapped[-3 * PIECE :],)))
        for identifier, digest in store.execute("SELECT identifier, digest FROM tokens"):
            found["lookup token"].append(Trace(of=carried.get(identifier, ""), forms=(digest[: 2 * PIECE],)))
    return found


def _blob(of: str, value: bytes) -> Trace:
    """The nonce of a sealed value (docs/formats/sealed-value.md) is in the first block of it, and nowhere else."""
    return Trace(of=of, forms=(value[8:20],))


def _packed(id_: str) -> tuple[bytes, bytes]:
    """Return the second word of an id as Neo4j's store keeps it, and as its transaction logs do."""
    bits = sum(LETTERS[digit] << (6 * place) for place, digit in enumerate(id_))
    word = bits >> (64 - HEADER_BITS) & (1 << 64) - 1
    return word.to_bytes(PIECE, "big"), word.to_bytes(PIECE, "little")


def _of_gone(driver: neo4j.Driver, kept: Sequence[Trace]) -> list[Trace]:
    with driver.session() as session:
        alive = {id_ for (id_,) in session.run("MATCH (n) WHERE n:Subject OR n:Signal RETURN n.id")}
    return [one for one in kept if one.of and one.of not in alive]


def _removed(settings: Settings, on: date) -> None:
    """Have everybody who is due removed, as the keeper does, in two steps."""
    keeper = mint()

    def silent(_: object) -> None: ...

    def pause() -> None:
        time.sleep(0.05)

    with workplace(settings, "run") as opened:
        opened.custody.order(OFFICERS[0], on)
        carrier = opened.run(keeper, silent, pause)
        run = carrier.until_forgotten()
        if run is not None and run.state is RunState.PLANNED:
            opened.custody.approve(OFFICERS[1], run.id, run.digest)
            run = carrier.until_forgotten()
    with workplace(settings, "run") as opened:
        run = opened.run(keeper, silent, pause).finish()
    if run is None or run.state is not RunState.CERTIFIED:
        raise SystemExit(f"the run ended as {run and run.state}")


def _left(folder: Path, settings: Settings, traces: Mapping[str, Sequence[Trace]]) -> dict[str, dict[str, int]]:
    """Return of how many values at least one form lies in the files, by what they are and by kind of file."""
    forms = {form: None for some in traces.values() for one in some for form in one.forms}
    seen: dict[str, set[bytes]] = {kind: set() for kind in FILES}
    for kind, path in _files(folder / GRAPH, settings.keys_folder):
        seen[kind] |= _found(path.read_bytes(), list(forms))
    return {
        what: {kind: sum(1 for one in some if not seen[kind].isdisjoint(one.forms)) for kind in FILES}
        for what, some in traces.items()
    }


def _files(graph: Path, keys: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(graph.rglob("*")):
        if (path.is_file() and "databases" in path.parts) or ("transactions" in path.parts and path.is_file()):
            kind = "transactions" if "transactions" in path.parts else "index" if "index" in path.parts else "store"
            yield kind, path
    yield from (("keys", path) for path in sorted(sqlite_path(keys).parent.iterdir()) if path.is_file())


def _found(content: bytes, forms: Sequence[bytes]) -> set[bytes]:
    """Return which forms (of eight bytes at least) occur: their first eight bytes decide where to compare."""
    by_head: dict[int, list[bytes]] = defaultdict(list)
    for form in forms:
        by_head[int.from_bytes(form[:PIECE], "little")].append(form)
    heads = np.array(sorted(by_head), dtype="<u8")
    seen: set[bytes] = set()
    for offset in range(min(PIECE, max(0, len(content) - PIECE + 1))):
        words = np.frombuffer(content, "<u8", (len(content) - offset) // PIECE, offset)
        near = np.minimum(np.searchsorted(heads, words), len(heads) - 1)
        for at in np.flatnonzero(heads[near] == words):
            place = offset + PIECE * int(at)
            seen |= {form for form in by_head[int(words[at])] if content.startswith(form, place)}
    return seen


def _told(
    before: Mapping[str, Mapping[str, int]],
    traces: Mapping[str, Sequence[Trace]],
    after: Mapping[str, Mapping[str, int]],
    gone: Mapping[str, Sequence[Trace]],
) -> dict[str, dict[str, Any]]:
    """Return by value and kind of file the share found before (of all, the control) and after (of the removed)."""
    found: dict[str, dict[str, Any]] = {}
    for what, some in traces.items():
        for kind, words in FILES.items():
            share = round(before[what][kind] / max(1, len(some)), 3)
            if before[what][kind] or after[what][kind]:
                found[f"{what} in the {words}"] = {
                    "of_all_before": share,
                    "removed": len(gone[what]),
                    "of_removed_after": round(after[what][kind] / max(1, len(gone[what])), 3),
                }
    return found


if __name__ == "__main__":
    main()

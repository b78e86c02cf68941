"""Durable reads: how many audited reads a second many clients get, their entries in shared transactions or one each.

The peer does what is usual: every read writes its entry in a transaction of its own. Same server, same reads, same run.
`entries` is the audit's part alone: entries made durable, without the reads.
"""

import argparse
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import neo4j

from bench.ground import Ground, ground
from bench.report import milliseconds, told
from graph.connection import Graph
from graph.trail import disclose, write_entries
from register.audit import Act, Entry
from vault.strands import Strand, TrailKey

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
Read = Callable[[Graph], None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="python -m bench audit", description=__doc__)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each of the rounds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    with ground() as place, TemporaryDirectory(prefix="theme-register-bench-") as keys:
        found = _rounds(place, Path(keys), chosen.clients, chosen.seconds, chosen.rounds)
    sizes = {"clients": chosen.clients, "seconds": chosen.seconds, "rounds": chosen.rounds}
    told("audit", sizes, found, as_json=chosen.json)


def _rounds(place: Ground, keys: Path, clients: int, seconds: float, rounds: int) -> dict[str, Any]:
    kinds: dict[str, tuple[Read, int]] = {
        "entries_shared": (_entry_shared, clients),
        "entries_one_each": (_entry_each, clients),
        "reads_shared": (_shared, clients),
        "reads_one_each": (_one_each, clients),
        "one_client": (_shared, 1),
        "one_client_each": (_one_each, 1),
    }
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in kinds}
    with Strand(keys, TrailKey.create(keys)) as strand, Graph(place.endpoint, strand=strand) as graph:
        graph.write(lambda tx: tx.run("CREATE CONSTRAINT e IF NOT EXISTS FOR (n:Entry) REQUIRE (n.at, n.id) IS UNIQUE"))
        for index in ("waits", "index", "stamp"):
            graph.write(lambda tx, index=index: tx.run(f"CREATE INDEX IF NOT EXISTS FOR (n:Entry) ON (n.{index})"))
        graph.write(lambda tx: tx.run("UNWIND range(1, 1000) AS n CREATE (:Thing {n: n})").consume())
        for read, number in kinds.values():
            _run(place, graph, read, number, 2.0)  # the server's compiler has seen them
        for _ in range(rounds):
            for name, (read, number) in kinds.items():
                measured[name].append(_run(place, graph, read, number, seconds if number > 1 else seconds / 3))
    rate = {name: median(one["reads_per_second"] for one in each) for name, each in measured.items()}
    table = {
        name: sorted(each, key=lambda one: one["reads_per_second"])[len(each) // 2] for name, each in measured.items()
    }
    return {
        "ratio": round(rate["entries_shared"] / rate["entries_one_each"], 2),
        "ratio_of_whole_reads": round(rate["reads_shared"] / rate["reads_one_each"], 2),
        "ratio_of_one_client": round(rate["one_client"] / rate["one_client_each"], 2),
        "durable reads": table,
    }


def _entry() -> Entry:
    return Entry(at=NOW, actor="a-1", role="analyst", act=Act.SUBJECT_OPEN, purpose="bribery", case="C-1", count=1)


def _look(tx: neo4j.ManagedTransaction) -> int:
    return int(tx.run("MATCH (t:Thing {n: 7}) RETURN count(t) AS found").single(strict=True)["found"])


def _shared(graph: Graph) -> None:
    disclose(graph, lambda tx: (_look(tx), _entry()))


def _entry_shared(graph: Graph) -> None:
    graph.grouped(write_entries).submit(_entry())


def _entry_each(graph: Graph) -> None:
    graph.write(lambda tx: write_entries(tx, [_entry()]))


def _one_each(graph: Graph) -> None:
    def work(tx: neo4j.ManagedTransaction) -> None:
        _look(tx)
        write_entries(tx, [_entry()])

    graph.write(work)


def _run(place: Ground, graph: Graph, read: Read, clients: int, seconds: float) -> dict[str, Any]:
    """Let so many clients read for so long; processor time is that of this process and of the server, a read."""
    took: list[list[float]] = [[] for _ in range(clients)]
    end = time.perf_counter() + seconds

    def client(mine: list[float]) -> None:
        while (began := time.perf_counter()) < end:
            read(graph)
            mine.append(time.perf_counter() - began)

    threads = [threading.Thread(target=client, args=(mine,)) for mine in took]
    before = time.process_time(), place.server_seconds()
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lasted = time.perf_counter() - began
    every = [one for mine in took for one in mine]
    return {
        "reads_per_second": round(len(every) / lasted, 1),
        **milliseconds(every),
        "client_ms": round(1000 * (time.process_time() - before[0]) / len(every), 3),
        "server_ms": round(1000 * (place.server_seconds() - before[1]) / len(every), 3),
    }


if __name__ == "__main__":
    main()

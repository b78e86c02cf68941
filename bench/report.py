"""What a bench says: one line of JSON for programs, or tables for people; both name machine, versions and sizes."""

import json
import os
import platform
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from graph.embedded.jars import read_lock

Row = tuple[object, ...]

_WIDTH: Final = 180


def machine() -> dict[str, Any]:
    """Return what was measured on: processor, memory in GiB, system, versions, and the load of the last minute."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "neo4j": read_lock().version,
        "driver": version("neo4j"),
        "theme-register": version("theme-register"),
        "load_1_min": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text("utf-8").splitlines() if cpuinfo.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def told(bench: str, sizes: Mapping[str, Any], measured: Mapping[str, Any], *, as_json: bool) -> None:
    """Say what `bench` measured: a line of JSON, or tables. A nested mapping becomes a table of its own."""
    on = machine()
    if as_json:
        emit({"bench": bench, "machine": on, "sizes": dict(sizes), **measured})
        return
    table(f"{bench}: machine and sizes", ("what", "value"), [*on.items(), *sizes.items()])
    plain = {name: value for name, value in measured.items() if not isinstance(value, Mapping)}
    if plain:
        table(bench, ("what", "measured"), plain.items())
    for name, value in measured.items():
        if isinstance(value, Mapping):
            heads = ("what", *next(iter(value.values())))
            table(f"{bench}: {name}", heads, [(key, *row.values()) for key, row in value.items()])


def emit(value: object) -> None:
    """Write one line of JSON to standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def table(title: str, heads: Sequence[str], rows: Iterable[Row]) -> None:
    """Print a table to standard output."""
    shown = Table(title=title, title_justify="left")
    for place, head in enumerate(heads):
        shown.add_column(head.replace("_", " "), justify="right" if place else "left", no_wrap=not place)
    for row in rows:
        shown.add_row(*(str(one).replace("_", " ") if place == 0 else _text(one) for place, one in enumerate(row)))
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(shown)


def _text(value: object) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int | float) else str(value)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that `percent` in a hundred do not exceed (of a single one, that one)."""
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    """Return p50 and p95 of durations in seconds, in milliseconds."""
    return {f"p{percent}_ms": round(1000 * percentile(seconds, percent), 2) for percent in (50, 95)}

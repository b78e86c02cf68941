"""Runs all benches, or those named: `python -m bench [NAME…] [options]`."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from bench import (
    audit,
    faults,
    growth,
    hub,
    intake,
    keys,
    log,
    mutations,
    name_search,
    network,
    removal,
    residue,
    seals,
    single,
)

BENCHES: Final[Mapping[str, Callable[[Sequence[str]], None]]] = {
    "intake": intake.main,
    "single": single.main,
    "network": network.main,
    "removal": removal.main,
    "hub": hub.main,
    "growth": growth.main,
    "audit": audit.main,
    "log": log.main,
    "mutations": mutations.main,
    "seals": seals.main,
    "residue": residue.main,
    "keys": keys.main,
    "name_search": name_search.main,
    "faults": faults.main,
}
PAIRS: Final = Path(__file__).parents[2] / "shared" / "data" / "name-pairs"
"""Where labelled pairs of names are looked for: beside the project."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benches that `arguments` name (none: all). Options are for a single one; `--json` is for all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"of {', '.join(BENCHES)}; none: all of them")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each bench")
    chosen, options = parser.parse_known_args(arguments)
    if unknown := set(chosen.name) - set(BENCHES):
        parser.error(f"no such bench: {', '.join(sorted(unknown))}")
    if options and len(chosen.name) != 1:
        parser.error(f"options are for a single bench: {' '.join(options)}")
    for name in chosen.name or BENCHES:
        given = [*options, *(["--json"] if chosen.json else [])]
        if name == "name_search" and "--pairs" not in given:
            given += ["--pairs", *map(str, sorted(PAIRS.glob("*.csv")))]
        BENCHES[name](given)


if __name__ == "__main__":
    main()

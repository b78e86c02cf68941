"""Draws the pictures of the README from a real walk through the demonstration: `python -m docs.pictures`.

Run by hand when what the demonstration prints has changed; long tables are cut, nothing else is touched up.
"""

import os
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from api.demo.walk import Walk
from api.settings import environment

DOCS: Final = Path(__file__).resolve().parent
TODAY: Final = date(2026, 11, 24)
WIDTH: Final = 118
KEPT: Final = {
    "An analyst looks": 12,
    "The link network": 22,
    "How does": 8,
    "What will be due": 24,
    "The run for": 14,
    "The certificate is checked": 17,
    "The same with one bit": 9,
}
"""Steps that are shown, by the beginning of their titles, and how many lines of each."""


def main() -> None:
    """Walk, and write demo.svg and network.svg beside this file."""
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor")
        walk = Walk(Path(folder) / "register", TODAY, environment(), console)
        walk.check()
        lines = console.export_text(styles=True).replace(f"{folder}/", "").splitlines()
        (DOCS / "network.svg").write_text((walk.folder / "network.svg").read_text("utf-8"), "utf-8")
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        shown = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor")
        for line in _cut(lines):
            shown.print(Text.from_ansi(line), soft_wrap=False, overflow="crop", no_wrap=True)
        (DOCS / "demo.svg").write_text(shown.export_svg(title="make demo"), "utf-8")
    sys.stdout.write("docs/demo.svg and docs/network.svg written\n")


def _cut(lines: list[str]) -> list[str]:
    cut: list[str] = []
    left = 0
    for line in lines:
        plain = Text.from_ansi(line).plain
        if plain.rstrip().endswith("─") and not plain.startswith(("─", "└")):
            left = next((count for title, count in KEPT.items() if plain.startswith(title)), 0)
        if left:
            left -= 1
            cut.append(line if left else "…")
    return cut


if __name__ == "__main__":
    main()

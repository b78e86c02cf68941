"""Harbours: the table of UN/LOCODE reference data, its look-up and search.

The shipped table and the official list are described in docs/ports.md; how their files are read, in
register/unlocode.py.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from register.errors import Fault, Invalid
from register.unlocode import CODE, Harbour, read, read_official, read_own, write

__all__ = ["CODE", "SHIPPED", "Harbour", "Harbours", "read_official", "read_own", "write"]

SHIPPED: Final = Path(__file__).parent / "data" / "ports.csv"

# Letters that decomposition leaves as they are, although people type them without the stroke.
_PLAIN: Final = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "\N{LATIN SMALL LETTER DOTLESS I}": "i"}
    | {"æ": "ae", "œ": "oe", "þ": "th"}
)


class Harbours:
    """An immutable table of harbours, ordered by code."""

    __slots__ = ("_by_code", "_folded")

    def __init__(self, harbours: Iterable[Harbour]) -> None:
        by_code = {harbour.code: harbour for harbour in sorted(harbours, key=lambda harbour: harbour.code)}
        self._by_code: Mapping[str, Harbour] = MappingProxyType(by_code)
        self._folded = tuple((_fold(harbour.name), harbour) for harbour in by_code.values())

    @classmethod
    def load(cls, *files: Path) -> "Harbours":
        """Return the shipped table with `files` laid over it, in their order.

        A file in this project's own form replaces what was known of a code. An official list adds codes, replaces
        names and fills in positions that were not known; it moves none, because it gives whole minutes and some of
        its positions are wrong by degrees.

        Raises:
            Invalid: at least one file cannot be used; the faults of all files, each at `/FILE/LINE/COLUMN`.
        """
        known: dict[str, Harbour] = {}
        faults: list[Fault] = []
        for file in (SHIPPED, *files):
            try:
                official, harbours = read(file)
            except Invalid as invalid:
                faults.extend(invalid.faults)
                continue
            known.update((harbour.code, _settled(known.get(harbour.code), harbour, official)) for harbour in harbours)
        if faults:
            raise Invalid(faults, "ports.invalid")
        return cls(known.values())

    def get(self, code: str) -> Harbour | None:
        """Return the harbour with exactly this UN/LOCODE (no blank, upper case), or None."""
        return self._by_code.get(code)

    def resolves(self, code: str) -> bool:
        """Say whether the table knows this UN/LOCODE."""
        return code in self._by_code

    def search(self, text: str, limit: int = 20) -> tuple[Harbour, ...]:
        """Return at most `limit` harbours whose code begins with `text` or whose name contains it, best first.

        Case, accents and punctuation do not matter. Best is that very code, then that very name, a name that begins
        with the text as whole words, a name that begins with it, a code that does, a name with a word that does, any
        other; then the shorter name, then the code.
        """
        wanted = _fold(text)
        if not wanted or limit < 1:
            return ()
        code = wanted.replace(" ", "").upper()
        hits = [
            (rank, len(name), harbour.code)
            for name, harbour in self._folded
            if (rank := _rank(name, harbour.code, wanted, code)) is not None
        ]
        return tuple(self._by_code[hit[2]] for hit in sorted(hits)[:limit])

    def __iter__(self) -> Iterator[Harbour]:
        return iter(self._by_code.values())

    def __len__(self) -> int:
        return len(self._by_code)


def _settled(earlier: Harbour | None, later: Harbour, official: bool) -> Harbour:
    """Return what is known of a harbour after a later file named it."""
    if official and earlier and earlier.latitude is not None:
        return replace(later, latitude=earlier.latitude, longitude=earlier.longitude)
    return later


def _fold(text: str) -> str:
    """Return `text` without case, accents and punctuation, its words separated by single blanks."""
    bare = unicodedata.normalize("NFKD", text.casefold()).casefold().translate(_PLAIN)
    return " ".join("".join(c if c.isalnum() else " " for c in bare if not unicodedata.combining(c)).split())


def _rank(name: str, code: str, wanted: str, wanted_code: str) -> int | None:
    """Return how well a harbour fits, 0 best, or None."""
    fits = (
        code == wanted_code,
        name == wanted,
        f"{name} ".startswith(f"{wanted} "),
        name.startswith(wanted),
        code.startswith(wanted_code),
        f" {wanted}" in name,
        wanted in name,
    )
    return fits.index(True) if any(fits) else None

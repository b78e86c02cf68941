"""The harbours that a register knows."""

from pathlib import Path
from typing import Final

from register.ports import SHIPPED, Harbours

HARBOURS: Final = "harbours.csv"


def harbours_of(home: Path) -> Harbours:
    """Return the harbours of the shipped table and, where one was loaded, of the register's official list."""
    loaded = home / HARBOURS
    return Harbours.load(SHIPPED, loaded) if loaded.exists() else Harbours.load(SHIPPED)

"""The vectors of this room."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent.parent / "vectors" / "matching"


def vectors(file: str, key: str) -> list[dict[str, Any]]:
    """Read one list of vectors."""
    found: list[dict[str, Any]] = json.loads((_FOLDER / file).read_text(encoding="utf-8"))[key]
    assert found
    return found

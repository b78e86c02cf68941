"""Single bytes changed at random, the same in every run, in all that a stranger is given; counts what is not found."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidence.result import Status
from evidence.survey import verify_log
from evidence.verify import verify_certificate
from tests.evidence.builders import VERIFIER, Issued, issue

PARTS: Final = ("envelope", "proof", "checkpoint", "tiles", "entries", "bodies")
"""The first two are checked by `verify certificate`, the others by `verify log`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How many changes were made to a part, and where one was not found: file and position."""

    changes: int
    missed: tuple[tuple[str, int], ...]


def made(folder: Path) -> Issued:
    """A certificate in a log two tiles wide: there are full and partial tiles on two levels, and bodies of months."""
    found = issue(folder, before=255, after=45)
    (found.folder / "checkpoint").write_bytes(found.checkpoint)
    return found


def changes(content: bytes, number: int, seed: str) -> Iterator[tuple[int, bytes]]:
    """`number` copies of `content`, each with one byte, chosen at random, replaced by another."""
    choose = random.Random(seed)  # noqa: S311 - the same changes in every run
    for _ in range(number):
        position = choose.randrange(len(content))
        other = (content[position] + choose.randrange(1, 256)) % 256
        yield position, content[:position] + bytes([other]) + content[position + 1 :]


def attempt(issued: Issued, part: str, number: int) -> Found:
    """Make about `number` changes to a part (at least one a file), each alone, and look whether it is found."""
    trust = issued.trust()
    if part in ("envelope", "proof"):
        whole = getattr(issued, part)

        def good(content: bytes) -> bool:
            evidence = issued.evidence(**{part: content})
            return verify_certificate(evidence, trust, VERIFIER).status is not Status.INVALID

        assert good(whole)
        missed = [(part, at) for at, content in changes(whole, number, part) if good(content)]
        return Found(changes=number, missed=tuple(missed))
    return _in_files(issued, part, number, lambda: verify_log(issued.folder, trust, VERIFIER).status)


def _in_files(issued: Issued, part: str, number: int, status: Callable[[], Status]) -> Found:
    paths = _files(issued.folder, part)
    sizes = [path.stat().st_size for path in paths]
    count, missed = 0, []
    for path, size in zip(paths, sizes, strict=True):
        whole, name = path.read_bytes(), path.relative_to(issued.folder).as_posix()
        share = max(1, round(number * size / sum(sizes)))
        for position, content in changes(whole, share, name):
            path.write_bytes(content)
            if status() is not Status.INVALID:
                missed.append((name, position))
        path.write_bytes(whole)
        assert status() is Status.NOT_WITNESSED
        count += share
    return Found(changes=count, missed=tuple(missed))


def _files(folder: Path, part: str) -> list[Path]:
    if part == "checkpoint":
        return [folder / "checkpoint"]
    below = {"tiles": "tile", "entries": "tile/entries", "bodies": "bodies"}[part]
    found = [path for path in (folder / below).rglob("*") if path.is_file()]
    return sorted(path for path in found if part != "tiles" or "entries" not in path.parts)

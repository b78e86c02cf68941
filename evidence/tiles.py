"""Merkle tree and entries as files, in the layout of C2SP tlog-tiles.

`tile/<L>/<N>` holds 256 hashes, `tile/entries/<N>` 256 entries; while not full they are under `<N>.p/<W>`. Partial
files of earlier sizes stay until the full one is there, as published checkpoints may need them.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from evidence.merkle import HASH_SIZE, leaf_hash, root_of
from register.errors import Tampered

WIDTH: Final = 256
ENTRIES: Final = "entries"
_HEIGHT: Final = 8
_STEP: Final = 2 + HASH_SIZE
_PARTIAL: Final = re.compile(r"tile/(entries|[0-9]+)/((?:x[0-9]{3}/)*[0-9]{3})\.p/([1-9][0-9]{0,2})")

Label: TypeAlias = int | str
"""A tile's level, or `ENTRIES`."""


def tile_path(label: Label, index: int, width: int = WIDTH) -> str:
    """Return the path of a tile below the log's folder: `tile/0/x001/x234/067`, `tile/entries/000.p/17`."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    return f"tile/{label}/" + "/".join(groups) + ("" if width == WIDTH else f".p/{width}")


def parse_partial(path: str) -> tuple[Label, int, int] | None:
    """Return label, index and width of the partial tile at a path below the log's folder; None: it is none."""
    match = _PARTIAL.fullmatch(path)
    if match is None:
        return None
    label: Label = ENTRIES if match[1] == ENTRIES else int(match[1])
    return label, int(match[2].replace("/", "").replace("x", "")), int(match[3])


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """Return an entry bundle: each entry after its length as a big-endian uint16 (tlog-tiles, "Log entries")."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_entries(bundle: bytes) -> tuple[bytes, ...]:
    """Return the entries of a bundle of this log, each 32 bytes long.

    Raises:
        Tampered: it holds anything else.
    """
    entries = tuple(bundle[start + 2 : start + _STEP] for start in range(0, len(bundle), _STEP))
    if len(bundle) % _STEP or encode_entries(entries) != bundle:
        raise Tampered("log.tile", "an entry bundle is not made of 32-byte entries")
    return entries


_LENGTH: Final = HASH_SIZE.to_bytes(2, "big")


def leaves_of(bundle: bytes) -> list[bytes]:
    """Return the leaf hashes of the entries of a bundle.

    Raises:
        Tampered: it holds anything but 32-byte entries.
    """
    count = len(bundle) // _STEP
    if len(bundle) % _STEP or any(bundle[place::_STEP] != _LENGTH[place : place + 1] * count for place in (0, 1)):
        raise Tampered("log.tile", "an entry bundle is not made of 32-byte entries")
    sha256 = hashlib.sha256
    return [sha256(b"\0" + bundle[start : start + HASH_SIZE]).digest() for start in range(2, len(bundle), _STEP)]


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a power of two of hashes; faster than `root_of`."""
    sha256 = hashlib.sha256
    while len(hashes) > 1:
        hashes = [sha256(b"\1" + hashes[i] + hashes[i + 1]).digest() for i in range(0, len(hashes), 2)]
    return hashes[0]


def _hashes(tile: bytes) -> list[bytes]:
    return [tile[start : start + HASH_SIZE] for start in range(0, len(tile), HASH_SIZE)]


class TileReader:
    """Reads tiles of the tree of `size` entries, each once."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._size = size
        self._tiles: dict[tuple[Label, int], bytes] = {}

    def tile(self, label: Label, index: int) -> bytes:
        """Return the content of a tile at this size; from the full tile where that exists already.

        Raises:
            Tampered: there is none, or it does not have the length of its width; the message names it.
        """
        if (label, index) not in self._tiles:
            self._tiles[label, index] = self.read(label, index)
        return self._tiles[label, index]

    def width(self, label: Label, index: int) -> int:
        """Return how many hashes or entries a tile has at this size; 0 or less: there is no such tile."""
        return min(WIDTH, (self._size >> _HEIGHT * (label if isinstance(label, int) else 0)) - index * WIDTH)

    def read(self, label: Label, index: int) -> bytes:
        """Return what `tile` returns, from the disk and without keeping it.

        Raises:
            Tampered: there is none, or it does not have the length of its width; the message names it.
        """
        step = HASH_SIZE if isinstance(label, int) else _STEP
        width = self.width(label, index)
        path = tile_path(label, index, width)
        for candidate, expected in ((path, width), (tile_path(label, index), WIDTH)):
            with suppress(FileNotFoundError, NotADirectoryError):
                content = (self._folder / candidate).read_bytes()
                if len(content) != expected * step:
                    raise Tampered("log.tile", f"{candidate} does not have the length of its width")
                return content[: width * step]
        raise Tampered("log.tile", f"{path} is missing")

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a perfect subtree (`merkle.NodeSource`)."""
        label, height = divmod(level, _HEIGHT)
        tile, start = divmod(index << height, WIDTH)
        return root_of(_hashes(self.tile(label, tile))[start : start + (1 << height)])

    def entry(self, index: int) -> bytes:
        """Return the 32 bytes of one entry."""
        start = index % WIDTH * _STEP
        return decode_entries(self.tile(ENTRIES, index // WIDTH)[start : start + _STEP])[0]

    def entries(self) -> Iterator[bytes]:
        """Yield all entries, bundle by bundle, keeping none."""
        for index in range((self._size + WIDTH - 1) // WIDTH):
            yield from decode_entries(self.read(ENTRIES, index))

    def grown(self, entries: Sequence[bytes]) -> tuple[list[tuple[str, bytes]], list[str]]:
        """Return the files that appending `entries` makes (path, content), and the paths of tiles that become full."""
        index, width = divmod(self._size, WIDTH)
        before = decode_entries(self.tile(ENTRIES, index)) if width else ()
        bundles = _grouped([*before, *entries])
        files = [(tile_path(ENTRIES, i, len(group)), encode_entries(group)) for i, group in enumerate(bundles, index)]
        full = [tile_path(ENTRIES, i) for i, group in enumerate(bundles, index) if len(group) == WIDTH]
        hashes, level = [leaf_hash(entry) for entry in entries], 0
        while hashes:
            index, width = divmod(self._size >> _HEIGHT * level, WIDTH)
            groups = _grouped([*(_hashes(self.tile(level, index)) if width else ()), *hashes])
            files += [(tile_path(level, i, len(group)), b"".join(group)) for i, group in enumerate(groups, index)]
            full += [tile_path(level, i) for i, group in enumerate(groups, index) if len(group) == WIDTH]
            hashes = [root_of(group) for group in groups if len(group) == WIDTH]
            level += 1
        return files, full


def _grouped(items: list[bytes]) -> list[list[bytes]]:
    return [items[start : start + WIDTH] for start in range(0, len(items), WIDTH)]


def check_tiles(folder: Path, size: int) -> bytes:
    """Recompute the tree of `size` entries from its entry bundles, compare every tile, and return the root.

    Needs the published files only, so that a stranger's copy can be checked.

    Raises:
        Tampered: a tile or bundle is missing, or differs from what the entries give; the message names it.
    """
    reader = TileReader(folder, size)
    hashes = [leaf_hash(entry) for entry in reader.entries()]
    root, level = root_of(hashes), 0
    while hashes:
        groups = _grouped(hashes)
        for index, group in enumerate(groups):
            if reader.tile(level, index) != b"".join(group):
                raise Tampered("log.tile", f"{tile_path(level, index, len(group))} is not what the entries give")
        hashes = [root_of(group) for group in groups if len(group) == WIDTH]
        level += 1
    return root

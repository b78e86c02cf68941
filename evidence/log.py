"""The transparency log: tiles, the bodies of its entries beside them, and an index.

    tile/…                    see evidence.tiles; an entry is the 32-byte SHA-256(salt | body)
    bodies/<term>/<YYYY-MM>   see evidence.shelves; deleted by month once their term is over
    index.sqlite              which entry id has which index, where its body lies; the committed size and root

Appending writes bodies and tiles first, durably; the one transaction of the index that follows is the commit. What a
killed process leaves beyond the committed size is written over by the next append.
"""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

from evidence.durable import overwrite_tail, sync_folders, write_durably
from evidence.index import connect, own
from evidence.merkle import consistency_proof, inclusion_proof, leaf_hash, tree_root
from evidence.shelves import BODIES, GONE, LogEntry, encode_gone, encode_line, parse_gone, parse_line, shelves
from evidence.tiles import TileReader, check_tiles, parse_partial
from register.errors import Invalid, NotFound, Tampered, Unavailable


class Log:
    """An append-only log in a folder. One process writes, from one thread; others may read beside it.

    Made by `Log.open`. All reads are at the committed size.
    """

    def __init__(self, folder: Path, index: sqlite3.Connection) -> None:
        self._folder = folder
        self._index = index
        self._broken = False
        self._held = ExitStack()

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> "Log":
        """Open the log in `folder`, making it when there is none, and check that its right edge is what was committed.

        Raises:
            Unavailable: another process writes this log (`log.in-use`), there is none to read (`log.absent`), or its
                index cannot be reached now (`log.index-busy`).
            Tampered: `log.index-missing` (tiles without an index), `log.index`, `log.tile`, `log.root` or `log.bodies`;
                the message names the file. Nothing is mended: restore the folder from its replica.
        """
        path = folder / "index.sqlite"
        with ExitStack() as held:
            if not read_only:
                folder.mkdir(parents=True, exist_ok=True)
                own(folder, held)
            if not path.exists():
                if (folder / "tile").exists():
                    raise Tampered("log.index-missing", "there are tiles but no index.sqlite")
                if read_only:
                    raise Unavailable("log.absent", "there is no log yet")
            try:
                log = cls(folder, held.enter_context(closing(connect(path, read_only=read_only))))
                log._check_edge()
                if not read_only:
                    log._storing(log._cut_tails)
            except sqlite3.OperationalError as error:
                raise Unavailable("log.index-busy", f"index.sqlite: {error.sqlite_errorname}") from None
            except sqlite3.DatabaseError as error:
                raise Tampered("log.index", f"index.sqlite: {error.sqlite_errorname}") from None
            log._held = held.pop_all()
            return log

    def close(self) -> None:
        """Give the log up; another process may write it then."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def head(self) -> tuple[int, bytes]:
        """Return the committed size and root; they belong together even while another process appends."""
        row = self._index.execute("SELECT size, root FROM head").fetchone()
        if row is None:
            raise Tampered("log.index", "index.sqlite has no head")
        return row[0], row[1]

    @property
    def size(self) -> int:
        """The committed number of entries."""
        return self.head()[0]

    @property
    def root(self) -> bytes:
        """The root of all committed entries."""
        return self.head()[1]

    def root_at(self, size: int) -> bytes:
        """Return the root of the first `size` entries.

        Raises:
            NotFound: the log is smaller.
        """
        return tree_root(size, self._reader(size).node)

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the inclusion proof of entry `index` in the tree of `size` entries.

        Raises:
            NotFound: there is no such entry, or the log is smaller.
        """
        if not 0 <= index < size:
            raise NotFound("log.no-such-entry", "that tree has no such entry")
        return inclusion_proof(index, size, self._reader(size).node)

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Return the proof that the tree of `new` entries begins with that of `old` (at least 1).

        Raises:
            NotFound: the log is smaller than `new`, or `old` is 0 or more than `new`.
        """
        if not 0 < old <= new:
            raise NotFound("log.no-such-tree", "no consistency proof goes from there")
        return consistency_proof(old, new, self._reader(new).node)

    def leaf(self, index: int) -> bytes:
        """Return the 32 bytes of entry `index`.

        Raises:
            NotFound: there is no such entry.
        """
        if index < 0:
            raise NotFound("log.no-such-entry", "entries are numbered from 0")
        return self._reader(index + 1).entry(index)

    def find(self, entry_id: str) -> int | None:
        """Return the index of the entry with this id, or None when it is not in the log."""
        row = self._index.execute("SELECT position FROM entry WHERE id = ?", (entry_id,)).fetchone()
        return None if row is None else int(row[0])

    def body(self, index: int) -> tuple[bytes, bytes] | None:
        """Return salt and body of entry `index`, or None when its month has been deleted after its term.

        Raises:
            NotFound: there is no such entry.
            Tampered: what lies there is not what was logged.
        """
        leaf = self.leaf(index)
        shelf, start = self._index.execute("SELECT shelf, start FROM entry WHERE position = ?", (index,)).fetchone()
        try:
            with open(self._folder / BODIES / shelf, "rb") as file:
                file.seek(start)
                return _body(file.readline(), shelf, index, leaf)
        except FileNotFoundError:
            if index in self._gone(shelf):
                return None
            raise _missing(shelf) from None

    def append(self, entries: Sequence[LogEntry]) -> tuple[int, ...]:
        """Append the entries whose ids are not in the log yet; return the index of each, in the order handed in.

        Nothing counts as appended before this returns; after that it survives a power cut.

        Raises:
            Invalid: an entry is malformed; nothing was appended.
            Tampered: an id came with other content than is logged under it (`log.other-content`); nothing was appended.
            Unavailable: the disk failed. This object takes no more entries: end the process and open the log anew.
        """
        if self._broken:
            raise Unavailable("log.broken", "an earlier write failed; the log has to be opened anew")
        size = self.size
        places: dict[str, int] = {}
        fresh: dict[str, tuple[LogEntry, bytes, str]] = {}
        for entry in entries:
            leaf, shelf = entry.leaf(), entry.shelf()
            known = places.get(entry.id, self.find(entry.id))
            if known is None:
                known = size + len(fresh)
                fresh[entry.id] = (entry, leaf, shelf)
            elif leaf != (fresh[entry.id][1] if entry.id in fresh else self.leaf(known)):
                raise Tampered("log.other-content", f"the id logged at {known} came again with other content")
            places[entry.id] = known
        if fresh:
            try:
                self._commit(size, tuple(fresh.values()))
            except (OSError, sqlite3.Error) as error:
                self._broken = True
                raise Unavailable("log.storage", f"the log could not be written ({type(error).__name__})") from error
        return tuple(places[entry.id] for entry in entries)

    def _commit(self, size: int, fresh: Sequence[tuple[LogEntry, bytes, str]]) -> None:
        starts, lengths = self._write_bodies(size, fresh)
        committed = TileReader(self._folder, size)
        files, full = committed.grown([leaf for _, leaf, _ in fresh])
        self._clear(committed, [path for path, _ in files])
        write_durably(self._folder, files)
        grown = size + len(fresh)
        root = tree_root(grown, TileReader(self._folder, grown).node)
        rows = [(entry.id, size + i, shelf, starts[i]) for i, (entry, _, shelf) in enumerate(fresh)]
        with self._index:
            self._index.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", rows)
            self._index.executemany("INSERT OR REPLACE INTO shelf VALUES (?, ?)", lengths.items())
            self._index.execute("UPDATE head SET size = ?, root = ?", (grown, root))
        for path in full:
            shutil.rmtree(self._folder / f"{path}.p", ignore_errors=True)
        for path, _ in files:
            # A full tile beside a partial one that counts was left by a writer that was killed before its commit.
            whole, partial, _ = path.partition(".p/")
            if partial:
                (self._folder / whole).unlink(missing_ok=True)

    def _clear(self, committed: TileReader, paths: Sequence[str]) -> None:
        """Take away partial tiles that a writer killed before its commit left beside those to be written.

        They count in no published tree, and what is logged now may be other than what was to be logged then.
        """
        for beside in {path.rpartition("/")[0] for path in paths if ".p/" in path}:
            for left in (self._folder / beside).glob("[0-9]*"):
                partial = parse_partial(f"{beside}/{left.name}")
                if partial and partial[2] > committed.width(*partial[:2]):
                    left.unlink()

    def _write_bodies(
        self, size: int, fresh: Sequence[tuple[LogEntry, bytes, str]]
    ) -> tuple[list[int], dict[str, int]]:
        """Write the bodies; return where each starts, and the new length of each file."""
        lengths = dict(self._index.execute("SELECT name, length FROM shelf"))
        tails: dict[str, list[bytes]] = {}
        starts = []
        for position, (entry, _, shelf) in enumerate(fresh, size):
            line = encode_line(position, entry.salt, entry.body)
            starts.append(lengths.setdefault(shelf, 0))
            lengths[shelf] += len(line)
            tails.setdefault(shelf, []).append(line)
        for shelf, lines in tails.items():
            tail = b"".join(lines)
            overwrite_tail(self._folder, f"{BODIES}/{shelf}", lengths[shelf] - len(tail), tail)
        return starts, lengths

    def _reader(self, size: int) -> TileReader:
        committed = self.size
        if not 0 <= size <= committed:
            raise NotFound("log.no-such-tree", "the log does not have that size")
        return TileReader(self._folder, committed)

    def _check_edge(self) -> None:
        size, root = self.head()
        reader = TileReader(self._folder, size)
        if tree_root(size, reader.node) != root:
            raise Tampered("log.root", "the tiles do not give the committed root")
        if size and leaf_hash(reader.entry(size - 1)) != reader.node(0, size - 1):
            raise Tampered("log.tile", "the last entry does not belong to the last tile")
        for shelf, length in self._index.execute("SELECT name, length FROM shelf"):
            try:
                if (self._folder / BODIES / shelf).stat().st_size < length:
                    raise Tampered("log.bodies", f"bodies/{shelf} is shorter than what was committed")
            except FileNotFoundError:
                self._gone(shelf)

    def check(self) -> bytes:
        """Recompute everything from the entries up: every bundle, tile, body and index row; return the root.

        Raises:
            Tampered: something differs; the message names the file.
        """
        size, root = self.head()
        if check_tiles(self._folder, size) != root:
            raise Tampered("log.root", "the entries do not give the committed root")
        listed = self._index.execute("SELECT count(*), coalesce(max(position) + 1, 0) FROM entry").fetchone()
        if listed != (size, size):
            raise Tampered("log.index", "index.sqlite does not list every entry once")
        reader = TileReader(self._folder, size)
        for shelf, length in self._index.execute("SELECT name, length FROM shelf").fetchall():
            try:
                self._check_shelf(shelf, length, reader)
            except FileNotFoundError:
                self._check_gone(shelf)
        return root

    def _check_shelf(self, shelf: str, length: int, reader: TileReader) -> None:
        rows = self._index.execute("SELECT position, start FROM entry WHERE shelf = ? ORDER BY start", (shelf,))
        with open(self._folder / BODIES / shelf, "rb") as file:
            for position, start in rows:
                if file.tell() != start:
                    break
                _body(file.readline(), shelf, position, reader.entry(position))
            if file.tell() != length or rows.fetchone():
                raise Tampered("log.bodies", f"bodies/{shelf} is not what was committed")

    def _check_gone(self, shelf: str) -> None:
        rows = self._index.execute("SELECT position FROM entry WHERE shelf = ? ORDER BY position", (shelf,))
        if self._gone(shelf) != [row[0] for row in rows]:
            raise Tampered("log.bodies", f"bodies/{shelf}{GONE} does not list what was deleted")

    def _gone(self, shelf: str) -> list[int]:
        try:
            return parse_gone((self._folder / BODIES / f"{shelf}{GONE}").read_bytes())
        except FileNotFoundError:
            raise _missing(shelf) from None
        except Invalid as wrong:
            raise Tampered("log.bodies", f"bodies/{shelf}{GONE}: {wrong.faults[0].message}") from None

    def list_gone(self, shelf: str) -> tuple[bytes, int]:
        """Write down, durably, which bodies a shelf holds, before it is deleted; return the list and their number.

        Raises:
            Unavailable: the disk failed.
        """
        rows = self._index.execute("SELECT position FROM entry WHERE shelf = ? ORDER BY position", (shelf,))
        indexes = [row[0] for row in rows]
        listed = encode_gone(indexes)
        self._storing(lambda: write_durably(self._folder, [(f"{BODIES}/{shelf}{GONE}", listed)]))
        return listed, len(indexes)

    def delete_bodies(self, shelf: str) -> None:
        """Delete the bodies of a shelf whose list has been written and logged. Raises Unavailable."""

        def delete() -> None:
            (self._folder / BODIES / shelf).unlink(missing_ok=True)
            sync_folders(self._folder, [f"{BODIES}/{shelf}"])

        self._gone(shelf)
        self._storing(delete)

    def _storing(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            self._broken = True
            raise Unavailable("log.storage", f"the log could not be written ({type(error).__name__})") from error

    def _cut_tails(self) -> None:
        """Take off what a killed writer left beyond what was committed, before anything else is written there."""
        committed = dict(self._index.execute("SELECT name, length FROM shelf"))
        for shelf in shelves(self._folder):
            length = committed.get(shelf.name, 0)
            if shelf.kept and (self._folder / BODIES / shelf.name).stat().st_size > length:
                overwrite_tail(self._folder, f"{BODIES}/{shelf.name}", length, b"")


def _missing(shelf: str) -> Tampered:
    return Tampered("log.bodies", f"bodies/{shelf} is missing, and no list says that it was deleted")


def _body(line: bytes, shelf: str, position: int, leaf: bytes) -> tuple[bytes, bytes]:
    """Take a line of a file of bodies apart, and check that it is what was logged at `position`."""
    read = parse_line(line)
    if read and read.index == position and hashlib.sha256(read.salt + read.body).digest() == leaf:
        return read.salt, read.body
    raise Tampered("log.bodies", f"bodies/{shelf} does not hold what was logged at {position}")

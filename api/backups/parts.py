"""What a backup holds, as lines, and the sealed parts they lie in.

First the graph's own lines (`graph.copying`), then the register's files: archived records, as they are sealed to their
months, certificates, and versions of the policy, each a line `{"file": path below HOME, "content": base64}`. The key
store is never in it.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from api.logbook import CERTIFICATES
from api.policies import FOLDER as POLICIES
from evidence.durable import write_durably
from register.errors import Tampered
from vault.archive.archivist import ARCHIVE
from vault.backup import BackupKey

PART_BYTES: Final = 4 << 20
FOLDER: Final = "parts"
FILES: Final = (ARCHIVE, CERTIFICATES, POLICIES)
"""Folders of HOME whose files are part of every backup."""

Told = Callable[[int], None]
"""Is told how many lines have been dealt with."""


def file_lines(home: Path) -> Iterator[bytes]:
    """Yield a line for each file of the archive, of the certificates and of the versions of the policy, by path."""
    for folder in FILES:
        for path in sorted(one for one in (home / folder).rglob("*") if one.is_file()):
            if not path.name.startswith("."):  # one that is being written
                content = base64.b64encode(path.read_bytes()).decode("ascii")
                yield _encode({"file": path.relative_to(home).as_posix(), "content": content})


def lay_file(home: Path, line: bytes) -> bool:
    """Write the file of a line below `home`, unless one is there; say whether it was one. Raises Tampered."""
    if not line.startswith(b'{"content":'):
        return False
    try:
        read = json.loads(line)
        name, content = PurePosixPath(read["file"]), base64.b64decode(read["content"], validate=True)
    except (ValueError, KeyError, TypeError):
        raise Tampered("backup.line", "a line of the copy is not one that this register writes") from None
    if name.is_absolute() or ".." in name.parts or name.parts[0] not in FILES:
        raise Tampered("backup.line", "a line of the copy is not one that this register writes")
    if not (home / name).exists():
        write_durably(home, [(str(name), content)], mode=0o600)
    return True


def write_parts(folder: Path, key: BackupKey, lines: Iterable[bytes], told: Told) -> tuple[list[str], int]:
    """Write `lines` as sealed parts below `folder`; return the parts' names and how many lines they hold."""
    names: list[str] = []
    waiting: list[bytes] = []
    size = count = 0

    def flush(*, last: bool) -> None:
        names.append(f"{FOLDER}/{len(names) + 1:06d}")
        write_durably(folder, [(names[-1], key.seal(len(names), b"\n".join(waiting), last=last))], mode=0o600)
        told(len(waiting))
        waiting.clear()

    for line in lines:
        if size > PART_BYTES:
            flush(last=False)
            size = 0
        waiting.append(line)
        size, count = size + len(line), count + 1
    flush(last=True)
    return names, count


def read_parts(folder: Path, key: BackupKey) -> Iterator[bytes]:
    """Yield the lines of a backup, streaming.

    Raises:
        Tampered: a part does not open in its place, or the last one is not there.
    """
    names = sorted(path.name for path in (folder / FOLDER).iterdir())
    ended = False
    for number, name in enumerate(names, start=1):
        data, ended = key.open(number, (folder / FOLDER / name).read_bytes())
        if ended != (number == len(names)):
            raise Tampered("backup.parts", "the backup's parts do not end where they should")
        yield from data.split(b"\n")
    if not ended:
        raise Tampered("backup.parts", "the backup's parts do not end where they should")


def _encode(line: dict[str, str]) -> bytes:
    return json.dumps(line, sort_keys=True, separators=(",", ":")).encode("ascii")

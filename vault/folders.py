"""Folders and files that only their owner may use, and that are still there after a power cut."""

import os
import stat
from pathlib import Path
from typing import Final

from register.errors import Fault, Invalid, Tampered, Unavailable


def private(path: str, flags: int) -> int:
    """Open `path` as `open` asks (its `opener`); a new file is for its owner only."""
    return os.open(path, flags, 0o600)


def sync(folder: Path) -> None:
    """Make the names in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def secret(path: Path) -> str:
    """Return the text of a file that only its owner may read, without white space around it.

    Raises:
        Unavailable: it cannot be read, or is empty (`secret.absent`). Tampered: others may read it (`secret.exposed`).
    """
    try:
        with open(path, encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(_SECRET_LETTERS).strip()
    except (OSError, ValueError):
        mode, text = 0, ""
    if mode & 0o077:
        raise Tampered("secret.exposed", "others than its owner may read a file that holds a secret: chmod 600 it")
    if not text:
        raise Unavailable("secret.absent", "a file that has to hold a secret cannot be read, or is empty")
    return text


_SECRET_LETTERS: Final = 8192


def check_folder(folder: Path) -> None:
    """Check that others cannot read `folder` and that it is on a file system of this host, as far as can be seen.

    Raises:
        Invalid: rules `keys.exposed`, `keys.network`.
    """
    faults = []
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        faults.append(Fault(pointer="", rule="keys.exposed", message="others than its owner may use the keys' folder"))
    if _file_system(folder) in _NETWORK:
        message = "the keys' folder is on a network file system, whose locks and syncs are not to be relied on"
        faults.append(Fault(pointer="", rule="keys.network", message=message))
    if faults:
        raise Invalid(faults)


_NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "fuse.glusterfs", "fuse.sshfs", "9p", "ncpfs"}
)


def _file_system(folder: Path) -> str:
    """Return the type of file system that holds `folder`, "" where the host does not tell (no /proc)."""
    device = folder.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    for mount in mounts:
        before, _, after = mount.partition(" - ")
        if before.split()[2] == wanted:
            return after.split()[0]
    return ""


def replace_durably(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all, in place of what was there; durable on return.

    Raises:
        OSError: the disk is full or failed.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    with open(fresh, "wb", opener=private) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync(path.parent)

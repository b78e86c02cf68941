"""The Merkle tree of RFC 6962 section 2.1 and RFC 9162 section 2.1: hashes, proofs, and their verification.

Whatever holds a tree hands in a function `node(level, index)` that gives the hash of the perfect subtree over the
leaves [index * 2**level, (index + 1) * 2**level); proofs are built from those alone.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

NodeSource: TypeAlias = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """Return the leaf hash of `entry`: SHA-256(0x00 | entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 | left | right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: all it takes to append leaves and to know the root, in O(log n) memory."""

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash at the right."""
        peaks = self._peaks
        self.size += 1
        rest = self.size
        while not rest & 1:
            leaf = node_hash(peaks.pop(), leaf)
            rest >>= 1
        peaks.append(leaf)

    def root(self) -> bytes:
        """Return the root over all leaves so far; of the empty tree, the SHA-256 of nothing."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for left in reversed(self._peaks[:-1]):
            root = node_hash(left, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over these leaf hashes, in this order."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def ids_root(ids: Iterable[str]) -> bytes:
    """Return the root of a set of ids as certificates state it.

    Entries are the SHA-256 of each id's ASCII digits, ascending, none twice: the set has one root whatever the order it
    is handed in, and shows no id.
    """
    return root_of(leaf_hash(digest) for digest in sorted({hashlib.sha256(i.encode("ascii")).digest() for i in ids}))


def _split(width: int) -> int:
    """Return the largest power of two smaller than `width` (which is at least 2)."""
    return 1 << (width - 1).bit_length() - 1


def _range_hash(low: int, high: int, node: NodeSource) -> bytes:
    """Return MTH(D[low:high]); `low` is where RFC 6962's recursion comes, so every power-of-two part is aligned."""
    width = high - low
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return node(level, low >> level)
    middle = low + _split(width)
    return node_hash(_range_hash(low, middle, node), _range_hash(middle, high, node))


def tree_root(size: int, node: NodeSource) -> bytes:
    """Return the root of the tree of the first `size` leaves."""
    return _range_hash(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: NodeSource) -> tuple[bytes, ...]:
    """Return the audit path of leaf `index` in the tree of `size` leaves, from the leaf up (RFC 9162 2.1.3.1).

    Raises:
        ValueError: there is no such leaf in that tree.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of that size")
    proof = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_range_hash(middle, high, node))
            high = middle
        else:
            proof.append(_range_hash(low, middle, node))
            low = middle
    return tuple(reversed(proof))


def consistency_proof(old: int, size: int, node: NodeSource) -> tuple[bytes, ...]:
    """Return the proof that the tree of `size` leaves begins with that of `old` leaves (RFC 9162 2.1.4.1).

    Raises:
        ValueError: `old` is 0 (nothing is to be proved of an empty tree) or more than `size`.
    """
    if not 0 < old <= size:
        raise ValueError("a consistency proof goes from a tree that is not empty to one at least as large")
    proof = []
    low, high = 0, size
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(_range_hash(middle, high, node))
            high = middle
        else:
            proof.append(_range_hash(low, middle, node))
            low = middle
    if low:
        proof.append(_range_hash(low, high, node))
    return tuple(reversed(proof))


def verify_inclusion(*, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether `proof` shows the leaf hash `leaf` at `index` of the tree `size`, `root` (RFC 9162 2.1.3.2).

    The proof must have exactly the length that index and size ask for, and every hash 32 bytes.
    """
    if not 0 <= index < size or any(len(part) != HASH_SIZE for part in (leaf, root, *proof)):
        return False
    first, last, value = index, size - 1, leaf
    for part in proof:
        if last == 0:
            return False
        if first & 1 or first == last:
            value = node_hash(part, value)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            value = node_hash(value, part)
        first, last = first >> 1, last >> 1
    return last == 0 and value == root


def verify_consistency(*, old: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether `proof` shows that the tree `size`, `root` begins with `old`, `old_root` (RFC 9162 2.1.4.2).

    An empty old tree proves nothing and is never accepted; equal trees are, with an empty proof.
    """
    if not 0 < old <= size:
        return False
    if old == size:
        return not proof and old_root == root
    if any(len(part) != HASH_SIZE for part in (old_root, root, *proof)):
        return False
    parts = list(proof)
    if old & (old - 1) == 0:
        parts.insert(0, old_root)
    if not parts:
        return False
    first, last = old - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old_value = value = parts[0]
    for part in parts[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old_value, value = node_hash(part, old_value), node_hash(part, value)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            value = node_hash(value, part)
        first, last = first >> 1, last >> 1
    return last == 0 and old_value == old_root and value == root

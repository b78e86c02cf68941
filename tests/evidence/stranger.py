"""A verifier written from docs/formats/verify.md alone: it imports nothing of this project.

    python stranger.py log FOLDER VKEY [EARLIER]
    python stranger.py certificate FOLDER VKEY

Exits as that page says. Of a certificate's sense (check 5) it looks at the statement's type only.
"""

import base64
import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey


class Wrong(Exception):
    """A check failed."""

    def __init__(self, number):
        self.number = number


def need(condition, number):
    if not condition:
        raise Wrong(number)


def h(data):
    return hashlib.sha256(data).digest()


def node(a, b):
    return h(b"\x01" + a + b)


def root(leaves):
    """RFC 6962, from left to right with a stack of perfect trees."""
    if not leaves:
        return h(b"")
    stack = []
    for leaf in leaves:
        stack.append((1, leaf))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            (size, right), (_, left) = stack.pop(), stack.pop()
            stack.append((2 * size, node(left, right)))
    value = stack.pop()[1]
    while stack:
        value = node(stack.pop()[1], value)
    return value


def unbase64(text, number):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Wrong(number) from None
    need(base64.b64encode(data).decode() == text, number)
    return data


def read_vkeys(path):
    keys = {}
    for line in Path(path).read_text().splitlines():
        name, id_, rest = line.split("+", 2)
        content = base64.b64decode(rest)
        if h(name.encode() + b"\n" + content)[:4].hex() != id_ or (name, id_) in keys:
            sys.exit("the vkey file is damaged")
        keys[name, id_] = (content[0], content[1:])
    return keys


def holds(kind, public, message, signature):
    try:
        if kind == 6:
            MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
        else:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def checkpoint(data, keys, number):
    """Return size, root and the log's time."""
    try:
        note = data.decode()
    except UnicodeDecodeError:
        raise Wrong(number) from None
    need(not any(c < " " and c != "\n" for c in note), number)
    text, blank, tail = note.rpartition("\n\n")
    need(blank and tail.endswith("\n"), number)
    text += "\n"
    lines = text.split("\n")
    need(len(lines) == 4 and not lines[3], number)
    origin, size, root_ = lines[0], lines[1], unbase64(lines[2], number)
    need(size.isdigit() and str(int(size)) == size and len(root_) == 32, number)
    need({name for name, _ in keys} == {origin}, number)
    seen, time = set(), None
    for line in tail[:-1].split("\n"):
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "\u2014", number)
        content = unbase64(parts[2], number)
        need(len(content) > 4, number)
        key = (parts[1], content[:4].hex())
        if key not in keys:
            continue
        need(key not in seen, number)
        seen.add(key)
        kind, public = keys[key]
        message, signature = text.encode(), content[4:]
        if kind == 6:
            stamp, signature = signature[:8], signature[8:]
            name, log = key[0].encode(), origin.encode()
            message = b"subtree/v1\n\x00" + bytes([len(name)]) + name + stamp + bytes([len(log)]) + log
            message += bytes(8) + int(size).to_bytes(8, "big") + root_
            time = int.from_bytes(stamp, "big")
        need(holds(kind, public, message, signature), number)
    need(seen == set(keys), number)
    return int(size), root_, time


def path_of(index):
    parts = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        parts.insert(0, f"x{index % 1000:03d}")
    return "/".join(parts)


def tile(folder, label, index, width, step, number):
    full = folder / "tile" / label / path_of(index)
    partial = Path(f"{full}.p") / str(width)
    for path, count in ((full, 256),) if width == 256 else ((partial, width), (full, 256)):
        if path.is_file():
            content = path.read_bytes()
            need(len(content) == count * step, number)
            return content[: width * step]
    raise Wrong(number)


def check_log(folder, keys, earlier):
    need((folder / "checkpoint").is_file(), 31)
    size, signed, _ = checkpoint((folder / "checkpoint").read_bytes(), keys, 31)
    entries = []
    for start in range(0, size, 256):
        width = min(256, size - start)
        bundle = tile(folder, "entries", start // 256, width, 34, 33)
        for at in range(0, len(bundle), 34):
            need(bundle[at : at + 2] == b"\x00\x20", 33)
            entries.append(bundle[at + 2 : at + 34])
    leaves = [h(b"\x00" + entry) for entry in entries]
    level, hashes = 0, leaves
    while hashes:
        above = []
        for start in range(0, len(hashes), 256):
            group = hashes[start : start + 256]
            need(tile(folder, str(level), start // 256, len(group), 32, 34) == b"".join(group), 34)
            if len(group) == 256:
                above.append(root(group))
        level, hashes = level + 1, above
    for old in (folder / "tile").rglob("*.p/*"):
        number, label = int(old.name), old.relative_to(folder / "tile").parts[0]
        index = int("".join(old.parent.relative_to(folder / "tile" / label).parts)[:-2].replace("x", ""))
        step, ground = (34, 0) if label == "entries" else (32, int(label))
        width = min(256, size // 256**ground - index * 256)
        if width > 0:
            newest = tile(folder, label, index, width, step, 34)
            content = old.read_bytes()
            shared = min(number, width) * step
            need(len(content) == number * step and content[:shared] == newest[:shared], 34)
    need(root(leaves) == signed, 35)
    if earlier is not None:
        before, kept, _ = checkpoint(earlier, keys, 36)
        need(before <= size and root(leaves[:before]) == kept, 36)
    check_bodies(folder, entries)


def check_bodies(folder, entries):
    seen, told, size = set(), [], len(entries)
    for path in sorted((folder / "bodies").glob("*/*")):
        if path.name.endswith(".gone"):
            continue
        last = -1
        for line in path.read_bytes().split(b"\n")[:-1]:
            parts = line.split(b" ", 2)
            need(parts[0].isdigit(), 37)
            index = int(parts[0])
            if index >= size:
                break
            need(len(parts) == 3 and b"%d" % index == parts[0] and index > last and index not in seen, 37)
            try:
                salt = bytes.fromhex(parts[1].decode())
            except ValueError:
                raise Wrong(37) from None
            need(salt.hex().encode() == parts[1] and h(salt + parts[2]) == entries[index], 37)
            last = index
            seen.add(index)
            if b"bodies.deleted" in parts[2]:
                told.append(json.loads(parts[2]))
    for path in sorted((folder / "bodies").glob("*/*.gone")):
        month = path.name.removesuffix(".gone")
        if path.with_name(month).exists():
            continue
        content = path.read_bytes()
        need(any(tells(entry, path.parent.name, month, content) for entry in told), 38)
        indexes = [int(line) for line in content.split()]
        need(b"".join(b"%d\n" % index for index in indexes) == content and indexes == sorted(set(indexes)), 38)
        need(all(index < size and index not in seen for index in indexes), 38)
        seen.update(indexes)
    need(len(seen) == size, 38)


def tells(entry, term, month, content):
    detail = entry["detail"]
    year, number = map(int, month.split("-"))
    stated = entry["act"] == "bodies.deleted" and entry["outcome"] == "done"
    if not stated or (detail["term"], detail["month"], detail["sha256"]) != (term, month, h(content).hex()):
        return False
    over = datetime(year + number // 12 + detail["years"], number % 12 + 1, 1, tzinfo=UTC)
    return datetime.fromisoformat(entry["at"]) >= over


def strict_json(data, number):
    def once(pairs):
        need(len(dict(pairs)) == len(pairs), number)
        return dict(pairs)

    def whole(text):
        need(len(text.lstrip("-")) <= 16 and text != "-0", number)
        return int(text)

    def never(_):
        raise Wrong(number)

    def depth(value):
        below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return 1 + max(map(depth, below), default=0)

    need(len(data) <= 4 << 20, number)
    try:
        text = data.decode()
        value = json.loads(text, object_pairs_hook=once, parse_int=whole, parse_float=never, parse_constant=never)
    except (ValueError, RecursionError):
        raise Wrong(number) from None
    need(depth(value) <= 21, number)
    return value


def check_certificate(folder, keys):
    envelope = (folder / "certificate.json").read_bytes()
    form = strict_json(envelope, 11)
    need(isinstance(form, dict) and set(form) == {"payload", "payloadType", "signatures"}, 11)
    need(isinstance(form["payload"], str) and isinstance(form["signatures"], list) and form["signatures"], 11)
    need(all(isinstance(each, dict) and set(each) == {"keyid", "sig"} for each in form["signatures"]), 11)
    need(all(isinstance(text, str) for each in form["signatures"] for text in each.values()), 11)
    need(form["payloadType"] == "application/vnd.in-toto+json", 12)
    payload = unbase64(form["payload"], 13)
    signatures = [(each["keyid"], unbase64(each["sig"], 13)) for each in form["signatures"]]
    kind = form["payloadType"].encode()
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    signed = set()
    for keyid, signature in signatures:
        key = tuple(keyid.rsplit("+", 1))
        if key in keys:
            need(key not in signed and holds(*keys[key], message, signature), 14)
            signed.add(key)
    need(signed == set(keys), 14)
    statement = strict_json(payload, 11)
    need(statement.get("_type") == "https://in-toto.io/Statement/v1" and "predicate" in statement, 15)
    head, blank, note = (folder / "certificate.tlog-proof").read_bytes().partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Wrong(16) from None
    need(blank and len(lines) > 2 and lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("extra "), 16)
    extra = unbase64(lines[1][6:], 16)
    number = lines[2].removeprefix("index ")
    need(lines[2].startswith("index ") and number.isdigit() and str(int(number)) == number, 16)
    proof = [unbase64(line, 16) for line in lines[3:]]
    need(all(len(each) == 32 for each in proof), 16)
    entry = strict_json(extra[16:], 16)
    need(isinstance(entry, dict) and isinstance(entry.get("detail"), dict), 16)
    need((entry.get("act"), entry.get("outcome")) == ("certificate.issued", "done"), 16)
    need(entry["detail"].get("sha256") == h(envelope).hex(), 16)
    size, signed_root, time = checkpoint(note, keys, 18)
    predicate = statement["predicate"]
    need({predicate["register"]["origin"]} == {name for name, _ in keys}, 18)
    if predicate["certificate"]["rehearsal"] == "none":
        need(time >= datetime.fromisoformat(predicate["times"]["ended_at"]).timestamp(), 18)
    need(included(int(number), size, h(b"\x00" + h(extra)), proof) == signed_root, 17)


def included(index, size, value, proof):
    first, last = index, size - 1
    need(index < size, 17)
    for part in proof:
        need(last, 17)
        if first & 1 or first == last:
            value = node(part, value)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            value = node(value, part)
        first, last = first >> 1, last >> 1
    need(last == 0, 17)
    return value


def main(what, folder, vkey, earlier=None):
    keys = read_vkeys(vkey)
    try:
        if what == "log":
            check_log(Path(folder), keys, Path(earlier).read_bytes() if earlier else None)
        else:
            check_certificate(Path(folder), keys)
    except Wrong as wrong:
        return wrong.number
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

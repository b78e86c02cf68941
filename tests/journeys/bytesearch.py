"""Looking for clear text in all bytes there are: as it is written, in UTF-16, in base64, in JSON's escapes."""

import base64
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from neo4j import ManagedTransaction

from graph.connection import Graph


def forms(text: str) -> dict[str, bytes]:
    """Return every form in which `text` may lie somewhere, by what it is called."""
    found = {}
    for case, written in {"": text, " in small letters": text.lower()}.items():
        raw = written.encode("utf-8")
        found["utf-8" + case] = raw
        found["json" + case] = json.dumps(written).strip('"').encode("ascii")
        # Of UTF-16 every second byte is looked for in every second byte: so both byte orders are one.
        found["utf-16, low bytes" + case] = written.encode("utf-16-le")[::2]
        for offset in range(3):
            found[f"base64 at {offset}{case}"] = _base64(raw, offset)
    return found


def _base64(raw: bytes, offset: int) -> bytes:
    """Return what is sure to stand in the base64 of any bytes that hold `raw` at `offset` modulo 3."""
    encoded = base64.b64encode(bytes(offset) + raw)
    return encoded[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]


class Search:
    """Looks for all forms of all `texts` in one go."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._text_of = {form: text for text in texts for form in forms(text).values()}
        self._pattern = re.compile(_alternation(self._text_of, 2), re.DOTALL)

    def found(self, contents: Iterable[bytes]) -> frozenset[str]:
        """Return which texts occur, in whatever form."""
        seen: set[bytes] = set()
        for content in contents:
            for view in (content, content[::2], content[1::2]):
                at = 0
                while match := self._pattern.search(view, at):
                    seen.add(match[0])
                    at = match.start() + 1
        # Of forms that begin at the same place the longest is seen, which may hold others.
        return frozenset(text for form, text in self._text_of.items() if any(form in one for one in seen))


def _alternation(words: Iterable[bytes], depth: int) -> bytes:
    """Return a pattern of any of these words: a tree by their first bytes, since alternatives are tried one by one."""
    if not depth:
        return b"|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    rest: dict[bytes, list[bytes]] = defaultdict(list)
    for word in words:
        rest[word[:1]].append(word[1:])
    return b"|".join(re.escape(head) + b"(?:" + _alternation(tails, depth - 1) + b")" for head, tails in rest.items())


def files(*places: Path) -> Iterator[bytes]:
    """Yield the path and the content of every file below these folders, or of these files themselves."""
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            yield str(path).encode()
            if path.is_file() and not path.is_symlink():
                yield path.read_bytes()


def dump(graph: Graph) -> list[bytes]:
    """Return all that Cypher says of all nodes and relationships: labels, types, keys and values."""

    def work(tx: ManagedTransaction) -> list[bytes]:
        nodes = tx.run("MATCH (n) RETURN labels(n) AS kinds, properties(n) AS values")
        found = [_bytes(row["kinds"], row["values"]) for row in nodes]
        relationships = tx.run("MATCH ()-[r]->() RETURN [type(r)] AS kinds, properties(r) AS values")
        return found + [_bytes(row["kinds"], row["values"]) for row in relationships]

    return graph.read(work)


def _bytes(kinds: list[str], values: Mapping[str, Any]) -> bytes:
    return b"\n".join([_value(kinds), *(name.encode() + b"=" + _value(value) for name, value in values.items())])


def _value(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, list):
        return b"\n".join(map(_value, value))
    return (value.isoformat() if isinstance(value, date) else str(value)).encode()

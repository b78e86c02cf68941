"""What is inside an archived record: a subject's own fields and the signals about it, everybody else a placeholder.

JSON in UTF-8, sorted keys. Each signal is read out with the labels of this one subject only: a copy about A must not
keep B, who may be destroyed earlier. What does not open stands under `unreadable`, by name.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from operator import attrgetter
from typing import Any, Final

from register.accepted import OpenedMention
from register.narrative import Labels, RedactedText, read
from register.sealed import LinkFacts, MentionFacts, SealedSignal, SignalFacts, SubjectFacts

FORMAT: Final = "theme-register archived record v1"
OTHER: Final = "[…]"
"""What stands in place of everybody but the subject of the record."""

_NOT_KEPT: Final = frozenset({"mentions", "links", "identifiers", "signal", "subject", "revision", "content"})
"""Facts that name others or the register's own bookkeeping."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SignalContent:
    """A signal as far as it opened.

    Attributes:
        verifies: whether its facts are what this register wrote.
        texts: as stored, by field; unreadable: names of the fields that did not open.
    """

    signal: SealedSignal
    verifies: bool
    reference: str | None
    texts: Mapping[str, RedactedText]
    unreadable: tuple[str, ...]


def head(item: str, kind: str, facts: SubjectFacts | None, *, removed_on: date, rule: str) -> dict[str, Any]:
    """Return the beginning of a record: whose it is, removed when and by which rule; no signals yet."""
    own = {} if facts is None else _facts(facts)
    return {
        "format": FORMAT,
        "kind": kind,
        "id": item,
        "facts": own,
        "removed_on": removed_on.isoformat(),
        "rule": rule,
    }


def about(content: SignalContent, subject: str | None, mention: OpenedMention | None) -> bytes:
    """Return one signal as a record about `subject` keeps it, or as one about the signal itself (None).

    Args:
        content: the signal.
        subject: id of the record's subject.
        mention: the subject's mention, opened; None where it did not open.
    """
    labels: dict[int, Labels] = {} if mention is None else {mention.facts.place: mention.labels}
    facts = content.signal.facts
    own = [one.facts for one in content.signal.mentions if one.facts.subject == subject]
    unreadable = [*content.unreadable, *(["mention"] if own and mention is None else [])]
    kept = {
        "id": facts.id,
        "facts": _facts(facts),
        "verifies": content.verifies,
        "reference": content.reference,
        "texts": {name: _read_out(text, labels) for name, text in content.texts.items()},
        "mention": None if mention is None else _mention(mention, labels),
        "links": list(_links(content.signal, subject)),
        "others": len(facts.mentions) - len(own),
        "unreadable": sorted(unreadable),
    }
    return _json(kept)


def whole(beginning: Mapping[str, Any], signals: Iterable[bytes]) -> bytes:
    """Return a whole record of its beginning and what `about` gave for each of its signals."""
    start = _json(beginning)
    return b"".join((start[:-1], b',"signals":[', b",".join(signals), b"]}"))


def _facts(facts: Any) -> dict[str, Any]:
    """Return facts in values of JSON, as `canonical` writes them, without what names others."""
    names, read = _KEPT[type(facts)]
    return dict(zip(names, map(_value, read(facts)), strict=True))


def _value(value: Any) -> Any:
    if isinstance(value, date):  # an instant is one too
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _kept(kind: type) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    names = tuple(one.name for one in fields(kind) if one.name not in _NOT_KEPT)
    return names, attrgetter(*names)


_KEPT: Final = {kind: _kept(kind) for kind in (SubjectFacts, SignalFacts, MentionFacts, LinkFacts)}


def _mention(mention: OpenedMention, labels: Mapping[int, Labels]) -> dict[str, Any]:
    return {
        "facts": _facts(mention.facts),
        "names": list(mention.names),
        "born_on": mention.born_on,
        "position": None if mention.position is None else _read_out(mention.position, labels),
        "identifiers": [[one.kind.value, one.value] for one in mention.identifiers],
    }


def _links(signal: SealedSignal, subject: str | None) -> Iterator[dict[str, Any]]:
    for link in signal.links:
        facts = link.facts
        if subject in (facts.from_, facts.to):
            ends = _ends(facts, subject)
            yield {name: value for name, value in (_facts(facts) | ends).items() if name != "id"}


def _ends(facts: LinkFacts, subject: str | None) -> dict[str, Any]:
    """Say which end is the record's subject; of the other end only a harbour is named."""
    return {
        "from_": "subject" if facts.from_ == subject else OTHER,
        "to": "subject" if facts.to == subject else facts.to if facts.to_port else OTHER,
    }


def _read_out(text: RedactedText, labels: Mapping[int, Labels]) -> str:
    return read(text, labels, gone=OTHER)


_encode: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def _json(value: object) -> bytes:
    return _encode(value).encode("utf-8", "surrogatepass")

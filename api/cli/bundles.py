"""Parallel links of one kind between the same two ends, bundled for people; programs get each link."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Links of one kind from one end to the other.

    Attributes:
        count: how many; facts: how many of them are stated as facts, the others are assessments.
        first, last: the earliest and latest civil date that one of them names (ISO 8601), "" for none.
        signals: ids of the signals that state them, in the order of the links.
    """

    from_: str
    kind: str
    to: str
    count: int
    facts: int
    first: str
    last: str
    signals: tuple[str, ...]


def bundled(links: Iterable[Mapping[str, Any]]) -> tuple[Bundle, ...]:
    """Return the links of an answer of the API in bundles, the largest first, then by ends and kind."""
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for link in links:
        found.setdefault((link["from"], link["kind"], link["to"]), []).append(link)
    bundles = (_bundle(*ends, parts) for ends, parts in found.items())
    return tuple(sorted(bundles, key=lambda one: (-one.count, one.from_, one.kind, one.to)))


def _bundle(from_: str, kind: str, to: str, parts: list[Mapping[str, Any]]) -> Bundle:
    days = sorted(day for part in parts for day in (part["since"], part["until"]) if day is not None)
    return Bundle(
        from_=from_,
        kind=kind,
        to=to,
        count=len(parts),
        facts=sum(part["basis"] == "fact" for part in parts),
        first=days[0] if days else "",
        last=days[-1] if days else "",
        signals=tuple(part["signal"] for part in parts),
    )

"""A link network as a picture (SVG): rings around the subject in the middle, each ring sorted by who it hangs on.

Deterministic: the same network gives the same picture. Colour is never the only sign: persons are round, organisations
square, harbours diamonds.
"""

import math
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from api.cli.bundles import Bundle, bundled

RING: Final = 210
MARGIN: Final = 150
_STYLE: Final = """
text{font:12px system-ui,sans-serif;fill:#1b1f24;paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}
.kind{font-size:10px;fill:#57606a}.link{stroke:#8c959f;stroke-width:1.2}.fact{stroke:#1b1f24;stroke-width:2}
.person{fill:#0969da}.organisation{fill:#bc4c00}.harbour{fill:#1a7f37}.start{stroke:#1b1f24;stroke-width:3}
"""

Point = tuple[float, float]


def draw(picture: Mapping[str, Any], start: str) -> str:
    """Return the SVG text of `picture`, an answer of `POST /v1/network`, with `start` in the middle."""
    names = {one["subject"]: (one["name"], one["kind"]) for one in picture["subjects"]}
    names |= {one["code"]: (one["name"], "harbour") for one in picture["harbours"]}
    spots = _spots(start, _neighbours(picture["links"]), names)
    reach = max((math.hypot(*spot) for spot in spots.values()), default=0) + MARGIN
    parts = list(_links(picture["links"], spots))
    parts += [_node(*names[key], spots[key], key == start) for key in sorted(spots)]
    title = f"Link network: {len(picture['subjects'])} subjects, {len(picture['links'])} links"
    box = f"{-reach:.0f} {-reach:.0f} {2 * reach:.0f} {2 * reach:.0f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="{box}" width="1000" height="1000">'
        f'<title>{escape(title)}</title><style>{_STYLE}</style><rect x="{-reach:.0f}" y="{-reach:.0f}" '
        f'width="{2 * reach:.0f}" height="{2 * reach:.0f}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _neighbours(links: list[Mapping[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for link in links:
        found.setdefault(link["from"], set()).add(link["to"])
        found.setdefault(link["to"], set()).add(link["from"])
    return {key: sorted(others) for key, others in found.items()}


def _spots(start: str, neighbours: Mapping[str, list[str]], names: Mapping[str, object]) -> dict[str, Point]:
    """Place ring after ring; all on a ring have the same room, in the order of what they hang on, turned towards it."""
    spots: dict[str, Point] = {start: (0.0, 0.0)}
    angles = {start: -math.pi / 2}
    ring, radius = [start], 0.0
    while ring:
        parents = {key: one for one in reversed(ring) for key in neighbours.get(one, ()) if key in names}
        ring = sorted((key for key in parents if key not in spots), key=lambda key: (angles[parents[key]], key))
        radius = max(radius + RING, len(ring) * 34 / math.tau)
        steps = [math.tau * place / max(len(ring), 1) for place in range(len(ring))]
        away = [angles[parents[key]] - step for key, step in zip(ring, steps, strict=True)]
        turn = math.atan2(sum(map(math.sin, away)), sum(map(math.cos, away)))
        for key, step in zip(ring, steps, strict=True):
            angles[key] = (step + turn) % math.tau
            spots[key] = (radius * math.cos(step + turn), radius * math.sin(step + turn))
    return spots


def _links(links: list[Mapping[str, Any]], spots: Mapping[str, Point]) -> Iterator[str]:
    """Draw one line for each two ends, with everything that ties them in words."""
    ties: dict[tuple[str, str], list[Bundle]] = {}
    for bundle in bundled(links):
        if bundle.from_ in spots and bundle.to in spots:
            one, other = sorted((bundle.from_, bundle.to))
            ties.setdefault((one, other), []).append(bundle)
    for (one, other), bundles in ties.items():
        (x1, y1), (x2, y2) = spots[one], spots[other]
        style = "link fact" if any(bundle.facts for bundle in bundles) else "link"
        words = ", ".join(one.kind if one.count == 1 else f"{one.count} x {one.kind}" for one in bundles)
        yield f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        middle = f'x="{(x1 + x2) / 2:.1f}" y="{(y1 + y2) / 2:.1f}"'
        yield f'<text class="kind" text-anchor="middle" {middle}>{escape(words)}</text>'


def _node(name: str, kind: str, spot: Point, is_start: bool) -> str:
    x, y = spot
    css = f"{kind} start" if is_start else kind
    if kind == "person":
        shape = f'<circle class="{css}" cx="{x:.1f}" cy="{y:.1f}" r="9"/>'
    elif kind == "organisation":
        shape = f'<rect class="{css}" x="{x - 8:.1f}" y="{y - 8:.1f}" width="16" height="16"/>'
    else:
        points = f"{x:.1f},{y - 11:.1f} {x + 11:.1f},{y:.1f} {x:.1f},{y + 11:.1f} {x - 11:.1f},{y:.1f}"
        shape = f'<polygon class="{css}" points="{points}"/>'
    return f'{shape}<text text-anchor="middle" x="{x:.1f}" y="{y + 25:.1f}">{escape(name)}</text>'

"""A link network as a picture (SVG): rings around the subject in the middle, each ring sorted by who it hangs on.

Deterministic: the same network gives the same picture. Colour is never the only sign: persons are round, organisations
square, harbours diamonds.
"""

import math
from collections.abc import Mapping
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
    bundles = (one for one in bundled(picture["links"]) if one.from_ in spots and one.to in spots)
    parts = [_link(one, spots) for one in bundles]
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
    """Place ring after ring; everything on a ring has the same room, in the order of what it hangs on."""
    spots: dict[str, Point] = {start: (0.0, 0.0)}
    ring, radius = [start], 0.0
    while ring:
        following = [key for one in ring for key in neighbours.get(one, ()) if key in names]
        ring = [key for key in dict.fromkeys(following) if key not in spots]
        radius = max(radius + RING, len(ring) * 34 / math.tau)
        for place, key in enumerate(ring):
            angle = math.tau * place / len(ring) - math.pi / 2
            spots[key] = (radius * math.cos(angle), radius * math.sin(angle))
    return spots


def _link(bundle: Bundle, spots: Mapping[str, Point]) -> str:
    (x1, y1), (x2, y2) = spots[bundle.from_], spots[bundle.to]
    style = "link fact" if bundle.facts else "link"
    line = f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
    middle = f'x="{(x1 + x2) / 2:.1f}" y="{(y1 + y2) / 2:.1f}"'
    words = bundle.kind if bundle.count == 1 else f"{bundle.count} x {bundle.kind}"
    return f'{line}<text class="kind" text-anchor="middle" {middle}>{escape(words)}</text>'


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

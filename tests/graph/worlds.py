"""Small made-up registers, and a plain model in memory of what a reader may see of them: the oracle of the tests."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import strategies as st

from graph.connection import Graph
from graph.signals import Signals
from register.access import Grant
from register.clock import civil_date
from register.grading import HandlingCode
from register.ids import IdentifierId, SignalId, SubjectId
from register.links import LinkKind
from register.sealed import SealedLink, SealedMention, SealedSignal, SealedSubject
from tests.graph.builders import FAR, TODAY, Tied, a_batch, a_signal, a_subject, harbours

MARKINGS = ("customs", "police")
PORTS = ("NLRTM", "NLVLI")
KINDS = (LinkKind.PAID, LinkKind.LINKED_TO, LinkKind.ACTIVE_AT)
CODES = (HandlingCode.H0, HandlingCode.H1)
TERMS = (FAR, FAR, FAR, TODAY + timedelta(days=1), TODAY)


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything that a register holds, in memory."""

    subjects: tuple[SealedSubject, ...]
    signals: tuple[SealedSignal, ...]
    identifiers: tuple[IdentifierId, ...]

    def store(self, graph: Graph) -> None:
        batch = a_batch(self.signals, created=self.subjects, identifiers=self.identifiers)
        Signals(graph).record(batch, harbours(batch), [])

    @property
    def ids(self) -> tuple[SubjectId, ...]:
        return tuple(one.facts.id for one in self.subjects)


@dataclass(frozen=True, kw_only=True)
class View:
    """What one reader may see of a world, by plain loops over everything."""

    world: World
    grant: Grant

    def _cleared(self, facts: object) -> bool:
        handling, markings = facts.handling, facts.markings  # type: ignore[attr-defined]
        return handling in self.grant.actor.handling and set(markings) <= self.grant.actor.markings

    @property
    def today(self) -> date:
        return civil_date(self.grant.as_of)

    def live(self, subject: str) -> bool:
        facts = next(one.facts for one in self.world.subjects if one.facts.id == subject)
        return facts.remove_by > self.today and facts.hidden_from > self.today and not facts.restricted

    def signals(self) -> Iterator[SealedSignal]:
        for signal in self.world.signals:
            own = signal.facts.remove_by is not None and signal.facts.remove_by > self.today
            alive = any(self.live(one.facts.subject) for one in signal.mentions) or (own and not signal.mentions)
            if alive and self._cleared(signal.facts):
                mentions = tuple(one for one in signal.mentions if self.live(one.facts.subject))
                links = [one for one in signal.links if self.live(one.facts.from_)]
                links = [one for one in links if one.facts.to_port or self.live(one.facts.to)]
                yield replace(signal, mentions=mentions, links=tuple(sorted(links, key=lambda one: one.facts.id)))

    def signal(self, id_: SignalId) -> SealedSignal | None:
        return next((one for one in self.signals() if one.facts.id == id_), None)

    def mentions(self) -> list[SealedMention]:
        return [mention for signal in self.signals() for mention in signal.mentions]

    def links(self) -> list[SealedLink]:
        return sorted((link for signal in self.signals() for link in signal.links), key=lambda one: one.facts.id)

    def subjects(self) -> set[str]:
        return {one.facts.subject for one in self.mentions()}

    def network(
        self, start: str, depth: int, kinds: Collection[LinkKind], budget: int
    ) -> tuple[list[str], set[str], int] | None:
        """The ids of links in order, those of subjects, and the number left out."""
        if start not in self.subjects():
            return None
        chosen: list[SealedLink] = []
        inner: set[str] = set()
        frontier = {start}
        for _ in range(depth):
            ring = [
                link
                for link in self.links()
                if (not kinds or link.facts.kind in kinds)
                and link not in chosen
                and {link.facts.from_, link.facts.to} & frontier
                and not {link.facts.from_, link.facts.to} & inner
            ]
            taken = ring[: budget - len(chosen)]
            chosen += taken
            if len(taken) < len(ring):
                return [one.facts.id for one in chosen], self._ends(chosen) | {start}, len(ring) - len(taken)
            inner |= frontier
            frontier = self._ends(taken) - inner
        return [one.facts.id for one in chosen], self._ends(chosen) | {start}, 0

    @staticmethod
    def _ends(links: Sequence[SealedLink]) -> set[str]:
        ends = {str(link.facts.from_) for link in links}
        return ends | {link.facts.to for link in links if not link.facts.to_port}

    def paths(self, a: str, b: str, steps: int, kinds: Collection[LinkKind], most: int) -> list[tuple[str, ...]] | None:
        """The stops of the shortest paths, in order."""
        if not {a, b} <= self.subjects():
            return None
        ties = self._ties(kinds)
        found: list[tuple[str, ...]] = [(a,)]
        for _ in range(steps):
            found = [(*path, to) for path in found for to in ties(path[-1]) if to not in path]
            if done := sorted(path for path in found if path[-1] == b):
                return done[:most]
        return []

    def _ties(self, kinds: Collection[LinkKind]) -> Callable[[str], set[str]]:
        ties: dict[str, set[str]] = {}
        for link in self.links():
            by_port = link.facts.to_port and LinkKind.ACTIVE_AT not in kinds
            if not by_port and (not kinds or link.facts.kind in kinds):
                ties.setdefault(link.facts.from_, set()).add(link.facts.to)
                ties.setdefault(link.facts.to, set()).add(link.facts.from_)
        return lambda stop: ties.get(stop, set())

    def first_links(self, stops: Sequence[str], kinds: Collection[LinkKind]) -> tuple[str, ...]:
        """Of each step, the first link by id."""
        return tuple(
            next(
                link.facts.id
                for link in self.links()
                if {link.facts.from_, link.facts.to} == {a, b} and (not kinds or link.facts.kind in kinds)
            )
            for a, b in pairwise(stops)
        )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A register of up to eight subjects and ten signals, some of it hidden from most readers."""
    subjects = tuple(
        a_subject(
            remove_by=draw(st.sampled_from(TERMS)),
            hidden_from=draw(st.sampled_from(TERMS)),
            restricted=draw(st.integers(0, 9)) == 0,
        )
        for _ in range(draw(st.integers(2, 8)))
    )
    identifiers = tuple(IdentifierId(f"{number:032x}") for number in range(1, 4))
    signals = [draw(_signals([one.facts.id for one in subjects], identifiers)) for _ in range(draw(st.integers(1, 10)))]
    return World(subjects=subjects, signals=tuple(signals), identifiers=identifiers)


@st.composite
def _signals(draw: st.DrawFn, ids: list[SubjectId], identifiers: Sequence[IdentifierId]) -> SealedSignal:
    named = draw(st.lists(st.sampled_from(ids), unique=True, max_size=4))
    links: list[Tied] = []
    if len(named) > 1:
        for _ in range(draw(st.integers(0, 4))):
            a, b = draw(st.lists(st.integers(0, len(named) - 1), min_size=2, max_size=2, unique=True))
            links.append(Tied(a=a, b=b, kind=draw(st.sampled_from(KINDS))))
    at_port = draw(st.booleans())
    if named and at_port:
        links.append(Tied(a=0, b=draw(st.sampled_from(PORTS)), kind=LinkKind.ACTIVE_AT))
    carried = {0: draw(st.lists(st.sampled_from(identifiers), unique=True, max_size=2))} if named else {}
    return a_signal(
        named,
        links=links,
        ports=draw(st.lists(st.sampled_from(PORTS), unique=True, max_size=1)),
        handling=draw(st.sampled_from((HandlingCode.H0, *CODES))),
        markings=draw(st.sampled_from(((), (), ("customs",), MARKINGS))),
        identifiers=carried,
        remove_by=draw(st.sampled_from((None, None, *TERMS))),
    )

"""What readers are shown equals a plain model in memory; more marking never shows more, more clearing never less."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.connection import Graph
from graph.network import Networks
from graph.signals import Signals
from graph.trail import AuditTrail
from register.access import Grant, Permission
from register.grading import HandlingCode
from register.ids import mint
from register.links import LinkKind
from register.sealed import SealedSignal
from register.stores import SealedNetwork
from tests.graph.builders import NOW, Witness, a_grant
from tests.graph.worlds import CODES, KINDS, MARKINGS, View, World, worlds

in_a_graph = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
readers = st.builds(
    a_grant,
    st.just(Permission.NETWORK_SHOW),
    handling=st.sampled_from([(HandlingCode.H0,), CODES]),
    markings=st.sampled_from([(), ("customs",), MARKINGS]),
)
kinds_asked = st.sampled_from([(), (LinkKind.PAID,), (LinkKind.PAID, LinkKind.ACTIVE_AT), KINDS])


def fresh(graph: Graph, world: World) -> None:
    graph.write(lambda tx: tx.run("MATCH (n) WHERE NOT n:Register DETACH DELETE n").consume())
    world.store(graph)


def audited(graph: Graph, witness: Witness, targets: Collection[str], count: int) -> None:
    assert (witness.targets, witness.count) == (tuple(sorted(targets)), count)
    assert witness.entries[-1].id in {entry.id for entry in AuditTrail(graph).unlogged(1000)}


@in_a_graph
@given(world=worlds(), grant=readers)
def test_signals_and_subjects_open_as_the_model_says(register: Graph, world: World, grant: Grant) -> None:
    fresh(register, world)
    view = View(world=world, grant=grant)

    for signal in world.signals:
        witness = Witness()
        found = Signals(register).open(grant, signal.facts.id, witness)
        assert found == view.signal(signal.facts.id)
        audited(register, witness, [signal.facts.id] if found else [], int(found is not None))

    for subject in world.subjects:
        witness, id_ = Witness(), subject.facts.id
        shown = Networks(register).subject(grant, id_, witness)
        assert (shown is not None) == (id_ in view.subjects())
        if shown is None:
            audited(register, witness, [], 0)
            continue
        assert shown.subject == subject
        mentions = [one for one in view.mentions() if one.facts.subject == id_]
        assert sorted(shown.mentions, key=lambda one: one.facts.id) == sorted(mentions, key=lambda one: one.facts.id)
        assert shown.links == tuple(one for one in view.links() if id_ in (one.facts.from_, one.facts.to))
        audited(register, witness, [id_], len(shown.mentions) + len(shown.links))


@in_a_graph
@given(world=worlds(), grant=readers, asked=st.sets(st.integers(0, 2), min_size=1))
def test_finding_shows_what_the_model_says(register: Graph, world: World, grant: Grant, asked: set[int]) -> None:
    """C09."""
    fresh(register, world)
    view, store = View(world=world, grant=grant), Networks(register)
    wanted = {world.identifiers[place] for place in asked}

    witness = Witness()
    found = store.carriers(grant, wanted, witness)
    carrying = [one for one in view.mentions() if wanted & set(one.facts.identifiers)]
    assert [node.subject.facts.id for node in found] == sorted({one.facts.subject for one in carrying})
    assert all(node.mention in carrying for node in found)
    audited(register, witness, {one.facts.subject for one in carrying}, len(found))

    every = [mention for signal in world.signals for mention in signal.mentions]
    named = store.named(grant, [*(one.facts.id for one in every), mint()], witness)  # type: ignore[list-item]
    shown = view.mentions()
    assert sorted(node.mention.facts.id for node in named) == sorted(one.facts.id for one in shown)
    assert all(node.mention in shown and node.subject.facts.id == node.mention.facts.subject for node in named)
    audited(register, witness, {one.facts.subject for one in shown}, len(shown))


def agrees(view: View, found: SealedNetwork | None, model: tuple[list[str], set[str], int] | None) -> None:
    if found is None or model is None:
        assert found is None
        assert model is None
        return
    links, subjects, left_out = model
    assert [one.facts.id for one in found.links] == links
    assert {node.subject.facts.id for node in found.nodes} == subjects
    assert found.left_out == left_out
    assert all(link in view.links() for link in found.links)
    assert all(node.mention in view.mentions() for node in found.nodes)
    assert all(node.mention.facts.subject == node.subject.facts.id for node in found.nodes)
    assert [one.code for one in found.harbours] == sorted({one.facts.to for one in found.links if one.facts.to_port})


@in_a_graph
@given(world=worlds(), grant=readers, depth=st.integers(1, 3), kinds=kinds_asked, budget=st.sampled_from([1, 3, 500]))
def test_networks_are_those_of_the_authorised_part(
    register: Graph, world: World, grant: Grant, depth: int, kinds: tuple[LinkKind, ...], budget: int
) -> None:
    """C09, C22: also the number of links beyond the budget."""
    fresh(register, world)
    view = View(world=world, grant=grant)

    for start in world.ids:
        witness = Witness()
        found = Networks(register).network(grant, start, depth=depth, kinds=kinds, budget=budget, witnessed=witness)
        agrees(view, found, view.network(start, depth, kinds, budget))
        if found is None:
            audited(register, witness, [], 0)
        else:
            shown = {node.subject.facts.id for node in found.nodes}
            audited(register, witness, shown, len(found.nodes) + len(found.links))


@in_a_graph
@given(world=worlds(), grant=readers, steps=st.integers(1, 6), kinds=kinds_asked, most=st.sampled_from([1, 2, 10]))
def test_paths_are_the_shortest_of_the_authorised_part(
    register: Graph, world: World, grant: Grant, steps: int, kinds: tuple[LinkKind, ...], most: int
) -> None:
    fresh(register, world)
    view = View(world=world, grant=grant)
    start = world.ids[0]

    for end in world.ids[1:]:
        witness = Witness()
        found = Networks(register).paths(grant, (start, end), steps=steps, kinds=kinds, most=most, witnessed=witness)
        model = view.paths(start, end, steps, kinds, most)
        assert (found is None) == (model is None)
        if found is None or model is None:
            audited(register, witness, [], 0)
            continue
        assert [path.stops for path in found.paths] == model
        assert all(path.links == view.first_links(path.stops, kinds) for path in found.paths)
        assert {one.facts.id for one in found.network.links} == {id_ for path in found.paths for id_ in path.links}
        stops = {stop for path in model for stop in path}
        assert {node.subject.facts.id for node in found.network.nodes} == stops & set(world.ids)
        assert {one.code for one in found.network.harbours} == stops - set(world.ids)


def _marked(signal: SealedSignal, markings: tuple[str, ...]) -> SealedSignal:
    return replace(
        signal,
        facts=replace(signal.facts, markings=markings),
        mentions=tuple(replace(one, facts=replace(one.facts, markings=markings)) for one in signal.mentions),
        links=tuple(replace(one, facts=replace(one.facts, markings=markings)) for one in signal.links),
    )


def _shown(graph: Graph, world: World, grant: Grant) -> set[str]:
    """The ids of everything that a reader is shown of a world."""
    ids: set[str] = set()
    for subject in world.ids:
        found = Networks(graph).network(grant, subject, depth=2, kinds=(), budget=500, witnessed=Witness())
        if found:
            ids |= {node.subject.facts.id for node in found.nodes} | {link.facts.id for link in found.links}
    for signal in world.signals:
        if opened := Signals(graph).open(grant, signal.facts.id, Witness()):
            ids |= {opened.facts.id, *(one.facts.id for one in opened.mentions)}
    return ids


@in_a_graph
@given(world=worlds(), grant=readers, place=st.integers(0, 9), marking=st.sampled_from(MARKINGS))
def test_a_marking_more_never_shows_more(register: Graph, world: World, grant: Grant, place: int, marking: str) -> None:
    """C10."""
    fresh(register, world)
    before = _shown(register, world, grant)
    signals = list(world.signals)
    chosen = place % len(signals)
    signals[chosen] = _marked(signals[chosen], tuple(sorted({*signals[chosen].facts.markings, marking})))

    fresh(register, replace(world, signals=tuple(signals)))

    assert _shown(register, world, grant) <= before


@in_a_graph
@given(world=worlds(), clear=st.sampled_from(["marking", "handling", "earlier"]))
def test_clearing_more_never_shows_less(register: Graph, world: World, clear: str) -> None:
    fresh(register, world)
    as_of = datetime(2026, 11, 23, 12, tzinfo=NOW.tzinfo) if clear == "earlier" else NOW
    grants: dict[str, Callable[[], Grant]] = {
        "marking": lambda: a_grant(markings=MARKINGS),
        "handling": lambda: a_grant(handling=CODES),
        "earlier": lambda: a_grant(as_of=as_of),
    }

    assert _shown(register, world, a_grant()) <= _shown(register, world, grants[clear]())

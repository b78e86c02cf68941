"""Finding subjects, link networks and paths under a grant, each answer released once its audit entry is durable."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from neo4j import ManagedTransaction, Record

from graph import queries, records
from graph.connection import Graph
from graph.sight import Sight, sight
from graph.trail import disclose
from register.access import Grant
from register.audit import Entry
from register.ids import IdentifierId, MentionId, SubjectId
from register.links import LinkKind
from register.sealed import SealedLink
from register.stores import Node, Path, SealedNetwork, SealedPaths, SubjectView, Witnessed


@dataclass(frozen=True, slots=True)
class Networks:
    """Answers readers; every answer needs a grant and is audited durably before it is returned, empty ones too.

    All verbs raise Unavailable: nothing may be released.
    """

    graph: Graph

    def carriers(self, grant: Grant, identifiers: Collection[IdentifierId], witnessed: Witnessed) -> tuple[Node, ...]:
        """Return the visible subjects that a visible signal says carry one of `identifiers`, each once, by id."""
        return self._nodes(queries.CARRIERS, identifiers, grant, witnessed)

    def named(self, grant: Grant, mentions: Collection[MentionId], witnessed: Witnessed) -> tuple[Node, ...]:
        """Return, of `mentions`, the visible ones with their subjects; a subject stands there once for each."""
        return self._nodes(queries.NAMED_MENTIONS, mentions, grant, witnessed)

    def subject(self, grant: Grant, subject: SubjectId, witnessed: Witnessed) -> SubjectView | None:
        """Return the subject with every visible mention and link of it, by id, or None (absent or hidden)."""

        def work(tx: ManagedTransaction) -> tuple[SubjectView | None, Entry]:
            row = tx.run(queries.SUBJECT_VIEW, id=subject, **sight(grant)).single()
            view = _view(row["subject"], row["mentions"], row["links"]) if row and row["mentions"] else None
            found = len(view.mentions) + len(view.links) if view else 0
            return view, witnessed([subject] if view else [], found)

        return disclose(self.graph, work)

    def network(
        self,
        grant: Grant,
        start: SubjectId,
        *,
        depth: int,
        kinds: Collection[LinkKind],
        budget: int,
        witnessed: Witnessed,
    ) -> SealedNetwork | None:
        """Return the network around `start`, or None (absent or hidden).

        Links are taken ring by ring, in each by id. Where the budget runs out, the rest of that ring is counted and no
        further ring is looked at. Harbours end a line: nobody is linked to others by a harbour alone.

        Args:
            grant: of the reader.
            start: the subject in the middle.
            depth: how many links away from `start`, 1 to 3.
            kinds: kinds of links that count; empty: all.
            budget: links at most.
            witnessed: makes the audit entry; its count is that of subjects and links.
        """
        eyes = sight(grant)

        def work(tx: ManagedTransaction) -> tuple[SealedNetwork | None, Entry]:
            links, left_out = _rings(tx, eyes, start, depth=depth, types=_types(kinds), budget=budget)
            picture = _picture(tx, eyes, links, left_out, also=[start])
            found = picture if start in _targets(picture) else None
            return found, _witness(witnessed, found)

        return disclose(self.graph, work)

    def paths(
        self,
        grant: Grant,
        ends: tuple[SubjectId, SubjectId],
        *,
        steps: int,
        kinds: Collection[LinkKind],
        most: int,
        witnessed: Witnessed,
    ) -> SealedPaths | None:
        """Return shortest visible paths between `ends`, or None when one of them is absent or hidden.

        Alternatives differ in their stops, in whose order they come; of parallel links each step names the first by id.
        A harbour ties nobody together, unless `kinds` asks for `active-at`.

        Args:
            grant: of the reader.
            ends: two different subjects.
            steps: links in a path at most, 1 to 6.
            kinds: kinds of links that count; empty: all.
            most: alternatives at most, chosen among the first `queries.MOST_PATHS`.
            witnessed: makes the audit entry; its count is that of paths.
        """
        eyes = sight(grant)
        text = queries.PATHS_BY_PORT if LinkKind.ACTIVE_AT in kinds else queries.PATHS

        def work(tx: ManagedTransaction) -> tuple[SealedPaths | None, Entry]:
            if len(tx.run(queries.VISIBLE_SUBJECTS, ids=list(ends), **eyes).values()) < len(set(ends)):
                return None, witnessed([], 0)
            rows = list(tx.run(text, a=ends[0], b=ends[1], types=_types(kinds), steps=steps, most=most, **eyes))
            found = _routes(tx, eyes, rows)
            return found, witnessed({*ends, *_targets(found.network)}, len(found.paths))

        return disclose(self.graph, work)

    def _nodes(self, query: str, ids: Collection[str], grant: Grant, witnessed: Witnessed) -> tuple[Node, ...]:
        def work(tx: ManagedTransaction) -> tuple[tuple[Node, ...], Entry]:
            rows = tx.run(query, ids=list(ids), **sight(grant))
            nodes = tuple(records.node(row["subject"], row["mention"]) for row in rows)
            return nodes, witnessed({node.subject.facts.id for node in nodes}, len(nodes))

        return disclose(self.graph, work)


def _types(kinds: Collection[LinkKind]) -> list[str]:
    return sorted(kind.relationship for kind in kinds or LinkKind)


def _view(subject: records.Row, mentions: Sequence[records.Row], links: Sequence[records.Row]) -> SubjectView:
    return SubjectView(
        subject=records.subject(subject),
        mentions=tuple(sorted(map(records.mention, mentions), key=lambda one: one.facts.id)),
        links=tuple(sorted(map(records.link, links), key=lambda one: one.facts.id)),
        received=tuple(sorted({day for row in mentions if (day := records.received_on(row)) is not None})),
    )


def _rings(
    tx: ManagedTransaction, eyes: Sight, start: SubjectId, *, depth: int, types: list[str], budget: int
) -> tuple[list[SealedLink], int]:
    """Return the links around `start`, ring by ring, and how many visible ones the budget cut off."""
    links: list[SealedLink] = []
    inner: set[str] = set()
    frontier = {str(start)}
    for _ in range(depth):
        row = tx.run(
            queries.NETWORK_RING,
            frontier=sorted(frontier),
            inner=sorted(inner),
            left=budget - len(links),
            types=types,
            **eyes,
        ).single(strict=True)
        ring = [records.link(one) for one in row["links"]]
        links += ring
        if row["found"] > len(ring):
            return links, row["found"] - len(ring)
        inner |= frontier
        frontier = _subjects(ring) - inner
        if not frontier:
            break
    return links, 0


def _subjects(links: Iterable[SealedLink]) -> set[str]:
    ends: set[str] = set()
    for link in links:
        ends.add(link.facts.from_)
        if not link.facts.to_port:
            ends.add(link.facts.to)
    return ends


def _picture(
    tx: ManagedTransaction, eyes: Sight, links: Sequence[SealedLink], left_out: int, *, also: Iterable[str] = ()
) -> SealedNetwork:
    """Name what `links` tie together; what went while this transaction was reading is left out with its links."""
    rows = tx.run(queries.NAMED_SUBJECTS, ids=sorted(_subjects(links).union(also)), **eyes)
    nodes = tuple(records.node(row["subject"], row["mention"]) for row in rows)
    codes = sorted({link.facts.to for link in links if link.facts.to_port})
    ports = tx.run(queries.PORTS, codes=codes) if codes else ()
    there = {str(node.subject.facts.id) for node in nodes}
    return SealedNetwork(
        nodes=nodes,
        harbours=tuple(records.harbour(row["port"]) for row in ports),
        links=tuple(link for link in links if _subjects([link]) <= there),
        left_out=left_out,
    )


def _targets(network: SealedNetwork) -> set[str]:
    return {node.subject.facts.id for node in network.nodes}


def _witness(witnessed: Witnessed, found: SealedNetwork | None) -> Entry:
    if found is None:
        return witnessed([], 0)
    return witnessed(_targets(found), len(found.nodes) + len(found.links))


def _routes(tx: ManagedTransaction, eyes: Sight, rows: Sequence[Record]) -> SealedPaths:
    ties = [[records.link(one) for one in row["links"]] for row in rows]
    used = {link.facts.id: link for path in ties for link in path}
    network = _picture(tx, eyes, [used[id_] for id_ in sorted(used)], 0)
    there = {link.facts.id for link in network.links}
    paths = tuple(
        Path(stops=tuple(row["stops"]), links=tuple(link.facts.id for link in path))
        for row, path in zip(rows, ties, strict=True)
        if all(link.facts.id in there for link in path)
    )
    return SealedPaths(paths=paths, network=network)

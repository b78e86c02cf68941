"""Finding and seeing: every answer under a grant, audited before it is released, hidden exactly like absent.

Candidates may come from memory; what is answered always comes from the graph, where visibility, deadline and existence
are checked inside the reading transaction that also writes the audit entry.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import wraps
from typing import Concatenate, Final, ParamSpec, TypeVar

from register.accepted import OpenedMention
from register.access import PERMISSIONS, Actor, Grant, Permission, Reason, authorise
from register.answers import Caption, Hit, Picture, Route, SignalPage, SubjectPage, hit_of, statement_of
from register.audit import Act, Entry, refused_entry
from register.budgets import Allowance, Budget, Spending
from register.clock import Clock, civil_date
from register.decisions import ActKind, decode_all
from register.doubts import incident, steadily
from register.errors import Exhausted, Fault, Invalid, NotFound, Refused, Tampered
from register.ids import IdentifierId, MentionId, SignalId, SubjectId, mint
from register.interfaces import Lookup, Sealing
from register.lifetime import DeadlineOf
from register.links import LinkKind
from register.narrative import GONE, read
from register.roster import Roster
from register.sealed import SubjectFacts
from register.stores import NetworkStore, Node, SealedNetwork, SignalStore, Trail, Witnessed
from register.subjects import STRONG, IdentifierKind, NewIdentifier, normalise
from register.unstated import UNSTATED, kept_in

Answer = TypeVar("Answer")
Asked = ParamSpec("Asked")
Id = TypeVar("Id", bound=str)

CANDIDATES: Final = 50
"""How many rows of the table of names the graph is asked about: some may be past their term and not shown."""

MENTIONS: Final = 256
"""A search by name asks the graph for exactly so many mentions, hits or none."""

IDENTIFIERS: Final = 8
"""A search by identifier asks the graph for exactly so many identifiers, known or not."""


ROUNDS: Final = 3
"""So often one question hides what does not verify and is asked again; what is left then is for the nightly run."""


def _again(
    ask: Callable[Concatenate["Enquiry", Asked], Answer],
) -> Callable[Concatenate["Enquiry", Asked], Answer]:
    """Hide a record that does not verify, with an incident, and answer as a register without it does."""

    @wraps(ask)
    def asked(enquiry: "Enquiry", /, *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        return enquiry.guarded(lambda: ask(enquiry, *args, **kwargs))

    return asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Enquiry:
    """Answers readers."""

    lookup: Lookup
    sealing: Sealing
    signals: SignalStore
    networks: NetworkStore
    roster: Roster
    trail: Trail
    clock: Clock
    deadline: DeadlineOf
    budget: Budget
    allowance: Allowance

    def find_by_name(
        self, actor: Actor, reason: Reason, name: str, *, born_on: str | None = None, limit: int = 10
    ) -> tuple[Hit, ...]:
        """Return the visible subjects whose stated names come nearest to `name`, best first; spends one search.

        Raises:
            Refused, Exhausted, Invalid (purpose, case, fewer than three letters), Unavailable, Tampered.
        """
        self._spend(actor, reason)
        return self.look_up(actor, reason, name, born_on=born_on, limit=limit)

    @_again
    def look_up(
        self, /, actor: Actor, reason: Reason, name: str, *, born_on: str | None, limit: int, **detail: str
    ) -> tuple[Hit, ...]:
        """Do what `find_by_name` does, for who has spent it already; `detail` stands in the entry. Raises the same."""
        grant, witnessed = self.enter(actor, Permission.SUBJECT_FIND, Act.SUBJECT_FIND, reason, **detail)
        candidates = self.roster.search(actor, name, born_on=born_on, limit=CANDIDATES)
        each = MENTIONS // CANDIDATES
        owner = {mention: candidate for candidate, mentions in candidates for mention in mentions[-each:]}
        nodes = self.networks.named(grant, _padded(owner, MENTIONS, MentionId), witnessed)
        opened = self._named(nodes)
        best: dict[SubjectId, Hit] = {}
        for node, mention in zip(nodes, opened, strict=True):
            candidate = owner[node.mention.facts.id]
            hit = hit_of(node, mention, self._shown_at(node), candidate.score, candidate.reasons)
            if hit.subject not in best or best[hit.subject].score < hit.score:
                best[hit.subject] = hit
        found = sorted(best.values(), key=lambda hit: (-hit.score, hit.subject))[:limit]
        return self.released(tuple(found))

    def find_by_identifier(self, actor: Actor, reason: Reason, kind: IdentifierKind, value: str) -> tuple[Hit, ...]:
        """Return the visible subjects that a visible signal says carry this strong identifier; spends one search.

        Raises:
            Refused, Exhausted, Invalid (purpose, case, not a strong kind), Unavailable, Tampered.
        """
        self._spend(actor, reason)
        return self._found_by_identifier(actor, reason, kind, value)

    @_again
    def _found_by_identifier(self, actor: Actor, reason: Reason, kind: IdentifierKind, value: str) -> tuple[Hit, ...]:
        grant, witnessed = self.enter(actor, Permission.SUBJECT_FIND, Act.SUBJECT_FIND, reason)
        if kind not in STRONG:
            listed = ", ".join(STRONG)
            fault = Fault(pointer="/identifier/kind", rule="identifier.weak", message=f"search by one of {listed}")
            raise Invalid([fault])
        known = self.lookup.identifiers([NewIdentifier(kind=kind, value=normalise(kind, value))])
        nodes = self.networks.carriers(grant, _padded(known.values(), IDENTIFIERS, IdentifierId), witnessed)
        hits = [
            hit_of(node, one, self._shown_at(node), 100.0, ("identifier",))
            for node, one in zip(nodes, self._named(nodes), strict=True)
        ]
        return self.released(tuple(hits))

    @_again
    def subject(self, actor: Actor, reason: Reason, subject: SubjectId) -> SubjectPage:
        """Return everything visible about one subject.

        Raises:
            NotFound (absent or hidden), Refused, Invalid, Unavailable, Tampered.
        """
        grant, witnessed = self.enter(actor, Permission.SUBJECT_OPEN, Act.SUBJECT_OPEN, reason)
        view = self.networks.subject(grant, subject, witnessed)
        if view is None:
            raise NotFound
        self.sealing.check([view.subject, *view.links])
        opened = self.sealing.open_mentions(view.mentions)
        page = SubjectPage(
            subject=view.subject.facts.id,
            kind=view.subject.facts.kind,
            remove_by=self._shown(view.subject.facts, view.received),
            statements=tuple(statement_of(one, {one.facts.place: one}, gone="[…]") for one in opened),
            links=tuple(link.facts for link in view.links),
        )
        return self.released(page)

    @_again
    def open_signal(self, actor: Actor, reason: Reason, signal: SignalId, *, language: str = "en") -> SignalPage:
        """Return one signal, readable; `language` (nl, en) is that of the placeholder for who is gone.

        Raises:
            NotFound (absent or hidden), Refused, Invalid, Unavailable, Tampered.
        """
        grant, witnessed = self.enter(actor, Permission.SIGNAL_OPEN, Act.SIGNAL_OPEN, reason)
        sealed = self.signals.open(grant, signal, witnessed)
        if sealed is None:
            raise NotFound
        self.sealing.check(sealed.links)
        opened = self.sealing.open_signal(sealed)
        present = {one.facts.place: one for one in opened.mentions}
        labels = {place: one.labels for place, one in present.items()}
        gone = GONE[language]
        page = SignalPage(
            facts=opened.facts,
            texts={name: read(text, labels, gone=gone) for name, text in opened.texts.items() if name != UNSTATED},
            unstated=kept_in(opened.texts) if Permission.DESK_SEE in PERMISSIONS[actor.role] else (),
            statements=tuple(statement_of(one, present, gone=gone) for one in opened.mentions),
            links=tuple(link.facts for link in sealed.links),
        )
        return self.released(page)

    @_again
    def network(
        self,
        actor: Actor,
        reason: Reason,
        start: SubjectId,
        *,
        depth: int = 2,
        kinds: Collection[LinkKind] = (),
        budget: int = 500,
    ) -> Picture:
        """Return the network around a subject: depth 1 to 3, these kinds only (empty: all), at most `budget` links.

        Raises:
            NotFound (absent or hidden), Refused, Invalid (purpose, case, depth, budget), Unavailable, Tampered.
        """
        grant, witnessed = self.enter(actor, Permission.NETWORK_SHOW, Act.NETWORK_SHOW, reason)
        _within([("/depth", depth, 1, 3), ("/budget", budget, 1, 2000)])
        found = self.networks.network(grant, start, depth=depth, kinds=kinds, budget=budget, witnessed=witnessed)
        if found is None:
            raise NotFound
        return self.released(self._picture(found))

    @_again
    def paths(
        self,
        actor: Actor,
        reason: Reason,
        ends: tuple[SubjectId, SubjectId],
        *,
        steps: int = 6,
        kinds: Collection[LinkKind] = (),
        most: int = 5,
    ) -> tuple[tuple[Route, ...], Picture]:
        """Return the shortest paths between two subjects (none: an empty tuple), with what lies on them.

        Raises:
            NotFound (an end is absent or hidden), Refused, Invalid (purpose, case, ends), Unavailable, Tampered.
        """
        grant, witnessed = self.enter(actor, Permission.PATHS_SHOW, Act.PATHS_SHOW, reason)
        _within([("/steps", steps, 1, 6), ("/most", most, 1, 20)])
        if ends[0] == ends[1]:
            raise Invalid([Fault(pointer="/to", rule="ends.same", message="a path needs two different ends")])
        found = self.networks.paths(grant, ends, steps=steps, kinds=kinds, most=most, witnessed=witnessed)
        if found is None:
            raise NotFound
        routes = tuple(Route(stops=path.stops, links=path.links) for path in found.paths)
        return self.released((routes, self._picture(found.network)))

    def _spend(self, actor: Actor, reason: Reason) -> None:
        """Count one search; what is over the budget is recorded like any refusal."""
        grant, _ = self.enter(actor, Permission.SUBJECT_FIND, Act.SUBJECT_FIND, reason)
        if self.budget.spend(actor.code, Spending.SEARCH, self.allowance, now=grant.as_of):
            return
        code = "search.exhausted"
        self.trail.append([refused_entry(actor.code, actor.role, Act.SUBJECT_FIND, grant.as_of, code)])
        raise Exhausted(code, f"{self.allowance.most} searches in {self.allowance.within} are used up; ask later")

    def guarded(self, ask: Callable[[], Answer]) -> Answer:
        """Ask; hide a record that does not verify, with an incident, and ask again. Raises Tampered at last."""
        for _ in range(ROUNDS):
            try:
                return steadily(self.sealing, ask)
            except Tampered as tampered:
                self.hide(tampered.ids)
                if not tampered.ids:
                    raise
        return ask()

    def hide(self, ids: Collection[str]) -> None:
        """Hide subjects and signals that do not verify, at once, with an incident; there is one without ids too."""
        now = self.clock.now()
        if ids:
            self.signals.distrust(ids, on=civil_date(now), entry=incident("does-not-verify", ids, now))
        else:
            self.trail.append([incident("does-not-open", ids, now)])

    def enter(
        self, actor: Actor, permission: Permission, act: Act, reason: Reason, **detail: str | int
    ) -> tuple[Grant, Witnessed]:
        """Return the leave for one act and what makes its audit entry, or record the refusal.

        Raises:
            Refused, Invalid (purpose, case), Unavailable.
        """
        now = self.clock.now()
        try:
            grant = authorise(actor, permission, as_of=now, purpose=reason.purpose, case=reason.case)
        except Refused as refused:
            self.trail.append([refused_entry(actor.code, actor.role, act, now, refused.code)])
            raise
        entry = Entry(
            at=now,
            actor=actor.code,
            role=actor.role,
            act=act,
            purpose=reason.purpose,
            case=reason.case,
            detail=detail,
        )
        return grant, entry.found

    def _named(self, nodes: Iterable[Node]) -> tuple[OpenedMention, ...]:
        nodes = tuple(nodes)
        self.sealing.check([node.subject for node in nodes])
        return self.sealing.open_mentions([node.mention for node in nodes])

    def _picture(self, found: SealedNetwork) -> Picture:
        self.sealing.check(found.links)
        opened = self._named(found.nodes)
        captions = (
            Caption(
                subject=node.subject.facts.id,
                kind=node.subject.facts.kind,
                name=mention.names[0],
                remove_by=self._shown_at(node),
            )
            for node, mention in zip(found.nodes, opened, strict=True)
        )
        links = tuple(link.facts for link in found.links)
        return Picture(subjects=tuple(captions), harbours=found.harbours, links=links, left_out=found.left_out)

    def _shown(self, facts: SubjectFacts, received: Iterable[date]) -> date | None:
        """Return the date of removal where it follows from what the reader sees, else None.

        It follows from the day on which a visible signal was received, or from the day of a decision; one that only
        hidden signals give is not shown, or it would say when they came in.
        """
        decided = (one.on for one in decode_all(facts.acts) if one.kind in (ActKind.NECESSITY, ActKind.ORDER))
        gives = (self.deadline(day).remove_by for day in (*received, *decided))
        return facts.remove_by if facts.remove_by in gives else None

    def _shown_at(self, node: Node) -> date | None:
        return self._shown(node.subject.facts, () if node.received_on is None else (node.received_on,))

    def released(self, answer: Answer) -> Answer:
        """Let the answer go only while this process still serves the key store's generation."""
        self.sealing.assert_current()
        return answer


def _within(bounds: Iterable[tuple[str, int, int, int]]) -> None:
    faults = [
        Fault(pointer=pointer, rule="number.range", message=f"must be {least} to {most}")
        for pointer, value, least, most in bounds
        if not least <= value <= most
    ]
    if faults:
        raise Invalid(faults)


def _padded(ids: Collection[Id], size: int, kind: Callable[[str], Id]) -> tuple[Id, ...]:
    """Fill up to `size` with random ids, so that the graph's work says nothing about how much memory found."""
    return (*ids, *(kind(mint()) for _ in range(size - len(ids))))

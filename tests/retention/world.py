"""A small register for tests of retention: signals with facts, MACs and dates as intake would write them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from itertools import combinations

from evidence.merkle import ids_root
from register.audit import Act, Entry
from register.grading import Category, EvaluationScheme, HandlingCode, Origin
from register.ids import IdentifierId, LinkId, MentionId, RegisterId, RunId, SignalId, SubjectId
from register.links import Basis, LinkKind
from register.runs import Lease
from register.sealed import (
    LinkFacts,
    MentionFacts,
    SealedLink,
    SealedMention,
    SealedSignal,
    SealedSubject,
    SignalFacts,
    SubjectFacts,
)
from retention.certificate import Issuer
from retention.intent import survey
from retention.orders import Orders
from retention.plan import Plan
from retention.policy import shipped
from retention.rules import Policy
from retention.run import RetentionRun
from retention.terms import reckon, signal_event
from retention.versions import Timeline
from tests.builders import subject_facts
from tests.fakes import (
    FakeArchive,
    FakeEvidence,
    FakeFacts,
    FakeGraph,
    FakeKeyStore,
    FakeReplicas,
    FakeResemblance,
    Fate,
    SetClock,
)

POLICY = shipped("2026-01-01-theme-bribery.toml")
OFFICER, SECOND = "officer-1", "officer-2"


def hexid(kind: str, name: str) -> str:
    """Return an id that shows in a failing test what it stands for."""
    return (kind + name).encode().hex().ljust(32, "0")[:32]


@dataclass(slots=True)
class World:
    """Graph, key store, facts and evidence of one register."""

    policy: Policy = POLICY
    rehearsal: bool = False
    clock: SetClock = field(default_factory=SetClock)
    graph: FakeGraph = field(init=False)
    keys: FakeKeyStore = field(default_factory=FakeKeyStore)
    replicas: FakeReplicas = field(default_factory=FakeReplicas)
    facts: FakeFacts = field(default_factory=FakeFacts)
    names: FakeResemblance = field(default_factory=FakeResemblance)
    archive: FakeArchive = field(default_factory=FakeArchive)
    evidence: FakeEvidence = field(init=False)
    steps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.graph = FakeGraph(clock=self.clock)
        self.evidence = FakeEvidence(trail=self.graph)

    def signal(
        self,
        name: str,
        received_on: date,
        subjects: Sequence[str] = (),
        *,
        accepted_on: date | None = None,
        identifiers: Iterable[tuple[str, str]] = (),
        port: str | None = None,
    ) -> SignalId:
        """Record a signal about `subjects`, each linked to each other, carrying (subject, identifier) pairs."""
        signal = SignalId(hexid("signal", name))
        carried = list(identifiers)
        mentions = tuple(self._mention(signal, name, place, subject, carried) for place, subject in enumerate(subjects))
        links = tuple(
            self._link(signal, f"{name}{one}{other}", SubjectId(hexid("subject", one)), hexid("subject", other))
            for one, other in combinations(subjects, 2)
        )
        if port is not None:
            links += (
                self._link(signal, f"{name}{port}", SubjectId(hexid("subject", subjects[0])), port, to_port=True),
            )
        entered = datetime.combine(accepted_on or received_on, time(12), UTC)
        facts = SignalFacts(
            id=signal,
            revision=1,
            content=1,
            received_on=received_on,
            handed_in_on=entered.date(),
            entered_at=entered,
            contributor="desk-1",
            origin=Origin.HOTLINE,
            scheme=EvaluationScheme.NOT_PROVIDED,
            handling=HandlingCode.H1,
            remove_by=None if subjects else self.policy.rule.term.after(received_on),
            mentions=tuple(sorted(one.facts.id for one in mentions)),
            links=tuple(sorted(one.facts.id for one in links)),
        )
        self.graph.signals_held[signal] = SealedSignal(
            facts=facts, mac=self.facts.mac(facts), sealed={}, mentions=mentions, links=links
        )
        self.keys.rows.add(signal)
        self.facts.remember([(signal, 1)])
        for subject in subjects:
            self._moved(SubjectId(hexid("subject", subject)))
        return signal

    def _mention(
        self, signal: SignalId, name: str, place: int, subject: str, carried: Sequence[tuple[str, str]]
    ) -> SealedMention:
        identifiers = sorted(IdentifierId(hexid("identifier", value)) for who, value in carried if who == subject)
        self.graph.identifiers_held.update(identifiers)
        self.keys.tokens.update(identifiers)
        facts = MentionFacts(
            id=MentionId(hexid("mention", name + subject)),
            signal=signal,
            subject=SubjectId(hexid("subject", subject)),
            place=place,
            category=Category.INVOLVED,
            identifiers=tuple(identifiers),
            handling=HandlingCode.H1,
        )
        return SealedMention(facts=facts, mac=self.facts.mac(facts), sealed={})

    def _link(self, signal: SignalId, name: str, from_: SubjectId, to: str, *, to_port: bool = False) -> SealedLink:
        facts = LinkFacts(
            id=LinkId(hexid("link", name)),
            signal=signal,
            kind=LinkKind.PAID,
            from_=from_,
            to=to,
            to_port=to_port,
            basis=Basis.FACT,
            handling=HandlingCode.H1,
        )
        return SealedLink(facts=facts, mac=self.facts.mac(facts))

    def _moved(self, subject: SubjectId) -> None:
        """Write the subject's facts as its signals now give them, its revision raised by one."""
        signals = [one.facts for one in self.graph.mentioning({subject})]
        due = reckon(self.policy, [signal_event(one.received_on, one.accepted_on) for one in signals]).due_on
        old = self.graph.subjects_held.get(subject)
        revision = 1 if old is None else old.facts.revision + 1
        self.subject(subject_facts(subject, revision=revision, remove_by=due))

    def subject(self, facts: SubjectFacts) -> None:
        """Write a subject's facts with their MAC."""
        self.graph.subjects_held[facts.id] = SealedSubject(facts=facts, mac=self.facts.mac(facts))
        self.keys.rows.add(facts.id)
        self.facts.remember([(facts.id, facts.revision)])

    def forge(self, subject: str, remove_by: date) -> SubjectId:
        """Change a subject's date as the database operator would: without the key."""
        item = SubjectId(hexid("subject", subject))
        held = self.graph.subjects_held[item]
        self.graph.subjects_held[item] = replace(held, facts=replace(held.facts, remove_by=remove_by))
        return item

    def plan(self, on: date) -> Plan:
        return survey(self.graph, self.graph, self.archive, self.facts, self.policy, on)

    def orders(self) -> Orders:
        return Orders(
            erasure=self.graph,
            holds=self.graph,
            archive=self.archive,
            check=self.facts,
            trail=self.graph,
            clock=self.clock,
            in_force=Timeline.of(self.policy).on,
            rehearsal=self.rehearsal,
        )

    def order(self, on: date, by: str = OFFICER) -> RunId:
        return self.orders().order(on, by, self.entry(Act.RETENTION_ORDER, by))

    def approve(self, run: RunId, digest: str, by: str = SECOND) -> None:
        self.orders().approve(run, digest, by, self.entry(Act.RETENTION_APPROVE, by))

    def entry(self, act: Act, by: str) -> Entry:
        return Entry(at=self.clock.now(), actor=by, role="compliance-officer", act=act)

    def process(self, fate: Fate | None = None, *, holder: str = "keeper-1") -> RetentionRun:
        """Return what a fresh process of the keeper works with; `fate` says when it dies."""
        fate = fate or Fate()

        def told(step: object) -> None:
            self.steps.append(str(step.point))  # type: ignore[attr-defined]
            fate.moment()

        return RetentionRun(
            erasure=fate.over(self.graph),
            holds=self.graph,
            archive=fate.over(self.archive),
            forgetting=fate.over(self.keys),
            replicas=self.replicas,
            check=fate.over(self.facts),
            names=fate.over(self.names),
            evidence=fate.over(self.evidence),
            trail=fate.over(self.graph),
            clock=self.clock,
            policy=self.policy,
            issuer=Issuer(
                register=RegisterId("ab" * 16),
                origin="theme-register.example/test",
                controller="College van procureurs-generaal",
                site=None,
                version="0.1.0",
                settings=None,
                rehearsal=self.rehearsal,
            ),
            ids_root=ids_root,
            holder=holder,
            progress=told,
            pause=lambda: self.keys.workers.clear(),
        )

    def carry_out(self) -> None:
        """Work off everything ordered and unfinished, as a keeper with fresh processes does."""
        while (run := self.process().until_forgotten()) is not None and run.state != "planned":
            self.process().finish()

    def lease(self) -> Lease:
        lease = self.keys.lease("keeper-1", now=self.clock.now(), seconds=60)
        assert lease is not None
        assert self.graph.accept(lease) == lease.fence
        return lease

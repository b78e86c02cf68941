"""Wiring: opens one register's folders and graph, and gives every use case what it needs. Decides nothing.

Whoever opens a `Workplace` is a worker: a process that holds the root key, with a lease in the key store, to be
replaced after every purge.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, lru_cache, partial
from importlib.metadata import version
from typing import Final

from api.alarm import Alarm
from api.anchors import anchor_of
from api.auditing import AuditDesk
from api.harbours import harbours_of
from api.logbook import Logbook
from api.names import Names
from api.offices import Offices
from api.places import check_quarantine, keystore_url, register_of
from api.policies import PolicyBook, text_of
from api.processing import CONTROLLER
from api.replicas import Replication
from api.retaining import Retaining
from api.server import endpoint
from api.settings import SEARCHES, Settings
from api.ticks import NeverBack, Ticks
from api.watch import Halting
from evidence.merkle import ids_root
from graph import schema
from graph.connection import Graph
from graph.endpoint import Endpoint
from graph.erasure import Purging
from graph.holds import Holds
from graph.network import Networks
from graph.signals import Signals
from graph.trail import AuditTrail
from register.access import Actor
from register.budgets import Allowance
from register.clock import Clock, SystemClock, civil_date
from register.custody import Custody
from register.enquiry import Enquiry
from register.enrolment import Enrolment
from register.errors import Conflict, RegisterError, Unavailable
from register.intake import Intake
from register.oversight import Oversight
from register.ports import Harbours
from register.roster import Roster
from retention.certificate import Issuer
from retention.rules import Policy
from retention.run import RetentionRun
from retention.steps import Progress
from retention.terms import deadline
from vault.archive.archivist import ARCHIVE, Archivist
from vault.formats import AESGCM, Cipher
from vault.keystore.budgets import Budgets
from vault.keystore.credentials import Credentials
from vault.keystore.leases import Workers, process_start
from vault.keystore.place import open_database
from vault.keystore.purge import Purge
from vault.keystore.store import KeyStore
from vault.lookup import Lookup
from vault.sealing import Sealer
from vault.signing import PresentLogKeys, SignatureVerifier
from vault.strands import Strand, Strands, TrailKey

LOG_KEYS: Final = "log"


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """An opened register, as one worker uses it.

    Attributes:
        store: the opened key store; it holds the root key of one generation.
        worker: code of this worker's lease.
    """

    settings: Settings
    graph: Graph
    store: KeyStore
    policy: Policy
    clock: Clock
    workers: Workers
    worker: str

    @cached_property
    def sealer(self) -> Sealer:
        """Seals and opens."""
        return Sealer(self.store)

    @cached_property
    def lookup(self) -> Lookup:
        """Finds by value."""
        return Lookup(self.store)

    @cached_property
    def trail(self) -> AuditTrail:
        """Keeps audit entries."""
        return AuditTrail(self.graph)

    @cached_property
    def erasure(self) -> Purging:
        """The graph's side of retention."""
        return Purging(self.graph)

    @cached_property
    def archivist(self) -> Archivist:
        """Fills the closed archive."""
        return Archivist(self.store, self.sealer, self.settings.home / ARCHIVE)

    @cached_property
    def harbours(self) -> Harbours:
        """The harbours this register knows."""
        return harbours_of(self.settings.home)

    @cached_property
    def roster(self) -> Roster:
        """The names in memory."""
        return Roster(store=Signals(self.graph), sealing=self.sealer, table=Names(), clock=self.clock, trail=self.trail)

    @cached_property
    def logbook(self) -> Logbook:
        """Log and certificates."""
        return logbook(self.settings, self.store.register, self.trail, self.clock)

    @cached_property
    def intake(self) -> Intake:
        """Takes signals in."""
        return Intake(
            lookup=self.lookup,
            sealing=self.sealer,
            store=Signals(self.graph),
            trail=self.trail,
            harbours=self.harbours,
            deadline=lru_cache(4096)(partial(deadline, self.policy)),  # the same few days again and again
            review=self.offices.terms,
            clock=self.clock,
            backlog=self.offices.backlog,
            informant_months=self.policy.informant.months,
        )

    @cached_property
    def enquiry(self) -> Enquiry:
        """Answers readers."""
        return Enquiry(
            lookup=self.lookup,
            sealing=self.sealer,
            signals=Signals(self.graph),
            networks=Networks(self.graph),
            roster=self.roster,
            trail=self.trail,
            clock=self.clock,
            deadline=partial(deadline, self.policy),
            budget=Budgets(self.store.database),
            allowance=self.search_allowance,
        )

    @property
    def search_allowance(self) -> Allowance:
        """How many searches a user has: above the usual only among made-up people."""
        most = self.settings.searches
        return Allowance(most=most if self.store.rehearsal else min(most, SEARCHES), within=timedelta(hours=1))

    @cached_property
    def book(self) -> PolicyBook:
        """The versions of the policy."""
        return PolicyBook(self.settings.home, self.store.register, self.sealer)

    @property
    def superseded(self) -> bool:
        """Whether another version of the policy came into force since this was opened: a fresh process goes by it."""
        return self.book.on(civil_date(self.clock.now())) != self.policy

    @cached_property
    def retaining(self) -> Retaining:
        """Answers compliance officers: runs, what is to come, versions of the policy."""
        return Retaining(
            graph=self.graph,
            archive=self.archivist,
            sealer=self.sealer,
            trail=self.trail,
            clock=self.clock,
            policy=self.policy,
            book=self.book,
            logbook=self.logbook,
            ticks=Ticks(folder=self.settings.keys_folder),
            store=self.store,
        )

    @property
    def custody(self) -> Custody:
        """Answers compliance officers about runs and what is to come."""
        return self.retaining.custody

    @cached_property
    def oversight(self) -> Oversight:
        """Answers officers about the log."""
        return Oversight(log=AuditDesk(self.logbook), trail=self.trail, clock=self.clock)

    @cached_property
    def offices(self) -> Offices:
        """Answers reviewers, the desk, privacy officers and those who lay holds."""
        return Offices(self.graph, self.store, self.sealer, self.trail, self.clock, self.policy)

    @cached_property
    def enrolment(self) -> Enrolment:
        """Answers administrators."""
        return Enrolment(credentials=Credentials(self.store.database), trail=self.trail, clock=self.clock)

    def run(self, holder: str, progress: Progress, pause: Callable[[], None]) -> RetentionRun:
        """Return what carries the next run out, by the policy of its day.

        `holder` is the keeper whose children share one lease.
        """
        return RetentionRun(
            erasure=self.erasure,
            holds=Holds(self.graph),
            archive=self.archivist,
            forgetting=Purge(self.store),
            replicas=Replication(self.settings, self.store, self.logbook, self.trail, self.clock),
            check=self.sealer,
            names=self.offices.resembling,
            evidence=self.logbook,
            trail=self.trail,
            clock=self.clock,
            policy=self.book.on(self.retaining.run_day),
            issuer=Issuer(
                register=self.store.register,
                origin=self.logbook.origin,
                controller=CONTROLLER,
                site=None,
                version=version("theme-register"),
                settings=None,
                rehearsal=self.store.rehearsal,
            ),
            ids_root=ids_root,
            holder=holder,
            progress=progress,
            pause=pause,
        )

    @property
    def language(self) -> str:
        """Language of texts for people."""
        return self.settings.language

    def actor_of(self, key: str) -> Actor | None:
        """Return whose API key this is, cleared as the policy orders the handling codes; None if nobody's now."""
        found = Credentials(self.store.database).find(key, now=self.clock.now())
        if found is None:
            return None
        cleared = self.policy.cleared(found.handling)
        return Actor(code=found.code, role=found.role, markings=found.markings, handling=cleared)

    def current(self) -> bool:
        """Say whether this process may go on serving."""
        with suppress(RegisterError):
            self.store.assert_current()
            return True
        return False

    def readiness(self) -> dict[str, bool]:
        """Say what is ready: names in memory, graph, key store, and no alarm about the audit trail."""
        reached = False
        with suppress(Unavailable):
            self.graph.verify(timeout=2)
            reached = True
        quiet = not Alarm(home=self.settings.home).codes()
        return {"names": self.roster.complete, "graph": reached, "key-store": self.current(), "trail": quiet}


def origin(register: str) -> str:
    """Return the origin line of the register's log, which is also the name of its keys."""
    return f"theme-register/{register}"


def logbook(settings: Settings, register: str, trail: AuditTrail, clock: Clock) -> Logbook:
    """Return log and certificates of a register; needs the log keys, no other key."""
    keys = settings.keys_folder / LOG_KEYS
    return Logbook(
        home=settings.home,
        origin=origin(register),
        signer=PresentLogKeys(keys),
        verifier=SignatureVerifier(),
        memory=keys / "checkpoint",
        trail=trail,
        policy=partial(text_of, settings.home),
        now=clock.now,
        strands=Strands(keys, TrailKey.load(keys)),
        alarm=Alarm(home=settings.home),
    )


@contextmanager
def vouched(settings: Settings, endpoint_: Endpoint) -> Iterator[Graph]:
    """Open the graph for writing audit entries: with a strand of this process, which stops with the log."""
    keys, alarm = settings.keys_folder / LOG_KEYS, Alarm(home=settings.home)
    with Strand(keys, TrailKey.load(keys)) as own, Graph(endpoint_, strand=Halting(strand=own, alarm=alarm)) as graph:
        yield graph


@contextmanager
def workplace(
    settings: Settings, kind: str, *, clock: Clock | None = None, cipher: Cipher = AESGCM, quarantined: bool = False
) -> Iterator[Workplace]:
    """Open the register of `settings` as a worker of this `kind`, with a lease for as long as the block lasts.

    Args:
        settings: where it is.
        kind: what the worker does.
        clock: for tests.
        cipher: for tests.
        quarantined: a restored graph that serves nobody yet is opened, and nothing else.

    Raises:
        Unavailable: no register there, or graph or key store cannot be reached; `register.quarantined`.
        Conflict: the graph is another's.
        Tampered: something of it is damaged.
    """
    time = clock or NeverBack(clock=SystemClock(), ticks=Ticks(folder=settings.keys_folder))
    register = register_of(settings.home)
    with ExitStack() as opened:
        database = open_database(settings.keys_folder, keystore_url(settings))
        opened.callback(database.close)
        check_quarantine(database, quarantined)
        workers = Workers(database)
        # The lease comes before the key: no process ever holds a root key without being known.
        lease = workers.enrol(kind, pid=os.getpid(), started=process_start(os.getpid()) or "", now=time.now())
        opened.callback(workers.end, lease.worker)
        store = KeyStore(database, anchor_of(settings), cipher, lease.generation)
        if store.register != register:
            raise Conflict("keys.other-register", "these keys belong to another register")
        book = PolicyBook(settings.home, register, Sealer(store))
        graph = opened.enter_context(vouched(settings, opened.enter_context(endpoint(settings))))
        graph.verify()
        schema.check(graph, store.register)
        yield Workplace(
            settings=settings,
            graph=graph,
            store=store,
            policy=book.on(civil_date(time.now())),
            clock=time,
            workers=workers,
            worker=lease.worker,
        )

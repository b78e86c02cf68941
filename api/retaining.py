"""What officers ask of retention with, put together: plans and runs, what is to come, versions of the policy."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from api.keeping import KeepingDesk
from api.logbook import Logbook
from api.policies import BUILT_IN, PolicyBook, PolicyDesk
from api.processing import CONTROLLER, Processing
from api.ticks import Ticks
from graph.connection import Graph
from graph.decisions import Decisions
from graph.erasure import Purging
from graph.holds import Holds
from graph.stamps import Stamps
from graph.trail import AuditTrail
from register.activation import Activation
from register.clock import Clock, civil_date
from register.custody import Custody
from retention.filecheck import FileCheck
from retention.interfaces import Archive
from retention.orders import Orders, carried
from retention.outlook import Outlook
from retention.policy import shipped
from retention.restamping import Restamping
from retention.rules import Policy
from vault.keystore.credentials import Credentials
from vault.keystore.store import KeyStore
from vault.sealing import Sealer


@dataclass(frozen=True, kw_only=True)
class Retaining:
    """The use cases of compliance officers.

    Attributes:
        policy: in force today; book: what is in force on other days.
    """

    graph: Graph
    archive: Archive
    sealer: Sealer
    trail: AuditTrail
    clock: Clock
    policy: Policy
    book: PolicyBook
    logbook: Logbook
    ticks: Ticks
    store: KeyStore

    @cached_property
    def orders(self) -> Orders:
        """Files what officers ask of retention."""
        return Orders(
            erasure=Purging(self.graph),
            holds=Holds(self.graph),
            archive=self.archive,
            check=self.sealer,
            trail=self.trail,
            clock=self.clock,
            in_force=self.book.on,
            rehearsal=self.store.rehearsal,
        )

    def look_at_files(self) -> None:
        """Look whether tonight's share of the archived files is what was written."""
        looking = FileCheck(
            erasure=Purging(self.graph), archive=self.archive, check=self.sealer, trail=self.trail, clock=self.clock
        )
        looking.look(civil_date(self.clock.now()))

    @cached_property
    def outlook(self) -> Outlook:
        """Looks ahead, by the policy in force today."""
        return Outlook(erasure=Purging(self.graph), holds=Holds(self.graph), check=self.sealer, policy=self.policy)

    @property
    def run_day(self) -> date:
        """The civil date whose version the next run goes by: today, or a day to come that it is to decide for."""
        today = civil_date(self.clock.now())
        return max(today, carried(Purging(self.graph)) or today)

    def restamp(self) -> int:
        """Reckon stamped dates anew if they are by another version than the next run goes by; return how many."""
        stamps, policy = Stamps(self.graph), self.book.on(self.run_day)
        if (stamps.policy() or shipped(BUILT_IN).digest) == policy.digest:
            return 0
        stamping = Restamping(
            erasure=Purging(self.graph),
            check=self.sealer,
            change=Decisions(self.graph).change,
            clock=self.clock,
            policy=policy,
        )
        count = stamping.apply(self.run_day)
        stamps.stamped(policy.digest)
        return count

    @cached_property
    def custody(self) -> Custody:
        """Answers compliance officers."""
        people = Credentials(self.store.database).all
        gathered = Processing(controller=CONTROLLER, policy=self.policy, anchor=self.store.anchor, people=people)
        desk = KeepingDesk(
            orders=self.orders,
            outlook=self.outlook,
            logbook=self.logbook,
            trail=self.trail,
            ticks=self.ticks,
            gathered=gathered,
        )
        return Custody(keeping=desk, trail=self.trail, clock=self.clock)

    @cached_property
    def activation(self) -> Activation:
        """Answers them about versions of the policy."""
        desk = PolicyDesk(book=self.book, outlook=self.outlook, trail=self.trail)
        return Activation(versions=desk, trail=self.trail, clock=self.clock)

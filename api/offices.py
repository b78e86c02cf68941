"""What reviewers, desk officers, privacy officers and compliance officers decide with, put together."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final

from graph.connection import Graph
from graph.decisions import Decisions
from graph.erasure import Purging
from graph.gauges import oldest_due, reviews_late
from graph.holds import Holds
from graph.renewals import Renewals
from graph.trail import AuditTrail
from graph.unstated import Unstated
from matching.removed import RemovedNames
from register.backlog import Backlog
from register.clock import Clock, civil_date
from register.deciding import Deciding
from register.desk import Desk
from register.dossier_terms import DossierTerms
from register.ending import EarlyEnds
from register.holding import Holding
from register.intake import Intake
from register.renewal import KeyRenewal
from register.resembling import Resembling
from register.returning import Returning
from register.review import Review
from register.reviewing import ReviewTerms
from retention.calendar import Period, Unit
from retention.casework import dates_of
from retention.rules import Policy
from retention.terms import by_order, review_terms
from vault.dossiers import Dossiers
from vault.keystore.store import KeyStore
from vault.keystore.texts import drop_texts
from vault.renewing import Renewing
from vault.sealing import Sealer
from vault.words import Words

KEPT: Final = Period(count=5, unit=Unit.YEARS)
"""How long the text of a decision is kept, as the bodies of the audit log are (our own choice; Wpg art. 32(4))."""


@dataclass(frozen=True)
class Offices:
    """The use cases of those who decide; `policy` gives the dates."""

    graph: Graph
    store: KeyStore
    sealer: Sealer
    trail: AuditTrail
    clock: Clock
    policy: Policy

    @cached_property
    def terms(self) -> ReviewTerms:
        """The terms of the periodic review."""
        return review_terms(self.policy)

    @cached_property
    def backlog(self) -> Backlog:
        """How late the runs are."""
        return Backlog(oldest=partial(oldest_due, self.graph), until=self.policy.backlog.after)

    def reviews_late(self) -> int:
        """Return how many reviews are overdue today."""
        return reviews_late(self.graph, civil_date(self.clock.now()))

    @cached_property
    def review(self) -> Review:
        """Answers reviewers."""
        return Review(deciding=self.deciding, sealing=self.sealer, terms=self.terms)

    @cached_property
    def ends(self) -> EarlyEnds:
        """Answers those who end something early, and their second persons."""
        return EarlyEnds(deciding=self.deciding)

    def returning(self, intake: Intake) -> Returning:
        """Answer those who bring an archived record back by order; `intake` takes it in."""
        stubs = Purging(self.graph).stubs
        return Returning(deciding=self.deciding, intake=intake, stubs=stubs, term=partial(by_order, self.policy))

    @cached_property
    def dossier_terms(self) -> DossierTerms:
        """Ends texts of decisions whose time is over."""
        forget = partial(drop_texts, self.store.database)
        return DossierTerms(deciding=self.deciding, holds=Holds(self.graph), forget=forget)

    @cached_property
    def renewal(self) -> KeyRenewal:
        """Renews keys of records, for who runs the register."""
        keys = Renewing(self.store, self.sealer)
        return KeyRenewal(deciding=self.deciding, store=Renewals(self.graph), keys=keys)

    @cached_property
    def resembling(self) -> Resembling:
        """Finds those whom a run removes in texts of signals that stay."""
        return Resembling(
            deciding=self.deciding,
            store=Unstated(self.graph),
            opening=Words(self.store, self.sealer),
            comparing=lambda names: RemovedNames(names).named,
        )

    @cached_property
    def desk(self) -> Desk:
        """Answers desk officers."""
        return Desk(deciding=self.deciding)

    @cached_property
    def holding(self) -> Holding:
        """Answers those who lay and lift holds."""
        return Holding(deciding=self.deciding, store=Holds(self.graph))

    @cached_property
    def deciding(self) -> Deciding:
        """What all of them have in common."""
        return Deciding(
            store=Decisions(self.graph),
            sealing=Dossiers(self.store),
            trail=self.trail,
            clock=self.clock,
            dates=partial(dates_of, self.policy),
            keep=KEPT.after,
        )

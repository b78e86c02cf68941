"""The made-up record of every installation: it is due a day after it was planted, and every run looks for it.

It names nobody and holds nothing but two dates. A run that begins decides about it by the policy, as about any signal
that names nobody, takes it away under its lease, and plants the next. Alive on the day after the one on which it was
due, it tells that no run began or that rules find nothing due any more, also in nights in which nothing else is
(docs/decisions/0008-the-canary-is-no-signal.md). That a run does not end is told by other alarms.
"""

from datetime import date, timedelta

from register.errors import Invalid
from register.lifetime import State
from register.runs import Canary
from retention.assessment import Case, assess
from retention.rules import Policy
from retention.terms import signal_event


def planted(policy: Policy, on: date) -> Canary:
    """Return a canary planted on civil date `on`, received so long ago that its term ends by the policy's `canary`."""
    ends, term = policy.canary.after(on), policy.rule_for(policy.ground, None).term
    received_on = on
    while term.after(received_on) > ends:
        received_on -= timedelta(days=1)
    return Canary(received_on=received_on, planted_on=on)


def due(policy: Policy, canary: Canary, on: date) -> bool:
    """Say whether its term is over on civil date `on`, by the rule for signals that name nobody."""
    case = Case(kind=None, ground=policy.ground, events=(signal_event(canary.received_on, canary.planted_on),))
    try:
        told = assess(policy, case, max(on, canary.planted_on))
    except Invalid:
        return False
    return told.state is State.REMOVAL_DUE

"""What is built on the enquiry of an opened register: many names at once, and shielded sources."""

from datetime import timedelta

from api.wiring import Workplace
from register.batches import NameBatches
from register.budgets import Allowance
from register.shielded import Shielded


def batches(workplace: Workplace) -> NameBatches:
    """Return who answers those who have many names to look up."""
    names = Allowance(most=workplace.policy.batch_names_per_day, within=timedelta(days=1))
    return NameBatches(enquiry=workplace.enquiry, deciding=workplace.offices.deciding, allowance=names)


def shielded(workplace: Workplace) -> Shielded:
    """Return who answers those who may know sources."""
    return Shielded(enquiry=workplace.enquiry)

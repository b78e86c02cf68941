"""What a reader may see, as the parameters of the visibility clause."""

from datetime import date
from typing import TypedDict

from register.access import Grant
from register.clock import civil_date


class Sight(TypedDict):
    """Parameters of `queries.visible` and `queries.live`: cleared handling codes and markings, and the civil date."""

    handling: list[str]
    markings: list[str]
    today: date


def sight(grant: Grant) -> Sight:
    """Return what the actor of `grant` may see on the civil date of the grant."""
    return Sight(
        handling=sorted(grant.actor.handling),
        markings=sorted(grant.actor.markings),
        today=civil_date(grant.as_of),
    )

"""Who is calling: an API key to an `Actor`, or 401. Nothing anonymous but health."""

from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.wiring import Workplace
from register.access import Actor, Reason

_BEARER = HTTPBearer(auto_error=False, description="API key, as printed once when the actor was enrolled")


def workplace(request: Request) -> Workplace:
    """Return the opened register this application serves."""
    served: Workplace = request.app.state.workplace
    return served


def actor(
    served: Annotated[Workplace, Depends(workplace)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
) -> Actor:
    """Return who is calling. Raises 401: no key, an unknown one, or one that has ended; the three look the same."""
    known = served.actor_of(credentials.credentials) if credentials else None
    if known is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return known


def reason(
    purpose: Annotated[str, Header(alias="Purpose", description="code of the closed list of purposes")] = "",
    case: Annotated[str, Header(alias="Case", description="case reference, ^[A-Z0-9/-]{1,40}$")] = "",
) -> Reason:
    """Return why the caller asks, from headers, so that neither lands in a URL."""
    return Reason(purpose=purpose, case=case)


Served = Annotated[Workplace, Depends(workplace)]
Caller = Annotated[Actor, Depends(actor)]
Why = Annotated[Reason, Depends(reason)]

"""Versions of the policy: handed in, looked at, activated by a second person. No content passes here."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path

from api.http.identity import Caller, Served
from api.http.schemas import ImpactIn, PolicyIn

router = APIRouter(prefix="/v1/retention/policies", tags=["retention"])

Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the file")]


@router.get("")
def policies(caller: Caller, served: Served) -> Mapping[str, object]:
    """Return every version with its state, the one that came with the software first."""
    return {"policies": served.retaining.activation.all(caller)}


@router.post("", status_code=201)
def propose(wanted: PolicyIn, caller: Caller, served: Served) -> Mapping[str, str]:
    """Hand a version in; a file with a fault is refused whole, every fault named with its line."""
    return {"policy": served.retaining.activation.propose(caller, wanted.file, wanted.text)}


@router.get("/{digest}")
def policy(digest: Digest, caller: Caller, served: Served) -> Mapping[str, str]:
    """Return file name and text of a version: with it every date of its time can be reckoned again."""
    return served.retaining.activation.text(caller, digest)


@router.post("/{digest}/impact")
def impact(digest: Digest, caller: Caller, served: Served) -> Mapping[str, object]:
    """Return what the version would change, record by record, with the digest that the activation has to name."""
    return served.retaining.activation.impact(caller, digest)


@router.post("/{digest}/approval")
def approve(digest: Digest, wanted: ImpactIn, caller: Caller, served: Served) -> Mapping[str, object]:
    """Activate a version as the second person; it comes into force after the grace period."""
    return served.retaining.activation.approve(caller, digest, wanted.impact)


@router.post("/{digest}/withdrawal")
def withdraw(digest: Digest, caller: Caller, served: Served) -> Mapping[str, object]:
    """Take a version back before it comes into force."""
    return served.retaining.activation.withdraw(caller, digest)

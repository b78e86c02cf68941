"""Early ends: proposals, and the second person's answer."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path

from api.http.decision_schemas import EndIn, ProposalOut, ProposalsOut, SettledOut, SettlementIn
from api.http.identity import Caller, Served, Why
from api.http.schemas import ID
from register.errors import Fault, Invalid
from register.ids import DossierId, SignalId, SubjectId

router = APIRouter(prefix="/v1/decisions", tags=["decisions"])


@router.post("", status_code=201)
def propose(wanted: EndIn, caller: Caller, why: Why, served: Served) -> Mapping[str, str]:
    """Propose that a subject or a whole signal ends early; a second person has to agree."""
    ends = served.offices.ends
    if wanted.signal is not None and wanted.subject is None and wanted.revision is None:
        signal = SignalId(wanted.signal)
        return {"dossier": ends.propose_signal(caller, why, signal, wanted.ground, wanted.reason)}
    if wanted.subject is None or wanted.revision is None or wanted.signal is not None:
        message = "give a subject with the revision seen, or a signal"
        raise Invalid([Fault(pointer="", rule="end.target", message=message)])
    subject = SubjectId(wanted.subject)
    return {"dossier": ends.propose_subject(caller, why, subject, wanted.revision, wanted.ground, wanted.reason)}


@router.get("", response_model=ProposalsOut)
def proposals(caller: Caller, why: Why, served: Served) -> ProposalsOut:
    """Return the proposals that wait for a second person."""
    return ProposalsOut(proposals=tuple(map(ProposalOut.of, served.offices.ends.proposals(caller, why))))


@router.post("/{dossier}/settlement", response_model=SettledOut)
def settle(
    dossier: Annotated[str, Path(pattern=ID)], wanted: SettlementIn, caller: Caller, why: Why, served: Served
) -> SettledOut:
    """Agree to a proposal as the second person, or decline it."""
    ends = served.offices.ends
    return SettledOut.of(ends.settle(caller, why, DossierId(dossier), agreed=wanted.agreed, text=wanted.reason))

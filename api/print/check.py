"""What is printed is checked first: a certificate that does not verify is never put on paper."""

from collections.abc import Mapping
from typing import Final

from api.print.certificate import Printed, paper
from api.print.paper import pdf
from api.print.wording import Language
from evidence.envelope import decode, parse_form
from evidence.note import invalid
from evidence.proof import Proof
from evidence.result import Finding
from evidence.strict import parse_json
from evidence.trust import Trust
from evidence.verify import Evidence, verify_certificate
from vault.signing import SignatureVerifier

ENVELOPE: Final = "certificate.json"
PROOF: Final = "certificate.tlog-proof"
VKEY: Final = "vkey"
POLICY: Final = "policy.toml"
IDS: Final = "ids.txt"
NEEDED: Final = (ENVELOPE, PROOF, VKEY)


def certificate_pdf(found: Mapping[str, bytes], language: Language) -> bytes:
    """Return the certificate made of these files, by their names, as an accessible PDF.

    Raises:
        Invalid: a file is missing (`print.incomplete`), or the certificate does not verify with the keys beside it
            (`print.unverified`, with the reason of the check that failed).
    """
    return pdf(paper(examined(found), language))


def examined(found: Mapping[str, bytes]) -> Printed:
    """Return the certificate made of these files, checked with the keys beside it. Raises Invalid."""
    for name in NEEDED:
        if name not in found:
            raise invalid("print.incomplete", f"the certificate's folder lacks {name}")
    trust = Trust.of_vkeys(found[VKEY])
    evidence = Evidence(envelope=found[ENVELOPE], proof=found[PROOF], policy=found.get(POLICY), ids=found.get(IDS))
    result = verify_certificate(evidence, trust, SignatureVerifier())
    if result.predicate is None:
        failed = ", ".join(check.reason for check in result.checks if check.finding is Finding.FAILED)
        raise invalid("print.unverified", f"the certificate does not verify ({failed}): it is not printed")
    envelope = decode(parse_form(found[ENVELOPE]))
    statement = parse_json(envelope.payload, limit=len(envelope.payload))
    return Printed(
        predicate=result.predicate,
        version=str(statement["predicateType"]).rpartition(":")[2],
        envelope=envelope,
        digest=result.digest,
        proof=Proof.parse(found[PROOF]),
        keys=tuple(one.key for one in trust.keys),
        result=result,
    )

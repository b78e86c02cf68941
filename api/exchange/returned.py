"""An archived record as the custodian exports it for a return by order, and the signals that come back with it.

The export is `{"format": …, "archive": id, "record": …}`, the record as docs/formats/archived-record-v1.md has it. Of
each signal there comes back what it says of the record's subject; everybody else stays the placeholder that stood
there. What did not open when it was archived cannot come back, and a signal that was ended early stays ended.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from api.exchange.signal_v1 import read
from register.errors import Fault, Invalid
from register.ids import ArchiveId, is_id
from register.returning import Exported
from register.signals import NewSignal

FORMAT: Final = "theme-register returned record v1"
REF: Final = "subject"


def export(archive: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the export of an opened record."""
    return {"format": FORMAT, "archive": archive, "record": record}


def exported(value: Mapping[str, Any]) -> Exported:
    """Return what an export holds.

    Raises:
        Invalid: rule `return.form`: it is no export; or what is wrong with a signal of it.
    """
    canonical = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii")
    archive, record = str(value.get("archive")), value.get("record")
    if value.get("format") != FORMAT or not is_id(archive) or not isinstance(record, dict):
        raise _malformed()
    try:
        signals = tuple(_signals(archive, record))
    except (KeyError, TypeError, AttributeError):
        raise _malformed() from None
    return Exported(archive=ArchiveId(archive), sha256=hashlib.sha256(canonical).hexdigest(), signals=signals)


def _signals(archive: str, record: Mapping[str, Any]) -> Iterator[NewSignal]:
    for number, kept in enumerate(record["signals"], start=1):
        ended = any(one.startswith("=") for one in kept["facts"]["markings"])
        if kept["mention"] is not None and not ended:
            document = _document(f"return {archive} {number}", record["facts"]["kind"], kept)
            yield read(json.dumps(document).encode("ascii"))


def _document(reference: str, kind: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return signal/1 of what a record keeps of one signal."""
    facts, texts = kept["facts"], kept["texts"]
    observed = _present({"from": facts["observed_from"], "until": facts["observed_until"]})
    source = {"origin": facts["origin"], "obtained": texts.get("obtained")}
    source |= {"grade": facts["source_grade"], "description": texts.get("source_description")}
    links = [one for one in map(_link, kept["links"]) if one is not None]
    return _present(
        {
            "format": "signal/1",
            "reference": reference,
            "received_on": facts["received_on"],
            "handed_in_on": facts["handed_in_on"],
            "observed": observed,
            "evaluation_scheme": facts["scheme"],
            "source": _present(source),
            "information_grade": facts["information_grade"],
            "handling": _present({"code": facts["handling"], "conditions": texts.get("conditions")}),
            "markings": facts["markings"],
            "necessity": texts.get("necessity"),
            "narrative": texts.get("narrative"),
            "subjects": [_subject(kind, kept["mention"])],
            "ports": sorted({one["to"] for one in links}),
            "links": links,
        }
    )


def _subject(kind: str, mention: Mapping[str, Any]) -> dict[str, Any]:
    return _present(
        {
            "ref": REF,
            "type": kind,
            "category": mention["facts"]["category"],
            "names": mention["names"],
            "born_on": mention["born_on"],
            "position": mention["position"],
            "identifiers": [{"kind": kind, "value": value} for kind, value in mention["identifiers"]],
            "special_categories": mention["facts"]["special"],
        }
    )


def _link(link: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a link to a harbour; one to somebody who is a placeholder has no other end any more."""
    if link["from_"] != REF or not link["to_port"]:
        return None
    told = {"from": REF, "to": link["to"], "kind": link["kind"], "basis": link["basis"]}
    return _present(told | {"since": link["since"], "until": link["until"]})


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, (), [], {})}


def _malformed() -> Invalid:
    return Invalid([Fault(pointer="/record", rule="return.form", message="is no record that a custodian exported")])

"""The log is the ledger: what was decided since a backup was made is done again on the restored graph, by id.

The bodies say ids, codes and dates and no text: a reason written down since the backup is not brought back, the
decision itself is.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Final

from api.wiring import Workplace
from evidence.shelves import Line, lines, parse_line, shelves
from graph.holds import Holds
from register.archived import ArchivedFacts
from register.audit import Act, Outcome, Term
from register.decision_stores import Change
from register.decisions import decode
from register.dossiers import HoldFacts
from register.ending import ended
from register.errors import Tampered
from register.ids import ArchiveId, DossierId, EntryId, HoldId, SignalId
from register.lifetime import HoldGround
from register.sealed import SealedHold, SealedStub

PAGE: Final = 1000


def replay(opened: Workplace, since: int) -> int:
    """Do again what the ledger holds from place `since` on; return how many acts that were. Safe to do twice.

    What concerns a record that the restored graph does not hold, or that was purged, is passed over.

    Raises:
        Tampered: a body is not what was logged.
    """
    told = sorted(_bodies(opened, Term.LEDGER, since), key=lambda one: one.index)
    bodies = [json.loads(one.body) for one in told]
    purged = opened.store.purged({about for body in bodies if (about := _about(body))})
    return sum(_again(opened, body) for body in bodies if _about(body) not in purged)


def bring_back(opened: Workplace) -> int:
    """Put the entries that the log holds back into the graph, where the keeper compares them; return how many."""
    count = 0
    for term in Term:
        stream = _bodies(opened, term, 0)
        while page := tuple(islice(stream, PAGE)):
            opened.trail.bring_back([_entry(one) for one in page])
            count += len(page)
    return count


def _bodies(opened: Workplace, term: Term, since: int) -> Iterator[Line]:
    folder = opened.logbook.log_folder
    for shelf in shelves(folder):
        if shelf.kept and shelf.term == term:
            for raw in lines(folder, shelf.name):
                line = parse_line(raw)
                if line is None:
                    raise Tampered("log.bodies", f"the bodies of {shelf.name} are not what was logged")
                if line.index >= since:
                    yield line


def _about(body: Mapping[str, Any]) -> str:
    """Return the id of the subject or signal that an act was about, "" if it was about neither."""
    return str(body["detail"].get("subject") or body["detail"].get("signal") or "")


def _again(opened: Workplace, body: Mapping[str, Any]) -> bool:
    detail = body["detail"]
    if body["outcome"] != Outcome.DONE:
        return False
    if body["act"] == Act.ARCHIVE_KEEP:
        return _stubs(opened, body["targets"], detail)
    if body["act"] == Act.NAME_FOUND:
        return opened.offices.resembling.mark(body["targets"], date.fromisoformat(detail["on"])) > 0
    if "hold" in detail:
        return _hold(opened, detail)
    if detail.get("line") and "subject" in detail:
        return _subject(opened, detail)
    if detail.get("line") and "signal" in detail and "remove_by" in detail:
        return _signal(opened, detail)
    return False


def _subject(opened: Workplace, detail: Mapping[str, Any]) -> bool:
    record = next(iter(opened.erasure.subjects([detail["subject"]])), None)
    if record is None or detail["line"] in record.subject.facts.acts:
        return False
    deciding = opened.offices.deciding
    changed, _ = deciding.decided(record, decode(detail["line"]), restricted=bool(detail["restricted"]))
    deciding.commit(Change(subjects=(changed,)), ())
    return True


def _signal(opened: Workplace, detail: Mapping[str, Any]) -> bool:
    """End a signal early again; the subjects that went with it have lines of their own."""
    signal = next(iter(opened.erasure.signals([SignalId(detail["signal"])])), None)
    if signal is None or detail["line"] in signal.facts.acts:
        return False
    deciding = opened.offices.deciding
    on = date.fromisoformat(detail["remove_by"])
    deciding.commit(Change(signals=(ended(signal, detail["line"], on, deciding.sealing.mac),)), ())
    return True


def _stubs(opened: Workplace, ids: Sequence[str], detail: Mapping[str, Any]) -> bool:
    """Give archived records whose files were never gone their stubs back, also those that were sealed anew since."""
    known = {one.facts.id: one.facts for one in opened.erasure.stubs(ids)}
    stubs: list[SealedStub] = []
    moved: list[SealedStub] = []
    for one in sorted(set(ids)):
        before = known.get(ArchiveId(one))
        if before is not None and before.month >= detail["month"]:
            continue
        sha256 = opened.archivist.files_held.digest((detail["month"], ArchiveId(one)))
        if sha256 is None:
            continue  # destroyed since, or lost: a run says which
        facts = ArchivedFacts(
            id=ArchiveId(one),
            kind=detail["kind"],
            revision=1 if before is None else before.revision + 1,
            removed_on=date.fromisoformat(detail["removed_on"]),
            destroy_on=date.fromisoformat(detail["destroy_on"]),
            event=detail["event"],
            event_on=date.fromisoformat(detail["event_on"]),
            month=detail["month"],
            sha256=sha256,
            rule=detail["rule"],
            holds=tuple(detail["holds"].split()),
        )
        (stubs if before is None else moved).append(SealedStub(facts=facts, mac=opened.sealer.mac(facts)))
    if moved:
        opened.offices.deciding.commit(Change(stubs=tuple(moved)), ())
    opened.erasure.bring_back(stubs)
    opened.sealer.remember((one.facts.id, one.facts.revision) for one in stubs)
    return bool(stubs or moved)


def _hold(opened: Workplace, detail: Mapping[str, Any]) -> bool:
    facts = HoldFacts(
        id=HoldId(detail["hold"]),
        revision=detail["revision"],
        dossier=DossierId(detail["dossier"]),
        ground=HoldGround(detail["ground"]),
        from_=date.fromisoformat(detail["from"]),
        until=_date(detail["until"]),
        review_on=date.fromisoformat(detail["review_on"]),
        on=date.fromisoformat(detail["on"]),
        by=detail["by"],
        case=detail["case_of_hold"],
        subjects=tuple(detail["subjects"].split()),
        signals=tuple(detail["signals"].split()),
        archived=tuple(detail["archived"].split()),
        start=detail["start"],
        depth=detail["depth"],
        lifted_on=_date(detail["lifted_on"]),
        lifted_by=detail["lifted_by"],
        lift_dossier=detail["lift_dossier"],
    )
    held = Holds(opened.graph).hold(facts.id)
    if held is not None and held.facts.revision >= facts.revision:
        return False
    deciding = opened.offices.deciding
    Holds(opened.graph).bring_back(SealedHold(facts=facts, mac=deciding.sealing.mac(facts)))
    deciding.sealing.remember([(facts.id, facts.revision)])
    return True


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _entry(line: Line) -> tuple[int, EntryId, datetime, bytes, bytes]:
    """Return an entry as the trail brings it back: its index, id, instant, salt and body."""
    body = json.loads(line.body)
    return line.index, EntryId(body["id"]), datetime.fromisoformat(body["at"]).astimezone(UTC), line.salt, line.body

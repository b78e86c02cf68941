"""The closed archive's keys and the custodian's visits: what the register itself takes part in."""

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from api.settings import Settings
from api.wiring import Workplace
from graph.holds import Holds
from register.archived import ArchivedFacts
from register.audit import Act, Entry
from register.clock import civil_date
from register.decision_stores import Change
from register.errors import Conflict, Fault, Invalid, Tampered, Unavailable
from register.ids import EntryId
from register.sealed import SealedStub
from retention.assessment import assess
from retention.batches import kept_entries
from retention.calendar import Period
from retention.casework import span, stub_case
from retention.holding import Holding, read_holds
from vault.archive.archivist import ARCHIVE, Archivist
from vault.archive.custodian import Custodian, CustodianAct, Keys, Line, OpeningGround, lines_of
from vault.archive.keys import MONTHS_MADE, MONTHS_NEEDED
from vault.archive.record import month_of
from vault.folders import replace_durably

VISITS: Final = "custodian.log"
"""The custodian's lines that have been brought in, beside the archive's files."""

CUSTODIAN: Final = "custodian"
MONTH: Final = Period.parse("P1M")
"""After the review of a hold without an end: as long as a record is sealed for, before it is looked at again."""


def alarms(opened: Workplace) -> tuple[str, ...]:
    """Return codes of what does not stop the service and has to be seen to: the archive's keys, as they lie there now.

    Raises:
        Tampered: code `archive.keys`: they are not what this register wrote last.
    """
    keys = Archivist(opened.store, opened.sealer, opened.settings.home / ARCHIVE).keys
    if keys is None:
        return ("archive.absent",)
    return ("archive.months",) if keys.ahead(civil_date(opened.clock.now())) < MONTHS_NEEDED else ()


def make_keys(opened: Workplace, path: Path, passphrase: str) -> tuple[str, ...]:
    """Make the archive's first keys: public halves into the register's folder, the rest into the custodian's new file.

    Returns:
        The months for which there are keys now.

    Raises:
        Conflict: there are keys already, or a file of that name. Invalid: the file would lie inside one of the
            register's folders, or the passphrase is too short.
    """
    outside(opened.settings, path)
    if opened.archivist.keys is not None:
        raise Conflict("archive.begun", "the archive has keys already; `archive extend` makes more")
    keys = Keys.draw(opened.store.register)
    months = keys.extend(civil_date(opened.clock.now()))
    Custodian.create(path, keys, passphrase)  # first: a record must never be sealed to a key that nobody has
    opened.archivist.write_keys(keys.public(1))
    opened.trail.append([_own_entry(opened, months)])
    return months


def extend_keys(opened: Workplace, path: Path, passphrase: str, ahead: int = MONTHS_MADE) -> tuple[str, ...]:
    """Make keys for so many months, from the present one on, that have none, in the custodian's presence.

    Returns:
        The months for which keys were made.

    Raises:
        Unavailable: there are no keys yet. Conflict: the file is another register's, or an earlier one.
        Refused: the passphrase is another. Invalid: the file lies inside one of the register's folders.
    """
    custodian = _custodian(opened, path, passphrase)
    keys, known = custodian.keys, opened.archivist.keys
    months = keys.extend(civil_date(opened.clock.now()), ahead)
    custodian.save()
    opened.archivist.write_keys(keys.public(1 if known is None else known.revision + 1))
    opened.trail.append([_own_entry(opened, months)])
    return months


def reseal(opened: Workplace, path: Path, passphrase: str, month: str) -> int:
    """Seal the records of `month` that holds keep longer to the month of their new date; return how many.

    In the custodian's presence, before that month's key is destroyed. The new file is durable before the stub names it,
    and the old one goes last; interrupted anywhere, it is taken up where it stood. A hold without an end keeps a record
    until the month after that of its review, when it is looked at again.

    Raises:
        Unavailable: no keys, or none for the new month. Conflict: another custodian's file; a record changed meanwhile.
        Refused: the passphrase is another. Tampered: a stub or a file is not what was written.
    """
    custodian = _custodian(opened, path, passphrase)
    holding, deciding = read_holds(Holds(opened.graph), opened.sealer), opened.offices.deciding
    files, count = opened.archivist.files_held, 0
    for place in [one for one in files.present() if one[0] == month]:
        stub = next(iter(opened.erasure.stubs([place[1]])), None)
        if stub is None or stub.facts.destroyed_on is not None:
            continue
        deciding.sealing.check([stub])
        if stub.facts.month == month:
            later = _kept_until(opened, stub.facts, holding)
            if later is None or month_of(later) <= month:
                continue
            if files.digest(place) != stub.facts.sha256:
                raise Tampered("archive.file", "a file of the archive is not the one that was written")
            detail = {"to": month_of(later)}
            now = opened.clock.now()
            custodian.note(
                CustodianAct.RESEAL,
                at=now,
                targets=[place[1]],
                ground=OpeningGround.ACCOUNTABILITY,
                month=month,
                detail=detail,
            )
            content = custodian.keys.open(place[1], files.read(place))
            digest = opened.archivist.reseal(place[1], detail["to"], content)
            revision = stub.facts.revision + 1
            facts = replace(stub.facts, revision=revision, month=detail["to"], sha256=digest, destroy_on=later)
            fresh = SealedStub(facts=facts, mac=deciding.sealing.mac(facts))
            deciding.commit(Change(stubs=(fresh,)), kept_entries(now, [fresh]))
            stub, count = fresh, count + 1
        opened.archivist.supersede(place[1], month, (stub.facts.month, place[1], stub.facts.sha256))
    return count


def _kept_until(opened: Workplace, facts: ArchivedFacts, holding: Holding) -> date | None:
    """Return the civil date on which the record is to be destroyed, as its holds stand now; None: no hold keeps it."""
    holds = holding.of(holding.on(facts.id, known=facts.holds))
    if not holds:
        return None
    case = replace(stub_case(opened.policy, facts), holds=tuple(map(span, holds)))
    told = assess(opened.policy, case, max(civil_date(opened.clock.now()), facts.removed_on))
    return told.destroy_on or MONTH.after(max(hold.review_on for hold in holds))


def _custodian(opened: Workplace, path: Path, passphrase: str) -> Custodian:
    """Open the custodian's file, if it is this register's. Raises Unavailable, Conflict, Refused, Invalid."""
    outside(opened.settings, path)
    known = opened.archivist.keys
    if known is None:
        raise Unavailable("archive.absent", "the archive has no keys yet: run `theme-register archive init`")
    custodian = Custodian(path, passphrase)
    if (custodian.keys.register, custodian.keys.custodian) != (known.register, known.custodian):
        raise Conflict("archive.other-custodian", "this file is not that of this register's custodian")
    return custodian


def import_log(opened: Workplace, content: bytes) -> tuple[Line, ...]:
    """Bring the custodian's log into the audit log; return the lines that are new. Safe to run again.

    Raises:
        Unavailable: the archive has no keys yet. Tampered: the log is not signed throughout (`custodian.log`).
        Conflict: code `custodian.log-shorter`: lines that were brought in before are not in it.
    """
    known = opened.archivist.keys
    if known is None:
        raise Unavailable("archive.absent", "the archive has no keys yet: run `theme-register archive init`")
    lines = tuple(lines_of(content, known.register, known.custodian))
    kept = opened.settings.home / ARCHIVE / VISITS
    before = kept.read_bytes() if kept.exists() else b""
    if not content.startswith(before):
        raise Conflict("custodian.log-shorter", "this log does not continue what was brought in before")
    fresh = lines[before.count(b"\n") :]
    opened.trail.append([_entry(line) for line in fresh])
    replace_durably(kept, content[: content.rfind(b"\n") + 1])
    return fresh


def outside(settings: Settings, path: Path) -> None:
    """Refuse a place of the custodian's file inside one of the register's folders. Raises Invalid."""
    place = path.resolve()
    if any(place.is_relative_to(folder.resolve()) for folder in (settings.home, settings.keys_folder)):
        message = "the custodian's file must lie outside both folders of the register, on a medium of its own"
        raise Invalid([Fault(pointer="/key", rule="custodian.inside", message=message)])


def _own_entry(opened: Workplace, months: tuple[str, ...]) -> Entry:
    detail = {"first": months[0], "last": months[-1]} if months else {}
    now = opened.clock.now()
    return Entry(at=now, actor=CUSTODIAN, role=CUSTODIAN, act=Act.ARCHIVE_KEYS, count=len(months), detail=detail)


def _entry(line: Line) -> Entry:
    """Return the audit entry of a line: the same however often it is brought in."""
    digest = hashlib.sha256(line.body()).hexdigest()
    detail: dict[str, str | int] = {**line.detail, "act": line.act, "line": digest, "number": line.number}
    detail |= {name: value for name, value in (("ground", line.ground), ("month", line.month)) if value}
    entry = Entry(
        at=line.at,
        actor=CUSTODIAN,
        role=CUSTODIAN,
        act=Act.ARCHIVE_KEY_DESTROYED if line.act is CustodianAct.DESTROY_MONTH else Act.ARCHIVE_OPEN,
        case=line.case,
        targets=line.targets,
        count=len(line.targets),
        detail=detail,
    )
    return replace(entry, id=EntryId(digest[:32]), salt=digest[32:])

"""The signed list of a backup's files: made when the backup is made, verified with public keys only.

A DSSE envelope around an in-toto Statement v1 whose subjects are the files, by SHA-256 of what lies on the disk (that
is ciphertext), as docs/formats/backup-manifest-v1.md says. Verifying reads the files and needs no key that opens them.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from evidence import envelope as dsse
from evidence.note import Verifier, invalid
from evidence.predicate import STATEMENT_TYPE
from evidence.result import Check, Finding, Status
from evidence.shape import closed, listed, number, one_of, text
from evidence.strict import canonical_json, parse_json
from evidence.trust import Role, Trust
from register.errors import Fault, Invalid

MANIFEST_TYPE: Final = "urn:theme-register:backup-manifest:v1"
BACKUP_CHECKS: Final = {
    1: "form",
    2: "payload-type",
    3: "base64",
    4: "signatures",
    5: "sense",
    6: "files",
    7: "strays",
}
FAILED_EXIT: Final = 50
"""A failed check gives this plus its number: 51 to 57."""
MANIFEST: Final = "manifest.json"
"""The name under which a manifest lies beside the files it lists."""
_MOST_FILES: Final = 100_000
_CHUNK: Final = 1 << 20
_NAME: Final = text(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){0,7}")
_SHA256: Final = text("[0-9a-f]{64}")
_ID: Final = text("[0-9a-f]{32}")
_DAY: Final = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_STATEMENT: Final = closed(
    {
        "_type": one_of(STATEMENT_TYPE),
        "subject": listed(closed({"name": _NAME, "digest": closed({"sha256": _SHA256})}), least=1, most=_MOST_FILES),
        "predicateType": one_of(MANIFEST_TYPE),
        "predicate": closed(
            {
                "backup": _ID,
                "register": closed({"id": _ID, "origin": text("[0-9a-z][0-9a-z./-]{0,199}")}),
                "made_at": text(f"{_DAY}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"),
                "key_destroyed_by": text(_DAY),
                "log": closed({"size": number(), "root": _SHA256}),
                "sizes": listed(number(), least=1, most=_MOST_FILES),
            }
        ),
    }
)

Advance = Callable[[int], None]
"""Is told how many bytes have just been read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """A file of a backup: its path below the manifest's folder (with `/`), its size in bytes, its SHA-256 in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a manifest states.

    Attributes:
        backup, register: ids; origin: of the register's log.
        made_at: aware, UTC, whole seconds.
        key_destroyed_by: civil date (ISO 8601) by which the key that opens the backup is destroyed.
        log_size, log_root: the log's head when the backup was made (root in hexadecimal): older than this it must not
            be restored over, and everything since is replayed.
        files: all of them, each once.
    """

    backup: str
    register: str
    origin: str
    made_at: datetime
    key_destroyed_by: str
    log_size: int
    log_root: str
    files: tuple[ListedFile, ...]


def listed_files(folder: Path, names: Iterable[str], advance: Advance = lambda _: None) -> tuple[ListedFile, ...]:
    """Read the files with these names below `folder`, streamed, and return them as a manifest lists them."""
    return tuple(_read(folder, name, advance) for name in sorted(names))


def _read(folder: Path, name: str, advance: Advance) -> ListedFile:
    digest, size = hashlib.sha256(), 0
    with open(folder / name, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            advance(len(chunk))
    return ListedFile(name=name, size=size, sha256=digest.hexdigest())


def draft_manifest(backup: Backup) -> bytes:
    """Return the payload of a manifest; sign it with `evidence.envelope.seal`.

    Raises:
        Invalid: with every fault.
    """
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": each.name, "digest": {"sha256": each.sha256}} for each in backup.files],
        "predicateType": MANIFEST_TYPE,
        "predicate": {
            "backup": backup.backup,
            "register": {"id": backup.register, "origin": backup.origin},
            "made_at": backup.made_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "key_destroyed_by": backup.key_destroyed_by,
            "log": {"size": backup.log_size, "root": backup.log_root},
            "sizes": [each.size for each in backup.files],
        },
    }
    if found := tuple(_faults(statement)):
        raise Invalid(found)
    return canonical_json(statement)


def _faults(statement: Any) -> Iterator[Fault]:
    wrong = tuple(_STATEMENT(statement, ""))
    if wrong:
        yield from wrong
        return
    names = [each["name"] for each in statement["subject"]]
    predicate = statement["predicate"]
    if len(predicate["sizes"]) != len(names):
        yield Fault(pointer="/predicate/sizes", rule="sense.sizes", message="one size a file, in the same order")
    if sorted(set(names)) != names:
        yield Fault(pointer="/subject", rule="sense.order", message="files are listed by name, ascending, none twice")
    try:
        made, gone = (datetime.fromisoformat(predicate[key]).date() for key in ("made_at", "key_destroyed_by"))
    except ValueError:
        yield Fault(pointer="/predicate", rule="sense.date", message="there is no such date or time")
        return
    if gone < made:
        yield Fault(pointer="/predicate/key_destroyed_by", rule="sense.order", message="its key goes before it is made")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupResult:
    """What was found.

    Attributes:
        exit_code: 0, or 50 + the number of the check that failed.
        checks: all seven, in order.
        backup: what the manifest states, once its signatures hold and it makes sense; None before.
        limits: codes of what this does not prove.
    """

    status: Status
    exit_code: int
    checks: tuple[Check, ...]
    backup: Backup | None
    limits: tuple[str, ...]


@dataclass(slots=True)
class _Case:
    path: Path
    trust: Trust
    verifier: Verifier
    advance: Advance
    form: dict[str, Any] = field(init=False)
    envelope: dsse.Envelope = field(init=False)
    backup: Backup = field(init=False)


def _form(case: _Case) -> None:
    with open(case.path, "rb") as file:
        case.form = dsse.parse_form(file.read(dsse.MAX_ENVELOPE + 1))


def _payload_type(case: _Case) -> None:
    if case.form["payloadType"] != dsse.PAYLOAD_TYPE:
        raise invalid("envelope.payload-type", f"the payload's type is not {dsse.PAYLOAD_TYPE}")


def _base64(case: _Case) -> None:
    case.envelope = dsse.decode(case.form)


def _signatures(case: _Case) -> None:
    signers = case.envelope.verified(case.trust.of(Role.CERTIFICATE), case.verifier)
    if len(signers) < case.trust.threshold:
        raise invalid("envelope.threshold", f"signed by {len(signers)} of {case.trust.threshold} keys needed")


def _sense(case: _Case) -> None:
    statement = parse_json(case.envelope.payload, limit=dsse.MAX_ENVELOPE)
    if found := tuple(_faults(statement)):
        raise Invalid(found, code=found[0].rule)
    case.backup = _stated(statement)
    if case.backup.origin != case.trust.origin:
        raise invalid("sense.origin", "the backup is of another register than the trusted one")


def _stated(statement: Mapping[str, Any]) -> Backup:
    predicate = statement["predicate"]
    return Backup(
        backup=predicate["backup"],
        register=predicate["register"]["id"],
        origin=predicate["register"]["origin"],
        made_at=datetime.fromisoformat(predicate["made_at"]),
        key_destroyed_by=predicate["key_destroyed_by"],
        log_size=predicate["log"]["size"],
        log_root=predicate["log"]["root"],
        files=tuple(
            ListedFile(name=each["name"], size=size, sha256=each["digest"]["sha256"])
            for each, size in zip(statement["subject"], predicate["sizes"], strict=True)
        ),
    )


def _files(case: _Case) -> None:
    for stated in case.backup.files:
        try:
            found = _read(case.path.parent, stated.name, case.advance)
        except OSError as error:
            raise invalid("files.missing", f"{stated.name} cannot be read ({type(error).__name__})") from None
        if found.size != stated.size:
            raise invalid("files.size", f"{stated.name} has {found.size} bytes and not {stated.size}")
        if found.sha256 != stated.sha256:
            raise invalid("files.differ", f"{stated.name} is not what was backed up")


def _strays(case: _Case) -> None:
    folder = case.path.parent
    known = {each.name for each in case.backup.files} | {case.path.name}
    for path in sorted(folder.rglob("*")):
        if not path.is_dir() and path.relative_to(folder).as_posix() not in known:
            raise invalid("strays.file", "beside the manifest lies a file that it does not list")


_STEPS: Final[tuple[tuple[int, Callable[[_Case], None]], ...]] = (
    (1, _form),
    (2, _payload_type),
    (3, _base64),
    (4, _signatures),
    (5, _sense),
    (6, _files),
    (7, _strays),
)


def verify_backup(path: Path, trust: Trust, verifier: Verifier, *, advance: Advance = lambda _: None) -> BackupResult:
    """Run the seven checks on the manifest at `path` and the files beside it, up to the first that fails.

    Returns:
        Always a result; whatever is wrong with the files is a failed check, never an exception.
    """
    case = _Case(path, trust, verifier, advance)
    checks: list[Check] = []
    exit_code = 0
    for number_, step in _STEPS:
        code = BACKUP_CHECKS[number_]
        try:
            step(case)
        except Invalid as error:
            fault = error.faults[0]
            checks.append(
                Check(number=number_, code=code, finding=Finding.FAILED, reason=fault.rule, detail=fault.message)
            )
            exit_code = FAILED_EXIT + number_
            break
        checks.append(Check(number=number_, code=code, finding=Finding.PASSED))
    checks += [
        Check(number=left, code=BACKUP_CHECKS[left], finding=Finding.NOT_REACHED)
        for left in list(BACKUP_CHECKS)[len(checks) :]
    ]
    return BackupResult(
        status=Status.INVALID if exit_code else Status.VALID,
        exit_code=exit_code,
        checks=tuple(checks),
        backup=None if exit_code else case.backup,
        limits=() if exit_code else ("opens", "restorable", "other-copies"),
    )

"""Commands of the closed archive. `find`, `open` and `destroy-month` are the custodian's, and work offline."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import show
from api.cli.client import emit, fail
from api.cli.options import AsJson

if TYPE_CHECKING:
    from api.wiring import Workplace
    from vault.archive.custodian import Custodian
    from vault.archive.files import ArchiveFiles

archive = typer.Typer(no_args_is_help=True, help="The closed archive of removed records, and its custodian.")

Key = Annotated[Path, typer.Option("--key", help="The custodian's file, outside the register's folders.")]
PassphraseFile = Annotated[
    Path | None, typer.Option(help="File (0600) with the custodian's passphrase; asked for at the terminal without.")
]
Folder = Annotated[
    Path | None, typer.Option("--archive", help="The archive's folder, or a copy; default: HOME/archive.")
]
Ahead = Annotated[
    int,
    typer.Option(min=120, max=600, help="How many months to reach, the present one included: more for rehearsals."),
]
Ground = Annotated[str, typer.Option(help="complaint, accountability, rights-request or wpg-14-3; lands in the log.")]
Case = Annotated[str, typer.Option(help="Case reference; lands in the log.")]


@archive.command()
def init(key: Key, passphrase_file: PassphraseFile = None, as_json: AsJson = False) -> None:
    """Make the archive's keys for 120 months; the private halves go to the custodian's new file, nowhere else."""
    from api.archive import make_keys

    with _register() as opened:
        months = make_keys(opened, key, _passphrase(passphrase_file, new=True))
    _told({"months": len(months), "first": months[0], "last": months[-1], "custodian": str(key)}, as_json)


@archive.command()
def extend(key: Key, passphrase_file: PassphraseFile = None, months: Ahead = 120, as_json: AsJson = False) -> None:
    """Make keys for months to come that have none, in the custodian's presence."""
    from api.archive import extend_keys

    with _register() as opened:
        made = extend_keys(opened, key, _passphrase(passphrase_file), months)
    _told({"months": len(made)}, as_json)


@archive.command("import-log")
def import_log(
    path: Annotated[Path, typer.Argument(metavar="LOG", exists=True, dir_okay=False, help="The custodian's log.")],
    as_json: AsJson = False,
) -> None:
    """Bring the custodian's signed lines into the audit log."""
    from api import archive as visits

    with _register() as opened:
        lines = visits.import_log(opened, path.read_bytes())
    _told({"lines": len(lines)}, as_json)


@archive.command()
def find(
    key: Key,
    ground: Ground,
    case: Case,
    name: Annotated[str | None, typer.Option(help="Name of a person or organisation; stays off the log.")] = None,
    item: Annotated[str | None, typer.Option("--id", help="Id that the subject or signal had.")] = None,
    passphrase_file: PassphraseFile = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Find removed records by name or id: opens every record there is a key for. The log's line comes first."""
    from api.names import Names

    if (name is None) == (item is None):
        fail("one of --name and --id is needed")
    with _custodian(key, passphrase_file) as custodian:
        _note(custodian, "find", (), ground, case)
        table, found = Names(), []
        for archive_id, record in _opened(custodian, _files(folder)):
            if item == record["id"]:
                found.append(archive_id)
            for number, signal in enumerate(record["signals"]):
                if name is not None and signal["mention"]:
                    table.put(f"{archive_id} {number}", signal["mention"]["names"], signal["mention"]["born_on"])
        if name is not None:
            found = [one.key.split()[0] for one in table.search(name, born_on=None, limit=100)]
    found = list(dict.fromkeys(found))
    emit({"found": found}) if as_json else show.table("found", ("archive id",), ([one] for one in found))


@archive.command("open")
def open_(
    archive_id: Annotated[str, typer.Argument(metavar="ID", help="Archive id of the record.")],
    key: Key,
    ground: Ground,
    case: Case,
    export: Annotated[
        Path | None, typer.Option(help="Write it to this new file (0600) for a return by order (ground wpg-14-3).")
    ] = None,
    passphrase_file: PassphraseFile = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Open one removed record. The log's line comes first."""
    if export is not None and ground != "wpg-14-3":
        fail("only an order (ground wpg-14-3) brings a record back")
    files = _files(folder)
    with _custodian(key, passphrase_file) as custodian:
        _note(custodian, "open", (archive_id,), ground, case)
        record = next((one for each, one in _opened(custodian, files, only=archive_id) if each == archive_id), None)
    if record is None:
        fail("there is no such record in this archive")
    if export is not None:
        _export(export, archive_id, record)
        return
    emit(record) if as_json else show.console().print(json.dumps(record, indent=2, ensure_ascii=False), markup=False)


def _export(path: Path, archive_id: str, record: dict[str, Any]) -> None:
    from api.exchange.returned import export
    from vault.folders import private

    with open(path, "xb", opener=private) as file:
        file.write(json.dumps(export(archive_id, record)).encode("ascii"))
    typer.echo(f"exported: hand {path.name} in with `theme-register return propose`, then delete it", err=True)


@archive.command()
def reseal(
    month: Annotated[str, typer.Argument(help="YYYY-MM.")],
    key: Key,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Seal the records of a month that holds keep longer to the month of their new date, before its key goes."""
    from api import archive as visits

    with _register() as opened:
        count = visits.reseal(opened, key, _passphrase(passphrase_file), month)
    _told({"month": month, "resealed": count}, as_json)


@archive.command("destroy-month")
def destroy_month(
    month: Annotated[str, typer.Argument(help="YYYY-MM.")],
    key: Key,
    passphrase_file: PassphraseFile = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Destroy a month's private key: copies of its records open nowhere any more. Refused while a record is left."""
    from register.clock import SystemClock

    left = [one for named, one in _files(folder).present() if named == month]
    if left:
        fail(f"{len(left)} records of {month} are still in the archive; those on hold: `archive reseal {month}`")
    with _custodian(key, passphrase_file) as custodian:
        custodian.destroy_month(month, at=SystemClock().now())
    _told({"month": month, "destroyed": True}, as_json)


def _note(custodian: "Custodian", act: str, targets: tuple[str, ...], ground: str, case: str) -> None:
    from register.access import CASE_PATTERN
    from register.clock import SystemClock
    from vault.archive.custodian import CustodianAct, OpeningGround

    if ground not in set(OpeningGround):
        fail(f"the ground must be one of: {', '.join(OpeningGround)}")
    if not CASE_PATTERN.fullmatch(case):
        fail(f"the case reference must match {CASE_PATTERN.pattern}")
    custodian.note(CustodianAct(act), at=SystemClock().now(), targets=targets, ground=ground, case=case)


def _opened(
    custodian: "Custodian", files: "ArchiveFiles", *, only: str | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Open the records that there are keys for; says on standard error which do not open."""
    from register.errors import NotFound, Tampered

    for place in files.present():
        if only in (None, place[1]):
            try:
                yield place[1], json.loads(custodian.keys.open(place[1], files.read(place)))
            except (NotFound, Tampered) as error:
                typer.echo(f"{place[0]}/{place[1]} does not open [{error.code}]", err=True)


@contextmanager
def _custodian(key: Path, passphrase_file: Path | None) -> Iterator["Custodian"]:
    from vault.archive.custodian import Custodian

    if not key.exists():
        fail("there is no such custodian's file")
    yield Custodian(key, _passphrase(passphrase_file))


@contextmanager
def _register() -> Iterator["Workplace"]:
    from api.settings import Settings
    from api.wiring import workplace

    with workplace(Settings(), "archive") as opened:
        yield opened


def _files(folder: Path | None) -> "ArchiveFiles":
    from api.settings import Settings
    from vault.archive.files import ArchiveFiles

    place = folder or Settings().home / "archive"
    if not place.is_dir():
        fail("there is no such archive folder")
    return ArchiveFiles(place)


def _passphrase(file: Path | None, *, new: bool = False) -> str:
    if file is None:
        return str(typer.prompt("passphrase", hide_input=True, confirmation_prompt=new, err=True))
    if file.stat().st_mode & 0o077:
        fail("the file with the passphrase may be read by others: chmod 600 it")
    return file.read_text("utf-8").strip()


def _told(answer: dict[str, Any], as_json: bool) -> None:
    emit(answer) if as_json else show.table("archive", ("what", "value"), answer.items())

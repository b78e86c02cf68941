"""`verify certificate|log|backup`: offline, public keys only. Imports no driver, no web framework, no key store."""

import sys
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NoReturn

import typer

from api.cli.client import emit, fail
from register.clock import SystemClock
from register.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from evidence.trust import Trust
    from evidence.words import Language

verify = typer.Typer(no_args_is_help=True, help="Check evidence offline, with public keys only.")

LIMIT: Final = 4 * 1024 * 1024
ENVELOPE: Final = "certificate.json"
PROOF: Final = "certificate.tlog-proof"


Vkey = Annotated[Path | None, typer.Option(help="The log's `vkey` file, from a place you trust.")]
TrustFile = Annotated[Path | None, typer.Option(help="A trust file: keys with roles and validity, witnesses.")]
Words = Annotated[Literal["en", "nl"], typer.Option("--language", help="Language of the words.")]
Json = Annotated[bool, typer.Option("--json", help="One line of JSON, for programs.")]


@verify.callback()
def verifying() -> None:
    """Check evidence offline, with public keys only."""


@verify.command("certificate")
def certificate(
    path: Annotated[Path, typer.Argument(help="Folder of a certificate's files, or the certificate itself.")],
    vkey: Vkey = None,
    trust: TrustFile = None,
    language: Words = "en",
    as_json: Json = False,
) -> None:
    """Check a certificate: its signatures, what it states, and that it is in the log.

    Exits with 0 when it is valid, 10 when stale, 11 to 21 by the check that failed (docs/formats/certificate-v1.md).
    """
    from evidence.verify import Evidence, verify_certificate
    from vault.signing import SignatureVerifier

    envelope, folder = (path / ENVELOPE, path) if path.is_dir() else (path, path.parent)
    trusted, beside = _trusted(vkey, trust, folder / "vkey")
    evidence = Evidence(
        envelope=_read(envelope),
        proof=_read(envelope.with_name(PROOF) if envelope.name == ENVELOPE else envelope.with_suffix(".tlog-proof")),
        policy=_optional(folder / "policy.toml"),
        ids=_optional(folder / "ids.txt"),
    )
    now: datetime = SystemClock().now()
    result = verify_certificate(evidence, trusted, SignatureVerifier(), now=now)
    _tell(result, language, beside=beside, as_json=as_json, more={"digest": result.digest})


@verify.command("log")
def log(
    folder: Annotated[Path, typer.Argument(help="Folder of a log: checkpoint, tile, bodies.", file_okay=False)],
    since: Annotated[Path | None, typer.Option(help="A checkpoint of this log that you kept from before.")] = None,
    vkey: Vkey = None,
    trust: TrustFile = None,
    without_bodies: Annotated[
        bool, typer.Option("--without-bodies", help="The folder is a stranger's copy, without the bodies.")
    ] = False,
    language: Words = "en",
    as_json: Json = False,
) -> None:
    """Check a whole log: signatures, every entry, every tile, every body, and that it continues an earlier checkpoint.

    Exits with 0 when nothing is wrong, 31 to 38 by the check that failed (docs/formats/verify.md).
    """
    from evidence.survey import verify_log
    from vault.signing import SignatureVerifier

    place = folder / "log" if (folder / "log" / "checkpoint").exists() else folder
    trusted, beside = _trusted(vkey, trust, place / "vkey")
    with _progress("entries", as_json) as advance:
        result = verify_log(
            place,
            trusted,
            SignatureVerifier(),
            since=None if since is None else _read(since),
            bodies=not without_bodies,
            advance=advance,
        )
    more = {"size": result.size, "bodies": result.bodies, "gone": result.gone}
    _tell(result, language, beside=beside, as_json=as_json, more=more)


@verify.command("backup")
def backup(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The manifest of a backup; its files lie beside it.")],
    vkey: Vkey = None,
    trust: TrustFile = None,
    language: Words = "en",
    as_json: Json = False,
) -> None:
    """Check a backup by its signed list: that every file is the one backed up. Opens nothing, needs no key.

    Exits with 0 when nothing is wrong, 51 to 57 by the check that failed (docs/formats/verify.md).
    """
    from evidence.manifest import MANIFEST, verify_backup
    from vault.signing import SignatureVerifier

    manifest = path / MANIFEST if path.is_dir() else path
    if not manifest.is_file():
        fail(f"cannot read {manifest.name}")
    trusted, beside = _trusted(vkey, trust, manifest.parent / "vkey")
    with _progress("bytes", as_json) as advance:
        result = verify_backup(manifest, trusted, SignatureVerifier(), advance=advance)
    stated = result.backup
    more = {} if stated is None else {"backup": stated.backup, "files": len(stated.files)}
    _tell(result, language, beside=beside, as_json=as_json, more=more)


def _trusted(vkey: Path | None, trust: Path | None, beside: Path) -> "tuple[Trust, bool]":
    """Return whom to trust, and whether that came from beside the evidence itself."""
    from evidence.trust import Trust

    try:
        trusted = Trust.parse(_read(trust)) if trust else Trust.of_vkeys(_read(vkey or beside))
    except Invalid as error:
        fail(f"the keys cannot be read: {error}")
    return trusted, trust is None and vkey is None


@contextmanager
def _progress(what: str, quiet: bool) -> "Iterator[Callable[[int], None]]":
    """Show on standard error how far it is, where somebody looks."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} {task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.advance(task, done)


def _tell(result: Any, language: "Language", *, beside: bool, as_json: bool, more: dict[str, Any]) -> NoReturn:
    from evidence.words import explain

    if as_json:
        emit(_plain(result, beside) | more)
    else:
        typer.echo("\n".join(explain(result, language)))
        if beside:
            typer.echo(_BESIDE[language])
    raise SystemExit(result.exit_code)


_BESIDE: Final = {
    "en": "The keys were taken from the file beside it. Compare them with the register's published ones, "
    "or give them with --vkey: whoever made this could have made those keys too.",
    "nl": "De sleutels komen uit het bestand dat erbij ligt. Vergelijk ze met de bekendgemaakte sleutels van "
    "het register, of geef ze op met --vkey: wie dit maakte, kan ook die sleutels hebben gemaakt.",
}


def _plain(result: Any, beside: bool) -> dict[str, Any]:
    checks = [
        {"number": one.number, "check": one.code, "finding": one.finding, "reason": one.reason} for one in result.checks
    ]
    return {
        "status": result.status,
        "exit": result.exit_code,
        "checks": checks,
        "does_not_prove": list(result.limits),
        "keys_from_bundle": beside,
    }


def _read(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            content = file.read(LIMIT + 1)
    except OSError as error:
        fail(f"cannot read {path.name} ({type(error).__name__})")
    if len(content) > LIMIT:
        fail(f"{path.name} is larger than any certificate file")
    return content


def _optional(path: Path) -> bytes | None:
    return _read(path) if path.exists() else None

"""`verify certificate|log|backup`: offline, public keys only. Imports no driver, no web framework, no key store."""

import sys
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NoReturn

import typer

from api.cli.client import emit, fail
from api.cli.trusted import TrustFile, Vkey, read, trusted
from register.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from evidence.words import Language

verify = typer.Typer(no_args_is_help=True, help="Check evidence offline, with public keys only.")

ENVELOPE: Final = "certificate.json"
PROOF: Final = "certificate.tlog-proof"


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
    whom, beside = trusted(vkey, trust, folder / "vkey")
    evidence = Evidence(
        envelope=read(envelope),
        proof=read(envelope.with_name(PROOF) if envelope.name == ENVELOPE else envelope.with_suffix(".tlog-proof")),
        policy=_optional(folder / "policy.toml"),
        ids=_optional(folder / "ids.txt"),
    )
    now: datetime = SystemClock().now()
    result = verify_certificate(evidence, whom, SignatureVerifier(), now=now)
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
    whom, beside = trusted(vkey, trust, place / "vkey")
    with _progress("entries", as_json) as advance:
        result = verify_log(
            place,
            whom,
            SignatureVerifier(),
            since=None if since is None else read(since),
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
    whom, beside = trusted(vkey, trust, manifest.parent / "vkey")
    with _progress("bytes", as_json) as advance:
        result = verify_backup(manifest, whom, SignatureVerifier(), advance=advance)
    stated = result.backup
    more = {} if stated is None else {"backup": stated.backup, "files": len(stated.files)}
    _tell(result, language, beside=beside, as_json=as_json, more=more)


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


def _optional(path: Path) -> bytes | None:
    return read(path) if path.exists() else None

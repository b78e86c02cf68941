"""`verify certificate`: offline, public keys only. Imports neither driver, nor web framework, nor key store."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from api.cli.client import emit, fail
from register.clock import SystemClock
from register.errors import Invalid

verify = typer.Typer(no_args_is_help=True, help="Check evidence offline, with public keys only.")

LIMIT: Final = 4 * 1024 * 1024
ENVELOPE: Final = "certificate.json"
PROOF: Final = "certificate.tlog-proof"


@verify.callback()
def verifying() -> None:
    """Check evidence offline, with public keys only."""


@verify.command("certificate")
def certificate(
    path: Annotated[Path, typer.Argument(help="Folder of a certificate's files, or the certificate itself.")],
    vkey: Annotated[Path | None, typer.Option(help="The log's `vkey` file, from a place you trust.")] = None,
    trust: Annotated[Path | None, typer.Option(help="A trust file: keys with roles and validity, witnesses.")] = None,
    language: Annotated[Literal["en", "nl"], typer.Option(help="Language of the words.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON, for programs.")] = False,
) -> None:
    """Check a certificate: its signatures, what it states, and that it is in the log.

    Exits with 0 when it is valid, 10 when stale, 11 to 21 by the check that failed (docs/formats/certificate-v1.md).
    """
    from evidence.trust import Trust
    from evidence.verify import Evidence, verify_certificate
    from evidence.words import explain
    from vault.signing import SignatureVerifier

    envelope, folder = (path / ENVELOPE, path) if path.is_dir() else (path, path.parent)
    beside = trust is None and vkey is None
    try:
        trusted = Trust.parse(_read(trust)) if trust else Trust.of_vkeys(_read(vkey or folder / "vkey"))
    except Invalid as error:
        fail(f"the keys cannot be read: {error}")
    evidence = Evidence(
        envelope=_read(envelope),
        proof=_read(envelope.with_name(PROOF) if envelope.name == ENVELOPE else envelope.with_suffix(".tlog-proof")),
        policy=_optional(folder / "policy.toml"),
        ids=_optional(folder / "ids.txt"),
    )
    now: datetime = SystemClock().now()
    result = verify_certificate(evidence, trusted, SignatureVerifier(), now=now)
    if as_json:
        emit(_plain(result, beside))
    else:
        typer.echo("\n".join(explain(result, language)))
        if beside:
            typer.echo(_BESIDE[language])
    raise SystemExit(result.exit_code)


_BESIDE: Final = {
    "en": "The keys were taken from the file beside the certificate. Compare them with the register's published ones, "
    "or give them with --vkey: whoever made the certificate could have made those keys too.",
    "nl": "De sleutels komen uit het bestand naast het certificaat. Vergelijk ze met de bekendgemaakte sleutels van "
    "het register, of geef ze op met --vkey: wie het certificaat maakte, kan ook die sleutels hebben gemaakt.",
}


def _plain(result: Any, beside: bool) -> dict[str, Any]:
    checks = [
        {"number": one.number, "check": one.code, "finding": one.finding, "reason": one.reason} for one in result.checks
    ]
    return {
        "status": result.status,
        "exit": result.exit_code,
        "digest": result.digest,
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

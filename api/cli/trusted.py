"""Whom a command that checks evidence trusts, and how it reads a file that may be anybody's."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.cli.client import fail
from register.errors import Invalid

if TYPE_CHECKING:
    from evidence.trust import Trust

LIMIT: Final = 4 * 1024 * 1024
"""Bytes; no file of a certificate or a proof is larger."""

Vkey = Annotated[Path | None, typer.Option(help="The log's `vkey` file, from a place you trust.")]
TrustFile = Annotated[Path | None, typer.Option(help="A trust file: keys with roles and validity, witnesses.")]


def read(path: Path) -> bytes:
    """Return what a file holds; end the command where it cannot be read or is too large."""
    try:
        with open(path, "rb") as file:
            content = file.read(LIMIT + 1)
    except OSError as error:
        fail(f"cannot read {path.name} ({type(error).__name__})")
    if len(content) > LIMIT:
        fail(f"{path.name} is larger than any file of a certificate or proof")
    return content


def trusted(vkey: Path | None, trust: Path | None, beside: Path) -> "tuple[Trust, bool]":
    """Return whom to trust, and whether that came from beside the evidence; end the command where it cannot be read.

    Args:
        vkey: the `vkey` file that the caller named, if any.
        trust: the trust file that the caller named, if any.
        beside: the file to take otherwise, a trust file or a `vkey`, by its name.
    """
    from evidence.succession import TRUST
    from evidence.trust import Trust

    named = trust or vkey or beside
    try:
        parse = Trust.parse if trust or named.name == TRUST else Trust.of_vkeys
        return parse(read(named)), named is beside
    except Invalid as error:
        fail(f"the keys cannot be read: {error}")

"""Options that many commands share."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from api.settings import Settings

Purpose = Annotated[str, typer.Option(help="Code of the purpose; lands in the audit log.")]
Case = Annotated[str, typer.Option(help="Case reference; lands in the audit log.")]
KeyFile = Annotated[Path | None, typer.Option(help="File (0600) with your API key; or THEME_REGISTER_KEY_FILE.")]
Url = Annotated[str | None, typer.Option(help="Address of the API; or THEME_REGISTER_URL.")]
AsJson = Annotated[bool, typer.Option("--json", help="One line of JSON, for programs.")]

ReasonFile = Annotated[Path, typer.Option(help="File with the reason in words; `-`: standard input.")]

PassphraseFile = Annotated[Path | None, typer.Option(help="Passphrase anchor: file (0600) with it.")]
Address = Annotated[str | None, typer.Option(help="Transit anchor: address of its key server.")]
TokenFile = Annotated[Path | None, typer.Option(help="Transit anchor: file (0600) with the token.")]
Authorities = Annotated[Path | None, typer.Option(help="Transit anchor: PEM file of authorities.")]


def anchor_options(
    passphrase_file: Path | None, address: str | None, token_file: Path | None, authorities: Path | None
) -> dict[str, object]:
    """Return what was given about an anchor, as settings by name."""
    named = {
        "anchor_passphrase_file": passphrase_file,
        "anchor_address": address,
        "anchor_token_file": token_file,
        "anchor_authorities": authorities,
    }
    return {setting: value for setting, value in named.items() if value is not None}


def reason_in(path: Path) -> str:
    """Return the text in a file, or on standard input: words about people are no argument of a command."""
    import unicodedata

    text = sys.stdin.read() if path == Path("-") else path.read_text("utf-8")
    return unicodedata.normalize("NFC", text.strip())


def settings_with(key_file: Path | None, url: str | None) -> "Settings":
    """Return the settings, with what was given on the command line in place of the environment's."""
    from api.settings import Settings

    given = {"key_file": key_file, "url": url}
    return Settings().model_copy(update={name: value for name, value in given.items() if value is not None})

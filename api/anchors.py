"""Which anchor a register has: chosen at `init`, written down in the folder of the keys, found there ever after.

A passphrase comes from a file that only its owner may read, or from the terminal; never from the environment or the
command line.
"""

import json
from collections.abc import Mapping
from getpass import getpass
from pathlib import Path
from typing import Final

from api.settings import Settings
from evidence.durable import write_durably
from register.errors import Fault, Invalid, Tampered, Unavailable
from register.ids import RegisterId
from vault.anchors import Anchor, AnchorKind
from vault.folders import secret

RECORD: Final = "anchor.json"
FOLDER: Final = "anchor"
_FORMAT: Final = "theme-register anchor choice v1"
_PLACES: Final = {
    "address": "anchor_address",
    "token_file": "anchor_token_file",
    "authorities": "anchor_authorities",
    "passphrase_file": "anchor_passphrase_file",
}
"""What may move later, by the setting that then names it anew; the key's name and the engine's mount may not."""


def choose(settings: Settings, kind: AnchorKind, register: RegisterId) -> Anchor:
    """Write the anchor of a new register down in its keys' folder, and return it.

    The settings of the other kinds are left alone. Without a name a transit key is called after the register.

    Raises:
        Invalid: address or token file are missing, or what was named cannot be used. Unavailable: a secret is missing.
    """
    chosen: dict[str, str] = {"format": _FORMAT, "kind": kind}
    if kind is AnchorKind.TRANSIT:
        missing = [name for name in ("anchor_address", "anchor_token_file") if getattr(settings, name) is None]
        if missing:
            message = "a transit anchor needs the address of the key server and a file (0600) with its token"
            raise Invalid([Fault(pointer=f"/{name}", rule="anchor.missing", message=message) for name in missing])
        key = settings.anchor_key or f"theme-register-{register}"
        chosen |= {"key": key, "mount": settings.anchor_mount, **_places(settings, "address", "token_file")}
        chosen |= _places(settings, "authorities")
    elif kind is AnchorKind.PASSPHRASE:
        chosen |= _places(settings, "passphrase_file")
    anchor = _made(settings, chosen, twice=True)
    write_durably(settings.keys_folder, [(RECORD, json.dumps(chosen, sort_keys=True).encode() + b"\n")], mode=0o600)
    return anchor


def anchor_of(settings: Settings) -> Anchor:
    """Return the anchor of the register whose keys are in the folder of `settings`.

    A keys' folder that says nothing has a file anchor: registers from before there was a choice.

    Raises:
        Unavailable: its secret is not there. Tampered: what was written down is damaged. Invalid: a setting is wrong.
    """
    path = settings.keys_folder / RECORD
    if not path.exists():
        return _made(settings, {"kind": AnchorKind.FILE}, twice=False)
    try:
        chosen = json.loads(secret(path))
        whole = chosen["format"] == _FORMAT and all(isinstance(value, str) for value in chosen.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise _damaged()
    return _made(settings, chosen | _places(settings, *_PLACES), twice=False)


def _places(settings: Settings, *names: str) -> dict[str, str]:
    found = {name: getattr(settings, _PLACES[name]) for name in names}
    return {
        name: str(value.absolute()) if isinstance(value, Path) else value
        for name, value in found.items()
        if value is not None
    }


def _made(settings: Settings, chosen: Mapping[str, str], *, twice: bool) -> Anchor:
    # Each provider is imported where it is asked for: the file anchor needs no HTTP client.
    folder = settings.keys_folder / FOLDER
    match chosen:
        case {"kind": AnchorKind.FILE}:
            from vault.anchors.file import FileAnchor

            return FileAnchor(folder)
        case {"kind": AnchorKind.PASSPHRASE}:
            from vault.anchors.passphrase import PassphraseAnchor

            named = chosen.get("passphrase_file")
            return PassphraseAnchor(folder, _typed(twice) if named is None else secret(Path(named)))
        case {"kind": AnchorKind.TRANSIT, "address": address, "key": key, "mount": mount, "token_file": token_file}:
            from vault.anchors.transit import TransitAnchor

            named = chosen.get("authorities")
            authorities = None if named is None else Path(named)
            return TransitAnchor(address, key, Path(token_file), mount=mount, authorities=authorities)
    raise _damaged()


def _damaged() -> Tampered:
    return Tampered("anchor.record", f"{RECORD} in the keys' folder is not what was written")


def _typed(twice: bool) -> str:
    try:
        with open("/dev/tty", "rb"):
            pass
    except OSError:
        message = "there is no terminal to ask for the passphrase: name a file (0600) that holds it"
        raise Unavailable("secret.absent", message) from None
    passphrase = getpass("passphrase of the anchor: ")
    if twice and getpass("once more: ") != passphrase:
        raise Invalid([Fault(pointer="/passphrase", rule="passphrase.differs", message="the two are not the same")])
    return passphrase

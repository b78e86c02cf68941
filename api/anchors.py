"""Which anchor a register has: chosen at `init`, written down in the folder of the keys, found there ever after.

Another one is chosen by `keys rotate --anchor`: it is written down beside the one in force, the root key moves to it
with the next purge, and then it takes that one's place.

A passphrase comes from a file that only its owner may read, or from the terminal; never from the environment or the
command line.
"""

import json
import shutil
from collections.abc import Mapping
from getpass import getpass
from itertools import count
from pathlib import Path
from typing import Final

from api.settings import Settings
from evidence.durable import write_durably
from register.errors import Conflict, Fault, Invalid, Tampered, Unavailable
from register.ids import RegisterId, mint
from vault.anchors import Anchor, AnchorKind
from vault.anchors.moving import ROOM, Moving
from vault.folders import secret, sync

RECORD: Final = "anchor.json"
NEXT: Final = "anchor-next.json"
"""The anchor that the root key moves to, from the decision until the former one is destroyed."""

FOLDER: Final = "anchor"
_FORMAT: Final = "theme-register anchor choice v1"
_PLACES: Final = {
    "address": "anchor_address",
    "token_file": "anchor_token_file",
    "authorities": "anchor_authorities",
    "passphrase_file": "anchor_passphrase_file",
}
"""What may move later, by the setting that then names it anew; the key's name and the engine's mount may not."""

_NO_PLACE: Final = dict.fromkeys((*_PLACES.values(), "anchor_key"))


def choose(settings: Settings, kind: AnchorKind, register: RegisterId) -> Anchor:
    """Write the anchor of a new register down in its keys' folder, and return it.

    The settings of the other kinds are left alone. Without a name a transit key is called after the register.

    Raises:
        Invalid: address or token file are missing, or what was named cannot be used. Unavailable: a secret is missing.
    """
    chosen = _chosen(settings, kind, settings.anchor_key or f"theme-register-{register}")
    anchor = _made(settings, chosen, twice=True)
    _write(settings, RECORD, chosen)
    return anchor


def begin_move(settings: Settings, kind: AnchorKind, options: Mapping[str, object], root: int) -> None:
    """Write down a new anchor, of a key of its own, to which the root key moves with the next purge.

    Args:
        settings: of the register; none of them may say otherwise than `options` once the new anchor is in force.
        kind: of the new anchor, also the one there is.
        options: settings of the new anchor, by name.
        root: version of the anchor in force that the root key is wrapped under.

    Raises:
        Conflict: it is moving already (`anchor.moving`). Invalid, Unavailable: see `choose`; `anchor.setting`.
    """
    if (settings.keys_folder / NEXT).exists():
        raise Conflict("anchor.moving", "the root key is on its way to another anchor: `keys rotate` ends that")
    chosen = _chosen(settings.model_copy(update={**_NO_PLACE, **options}), kind, f"theme-register-{mint()}")
    if any(chosen.get(name, value) != value for name, value in _places(settings, *_PLACES).items()):
        message = "a setting names another place than this: unset it first, or it would count for the new anchor"
        raise Invalid([Fault(pointer="/anchor", rule="anchor.setting", message=message)])
    if kind is not AnchorKind.TRANSIT:
        folders = (f"{FOLDER}-{number}" for number in count(2))
        chosen |= {"folder": next(name for name in folders if not (settings.keys_folder / name).exists())}
    if _made(settings, chosen, twice=True).advance() != 1:
        raise Conflict("keys.exist", "the new anchor has keys already; they are never replaced")
    _write(settings, NEXT, chosen | {"above": str(root + ROOM)})


def moving(settings: Settings) -> bool:
    """Say whether the root key is on its way to another anchor."""
    return (settings.keys_folder / NEXT).exists()


def end_move(settings: Settings) -> None:
    """Put the new anchor in the place of the former, which has nothing left; safe where nothing moves."""
    if not moving(settings):
        return
    keys = settings.keys_folder
    former = _found(keys / RECORD) or {"kind": AnchorKind.FILE}
    (keys / NEXT).replace(keys / RECORD)
    sync(keys)
    if former["kind"] != AnchorKind.TRANSIT:
        shutil.rmtree(keys / former.get("folder", FOLDER))  # holds nothing but a version that wrapped nothing


def _chosen(settings: Settings, kind: AnchorKind, key: str) -> dict[str, str]:
    chosen: dict[str, str] = {"format": _FORMAT, "kind": kind}
    if kind is AnchorKind.TRANSIT:
        missing = [name for name in ("anchor_address", "anchor_token_file") if getattr(settings, name) is None]
        if missing:
            message = "a transit anchor needs the address of the key server and a file (0600) with its token"
            raise Invalid([Fault(pointer=f"/{name}", rule="anchor.missing", message=message) for name in missing])
        chosen |= {"key": key, "mount": settings.anchor_mount, **_places(settings, "address", "token_file")}
        chosen |= _places(settings, "authorities")
    elif kind is AnchorKind.PASSPHRASE:
        chosen |= _places(settings, "passphrase_file")
    return chosen


def _write(settings: Settings, name: str, chosen: Mapping[str, str]) -> None:
    write_durably(settings.keys_folder, [(name, json.dumps(chosen, sort_keys=True).encode() + b"\n")], mode=0o600)


def anchor_of(settings: Settings) -> Anchor:
    """Return the anchor of the register whose keys are in the folder of `settings`.

    A keys' folder that says nothing has a file anchor: registers from before there was a choice.

    Raises:
        Unavailable: its secret is not there. Tampered: what was written down is damaged. Invalid: a setting is wrong.
    """
    # Read in this order: the next takes the other's place, and then both names are of the same anchor.
    coming = _found(settings.keys_folder / NEXT)
    chosen = _found(settings.keys_folder / RECORD) or {"kind": AnchorKind.FILE}
    former = _made(settings, chosen | _places(settings, *_PLACES), twice=False)
    if coming is None:
        return former
    return Moving(former, _made(settings, coming, twice=False), int(coming["above"]))


def _found(path: Path) -> dict[str, str] | None:
    try:
        return _read(path) if path.exists() else None
    except Unavailable:
        if path.exists():
            raise
        return None  # it has just taken the other's place


def _read(path: Path) -> dict[str, str]:
    try:
        chosen = json.loads(secret(path))
        whole = chosen["format"] == _FORMAT and all(isinstance(value, str) for value in chosen.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise _damaged()
    return dict[str, str](chosen)


def _places(settings: Settings, *names: str) -> dict[str, str]:
    found = {name: getattr(settings, _PLACES[name]) for name in names}
    return {
        name: str(value.absolute()) if isinstance(value, Path) else value
        for name, value in found.items()
        if value is not None
    }


def _made(settings: Settings, chosen: Mapping[str, str], *, twice: bool) -> Anchor:
    # Each provider is imported where it is asked for: the file anchor needs no HTTP client.
    folder = settings.keys_folder / chosen.get("folder", FOLDER)
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

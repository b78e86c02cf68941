"""The public halves of the archive's keys, as the running register keeps them: `HOME/archive/keys.json`.

Under a MAC of the register: whoever could put keys of their own there would read what is removed from then on.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from register.archived import ArchiveKeysFacts
from register.errors import Tampered
from register.ids import RegisterId
from vault.archive.record import PublicHalf, month_of
from vault.folders import replace_durably

KEYS: Final = "keys.json"
FORMAT: Final = "theme-register archive keys v1"
MONTHS_MADE: Final = 120
"""Months for which `archive init` and `archive extend` make keys, from the present one on."""
MONTHS_NEEDED: Final = 72
"""Months ahead below which there is an alarm: five years, and one more in which to call the custodian."""

Mac = Callable[[ArchiveKeysFacts], bytes]
"""Gives the register's MAC of facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveKeys:
    """What the register knows of the archive's keys.

    Attributes:
        revision: raised by one at every change.
        custodian: public Ed25519 key that the custodian's log is signed with, 32 bytes.
        months: the public halves by month.
    """

    register: RegisterId
    revision: int
    custodian: bytes
    months: Mapping[str, PublicHalf]

    def ahead(self, on: date) -> int:
        """Return for how many months, from that of civil date `on`, there are keys without a gap."""
        return next(count for count in range(len(self.months) + 1) if months_from(on, count + 1)[-1] not in self.months)

    @property
    def facts(self) -> ArchiveKeysFacts:
        """What the MAC covers."""
        digest = hashlib.sha256(json.dumps(self._content(), sort_keys=True).encode("ascii")).hexdigest()
        return ArchiveKeysFacts(id=self.register, revision=self.revision, sha256=digest)

    def write(self, folder: Path, mac: Mac) -> None:
        """Write this to `folder`, durably, in place of what was there."""
        content = {**self._content(), "mac": mac(self.facts).hex()}
        replace_durably(folder / KEYS, json.dumps(content, sort_keys=True, indent=1).encode("ascii") + b"\n")

    def _content(self) -> dict[str, object]:
        return {
            "format": FORMAT,
            "register": self.register,
            "revision": self.revision,
            "custodian": self.custodian.hex(),
            "months": {month: half.raw.hex() for month, half in self.months.items()},
        }


def read_keys(folder: Path) -> tuple[ArchiveKeys, bytes] | None:
    """Return the keys in `folder` and their MAC, which the caller has to check; None before there are any.

    Raises:
        Tampered: code `archive.keys`: the file is not one that a register wrote.
    """
    try:
        content = json.loads((folder / KEYS).read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        raise damaged() from None
    try:
        keys = ArchiveKeys(
            register=RegisterId(content["register"]),
            revision=int(content["revision"]),
            custodian=bytes.fromhex(content["custodian"]),
            months={month: PublicHalf(month, bytes.fromhex(raw)) for month, raw in content["months"].items()},
        )
        mac = bytes.fromhex(content["mac"])
    except (KeyError, TypeError, ValueError, AttributeError, Tampered):
        raise damaged() from None
    return keys, mac


def damaged() -> Tampered:
    """Return the error of a file of keys that this register did not write, or not last."""
    return Tampered("archive.keys", "the archive's public keys are not what this register wrote")


def months_from(day: date, count: int) -> tuple[str, ...]:
    """Return `count` months, from that of `day` on."""
    first = day.year * 12 + day.month - 1
    return tuple(month_of(date(month // 12, month % 12 + 1, 1)) for month in range(first, first + count))

"""Whom a verifier trusts, and for what: the keys of a log and of those who sign certificates, and its witnesses.

Comes from the log's `vkey` file alone, or from a trust file that its owner keeps (docs/formats/certificate-v1.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from evidence.checkpoint import Checkpoint, Signature, verify_checkpoint
from evidence.note import Verifier, VerifierKey, invalid, parse_vkeys
from evidence.shape import closed, listed, number, one_of, optional, text
from evidence.strict import parse_json
from register.errors import Invalid

FORMAT: Final = "theme-register-trust-v1"
_MAX_TRUST: Final = 1024 * 1024
_SHA256: Final = text("[0-9a-f]{64}")
_INSTANT: Final = optional(text("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"))
_SHAPE: Final = closed(
    {
        "format": one_of(FORMAT),
        "origin": text("[0-9a-z][0-9a-z./-]{0,199}"),
        "threshold": number(least=1),
        "keys": listed(
            closed(
                {
                    "vkey": text(".{1,4000}"),
                    "roles": listed(one_of("certificate", "log"), least=1, most=2),
                    "valid_from": _INSTANT,
                    "valid_until": _INSTANT,
                    "revoked_at": _INSTANT,
                }
            ),
            least=1,
            most=100,
        ),
        "witnesses": listed(text(".{1,4000}"), most=100),
        "quorum": number(),
        "superseded": listed(closed({"certificate": _SHA256, "by": _SHA256}), most=10000),
        "fresh_seconds": optional(number(least=1)),
    }
)


class Role(StrEnum):
    """What a key is trusted for."""

    CERTIFICATE = "certificate"
    LOG = "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A key, its roles, and when it counts; all times are compared with the time in the log's signature.

    Attributes:
        valid_from, valid_until: inclusive bounds (aware, UTC); None where there is none.
        revoked_at: from then on the key may be in other hands. What it signed before counts only where enough
            witnesses saw it before.
    """

    key: VerifierKey
    roles: frozenset[Role]
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    revoked_at: datetime | None = None

    def valid_at(self, at: datetime) -> bool:
        """Say whether `at` lies within the bounds."""
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_until is None or at <= self.valid_until
        )

    @property
    def bounded(self) -> bool:
        """Whether anything about this key depends on time."""
        return any((self.valid_from, self.valid_until, self.revoked_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom to trust.

    Attributes:
        origin: the log's origin line.
        threshold: how many distinct keys must have signed the certificate, and how many the checkpoint.
        quorum: how many witnesses must have cosigned, by name, as one may have several keys; 0 asks for none.
        superseded: digest of a certificate → digest of the one that has the later word.
        fresh: how old the newest signed time may be; None: age is not judged.
    """

    origin: str
    threshold: int
    keys: tuple[TrustedKey, ...]
    witnesses: tuple[VerifierKey, ...] = ()
    quorum: int = 0
    superseded: Mapping[str, str] = field(default_factory=dict)
    fresh: timedelta | None = None

    def of(self, role: Role) -> tuple[VerifierKey, ...]:
        """Return the keys trusted in `role`."""
        return tuple(trusted.key for trusted in self.keys if role in trusted.roles)

    def signed(self, note: bytes, verifier: Verifier) -> tuple[Checkpoint, tuple[Signature, ...]]:
        """Return a checkpoint that enough keys of a log signed, and their signatures; of which log, its origin says.

        Raises:
            Invalid: see `verify_checkpoint`.
        """
        return verify_checkpoint(note, self.of(Role.LOG), verifier, threshold=self.threshold)

    @classmethod
    def of_vkeys(cls, content: bytes) -> "Trust":
        """Trust the keys of a log's `vkey` file, all of them needed, and no witness.

        Raises:
            Invalid: the file is malformed, or its keys have several names (`vkey`).
        """
        keys = parse_vkeys(content)
        if len({key.name for key in keys}) != 1:
            raise invalid("vkey", "the keys of one log have one name")
        both = frozenset(Role)
        return cls(
            origin=keys[0].name, threshold=len(keys), keys=tuple(TrustedKey(key=key, roles=both) for key in keys)
        )

    @classmethod
    def parse(cls, content: bytes) -> "Trust":
        """Read a trust file.

        Raises:
            Invalid: with every fault of its structure, or of its keys (`vkey`), or `trust` where it asks for what can
                never be: more keys or witnesses than it lists, one twice.
        """
        value = parse_json(content, limit=_MAX_TRUST)
        if faults := tuple(_SHAPE(value, "")):
            raise Invalid(faults, code="trust")
        trust = cls(
            origin=value["origin"],
            threshold=value["threshold"],
            keys=tuple(map(_trusted, value["keys"])),
            witnesses=tuple(map(VerifierKey.parse, value["witnesses"])),
            quorum=value["quorum"],
            superseded=MappingProxyType({each["certificate"]: each["by"] for each in value["superseded"]}),
            fresh=None if value["fresh_seconds"] is None else timedelta(seconds=value["fresh_seconds"]),
        )
        listed_keys = [*(trusted.key for trusted in trust.keys), *trust.witnesses]
        fewest = min(len(trust.of(role)) for role in Role)
        if (
            len(set(listed_keys)) != len(listed_keys)
            or fewest < trust.threshold
            or len({key.name for key in trust.witnesses}) < trust.quorum
        ):
            raise invalid("trust", "a key is listed twice, or more are asked for than are listed")
        return trust


def _trusted(value: dict[str, Any]) -> TrustedKey:
    return TrustedKey(
        key=VerifierKey.parse(value["vkey"]),
        roles=frozenset(map(Role, value["roles"])),
        **{name: _instant(value[name]) for name in ("valid_from", "valid_until", "revoked_at")},
    )


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise invalid("trust", "there is no such time") from None

"""What the custodian holds: private halves and a signing key in one passphrase-protected file, and a log of its own.

Works offline. Nothing is opened before its line in the log is durable.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from register.errors import Conflict, Fault, Invalid, NotFound, Refused, Tampered
from register.ids import ArchiveId, RegisterId
from vault.archive.keys import MONTHS_MADE, ArchiveKeys, months_from
from vault.archive.record import PrivateHalf, month_named
from vault.folders import private, replace_durably, sync
from vault.formats import NONCE_BYTES, Opaque, nonce, prefixed, unlock

FORMAT: Final = "theme-register custodian v1"
LABEL: Final = b"theme-register/custodian/1"
SHORTEST_PASSPHRASE: Final = 12
# The second recommended option of RFC 9106, section 4; part of the format.
_ITERATIONS, _LANES, _KIB = 3, 4, 64 * 1024


class OpeningGround(StrEnum):
    """For what a removed record may be opened (Wpg art. 14(1) and (3), 25)."""

    COMPLAINT = "complaint"
    ACCOUNTABILITY = "accountability"
    RIGHTS_REQUEST = "rights-request"
    ORDER = "wpg-14-3"


class CustodianAct(StrEnum):
    """What a line of the custodian's log is about."""

    FIND = "find"
    OPEN = "open"
    RESEAL = "reseal"
    DESTROY_MONTH = "destroy-month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the custodian's log.

    Attributes:
        number: from 1, without a gap; previous: SHA-256 of the line before, hexadecimal, "" for the first.
        at: aware, UTC.
        targets: ids of archived records, sorted.
        ground, case: why; of OpeningGround and a case reference, or the reference of an order.
        month: of the key concerned, `YYYY-MM`, or "".
        detail: further codes and digests.
    """

    register: RegisterId
    number: int
    previous: str
    at: datetime
    act: CustodianAct
    targets: tuple[str, ...]
    ground: str
    case: str
    month: str
    detail: Mapping[str, str]

    def body(self) -> bytes:
        """Return what is signed: canonical JSON (sorted keys, ASCII)."""
        content = {name: getattr(self, name) for name in self.__slots__} | {"at": self.at.isoformat()}
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")


class Keys(Opaque):
    """The private halves by month, and the key that the custodian signs with.

    Attributes:
        register: whose archive they open.
        months: the private halves that are left.
    """

    __slots__ = ("_signing", "months", "register")

    def __init__(self, register: RegisterId, months: Mapping[str, PrivateHalf], signing: Ed25519PrivateKey) -> None:
        self.register = register
        self.months = dict(months)
        self._signing = signing

    @classmethod
    def draw(cls, register: RegisterId) -> "Keys":
        """Return keys of no month yet, with a new signing key."""
        return cls(register, {}, Ed25519PrivateKey.generate())

    def extend(self, on: date, ahead: int = MONTHS_MADE) -> tuple[str, ...]:
        """Draw pairs for so many months, from that of civil date `on`, that have none; return these months."""
        fresh = tuple(month for month in months_from(on, ahead) if month not in self.months)
        self.months.update((month, PrivateHalf.draw(month)) for month in fresh)
        return fresh

    @property
    def custodian(self) -> bytes:
        """The public key of the custodian's signatures, 32 bytes."""
        return self._signing.public_key().public_bytes_raw()

    def public(self, revision: int) -> ArchiveKeys:
        """Return what the register may know of these keys."""
        months = {month: half.public for month, half in sorted(self.months.items())}
        return ArchiveKeys(register=self.register, revision=revision, custodian=self.custodian, months=months)

    def sign(self, body: bytes) -> bytes:
        """Return the signature of a line."""
        return self._signing.sign(body)

    def open(self, archive: ArchiveId, record: bytes) -> bytes:
        """Return what an archived record holds.

        Raises:
            NotFound: code `archive.month-destroyed`: its month's key is not here (any more).
            Tampered: it does not open.
        """
        half = self.months.get(month_named(record))
        if half is None:
            raise NotFound("archive.month-destroyed", "the key of this record's month is not in the custodian's file")
        return half.open(self.register, archive, record)

    def seal(self, passphrase: str) -> bytes:
        """Return the content of the custodian's file.

        Raises:
            Invalid: rule `passphrase.short`.
        """
        if len(passphrase) < SHORTEST_PASSPHRASE:
            message = f"at least {SHORTEST_PASSPHRASE} characters are needed"
            raise Invalid([Fault(pointer="/passphrase", rule="passphrase.short", message=message)])
        salt, iv = os.urandom(16), nonce()
        signing = self._signing.private_bytes_raw().hex()
        content = {"signing": signing, "months": {month: half.raw.hex() for month, half in self.months.items()}}
        sealed = _cipher(passphrase, salt).encrypt(iv, json.dumps(content).encode("ascii"), _aad(self.register))
        outside = {"format": FORMAT, "register": self.register, "salt": salt.hex(), "sealed": (iv + sealed).hex()}
        return json.dumps(outside, indent=1).encode("ascii") + b"\n"

    @classmethod
    def unseal(cls, content: bytes, passphrase: str) -> "Keys":
        """Return the keys in a custodian's file.

        Raises:
            Refused: code `custodian.passphrase`: another passphrase, or the file was changed.
        """
        months: dict[str, PrivateHalf] | None = None
        try:
            outside = json.loads(content)
            register = RegisterId(outside["register"])
            sealed = bytes.fromhex(outside["sealed"])
            cipher = _cipher(passphrase, bytes.fromhex(outside["salt"]))
            inside = json.loads(unlock(cipher, sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _aad(register)))
            months = {month: PrivateHalf(month, bytes.fromhex(raw)) for month, raw in inside["months"].items()}
            signing = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(inside["signing"]))
        except (ValueError, KeyError, TypeError, AttributeError, Tampered):
            months = None
        # Raised without a cause: a chained error could quote the file.
        if months is None:
            raise Refused("custodian.passphrase", "the passphrase is another, or the file was changed")
        return cls(register, months, signing)


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    derived = Argon2id(salt=salt, length=32, iterations=_ITERATIONS, lanes=_LANES, memory_cost=_KIB)
    return AESGCM(derived.derive(passphrase.encode("utf-8")))


def _aad(register: RegisterId) -> bytes:
    return prefixed(LABEL, register.encode("ascii"))


class Custodian:
    """The custodian's file and log, opened; `FILE.log` lies beside `FILE`.

    Args:
        path: of the file.
        passphrase: that it is sealed under.

    Raises:
        Refused: the passphrase is another. Tampered: the log beside it does not verify.
    """

    def __init__(self, path: Path, passphrase: str) -> None:
        self._path = path
        self._passphrase = passphrase
        self.keys = Keys.unseal(path.read_bytes(), passphrase)
        self._log = log_of(path)
        content = self._log.read_bytes() if self._log.exists() else b""
        self._size = content.rfind(b"\n") + 1
        self._lines = tuple(lines_of(content, self.keys.register, self.keys.custodian))

    @classmethod
    def create(cls, path: Path, keys: Keys, passphrase: str) -> None:
        """Write the file of new keys, durably. Raises Conflict: there is a file of that name."""
        content = keys.seal(passphrase)
        if path.exists() or log_of(path).exists():
            raise Conflict("custodian.exists", "there is a file of that name already")
        replace_durably(path, content)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of the log."""
        return self._lines

    def destroy_month(self, month: str, *, at: datetime) -> None:
        """Destroy a month's private key, then say so in a signed line. Safe to run again after a crash between the two.

        Raises:
            NotFound: code `archive.month-destroyed`: it was destroyed before, or never made.
        """
        done = any(line.act is CustodianAct.DESTROY_MONTH and line.month == month for line in self._lines)
        if done or (month not in self.keys.months and month > max(self.keys.months, default="")):
            raise NotFound("archive.month-destroyed", "the key of this record's month is not in the custodian's file")
        self.keys.months.pop(month, None)
        self.save()
        self.note(CustodianAct.DESTROY_MONTH, at=at, ground=OpeningGround.ACCOUNTABILITY, month=month)

    def save(self) -> None:
        """Write the keys back, durably, in place of the file: what is no more among them is nowhere."""
        replace_durably(self._path, self.keys.seal(self._passphrase))

    def note(
        self,
        act: CustodianAct,
        *,
        at: datetime,
        targets: Iterable[str] = (),
        ground: str = "",
        case: str = "",
        month: str = "",
        detail: Mapping[str, str] | None = None,
    ) -> Line:
        """Write a signed line, durable on return; comes before what it speaks of."""
        last = self._lines[-1] if self._lines else None
        line = Line(
            register=self.keys.register,
            number=len(self._lines) + 1,
            previous="" if last is None else hashlib.sha256(last.body()).hexdigest(),
            at=at,
            act=act,
            targets=tuple(sorted(targets)),
            ground=ground,
            case=case,
            month=month,
            detail=dict(detail or {}),
        )
        written = {"line": line.body().decode("ascii"), "signature": self.keys.sign(line.body()).hex()}
        with open(self._log, "ab", opener=private) as file:
            file.truncate(self._size)  # of a line that was cut off when a process died
            self._size += file.write(json.dumps(written).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync(self._log.parent)
        self._lines = (*self._lines, line)
        return line


def log_of(path: Path) -> Path:
    """Return where the log of a custodian's file lies."""
    return path.with_name(path.name + ".log")


def lines_of(content: bytes, register: RegisterId, custodian: bytes) -> Iterator[Line]:
    """Yield the lines of a custodian's log, each signed by the holder of `custodian` and following the one before.

    A last line that was cut off when a process died is left out: what it speaks of was not done.

    Raises:
        Tampered: code `custodian.log`: a line is not signed, not of this register, or not the next one.
    """
    signer = Ed25519PublicKey.from_public_bytes(custodian)
    previous = ""
    for number, text in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            written: dict[str, Any] = json.loads(text)
            body = written["line"].encode("ascii")
            signer.verify(bytes.fromhex(written["signature"]), body)
            line = _line(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
            raise _broken() from None
        if (line.register, line.number, line.previous) != (register, number, previous) or line.body() != body:
            raise _broken()
        previous = hashlib.sha256(body).hexdigest()
        yield line


def _line(values: dict[str, Any]) -> Line:
    changes = {
        "at": datetime.fromisoformat(values["at"]),
        "act": CustodianAct(values["act"]),
        "targets": tuple(values["targets"]),
    }
    return Line(**{**values, **changes})


def _broken() -> Tampered:
    return Tampered("custodian.log", "the custodian's log is not signed throughout, or a line of it is missing")

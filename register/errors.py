"""Error families, by what the caller can do about them.

No message here or in any room carries a secret or a personal datum: ids, codes, rules and JSON pointers only.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with what was handed in.

    Attributes:
        pointer: JSON pointer (RFC 6901) to the faulty place, "" for the whole; never the value found there.
        rule: short stable code of the rule that was broken, such as `date.future`.
        message: one sentence for people: what is wrong and what is expected.
    """

    pointer: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer or '(whole)'}: {self.message} [{self.rule}]"


class RegisterError(Exception):
    """Any error this register raises on purpose. `code` is stable and safe to show."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Refused(RegisterError):
    """The actor may not do this. Ask for the permission, or do not."""


class Exhausted(Refused):
    """The actor has used up what was allowed for now. Wait, or do without."""


class Invalid(RegisterError):
    """What was handed in breaks rules; `faults` names every one of them. Mend and hand in again."""

    def __init__(self, faults: Iterable[Fault], code: str = "invalid") -> None:
        self.faults = tuple(faults)
        super().__init__(code, "; ".join(map(str, self.faults)))


class NotFound(RegisterError):
    """Absent or hidden; the two cannot be told apart, on purpose."""

    def __init__(self, code: str = "not-found", message: str = "not found") -> None:
        super().__init__(code, message)


class Conflict(RegisterError):
    """It contradicts what is there already, such as other content under a known reference."""


class Unavailable(RegisterError):
    """Something needed is not there just now. Nothing was stored or shown; try again later."""


class Tampered(RegisterError):
    """Something stored is not what this register wrote. One error for every cause; nothing is shown.

    Attributes:
        ids: subjects and signals that are to be hidden for it, sorted; none where the record itself is not to blame.
    """

    def __init__(
        self, code: str = "tampered", message: str = "stored data does not verify", *, ids: Iterable[str] = ()
    ) -> None:
        super().__init__(code, message)
        self.ids = tuple(sorted(set(ids)))

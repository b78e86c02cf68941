"""Bulk intake from NDJSON (one signal/1 object a line): streamed, in batches, safe to kill and to run again.

Nothing is remembered about how far a file came: the register knows every delivery by contributor and reference, so
handing in the same lines again stores nothing twice.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from api.exchange.lines import numbered
from api.exchange.signal_v1 import read
from register.access import Actor
from register.errors import Invalid, RegisterError
from register.handed import Answer, Receipt
from register.intake import Intake
from register.signals import NewSignal

BATCH: Final = 500
"""Lines that are taken in together: one round trip a step, and half of what a kill may leave to be done again."""


Line = tuple[int, bytes, NewSignal | Invalid]
"""A line's number, from 1, what it holds, and what it says."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of the lines so far; `bytes_read` is how far into the file they reach."""

    accepted: int = 0
    already: int = 0
    rejected: int = 0
    bytes_read: int = 0


class Rejects:
    """The file of rejected lines with their reasons, one JSON object a line. It holds what was handed in: mode 0600."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        # What an earlier import rejected is personal data that nobody needs once the file is imported again.
        self._path.unlink(missing_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, number: int, line: bytes, error: RegisterError) -> None:
        """Write down that line `number` (from 1) was rejected, and why; the file is made at the first one."""
        if self._file is None:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            os.fchmod(handle, 0o600)
            self._file = open(handle, "wb")  # noqa: SIM115 (closed by __exit__)
        faults = error.faults if isinstance(error, Invalid) else ()
        reasons = [{"pointer": one.pointer, "rule": one.rule, "message": one.message} for one in faults]
        told = {"line": number, "error": error.code, "errors": reasons, "text": line.decode("utf-8", "replace")}
        self._file.write(json.dumps(told, ensure_ascii=False).encode("utf-8") + b"\n")


def take_in(
    file: BinaryIO, intake: Intake, actor: Actor, rejects: Rejects, *, dry_run: bool, progress: Callable[[Tally], None]
) -> Tally:
    """Take in every line of `file` for `actor`; return the tally. `dry_run` only says what would be rejected by rule.

    Raises:
        Refused: the actor is no contributor. Unavailable: something needed is not there; run again to go on.
    """
    tally = Tally()
    under_way: deque[tuple[list[Line], int]] = deque()

    def handed_in() -> Iterator[list[NewSignal]]:
        for batch in _batches(numbered(file)):
            parsed = [(number, line, _parsed(line)) for number, line in batch]
            under_way.append((parsed, file.tell()))
            yield [one for _, _, one in parsed if isinstance(one, NewSignal)]

    answered: Iterator[Sequence[Answer | None]]
    answered = map(intake.fault, handed_in()) if dry_run else intake.record_each(actor, handed_in())
    for answers in answered:
        parsed, reached = under_way.popleft()
        _tell(tally, parsed, iter(answers), rejects)
        tally.bytes_read = reached
        progress(tally)
    return tally


def _tell(tally: Tally, parsed: Sequence[Line], answers: Iterator[Answer | None], rejects: Rejects) -> None:
    for number, line, one in parsed:
        answer = next(answers) if isinstance(one, NewSignal) else one
        if isinstance(answer, RegisterError):
            tally.rejected += 1
            rejects.write(number, line, answer)
        elif isinstance(answer, Receipt) and answer.repeated:
            tally.already += 1
        else:
            tally.accepted += 1


def _batches(lines: Iterator[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    batch: list[tuple[int, bytes]] = []
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _parsed(line: bytes) -> NewSignal | Invalid:
    try:
        return read(line)
    except Invalid as invalid:
        return invalid

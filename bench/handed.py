"""What comes in beside a run: made-up signals, and the child that takes them in and tells each receipt."""

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final

from api.exchange.signal_v1 import read as read_signal
from api.wiring import workplace
from register.access import Actor, Role
from register.clock import SystemClock, civil_date
from register.errors import RegisterError
from register.grading import Category, SubjectKind
from register.signals import NewSignal
from register.subjects import IdentifierKind, NewIdentifier, NewSubject
from tests.builders import a_signal
from tests.journeys import killed
from tests.journeys.killed import Place

DESK: Final = Actor(code="desk", role=Role.CONTRIBUTOR)
HANDED_IN: Final = 16


def deliver(place: Place, path: Path) -> None:
    """Be an importing child that writes each receipt down as soon as it has it."""
    killed.settle(place)
    receipts = os.open(path.with_suffix(".receipts"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        with workplace(place.settings, "import") as opened:
            for line in path.read_bytes().splitlines():
                receipt = opened.intake.record(DESK, read_signal(line))
                os.write(receipts, f"{receipt.reference} {receipt.id}\n".encode("ascii"))
    except (RegisterError, OSError):
        sys.exit(1)


def to_hand_in(name: str, random: Random) -> Iterator[NewSignal]:
    """Signals about people nobody has heard of, some of them in two."""
    people = [f"X{random.randrange(10**8):08}" for _ in range(HANDED_IN * 2 // 3)]
    for number in range(HANDED_IN):
        value = people[number % len(people)]
        person = NewSubject(
            ref="s1",
            kind=SubjectKind.PERSON,
            category=Category.INVOLVED,
            names=(f"Somebody {value[-3:]}",),
            identifiers=(NewIdentifier(kind=IdentifierKind.PASSPORT, value=value),),
        )
        yield a_signal(
            reference=f"{name}-{number}",
            received_on=civil_date(SystemClock().now()) - timedelta(days=1),
            subjects=(person,),
            ports=(),
            links=(),
            narrative="Told beside the run.",
        )

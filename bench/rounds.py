"""Playing one round of faults: what is drawn for it, what happens, and what is wrong in the end."""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from bench.checker import Wrong, check
from bench.field import Beginning, Field
from bench.relay import Relay
from bench.round import Round
from bench.state import State
from bench.strikes import ON_A_DISK, POSTED, RELAYED, STRIKES, WHOLE_KEEPER
from register.errors import RegisterError
from register.ids import mint

REMOVAL: Final = "removal"
DESTRUCTION: Final = "destruction"
BEGINNINGS: Final = (REMOVAL, DESTRUCTION)

RIGHT: Final = "right"
IMPOSSIBLE: Final = "not possible here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What a round is to be, by seed and number alone.

    Attributes:
        beginning: how the one it begins from is called.
        moment: when the fault strikes, as a share of the time that the run takes.
        random: for all that is drawn on the way.
    """

    number: int
    fault: str
    beginning: str
    moment: float
    random: Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How one round went.

    Attributes:
        struck: whether the fault hit something at work.
        wrong: what the checker found, and what did not come to its end.
        possible: whether this machine lets such a fault be made.
    """

    number: int
    fault: str
    beginning: str
    struck: bool = False
    seconds: float = 0.0
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    possible: bool = True

    @property
    def verdict(self) -> str:
        """What is wrong, in words; or `right`, or that it could not be played."""
        return "; ".join(self.wrong) or (RIGHT if self.possible else IMPOSSIBLE)


def draw(seed: str, number: int, faults: Collection[str]) -> Drawn:
    """Draw a round. Each of `faults` comes once in as many rounds as there are of them, in an order of that seed."""
    deck = sorted(set(faults))
    Random(f"{seed}/deck/{number // len(deck)}").shuffle(deck)  # noqa: S311 - faults are no secret
    random = Random(f"{seed}/{number}")  # noqa: S311
    return Drawn(
        number=number,
        fault=deck[number % len(deck)],
        beginning=random.choice(BEGINNINGS),
        moment=random.random(),
        random=random,
    )


def play(field: Field, beginnings: Sequence[Beginning], drawn: Drawn) -> Played:
    """Play one round: everything in it follows from what was drawn, but for what the machine makes of it."""
    fault, random = drawn.fault, drawn.random
    played = Played(number=drawn.number, fault=fault, beginning=drawn.beginning)
    if fault in ON_A_DISK and not field.mounted:
        return replace(played, possible=False)
    beginning = next(one for one in beginnings if one.name == drawn.beginning)
    field.restore(beginning.snapshot)
    began = time.monotonic()
    struck: list[bool] = []
    with Relay(field.server) if fault in RELAYED else nullcontext() as relay:
        around = Round(
            ground=field, beginning=beginning, name=f"r{drawn.number}-{mint()[:6]}", random=random, relay=relay
        )
        moment = beginning.takes * drawn.moment

        def strike() -> None:
            time.sleep(moment)
            struck.append(STRIKES[fault](around))

        around.hand_in(posted=fault in POSTED)
        if fault in WHOLE_KEEPER:
            if fault == "kill-keeper":
                around.keep()
                moment += random.uniform(0, 4)  # its children are fresh interpreters
            else:
                moment = 0.0
            around.beside(strike).join()
        else:
            striking = around.beside(strike)
            around.carry_on()
            striking.join()
        around.carry_on()
        around.settle()
    return replace(
        played,
        struck=any(struck),
        seconds=time.monotonic() - began,
        wrong=judged(around),
        notes=tuple(around.notes),
    )


def judged(around: Round) -> tuple[str, ...]:
    """Return what is wrong after a round, in words."""
    field, beginning = around.ground, around.beginning
    after = field.read()
    found: tuple[Wrong, ...] = check(
        beginning.state,
        after,
        beginning.on,
        receipts=around.receipts,
        statuses=field.verified(sorted(after.certificates)),
        earlier=beginning.earlier,
    )
    return (*around.broken, *(f"{one.kind} {one.what}" for one in found), *_unopened(field, beginning, after))


def _unopened(field: Field, beginning: Beginning, after: State) -> Iterator[str]:
    """Look for survivors that hold anything else than before, or that nobody can open any more."""
    try:
        opened = field.opened()
    except (AssertionError, RegisterError) as error:
        yield f"does-not-open {error}"
        return
    for id_ in sorted(beginning.opened.keys() & after.everything):
        if opened.get(id_) != beginning.opened[id_]:
            yield f"opens-to-something-else {id_}"

"""A batch of signals as it was handed in, and what comes of each. Clear text: a module the stores may not name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from register.access import Grant
from register.errors import RegisterError
from register.ids import ReceiptId
from register.interfaces import DeliveryKey
from register.signals import NewSignal
from register.unstated import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a contributor gets for a signal: an id of its own, which says nothing about what the register knew.

    Attributes:
        repeated: the same signal had been handed in before; this is the receipt of then.
        unstated: where its texts hold what looks like a name that it does not state, whoever that may be.
    """

    id: ReceiptId
    reference: str
    repeated: bool = False
    unstated: tuple[Found, ...] = ()


Answer = Receipt | RegisterError
"""What comes of one signal of a batch: its receipt, or `Invalid` or `Conflict`; nothing of it is then stored."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Handed:
    """A batch that was checked by rule.

    Attributes:
        answers: by place in the batch; completed as it becomes known what comes of each signal.
        fresh: the places of each delivery: a repeat inside the batch is one signal.
    """

    grant: Grant
    signals: Sequence[NewSignal]
    answers: dict[int, Answer]
    fresh: Mapping[DeliveryKey, Sequence[int]]

    def signal(self, key: DeliveryKey) -> NewSignal:
        """Return the signal of a delivery."""
        return self.signals[self.fresh[key][0]]

    def accept(self, key: DeliveryKey, receipt: ReceiptId, found: tuple[Found, ...], *, repeated: bool) -> None:
        """Answer every signal of a delivery with its receipt; only the first may be new."""
        for position, place in enumerate(self.fresh[key]):
            again = repeated or position > 0
            self.answers[place] = Receipt(id=receipt, reference=key.reference, repeated=again, unstated=found)

    def refuse(self, key: DeliveryKey, error: RegisterError) -> None:
        """Answer every signal of a delivery with an error."""
        self.answers.update(dict.fromkeys(self.fresh[key], error))

    def in_order(self) -> tuple[Answer, ...]:
        """Return one answer a signal, in the order in which they were handed in."""
        return tuple(self.answers[place] for place in range(len(self.signals)))

"""Facts are checked, not trusted: the streams of live records, each with what their MACs and revisions say.

Whoever can write to the database can move a deadline there; these checks are how that is found.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import islice
from typing import Final, TypeVar

from register.runs import SubjectRecord
from register.sealed import SealedLink, SealedMention, SealedSignal
from retention.interfaces import FactsCheck

PAGE: Final = 1000

Item = TypeVar("Item")


class Verdict(StrEnum):
    """What the checks say of one record. `behind`: an older state of the record was put back."""

    VERIFIES = "verifies"
    DOES_NOT_VERIFY = "does-not-verify"
    BEHIND = "behind"


def pages(items: Iterable[Item], size: int) -> Iterator[tuple[Item, ...]]:
    """Yield `items` in tuples of `size`, the last one shorter."""
    stream = iter(items)
    while page := tuple(islice(stream, size)):
        yield page


def checked_subjects(records: Iterable[SubjectRecord], check: FactsCheck) -> Iterator[tuple[SubjectRecord, Verdict]]:
    """Yield each subject with the verdict on its facts, streaming."""
    for page in pages(records, PAGE):
        behind = frozenset(check.behind((one.subject.facts.id, one.subject.facts.revision) for one in page))
        for one in page:
            yield one, _verdict(check.verifies(one.subject), one.subject.facts.id in behind)


def checked_signals(signals: Iterable[SealedSignal], check: FactsCheck) -> Iterator[tuple[SealedSignal, Verdict]]:
    """Yield each signal with the verdict on its facts, its composition, and the facts of its mentions and links."""
    for page in pages(signals, PAGE):
        behind = frozenset(check.behind((one.facts.id, one.facts.revision) for one in page))
        for one in page:
            yield one, _verdict(_whole(one) and _verifies(one, check), one.facts.id in behind)


def _verdict(verifies: bool, behind: bool) -> Verdict:
    if not verifies:
        return Verdict.DOES_NOT_VERIFY
    return Verdict.BEHIND if behind else Verdict.VERIFIES


def _whole(signal: SealedSignal) -> bool:
    """Say whether the mentions and links at hand are those that the signal's facts name, no more and no fewer."""
    mentions = sorted(mention.facts.id for mention in signal.mentions)
    links = sorted(link.facts.id for link in signal.links)
    return mentions == list(signal.facts.mentions) and links == list(signal.facts.links)


def _verifies(signal: SealedSignal, check: FactsCheck) -> bool:
    parts: tuple[SealedSignal | SealedMention | SealedLink, ...] = (signal, *signal.mentions, *signal.links)
    return all(check.verifies(part) for part in parts)

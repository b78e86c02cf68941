"""Facts are checked, not trusted: the streams of live records, each with what their MACs and revisions say.

Whoever can write to the database can move a deadline there; these checks are how that is found.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from typing import Final, TypeVar

from register.runs import SubjectRecord
from register.sealed import SealedLink, SealedMention, SealedSignal, SealedStub
from retention.interfaces import FactsCheck

PAGE: Final = 1000
TRIES: Final = 10
"""How often a record that an intake keeps moving is read again."""

Item = TypeVar("Item")


class Verdict(StrEnum):
    """What the checks say of one record.

    `behind`: an older state of the record was put back; `purged`: it was purged, and is there again.
    """

    VERIFIES = "verifies"
    DOES_NOT_VERIFY = "does-not-verify"
    BEHIND = "behind"
    PURGED = "purged"


def pages(items: Iterable[Item], size: int) -> Iterator[tuple[Item, ...]]:
    """Yield `items` in tuples of `size`, the last one shorter."""
    stream = iter(items)
    while page := tuple(islice(stream, size)):
        yield page


def checked_subjects(
    records: Iterable[SubjectRecord], check: FactsCheck, again: Callable[[Collection[str]], Iterable[SubjectRecord]]
) -> Iterator[tuple[SubjectRecord, Verdict]]:
    """Yield each subject with the verdict on its facts, streaming; `again` reads some of them once more."""

    def judged(page: Sequence[SubjectRecord]) -> Iterator[tuple[str, SubjectRecord, Verdict]]:
        late = _late(((one.subject.facts.id, one.subject.facts.revision) for one in page), check)
        for one in page:
            id_ = one.subject.facts.id
            yield id_, one, late.get(id_) or _verdict(check.verifies(one.subject))

    return _settled(records, judged, again)


def checked_signals(
    signals: Iterable[SealedSignal], check: FactsCheck, again: Callable[[Collection[str]], Iterable[SealedSignal]]
) -> Iterator[tuple[SealedSignal, Verdict]]:
    """Yield each signal with the verdict on its facts, its composition, and the facts of its mentions and links.

    `again` reads some of them once more.
    """

    def judged(page: Sequence[SealedSignal]) -> Iterator[tuple[str, SealedSignal, Verdict]]:
        late = _late(((one.facts.id, one.facts.revision) for one in page), check)
        for one in page:
            yield one.facts.id, one, late.get(one.facts.id) or _verdict(_whole(one) and _verifies(one, check))

    return _settled(signals, judged, again)


def checked_stubs(
    stubs: Iterable[SealedStub], check: FactsCheck, again: Callable[[Collection[str]], Iterable[SealedStub]]
) -> Iterator[tuple[SealedStub, Verdict]]:
    """Yield each stub with the verdict on its facts, streaming; `again` reads some of them once more."""

    def judged(page: Sequence[SealedStub]) -> Iterator[tuple[str, SealedStub, Verdict]]:
        late = _late(((one.facts.id, one.facts.revision) for one in page), check)
        for one in page:
            yield one.facts.id, one, late.get(one.facts.id) or _verdict(check.verifies(one))

    return _settled(stubs, judged, again)


def _settled(
    records: Iterable[Item],
    judged: Callable[[Sequence[Item]], Iterator[tuple[str, Item, Verdict]]],
    again: Callable[[Collection[str]], Iterable[Item]],
) -> Iterator[tuple[Item, Verdict]]:
    """Yield each record with its verdict; a doubt stands only if the record, read once more, has not changed.

    An intake goes on meanwhile: what it moved between our reading and our asking for the newest revision looks as if
    an older state had been put back. But it remembers a revision after the graph's commit: read again, such a record
    is found changed, and is judged anew. One that is gone by then is not judged.
    """
    for page in pages(records, PAGE):
        told = {id_: (one, verdict) for id_, one, verdict in judged(page)}
        for _ in range(TRIES):
            doubted = {id_: one for id_, (one, verdict) in told.items() if verdict is not Verdict.VERIFIES}
            if not doubted:
                break
            fresh = {id_: (one, verdict) for id_, one, verdict in judged(tuple(again(doubted.keys())))}
            told = {id_: fresh.get(id_, kept) for id_, kept in told.items() if id_ in fresh or id_ not in doubted}
            if all(fresh[id_][0] == one for id_, one in doubted.items() if id_ in fresh):
                break
        yield from told.values()


def _late(revisions: Iterable[tuple[str, int]], check: FactsCheck) -> dict[str, Verdict]:
    """Return the verdict on what is not the newest state of its record, whether its facts verify or not."""
    behind = check.behind(revisions)
    purged = check.purged(behind) if behind else frozenset()
    return {one: Verdict.PURGED if one in purged else Verdict.BEHIND for one in behind}


def _verdict(verifies: bool) -> Verdict:
    return Verdict.VERIFIES if verifies else Verdict.DOES_NOT_VERIFY


def _whole(signal: SealedSignal) -> bool:
    """Say whether the mentions and links at hand are those that the signal's facts name, no more and no fewer."""
    mentions = sorted(mention.facts.id for mention in signal.mentions)
    links = sorted(link.facts.id for link in signal.links)
    return mentions == list(signal.facts.mentions) and links == list(signal.facts.links)


def _verifies(signal: SealedSignal, check: FactsCheck) -> bool:
    parts: tuple[SealedSignal | SealedMention | SealedLink, ...] = (signal, *signal.mentions, *signal.links)
    return all(check.verifies(part) for part in parts)

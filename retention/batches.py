"""Deleting in batches: each reads anew what it touches, and is journalled in the transaction that deletes.

A batch that finds something changed deletes nothing; what changed is left out, with its reason, and it is tried again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from register.audit import Act
from register.clock import Clock
from register.errors import Unavailable
from register.ids import SignalId, SubjectId
from register.runs import Erased, ErasureBatch, Lease, Run, Skip
from register.sealed import SealedSignal, SignalFacts
from retention.checking import Verdict, checked_signals
from retention.interfaces import Erasure, FactsCheck
from retention.steps import Point, Progress, Step, own_entry

TRIES: Final = 5

Subjects = tuple[tuple[SubjectId, int], ...]
Signals = tuple[tuple[SignalId, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Deletes what a run has planned and its journal does not say is dealt with.

    Attributes:
        renew: gives the lease again, or raises Unavailable when it is lost.
        size: items of one batch.
    """

    erasure: Erasure
    check: FactsCheck
    clock: Clock
    renew: Callable[[], Lease]
    progress: Progress
    size: int

    def erase(self, run: Run) -> None:
        """Delete batch after batch until every planned item is deleted or skipped. Safe to begin again at any point."""
        journal = self.erasure.journal(run.id)
        dealt = {item for line in journal for item in (*line.subjects, *line.signals)}
        dealt.update(item for line in journal for item, _ in line.skipped)
        subjects = tuple(item for item in run.due_subjects if item[0] not in dealt)
        signals = tuple(item for item in run.due_signals if item[0] not in dealt)
        number, of = len(journal), len(run.due_subjects) + len(run.due_signals)
        while subjects or signals:
            now, subjects = subjects[: self.size], subjects[self.size :]
            room = self.size - len(now)
            then, signals = signals[:room], signals[room:]
            self._batch(run, number, now, then)
            number += 1
            self.progress(Step(point=Point.BATCH, run=run.id, done=of - len(subjects) - len(signals), of=of))

    def _batch(self, run: Run, number: int, subjects: Subjects, signals: Signals) -> None:
        skipped: dict[str, Skip] = {}
        for tried in range(TRIES + 1):
            if tried == TRIES:  # what keeps changing under our hands is left to the next run
                skipped |= {item: Skip.CHANGED for item, _ in (*subjects, *signals)}
                subjects, signals = (), ()
            lease = self.renew()
            batch = replace(self._composed(run, number, subjects, signals, lease), skipped=tuple(skipped.items()))
            entry = own_entry(self.clock.now(), Act.DESTRUCTION, detail={"run": run.id})
            answer = self.erasure.erase(run.id, batch, lease, entry)
            if isinstance(answer, Erased):
                self.check.remember((facts.id, facts.revision) for facts, _ in batch.redacted)
                return
            changed = dict(answer.items)
            skipped |= {item: changed[item] for item, _ in (*subjects, *signals) if item in changed}
            subjects = tuple(item for item in subjects if item[0] not in changed)
            signals = tuple(item for item in signals if item[0] not in changed)
        raise Unavailable("erase.unsettled", "a batch that deletes nothing was not accepted")

    def _composed(self, run: Run, number: int, subjects: Subjects, signals: Signals, lease: Lease) -> ErasureBatch:
        """Read the signals that mention `subjects` and decide which go with them and which stay, redacted."""
        going = frozenset(item for item, _ in subjects)
        whole = list(signals)
        ended = {item for item, _ in run.due_signals}
        redacted: list[tuple[SignalFacts, bytes]] = []
        doubted: list[str] = []
        mentioning = self.erasure.mentioning(going) if going else ()
        for signal, verdict in checked_signals(mentioning, self.check, self.erasure.signals):
            if signal.facts.id in ended or all(mention.facts.subject in going for mention in signal.mentions):
                whole.append((signal.facts.id, signal.facts.revision))
                continue
            facts = without(signal, going, run.as_of)
            if verdict is Verdict.VERIFIES:
                redacted.append((facts, self.check.mac(facts)))
            else:  # corruption never delays a removal, and a removal never makes corruption look sound
                redacted.append((facts, signal.mac))
                doubted.append(signal.facts.id)
        if unseen := sorted(set(doubted) - self.erasure.distrusted().keys() if doubted else ()):
            incident = own_entry(
                self.clock.now(),
                Act.INTEGRITY_INCIDENT,
                targets=tuple(unseen),
                count=len(unseen),
                detail={"code": "does-not-verify", "run": run.id},
            )
            self.erasure.distrust(unseen, on=run.as_of, lease=lease, entry=incident)
        return ErasureBatch(
            number=number, subjects=subjects, signals=tuple(dict(whole).items()), redacted=tuple(redacted)
        )


def without(signal: SealedSignal, going: frozenset[SubjectId], on: date) -> SignalFacts:
    """Return the facts of `signal` once the subjects `going` are out of it, which the desk has to look at from `on`."""
    mentions = (mention.facts.id for mention in signal.mentions if mention.facts.subject not in going)
    links = (link.facts.id for link in signal.links if link.facts.from_ not in going and link.facts.to not in going)
    return replace(
        signal.facts,
        revision=signal.facts.revision + 1,
        mentions=tuple(sorted(mentions)),
        links=tuple(sorted(links)),
        redacted_on=signal.facts.redacted_on or on,
    )

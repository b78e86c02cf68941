"""The deleting transactions of one batch, each with its part of the journal line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Final

from neo4j import ManagedTransaction

from graph import fence, records, runs
from graph import run_queries as queries
from graph.trail import write_entries
from register.audit import Entry
from register.ids import EntryId, IdentifierId, LinkId, MentionId, RunId, SignalId, mint
from register.runs import Changed, Erased, ErasureBatch, Lease, Skip
from register.sealed import SignalFacts

SIGNALS: Final = 2000
"""Signals that one transaction deletes or redacts at most: some 50 MB of the server's memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one transaction does of a batch: these signals; the stubs before the first, the subjects after the last."""

    whole: tuple[tuple[SignalId, int], ...]
    redacted: tuple[tuple[SignalFacts, bytes], ...]
    first: bool
    last: bool


def cut(batch: ErasureBatch) -> Iterator[Part]:
    """Yield the parts of a batch; nearly always one."""
    most = max(len(batch.signals), len(batch.redacted), 1)
    for start in range(0, most, SIGNALS):
        yield Part(
            whole=batch.signals[start : start + SIGNALS],
            redacted=batch.redacted[start : start + SIGNALS],
            first=start == 0,
            last=start + SIGNALS >= most,
        )


def erase_part(
    tx: ManagedTransaction,
    *,
    run: RunId,
    batch: ErasureBatch,
    part: Part,
    lease: Lease,
    entry: Entry,
    kept: Sequence[Entry],
) -> Erased | Changed | None:
    """Do one part in a transaction under way; return the line when the batch is done, None when a part is left."""
    fence.hold(tx, lease)
    before = [row["last"] for row in tx.run(queries.JOURNAL_PARTS, run=run, number=batch.number)]
    if any(before):
        return _line(tx, run, batch.number)
    changed = tuple(_changed(tx, batch, part))
    holds = tuple((row["id"], row["revision"]) for row in tx.run(queries.HOLDS_SEEN))
    if changed or holds != batch.holds:
        return Changed(items=changed, holds=holds != batch.holds)
    if part.first and not part.last:
        # A subject that somebody changes now would be left out by the last part, and stay half removed.
        _run(tx, queries.LEAVE, sorted(item for item, _ in batch.subjects))
    done = _deleted(tx, batch, part)
    place = {"run": run, "number": batch.number, "part": len(before), "last": part.last}
    tx.run(queries.APPEND_JOURNAL, line=place | runs.line_properties(done)).consume()
    # Only ids that an intake could bring back: those of mentions and links are minted at each try.
    gone = [*done.subjects, *done.signals, *done.identifiers]
    named = [*done.subjects, *done.signals, *done.destroyed]
    tx.run(queries.CREATE_GONE, run=run, ids=gone).consume()
    own = entry if part.last else replace(entry, id=EntryId(mint()), salt=token_hex(16))
    count = len(gone) + len(done.mentions) + len(done.links) + len(done.destroyed)
    write_entries(tx, [own.found(named, count), *(kept if part.first else ())])
    if not part.last:
        return None
    return _line(tx, run, batch.number) if before else done


def _line(tx: ManagedTransaction, run: RunId, number: int) -> Erased:
    rows = [row["line"] for row in tx.run(queries.JOURNAL_LINE, run=run, number=number)]
    return records.intact(runs.lines, rows)[0]


def _changed(tx: ManagedTransaction, batch: ErasureBatch, part: Part) -> Iterator[tuple[str, Skip]]:
    """Lock everything the part touches and yield what is not there in the revision it was seen in."""
    signals = [*part.whole, *((facts.id, facts.revision - 1) for facts, _ in part.redacted)]
    stubs = [(one.facts.id, one.facts.revision - 1) for one in batch.destroyed]
    every: tuple[Sequence[tuple[str, int]], ...] = (batch.subjects, signals, stubs)
    for query, wanted in zip(queries.LOCKED_REVISIONS, every, strict=True):
        found = {row["id"]: row["revision"] for row in tx.run(query, ids=sorted(item for item, _ in wanted))}
        for item, revision in wanted:
            if item not in found:
                yield item, Skip.UNKNOWN
            elif found[item] != revision:
                yield item, Skip.CHANGED


def _deleted(tx: ManagedTransaction, batch: ErasureBatch, part: Part) -> Erased:
    going = sorted(item for item, _ in batch.subjects)
    whole = sorted(item for item, _ in part.whole)
    touched = sorted([*whole, *(facts.id for facts, _ in part.redacted)])
    stated = set(_run(tx, queries.STATED_LINKS, whole))
    links = set(_run(tx, queries.DELETE_LINKS_IN, touched, going))
    mentions = _run(tx, queries.DELETE_MENTIONS_IN, touched, going)
    # Whoever tore a mention or link off its signal or subject does not keep it by that.
    mentions += _run(tx, queries.DELETE_MENTIONS_BY, whole)
    if part.last:
        links.update(_run(tx, queries.DELETE_LINKS_OF, going))
        mentions += _run(tx, queries.DELETE_MENTIONS_OF, going)
    links.update(_run(tx, queries.DELETE_LOST_LINKS, sorted(stated - links)))
    _run(tx, queries.DELETE_SIGNALS, whole)
    if part.redacted:
        rows = records.Rows(records.redaction(facts, mac) for facts, mac in part.redacted)
        tx.run(queries.REDACT_SIGNALS, rows=rows).consume()
    for query, stubs in ((queries.CREATE_STUBS, batch.stubs), (queries.MARK_STUBS, batch.destroyed)):
        if stubs and part.first:
            tx.run(query, rows=records.Rows(records.properties(one.facts, one.mac) for one in stubs)).consume()
    return Erased(
        fate=batch.fate,
        archived=tuple(sorted(one.facts.id for one in batch.stubs)) if part.first else (),
        destroyed=tuple(sorted(one.facts.id for one in batch.destroyed)) if part.first else (),
        subjects=tuple(item for item, _ in sorted(batch.subjects)) if part.last else (),
        signals=tuple(item for item, _ in sorted(part.whole)),
        mentions=tuple(sorted(map(MentionId, mentions))),
        links=tuple(sorted(map(LinkId, links))),
        identifiers=tuple(sorted(map(IdentifierId, _delete_subjects(tx, going)))) if part.last else (),
        redacted=tuple(sorted(facts.id for facts, _ in part.redacted)),
        skipped=batch.skipped if part.last else (),
    )


def _delete_subjects(tx: ManagedTransaction, subjects: Sequence[str]) -> list[str]:
    """Delete subjects with nothing left at them; return the identifiers that went with their last one."""
    carried = sorted(_run(tx, queries.DELETE_CARRIES, subjects))
    last = _run(tx, queries.DELETE_LAST_IDENTIFIERS, carried)
    _run(tx, queries.DELETE_SUBJECTS, subjects)
    return last


def _run(tx: ManagedTransaction, query: str, ids: Sequence[str], going: Sequence[str] = ()) -> list[str]:
    """Run a text over `ids`; return the one column it answers."""
    return [row[0] for row in tx.run(query, ids=list(ids), going=list(going))] if ids else []

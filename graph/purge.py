"""One deleting transaction: all of a batch or nothing, with its journal line."""

from collections.abc import Collection, Iterator

from neo4j import ManagedTransaction

from graph import records, runs
from graph import run_queries as queries
from graph.trail import write_entries
from register.audit import Entry
from register.ids import IdentifierId, LinkId, MentionId, RunId
from register.runs import Changed, Erased, ErasureBatch, Skip


def erase(tx: ManagedTransaction, run: RunId, batch: ErasureBatch, entry: Entry) -> Erased | Changed:
    """Delete one batch, journal it, mark the ids that are gone and write `entry`, in a transaction under way."""
    done = tx.run(queries.JOURNAL_LINE, run=run, number=batch.number).single()
    if done is not None:
        return records.intact(runs.line, done["line"])
    if changed := tuple(_changed(tx, batch)):
        return Changed(items=changed)
    line = _deleted(tx, batch)
    tx.run(queries.APPEND_JOURNAL, line=runs.line_properties(run, batch.number, line)).consume()
    # Only ids that an intake could bring back: those of mentions and links are minted at each try.
    gone = [*line.subjects, *line.signals, *line.identifiers]
    tx.run(queries.CREATE_GONE, run=run, ids=gone).consume()
    count = len(gone) + len(line.mentions) + len(line.links)
    write_entries(tx, [entry.found([*line.subjects, *line.signals], count)])
    return line


def _changed(tx: ManagedTransaction, batch: ErasureBatch) -> Iterator[tuple[str, Skip]]:
    """Lock everything the batch names and yield what is not there in the revision it was seen in."""
    signals = [*batch.signals, *((facts.id, facts.revision - 1) for facts, _ in batch.redacted)]
    for query, wanted in zip(queries.LOCKED_REVISIONS, (batch.subjects, signals), strict=True):
        ids = sorted(item for item, _ in wanted)
        found = {row["id"]: row["revision"] for row in tx.run(query, ids=ids)} if ids else {}
        for item, revision in wanted:
            if item not in found:
                yield item, Skip.UNKNOWN
            elif found[item] != revision:
                yield item, Skip.CHANGED


def _deleted(tx: ManagedTransaction, batch: ErasureBatch) -> Erased:
    subjects = sorted(item for item, _ in batch.subjects)
    signals = sorted(item for item, _ in batch.signals)
    stated = set(_run(tx, queries.STATED_LINKS, signals))
    links = set(_run(tx, queries.DELETE_LINKS, subjects))
    # A link of a deleted signal goes even where somebody tore it off its signal's subjects.
    links.update(_run(tx, queries.DELETE_LOST_LINKS, sorted(stated - links)))
    mentions: list[str] = []
    mentions += _run(tx, queries.DELETE_MENTIONS_OF, subjects)
    mentions += _run(tx, queries.DELETE_MENTIONS_BY, signals)
    carried = sorted(_run(tx, queries.DELETE_CARRIES, subjects))
    identifiers = _run(tx, queries.DELETE_LAST_IDENTIFIERS, carried)
    _run(tx, queries.DELETE_SUBJECTS, subjects)
    _run(tx, queries.DELETE_SIGNALS, signals)
    rows = records.Rows(records.properties(facts, mac) for facts, mac in batch.redacted)
    if rows:
        tx.run(queries.REDACT_SIGNALS, rows=rows).consume()
    return Erased(
        subjects=tuple(item for item in subjects),
        signals=tuple(item for item in signals),
        mentions=tuple(sorted(map(MentionId, mentions))),
        links=tuple(sorted(map(LinkId, links))),
        identifiers=tuple(sorted(map(IdentifierId, identifiers))),
        redacted=tuple(sorted(facts.id for facts, _ in batch.redacted)),
        skipped=batch.skipped,
    )


def _run(tx: ManagedTransaction, query: str, ids: Collection[str]) -> list[str]:
    """Run a text over `ids`; return the one column it answers."""
    return [row[0] for row in tx.run(query, ids=list(ids))] if ids else []

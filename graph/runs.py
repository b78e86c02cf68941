"""Orders, runs and journal lines as nodes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from neo4j import ManagedTransaction

from graph import run_queries as queries
from graph.records import Properties, Row, instant, intact, microseconds
from register.errors import Conflict, NotFound
from register.ids import ArchiveId, IdentifierId, LinkId, MentionId, RunId, SignalId, SubjectId
from register.runs import Approval, Canary, Erased, Fate, Order, Run, RunState, Skip

NOTHING_DUE: Final[Properties] = {
    "due_subjects": [],
    "due_subject_revisions": [],
    "due_signals": [],
    "due_signal_revisions": [],
    "due_archived": [],
    "due_archived_revisions": [],
}
"""What is stored of a run that is closed: none of its items."""


def canary(tx: ManagedTransaction) -> Canary | None:
    """Return the made-up record of this installation, or None before the first."""
    row = tx.run(queries.CANARY).single()
    if row is None or row["planted_on"] is None:
        return None
    return Canary(received_on=row["received_on"].to_native(), planted_on=row["planted_on"].to_native())


def plant(tx: ManagedTransaction, canary: Canary) -> None:
    """Put this made-up record in place of the one that is there."""
    tx.run(queries.PLANT_CANARY, received_on=canary.received_on, planted_on=canary.planted_on).consume()


def order_properties(order: Order) -> Properties:
    """Return what is stored of an order."""
    return {
        "id": order.id,
        "as_of": order.as_of,
        "requested_by": order.requested_by,
        "requested_at": microseconds(order.requested_at),
    }


def order(row: Row) -> Order:
    """Return the order in `row`."""
    return Order(
        id=RunId(row["id"]),
        as_of=row["as_of"].to_native(),
        requested_by=row["requested_by"],
        requested_at=instant(row["requested_at"]),
    )


def run_properties(run: Run) -> Properties:
    """Return what is stored of a run."""
    return {
        "id": run.id,
        "state": run.state,
        "as_of": run.as_of,
        "started_at": microseconds(run.started_at),
        "digest": run.digest,
        "requested_by": run.requested_by,
        "detail": run.detail,
        "approval_needed": run.approval_needed,
        "mac": run.mac,
        **_approvals(run.approvals),
        "due_subjects": [item for item, _ in run.due_subjects],
        "due_subject_revisions": [revision for _, revision in run.due_subjects],
        "due_signals": [item for item, _ in run.due_signals],
        "due_signal_revisions": [revision for _, revision in run.due_signals],
        "due_archived": [item for item, _ in run.due_archived],
        "due_archived_revisions": [revision for _, revision in run.due_archived],
    }


def run(row: Row) -> Run:
    """Return the run in `row`."""
    subjects = zip(row["due_subjects"], row["due_subject_revisions"], strict=True)
    signals = zip(row["due_signals"], row["due_signal_revisions"], strict=True)
    records = zip(row["due_archived"], row["due_archived_revisions"], strict=True)
    return Run(
        id=RunId(row["id"]),
        state=RunState(row["state"]),
        as_of=row["as_of"].to_native(),
        started_at=instant(row["started_at"]),
        digest=row["digest"],
        requested_by=row["requested_by"],
        approvals=_read_approvals(row),
        due_subjects=tuple((SubjectId(item), revision) for item, revision in subjects),
        due_signals=tuple((SignalId(item), revision) for item, revision in signals),
        due_archived=tuple((ArchiveId(item), revision) for item, revision in records),
        detail=row["detail"],
        approval_needed=row["approval_needed"],
        mac=row["mac"],
    )


def _approvals(approvals: tuple[Approval, ...]) -> Properties:
    return {
        "approved_by": [one.actor for one in approvals],
        "approved_at": [microseconds(one.at) for one in approvals],
        "approval_macs": [one.mac for one in approvals],
    }


def _read_approvals(row: Row) -> tuple[Approval, ...]:
    given = zip(row["approved_by"], row["approved_at"], row["approval_macs"], strict=True)
    return tuple(Approval(actor=actor, at=instant(at), mac=mac) for actor, at, mac in given)


def approve(tx: ManagedTransaction, id_: RunId, digest: str, approval: Approval) -> None:
    """Record an approval of a run that waits for one.

    Raises:
        Conflict: other digest, or not `planned`.
        NotFound: no such run.
    """
    row = tx.run(queries.LOCKED_RUN, id=id_).single()
    if row is None:
        raise NotFound
    waiting = intact(run, row["run"])
    if waiting.state is not RunState.PLANNED or waiting.digest != digest:
        raise Conflict("approval.other", "the run is not waiting for an approval of this digest")
    change(tx, id_, {"state": RunState.APPROVED, **_approvals((*waiting.approvals, approval))})


def in_state(tx: ManagedTransaction, id_: RunId, state: RunState) -> None:
    """Make sure, until this transaction ends, that a run is in `state`. Raises Conflict."""
    row = tx.run(queries.LOCKED_RUN, id=id_).single()
    if row is None or intact(run, row["run"]).state is not state:
        raise Conflict("run.moved", "the run is in another state than this work began in")


def change(tx: ManagedTransaction, id_: RunId, changes: Mapping[str, Any]) -> None:
    """Set properties of a run. Raises NotFound."""
    if tx.run(queries.SET_RUN, id=id_, changes=changes).single() is None:
        raise NotFound


def line_properties(line: Erased) -> Properties:
    """Return what is stored of a journal line, but for its place."""
    return {
        "fate": line.fate,
        "archived": list(line.archived),
        "destroyed": list(line.destroyed),
        "subjects": list(line.subjects),
        "signals": list(line.signals),
        "mentions": list(line.mentions),
        "links": list(line.links),
        "identifiers": list(line.identifiers),
        "redacted": list(line.redacted),
        "skipped": [item for item, _ in line.skipped],
        "reasons": [reason for _, reason in line.skipped],
    }


def lines(rows: Iterable[Row]) -> tuple[Erased, ...]:
    """Return the journal lines in `rows`, in which the parts of a line follow one another."""
    return tuple(_joined(list(parts)) for _, parts in groupby(rows, key=lambda row: row["number"]))


def _joined(parts: Sequence[Row]) -> Erased:
    def ids(name: str) -> Iterator[str]:
        return iter(sorted(item for part in parts for item in part[name]))

    skipped = (pair for part in parts for pair in zip(part["skipped"], part["reasons"], strict=True))
    return Erased(
        fate=Fate(parts[0]["fate"]),
        archived=tuple(map(ArchiveId, ids("archived"))),
        destroyed=tuple(map(ArchiveId, ids("destroyed"))),
        subjects=tuple(map(SubjectId, ids("subjects"))),
        signals=tuple(map(SignalId, ids("signals"))),
        mentions=tuple(map(MentionId, ids("mentions"))),
        links=tuple(map(LinkId, ids("links"))),
        identifiers=tuple(map(IdentifierId, ids("identifiers"))),
        redacted=tuple(map(SignalId, ids("redacted"))),
        skipped=tuple((item, Skip(why)) for item, why in skipped),
    )

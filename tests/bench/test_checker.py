"""The checker of rounds of faults, shown to see each kind of wrong in a register made by hand."""

import ast
import hashlib
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from neo4j.time import Date

from bench import checker, state
from bench.checker import Kind, Wrong, check, gone_by, root
from bench.state import State, Tie

ON = date(2026, 6, 1)
OLD, RECENT = Date(2021, 6, 1), Date(2024, 2, 29)
DUE, STAYS, OLD_SIGNAL, BOTH, NEW, MARK, STUB, EARLY_STUB = (letter * 32 for letter in "abcdef01")
M_OLD, M_BOTH_DUE, M_BOTH_STAYS, M_NEW, LINK = (f"{number}" * 32 for number in range(2, 7))
ARCHIVED, RECEIPT, IMPORTED = "7" * 32, "8" * 32, "9" * 32


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def mention(id_: str, signal: str, subject: str) -> Tie:
    return Tie(type="MENTIONS", source=signal, target=subject, properties={"id": id_})


def stub(id_: str, destroy_on: Date) -> dict[str, Any]:
    return {"id": id_, "destroy_on": destroy_on, "sha256": sha256(id_)}


def stated(sequence: int, ids: set[str]) -> dict[str, Any]:
    return {"certificate": {"sequence": sequence}, "scope": {"ids": {"count": len(ids), "root": root(ids)}}}


def before() -> State:
    """Two subjects and an identifier of one, a signal about each and a shared one that is as old; two stubs."""
    return State(
        nodes={
            ("Subject", DUE): {"id": DUE, "identifiers": [MARK]},
            ("Subject", STAYS): {"id": STAYS},
            ("Identifier", MARK): {"id": MARK},
            ("Signal", OLD_SIGNAL): {"id": OLD_SIGNAL, "received_on": OLD, "mentions": [M_OLD]},
            ("Signal", BOTH): {
                "id": BOTH,
                "received_on": OLD,
                "mentions": [M_BOTH_DUE, M_BOTH_STAYS],
                "links": [LINK],
            },
            ("Signal", NEW): {"id": NEW, "received_on": RECENT, "mentions": [M_NEW]},
        },
        others={
            "Archived": (stub(STUB, Date(2026, 5, 1)), stub(EARLY_STUB, Date(2030, 1, 1))),
            "Order": ({"id": "run"},),
        },
        ties=(
            mention(M_OLD, OLD_SIGNAL, DUE),
            mention(M_BOTH_DUE, BOTH, DUE),
            mention(M_BOTH_STAYS, BOTH, STAYS),
            mention(M_NEW, NEW, STAYS),
            Tie(type="PAID", source=STAYS, target=DUE, properties={"id": LINK, "signal": BOTH}),
            Tie(type="CARRIES", source=DUE, target=MARK, properties={}),
        ),
        keys=frozenset(
            {("subject", DUE), ("subject", STAYS), ("signal", OLD_SIGNAL), ("signal", BOTH), ("signal", NEW)}
        ),
        tokens=Counter([MARK]),
        tombstones=frozenset(),
        deliveries={},
        files={STUB: sha256(STUB), EARLY_STUB: sha256(EARLY_STUB)},
        waiting=(),
        certificates={},
        raw={"keys.sqlite": b"", "anchor": b""},
    )


GONE = {DUE, MARK, OLD_SIGNAL, M_OLD, M_BOTH_DUE, LINK, STUB}
RECORD = ("Signal", IMPORTED)
M_IMPORTED = "ab" * 16


def after() -> State:
    """What a right run makes of it, and an intake of one signal more."""
    was = before()
    return replace(
        was,
        nodes={
            ("Subject", STAYS): was.nodes["Subject", STAYS],
            ("Signal", NEW): was.nodes["Signal", NEW],
            ("Signal", BOTH): {"id": BOTH, "received_on": OLD, "mentions": [M_BOTH_STAYS]},
            RECORD: {"id": IMPORTED, "received_on": RECENT, "mentions": [M_IMPORTED]},
        },
        others={
            "Archived": (
                {**stub(STUB, Date(2026, 5, 1)), "destroyed_on": Date(2026, 6, 1)},
                stub(EARLY_STUB, Date(2030, 1, 1)),
                stub(ARCHIVED, Date(2031, 6, 2)),
            ),
            "Run": ({"id": "run", "state": "certified"},),
        },
        ties=(
            mention(M_BOTH_STAYS, BOTH, STAYS),
            mention(M_NEW, NEW, STAYS),
            mention(M_IMPORTED, IMPORTED, STAYS),
        ),
        keys=frozenset({("subject", STAYS), ("signal", BOTH), ("signal", NEW), ("signal", IMPORTED)}),
        tokens=Counter(),
        tombstones=frozenset(map(sha256, (DUE, OLD_SIGNAL, MARK))),
        deliveries={RECEIPT: (True, IMPORTED)},
        files={EARLY_STUB: sha256(EARLY_STUB), ARCHIVED: sha256(ARCHIVED)},
        certificates={"one": stated(1, GONE)},
    )


def judged(found: State, **changes: Any) -> tuple[Wrong, ...]:
    given: dict[str, Any] = {"receipts": {"r-1": [RECEIPT]}, "statuses": dict.fromkeys(found.certificates, 0)}
    return check(before(), found, ON, **{**given, "earlier": {}, **changes})


def without(some: Mapping[Any, Any], *names: Any) -> dict[Any, Any]:
    return {name: value for name, value in some.items() if name not in names}


def end_of(found: State, number: int, **properties: Any) -> dict[str, Any]:
    stubs = list(found.others["Archived"])
    stubs[number] = {**stubs[number], **properties}
    return {**found.others, "Archived": tuple(stubs)}


RIGHT = after()
OTHER = "cd" * 16
DAMAGED: dict[str, tuple[State, Kind]] = {
    "a subject that is not due is gone": (
        replace(RIGHT, nodes=without(RIGHT.nodes, ("Subject", STAYS)), ties=()),
        Kind.LOST_EARLY,
    ),
    "a mention that is not due is gone": (replace(RIGHT, ties=RIGHT.ties[1:]), Kind.LOST_EARLY),
    "a stub was destroyed early": (
        replace(RIGHT, others=end_of(RIGHT, 1, destroyed_on=Date(2026, 6, 1))),
        Kind.LOST_EARLY,
    ),
    "a subject that is due is there": (
        replace(RIGHT, nodes={**RIGHT.nodes, ("Subject", DUE): {"id": DUE}}),
        Kind.KEPT_LATE,
    ),
    "an identifier that is due is there": (
        replace(RIGHT, nodes={**RIGHT.nodes, ("Identifier", MARK): {"id": MARK}}),
        Kind.KEPT_LATE,
    ),
    "a link that is due is there": (replace(RIGHT, ties=(*RIGHT.ties, before().ties[4])), Kind.KEPT_LATE),
    "an archived record is not destroyed": (
        replace(
            RIGHT, others={**RIGHT.others, "Archived": (before().others["Archived"][0], *RIGHT.others["Archived"][1:])}
        ),
        Kind.KEPT_LATE,
    ),
    "a signal lists a mention that is gone": (
        replace(RIGHT, nodes={**RIGHT.nodes, ("Signal", BOTH): before().nodes["Signal", BOTH]}),
        Kind.HALF_REMOVED,
    ),
    "a link has no signal": (
        replace(
            RIGHT,
            ties=(*RIGHT.ties, Tie(type="PAID", source=STAYS, target="NLRTM", properties={"id": OTHER, "signal": DUE})),
        ),
        Kind.HALF_REMOVED,
    ),
    "an identifier has no carrier": (
        replace(RIGHT, nodes={**RIGHT.nodes, ("Identifier", OTHER): {"id": OTHER}}),
        Kind.HALF_REMOVED,
    ),
    "a subject has no signal": (
        replace(RIGHT, nodes={**RIGHT.nodes, ("Subject", OTHER): {"id": OTHER}}),
        Kind.HALF_REMOVED,
    ),
    "a key is gone": (replace(RIGHT, keys=RIGHT.keys - {("signal", NEW)}), Kind.KEY_ABSENT),
    "a key is kept": (replace(RIGHT, keys=RIGHT.keys | {("subject", DUE)}), Kind.KEY_KEPT),
    "a token is kept": (replace(RIGHT, tokens=Counter([MARK])), Kind.KEY_KEPT),
    "a tombstone is missing": (replace(RIGHT, tombstones=RIGHT.tombstones - {sha256(DUE)}), Kind.KEY_KEPT),
    "an id lies in a file of keys": (replace(RIGHT, raw={"keys.sqlite-wal": b"x" + DUE.encode()}), Kind.TRACE),
    "an id lies in a file of keys as bytes": (replace(RIGHT, raw={"x": bytes.fromhex(MARK)}), Kind.TRACE),
    "a property names who is gone": (
        replace(RIGHT, nodes={**RIGHT.nodes, ("Signal", NEW): {**RIGHT.nodes["Signal", NEW], "about": DUE}}),
        Kind.TRACE,
    ),
    "a stub has no file": (replace(RIGHT, files=without(RIGHT.files, ARCHIVED)), Kind.NO_FILE),
    "a file has no stub": (replace(RIGHT, files={**RIGHT.files, OTHER: sha256(OTHER)}), Kind.NO_STUB),
    "a destroyed record has its file": (replace(RIGHT, files={**RIGHT.files, STUB: sha256(STUB)}), Kind.NO_STUB),
    "a file has another content": (replace(RIGHT, files={**RIGHT.files, ARCHIVED: sha256("x")}), Kind.OTHER_FILE),
    "a removed subject was not archived": (
        replace(RIGHT, others={**RIGHT.others, "Archived": RIGHT.others["Archived"][:2]}),
        Kind.NO_ARCHIVE,
    ),
    "a file waits to be moved": (replace(RIGHT, waiting=("pending/run",)), Kind.UNFINISHED),
    "a journal is left": (replace(RIGHT, others={**RIGHT.others, "Journal": ({},)}), Kind.UNFINISHED),
    "a run has not ended": (
        replace(RIGHT, others={**RIGHT.others, "Run": ({"id": "run", "state": "erased"},)}),
        Kind.UNFINISHED,
    ),
    "a run was not begun": (replace(RIGHT, others={**RIGHT.others, "Run": ()}), Kind.UNFINISHED),
    "a run had nothing to do": (
        replace(RIGHT, others={**RIGHT.others, "Run": ({"id": "run", "state": "nothing-due"},)}),
        Kind.UNFINISHED,
    ),
    "there is no certificate": (replace(RIGHT, certificates={}), Kind.UNCERTIFIED),
    "a certificate lacks an id": (replace(RIGHT, certificates={"one": stated(1, GONE - {DUE})}), Kind.UNCERTIFIED),
    "two certificates are of the same": (
        replace(RIGHT, certificates={"one": stated(1, GONE), "two": stated(2, GONE)}),
        Kind.CERTIFIED_TWICE,
    ),
    "certificates skip a number": (replace(RIGHT, certificates={"one": stated(2, GONE)}), Kind.CERTIFICATE_FALSE),
    "a signal that was handed in is gone": (
        replace(RIGHT, nodes=without(RIGHT.nodes, RECORD), ties=RIGHT.ties[:2]),
        Kind.INTAKE_LOST,
    ),
    "a delivery is pending": (replace(RIGHT, deliveries={RECEIPT: (False, IMPORTED)}), Kind.INTAKE_LOST),
    "a signal is there without a receipt": (
        replace(RIGHT, nodes={**RIGHT.nodes, ("Signal", OTHER): {"id": OTHER, "received_on": RECENT}}),
        Kind.INTAKE_DOUBLED,
    ),
}
GIVEN: dict[str, tuple[dict[str, Any], Kind]] = {
    "a certificate does not verify": ({"statuses": {"one": 14}}, Kind.CERTIFICATE_FALSE),
    "an earlier certificate had an id": ({"earlier": {"zero": {DUE}}}, Kind.CERTIFIED_TWICE),
    "an id is back that an earlier certificate had": ({"earlier": {"zero": {STAYS}}}, Kind.CAME_BACK),
    "nothing came of what was handed in": ({"receipts": {"r-1": [RECEIPT], "r-2": []}}, Kind.INTAKE_LOST),
    "two receipts came of one": ({"receipts": {"r-1": [RECEIPT, OTHER]}}, Kind.INTAKE_DOUBLED),
}  # fmt: skip


def test_due_is_who_nothing_was_heard_of_for_five_years():
    assert gone_by(before(), ON) == GONE
    assert gone_by(before(), date(2026, 5, 31)) == {STUB}
    assert gone_by(before(), date(2029, 2, 27)) == GONE
    assert gone_by(before(), date(2029, 2, 28)) > GONE | {STAYS, NEW, BOTH}  # 29 February and five years


def test_nothing_is_wrong_where_nothing_is_wrong():
    assert judged(RIGHT) == ()


def test_a_run_that_a_keeper_began_by_itself_may_have_had_nothing_to_do():
    nightly = ({"id": "run", "state": "certified"}, {"id": "nightly", "state": "nothing-due"})
    assert judged(replace(RIGHT, others={**RIGHT.others, "Run": nightly})) == ()
    (wrong,) = judged(replace(RIGHT, others={**RIGHT.others, "Run": (*nightly[:1], {**nightly[1], "state": "erased"})}))
    assert wrong.kind is Kind.UNFINISHED


@pytest.mark.parametrize("what", DAMAGED)
def test_damage_is_seen(what):
    found, kind = DAMAGED[what]
    assert kind in {one.kind for one in judged(found)}


@pytest.mark.parametrize("what", GIVEN)
def test_what_was_given_out_is_compared(what):
    changes, kind = GIVEN[what]
    assert kind in {one.kind for one in judged(RIGHT, **changes)}


def test_each_kind_of_wrong_is_shown():
    assert {kind for _, kind in (*DAMAGED.values(), *GIVEN.values())} == set(Kind)


@pytest.mark.parametrize("module", [checker, state])
def test_the_checker_uses_nothing_of_what_it_judges(module):
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    names = {one.module or "" for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    names |= {alias.name for one in ast.walk(tree) if isinstance(one, ast.Import) for alias in one.names}
    assert {name.partition(".")[0] for name in names} - sys.stdlib_module_names <= {"neo4j", "bench"}
    assert {name for name in names if name.startswith("bench")} <= {"bench.state"}

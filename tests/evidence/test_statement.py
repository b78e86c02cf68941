"""What a certificate may state: the hand-written check against the JSON Schema, and each rule of sense."""

import copy
import json
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.merkle import EMPTY_ROOT
from evidence.predicate import STATEMENT
from evidence.statement import draft, faults
from evidence.strict import canonical_json, parse_json
from register.errors import Invalid
from tests.evidence.builders import paper, predicate

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "formats" / "certificate-v1.schema.json").read_text())
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([2**53 - 1, 2**53, -1]), st.just([]), st.just({}),
    st.text(max_size=5),
    st.sampled_from([
        "a", "A", "done", "none", "2026-02-30", "2026-13-01", "2026-01-01T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00+00:00", "P5Y", "P05Y", "P-1Y", "0" * 32, "0" * 33, "f" * 64, "F" * 64, "f" * 64 + "\n",
        "rule-1.a", "rule--1", "x" * 201, "tab\t", "\u2028", "é", "a-b", "a-", "paper", "graph", "subject",
    ]),
)  # fmt: skip


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


STATEMENTS = [json.loads(draft(predicate())), json.loads(draft(paper()))]
PLACES = [[path for path in places(statement) if path] for statement in STATEMENTS]


@st.composite
def mutants(draw):
    """A statement with up to three things replaced, removed, added or doubled."""
    which = draw(st.integers(0, 1))
    mutant = copy.deepcopy(STATEMENTS[which])
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(PLACES[which]))
        at = mutant
        try:
            for key in path:
                at = at[key]
            at[last]
        except (KeyError, IndexError, TypeError):
            continue
        match draw(st.sampled_from(["replace", "remove", "add", "double", "shorten"])):
            case "replace":
                at[last] = draw(ODD)
            case "remove":
                del at[last]
            case "add" if isinstance(at, dict):
                at[draw(st.sampled_from(["name", "extra", "count", "id", ""]))] = draw(ODD)
            case "double" if isinstance(at[last], list):
                at[last] *= draw(st.sampled_from([2, 300]))
            case _ if isinstance(at[last], str):
                at[last] = at[last][:-1]
    return mutant


@settings(max_examples=1500, deadline=None)
@given(mutants())
def test_the_structural_check_and_the_schema_never_differ(mutant):
    assert (not tuple(STATEMENT(mutant, ""))) is VALIDATOR.is_valid(mutant), canonical_json(mutant)


@pytest.mark.parametrize("which", [0, 1])
def test_every_place_is_checked_by_both(which):
    """Whatever stands anywhere is refused when a list takes its place, and a key when it is gone or has company."""
    for *path, last in PLACES[which]:
        for change in ("replace", "remove", "add"):
            mutant = copy.deepcopy(STATEMENTS[which])
            at = mutant
            for key in path:
                at = at[key]
            if change == "replace":
                at[last] = [[["odd"]]]
            elif change == "remove" and isinstance(at, dict):
                del at[last]
            elif change == "add" and isinstance(at[last], dict):
                at[last]["extra"] = None
            else:
                continue
            assert not VALIDATOR.is_valid(mutant)
            assert tuple(STATEMENT(mutant, ""))


def test_a_draft_reads_back_and_has_one_spelling():
    payload = draft(predicate())
    assert payload == canonical_json(parse_json(payload, limit=1 << 20))
    assert payload == draft(dict(reversed(predicate().items())))
    assert json.loads(payload)["subject"][0]["digest"]["sha256"] == predicate()["scope"]["ids"]["root"]


def test_the_smallest_certificate():
    """A night on which nothing was due, but a key change was."""
    nothing = {"count": 0, "root": EMPTY_ROOT.hex()}
    empty = ("grounds", "terms", "readback", "cascade", "skipped", "holds", "exceptions", "approvals")
    draft(
        predicate(
            **{name: [] for name in empty},
            scope={"counts": [], "ids": nothing, "redacted": []},
            stores=[predicate()["stores"][0]],
            backups={"unreadable_by": None, "sets": []},
            stubs=nothing,
        )
    )


def test_faults_have_pointers_and_no_values():
    with pytest.raises(Invalid) as caught:
        draft(predicate(controller={"name": "x" * 300}, stubs="SECRET", requested_by={"role": "SECRET"}))
    pointers = {fault.pointer for fault in caught.value.faults}
    assert {"/predicate/controller/name", "/predicate/stubs", "/predicate/requested_by"} <= pointers
    assert "SECRET" not in str(caught.value)


def test_a_predicate_that_is_nothing_like_one_is_refused_too():
    for value in ({}, {"scope": None}, {"scope": {"ids": 5}}):
        with pytest.raises(Invalid):
            draft(value)


def _changed(*changes):
    made = predicate()
    for path, value in changes:
        at = made
        *parents, last = path.split(".")
        for key in parents:
            at = at[int(key) if key.isdigit() else key]
        at[int(last) if last.isdigit() else last] = value
    return made


@pytest.mark.parametrize(
    ("rule", "pointer", "changes"),
    [
        ("sense.date", "/predicate/times/as_of", [("times.as_of", "2026-02-30")]),
        ("sense.date", "/predicate/terms/0/event_on", [("terms.0.event_on", "0000-01-01")]),
        ("sense.chain", "/predicate/certificate/previous", [("certificate.sequence", 1)]),
        ("sense.chain", "/predicate/certificate/supersedes",
         [("certificate.supersedes", predicate()["certificate"]["supersedes"] * 2)]),
        ("sense.empty", "/predicate/stubs", [("stubs.count", 0)]),
        ("sense.empty", "/predicate/stubs", [("stubs.root", EMPTY_ROOT.hex())]),
        ("sense.double", "/predicate/scope/counts", [("scope.counts.1.kind", "subject")]),
        ("sense.double", "/predicate/scope/counts", [("cascade.1", predicate()["cascade"][0])]),
        ("sense.sum", "/predicate/scope/counts", [("scope.ids.count", 13)]),
        ("sense.sum", "/predicate/cascade", [("cascade.1.count", 5)]),
        ("sense.sum", "/predicate/cascade", [("cascade.1.act", "destroyed")]),
        ("sense.sum", "/predicate/recalls", [("recalls.owed", 1)]),
        ("sense.sum", "/predicate/holds", [("holds.0.kept", 0)]),
        ("sense.sum", "/predicate/holds", [("skipped.0.count", 2)]),
        ("sense.double", "/predicate/grounds",
         [("grounds.1.rule", "wpg-10-6"), ("grounds.1.act", "removed")]),
        ("sense.sum", "/predicate/terms", [("terms.0.count", 1)]),
        ("sense.sum", "/predicate/terms", [("terms.0.rule", "wpg-9-4")]),
        ("sense.sum", "/predicate/grounds", [("cascade.0.through", "signal")]),
        ("sense.order", "/predicate/times", [("times.started_at", "2026-11-24T02:01:01Z")]),
        ("sense.future", "/predicate/times/as_of", [("times.as_of", "2026-11-25")]),
        ("sense.order", "/predicate/policy/valid_from", [("policy.valid_from", "2026-11-25")]),
        ("sense.deadline", "/predicate/terms/0/due_on", [("terms.0.due_on", "2026-11-25")]),
        ("sense.deadline", "/predicate/terms/0/due_on", [("terms.0.event_on", "2026-11-25")]),
        ("sense.order", "/predicate/readback/0/at", [("readback.0.at", "2026-11-24T03:00:00Z")]),
        ("sense.double", "/predicate/stores", [("stores.1", predicate()["stores"][0])]),
        ("sense.store", "/predicate/exceptions", [("exceptions.0.name", "breda")]),
        ("sense.graph", "/predicate/stores", [("stores.0.result", "failed")]),
        ("sense.graph", "/predicate/stores", [("stores.0.name", "other")]),
        ("sense.paper", "/predicate/stores/1/result", [("stores.1.result", "planned")]),
        ("sense.exception", "/predicate/stores/5/result", [("exceptions.0.reason", "failed")]),
        ("sense.exception", "/predicate/stores/6/result", [("exceptions", predicate()["exceptions"][:1])]),
        ("sense.assurance", "/predicate/stores/5/assurance", [("stores.5.assurance", "logical")]),
        ("sense.found", "/predicate/readback", [("readback.2.found", 2)]),
        ("sense.missing", "/predicate/readback", [("readback", [])]),
        ("sense.paper", "/predicate/keys", [("keys", None)]),
        ("sense.generation", "/predicate/keys", [("keys.generation_after", 4)]),
        ("sense.generation", "/predicate/keys", [("keys.anchor.version_after", 3)]),
        ("sense.replaced", "/predicate/keys", [("keys.lookup_key_replaced", False)]),
        ("sense.replaced", "/predicate/keys", [("keys.anchor.old_root_opens", True)]),
        ("sense.order", "/predicate/keys/anchor/destroyed_at", [("keys.anchor.destroyed_at", "2026-11-23T02:00:00Z")]),
        ("sense.double", "/predicate/approvals", [("approvals", predicate()["approvals"] * 2)]),
        ("sense.two-persons", "/predicate/approvals/0/actor", [("requested_by.actor", "co-1")]),
        ("sense.approved", "/predicate/approvals/0/sha256", [("approvals.0.of", "policy")]),
        ("sense.order", "/predicate/approvals/0/at", [("approvals.0.at", "2026-11-25T00:00:00Z")]),
        ("sense.unreadable-by", "/predicate/backups", [("backups.unreadable_by", "2026-12-27")]),
        ("sense.unreadable-by", "/predicate/backups", [("backups.sets", [])]),
    ],
)  # fmt: skip
def test_each_rule_of_sense(rule, pointer, changes):
    with pytest.raises(Invalid) as caught:
        draft(_changed(*changes))
    assert (pointer, rule) in {(fault.pointer, fault.rule) for fault in caught.value.faults}


def test_on_paper_nothing_is_done_or_found():
    for changes in (
        {"readback": predicate()["readback"]},
        {"keys": predicate()["keys"]},
        {"stores": predicate()["stores"]},
    ):
        with pytest.raises(Invalid):
            draft(paper() | changes)


def test_the_subject_is_the_set_of_ids():
    statement = json.loads(draft(predicate()))
    statement["subject"][0]["digest"]["sha256"] = "0" * 64
    assert [fault.rule for fault in faults(statement)] == ["sense.subject"]


def test_the_day_of_a_run_just_after_midnight_is_that_of_amsterdam():
    """23:30 UTC on 24 November is the 25th here; so is a reckoning for the 25th."""
    night = {"started_at": "2026-11-24T23:30:00Z", "ended_at": "2026-11-24T23:40:00Z"}
    made = predicate(times=night | {"as_of": "2026-11-25"}, readback=[], approvals=[])
    made["keys"]["anchor"]["destroyed_at"] = night["ended_at"]
    made["readback"] = [each | {"at": night["ended_at"]} for each in predicate()["readback"]]
    draft(made)
    with pytest.raises(Invalid):
        draft(made | {"times": night | {"as_of": "2026-11-26"}})


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b'{"a":1,"a":1}', "json.duplicate-key"),
        (b"1.0", "json.number"),
        (b"1e3", "json.number"),
        (b"-0", "json.number"),
        (b"Infinity", "json.number"),
        (b"12345678901234567", "json.number"),
        (b'"\\ud800"', "json.syntax"),
        (b'{"\\udfff":1}', "json.syntax"),
        (b"\xef\xbb\xbf{}", "json.syntax"),
        (b"{} ", ""),
        (b"{}x", "json.syntax"),
        (b"", "json.syntax"),
        (b"\xff", "json.syntax"),
        (b'{"a":' * 20 + b"1" + b"}" * 20, ""),
        (b'{"a":' * 21 + b"1" + b"}" * 21, "json.depth"),
        (b"[" * 50_000, "json.depth"),
        (b'"' + b"x" * (1 << 20) + b'"', "json.size"),
    ],
)
def test_json_is_read_strictly(text, rule):
    if not rule:
        parse_json(text, limit=1 << 20)
        return
    with pytest.raises(Invalid) as caught:
        parse_json(text, limit=1 << 20)
    assert caught.value.faults[0].rule == rule

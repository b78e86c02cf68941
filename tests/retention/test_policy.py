"""The policy file: closed vocabulary, every fault with its line, nothing for ever (R02-R05, R39)."""

import hashlib
import json
import re
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.errors import Invalid
from register.grading import HandlingCode
from register.lifetime import Event, EventKind
from retention.calendar import NOTHING
from retention.policy import load, shipped
from retention.rules import BlastRadius, Combine, Outcome
from retention.terms import follow
from retention.tomltext import line_of, lines

NAME = "2026-01-01-theme-bribery.toml"
VECTORS = Path(__file__).parent.parent / "vectors" / "retention"
BAD = json.loads((VECTORS / "bad-policies.json").read_text())
SECOND = "2020-01-01-theme-bribery.toml"


def content(name: str) -> bytes:
    return (files("retention") / "policies" / name).read_bytes()


CONTENT = content(NAME)


def test_the_shipped_policy_has_what_a_schedule_needs():
    """R04: title, mandate, scope, action, trigger, period."""
    policy = shipped(NAME)
    assert policy.digest == hashlib.sha256(CONTENT).hexdigest()
    rule = policy.rule
    assert rule.title == "Theme processing: five years from the last event that shows necessity"
    assert rule.scope == "every person and organisation of the register, and every signal that names none"
    assert rule.outcome == "destroy"
    assert rule.starts == {"signal", "necessity-decision", "order"}
    assert str(rule.citation) == "Wpg art. 10(6)"
    assert rule.citation.source == "BWBR0022463"
    assert str(rule.term) == "P5Y"
    assert policy.informant.months == 4
    assert {hold.ground for hold in policy.holds} == {"wpg-14-4", "wpg-28-2-a", "wpg-28-2-b"}


@pytest.mark.parametrize(
    ("name", "case"),
    [(NAME, case) for case in BAD["cases"]] + [(SECOND, case) for case in BAD["second"]],
    ids=[case["case"] for case in BAD["cases"] + BAD["second"]],
)
def test_a_faulty_file_is_refused_whole(name, case):
    """R03, R39: a ground without a rule is refused, and so is whatever would be kept for ever."""
    text = content(name).decode()
    assert text.count(case["from"]) == 1
    changed = text.replace(case["from"], case["to"])
    if not case["faults"]:
        load(name, changed.encode())
        return
    with pytest.raises(Invalid) as refused:
        load(name, changed.encode())
    faults = refused.value.faults
    assert [[fault.pointer, fault.rule] for fault in faults] == case["faults"]
    for fault in faults:
        if fault.rule != "policy.syntax":
            assert fault.message.startswith(f"line {line_of(fault.pointer, lines(changed))}: ")


def test_every_fault_is_named_with_its_line():
    changed = CONTENT.decode().replace('term = "P5Y"', 'term = "P50Y"').replace("months = 4", "months = 40")
    with pytest.raises(Invalid) as refused:
        load(NAME, changed.encode())
    where = {fault.pointer: int(re.match(r"line (\d+)", fault.message)[1]) for fault in refused.value.faults}
    numbered = dict(enumerate(changed.splitlines(), start=1))
    assert numbered[where["/rules/0/term"]] == 'term = "P50Y"'
    assert numbered[where["/informant/months"]] == "months = 40"
    assert len(where) == 2


def test_lines_of_a_text_with_lists_over_several_lines():
    text = 'a = [ # [\n  "b = ]",\n]\n[[t]]\nc = 1\n[[t]]\nc = { d = 2 }\n'
    assert lines(text) == {"": 1, "/a": 1, "/t": 4, "/t/0": 4, "/t/0/c": 5, "/t/1": 6, "/t/1/c": 7}
    assert line_of("/t/1/c/d", lines(text)) == 7
    assert line_of("/nowhere", lines(text)) == 1


@given(st.binary(max_size=300))
def test_any_bytes_give_a_policy_or_invalid(content):
    with pytest.raises(Invalid):
        load(NAME, content)


@pytest.mark.parametrize("place", range(len(CONTENT.splitlines())))
def test_a_line_less_is_a_fault_or_a_remark_less(place):
    rows = CONTENT.decode().splitlines(keepends=True)
    content = "".join(rows[:place] + rows[place + 1 :]).encode()
    if not rows[place].strip() or rows[place].startswith("#"):
        assert load(NAME, content).rule == shipped(NAME).rule
    else:
        with pytest.raises(Invalid):
            load(NAME, content)


def test_every_rule_of_the_second_policy_has_what_a_schedule_needs():
    """R04 for the grounds of any theme: title, mandate, scope notes, action, trigger, period."""
    policy = shipped(SECOND)
    articles = {rule.ground: str(rule.citation) for rule in policy.rules}
    assert articles == {
        "wpg-8": "Wpg art. 8(6)",
        "wpg-9": "Wpg art. 9(4)",
        "wpg-10-1-a": "Wpg art. 10(6)",
        "wpg-10-1-b": "Wpg art. 10(6)",
        "wpg-10-1-c": "Wpg art. 10(6)",
        "wpg-12": "Wpg art. 12(6)",
        "wpg-13": "Wpg art. 13(4)",
    }
    for rule in policy.rules:
        assert rule.title
        assert rule.scope
        assert rule.outcome in Outcome
        assert rule.written or (rule.starts and rule.term != NOTHING)
        assert (rule.check is None) == (rule.kinds == {None} or rule.ground in {"wpg-8", "wpg-9", "wpg-13"})


@pytest.mark.parametrize("place", range(len(content(SECOND).splitlines())))
def test_a_line_less_of_the_second_policy_is_a_fault_or_another_policy(place):
    """Nothing is read past: each line says something, or is a remark."""
    rows = content(SECOND).decode().splitlines(keepends=True)
    less = "".join(rows[:place] + rows[place + 1 :]).encode()
    whole = shipped(SECOND)
    try:
        read = load(SECOND, less)
    except Invalid:
        return
    remark = not rows[place].strip() or rows[place].startswith("#")
    assert (replace(read, digest=whole.digest) == whole) == (remark or rows[place] in SAME_AS_UNSAID)


SAME_AS_UNSAID = ('combine = "latest"\n', 'applies_to = ["person", "organisation", "none"]\n')
"""What stands there for the reader: the same holds without it."""


def test_a_term_from_several_kinds_of_event():
    """R07: the latest, the earliest, or when each kind has happened."""
    happened = [
        Event(on=date(2024, month, 1), kind=EventKind(kind), accepted_on=date(2024, month, 1))
        for month, kind in ((3, "signal"), (1, "signal"), (2, "order"), (5, "order"))
    ]
    rule = replace(shipped(SECOND).rule, starts=frozenset({EventKind.SIGNAL, EventKind.ORDER}))
    ends = {way: follow(replace(rule, combine=way), happened).due_on for way in Combine}
    assert ends == {
        Combine.LATEST: date(2029, 5, 1),
        Combine.EARLIEST: date(2029, 1, 1),
        Combine.ALL: date(2029, 2, 1),
    }
    alone = follow(replace(rule, combine=Combine.ALL), happened[:2])
    assert (alone.due_on, alone.event) == (None, None)
    again = Event(on=date(2030, 1, 1), kind=EventKind.ORDER, accepted_on=date(2030, 1, 1))
    assert {follow(replace(rule, combine=way), [*happened, again]).due_on for way in Combine} == {date(2035, 1, 1)}


def test_clearance_follows_the_strictness_order():
    policy = shipped(NAME)
    assert policy.cleared(HandlingCode.H0) == {"H0", "11"}
    assert policy.cleared(HandlingCode.NL_01) == {"H0", "11", "H1", "01"}
    assert policy.cleared(HandlingCode.NL_300) == set(HandlingCode)


@pytest.mark.parametrize(
    ("due", "live", "exceeded"),
    [(50, 50, False), (51, 51, True), (51, 2550, False), (51, 2549, True), (0, 0, False), (200, 10_000, False)],
)
def test_blast_radius_is_fifty_or_two_in_a_hundred(due, live, exceeded):
    assert BlastRadius(at_least=50, percent=2).exceeded(due, live) is exceeded

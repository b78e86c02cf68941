"""Cypher is constant text, every value a parameter; reads for a person hold the visibility clause; indexes are used."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import graph as room
from graph import (
    copy_queries,
    decision_queries,
    oversight_queries,
    queries,
    renewal_queries,
    run_queries,
    schema,
    unstated_queries,
)
from graph.connection import Graph
from graph.decision_queries import whole
from graph.queries import live, visible
from register.ids import mint
from tests.graph.builders import TODAY, a_batch, a_signal, a_subject, an_identifier, harbours

ROOM = Path(room.__file__).parent
TEXTS = {
    "copy_queries",
    "decision_queries",
    "oversight_queries",
    "queries",
    "renewal_queries",
    "run_queries",
    "unstated_queries",
}
FOR_A_READER = (
    "OPEN_SIGNAL",
    "SUBJECT_VIEW",
    "VISIBLE_SUBJECTS",
    "NAMED_SUBJECTS",
    "CARRIERS",
    "NAMED_MENTIONS",
    "NETWORK_RING",
    "PATHS",
    "PATHS_BY_PORT",
)
NOT_FOR_A_READER = {
    "intake": (
        "SIGNALS_PRESENT",
        "CARRIERS_PRESENT",
        "SUBJECTS_TRUSTED",
        "GONE",
        "MOVE_SUBJECTS",
        "RECORD",
    ),
    "trail": (
        "CREATE_ENTRIES",
        "APPEND_ENTRIES",
        "UNLOGGED_ENTRIES",
        "LOGGED_ENTRIES",
        "SET_ASIDE_ENTRIES",
        "ENTRIES_BETWEEN",
        "STAMPED_ENTRIES",
        "NUMBER_OF_ENTRIES",
        "DELETE_ENTRIES",
    ),
    "table of names, which answers nobody": ("ROSTER", "ROSTER_SINCE", "ROSTER_MARKED"),
    "public": ("PORTS",),
    "pieces": ("LINK_TYPES", "LINK_ROW", "BARE_MENTION", "BETWEEN", "LOCK"),
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOM.glob("*.py")):
        yield path.stem, ast.parse(path.read_text(encoding="utf-8"))


def constants(module: ModuleType) -> dict[str, str]:
    """The texts that a module defines, by name; those of a tuple by name and place."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    names = [
        node.target.id for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    found: dict[str, str] = {}
    for name in names:
        value = getattr(module, name)
        if isinstance(value, tuple):
            found |= {f"{name}[{place}]": text for place, text in enumerate(value) if isinstance(text, str)}
        elif isinstance(value, str) and not name.startswith("_"):
            found[name] = value
    return found


TEXTS_OF_ALL = {
    **constants(queries),
    **constants(run_queries),
    **constants(copy_queries),
    **constants(decision_queries),
    **constants(oversight_queries),
    **constants(renewal_queries),
    **constants(unstated_queries),
}


def test_only_constant_texts_are_run() -> None:
    """The first argument of `run` is a constant of a module of texts, or a name bound to one; never an expression."""
    ran = 0
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "run":
                ran += 1
                text = node.args[0]
                assert isinstance(text, ast.Attribute | ast.Name | ast.Constant), f"{name}:{node.lineno}"
                if isinstance(text, ast.Attribute):
                    assert isinstance(text.value, ast.Name)
                    assert text.value.id == "queries"
    assert ran > 40


def test_texts_are_put_together_from_the_declaration_alone() -> None:
    """Outside the modules of texts no Cypher is written; in them nothing is put in but names, clauses and pieces."""
    keyword = re.compile(r"\b(MATCH|MERGE|CREATE|UNWIND|DETACH|CALL)\b ?[({]?")
    for name, tree in modules():
        if name in TEXTS or name == "schema":
            continue
        texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        assert [text for text in texts if isinstance(text, str) and keyword.search(text)] == [], name
    for name, tree in modules():
        if name not in TEXTS:
            continue
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert functions <= {
            "visible",
            "live",
            "_end",
            "bare",
            "_paths",
            "_remains",
            "_holds_ids",
            "_going_on",
            "whole",
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.FormattedValue):
                roots = {one.id for one in ast.walk(node.value) if isinstance(one, ast.Name)}
                known = (
                    queries,
                    run_queries,
                    copy_queries,
                    decision_queries,
                    oversight_queries,
                    renewal_queries,
                    unstated_queries,
                )
                unknown = roots.difference(*map(vars, known))
                assert unknown <= {"name", "stop", "label", "one", "pattern", "places", "nodes", "ties"}, unknown


def test_values_are_parameters() -> None:
    """No text has a literal but labels, the fixed names of properties, counts of steps, and what is null or true."""
    for name, text in TEXTS_OF_ALL.items():
        quoted = re.findall(r"'[^']*'|\"[^\"]*\"", text)
        assert set(quoted) <= {f"'{label}'" for label in ("Subject", "Signal", "Identifier", "Register")}, name


def test_every_read_for_a_person_holds_the_visibility_clause() -> None:
    """C09."""
    texts = constants(queries)
    assert set(FOR_A_READER) | {one for names in NOT_FOR_A_READER.values() for one in names} == {*texts}
    clause = re.compile(re.escape(visible("X")).replace("X", r"\w+"))
    alive = re.compile(re.escape(live("X")).replace("X", r"\w+"))
    for name in FOR_A_READER:
        assert clause.search(texts[name]), name
        assert alive.search(texts[name]), name


def test_who_decides_finds_only_what_is_wholly_visible() -> None:
    for text in (decision_queries.REVIEWS_DUE, decision_queries.WHOLE_SUBJECT):
        assert whole("s") in text
        assert visible("m") in text
    assert visible("g") in decision_queries.PARTIAL_SIGNALS
    assert visible("m") in decision_queries.PARTIAL_SIGNALS


def test_every_mention_and_link_that_is_matched_for_a_person_is_filtered() -> None:
    """Each named relationship of a text for a reader stands in a visibility clause of its own, each named end too."""
    for name in FOR_A_READER:
        text = constants(queries)[name]
        for tie in re.findall(r"\[(\w+):", text):
            assert visible(tie) in text, (name, tie)


# Plans.

PARAMETERS: dict[str, Any] = {
    "handling": ["H0"],
    "markings": [],
    "today": TODAY,
    "types": ["LINKED_TO"],
    "steps": 6,
    "most": 5,
    "left": 100,
    "inner": [],
    "page": 10,
    "since": 1,
    "after": "",
    "after_on": TODAY,
    "after_id": "",
    "state": "proposed",
    "limit": 10,
    "key": schema.KEY,
    "holder": "x",
    "fence": 1,
    "now": 0,
    "until": 0,
    "run": "r",
    "number": 0,
    "on": TODAY,
    "going": [],
    "changes": {},
    "id": mint(),
    "a": mint(),
    "b": mint(),
    "ids": [mint()],
    "codes": ["NLRTM"],
    "mentions": [mint()],
    "identifiers": [mint()],
    "frontier": [mint()],
    "held": [mint()],
}
SCANNED_ON_PURPOSE = {
    "REMAINS": "reading back looks at every record",
    "DELETE_LOST_LINKS": "only where somebody tore a link off",
    "DISTRUST[3]": "a signal's links wherever they hang",
    "RUNS": "few",
    "HOLDS_SEEN": "few",
    "ORDERS": "few",
    "HOLDS": "few",
    "CENSUS": "every record is counted",
    "TEXTS_OVER": "once a night",
    "CANARY": "one node",
    "PLANT_CANARY": "one node",
    "ANYTHING": "the first node at hand, before a copy is written",
}


def operators(plan: dict[str, Any]) -> Iterator[str]:
    yield str(plan["operatorType"]).split("@")[0]
    for child in plan.get("children", ()):
        yield from operators(child)


@pytest.fixture
def filled(register: Graph) -> Graph:
    """Some hundred records, so that the planner has something to count with."""
    from graph.signals import Signals

    people = [a_subject() for _ in range(200)]
    identifiers = [an_identifier() for _ in range(100)]
    signals = [
        a_signal([people[n].facts.id, people[n + 1].facts.id], ports=["NLRTM"], identifiers={0: [identifiers[n // 2]]})
        for n in range(199)
    ]
    batch = a_batch(signals, created=people, identifiers=identifiers)
    Signals(register).record(batch, harbours(batch), [])
    return register


def test_indexes_are_used(filled: Graph) -> None:
    """C21: every read starts at an index, but for those that are listed."""
    row = {"id": mint(), "label": "Person", "type": "PAID", "properties": {"id": mint(), "ports": ["NLRTM"]}}
    lists = ("moved", "created", "new_identifiers", "harbours", "carries", "links", "port_links")
    written = {name: [row] for name in lists}
    signals = [{"properties": row["properties"], "mentions": [row]}]
    values = {**PARAMETERS, "rows": [row], "row": row, "order": row, "line": row, **written, "signals": signals}
    wrong: dict[str, object] = {}
    for name, text in TEXTS_OF_ALL.items():
        if name in NOT_FOR_A_READER["pieces"]:
            continue
        given = {**values, "run": row} if name == "BEGIN_RUN" else values
        plan = filled.read(lambda tx, text=text, given=given: tx.run(f"EXPLAIN {text}", given).consume().plan)  # type: ignore[misc]
        scans = sorted(one for one in operators(plan) if "Scan" in one and "Index" not in one)
        if bool(scans) != any(name.split("[")[0] == known or name == known for known in SCANNED_ON_PURPOSE):
            wrong[name] = scans
    assert wrong == {}


def test_a_hub_is_not_walked_through_for_each_of_its_signals(register: Graph) -> None:
    """The work of reading a page of signals grows with their links, not with the links of whom they name. C21."""
    from graph.signals import Signals
    from tests.graph.builders import Tied

    hub, others = a_subject(), [a_subject() for _ in range(300)]
    for end in (0, 1):
        signals = [a_signal([hub.facts.id, one.facts.id], links=[Tied(a=end, b=1 - end)]) for one in others]
        created = [hub, *others] if end == 0 else []
        Signals(register).record(a_batch(signals, created=created), [], [])

    def hits(page: int) -> int:
        text = f"PROFILE {run_queries.SIGNAL_PAGE}"
        profile = register.read(lambda tx: tx.run(text, after="", page=page).consume().profile)
        assert profile is not None

        def total(plan: dict[str, Any]) -> int:
            return int(plan.get("dbHits", 0)) + sum(map(total, plan.get("children", ())))

        return total(profile)

    assert hits(600) < 250 * 600

"""Records leave by one way only, and nothing that is computed from them is kept beside them."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from graph import run_queries
from graph.labels import RELATIONSHIPS, Label, Tie
from register.links import LinkKind
from tests.graph.test_queries import TEXTS_OF_ALL

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("register", "graph", "vault", "matching", "retention", "evidence", "api")

TEXTS: Final = "graph/run_queries.py"
ERASING: Final = "graph/purge.py"
OTHER_TEXTS: Final = MappingProxyType(
    {
        "DELETE_ENTRIES": {"graph/trail.py"},
        "DELETE_ORDER": {"graph/erasure.py"},
        "DELETE_JOURNAL": {"graph/erasure.py"},
        "DELETE_GONE": {"graph/erasure.py"},
    }
)
"""Texts that delete paper only (audit entries past their term, orders, a run's own notes), and who runs them."""

KEY_STORE: Final = MappingProxyType(
    {
        "vault/keystore/leases.py": {"keeper", "leases"},
        "vault/keystore/budgets.py": {"_rows"},
        "vault/keystore/backups.py": {"backups", "pauses", "quarantine", "revisions"},
        "vault/keystore/searches.py": {"keys"},
        "vault/keystore/statements.py": {"keys", "renewals", "revisions", "tokens", "former_roots", "deliveries"},
        "vault/keystore/purge.py": {"keys"},
        "vault/keystore/texts.py": {"keys"},
        "vault/keystore/replicas.py": {"replicas"},
        "vault/keystore/rotations.py": {"rotations"},
    }
)
"""Where rows of the key store are deleted: purge, statements, leases, budgets, backups, searches, texts, replicas,
rotations."""

PURGE_STATEMENTS: Final = {"DROP_KEYS", "DROP_REVISION", "DROP_TOKEN", "DROP_FORMER_ROOT", "END_DELIVERIES"}


@cache
def trees() -> Mapping[str, ast.Module]:
    """Every module of the rooms, by its path."""
    paths = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in paths}


@cache
def spoken() -> Mapping[str, frozenset[str]]:
    """The modules that speak of each name, but for those that only define or import it."""
    found: dict[str, set[str]] = defaultdict(set)
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                found[node.attr].add(path)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found[node.id].add(path)
    return {name: frozenset(paths) for name, paths in found.items()}


def test_r01_no_text_deletes_from_the_graph_outside_the_erasing_transaction() -> None:
    deleting = {name for name, text in TEXTS_OF_ALL.items() if re.search(r"\bDELETE\b", text)}
    content = deleting - OTHER_TEXTS.keys()
    assert content >= {"DELETE_SUBJECTS", "DELETE_SIGNALS", "DELETE_LINKS_IN", "DELETE_CARRIES"}
    assert all(getattr(run_queries, name, None) for name in content)
    assert {name: spoken()[name] - {TEXTS} for name in content} == {name: {ERASING} for name in content}
    assert {name: spoken()[name] for name in OTHER_TEXTS} == dict(OTHER_TEXTS)
    paper = rf"[:(](?:{Label.ENTRY}|{Label.ORDER}|{Label.JOURNAL}|{Label.GONE})\b"
    assert all(set(re.findall(r":(\w+)", TEXTS_OF_ALL[name])) <= set(Label) for name in OTHER_TEXTS)
    assert all(re.search(paper, TEXTS_OF_ALL[name]) for name in OTHER_TEXTS)


def test_r01_only_a_run_of_retention_erases_forgets_and_destroys() -> None:
    """A rotation of keys (`api/keys.py`) is the same purge, of nothing."""
    assert spoken()["erase_part"] == {"graph/erasure.py"}
    assert spoken()["erase"] == {"retention/batches.py", "retention/run.py"}
    assert spoken()["destroy_old"] == {"retention/run.py", "api/keys.py"}
    archive = {path for path in spoken()["destroy"] if not path.startswith("vault/anchors/")}
    assert archive == {"retention/batches.py", "vault/archive/archivist.py", "vault/archive/files.py"}


def test_r01_rows_of_the_key_store_go_in_a_purge_only() -> None:
    found: dict[str, set[str]] = {}
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "delete":
                found.setdefault(path, set()).add(ast.unparse(node.args[0]).split(".")[-1])
    assert found == dict(KEY_STORE)
    assert {name: spoken()[name] for name in PURGE_STATEMENTS} == {
        name: {"vault/keystore/purge.py"} for name in PURGE_STATEMENTS
    }


def test_r01_r18_no_request_deletes_or_alters_what_was_taken_in() -> None:
    """The API has no verb that rewrites, and the one that deletes ends a user's key."""
    verbs = {
        (node.func.attr, path)
        for path, tree in trees().items()
        if path.startswith("api/http/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if ast.unparse(node.func.value) in {"router", "app"} and node.func.attr in {"delete", "put", "patch"}
    }
    assert verbs == {("delete", "api/http/actors.py")}
    assert not [
        path for path, tree in trees().items() if path.startswith("api/http/") and "methods=" in ast.unparse(tree)
    ]


def test_c14_likeness_is_computed_and_never_kept() -> None:
    """C13, C14: every relationship is of a signal that states it; none says that two records are alike."""
    types = {type_ for ties in RELATIONSHIPS for type_ in ties.types}
    assert types == set(Tie) | {kind.relationship for kind in LinkKind}
    assert not [one for one in types | set(Label) if re.search("SIMILAR|ALIKE|MATCH|CORREL|SAME|SCORE", one.upper())]
    stored = {
        node.arg for path, tree in trees().items() if path.startswith(("graph/", "vault/")) for node in _keywords(tree)
    }
    assert stored.isdisjoint({"score", "likeness", "similarity"})


def test_c16_likeness_and_terms_share_no_word() -> None:
    """C16: what scores a name says nothing of terms, and what reckons a term scores nothing."""
    for room, words in (
        ("matching", "expir|retention|remove_by|term_end|decay"),
        ("retention", "score|likeness|decay"),
    ):
        names = {name for path, tree in trees().items() if path.startswith(f"{room}/") for name in _names(tree)}
        assert len(names) > 100
        assert [one for one in sorted(names) if re.search(words, one.lower())] == [], room


def _keywords(tree: ast.Module) -> Iterator[ast.keyword]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.keyword))


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield node.arg

"""The schema: what the migrations make is what `graph.labels` declares; a strange database is left alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from graph import schema
from graph.connection import Graph
from graph.labels import DISTRUSTED, DOSSIER, LINKS, MENTIONS, NODES, RELATIONSHIPS, SIGNAL, Kind, Label, Part
from register.errors import Conflict, Unavailable
from register.ids import RegisterId
from register.links import LinkKind
from register.sealed import DOSSIER_FIELDS, MENTION_FIELDS, SIGNAL_FIELDS
from tests.graph.conftest import REGISTER

OTHER = RegisterId("1" * 32)


def test_the_migrations_make_what_is_declared(register: Graph) -> None:
    def found(text: str) -> set[tuple[str, tuple[str, ...]]]:
        rows = register.read(lambda tx: tx.run(text).values())
        return {(name, tuple(properties)) for (name,), properties in rows}

    unique = {(str(nodes.label), nodes.key) for nodes in NODES}
    unique |= {(type_, (name,)) for ties in RELATIONSHIPS for type_ in ties.types for name in ties.unique}
    plain = {(str(nodes.label), (name,)) for nodes in NODES for name in nodes.indexes}
    plain |= {(type_, (name,)) for ties in RELATIONSHIPS for type_ in ties.types for name in ties.indexes}
    constraints = found("SHOW CONSTRAINTS YIELD labelsOrTypes, properties RETURN labelsOrTypes, properties")
    indexes = found(
        "SHOW INDEXES YIELD labelsOrTypes, properties, owningConstraint, type, state"
        " WHERE owningConstraint IS NULL AND type <> 'LOOKUP' AND state = 'ONLINE' RETURN labelsOrTypes, properties"
    )
    assert constraints == unique
    assert indexes == plain


def test_a_second_migration_changes_nothing(register: Graph) -> None:
    assert schema.migrate(register, REGISTER) == schema.VERSION
    schema.check(register, REGISTER)


def test_many_migrate_at_once(graph: Graph) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: schema.migrate(graph, REGISTER), range(4))) == [schema.VERSION] * 4

    schema.check(graph, REGISTER)


@pytest.mark.parametrize("act", [schema.migrate, schema.check])
def test_another_registers_database_is_refused(register: Graph, act: object) -> None:
    with pytest.raises(Conflict) as caught:
        act(register, OTHER)  # type: ignore[operator]

    assert caught.value.code == "graph.other-register"


@pytest.mark.parametrize("act", [schema.migrate, schema.check])
def test_a_newer_schema_is_refused(register: Graph, act: object) -> None:
    register.write(lambda tx: tx.run("MATCH (n:Register) SET n.schema = 1000").consume())

    with pytest.raises(Unavailable) as caught:
        act(register, REGISTER)  # type: ignore[operator]

    assert caught.value.code == "schema.newer"


def test_an_older_schema_waits_for_its_migration(register: Graph) -> None:
    register.write(lambda tx: tx.run("MATCH (n:Register) SET n.schema = 0").consume())
    with pytest.raises(Unavailable) as caught:
        schema.check(register, REGISTER)

    assert caught.value.code == "schema.older"
    assert schema.migrate(register, REGISTER) == schema.VERSION
    schema.check(register, REGISTER)


def test_subjects_whose_facts_are_of_an_older_form_are_refused(register: Graph) -> None:
    register.write(lambda tx: tx.run("MATCH (n:Register) SET n.schema = 1").consume())
    register.write(lambda tx: tx.run("CREATE (:Subject {id: 'x', remove_by: date('2031-01-01')})").consume())
    with pytest.raises(Conflict) as caught:
        schema.migrate(register, REGISTER)

    assert caught.value.code == "schema.older-facts"
    with pytest.raises(Unavailable):
        schema.check(register, REGISTER)


def test_something_that_is_no_register_is_left_alone(graph: Graph) -> None:
    graph.write(lambda tx: tx.run("CREATE (:Film {title: 'x'})").consume())

    with pytest.raises(Conflict) as caught:
        schema.migrate(graph, REGISTER)
    assert caught.value.code == "graph.not-empty"
    with pytest.raises(Conflict):
        schema.check(graph, REGISTER)
    assert graph.read(lambda tx: tx.run("MATCH (n) RETURN labels(n)").values()) == [[["Film"]]]


# The model.


def test_every_sealed_field_is_kept_as_bytes_and_nothing_else_is() -> None:
    sealed = {
        (declared, one.name)
        for declared in (*NODES, *RELATIONSHIPS)
        for one in declared.properties
        if one.part is Part.SEALED
    }
    fields = ((SIGNAL, SIGNAL_FIELDS), (MENTIONS, MENTION_FIELDS), (DOSSIER, DOSSIER_FIELDS))
    assert sealed == {(declared, name) for declared, names in fields for name in names}
    for declared in (*NODES, *RELATIONSHIPS):
        for one in declared.properties:
            assert (one.kind is Kind.BYTES) == (one.part in (Part.SEALED, Part.MAC))


def test_each_property_has_one_name() -> None:
    for declared in (*NODES, *RELATIONSHIPS):
        names = [one.name for one in declared.properties]
        assert len(set(names)) == len(names)


def test_everything_is_declared() -> None:
    assert {nodes.label for nodes in NODES} == set(Label) - {Label.PERSON, Label.ORGANISATION}
    assert set(LINKS) == {kind.relationship for kind in LinkKind}
    assert {nodes.label for nodes in NODES if DISTRUSTED in nodes.properties} == {Label.SUBJECT, Label.SIGNAL}

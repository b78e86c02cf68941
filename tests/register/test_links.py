import re

from api.exchange.signal_v1 import SCHEMA
from register.links import Basis, LinkKind, NewLink

LINK = SCHEMA["$defs"]["link"]["properties"]


def test_kinds_and_bases_are_those_of_the_format():
    assert [kind.value for kind in LinkKind] == LINK["kind"]["enum"]
    assert [basis.value for basis in Basis] == LINK["basis"]["enum"]


def test_a_link_is_an_assessment_unless_stated_otherwise():
    """L08: facts stand apart from judgements."""
    assert NewLink(from_ref="a", to_ref="b", kind=LinkKind.PAID).basis == LINK["basis"]["default"]


def test_relationship_types_need_no_quoting_and_differ():
    types = [kind.relationship for kind in LinkKind]
    assert LinkKind.HOLDS_OFFICE_AT.relationship == "HOLDS_OFFICE_AT"
    assert len(set(types)) == len(types)
    assert all(re.fullmatch("[A-Z]+(_[A-Z]+)*", name) for name in types)

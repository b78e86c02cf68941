"""Deny by default: what is not in the table is refused, and disclosure always has a purpose and a case."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.access import CASE_PATTERN, DISCLOSING, PERMISSIONS, PURPOSE_BASIS, Actor, Permission, Purpose, Role
from register.access import authorise as decide
from register.errors import Invalid, Refused

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def authorise(role, permission, **reason):
    return decide(Actor(code="somebody", role=role), permission, as_of=NOW, **reason)


@given(st.sampled_from(Role), st.sampled_from(Permission))
def test_only_what_the_table_gives(role, permission):
    if permission in PERMISSIONS[role]:
        grant = authorise(role, permission, purpose="theme-insight", case="ABC-2026/1")
        assert (grant.actor.role, grant.permission, grant.as_of) == (role, permission, NOW)
    else:
        with pytest.raises(Refused):
            authorise(role, permission, purpose="theme-insight", case="ABC-2026/1")


@given(st.sampled_from(sorted(DISCLOSING)), st.text(max_size=20), st.text(max_size=45))
def test_disclosure_needs_a_listed_purpose_and_a_case_no_name_fits(permission, purpose, case):
    well_formed = purpose in set(Purpose) and CASE_PATTERN.fullmatch(case)
    role = next(one for one, allowed in PERMISSIONS.items() if permission in allowed)
    if well_formed:
        assert authorise(role, permission, purpose=purpose, case=case).case == case
        return
    with pytest.raises(Invalid) as refused:
        authorise(role, permission, purpose=purpose, case=case)
    said = str(refused.value)
    assert {one.pointer for one in refused.value.faults} <= {"/purpose", "/case"}
    assert len(case) < 5 or case not in said


def test_who_administers_or_oversees_sees_no_content():
    """R34."""
    shows = ("signal.open", "subject.find", "subject.open", "network.show", "paths.show", "review.see", "desk.see")
    content = set(map(Permission, shows))
    for role in (Role.ADMINISTRATOR, Role.COMPLIANCE_OFFICER, Role.CONTRIBUTOR, Role.SYSTEM):
        assert not PERMISSIONS[role] & content


def test_a_contributor_only_hands_in_and_sees_its_own_receipts():
    assert PERMISSIONS[Role.CONTRIBUTOR] == {Permission.SIGNAL_RECORD, Permission.RECEIPT_SEE}


def test_every_purpose_has_its_legal_basis():
    """L03: purposes, each with its article."""
    assert set(PURPOSE_BASIS) == set(Purpose)
    assert all(basis.startswith("Wpg art. ") for basis in PURPOSE_BASIS.values())

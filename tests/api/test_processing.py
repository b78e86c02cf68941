"""The controller's register of processing (Wpg art. 31d) says what is in force, and nothing that is not."""

import json
from dataclasses import dataclass
from datetime import date

from api.processing import CONTROLLER, Processing
from register.access import PURPOSE_BASIS, Purpose, Role
from register.grading import Category
from retention.policy import shipped

POLICY = shipped("2020-01-01-theme-bribery.toml")
PEOPLE = ({"code": "anna", "role": "analyst", "markings": (), "handling": "H1", "expires_at": None, "ended": False},)


@dataclass
class Anchor:
    kind: str = "transit"
    assurance: str = "clear"


def document(**changes):
    given = {"controller": CONTROLLER, "policy": POLICY, "anchor": Anchor(), "people": lambda: PEOPLE} | changes
    return Processing(**given).document(date(2026, 11, 24))


def test_l03_the_register_of_processing_has_all_that_the_article_names():
    """L03: purposes, recipients, categories, ground, planned terms, security, authorisations, from what is in force."""
    told = document()
    assert {one["code"]: one["basis"] for one in told["purposes"]} == {one: PURPOSE_BASIS[one] for one in Purpose}
    assert told["recipients"]["categories"] == []
    assert told["persons"]["categories"] == [one.value for one in Category]
    assert told["ground"] == {"code": "wpg-10-1-b", "citation": "Wpg art. 10(6)"}
    terms = {one["rule"]: one["term"] for one in told["terms"]}
    assert terms["theme.last-necessity"] == terms["archive.five-years"] == "P5Y"
    assert (terms["request.access"], terms["request.rectification"]) == ("P6W", "P4W")
    assert (told["security"]["anchor"], told["security"]["assurance"]) == ("transit", "clear")
    assert set(told["authorisations"]["roles"]) == set(Role) - {Role.SYSTEM}
    assert told["authorisations"]["people"] == [dict(PEOPLE[0])]
    assert json.loads(json.dumps(told))["policy"] == {"version": POLICY.version, "sha256": POLICY.digest}


def test_l03_terms_of_other_grounds_are_none_of_this_register():
    rules = {one["rule"] for one in document()["terms"]}
    others = {rule.id for rule in POLICY.rules if rule.ground is not POLICY.ground}
    assert others
    assert not rules & others

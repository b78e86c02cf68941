import pytest

from api.exchange.signal_v1 import SCHEMA
from register.grading import (
    CODES,
    Category,
    EvaluationScheme,
    HandlingCode,
    InformationGrade,
    Origin,
    SourceGrade,
    SubjectKind,
)
from register.subjects import IdentifierKind, SpecialCategory

PROPERTIES = SCHEMA["properties"]
SUBJECT = SCHEMA["$defs"]["subject"]["properties"]


@pytest.mark.parametrize(
    ("codes", "listed"),
    [
        (EvaluationScheme, PROPERTIES["evaluation_scheme"]["enum"]),
        (SourceGrade, PROPERTIES["source"]["properties"]["grade"]["enum"]),
        (Origin, PROPERTIES["source"]["properties"]["origin"]["enum"]),
        (InformationGrade, PROPERTIES["information_grade"]["enum"]),
        (HandlingCode, PROPERTIES["handling"]["properties"]["code"]["enum"]),
        (SubjectKind, SUBJECT["type"]["enum"]),
        (Category, SUBJECT["category"]["enum"]),
        (IdentifierKind, SUBJECT["identifiers"]["items"]["properties"]["kind"]["enum"]),
        (SpecialCategory, SUBJECT["special_categories"]["items"]["enum"]),
    ],
)
def test_code_lists_are_those_of_the_format(codes, listed):
    assert [code.value for code in codes] == listed


@pytest.mark.parametrize("place", range(2))
def test_codes_of_a_scheme_are_those_of_the_format(place):
    rule = SCHEMA["allOf"][place]
    codes = CODES[EvaluationScheme(rule["if"]["properties"]["evaluation_scheme"]["const"])]
    then = rule["then"]["properties"]
    assert codes.source == set(then["source"]["properties"]["grade"]["enum"])
    assert codes.information == set(then["information_grade"]["enum"])
    assert codes.handling == set(then["handling"]["properties"]["code"]["enum"])


def test_without_evaluation_there_are_no_grades_and_handling_of_either_scheme():
    codes = CODES[EvaluationScheme.NOT_PROVIDED]
    assert not codes.source
    assert not codes.information
    assert codes.handling == set(HandlingCode)

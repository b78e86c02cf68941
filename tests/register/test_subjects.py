import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.grading import SubjectKind
from register.subjects import IdentifierKind, NewIdentifier, check_subject, normalise
from tests.builders import TODAY, a_person, an_organisation

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "signal" / "identifiers.json").read_text())
NUMBERED = sorted(set(IdentifierKind) - {IdentifierKind.OTHER, IdentifierKind.EMAIL})


def faults(subject):
    return [(fault.pointer, fault.rule) for fault in check_subject(subject, "/subjects/0", today=TODAY)]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['kind']}-{vector['normal']}")
def test_normal_form(vector):
    assert normalise(IdentifierKind(vector["kind"]), vector["value"]) == vector["normal"]


@given(st.sampled_from(IdentifierKind), st.text(max_size=30) | st.text("imoIMOban09.-() +/@", max_size=30))
def test_normalising_twice_changes_nothing(kind, value):
    once = normalise(kind, value)
    assert normalise(kind, once) == once


@given(st.sampled_from(NUMBERED), st.from_regex(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{4,20}", fullmatch=True), st.data())
def test_how_a_value_is_written_does_not_matter(kind, value, data):
    written = "".join(sign + data.draw(st.sampled_from(["", " ", "-", ".", "\u2013", "\u00a0"])) for sign in value)
    assert normalise(kind, written) == normalise(kind, value)
    if kind is not IdentifierKind.PHONE:
        assert normalise(kind, written.lower()) == normalise(kind, value)


@given(st.sampled_from(NUMBERED), st.text("0123456789ABCOIX", min_size=1), st.text("0123456789ABCOIX", min_size=1))
def test_different_values_stay_different(kind, one, other):
    # Only the zeros of an international prefix have a second spelling.
    if kind is IdentifierKind.PHONE and "00" in (one[:2], other[:2]):
        return
    assert (normalise(kind, one) == normalise(kind, other)) == (one == other)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("bsn", "- -"),
        ("bsn", "000000000"),
        ("bsn", "123"),
        ("kvk", "unknown"),
        ("passport", "onbekend"),
        ("iban", "NL9"),
        ("phone", "()"),
        ("email", "@"),
        ("other", "\u2026"),
    ],
)
def test_a_filler_is_no_identifier(kind, value):
    subject = a_person(identifiers=(NewIdentifier(kind=IdentifierKind(kind), value=value),))
    assert faults(subject) == [("/subjects/0/identifiers/0/value", "identifier.empty")]


def test_typing_errors_are_not_refused():
    wrong_check_digits = [("bsn", "123456789"), ("iban", "NL00ABNA0417164300"), ("imo", "9074720"), ("kvk", "990123")]
    stated = tuple(NewIdentifier(kind=IdentifierKind(kind), value=value) for kind, value in wrong_check_digits)
    assert faults(a_person(identifiers=stated)) == []


def test_an_identifier_is_stated_once():
    stated = tuple(
        NewIdentifier(kind=IdentifierKind(kind), value=value)
        for kind, value in [("kvk", "99012345"), ("vat", "99012345"), ("kvk", "KvK 9901.2345")]
    )
    assert faults(an_organisation(identifiers=stated)) == [("/subjects/0/identifiers/2", "identifier.duplicate")]


@pytest.mark.parametrize("born_on", ["1961", "1961-06", "1961-06-02", "2026-11-24", "2026", "2000-02-29", "1896"])
def test_plausible_dates_of_birth(born_on):
    assert faults(a_person(born_on=born_on)) == []


@pytest.mark.parametrize(
    "born_on", ["2026-11-25", "2026-12", "2027", "1961-13", "1961-02-30", "2001-02-29", "0000", "1895", "1961-00"]
)
def test_implausible_dates_of_birth(born_on):
    assert faults(a_person(born_on=born_on)) == [("/subjects/0/born_on", "born.implausible")]


def test_an_organisation_may_be_old():
    assert faults(an_organisation(born_on="1602-03-20")) == []
    assert faults(an_organisation(born_on="0000")) == [("/subjects/0/born_on", "born.implausible")]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Piet\nBerg", "text.control"),
        ("Piet\u202eBerg", "text.control"),
        ("Piet\u2066Berg", "text.control"),
        ("Piet\u2028Berg", "text.control"),
        ("Piet\x9bBerg", "text.control"),
        ("Piet\x00Berg", "text.characters"),
        ("Piet\ud800Berg", "text.characters"),
        ("Zoe\u0308", "text.form"),
        (" \u200b", "text.blank"),
    ],
)
def test_names_hold_no_characters_that_deceive(name, rule):
    assert faults(a_person(names=("Anna", name))) == [("/subjects/0/names/1", rule)]


@pytest.mark.parametrize("name", ["O'Brien", "14K", ",", "李伟", "محمد علی\u200cپور", "Zoë", "שלום\u200f"])
def test_names_of_every_script_pass(name):
    assert faults(a_person(names=(name,))) == []


def test_same_as_has_the_form_of_an_id():
    assert faults(a_person(same_as="0" * 32)) == []
    assert faults(a_person(same_as="Piet")) == [("/subjects/0/same_as", "same-as.form")]


def test_nothing_is_shown():
    subject = a_person(identifiers=(NewIdentifier(kind=IdentifierKind.BSN, value="123456782"),), born_on="1961")
    shown = repr(subject) + repr(subject.identifiers)
    assert "Piet" not in shown
    assert "123456782" not in shown
    assert "1961" not in shown


def test_births_count_from_the_day_of_entry():
    young = a_person(born_on="2026-11-24", kind=SubjectKind.PERSON)
    (early,) = check_subject(young, "", today=date(2026, 11, 23))
    assert early.rule == "born.implausible"

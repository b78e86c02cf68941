"""The bytes a facts MAC covers, and those inside sealed fields, are what json's own encoder would write."""

import json
from dataclasses import fields
from datetime import date, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.narrative import decode_text, encode_labels, encode_text
from register.sealed import Facts, MentionFacts, canonical
from vault.contents import details_bytes, names_bytes, names_from, reference_bytes

TEXTS = st.text(st.characters(codec=None, exclude_categories=()))


@given(st.sampled_from(get_args(Facts)).flatmap(lambda kind: st.builds(kind)))
def test_facts_are_written_as_json_with_sorted_keys(facts):
    values = {field.name: getattr(facts, field.name) for field in fields(facts)} | {"facts": type(facts).__name__}

    def iso(value: date | datetime) -> str:
        return value.isoformat()

    expected = json.dumps(values, sort_keys=True, separators=(",", ":"), default=iso)
    assert canonical(facts) == expected.encode("ascii")


@pytest.mark.parametrize("wrong", [1.5, b"x", [], {}])
def test_a_value_of_a_type_that_no_fact_has_gets_no_mac(wrong):
    values = {field.name: "x" for field in fields(MentionFacts)} | {"place": wrong}
    with pytest.raises(TypeError):
        canonical(MentionFacts(**values))


@given(st.lists(TEXTS).map(tuple), st.none() | TEXTS)
def test_names_are_written_as_json(names, born_on):
    data = names_bytes(names, born_on)
    assert data == _compact([names, born_on])
    assert names_from(data) == (names, born_on)


@given(TEXTS, st.lists(TEXTS))
def test_a_reference_is_written_as_json(reference, present):
    assert reference_bytes(reference, present) == _compact([reference, sorted(present)])


@given(TEXTS.filter(bool), st.dictionaries(st.integers(min_value=0), TEXTS.filter(bool)))
def test_texts_and_labels_are_written_as_json(text, labels):
    assert encode_text((text,)) == _compact([text])
    assert decode_text(encode_text((text,))) == (text,)
    assert encode_labels(labels) == _compact([[number, labels[number]] for number in sorted(labels)])
    assert details_bytes((text,), ()) == _compact([[text], []])


def _compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")

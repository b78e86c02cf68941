import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.exchange import strict_json
from register.errors import Invalid

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "signal" / "strict-json.json").read_text())
# Of the tests that JSONTestSuite leaves to each parser (i_), those whose number is only rounded are accepted here.
ROUNDED = {"i_number_double_huge_neg_exp.json", "i_number_real_underflow.json"}


def faults(data, **how):
    with pytest.raises(Invalid) as refused:
        strict_json.read(data, **how)
    return [(fault.pointer, fault.rule) for fault in refused.value.faults]


def outcome_of(data):
    try:
        return strict_json.read(data)
    except Invalid as refused:
        return refused


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["why"])
def test_refused(vector):
    assert [rule for _, rule in faults(vector["text"].encode())] == [vector["rule"]]


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["text"][:20])
def test_accepted(vector):
    assert strict_json.read(vector["text"].encode()) == vector["value"]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"\xef\xbb\xbf{}", "json.bom"),
        ("{}".encode("utf-16"), "json.encoding"),
        (b'"\xff"', "json.encoding"),
        (b'"\xc0\xaf"', "json.encoding"),
        (b'"\xed\xa0\x80"', "json.encoding"),
        (b"[" * 1_000_000, "json.depth"),
        (b'{"a":' * 150_000, "json.depth"),
        (b'"' + b"a" * (1 << 20) + b'"', "json.size"),
    ],
)
def test_refused_bytes(data, rule):
    assert faults(data) == [("", rule)]


def test_the_limit_counts_bytes():
    assert strict_json.read(b'"abc"', limit=5) == "abc"
    assert faults('"ab\u00e9"'.encode(), limit=5) == [("", "json.size")]


def test_every_fault_has_its_place_as_far_as_fields_are_known():
    text = rb'{"a":[1,{"b":NaN,"c":{"x":1,"x":2}}],"Jan Jansen":[{"b":"\u0000"}],"b":1e999}'
    assert faults(text, fields={"a", "b"}) == [
        ("/a/1/b", "json.number"),
        ("/a/1", "json.duplicate-key"),
        ("", "text.characters"),
        ("/b", "json.number"),
    ]


@pytest.mark.parametrize("data", [b'{"a": "Piet"', b'["Piet\xff"]', b'["Piet", NaN]'])
def test_what_was_handed_in_hangs_on_no_error(data):
    with pytest.raises(Invalid) as refused:
        strict_json.read(data)
    assert refused.value.__context__ is None
    assert "Piet" not in str(refused.value)


@given(st.recursive(st.none() | st.booleans() | st.integers(-(10**19), 10**19) | st.text(), st.lists))
def test_reads_what_the_standard_library_writes(value):
    for escaped in (False, True):
        text = json.dumps(value, ensure_ascii=escaped)
        outcome = outcome_of(text.encode())
        if isinstance(outcome, Invalid):
            assert {fault.rule for fault in outcome.faults} <= {"text.characters", "json.depth"}
        else:
            assert outcome == strict_json.read(json.dumps(value).encode())


@given(st.binary() | st.text('{}[]",:\\u0d8123 eE+-.NaInfty').map(str.encode))
def test_any_bytes_are_read_or_refused(data):
    value = outcome_of(data)
    if not isinstance(value, Invalid):
        assert strict_json.read(json.dumps(value).encode()) == value


@pytest.mark.shared_data
def test_json_test_suite(shared_data):
    files = sorted((shared_data / "hostile" / "JSONTestSuite").rglob("*.json"))
    assert len(files) > 150
    for file in files:
        outcome = outcome_of(file.read_bytes())
        if isinstance(outcome, Invalid):
            assert file.name[:2] != "y_" or _is_ambiguous(outcome), file.name
        else:
            assert file.name[:2] == "y_" or file.name in ROUNDED or file.parent.name == "transform", file.name


def _is_ambiguous(refused):
    """RFC 8259 allows what this reader refuses: a field named twice, U+0000."""
    return {fault.rule for fault in refused.faults} <= {"json.duplicate-key", "text.characters"}

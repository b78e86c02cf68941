import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.exchange import signal_v1
from register.errors import Invalid
from register.grading import EvaluationScheme
from register.links import Basis
from tests.builders import a_signal, signals

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "signal" / "signal-v1.json").read_text())
VALID = VECTORS["valid"]
SCHEMA = signal_v1.SCHEMA


def read(value):
    return signal_v1.read(json.dumps(value).encode())


def faults(value):
    try:
        read(value)
    except Invalid as refused:
        return [(fault.pointer, fault.rule) for fault in refused.faults]
    return []


def at(value, path):
    for part in path:
        value = value[part]
    return value


def changed(value, path, new):
    value = copy.deepcopy(value)
    *parents, last = path
    at(value, parents)[last] = new
    return value


def applied(change):
    value = copy.deepcopy(VALID)
    for place, new in change.items():
        *parents, last = [int(part) if part.isdigit() else part for part in place.split("/")]
        holder = at(value, parents)
        if new is None:
            del holder[last]
        else:
            holder[last] = None if new == {"null": None} else new
    return value


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["why"])
def test_vectors(case):
    assert sorted(faults(applied(case["change"]))) == sorted(map(tuple, case["faults"]))


def mutations():
    """One violation of each keyword at each place of the schema, on a signal that fills every field."""
    yield from _of(SCHEMA, ())


def _of(schema, path):
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    for keyword, limit in schema.items():
        for new, pointer, rule in _violations(keyword, limit, path):
            yield pytest.param(path, new, pointer, rule, id=f"{'/'.join(map(str, path))}-{keyword}")
    for name, part in schema.get("properties", {}).items():
        yield from _of(part, (*path, name))
    if "items" in schema:
        yield from _of(schema["items"], (*path, 0))


def _violations(keyword, limit, path):
    """Yield what breaks one keyword at one place, as (new value, pointer of the fault, rule)."""
    pointer = "".join(f"/{part}" for part in path)
    here = at(VALID, path)
    if keyword == "required":
        for name in limit:
            yield {key: one for key, one in here.items() if key != name}, f"{pointer}/{name}", "schema.required"
    elif keyword == "type":
        for wrong in (7, None, True, {} if limit != "object" else [], "" if limit != "string" else ["a"]):
            yield wrong, pointer, "schema.type"
    elif keyword in BREAKING:
        rule, broken = BREAKING[keyword]
        yield broken(here, limit), pointer, rule


def _many(item, count):
    if not isinstance(item, str):
        return [item] * count
    return [f"{item[:4]}{chr(65 + at)}" if item.isupper() else f"a{at}" for at in range(count)]


BREAKING = {
    "additionalProperties": ("schema.unknown-field", lambda here, limit: {**here, "Piet": 1}),
    "const": ("schema.const", lambda here, limit: f"{limit}0"),
    "enum": ("schema.enum", lambda here, limit: "Piet"),
    "pattern": ("schema.pattern", lambda here, limit: "\u00e9"),
    "format": ("schema.format", lambda here, limit: "2026-02-30"),
    "minLength": ("schema.min-length", lambda here, limit: ""),
    "maxLength": ("schema.max-length", lambda here, limit: "a" * (limit + 1)),
    "minItems": ("schema.min-items", lambda here, limit: []),
    "maxItems": ("schema.max-items", lambda here, limit: _many(here[0], limit + 1)),
    "uniqueItems": ("schema.unique", lambda here, limit: [here[0], here[0]]),
}
MUTATIONS = list(mutations())


@pytest.mark.parametrize(("path", "new", "pointer", "rule"), MUTATIONS)
def test_each_keyword_at_each_place(path, new, pointer, rule):
    """L08: nothing is taken in without the sort of source, how it was obtained, and each subject's category."""
    found = faults(changed(VALID, path, new) if path else new)
    assert (pointer, rule) in found
    # A broken code may break its scheme's rule as well; nothing else is touched.
    assert {place for place, _ in found} == {pointer} or path[-1:] == ("code",) or rule == "schema.required"


def test_the_mutations_reach_every_keyword_of_the_schema():
    keywords = {param.id.rsplit("-", 1)[1] for param in MUTATIONS}
    annotations = {"$schema", "title", "description", "default", "properties", "items", "$ref"}
    assert keywords | annotations | {"$defs", "allOf"} >= set(_keywords(SCHEMA))
    assert len(MUTATIONS) > 150


def _keywords(schema):
    yield from schema
    parts = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    for part in [*parts, schema["items"]] if "items" in schema else parts:
        yield from _keywords(part)


@given(signals())
def test_there_and_back(signal):
    data = signal_v1.to_json(signal)
    assert signal_v1.read(data) == signal
    assert b"\n" not in data


def test_texts_come_out_in_form_c():
    signal = read({**VALID, "narrative": "Zoe\u0308", "reference": "\u212b"})
    assert signal.narrative == "Zo\u00eb"
    assert signal.reference == "\u00c5"


def test_defaults_are_filled_in():
    bare = {key: VALID[key] for key in (*SCHEMA["required"], "information_grade")}
    signal = read({**bare, "subjects": VALID["subjects"], "links": [{"from": "p1", "to": "o1", "kind": "paid"}]})
    assert signal.evaluation_scheme is EvaluationScheme.EU_4X4
    assert signal.links[0].basis is Basis.ASSESSMENT
    assert (signal.handed_in_on, signal.observed_from, signal.ports, signal.markings) == (None, None, (), ())


@pytest.mark.parametrize(("path", "new", "pointer", "rule"), MUTATIONS)
def test_no_message_holds_what_was_handed_in(path, new, pointer, rule):
    secrets = ("Piet", "Zuiderhaven", "NX1234567", "hotline to", "Caller", "desk-0001", "1961", "planner")
    with pytest.raises(Invalid) as refused:
        read(changed(VALID, path, new) if path else new)
    assert refused.value.__context__ is None
    assert not any(secret in str(refused.value) for secret in secrets)


@given(
    st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)), st.data()
)
def test_anything_anywhere_is_a_signal_or_invalid(value, data):
    path = data.draw(st.sampled_from([param.values[0] for param in MUTATIONS if param.values[0]]))
    faults(changed(VALID, path, value))


def test_a_signal_may_be_as_large_as_its_schema_allows_but_not_beyond_a_mebibyte():
    assert read({**VALID, "narrative": "\u00e9" * 20_000}).narrative == "\u00e9" * 20_000
    line = signal_v1.to_json(a_signal())
    padded = line + b" " * ((1 << 20) - len(line))
    assert signal_v1.read(padded) == a_signal()
    with pytest.raises(Invalid, match=r"json\.size"):
        signal_v1.read(padded + b" ")


@pytest.mark.shared_data
def test_the_schema_is_the_designs(shared_data):
    design = shared_data.parent / "design" / "formats" / "signal-v1.schema.json"
    assert Path(signal_v1.__file__).with_name("signal-v1.schema.json").read_bytes() == design.read_bytes()


@pytest.mark.shared_data
def test_every_shared_signal_is_read(shared_data):
    lines = (shared_data / "signals" / "open.ndjson").read_bytes().splitlines()
    assert len(lines) == 7117
    for line in lines:
        signal = signal_v1.read(line)
        assert signal_v1.read(signal_v1.to_json(signal)) == signal


@pytest.mark.shared_data
def test_hostile_input_is_a_signal_or_invalid(shared_data):
    naughty = json.loads((shared_data / "hostile" / "blns.json").read_text(encoding="utf-8"))
    files = [file.read_bytes() for file in sorted((shared_data / "hostile" / "JSONTestSuite").rglob("*.json"))]
    outcomes = {True: 0, False: 0}
    for data in [*files, *(text.encode("utf-8", "surrogatepass") for text in naughty)]:
        outcomes[_is_signal(data)] += 1
    assert outcomes == {True: 0, False: len(files) + len(naughty)}
    for text in naughty:
        value = changed(changed(VALID, ("narrative",), text), ("subjects", 0, "names", 0), text)
        outcomes[_is_signal(json.dumps(value).encode())] += 1
    assert outcomes[True] > len(naughty) / 2


def _is_signal(data):
    try:
        return signal_v1.read(data) is not None
    except Invalid:
        return False

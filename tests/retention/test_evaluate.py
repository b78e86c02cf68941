"""`retention evaluate`: the format retention-case/1 by its vectors, hostile lines, and what it needs to run."""

import io
import json
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.exchange.evaluation import SHAPE, SYNONYMS, answer, answers, told
from register.lifetime import VISIBLE, EventKind, HoldGround, ReviewOutcome, State
from retention.policy import shipped_every
from retention.rules import Ground

VECTORS = json.loads((Path(__file__).parent.parent / "vectors/retention/retention-case-v1.json").read_text())
POLICIES = shipped_every()
KEYS = {"case", "state", "review_by", "remove_by", "destroy_on", "visible", "rule", "citation", "because"}


def evaluated(value: object) -> dict:
    return dict(answer(json.dumps(value).encode(), POLICIES))


@pytest.mark.parametrize("vector", VECTORS["cases"], ids=[one["in"]["case"] for one in VECTORS["cases"]])
def test_case(vector):
    found = evaluated(vector["in"])
    assert set(found) == KEYS
    assert {key: found[key] for key in vector["out"]} == vector["out"]
    assert found["case"] == vector["in"]["case"]
    assert all(isinstance(step, str) and step for step in found["because"])


@pytest.mark.parametrize("bad", VECTORS["bad"], ids=[one["name"] for one in VECTORS["bad"]])
def test_bad_line(bad):
    found = answer(bad["line"].encode(), POLICIES, 12)
    assert set(found) == {"case", "error"}
    assert found["case"] == bad["case"]
    assert sorted([one["pointer"], one["rule"]] for one in found["error"]) == sorted(bad["faults"])
    assert {one["line"] for one in found["error"]} == {12}


def test_the_schema_knows_the_words_that_the_code_knows():
    subject = SHAPE.schema["properties"]["subject"]["properties"]
    assert set(subject["ground"]["enum"]) == set(Ground)
    assert set(subject["events"]["items"]["properties"]["kind"]["enum"]) == set(EventKind)
    assert set(subject["holds"]["items"]["properties"]["ground"]["enum"]) == set(HoldGround)
    assert set(subject["reviews"]["items"]["properties"]["outcome"]["enum"]) == {*ReviewOutcome, *SYNONYMS}
    docs = Path(__file__).parents[2] / "docs/formats/retention-case-v1.schema.json"
    assert json.loads(docs.read_text()) == SHAPE.schema


GOOD = json.dumps(VECTORS["cases"][0]["in"]).encode()


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (b'{"case": "\\ud800"}\n' + GOOD, ["text.characters", None]),
        (b"", []),
        (b"\n \r\n\t\n", []),
        (GOOD, [None]),
        (GOOD + b"\r\n" + GOOD + b"\r\n", [None, None]),
        (b"\xef\xbb\xbf" + GOOD + b"\n" + GOOD, ["json.bom", None]),
        (b"\xff\xfe{\x00\n" + GOOD, ["json.encoding", None]),
        (b'{"case": "' + b"a" * 9_999_000 + b'"}\n' + GOOD + b"\n", ["json.size", None]),
        (b"[" * 100_000 + b"\n" + GOOD, ["json.depth", None]),
        (b'{"case": ' + b"9" * 5000 + b"}\n" + GOOD, ["json.number", None]),
        (GOOD[:-1] + b"\x00}\n" + GOOD, ["json.syntax", None]),
    ],
    ids=[
        "half a surrogate pair",
        "empty",
        "blank",
        "no line end",
        "CRLF",
        "BOM",
        "UTF-16",
        "10 MB",
        "deep",
        "long number",
        "NUL",
    ],
)
def test_a_hostile_line_costs_its_own_answer_only(text, rules):
    found = [json.loads(line) for line, _ in told(answers(io.BytesIO(text), POLICIES))]
    assert [one["error"][0]["rule"] if "error" in one else None for one in found] == rules


@pytest.mark.parametrize("on", ["0001-01-01", "0004-02-29", "9999-12-31", "9996-02-29"])
def test_the_ends_of_the_calendar(on):
    facts = {"kind": "person", "ground": "wpg-12", "events": [{"on": on, "kind": "signal"}]}
    found = evaluated({"case": 1, "date": on, "subject": facts})
    assert date.fromisoformat(found["remove_by"]) >= date.fromisoformat(on)
    held = {"from": "0001-01-01", "until": "9999-12-31", "ground": "wpg-14-4", "reason": "r"}
    facts |= {"removed_on": on, "holds": [held], "ground": "wpg-10-1-b"}
    assert evaluated({"case": 1, "date": "9999-12-31", "subject": facts})["destroy_on"] is None


def test_very_many_facts_are_as_quick_each_as_few():
    late = [{"on": "2026-07-01", "kind": "signal"}] * 9_999
    subject = {"kind": "person", "ground": "wpg-10-1-b", "events": [{"on": "2021-06-01", "kind": "signal"}, *late]}
    began = time.process_time()
    found = evaluated({"case": 1, "date": "2026-07-01", "subject": subject})
    assert found["remove_by"] == "2022-08-30"
    assert time.process_time() - began < 2


@pytest.mark.shared_data
def test_a_date_is_one_exactly_where_an_independent_suite_says_so(shared_data):
    suite = json.loads((shared_data / "time-vectors" / "json-schema-format-date.json").read_text())
    strings = [test for group in suite for test in group["tests"] if isinstance(test["data"], str)]
    assert len(strings) > 20
    for test in strings:
        found = evaluated(
            {"case": 1, "date": test["data"], "subject": {"kind": "none", "ground": "wpg-8", "events": []}}
        )
        told = [one["pointer"] for one in found["error"]]
        assert ("/date" not in told) == test["valid"], test["description"]


texts = st.text(max_size=12)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.dates().map(date.isoformat),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
KNOWN = ("case", "policy", "date", "subject", "kind", "ground", "events", "reviews", "holds")


@given(st.dictionaries(st.sampled_from(KNOWN), anything) | anything)
def test_any_json_gets_one_answer(value):
    (line, computed), *more = told([answer(json.dumps(value).encode(), POLICIES)])
    found = json.loads(line)
    assert not more
    assert line.endswith(b"\n")
    assert computed == ("error" not in found)
    assert set(found) == KEYS if computed else {"case", "error"}


@given(st.binary(max_size=200))
def test_any_bytes_get_one_answer(line):
    assert set(answer(line, POLICIES)) in (KEYS, {"case", "error"})


def test_visible_is_what_the_state_says():
    for one in VECTORS["cases"]:
        found = evaluated(one["in"])
        assert found["visible"] == (State(found["state"]) in VISIBLE)


def _run(*arguments: str, feed: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = "import sys; from api.cli import main\ntry: main()\nfinally: print(*sorted(sys.modules), file=sys.stderr)"
    command = [sys.executable, "-c", program, "retention", "evaluate", *arguments]
    return subprocess.run(command, input=feed, capture_output=True, check=False, cwd=Path(__file__).parents[2])


def test_the_command_streams_offline_and_says_by_its_exit_whether_all_could_be_computed(tmp_path):
    good = _run("-", feed=GOOD + b"\n")
    assert good.returncode == 0
    assert json.loads(good.stdout)["case"] == VECTORS["cases"][0]["in"]["case"]
    loaded = set(good.stderr.decode().split())
    assert not loaded & {"neo4j", "fastapi", "starlette", "sqlalchemy", "uvicorn", "cryptography", "httpx"}
    file = tmp_path / "cases.ndjson"
    file.write_bytes(b"{}\n" + GOOD)
    mixed = _run(str(file))
    assert mixed.returncode == 1
    first, second = map(json.loads, mixed.stdout.splitlines())
    assert set(first) == {"case", "error"}
    assert set(second) == KEYS
    assert _run(str(tmp_path / "absent")).returncode == 2


def test_a_policy_file_of_ones_own(tmp_path):
    shipped = Path(__file__).parents[2] / "retention/policies/2020-01-01-theme-bribery.toml"
    own = tmp_path / "2021-01-01-other.toml"
    text = shipped.read_text().replace('name = "theme-bribery"', 'name = "other"')
    text = text.replace("valid_from = 2020-01-01", "valid_from = 2021-01-01").replace('term = "P5Y"', 'term = "P3Y"')
    own.write_text(text)
    case = json.dumps({**VECTORS["cases"][0]["in"], "policy": "other"}).encode()
    found = json.loads(_run("-", "--policy-file", str(own), feed=case).stdout)
    assert found["remove_by"] == "2024-11-24"
    own.write_text(text.replace("percent = 2", "percent = 200"))
    refused = _run("-", "--policy-file", str(own), feed=case)
    assert refused.returncode == 1
    assert b"/blast_radius/percent" in refused.stderr

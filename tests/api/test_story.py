import json
import re
from collections import Counter, deque
from datetime import date, timedelta
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.demo.cast import words
from api.demo.story import COUNT, FEWEST, MARKINGS, SEED, landmarks, signals
from api.exchange import signal_v1
from register.errors import Invalid
from register.ports import Harbours
from register.rules import SIGNALS
from register.signals import check

FORMATS = Path(__file__).parents[2] / "docs" / "formats"
SCHEMA = jsonschema_rs.Draft202012Validator(
    json.loads((FORMATS / "signal-v1.schema.json").read_text(encoding="utf-8")), validate_formats=True
)
HARBOURS = Harbours.load()
TODAY = date(2026, 11, 24)

# Leap days and the days around them, days on which the clocks change, ends of months and years.
ODD_DAYS = [
    date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1), date(2029, 2, 28), date(2033, 2, 28), date(2033, 3, 1),
    date(2027, 3, 28), date(2026, 10, 25), date(2026, 12, 31), date(2027, 1, 1), date(2027, 5, 31), date(2072, 2, 29),
]  # fmt: skip
days = st.sampled_from(ODD_DAYS) | st.dates(date(2020, 1, 1), date(2080, 12, 31))
seeds = st.integers(0, 10**6)


def term_ends(received_on):
    """The day the term ends, reckoned otherwise than the story does."""
    received = date.fromisoformat(received_on)
    try:
        return received.replace(year=received.year + 5)
    except ValueError:
        return date(received.year + 5, 3, 1) - timedelta(days=1)


def key(signal, subject):
    if "identifiers" not in subject:
        return (signal["reference"], subject["ref"])
    return (subject["identifiers"][0]["kind"], subject["identifiers"][0]["value"])


def faults(signal, today):
    """Everything that intake itself finds wrong with a signal."""
    try:
        read = signal_v1.read(json.dumps(signal).encode())
    except Invalid as invalid:
        return invalid.faults
    return check(
        read,
        today=today,
        harbours=HARBOURS.resolves,
        deadline=lambda day: term_ends(day.isoformat()),
        informant_months=4,
    )


def last_days(told):
    ends = {}
    for signal in told:
        for subject in signal["subjects"]:
            ends[key(signal, subject)] = max(term_ends(signal["received_on"]), ends.get(key(signal, subject), date.min))
    return ends


def ties(told):
    neighbours = {}
    for signal in told:
        ends = {subject["ref"]: key(signal, subject) for subject in signal["subjects"]}
        for link in signal["links"]:
            one, other = ends[link["from"]], ends.get(link["to"], link["to"])
            neighbours.setdefault(one, set()).add(other)
            neighbours.setdefault(other, set()).add(one)
    return neighbours


def distances(neighbours, start):
    steps, queue = {start: 0}, deque([start])
    while queue:
        at = queue.popleft()
        for other in neighbours[at] - steps.keys():
            steps[other] = steps[at] + 1
            queue.append(other)
    return steps


def of(landmark):
    return (landmark.kind, landmark.value)


@settings(max_examples=25, deadline=None)
@given(days, st.integers(FEWEST, COUNT), seeds)
def test_every_signal_follows_the_schema_and_the_rules_it_cannot_say(today, count, seed):
    told = list(signals(today, count, seed))
    assert len(told) == count == len({signal["reference"] for signal in told})
    for signal in told:
        SCHEMA.validate(signal)
        assert faults(signal, today) == ()
        received_on = date.fromisoformat(signal["received_on"])
        assert received_on <= today < term_ends(signal["received_on"])
        assert received_on <= date.fromisoformat(signal.get("handed_in_on", today.isoformat())) <= today
        assert date.fromisoformat(signal.get("observed", {"from": "1900-01-01"})["from"]) <= received_on
        assert all(HARBOURS.resolves(port) for port in signal["ports"])
        refs = [subject["ref"] for subject in signal["subjects"]]
        assert len(refs) == len(set(refs))
        for link in signal["links"]:
            assert link["from"] in refs
            assert link["to"] in refs or link["to"] in signal["ports"]
            assert link["from"] != link["to"]
            assert link.get("since", "") <= link.get("until", "9999")
    assert [signal["received_on"] for signal in told] == sorted(signal["received_on"] for signal in told)


@settings(max_examples=25, deadline=None)
@given(days, st.integers(FEWEST, COUNT), seeds)
def test_informants_spoke_within_four_months(today, count, seed):
    origins = Counter()
    for signal in signals(today, count, seed):
        origins[signal["source"]["origin"]] += 1
        if signal["source"]["origin"] == "informant":
            # No four months are shorter than 120 days.
            assert today - date.fromisoformat(signal["received_on"]) < timedelta(days=120)
    assert len(origins) == 9


@settings(max_examples=25, deadline=None)
@given(days, seeds)
def test_terms_end_soon_for_some_within_a_quarter_for_more_and_later_for_most(today, seed):
    ends = last_days(signals(today, COUNT, seed))
    soon, quarter = (sum(end <= today + timedelta(days=n) for end in ends.values()) for n in (21, 92))
    assert min(ends.values()) > today
    assert 10 <= soon < quarter < len(ends) / 3
    assert quarter - soon >= 10
    years = {(end - today).days // 365 for end in ends.values()}
    assert {0, 2, 3, 4} <= years


@settings(max_examples=20, deadline=None)
@given(days, st.integers(FEWEST, COUNT), seeds)
def test_the_landmarks_are_really_there(today, count, seed):
    told = list(signals(today, count, seed))
    found = landmarks(today, count, seed)
    ends, neighbours = last_days(told), ties(told)
    names = {key(signal, subject): subject["names"][0] for signal in told for subject in signal["subjects"]}
    for landmark in (found.central, found.path_from, found.path_to, found.gone, found.stays):
        assert names[of(landmark)] == landmark.name

    assert found.subjects == len(ends)
    assert found.due == sum(end <= found.due_on for end in ends.values())
    assert 0 < found.due < found.subjects / 2
    assert ends[of(found.gone)] <= found.due_on < ends[of(found.stays)]
    together = [
        signal
        for signal in told
        if {of(found.gone), of(found.stays)} <= {key(signal, subject) for subject in signal["subjects"]}
    ]
    assert together

    assert distances(neighbours, of(found.path_from))[of(found.path_to)] == found.path_links
    around = distances(neighbours, of(found.central))
    reached = Counter(steps for place, steps in around.items() if len(place) == 2)
    assert reached[1] >= 5
    assert reached[2] >= 8
    assert found.port in neighbours[of(found.path_to)]


@settings(max_examples=20, deadline=None)
@given(days, seeds)
def test_the_path_and_the_network_around_it_are_open_to_every_analyst(today, seed):
    open_to_all = [
        signal
        for signal in signals(today, COUNT, seed)
        if not signal["markings"] and signal["handling"]["code"] in {"H0", "H1"}
    ]
    found = landmarks(today, COUNT, seed)
    assert distances(ties(open_to_all), of(found.path_from))[of(found.path_to)] == found.path_links


@given(days, seeds)
@settings(max_examples=15, deadline=None)
def test_the_same_story_is_told_again_and_another_day_changes_dates_only(today, seed):
    """C31: with its generator."""
    told = list(signals(today, FEWEST, seed))
    assert told == list(signals(today, FEWEST, seed))
    assert told != list(signals(today, FEWEST, seed + 1))
    later = landmarks(today + timedelta(days=400), FEWEST, seed)
    assert (later.central, later.path_to) == (
        landmarks(today, FEWEST, seed).central,
        landmarks(today, FEWEST, seed).path_to,
    )


def test_too_few_signals_are_no_story():
    with pytest.raises(ValueError, match=str(FEWEST)):
        signals(TODAY, FEWEST - 1)


def test_the_shipped_story_shows_everything_the_format_knows():
    """C31: a made-up register is shipped."""
    told = list(signals(TODAY))
    schema = json.loads((FORMATS / "signal-v1.schema.json").read_text(encoding="utf-8"))
    subject, link = schema["$defs"]["subject"]["properties"], schema["$defs"]["link"]["properties"]
    subjects = [one for signal in told for one in signal["subjects"]]
    links = [one for signal in told for one in signal["links"]]
    assert {one["kind"] for one in links} == set(link["kind"]["enum"])
    assert {one["basis"] for one in links} == set(link["basis"]["enum"])
    assert {one["category"] for one in subjects} == set(subject["category"]["enum"])
    assert {one["type"] for one in subjects} == set(subject["type"]["enum"])
    assert {signal["evaluation_scheme"] for signal in told} == {"eu-4x4", "nl", "not-provided"}
    assert {signal["handling"]["code"] for signal in told} == {"H0", "H1", "H2", "H3", "11", "01", "00", "200", "300"}
    assert {marking for signal in told for marking in signal["markings"]} == set(MARKINGS)
    assert {len(one.get("born_on", "")) for one in subjects} == {0, 4, 7, 10}
    assert {kind["kind"] for one in subjects for kind in one.get("identifiers", [])} == {
        "passport", "kvk", "imo", "iban", "vat", "email",
    }  # fmt: skip
    assert any(len(one["names"]) > 1 for one in subjects)
    assert any("identifiers" not in one for one in subjects)
    assert any("since" in one and "until" in one for one in links)
    assert any(not signal["subjects"] for signal in told)
    special = [signal for signal in told if any("special_categories" in one for one in signal["subjects"])]
    assert 2 <= len(special) < len(told) / 5
    assert all(re.search(r"omdat|because", signal["necessity"]) for signal in special)
    languages = Counter(
        "nl" if " de " in signal["narrative"] or " een " in signal["narrative"] else "en" for signal in told
    )
    assert min(languages.values()) > COUNT / 4


def test_narratives_name_every_subject_and_some_by_family_name_alone():
    alone = particles = 0
    for signal in signals(TODAY):
        narrative = signal["narrative"]
        assert "{" not in narrative
        assert ".." not in narrative
        assert narrative[0].isupper()
        assert narrative.endswith(".")
        assert not re.search(r"\. [a-z]", re.sub(r"\b[BN]\.V\.", "", narrative))
        for subject in signal["subjects"]:
            full = subject["names"][0]
            assert full in narrative
            last = full.partition(" ")[2]
            if subject["type"] == "person" and last.casefold() in narrative.replace(full, "").casefold():
                alone += 1
                particles += " " in last
        for nickname in words()["nicknames"]:
            assert nickname not in narrative or any(nickname in subject["names"] for subject in signal["subjects"])
    assert alone > COUNT / 2
    assert particles > 20


def test_identifiers_mean_one_subject_and_are_obviously_made_up():
    bearers, values = {}, {}
    for signal in signals(TODAY):
        for subject in signal["subjects"]:
            for stated in subject.get("identifiers", []):
                bearers.setdefault((stated["kind"], stated["value"]), set()).add(subject["names"][0])
                values.setdefault(stated["kind"], set()).add(stated["value"])
    assert all(len(names) == 1 for names in bearers.values())
    assert all(re.fullmatch(r"T9900\d{4}", value) for value in values["passport"])
    assert all(re.fullmatch(r"9900\d{4}", value) for value in values["kvk"])
    assert all(re.fullmatch(r"[a-z]+\d+@example\.org", value) for value in values["email"])
    for value in values["imo"]:
        assert re.fullmatch(r"099\d{4}", value)
        assert sum(int(value[place]) * (7 - place) for place in range(6)) % 10 == int(value[6])
    for value in values["iban"]:
        assert re.fullmatch(r"NL\d\dXXXX\d{10}", value)
        assert int("".join(str(int(letter, 36)) for letter in value[4:] + value[:4])) % 97 == 1


def test_names_are_used_once():
    given = words()
    for kind in ("first", "last", "company", "nicknames"):
        assert len(given[kind]) == len(set(given[kind]))
    people = {subject["names"][0] for signal in signals(TODAY) for subject in signal["subjects"]}
    keys = {
        key(signal, subject) for signal in signals(TODAY) for subject in signal["subjects"] if "identifiers" in subject
    }
    assert len(people - set(given["strangers"])) == len(keys)


def page_examples():
    page = (FORMATS / "signal-v1.md").read_text(encoding="utf-8")
    return [json.loads(example) for example in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]


def test_the_examples_of_the_page_are_accepted():
    assert len(page_examples()) == 2
    for example in page_examples():
        SCHEMA.validate(example)
        assert faults(example, TODAY) == ()


def test_the_page_explains_every_field_and_rule():
    page = (FORMATS / "signal-v1.md").read_text(encoding="utf-8")
    schema = json.loads((FORMATS / "signal-v1.schema.json").read_text(encoding="utf-8"))
    fields = [*schema["properties"], *schema["$defs"]["subject"]["properties"], *schema["$defs"]["link"]["properties"]]
    assert [field for field in fields if f"`{field}`" not in page] == []
    rules = [rule for rule in SIGNALS if not rule.startswith(("json.", "schema."))]
    assert [rule for rule in rules if f"`{rule}`" not in page] == []
    tables = re.findall(r"^\| (`[a-z.-]+`(?:, `[a-z.-]+`)*) \|", page.partition("## Rules a schema")[2], re.MULTILINE)
    assert {rule.strip("`") for row in tables for rule in row.split(", ")} == set(rules)


@pytest.mark.parametrize(
    ("change", "pointer", "rule"),
    [
        ({"received_on": "2026-11-25"}, "/received_on", "date.future"),
        ({"handed_in_on": "2026-11-01"}, "/handed_in_on", "date.order"),
        ({"received_on": "2021-11-24", "observed": {}, "links": []}, "/received_on", "term.past"),
        ({"ports": ["NLVLI", "XXXXX"]}, "/ports/1", "port.unknown"),
        ({"links": [{"from": "p1", "to": "p1", "kind": "paid"}]}, "/links/0/to", "link.self"),
        ({"links": [{"from": "p1", "to": "NLRTM", "kind": "paid"}]}, "/links/0/to", "link.end-unknown"),
    ],
)
def test_what_the_page_says_of_rules_holds_for_its_example(change, pointer, rule):
    found = faults(page_examples()[0] | change, TODAY)
    assert [(fault.pointer, fault.rule) for fault in found] == [(pointer, rule)]


def test_the_published_schema_is_the_one_in_force():
    assert json.loads((FORMATS / "signal-v1.schema.json").read_text(encoding="utf-8")) == signal_v1.SCHEMA


@pytest.mark.shared_data
def test_no_family_name_of_the_story_is_in_the_public_lists(shared_data):
    names = shared_data / "names"
    listed = "\n".join(
        (names / file).read_text(encoding="utf-8-sig").casefold()
        for file in (
            "nl-family-names-5-or-more.txt",
            "nl-family-names-under-5.txt",
            "nl-last-names-ranked.csv",
            "world-common-surnames-by-country.csv",
        )
    )
    real = set(re.findall(r"\w+", listed))
    assert len(real) > 100_000
    assert [name for name in words()["last"] if name.split()[-1].casefold() in real] == []


@pytest.mark.shared_data
def test_no_identifier_of_the_story_is_in_the_open_signals(shared_data):
    with (shared_data / "signals" / "open.ndjson").open(encoding="utf-8") as file:
        used = {
            (stated["kind"], stated["value"])
            for line in file
            for subject in json.loads(line)["subjects"]
            for stated in subject.get("identifiers", [])
        }
    ours = {
        (stated["kind"], stated["value"])
        for signal in signals(TODAY, seed=SEED)
        for subject in signal["subjects"]
        for stated in subject.get("identifiers", [])
    }
    assert not used & ours
    assert len(used) > 1000

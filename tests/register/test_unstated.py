"""Names that a text holds and its signal does not state: found by shape, kept as places, given back as words."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.exchange.signal_v1 import read
from register.errors import Tampered
from register.grading import SubjectKind
from register.narrative import FreeText, Named, redact
from register.occurrences import NameTree
from register.unstated import UNSTATED, find, kept_in, runs

SHOWN = [
    ("He met Piet van der Berg at the quay.", ["Piet van der Berg"]),
    ("Piet van der Berg was there.", ["Piet van der Berg"]),
    ("The Commission decided. Rivals paid.", ["Commission"]),  # the first word of a sentence may be any
    ("They say the Commission decided; Crips too.", ["Commission", "Crips"]),
    ("In June, on Monday, the 'Ndrangheta paid O'Neill-Jansen.", ["Ndrangheta", "O'Neill-Jansen"]),
    ("Nobody was seen. Somebody paid.", []),
    ("door Müller, Žižek en De Boer betaald", ["Müller", "Žižek", "De Boer"]),
    ("a van and a de", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "names"), SHOWN)
def test_names_are_told_by_their_shape(text, names):
    assert [text[start:end] for start, end in runs(text)] == names


def found_in(texts, *mentions):
    fields = dict(enumerate(texts))
    outcome = redact([FreeText(text=text) for text in texts], mentions, bytes_of=bytes)
    named = {f"text {number}": text for number, text in zip(fields, outcome.texts, strict=True)}
    starts = {f"text {number}": starts for number, starts in zip(fields, outcome.starts, strict=True)}
    return find(named, starts), named


WORDS = st.sampled_from(
    ["Piet", "Berg", "van", "der", "paid", "The", "Crips", "Zoë", "李", ".", ",", "'", "\n", "Anna"]
)
TEXTS = st.lists(st.lists(WORDS, max_size=12).map(" ".join), max_size=3)


@given(TEXTS)
def test_what_is_kept_gives_the_words_at_the_places_told_and_no_stated_name(texts):
    stated = Named(names=("Piet Berg", "Anna"), person=True)
    found, named = found_in(texts, stated)
    places = [(one.field, texts[int(one.field.split()[1])][one.start : one.end]) for one in found.places]
    kept = {UNSTATED: (found.kept,)} if found.kept else {}
    assert list(kept_in(named | kept)) == places
    tree = NameTree([stated])
    assert not any(tree.find(words) for _, words in places)


def test_a_stated_name_is_none_and_its_neighbour_is():
    found, named = found_in(["Anna Berg met Piet Zwart."], Named(names=("Anna Berg",), person=True))
    assert kept_in(named | {UNSTATED: (found.kept,)}) == (("text 0", "Piet Zwart"),)


def test_a_shielded_text_that_is_not_at_hand_shows_nothing():
    found, named = found_in(["Seen by Piet Zwart.", "Told by Anna Groen."])
    del named["text 1"]
    assert kept_in(named | {UNSTATED: (found.kept,)}) == (("text 0", "Piet Zwart"),)


@pytest.mark.parametrize("kept", ["[", "[1]", '[["text 0",5,0,2]]', '[["text 0",0,0,99]]', '[["text 0",0,2,2]]'])
def test_places_that_do_not_fit_are_tampered_with(kept):
    _, named = found_in(["Seen by Piet."])
    with pytest.raises(Tampered):
        kept_in(named | {UNSTATED: (kept,)})


@given(st.text())
def test_any_text_can_be_looked_through(text):
    for start, end in runs(text):
        assert 0 <= start < end <= len(text)
    with suppress(Tampered):
        kept_in({"text 0": (text,), UNSTATED: (text,)})


@pytest.mark.shared_data
def test_most_subjects_that_shared_signals_name_and_do_not_state_are_found(shared_data):
    """At least 280 of these texts name in full a subject of the register that they do not state."""
    signals = [read(line) for line in (shared_data / "signals" / "open.ndjson").read_bytes().splitlines()]
    everybody = NameTree([Named(names=one.names, person=False) for signal in signals for one in signal.subjects])
    naming, told = 0, 0
    for signal in signals:
        stated = [Named(names=one.names, person=one.kind is SubjectKind.PERSON) for one in signal.subjects]
        covered = NameTree(stated).find(signal.narrative)
        others = [
            span
            for span in everybody.find(signal.narrative)
            if all(span.end <= one.start or one.end <= span.start for one in covered)
        ]
        if others:
            found, _ = found_in([signal.narrative], *stated)
            naming += 1
            told += any(span.start < one.end and one.start < span.end for span in others for one in found.places)
    assert naming >= 280
    assert told / naming >= 0.9

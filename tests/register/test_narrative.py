import json
import random
import re
from itertools import chain, combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from register.errors import Tampered
from register.narrative import (
    GONE,
    FreeText,
    Gap,
    Named,
    decode_labels,
    decode_text,
    encode_labels,
    encode_text,
    read,
    redact,
)
from tests.builders import NAMES, signals

VECTORS = Path(__file__).parents[1] / "vectors" / "signal"
OCCURRENCES = json.loads((VECTORS / "occurrences.json").read_text())
ENCODINGS = json.loads((VECTORS / "redacted-text.json").read_text())


def randomness(seed=1):
    return random.Random(seed).randbytes  # noqa: S311 (tests repeat themselves)


def redacted(text, *names, owner=None):
    mentions = [Named(names=stated, person=True) for stated in names]
    outcome = redact([FreeText(text=text, owner=owner)], mentions, bytes_of=randomness())
    return outcome.texts[0], dict(enumerate(outcome.labels))


def whole_word(name):
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)


@pytest.mark.parametrize("vector", OCCURRENCES, ids=lambda vector: vector["why"])
def test_occurrences(vector):
    mentions = [
        Named(names=tuple(names), person=at not in vector.get("organisations", ()))
        for at, names in enumerate(vector["mentions"])
    ]
    outcome = redact([FreeText(text=vector["text"], owner=vector.get("owner"))], mentions, bytes_of=randomness())
    shown = "".join(part if isinstance(part, str) else "+".join(map(str, part.mentions)) for part in outcome.texts[0])
    assert shown == vector["gone"]
    assert read(outcome.texts[0], dict(enumerate(outcome.labels))) == vector["text"]


ANY_NAME = NAMES | st.text(max_size=12)
# Names that lie inside each other, end where another begins, or are the same.
ENTANGLED = st.sampled_from(["Anna", "Berg", "Anna Berg", "Berg Anna", "Anna Berg Anna", "van Berg", "Anna van Berg"])


@st.composite
def tellings(draw, names_of=ENTANGLED | ANY_NAME):
    """A text in which names, pieces of names and anything else stand side by side, and who is named."""
    stated = draw(st.lists(st.lists(names_of, min_size=1, max_size=2).map(tuple), min_size=1, max_size=4))
    names = list(chain.from_iterable(stated))
    pieces = [piece for name in names for piece in name.split()]
    spelt = st.builds(
        lambda name, spell: spell(name),
        st.sampled_from([*names, *pieces, "de"]),
        st.sampled_from([str, str.upper, str.lower, str.title]),
    )
    glue = st.sampled_from([" ", "", ", ", "'s ", "-", "\n", "_", "\u200b", "\u0301", "\u00ad"])
    spaced = spelt.map("{} ".format)
    return "".join(draw(st.lists(st.one_of(spaced, spelt, glue, st.text(max_size=6)), min_size=1, max_size=20))), stated


@given(tellings())
def test_with_all_labels_the_text_comes_back(telling):
    text, stated = telling
    parts, labels = redacted(text, *stated)
    assert read(parts, labels) == text


@settings(max_examples=200)
@given(tellings() | tellings(ENTANGLED))
def test_without_a_mention_none_of_its_names_is_left(telling):
    text, stated = telling
    parts, labels = redacted(text, *stated)
    for absent, names in enumerate(stated):
        shown = read(parts, {at: one for at, one in labels.items() if at != absent}, gone="\u25ae")
        for name in names:
            if sum(map(str.isalnum, name)) >= 2 and not whole_word(name).search("\u25ae"):
                assert not whole_word(name).search(shown)


@given(st.text(), st.lists(st.text(max_size=20).map(lambda name: (name,)), max_size=5))
def test_any_text_and_any_names(text, stated):
    parts, labels = redacted(text, *stated)
    assert read(parts, labels) == text
    assert decode_text(encode_text(parts)) == parts


def test_even_half_a_surrogate_pair_is_carried():
    text = "Piet \ud800 Piet\udfff"
    parts, labels = redacted(text, ("Piet",), ("Piet",))
    assert read(decode_text(encode_text(parts)), labels) == text


def test_every_share_is_needed():
    text = "de Vries was seen"
    parts, labels = redacted(text, ("Jan de Vries",), ("Piet de Vries",), ("Kees de Vries",))
    assert parts == (Gap(number=0, mentions=(0, 1, 2)), " was seen")
    for present in chain.from_iterable(combinations(range(3), size) for size in range(3)):
        assert read(parts, {at: labels[at] for at in present}) == "[removed person] was seen"
    assert read(parts, labels) == text
    shares = [labels[at][0] for at in range(3)]
    for some in chain(combinations(shares, 1), combinations(shares, 2)):
        assert b"Vries" not in b"".join(some)


def test_shares_are_drawn_anew():
    mentions = [Named(names=("Piet Berg",), person=True), Named(names=("Anna Berg",), person=True)]
    drawn = randomness()
    first, second = (redact([FreeText(text="Berg")], mentions, bytes_of=drawn) for _ in range(2))
    assert first.labels[0] != second.labels[0]
    assert first.labels[1] != second.labels[1]
    with pytest.raises(ValueError, match="randomness"):
        redact([FreeText(text="Berg")], mentions, bytes_of=lambda _: b"")


def test_the_same_words_share_a_label_across_the_texts_of_a_signal():
    texts = [FreeText(text="Piet and PIET"), FreeText(text="Piet"), FreeText(text="of Piet", owner=0)]
    outcome = redact(texts, [Named(names=("Piet",), person=True)], bytes_of=randomness())
    assert outcome.texts == (
        (Gap(number=0, mentions=(0,)), " and ", Gap(number=1, mentions=(0,))),
        (Gap(number=0, mentions=(0,)),),
        ("of Piet",),
    )
    assert outcome.labels == ({0: "Piet", 1: "PIET"},)


def test_the_placeholder_speaks_the_readers_language():
    parts, _ = redacted("door Piet betaald", ("Piet",))
    assert read(parts, {}) == "door [removed person] betaald"
    assert read(parts, {}, gone=GONE["nl"]) == "door [verwijderde persoon] betaald"


@pytest.mark.parametrize(
    "labels",
    [
        {0: {}, 1: {0: b"ab"}},
        {0: {0: "ab"}, 1: {0: b"ab"}},
        {0: {0: b"abc"}, 1: {0: b"ab"}},
        {0: {0: b"\xff\xff"}, 1: {0: b"\x00\x00"}},
    ],
)
def test_labels_that_do_not_fit_are_not_shown(labels):
    with pytest.raises(Tampered):
        read((Gap(number=0, mentions=(0, 1)),), labels)


@pytest.mark.parametrize("label", [{}, {0: b"ab"}])
def test_a_label_of_one_mention_is_words(label):
    with pytest.raises(Tampered):
        read((Gap(number=0, mentions=(4,)),), {4: label})


@pytest.mark.parametrize("vector", ENCODINGS["good"], ids=lambda vector: vector["json"])
def test_text_encoding(vector):
    text = tuple(
        part if isinstance(part, str) else Gap(number=part[0], mentions=tuple(part[1])) for part in vector["text"]
    )
    assert encode_text(text) == vector["json"].encode()
    assert decode_text(vector["json"].encode()) == text


@pytest.mark.parametrize("vector", ENCODINGS["good_labels"], ids=lambda vector: vector["json"])
def test_label_encoding(vector):
    share = bytes([0x00, 0xFF])
    labels = {number: words if isinstance(words, str) else share for number, words in vector["labels"]}
    assert encode_labels(labels) == vector["json"].encode()
    assert decode_labels(vector["json"].encode()) == labels


@pytest.mark.parametrize("data", [*ENCODINGS["bad"], "\ufeff[]"], ids=lambda data: data[:20])
def test_bad_text_encodings(data):
    with pytest.raises(Tampered):
        decode_text(data.encode())


@pytest.mark.parametrize("data", ENCODINGS["bad_labels"])
def test_bad_label_encodings(data):
    with pytest.raises(Tampered):
        decode_labels(data.encode())


@given(st.binary(max_size=40) | st.text('[]0123,"abc\\u{}', max_size=40).map(str.encode))
def test_decoders_take_only_what_the_encoders_write(data):
    for decode, encode in [(decode_text, encode_text), (decode_labels, encode_labels)]:
        try:
            decoded = decode(data)
        except Tampered:
            continue
        assert encode(decoded) == data


@given(signals())
def test_all_texts_of_a_signal_come_back_through_the_encoding(signal):
    texts = [FreeText(text=signal.narrative), FreeText(text=signal.necessity)]
    texts += [FreeText(text=one.position, owner=at) for at, one in enumerate(signal.subjects) if one.position]
    mentions = [Named(names=one.names, person=one.kind == "person") for one in signal.subjects]
    outcome = redact(texts, mentions, bytes_of=randomness())
    labels = {at: decode_labels(encode_labels(one)) for at, one in enumerate(outcome.labels)}
    assert [read(decode_text(encode_text(text)), labels) for text in outcome.texts] == [free.text for free in texts]


def test_every_other_case_of_a_letter_is_found():
    letters = [sign for sign in map(chr, range(0x80, 0x20000)) if sign.isalpha()]
    for sign in letters:
        for other in {sign.lower(), sign.upper(), sign.casefold()}:
            if all(map(str.isalpha, other)):
                assert read(redacted(f"xy{other}", (f"xy{sign}",))[0], {}, gone="") == "", hex(ord(sign))


def test_nothing_is_shown():
    outcome = redact([FreeText(text="Piet")], [Named(names=("Piet",), person=True)], bytes_of=randomness())
    assert "Piet" not in repr(outcome) + repr(FreeText(text="Piet")) + repr(Named(names=("Piet",), person=True))


def test_a_long_text_with_names_that_never_end_is_no_trap():
    """Depth of the tree times length of the text bounds the work; the input is the worst a signal can hold."""
    stated = [(" ".join("a" * (150 - size)),) for size in range(100)]
    parts, labels = redacted("a " * 10_000, *stated)
    assert len(parts) == 2
    assert read(parts, labels) == "a " * 10_000


@pytest.mark.shared_data
def test_no_stated_name_is_left_in_any_shared_signal(shared_data):
    with (shared_data / "signals" / "open.ndjson").open("rb") as lines:
        for line in map(json.loads, lines):
            source, subjects = line["source"], line["subjects"]
            texts = [line["narrative"], line["necessity"], source["obtained"], source["description"]]
            free = [FreeText(text=text) for text in texts]
            free += [FreeText(text=one["position"], owner=at) for at, one in enumerate(subjects) if "position" in one]
            mentions = [Named(names=tuple(one["names"]), person=one["type"] == "person") for one in subjects]
            outcome = redact(free, mentions, bytes_of=randomness())
            labels = dict(enumerate(outcome.labels))
            assert [read(text, labels) for text in outcome.texts] == [one.text for one in free]
            for one, text in zip(free, outcome.texts, strict=True):
                shown = read(text, {}, gone="\u25ae")
                others = [name for at, each in enumerate(subjects) if at != one.owner for name in each["names"]]
                assert not [name for name in others if len(name) >= 2 and whole_word(name).search(shown)]

"""Folding: what two spellings of a name share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.folding import MOST_WORDS, Role, fold
from tests.matching.vectors import vectors

LETTERS = st.text(
    st.characters(categories=("Ll", "Lu"), max_codepoint=0x24F)
    | st.characters(min_codepoint=0x391, max_codepoint=0x3C9)
    | st.characters(categories=("Ll", "Lu"), min_codepoint=0x410, max_codepoint=0x44F),
    max_size=12,
)
NAMES = st.lists(LETTERS | st.sampled_from(["van", "de", "'t", "B.V.", "J.P.", "GmbH", "a", "dr."]), max_size=6).map(
    " ".join
)
MARK = st.characters(min_codepoint=0x300, max_codepoint=0x36F)


@pytest.mark.parametrize("vector", vectors("folding.json", "vectors"), ids=lambda one: one["name"] or "empty")
def test_vectors(vector):
    folded = fold(vector["name"])
    assert folded.parts == tuple(vector["parts"])
    assert folded.roles == vector["roles"]
    assert folded.transliterated is vector["transliterated"]


@given(st.text() | NAMES)
def test_parts_are_lower_case_ascii_each_with_a_role(name):
    folded = fold(name)
    assert len(folded.parts) == len(folded.roles)
    assert all(part.isascii() and part.isalnum() and part == part.lower() for part in folded.parts)
    assert set(folded.roles) <= set(Role)
    assert list(folded.roles).count("f") == 0 or folded.roles.rstrip("f").count("f") == 0


@given(st.text() | NAMES)
def test_folding_what_is_folded_changes_nothing(name):
    folded = fold(name)
    again = fold(folded.text)
    assert (again.parts, again.roles) == (folded.parts, folded.roles)


@given(NAMES, st.lists(st.tuples(st.integers(0, 60), MARK), max_size=5))
def test_a_mark_on_a_letter_changes_nothing(name, marks):
    marked = list(name)
    for place, mark in marks:
        if place < len(marked) and marked[place].isalpha():
            marked[place] += mark
    assert fold("".join(marked)).parts == fold(name).parts


@given(
    st.lists(st.text(st.characters(categories=("Ll", "Lu"), max_codepoint=0x17F), max_size=9), max_size=5).map(" ".join)
)
def test_case_changes_nothing(name):
    assert fold(name.upper()).parts == fold(name.lower()).parts


@given(st.text(max_size=400))
def test_long_names_are_bounded(name):
    assert len(fold(name).parts) <= MOST_WORDS


def test_repr_shows_no_name():
    assert "jansen" not in repr(fold("Pieter Jansen")).lower()

"""Scoring: likeness of words, values, reasons."""

import string
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from matching.folding import fold
from matching.likeness import likenesses, skeleton
from matching.scoring import Comparison, Reason, ReasonCode

WORD = st.text("abdehijklmnorstvw", min_size=1, max_size=9)
NAME = st.lists(WORD | st.sampled_from(["van", "der", "jan", "jansen", "p", "bv", "al"]), min_size=1, max_size=5).map(
    " ".join
)


def value(query, stored):
    return Comparison(fold(query)).value(fold(stored))


def codes(query, stored):
    return [reason.code for reason in Comparison(fold(query)).reasons(fold(stored))]


@given(WORD, WORD, st.booleans())
def test_likeness_is_symmetric_and_one_only_for_the_same_word(one, other, across):
    like, turned = (
        likenesses([mine], [its], [skeleton(its)], across=across)[0, 0] for mine, its in ((one, other), (other, one))
    )
    assert like == turned
    assert 0 <= like <= 1
    assert (like == 1) == (one == other)


@given(st.text(string.ascii_lowercase))
def test_a_skeleton_holds_consonant_classes_without_repeats(word):
    heard = skeleton(word)
    assert set(heard) <= set("pfkstmnlr")
    assert all(one != other for one, other in pairwise(heard))


def test_spellings_of_one_sound_share_a_skeleton():
    for same in (
        ["mohammed", "muhamad", "mhmd"],
        ["khalid", "chalid", "halid"],
        ["philips", "filips"],
        ["dijk", "dyck"],
    ):
        assert len(set(map(skeleton, same))) == 1, same


@given(NAME, NAME)
def test_scores_are_symmetric(one, other):
    assert value(one, other) == value(other, one)


@given(NAME, NAME)
def test_a_hundred_means_folded_alike(one, other):
    score = value(one, other)
    assert 0 <= score <= 100
    assert (score == 100) == (fold(one).parts == fold(other).parts)
    assert (codes(one, other)[0] == ReasonCode.EXACT) == (score == 100)


@given(
    st.lists(
        st.sampled_from(["willem", "hoogendijk", "maria", "christina", "bakker"]), min_size=2, unique=True
    ).flatmap(lambda words: st.tuples(st.just(words), st.permutations(words)))
)
def test_order_costs_next_to_nothing(names):
    one, other = map(" ".join, names)
    assert value(one, other) >= 99


@given(NAME, NAME)
def test_reasons_point_at_parts_of_the_query_and_hold_no_text(query, stored):
    for reason in Comparison(fold(query)).reasons(fold(stored)):
        assert reason.part is None or 0 <= reason.part < len(fold(query).parts)
        assert isinstance(reason.count, int)
        assert isinstance(reason.code, ReasonCode)
    assert Reason.__slots__ == ("code", "part", "count")


def test_a_missing_word_costs_less_than_another_word():
    assert value("maria visser", "maria anna visser") > value("maria anna visser", "maria klazina visser")


def test_a_particle_costs_less_than_a_word():
    assert value("karel van den berg", "karel berg") > value("karel joost berg", "karel berg")


def test_another_legal_form_costs_more_than_none():
    assert value("schelde bv", "schelde bv") > value("schelde bv", "schelde") > value("schelde bv", "schelde nv")


def test_typing_errors_are_counted_with_a_swap_as_one():
    reasons = Comparison(fold("willem hoogednijk")).reasons(fold("willem hoogendijk"))
    assert reasons == (Reason(code=ReasonCode.TYPING_ERROR, part=1, count=1),)

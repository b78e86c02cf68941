"""The table of names: what a search finds, in which order, and that changes and threads leave it whole."""

import threading
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from matching.scoring import Reason, ReasonCode
from matching.table import LIKELY, NamedSubject, NameTable
from register.errors import Invalid
from tests.matching.vectors import vectors

OTHERS = ("Anna Bakker", "Hendrik Smit", "Oosterhaven Logistiek B.V.", "Fatima el Idrissi", "Sergei Ivanov", "Li Na")
WORDS = (
    "jan",
    "jansen",
    "janssen",
    "pieter",
    "van",
    "de",
    "berg",
    "vandeberg",
    "p",
    "bv",
    "мария",
    "marija",
    "王",
    "wang",
)
NAMES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
MARK = st.characters(min_codepoint=0x300, max_codepoint=0x36F)


def table_of(*names):
    table = NameTable()
    table.load(NamedSubject(subject_id=f"{number:032x}", names=(name,)) for number, name in enumerate(names))
    return table


def ids(candidates):
    return [int(candidate.subject_id, 16) for candidate in candidates]


@pytest.mark.parametrize("vector", vectors("search.json", "found"), ids=lambda one: f"{one['query']} = {one['stored']}")
def test_a_query_finds_the_stored_name_first_and_says_why(vector):
    (first, *_) = table_of(*OTHERS, vector["stored"]).search(vector["query"])
    assert ids([first]) == [len(OTHERS)]
    assert set(vector["reasons"]) <= {reason.code for reason in first.reasons}


@pytest.mark.parametrize(
    "vector", vectors("search.json", "not_found"), ids=lambda one: f"{one['query']} ≠ {one['stored']}"
)
def test_another_name_is_far_from_alike(vector):
    assert table_of(vector["stored"]).search(vector["query"], threshold=70.0) == ()


@given(st.sampled_from(OTHERS), st.lists(st.tuples(st.integers(0, 30), MARK), max_size=6), st.randoms())
def test_marks_and_order_never_lose_the_hit(name, marks, random):
    marked = list(name)
    for place, mark in marks:
        if place < len(marked) and marked[place].isalpha():
            marked[place] += mark
    words = "".join(marked).split()
    random.shuffle(words)
    assert ids(table_of(*OTHERS).search(" ".join(words)))[:1] == [OTHERS.index(name)]


@settings(max_examples=60)
@given(st.sampled_from(OTHERS), st.data())
def test_one_typing_error_in_a_long_word_never_loses_the_hit(name, data):
    words = name.split()
    at = data.draw(st.sampled_from([place for place, word in enumerate(words) if len(word) > 4] or [0]))
    place = data.draw(st.integers(1, len(words[at]) - 1))
    letter = data.draw(st.sampled_from("aeiklnorst"))
    words[at] = words[at][:place] + letter + words[at][place + data.draw(st.integers(0, 1)) :]
    query = " ".join(words)
    assert OTHERS.index(name) in ids(table_of(*OTHERS).search(query))


def test_the_best_of_several_names_counts_and_its_position_is_told():
    table = NameTable()
    table.put("a", ("Klaas Visser", "Pieter Jansen", "Piet Jansen"))
    (found,) = table.search("pieter jansen")
    assert (found.subject_id, found.score, found.name_position) == ("a", 100.0, 1)
    assert found.reasons == (Reason(code=ReasonCode.EXACT),)


def test_equal_scores_stand_in_the_order_of_their_ids():
    table = NameTable()
    for subject in "cab":
        table.put(subject, ("Pieter Jansen",))
    assert [found.subject_id for found in table.search("Pieter Jansen")] == ["a", "b", "c"]
    assert [found.subject_id for found in table.search("Pieter Jansen", limit=2)] == ["a", "b"]


def test_a_birth_date_moves_candidates_and_hides_none():
    table = NameTable()
    table.put("a", ("Pieter Jansen",), "1970-01-02")
    table.put("b", ("Pieter Jansen",))
    table.put("c", ("Pieter Jansen",), "1980")
    table.put("d", ("Pieter Jansen",), "1980-04-03")
    found = table.search("Pieter Jansen", born_on="1980-03-04")
    assert [one.subject_id for one in found] == ["c", "b", "d", "a"]
    assert [one.reasons[-1].code for one in found] == ["birth-date-agrees", "exact", "exact", "birth-date-contradicts"]


def test_a_namesake_with_the_birth_date_is_found_among_hundreds():
    table = NameTable()
    for number in range(400):
        table.put(f"{number:03}", ("Jan de Vries",), f"{1700 + number}")
    (first, *_) = table.search("J. de Vries", born_on="2050-05-05")
    assert first.subject_id == "350"


def test_a_kind_leaves_out_the_other_kind_only():
    table = NameTable()
    table.put("person", ("Schelde",), kind="person")
    table.put("firm", ("Schelde",), kind="organisation")
    table.put("unknown", ("Schelde",))
    assert {one.subject_id for one in table.search("schelde", kind="person")} == {"person", "unknown"}
    assert len(table.search("schelde")) == 3


@pytest.mark.parametrize("query", ["", "  ", "ab", "J.P.", "?!.", "a-b", "'t", "B.V."])
def test_fewer_than_three_letters_are_refused(query):
    with pytest.raises(Invalid) as refused:
        table_of("Pieter Jansen").search(query)
    assert [fault.rule for fault in refused.value.faults] == ["search.too-short"]


@pytest.mark.parametrize("query", ["Bos", "王小明", "علي", "H3M"])
def test_three_letters_are_enough_in_any_script(query):
    assert ids(table_of(*OTHERS, query).search(query))[0] == len(OTHERS)


def test_a_text_too_long_for_a_name_is_refused_without_repeating_it():
    with pytest.raises(Invalid) as refused:
        table_of().search("Jansen" * 60)
    assert [fault.rule for fault in refused.value.faults] == ["search.too-long"]
    assert "Jansen" not in str(refused.value)


def test_nothing_personal_is_in_a_repr():
    table = NameTable()
    row = NamedSubject(subject_id="a", names=("Pieter Jansen",), born_on="1980-03-04")
    table.load([row])
    shown = repr((table, row, table.search("Pieter Jansen"), table.search("Piet Jansen", born_on="1980")))
    assert "ansen" not in shown
    assert "1980" not in shown


def test_ready_and_sequence_say_how_complete_it_is():
    table = NameTable()
    assert (table.ready, table.sequence) == (False, 0)
    table.put("a", ("Pieter Jansen",))
    assert not table.ready
    table.caught_up(7)
    assert (table.ready, table.sequence, len(table)) == (True, 7, 1)
    with pytest.raises(ValueError, match="earlier change"):
        table.caught_up(6)
    table.load([], sequence=3)
    assert (table.ready, table.sequence, len(table)) == (True, 3, 0)


def test_a_load_that_breaks_off_leaves_the_table_not_ready():
    def rows():
        yield NamedSubject(subject_id="a", names=("Pieter Jansen",))
        raise ConnectionError

    table = table_of("Klaas Visser")
    with pytest.raises(ConnectionError):
        table.load(rows())
    assert not table.ready
    assert table.search("Klaas Visser") == ()


class Changes(RuleBasedStateMachine):
    """However it came to be, a table answers as one filled afresh with the same names."""

    def __init__(self):
        super().__init__()
        self.table = NameTable()
        self.model = {}

    @rule(subject=st.sampled_from("abcdef"), names=st.lists(NAMES, max_size=3).map(tuple))
    def put(self, subject, names):
        self.table.put(subject, names)
        self.model[subject] = names

    @rule(subject=st.sampled_from("abcdef"))
    def drop(self, subject):
        self.table.drop(subject)
        self.model.pop(subject, None)

    @rule(query=NAMES, threshold=st.sampled_from([0.0, 70.0]))
    def search(self, query, threshold):
        fresh = NameTable()
        fresh.load(NamedSubject(subject_id=subject, names=names) for subject, names in self.model.items())
        try:
            expected = fresh.search(query, threshold=threshold)
        except Invalid:
            return
        found = self.table.search(query, threshold=threshold)
        assert found == expected
        assert all((-one.score, one.subject_id) < (-other.score, other.subject_id) for one, other in pairwise(found))
        for one in found:
            assert one.score >= threshold
            assert one.name_position < len(self.model[one.subject_id])

    @rule(subject=st.sampled_from("abcdef"))
    def find_by_its_own_name(self, subject):
        for name in self.model.get(subject, ()):
            if len(name) > 6:
                found = {one.subject_id: one.score for one in self.table.search(name, limit=50)}
                assert found[subject] == 100.0

    @invariant()
    def counts(self):
        assert len(self.table) == len(self.model)


TestChanges = Changes.TestCase
TestChanges.settings = settings(max_examples=60, stateful_step_count=20)


def test_many_readers_beside_one_writer_always_see_whole_subjects():
    table = table_of(*OTHERS)
    finished, wrong = threading.Event(), []

    def read():
        while not finished.is_set():
            found = table.search("Pieter Jansen")
            if [one.score for one in found] != [100.0]:
                wrong.append(found)

    table.put("moving", ("Pieter Jansen",))
    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(300):
        table.put("moving", ("Pieter Jansen", f"Jansen {number}"))
        table.put(f"other {number}", ("Klaas Visser",))
        table.drop(f"other {number}")
    finished.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert len(table) == len(OTHERS) + 1


def test_names_of_another_compartment_neither_crowd_out_nor_show():
    table = NameTable()
    alone = NameTable()
    for number in range(300):
        table.put(f"hidden {number}", ("Pieter Jansen",), compartment="closed")
    for one in (table, alone):
        one.put("open", ("Pieter Jansens",), compartment="all")
        one.put("other", ("Klaas Visser",), compartment="all")
    assert table.search("Pieter Jansen", among=["all"]) == alone.search("Pieter Jansen", among=["all"])
    assert [found.subject_id for found in table.search("Pieter Jansen", among=["all"])] == ["open"]
    assert table.search("Pieter Jansen", among=[]) == ()
    both = table.search("Pieter Jansen", among=["all", "closed"], limit=400)
    assert both[0].score == 100.0
    assert "open" not in {found.subject_id for found in both[:10]}


def test_somebody_called_by_a_common_name_alone_comes_after_who_shares_the_rare_one():
    table = table_of(*["Thomas"] * 200, *OTHERS, "Flynn Rokobaro")
    first, second, *_ = table.search("Thomas Rokobaro")
    assert ids([first]) == [200 + len(OTHERS)]
    assert ids([second]) == [0]
    (alone, *_) = table.search("Thomas")
    assert alone.score == 100
    (surname, *_) = table.search("Rokobaro")
    assert ids([surname]) == [200 + len(OTHERS)]


def test_a_rare_word_in_common_says_more_than_a_common_one():
    table = table_of(*(f"Anna {name}" for name in OTHERS * 20), "Solomon Abourjeili")
    (first, *_) = table.search("Anna Abourjeili")
    assert ids([first]) == [len(OTHERS) * 20]
    assert ReasonCode.RARE_WORD in {reason.code for reason in first.reasons}
    assert first.score < LIKELY

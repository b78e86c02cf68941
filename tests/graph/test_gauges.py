"""Numbers for monitoring, from what the graph really holds."""

from datetime import timedelta

from graph.connection import Graph
from graph.gauges import holdings, oldest_due, reviews_late
from graph.oversight_queries import OLDEST
from graph.signals import Signals
from tests.graph.builders import TODAY, a_batch, a_signal, a_subject, an_entry


def test_live_due_and_the_oldest_day_are_counted(register: Graph) -> None:
    empty = holdings(register, TODAY)
    assert (empty.subjects, empty.signals, empty.due, empty.oldest) == (0, 0, 0, None)

    days = [TODAY - timedelta(days=3), TODAY, TODAY + timedelta(days=1)]
    people = [a_subject(remove_by=day) for day in days]
    batch = a_batch([a_signal([one.facts.id for one in people])], created=people)
    Signals(register).record(batch, (), [an_entry()])

    held = holdings(register, TODAY)
    assert (held.subjects, held.signals, held.due, held.oldest) == (3, 1, 2, days[0])


def test_a_signal_that_names_nobody_counts_with_its_own_day(register: Graph) -> None:
    """C02, R13: the oldest item left undone is found whether it is somebody or a signal that names nobody."""
    long_ago = TODAY - timedelta(days=9)
    person = a_subject(remove_by=TODAY - timedelta(days=2))
    batch = a_batch([a_signal([person.facts.id]), a_signal([], remove_by=long_ago)], created=[person])
    Signals(register).record(batch, (), [an_entry()])
    assert oldest_due(register, TODAY) == long_ago
    assert oldest_due(register, long_ago - timedelta(days=1)) is None


def test_r13_late_reviews_are_counted_from_the_day_after_and_not_of_what_has_ended(register: Graph) -> None:
    """R13: an alarm of its own for a confirmation that is overdue."""
    ahead, behind = TODAY + timedelta(days=400), TODAY - timedelta(days=1)
    people = [
        a_subject(remove_by=ahead, review_by=behind),
        a_subject(remove_by=ahead, review_by=TODAY),
        a_subject(remove_by=TODAY, review_by=behind),
    ]
    batch = a_batch([a_signal([one.facts.id for one in people])], created=people)
    Signals(register).record(batch, (), [an_entry()])
    assert reviews_late(register, TODAY) == 1
    assert holdings(register, TODAY).reviews_late == 1
    assert reviews_late(register, TODAY + timedelta(days=1)) == 2


def test_the_oldest_is_read_from_two_indexes_and_sorts_nothing(register: Graph) -> None:
    """C02: asking for the oldest item costs two rows of an index, however many records there are."""
    plan = register.read(lambda tx: tx.run(f"EXPLAIN {OLDEST}", today=TODAY).consume().plan)
    operators: list[str] = []
    waiting = [plan]
    while waiting:
        one = waiting.pop()
        operators.append(one["operatorType"].partition("@")[0])
        waiting += one.get("children", [])
    assert operators.count("NodeIndexSeekByRange") == 2
    assert not {"Sort", "Top", "NodeByLabelScan", "AllNodesScan"} & set(operators)

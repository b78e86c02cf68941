"""Numbers for monitoring, from what the graph really holds."""

from datetime import timedelta

from graph.connection import Graph
from graph.gauges import holdings
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

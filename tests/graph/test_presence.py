"""Whether anything of given ids is there, whoever may see it, with the audit entry of the answer."""

from graph.connection import Graph
from graph.presence import Presence
from graph.signals import Signals
from graph.trail import AuditTrail
from register.audit import Act
from register.ids import IdentifierId, MentionId, mint
from tests.graph.builders import a_batch, a_signal, a_subject, an_entry, an_identifier


def test_anything_there_is_found_and_the_answer_is_written_down_first(register: Graph) -> None:
    person, identifier = a_subject(restricted=True), an_identifier()
    signal = a_signal([person.facts.id], identifiers={0: [identifier]}, markings=["closed"])
    batch = a_batch([signal], created=[person], identifiers=[identifier])
    Signals(register).record(batch, (), [an_entry()])
    mention = signal.mentions[0].facts.id
    nobody, nothing = MentionId(mint()), IdentifierId(mint())
    answers = []

    def witnessed(found: bool):
        answers.append(found)
        return an_entry(Act.ABSENCE_STATE)

    presence = Presence(register)
    before = len(AuditTrail(register).unlogged(100))
    assert presence.any([nobody, mention], [nothing], witnessed)
    assert presence.any([nobody], [identifier], witnessed)
    assert not presence.any([nobody], [nothing], witnessed)
    assert not presence.any([], [], witnessed)
    assert answers == [True, True, False, False]
    assert len(AuditTrail(register).unlogged(100)) == before + 4

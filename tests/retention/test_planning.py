"""Plans: what is due and why, what goes with it, what does not verify, when a second person is needed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.grading import Category
from register.ids import SubjectId
from register.links import LinkKind
from retention.intent import survey
from retention.plan import Plan, Reason
from retention.planned import Kind, digest, fingerprint
from retention.terms import deadline
from tests.builders import subject_facts
from tests.fakes import FakeFacts
from tests.retention.world import POLICY, World, hexid

DAY = date(2026, 6, 1)


def _names(plan: Plan) -> set[str]:
    return {bytes.fromhex(one.id).rstrip(b"\0").decode() for one in plan.due}


def _w11() -> World:
    """W11: A and B in one signal of 2021-06-01, A alone in another of 2024-02-01."""
    world = World()
    world.signal("s1", date(2021, 6, 1), "AB", identifiers=[("A", "i1"), ("B", "i1"), ("B", "i2")], port="NLRTM")
    world.signal("s2", date(2024, 2, 1), "A")
    return world


def test_w11_the_plan_names_what_goes_with_whom():
    """C05: the closure, item by item."""
    plan = _w11().plan(DAY)
    assert _names(plan) == {"subjectB"}
    (due,) = plan.due
    assert due.because == (
        "1 event counts: signal of 2021-06-01",
        "2021-06-01 + 5 years = 2026-06-01",
        "invisible from 00:00 of 2026-06-01, Amsterdam time",
        "destroyed at once, without an archive, on 2026-06-01 (Wpg art. 10(6))",
    )
    assert plan.cascade.gone == ()
    assert plan.cascade.redacted == ((hexid("signal", "s1"), (hexid("subject", "B"),)),)
    assert (plan.cascade.mentions, plan.cascade.links, len(plan.cascade.identifiers)) == (1, 1, 2)
    assert (plan.live_subjects, plan.live_signals, plan.findings) == (2, 2, ())


def test_a_signal_goes_with_its_last_subject():
    """R25: not before."""
    plan = _w11().plan(date(2029, 2, 1))
    assert _names(plan) == {"subjectA", "subjectB"}
    assert [signal for signal, _ in plan.cascade.gone] == [hexid("signal", "s1"), hexid("signal", "s2")]
    assert plan.cascade.redacted == ()
    assert plan.cascade.links == 2


@pytest.mark.parametrize(("on", "due"), [(date(2026, 5, 31), False), (DAY, True)])
def test_a_signal_that_names_nobody_ends_by_its_own_term(on, due):
    world = World()
    world.signal("s1", date(2021, 6, 1))
    plan = world.plan(on)
    assert [one.kind for one in plan.due] == [Kind.SIGNAL] * due
    assert plan.signals == (((hexid("signal", "s1")), 1),) * due


def test_w12_a_higher_revision_alone_changes_no_date():
    world = _w11()
    item = SubjectId(hexid("subject", "B"))
    facts = world.graph.subjects_held[item].facts
    world.subject(replace(facts, revision=9))
    assert [(one.id, one.revision) for one in world.plan(DAY).due] == [(item, 9)]


def test_w22_what_has_expired_is_not_revived():
    """R24."""
    world = World()
    world.signal("s1", date(2021, 6, 1), "A")
    before = world.graph.subjects_held[SubjectId(hexid("subject", "A"))]
    world.signal("s2", date(2026, 5, 20), "A", accepted_on=date(2026, 6, 10))
    assert world.graph.subjects_held[before.facts.id].facts.remove_by == DAY
    assert _names(world.plan(DAY)) == {"subjectA"}


def test_a_date_moved_in_the_database_is_found_and_delays_nothing():
    """R06: every run reckons the dates itself; a stored one is only compared."""
    world = _w11()
    item = world.forge("B", date(2036, 1, 1))
    plan = world.plan(DAY)
    assert [(one.id, one.reason) for one in plan.findings] == [(item, Reason.DOES_NOT_VERIFY)]
    assert plan.due == ()
    world.graph.doubted[item] = DAY
    assert world.plan(DAY + timedelta(days=29)).due == ()
    (due,) = world.plan(DAY + timedelta(days=30)).due
    assert (due.id, due.term.rule, due.term.event, due.term.period) == (item, POLICY.distrust.id, "discovery", "P30D")


def test_a_record_that_does_not_verify_still_goes_on_its_stated_day():
    world = _w11()
    world.forge("B", date(2026, 5, 30))
    (due,) = world.plan(DAY).due
    assert (due.term.event, due.term.period, due.term.due_on) == ("stated-date", "P0D", date(2026, 5, 30))


def test_a_day_of_distrust_written_into_the_database_destroys_nothing_that_verifies():
    """The day lies in the graph under no MAC: it may hide a record, and never moves the term of a sound one."""
    world = _w11()
    undisturbed = _names(world.plan(DAY))
    world.graph.doubted[hexid("subject", "A")] = date(2020, 1, 1)
    assert _names(world.plan(DAY)) == undisturbed == {"subjectB"}
    assert world.plan(DAY).findings == ()


def test_an_older_record_put_back_is_found():
    world = _w11()
    item = SubjectId(hexid("subject", "B"))
    held = world.graph.subjects_held[item]
    world.facts.remember([(item, held.facts.revision + 1)])
    assert [(one.id, one.reason) for one in world.plan(date(2026, 1, 1)).findings] == [(item, Reason.BEHIND)]


@pytest.mark.parametrize(
    ("stated", "reason"), [(date(2031, 1, 1), Reason.STATED_LATER), (date(2025, 1, 1), Reason.STATED_EARLIER)]
)
def test_of_a_stated_and_a_reckoned_date_the_earlier_rules(stated, reason):
    world = _w11()
    item = SubjectId(hexid("subject", "B"))
    world.subject(replace(world.graph.subjects_held[item].facts, remove_by=stated))
    plan = world.plan(DAY)
    assert [(one.id, one.reason) for one in plan.findings] == [(item, reason)]
    assert [(one.id, one.term.due_on) for one in plan.due] == [(item, min(stated, DAY))]


def test_a_signals_date_moved_back_ends_nobodys_term_early():
    world = _w11()
    signal = world.graph.signals_held[hexid("signal", "s2")]
    changed = replace(signal, facts=replace(signal.facts, received_on=date(2019, 1, 1)))
    world.graph.signals_held[signal.facts.id] = changed
    plan = world.plan(DAY)
    assert _names(plan) == {"subjectB"}
    assert [(one.id, one.reason) for one in plan.findings] == [(signal.facts.id, Reason.DOES_NOT_VERIFY)]
    assert _names(world.plan(date(2029, 2, 1))) == {"subjectA", "subjectB"}


@pytest.mark.parametrize("part", ["mentions", "links"])
def test_a_part_taken_out_of_a_signal_is_found(part):
    world = _w11()
    signal = world.graph.signals_held[hexid("signal", "s1")]
    world.graph.signals_held[signal.facts.id] = replace(signal, **{part: getattr(signal, part)[1:]})
    reasons = {(one.id, one.reason) for one in world.plan(date(2026, 1, 1)).findings}
    assert (signal.facts.id, Reason.DOES_NOT_VERIFY) in reasons


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("mentions", {"category": Category.OFFICER}),
        ("mentions", {"markings": ("x",)}),
        ("links", {"kind": LinkKind.FAMILY_OF}),
        ("links", {"to": hexid("subject", "Z")}),
    ],
)
def test_a_part_of_a_signal_changed_in_the_database_is_found(part, changes):
    world = _w11()
    signal = world.graph.signals_held[hexid("signal", "s1")]
    first, *rest = getattr(signal, part)
    forged = replace(first, facts=replace(first.facts, **changes))
    world.graph.signals_held[signal.facts.id] = replace(signal, **{part: (forged, *rest)})
    reasons = {(one.id, one.reason) for one in world.plan(date(2026, 1, 1)).findings}
    assert reasons == {(signal.facts.id, Reason.DOES_NOT_VERIFY)}


def test_a_subject_that_nothing_speaks_of_is_a_finding():
    world = World()
    facts = subject_facts(hexid("subject", "A"), remove_by=date(2031, 1, 1))
    world.subject(facts)
    assert [one.reason for one in world.plan(DAY).findings] == [Reason.NO_EVENT]
    world.graph.doubted[facts.id] = DAY - timedelta(days=30)
    assert _names(world.plan(DAY)) == {"subjectA"}


def test_the_digest_covers_date_policy_items_and_revisions():
    plan = _w11().plan(DAY)
    planned = plan.planned
    assert plan.digest == digest(DAY, planned, plan.subjects, plan.signals, ())
    others = {
        digest(date(2026, 6, 2), planned, plan.subjects, plan.signals, ()),
        digest(DAY, replace(planned, policy={"sha256": "0" * 64}), plan.subjects, plan.signals, ()),
        digest(DAY, replace(planned, terms={}), plan.subjects, plan.signals, ()),
        digest(DAY, replace(planned, going=(hexid("signal", "x"),)), plan.subjects, plan.signals, ()),
        digest(DAY, planned, (), (), ()),
        digest(DAY, planned, ((plan.subjects[0][0], 2),), (), ()),
        digest(DAY, planned, (), plan.subjects, ()),
    }
    assert plan.digest not in others
    assert len(others) == 7


@pytest.mark.parametrize(
    ("due", "live", "needed"), [(50, 0, False), (51, 0, True), (51, 2499, False), (51, 2498, True)]
)
def test_more_than_the_blast_radius_needs_a_second_person(due, live, needed):
    world = World()
    for place in range(due):
        world.signal(f"d{place}", date(2021, 6, 1))
    plan = world.plan(deadline(POLICY, date(2021, 6, 1)).remove_by)
    assert plan.needs_approval is (due > 50)
    plan = replace(plan, live_signals=due + live)
    assert plan.needs_approval is needed


def test_the_difference_from_an_earlier_plan_is_told_by_fingerprints():
    plan = _w11().plan(DAY)
    assert plan.difference(()) == {"new": 1, "gone": 0}
    assert plan.difference([fingerprint(hexid("subject", "B")), fingerprint("x")]) == {"new": 0, "gone": 1}


def test_what_is_told_holds_ids_codes_and_dates():
    told = _w11().plan(DAY).told()
    assert told["outcome"] == "destroy"
    assert told["counts"]["signals that stay, redacted"] == 1
    assert told["redacted"] == [{"id": hexid("signal", "s1"), "without": [hexid("subject", "B")]}]
    assert told["due"][0]["remove_by"] == "2026-06-01"


histories = st.lists(
    st.tuples(st.dates(date(2019, 1, 1), date(2026, 1, 1)), st.sets(st.sampled_from("ABCDE"), max_size=4)), max_size=8
)


@given(histories, st.dates(date(2024, 1, 1), date(2031, 12, 31)), st.integers(0, 400))
def test_a_later_date_never_makes_less_due_and_each_item_is_due_on_its_own_date(history, on, more):
    world = World()
    for place, (received_on, subjects) in enumerate(history):
        world.signal(f"s{place}", received_on, sorted(subjects))
    plan, later = world.plan(on), world.plan(on + timedelta(days=more))
    assert {one.id for one in plan.due} <= {one.id for one in later.due}
    assert plan.findings == ()
    dates = {one: held.facts.remove_by for one, held in world.graph.subjects_held.items()}
    assert {one.id for one in plan.due if one.kind is Kind.SUBJECT} == {one for one, day in dates.items() if day <= on}
    going = {one.id for one in plan.due}
    gone = {signal for signal, _ in plan.cascade.gone} | {one.id for one in plan.due if one.kind is Kind.SIGNAL}
    for signal, held in world.graph.signals_held.items():
        named = {mention.facts.subject for mention in held.mentions}
        assert (signal in gone) == (named <= going if named else signal in going)


@dataclass(frozen=True, slots=True)
class _Meanwhile:
    """A check in front of which something happens between a record's reading and the question for newest revisions."""

    facts: FakeFacts
    happens: list[Callable[[], object]]

    def behind(self, revisions):
        asked = list(revisions)
        if self.happens:
            self.happens.pop()()
        return self.facts.behind(asked)

    def __getattr__(self, name):
        return getattr(self.facts, name)


def test_what_an_intake_moves_during_the_survey_is_no_older_state_put_back():
    """It would be hidden at once, and be gone thirty days later."""
    world = World()
    world.signal("s1", date(2024, 2, 1), "AB")
    happens = [lambda name=name: world.signal(name, date(2025, 3, 1), "A") for name in ("s2", "s3", "s4")]
    plan = survey(world.graph, world.graph, world.archive, _Meanwhile(world.facts, happens), POLICY, date(2026, 1, 1))
    assert not happens
    assert plan.findings == ()
    assert plan.live_subjects == 2


def test_an_older_state_put_back_is_found_during_an_intake_too():
    world = World()
    world.signal("s1", date(2024, 2, 1), "AB")
    item = SubjectId(hexid("subject", "B"))
    old = world.graph.subjects_held[item]
    world.signal("s2", date(2025, 2, 1), "B")
    world.graph.subjects_held[item] = old
    happens = [lambda name=name: world.signal(name, date(2025, 3, 1), "A") for name in ("s3", "s4", "s5")]
    plan = survey(world.graph, world.graph, world.archive, _Meanwhile(world.facts, happens), POLICY, date(2026, 1, 1))
    assert [(one.id, one.reason) for one in plan.findings] == [(item, Reason.BEHIND)]
